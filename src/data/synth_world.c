/* synth_world.c - the words and the facts of the built-in corpus.
 *
 * The frequent words are English, in lists below; the rare ones are put together from
 * syllables, so that the tail of the vocabulary can be as long as it likes and a model has to
 * learn how words are built before it can learn the words.  Everything is drawn from named
 * streams, one draw a statement (C leaves the order inside an expression open): a longer list
 * of foods leaves the towns as they were. */
#include <string.h>

#include "data/synth.h"

enum { PEOPLE = 240, TOWNS = 60, CREATURES = 90, FIRST_NAMES = 80 };
enum { THINGS = 420, DEEDS = 150, ACTS = 100, TRAITS = 200 };

static const char *const things[] = {
    "house",  "road",   "river",   "door",   "garden",   "tree",   "stone",   "field",   "window",
    "fire",   "table",  "ship",    "bridge", "lamp",     "coat",   "letter",  "horse",   "bell",
    "boat",   "wall",   "market",  "tower",  "hill",     "lake",   "cloud",   "star",    "island",
    "basket", "ladder", "wagon",   "candle", "chair",    "bottle", "clock",   "drum",    "key",
    "rope",   "bucket", "hammer",  "mirror", "picture",  "pillow", "sail",    "barrel",  "map",
    "coin",   "crown",  "feather", "flute",  "glove",    "hat",    "jar",     "kettle",  "lantern",
    "net",    "pipe",   "plate",   "pot",    "ring",     "saddle", "shovel",  "spoon",   "wheel",
    "farmer", "sailor", "teacher", "girl",   "boy",      "king",   "queen",   "guard",   "stranger",
    "friend", "dog",    "cat",     "bird",   "cow",      "goat",   "hen",     "rabbit",  "owl",
    "frog",   "bee",    "story",   "song",   "question", "answer", "dream",   "secret",  "promise",
    "lesson", "game",   "word",    "name",   "voice",    "shadow", "journey", "blanket", "apple",
};
static const char *const deeds[][2] = {
    { "see", "saw" },         { "find", "found" },    { "take", "took" },
    { "carry", "carried" },   { "hold", "held" },     { "bring", "brought" },
    { "make", "made" },       { "break", "broke" },   { "mend", "mended" },
    { "paint", "painted" },   { "clean", "cleaned" }, { "open", "opened" },
    { "buy", "bought" },      { "sell", "sold" },     { "hide", "hid" },
    { "keep", "kept" },       { "leave", "left" },    { "watch", "watched" },
    { "follow", "followed" }, { "love", "loved" },    { "want", "wanted" },
    { "need", "needed" },     { "know", "knew" },     { "remember", "remembered" },
    { "forget", "forgot" },   { "build", "built" },   { "burn", "burned" },
    { "lift", "lifted" },     { "push", "pushed" },   { "pull", "pulled" },
    { "wash", "washed" },     { "fill", "filled" },   { "cover", "covered" },
    { "draw", "drew" },       { "touch", "touched" }, { "hear", "heard" },
    { "fear", "feared" },     { "count", "counted" }, { "catch", "caught" },
};
static const char *const acts[][2] = {
    { "sleep", "slept" },      { "sing", "sang" },       { "walk", "walked" },
    { "run", "ran" },          { "laugh", "laughed" },   { "cry", "cried" },
    { "fall", "fell" },        { "rise", "rose" },       { "wait", "waited" },
    { "work", "worked" },      { "rest", "rested" },     { "dance", "danced" },
    { "swim", "swam" },        { "shine", "shone" },     { "grow", "grew" },
    { "tremble", "trembled" }, { "wander", "wandered" }, { "arrive", "arrived" },
    { "return", "returned" },  { "stop", "stopped" },    { "listen", "listened" },
};
static const char *const traits[] = {
    "old",    "new",    "small", "big",     "red",    "green",  "blue",   "black",  "white",
    "dark",   "bright", "long",  "short",   "quiet",  "loud",   "warm",   "cold",   "wet",
    "dry",    "empty",  "heavy", "light",   "narrow", "wide",   "deep",   "soft",   "hard",
    "sweet",  "young",  "wise",  "proud",   "gentle", "brave",  "clever", "kind",   "tired",
    "hungry", "happy",  "sad",   "strange", "broken", "golden", "silver", "wooden", "round",
    "smooth", "rough",  "clean", "slow",    "quick",  "late",   "early",
};

