/* synth_story.c - stories in which things and people are somewhere.
 *
 * Two or three people go between places, take things, give them away and put them down; the
 * teller keeps account, and what is said at the end ("the key was still in the mill") follows
 * from what happened.  So the end of a story can be predicted by whoever followed it, which
 * takes attention, and not by whoever only knows the words. */
#include <stdio.h>

#include "data/synth.h"

#define LIST(...)                                                                                  \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
enum { PLACES = 4, THINGS = 3, PEOPLE = 3, NOWHERE = -1 };

typedef struct Story {
    SynthPen *pen;
    const SynthPerson *who[PEOPLE];
    const char *place[PLACES], *thing[THINGS];
    const char *mood[PLACES]; /* what each place is like; NULL once it was told */
    int people, at[PEOPLE];   /* where each is */
    int lies[THINGS];         /* at which place, or NOWHERE: */
    int holder[THINGS];       /* who has it, or NOWHERE */
    int subject;              /* who the last sentence was about */
    int sentences;
} Story;

static uint64_t below(Story *s, int n)
{
    return rand_below(s->pen->rand, (uint64_t)n);
}

/* Different ones of a list. */
static void choose_places(Story *s)
{
    static const char *const all[] = { "the kitchen", "the cellar",    "the mill",   "the harbor",
                                       "the barn",    "the market",    "the garden", "the attic",
                                       "the forest",  "the church",    "the inn",    "the school",
                                       "the stable",  "the old tower", "the boat",   "the meadow" };
    uint64_t key = rand_u64(s->pen->rand);
    static const char *const moods[] = { "dark", "warm", "quiet", "cold", "bright", "dusty" };
    for (uint64_t i = 0; i < PLACES; i++) {
        s->place[i] = all[rand_permute(i, (uint64_t)COUNT(all), key)];
        s->mood[i] = moods[below(s, (int)COUNT(moods))];
    }
}

static void choose_things(Story *s)
{
    static const char *const all[] = { "lantern", "rope",   "key",    "basket",  "map",   "bell",
                                       "hammer",  "letter", "candle", "kettle",  "ring",  "drum",
                                       "mirror",  "shovel", "coin",   "blanket", "flute", "spoon" };
    uint64_t key = rand_u64(s->pen->rand);
    for (uint64_t i = 0; i < THINGS; i++) {
        s->thing[i] = all[rand_permute(i, (uint64_t)COUNT(all), key)];
        s->lies[i] = (int)below(s, PLACES);
        s->holder[i] = NOWHERE;
    }
}

static void choose_people(Story *s)
{
    const SynthWorld *w = s->pen->world;
    int first = synth_rank(s->pen->rand, w->people);
    s->people = 2 + (int)below(s, 2);
    for (int i = 0; i < s->people; i++) {
        s->who[i] = &w->person[first];
        s->at[i] = (int)below(s, PLACES);
        first = i == 0 ? w->person[first].friend : (first + 1 + (int)below(s, 20)) % w->people;
        for (int k = 0; k <= i; k++)
            if (s->who[k] == &w->person[first]) first = (first + 1) % w->people, k = -1;
    }
}

/* Sentences: @1 who (name or pronoun), @2 thing, @3 place, @4 the other person, @5 his or her,
 * @6 job of @1, @7 town of @1. */
static void say(Story *s, const char *const *templates, int who, int thing, int place, int other)
{
    const SynthPerson *p = s->who[who];
    bool pronoun = s->subject == who && below(s, 5) < 3;
    const char *args[] = { pronoun ? p->she ? "she" : "he" : p->first,
                           thing >= 0 ? s->thing[thing] : "",
                           place >= 0 ? s->place[place] : "",
                           other >= 0 ? s->who[other]->first : "",
                           p->she ? "her" : "his",
                           p->job,
                           s->pen->world->town[p->town].name };
    if (s->sentences++ % 5 == 4) buf_str(s->pen->out, STR("\n\n"));
    synth_sentence(s->pen, templates, args);
    s->subject = who;
}

/* ---- what can happen; false if it cannot ---- */

static bool go(Story *s, int who)
{
    int to = (int)below(s, PLACES);
    if (to == s->at[who]) return false;
    say(s,
        LIST("@1 went to @3.", "@1 walked over to @3.", "Then @1 ran to @3.",
             "@1 left and went to @3.", "After a while @1 came to @3.",
             "@1 was tired, but went to @3."),
        who, -1, to, -1);
    s->at[who] = to;
    return true;
}

static bool take(Story *s, int who)
{
    for (int i = 0; i < THINGS; i++) {
        if (s->lies[i] != s->at[who]) continue;
        say(s,
            LIST("@1 took the @2.", "@1 found the @2 and took it.", "There @1 picked up the @2.",
                 "@1 saw the @2 in @3 and took it.", "In @3 lay the @2, and @1 took it."),
            who, i, s->at[who], -1);
        s->lies[i] = NOWHERE;
        s->holder[i] = who;
        return true;
    }
    return false;
}

static int held_by(const Story *s, int who)
{
    for (int i = 0; i < THINGS; i++)
        if (s->holder[i] == who) return i;
    return -1;
}

