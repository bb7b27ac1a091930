/* audit_language.c - documents in another language than the data set.
 *
 * The commonest words of a language make up a third of its text, and hardly any of another's.  Each
 * document gets the share of its words that are among those of each language here; other scripts
 * are told by their characters.  The data set's language is the one that most of its bytes are
 * in, and a document is named if another language has a tenth of its words and twice as many as
 * that one.  Two languages in half the documents each are not an accident, and imbalance.
 *
 * Words, not a table of character n-grams: the evidence can be read, and what it cannot tell
 * (names, code, tables) it calls neither. */
#include <string.h>

#include "base/hash.h"
#include "data/audit_inside.h"

enum { FEWEST = 40, DIFFERENT = 6 };
static const double spoken = 0.10, times = 2;
static const AuditStep steps[] = { { 0.1, 0.0001 }, { 0, 0 } };

typedef struct Tongue {
    const char *name, *words; /* no word in two lists that is common in both */
} Tongue;
static const Tongue tongues[] = {
    { "English", "the of and to that is was for with his her they this which have from not are by "
                 "at be as it he she you but had were been" },
    { "French", "le les et des une du que dans qui pour pas sur par plus ce avec au sont cette "
                "ne vous nous aux mais il elle ses" },
    { "Spanish", "el los las y que es una del por con para se su como pero sus al esta lo entre "
                 "muy todo cuando sin sobre ser también fue" },
    { "Portuguese", "o os uma que não em para com por dos da do das ao são mais foi pela pelo ele "
                    "você seu sua isso também muito" },
    { "Italian", "il gli di che è della per con non una sono dei alla delle nel si anche più come "
                 "questo lo ma degli dal" },
    { "German", "der die und das den von zu mit sich des auf für ist nicht ein eine als auch es an "
                "werden dem wird sind einer ich aus" },
    { "Dutch", "het een van en dat niet zijn op te aan met voor er maar om ook als bij naar worden "
               "deze uit nog wordt hij" },
    { "Swedish", "och att det som på är av för med den till inte om ett har de jag var från men "
                 "sig kan eller när" },
    { "Danish", "og at det på af til er som for med den ikke der har et han var jeg fra men kan "
                "eller efter blev" },
    { "Finnish", "ja on ei se että oli hän kun mutta ovat myös tai kuin niin jos minä ole hänen "
                 "joka mitä sen" },
    { "Polish", "i w na z się nie do że to jest o jak po co przez dla od był ale jego tak który są "
                "może" },
    { "Czech", "a v na se je že to s z do o jako pro byl ale by i jeho které jsou když tak jsem "
               "podle" },
    { "Latin", "et in est non ad ut cum quod qui quae sed ex ab si quam esse atque etiam aut nec "
               "enim per autem" },
    { "Turkish", "ve bir bu da için ile de olarak çok daha olan gibi en kadar sonra ne var ama "
                 "değil her" },
    { "Hungarian", "a az és hogy nem is egy meg ez volt de csak el már mint van ki ha még azt "
                   "lehet" },
};

/* Scripts by ranges of code points. */
static const struct Script {
    const char *name;
    unsigned first, last;
} scripts[] = {
    { "Greek", 0x370, 0x3FF },      { "Cyrillic", 0x400, 0x52F },   { "Hebrew", 0x590, 0x5FF },
    { "Arabic", 0x600, 0x6FF },     { "Devanagari", 0x900, 0x97F }, { "Thai", 0xE00, 0xE7F },
    { "Japanese", 0x3040, 0x30FF }, { "Chinese", 0x4E00, 0x9FFF },  { "Korean", 0xAC00, 0xD7A3 },
};

enum { TONGUES = (int)COUNT(tongues), SCRIPTS = (int)COUNT(scripts), ALL = TONGUES + SCRIPTS };

typedef struct Known {
    uint64_t hash[TONGUES][48];
    int count[TONGUES];
} Known;

static void learn(Known *k)
{
    AuditWord word;
    for (int i = 0; i < TONGUES; i++)
        for (AuditWords w = audit_words(str_of(tongues[i].words)); audit_next(&w, &word);)
            k->hash[i][k->count[i]++] = word.hash;
}

static int place_of(const Known *k, int tongue, uint64_t hash)
{
    for (int i = 0; i < k->count[tongue]; i++)
        if (k->hash[tongue][i] == hash) return i;
    return -1;
}