static const char *const jobs[] = { "baker",    "miller", "teacher",  "smith",  "weaver",
                                    "doctor",   "potter", "painter",  "tailor", "mason",
                                    "cook",     "sailor", "fisher",   "hunter", "shepherd",
                                    "gardener", "singer", "carpenter" };
static const char *const foods[] = { "barley soup", "plum cake",  "roast duck",  "honey bread",
                                     "fried eel",   "apple pie",  "goat cheese", "pea porridge",
                                     "smoked ham",  "cherry jam", "onion stew",  "walnut rolls" };
static const char *const plays[] = { "the flute", "the drum",   "the harp",  "the horn", "chess",
                                     "cards",     "the fiddle", "the organ", "skittles", "dice" };
static const char *const pets[] = { "dog",    "cat", "goat",   "hen",      "duck",
                                    "rabbit", "owl", "parrot", "tortoise", "donkey" };
static const char *const colours[] = { "red",   "green", "blue", "grey",   "brown",
                                       "white", "black", "gold", "yellow", "purple" };
static const char *const lands[] = { "the north", "the south", "the marshes", "the hills",
                                     "the coast", "the plain", "the islands", "the old kingdom" };
static const char *const goods[] = { "salt",   "glass",   "wool",   "cheese", "copper",
                                     "paper",  "silk",    "rope",   "beer",   "clocks",
                                     "knives", "carpets", "bricks", "ink" };
static const char *const buildings[] = { "a stone tower",         "a wooden bridge",
                                         "a great mill",          "a round church",
                                         "an old lighthouse",     "a covered market",
                                         "a clock with one hand", "a school for sailors" };
static const char *const days[] = { "Monday",   "Tuesday", "Wednesday",
                                    "Thursday", "Friday",  "Saturday" };
static const char *const kinds[] = { "bird",  "fish", "beetle", "lizard", "moth",
                                     "snake", "fox",  "crab",   "deer",   "toad" };
static const char *const homes[] = { "marshes",    "caves",       "hedges",    "cold streams",
                                     "old walls",  "pine woods",  "dry hills", "river banks",
                                     "deep lakes", "wheat fields" };
static const char *const eats[] = {
    "berries",   "small flies", "roots", "snails", "seeds",
    "mushrooms", "moss",        "honey", "eggs",   "fallen leaves"
};
static const char *const sounds[] = { "whistles", "hums",  "barks",  "clicks",
                                      "growls",   "sings", "croaks", "hisses" };
static const char *const times[] = { "at night",  "at dawn",    "in spring",
                                     "in autumn", "after rain", "at noon" };

static const char *pick(Rand *r, const char *const *list, ptrdiff_t count)
{
    return list[rand_below(r, (uint64_t)count)];
}
#define PICK(r, list) pick((r), (list), COUNT(list))

/* ---- invented words ---- */

static void put_syllable(Rand *r, Buf *out, bool closed)
{
    static const char *const onset[] = {
        "b", "bl", "br", "d", "dr", "f",  "fl", "g",  "gl", "gr", "h",  "k", "l",  "m", "n",
        "p", "pl", "pr", "r", "s",  "sk", "sl", "sm", "sn", "sp", "st", "t", "tr", "v", "w"
    };
    static const char *const vowel[] = { "a", "a", "e", "e",  "i",  "i",
                                         "o", "o", "u", "ai", "ea", "oo" };
    static const char *const coda[] = { "b",  "ck", "d",  "ft", "g", "ll", "lt", "m",  "mp", "n",
                                        "nd", "nk", "nt", "p",  "r", "rd", "rk", "rn", "rt", "t" };
    buf_str(out, str_of(PICK(r, onset)));
    buf_str(out, str_of(PICK(r, vowel)));
    if (closed) buf_str(out, str_of(PICK(r, coda)));
}