static bool put_down(Story *s, int who)
{
    int i = held_by(s, who);
    if (i < 0) return false;
    say(s,
        LIST("@1 put down the @2.", "@1 left the @2 in @3.", "@1 hid the @2 in @3.",
             "The @2 was heavy, and @1 left it in @3."),
        who, i, s->at[who], -1);
    s->holder[i] = NOWHERE;
    s->lies[i] = s->at[who];
    return true;
}

/* Whoever stands in the same place, or -1. */
static int beside(const Story *s, int who)
{
    for (int i = 0; i < s->people; i++)
        if (i != who && s->at[i] == s->at[who]) return i;
    return -1;
}

static bool give(Story *s, int who)
{
    int i = held_by(s, who), other = beside(s, who);
    if (i < 0 || other < 0) return false;
    say(s,
        LIST("@1 gave the @2 to @4.", "@1 handed @4 the @2.", "\"Take the @2,\" said @1 to @4.",
             "@4 wanted the @2, so @1 gave it away."),
        who, i, -1, other);
    s->holder[i] = other;
    return true;
}

static bool ask(Story *s, int who)
{
    int i = (int)below(s, THINGS), other = beside(s, who);
    if (other < 0) return false;
    say(s,
        LIST("\"Where is the @2?\" asked @1.", "@1 asked @4 about the @2.",
             "\"Have you seen the @2?\" @1 asked."),
        who, i, -1, other);
    if (s->lies[i] >= 0)
        say(s,
            LIST("\"It is in @3,\" said @1.", "\"In @3,\" @1 answered.",
                 "\"Look in @3,\" @1 said."),
            other, i, s->lies[i], -1);
    else if (s->holder[i] == other)
        say(s, LIST("\"I have it here,\" said @1.", "\"I have the @2,\" @1 answered."), other, i,
            -1, -1);
    else
        say(s, LIST("\"@4 has it,\" said @1.", "\"Ask @4,\" @1 answered."), other, i, -1,
            s->holder[i]);
    return true;
}

static bool feel(Story *s, int who)
{
    say(s,
        LIST("@1 was @a and @a.", "@1 thought of @7.", "@1 missed @5 friends in @7.",
             "@1 sang of @s.", "The @6 saw @s.", "@1 dreamed that @c.", "@c, and @1 laughed.",
             "@1 said that @c.", "Like every @6, @1 knew @p."),
        who, -1, -1, -1);
    return true;
}

static bool look_round(Story *s, int who)
{
    int place = s->at[who];
    bool told = s->mood[place] == NULL || below(s, 2);
    const char *mood = s->mood[place];
    if (!told) {
        synth_sentence(s->pen, LIST("It was @1 in @2.", "@2 was @1.", "In @2 it was @1."),
                       LIST(mood, s->place[place]));
        s->mood[place] = NULL;
    } else {
        say(s,
            LIST("@c.", "In @3 there were @p.", "In @3 @c.", "Outside, @c.", "All at once @c.",
                 "When @c, @c."),
            who, -1, place, -1);
    }
    s->subject = NOWHERE;
    return true;
}

/* ---- beginning and end ---- */

static void begin(Story *s)
{
    say(s,
        LIST("One @a morning @1, a @6 from @7, was in @3.", "@1 was a @a @6 in @7.",
             "There was once a @a @6 called @1.", "@1, the @6, woke up in @3.",
             "@c, and @1 the @6 was in @3.", "It was cold in @7 when @1 came to @3."),
        0, -1, s->at[0], -1);
    for (int i = 1; i < s->people; i++)
        say(s,
            LIST("@1 was in @3.", "@1, a @a @6, waited in @3.", "The @6 @1 was in @3.",
                 "@1 from @7 sat in @3 with @s."),
            i, -1, s->at[i], -1);
}

static void end(Story *s)
{
    buf_str(s->pen->out, STR("\n\n"));
    s->sentences = 0;
    s->subject = NOWHERE;
    uint64_t key = rand_u64(s->pen->rand);
    for (uint64_t k = 0; k < THINGS; k++) {
        int i = (int)rand_permute(k, THINGS, key);
        if (s->holder[i] >= 0)
            say(s, LIST("Only @1 had the @2.", "@1 still had the @2.", "The @2 stayed with @1."),
                s->holder[i], i, -1, -1);
        else
            say(s, LIST("The @2 was in @3.", "The @a @2 lay in @3.", "The @2 stayed in @3."), 0, i,
                s->lies[i], -1);
        s->subject = NOWHERE;
    }
    for (int i = 0; i < s->people; i++)
        if (below(s, 2))
            say(s, LIST("@1 was in @3.", "@1 slept in @3 that night."), i, -1, s->at[i], -1);
    buf_char(s->pen->out, '\n');
}

void synth_story(SynthPen *pen)
{
    static bool (*const event[])(Story *, int) = { go,   go,  take, take, put_down,   give,
                                                   give, ask, feel, feel, look_round, look_round };
    Story s = { .pen = pen, .subject = NOWHERE };
    choose_places(&s);
    choose_things(&s);
    choose_people(&s);
    begin(&s);
    int events = 8 + (int)below(&s, 12), who = 0;
    for (int done = 0; done < events;) {
        if (below(&s, 3) == 0) who = (int)below(&s, s.people);
        done += event[below(&s, (int)COUNT(event))](&s, who);
    }
    end(&s);
}