static int bits_of(uint64_t set)
{
    int n = 0;
    for (; set; set &= set - 1) n++;
    return n;
}

static int script_of(Str letter)
{
    const unsigned char *b = (const unsigned char *)letter.at;
    unsigned code = 0;
    if (letter.len >= 3 && b[0] >= 0xE0)
        code = (b[0] & 15u) << 12 | (b[1] & 63u) << 6 | (b[2] & 63u);
    else if (letter.len >= 2 && b[0] >= 0xC2)
        code = (b[0] & 31u) << 6 | (b[1] & 63u);
    for (int i = 0; i < SCRIPTS; i++)
        if (code >= scripts[i].first && code <= scripts[i].last) return i;
    return -1;
}

/* Shares of the words of a document, 0 of a language of which it has fewer than six different ones
 * ("est." fills a table of estimates, and is no French); false if it has too few words. */
static bool listen(const Known *k, Str doc, double share[ALL])
{
    AuditWord word;
    uint64_t met[TONGUES] = { 0 };
    int64_t n = 0;
    for (int i = 0; i < ALL; i++) share[i] = 0;
    for (AuditWords w = audit_words(doc); audit_next(&w, &word); n++) {
        int script = script_of(word.at), place;
        if (script >= 0) share[TONGUES + script]++;
        for (int i = 0; script < 0 && word.at.len > 1 && i < TONGUES; i++) {
            if ((place = place_of(k, i, word.hash)) < 0) continue;
            share[i]++;
            met[i] |= (uint64_t)1 << place;
        }
    }
    for (int i = 0; i < TONGUES; i++)
        if (bits_of(met[i]) < DIFFERENT) share[i] = 0;
    for (int i = 0; i < ALL; i++) share[i] /= (double)MAX(n, 1);
    return n >= FEWEST;
}

static int most(const double share[ALL])
{
    int best = 0;
    for (int i = 1; i < ALL; i++)
        if (share[i] > share[best]) best = i;
    return best;
}

static const char *name_of(int i)
{
    return i < TONGUES ? tongues[i].name : scripts[i - TONGUES].name;
}

/* The language of the data set: the one of most bytes. */
static int main_language(const Audit *a, const double *share)
{
    double bytes[ALL] = { 0 };
    for (int64_t i = 0; i < a->docs.count; i++) {
        int best = most(share + i * ALL);
        if (share[i * ALL + best] >= spoken) bytes[best] += (double)audit_doc(a, i).len;
    }
    return most(bytes);
}

static json_t *name_all(Audit *a, const double *share, int ours, AuditFind *f)
{
    double *measure = audit_measure(a);
    int64_t of[ALL] = { 0 };
    json_t *languages = json_object();
    for (int64_t i = 0; i < a->docs.count; i++) {
        const double *s = share + i * ALL;
        int other = most(s);
        measure[i] = other == ours ? 0 : s[other];
        if (other == ours || s[other] <= spoken || s[other] < times * s[ours]) continue;
        Str doc = audit_doc(a, i);
        of[other]++;
        audit_hit(f, (AuditHit){ i, s[other], doc.len / 3, 160, doc.len });
    }
    for (int i = 0; i < ALL; i++)
        if (of[i] > 0) json_object_set_new(languages, name_of(i), json_integer(of[i]));
    return languages;
}

static bool look(Audit *a, Err *err)
{
    AuditFind f = { .steps = steps, .remedy = "the documents go" };
    double *share = NEW(a->arena, double, a->docs.count *ALL); /* (documents, ALL) */
    Known *known = NEW(a->arena, Known, 1);
    learn(known);
    for (int64_t i = 0; i < a->docs.count; i++)
        if (!listen(known, audit_doc(a, i), share + i * ALL))
            memset(share + i * ALL, 0, ALL * sizeof(*share));
    int ours = main_language(a, share);
    json_t *languages = name_all(a, share, ours, &f);
    f.what = arena_printf(a->arena, "documents that are not in %s, the language of the others",
                          name_of(ours));
    f.detail = json_pack("{s:s,s:o}", "language", name_of(ours), "documents_in", languages);
    return audit_find(a, &f, err);
}

const AuditDef audit_language = {
    .kind = "language",
    .doc = "documents in another language than the others",
    .look = look,
};