static char *invent(Rand *r, const char *ending, Arena *out)
{
    Buf word = { 0 };
    bool two = rand_below(r, 3) > 0;
    if (two) put_syllable(r, &word, rand_below(r, 4) == 0);
    put_syllable(r, &word, true);
    buf_str(&word, str_of(ending));
    char *kept = arena_str(out, buf_view(&word));
    buf_free(&word);
    return kept;
}

static char *capital(char *word)
{
    word[0] = (char)(word[0] - 'a' + 'A');
    return word;
}

/* ---- lists of words ---- */

/* "fox" foxes, "story" stories, "key" keys; the same for "she watches, carries, keeps". */
static char *with_s(const char *word, Arena *out)
{
    size_t n = strlen(word);
    char last = word[n - 1], before = n > 1 ? word[n - 2] : 'a';
    bool hissing = last == 's' || last == 'x' || (last == 'h' && (before == 's' || before == 'c'));
    if (last == 'y' && !strchr("aeiou", before))
        return arena_printf(out, "%.*sies", (int)n - 1, word);
    return arena_printf(out, hissing ? "%ses" : "%ss", word);
}

static void new_words(SynthWords *w, int count, Arena *out)
{
    w->count = count;
    w->base = NEW(out, const char *, count);
    w->form = NEW(out, const char *, count);
    w->sum = NEW(out, uint64_t, count);
    for (int i = 0; i < count; i++) w->sum[i] = (i ? w->sum[i - 1] : 0) + 1000000 / (i + 3);
}

static void name_things(SynthWorld *w, Arena *out)
{
    Rand r = rand_stream(w->seed, "synth things");
    new_words(&w->things, THINGS, out);
    for (int i = 0; i < THINGS; i++) {
        w->things.base[i] = i < COUNT(things) ? things[i] : invent(&r, "", out);
        w->things.form[i] = with_s(w->things.base[i], out);
    }
    r = rand_stream(w->seed, "synth traits");
    new_words(&w->traits, TRAITS, out);
    for (int i = 0; i < TRAITS; i++)
        w->traits.base[i] = w->traits.form[i] =
            i < COUNT(traits) ? traits[i] : invent(&r, i % 2 ? "ish" : "y", out);
}

/* The base of a verb is its form for one: "the fox sees". */
static void name_verbs(SynthWords *w, int count, const char *const (*known)[2], int n_known, Rand r,
                       Arena *out)
{
    new_words(w, count, out);
    for (int i = 0; i < count; i++) {
        const char *base = i < n_known ? known[i][0] : invent(&r, "", out);
        w->base[i] = with_s(base, out);
        w->form[i] = i < n_known ? known[i][1] : arena_printf(out, "%sed", base);
    }
}

int synth_rank(Rand *r, int count)
{
    uint64_t all = 0;
    for (int i = 0; i < count; i++) all += 1000000 / (uint64_t)(i + 3);
    uint64_t at = rand_below(r, all);
    int i = 0;
    for (uint64_t weight; at >= (weight = 1000000 / (uint64_t)(i + 3)); i++) at -= weight;
    return i;
}

int synth_word(const SynthWords *w, Rand *r)
{
    uint64_t at = rand_below(r, w->sum[w->count - 1]);
    int low = 0, high = w->count - 1;
    while (low < high) {
        int middle = (low + high) / 2;
        if (w->sum[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

int synth_word_with(const SynthWords *w, Rand *r, int with)
{
    enum { FEW = 4 };
    uint64_t draw = rand_below(r, 3 * FEW);
    if (with < 0 || draw >= 2 * FEW) return synth_word(w, r);
    Rand fixed = { .key = (uint64_t)with, .stream = w->sum[w->count - 1], .index = draw % FEW };
    return synth_word(w, &fixed);
}

/* ---- facts ---- */

static char *number(Rand *r, int from, uint64_t range, Arena *out)
{
    return arena_printf(out, "%d", from + (int)rand_below(r, range));
}

static void name_towns(SynthWorld *w, Arena *out)
{
    static const char *const ends[] = {
        "ford", "ham", "wick", "mouth", "bury", "by", "ton", "dale"
    };
    Rand r = rand_stream(w->seed, "synth towns");
    w->towns = TOWNS;
    w->town = NEW(out, SynthTown, TOWNS);
    const char *river[18];
    for (int i = 0; i < COUNT(river); i++) river[i] = capital(invent(&r, "", out));
    for (int i = 0; i < TOWNS; i++) {
        SynthTown *t = &w->town[i];
        t->name = capital(invent(&r, PICK(&r, ends), out));
        t->river = PICK(&r, river);
        t->makes = PICK(&r, goods);
        t->building = PICK(&r, buildings);
        t->day = PICK(&r, days);
        t->land = PICK(&r, lands);
        t->near = (i + 1 + (int)rand_below(&r, TOWNS - 1)) % TOWNS;
        t->founded = number(&r, 900, 700, out);
        t->miles = number(&r, 3, 60, out);
    }
}

static void name_people(SynthWorld *w, Arena *out)
{
    static const char *const front[] = { "Ash",   "Black",  "Stone", "Hart", "Wind",
                                         "Marsh", "Oak",    "Fair",  "Gold", "Swift",
                                         "Thorn", "Winter", "Hazel", "Long" };
    static const char *const back[] = { "well",  "field", "wood",  "ley",  "man",   "son",
                                        "brook", "worth", "croft", "gate", "stead", "hill" };
    Rand r = rand_stream(w->seed, "synth people");
    const char *first[FIRST_NAMES];
    for (int i = 0; i < FIRST_NAMES; i++) first[i] = capital(invent(&r, i % 2 ? "a" : "", out));
    w->people = PEOPLE;
    w->person = NEW(out, SynthPerson, PEOPLE);
    for (int i = 0; i < PEOPLE; i++) {
        SynthPerson *p = &w->person[i];
        int name = i < FIRST_NAMES ? i : (int)rand_below(&r, FIRST_NAMES);
        p->first = first[name];
        p->she = name % 2;
        p->job = PICK(&r, jobs);
        p->food = PICK(&r, foods);
        p->plays = PICK(&r, plays);
        p->pet = PICK(&r, pets);
        p->colour = PICK(&r, colours);
        p->town = synth_rank(&r, TOWNS);
        p->friend = (i + 1 + synth_rank(&r, PEOPLE - 1)) % PEOPLE;
        const char *begin = PICK(&r, front), *end = PICK(&r, back);
        p->last = arena_printf(out, "%s%s", begin, end);
        p->full = arena_printf(out, "%s %s", p->first, p->last);
        p->pet_name = capital(invent(&r, "", out));
        p->born = number(&r, 1780, 120, out);
    }
}

static void name_creatures(SynthWorld *w, Arena *out)
{
    Rand r = rand_stream(w->seed, "synth creatures");
    w->creatures = CREATURES;
    w->creature = NEW(out, SynthCreature, CREATURES);
    for (int i = 0; i < CREATURES; i++) {
        char *name = invent(&r, "", out);
        SynthCreature *c = &w->creature[i];
        c->name = name;
        c->many = with_s(name, out);
        c->kind = PICK(&r, kinds);
        c->colour = PICK(&r, colours);
        c->home = PICK(&r, homes);
        c->eats = PICK(&r, eats);
        c->sound = PICK(&r, sounds);
        c->time = PICK(&r, times);
    }
}

SynthWorld *synth_world(uint64_t seed, Arena *out)
{
    SynthWorld *w = NEW(out, SynthWorld, 1);
    w->seed = seed;
    name_things(w, out);
    name_verbs(&w->deeds, DEEDS, deeds, (int)COUNT(deeds), rand_stream(seed, "synth deeds"), out);
    name_verbs(&w->acts, ACTS, acts, (int)COUNT(acts), rand_stream(seed, "synth acts"), out);
    name_towns(w, out);
    name_people(w, out);
    name_creatures(w, out);
    return w;
}
