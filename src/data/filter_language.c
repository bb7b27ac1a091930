/* filter_language.c - which language is it?  Trigrams of letters, by the rule of Bayes.
 *
 * The text is read in windows of a kilobyte; each window goes to the language under which its
 * trigrams are likeliest (Cavnar and Trenkle 1994 rank them, Dunning 1994 multiplies likelihoods,
 * which is done here), and a document is as much in a language as windows went to it.  So a page
 * with two languages shows as that, and a number such as .65 means something, where the product
 * over a whole document is always 0 or 1.  A document of fewer than 50 trigrams
 * is let be.
 *
 * Profiles come from one text, the Universal Declaration of Human Rights, four fifths of it in each
 * of 48 languages (tools/language_profiles.py); what that is worth on the other fifth is asserted
 * in tests/test_data_language.c.  fastText's model knows 176 languages and weighs 126 MB.  Of
 * English of other kinds, 97 books, 3,427 pages of government and 804 of technical documentation,
 * 0, 0.8 and 2.5 % fall under .65: tables and programs.  Sums are of whole numbers, so every
 * machine decides the same.  Of long documents 64 windows are read, spread evenly. */
#include "data/filter_language.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "data/filter.h"

enum { LANGUAGE, SHARE };
enum {
    N = (int)COUNT(profiles),
    SLOTS = 1 << 15,
    WINDOW = 900,
    SHORTEST = 50,
    WINDOWS = 64,
    STRETCH = 1024
};

static const char *codes[N + 1];
static Knob knobs[] = {
    { .name = "filter.language.language",
      .type = KNOB_CHOICE,
      .choices = codes,
      .max = N - 1,
      .doc = "the language that is wanted, by its code of two letters",
      .fixed = true },
    { .name = "filter.language.share",
      .type = KNOB_NUMBER,
      .fallback = 0.65,
      .max = 1,
      .doc = "least share of windows of a kilobyte in it",
      .fixed = true },
    { 0 },
};

static const FilterRule rules[] = { { "share", FILTER_LESS, SHARE } };

/* Of each trigram that any profile has, what it adds for each language. */
static uint64_t *keys;          /* (SLOTS); 0: free */
static signed char (*gains)[N]; /* (SLOTS, N) */

static uint64_t slot_of(uint64_t key)
{
    uint64_t i = hash64_mix(key) % SLOTS;
    while (keys[i] != 0 && keys[i] != key) i = (i + 1) % SLOTS;
    return i;
}

/* The character at *at as a letter in small, ' ' for all that is none; *at moves on. */
static uint32_t next_letter(const char **at, const char *end)
{
    int len = utf8_len(*at, end);
    const unsigned char *u = (const unsigned char *)*at;
    *at += MAX(len, 1);
    if (len <= 1) {
        uint32_t c = len == 1 ? u[0] : ' ', small = c | 32;
        return small >= 'a' && small <= 'z' ? small : ' ';
    }
    uint32_t c = len == 2 ? u[0] & 31u : len == 3 ? u[0] & 15u : u[0] & 7u;
    for (int i = 1; i < len; i++) c = c << 6 | (u[i] & 63u);
    bool space = c < 0xc0 || (c >= 0x2000 && c < 0x2070) || (c >= 0x3000 && c < 0x3040) ||
                 (c >= 0xff00 && c < 0xff10);
    return space ? ' ' : c;
}

/* A trigram as it moves over a text. */
typedef struct Trigram {
    uint64_t key;
    int letters;
} Trigram;

/* True if `c` completes a trigram; white space stands only once. */
static bool push(Trigram *t, uint32_t c)
{
    if (c == ' ' && (t->key & 0x1fffff) == ' ') return false;
    t->key = (t->key << 21 | c) & (((uint64_t)1 << 63) - 1);
    return ++t->letters >= 3;
}

static void load_profile(int language)
{
    const char *at = profiles[language].trigrams, *end = at + strlen(at);
    for (const char *gain = profiles[language].gains; *gain; gain++) {
        uint64_t key = 0;
        for (int i = 0; i < 3; i++) key = key << 21 | next_letter(&at, end);
        uint64_t slot = slot_of(key);
        keys[slot] = key;
        gains[slot][language] = (signed char)(*gain - 33);
    }
}

static void load(void)
{
    keys = calloc(SLOTS, sizeof(*keys));
    gains = calloc(SLOTS, sizeof(*gains));
    CHECK(keys && gains, "no memory for %d profiles of languages", N);
    for (int i = 0; i < N; i++) load_profile(i);
}

static int best_of(const int *score)
{
    int best = 0;
    for (int i = 1; i < N; i++)
        if (score[i] > score[best]) best = i;
    return best;
}

/* Windows of a stretch of text, each counted for its language. */
static void count_windows(Str text, int64_t *won)
{
    int score[N] = { 0 }, trigrams = 0;
    Trigram t = { 0 };
    const char *at = text.at, *end = at + text.len;
    while (at < end && trigrams < WINDOW) {
        if (!push(&t, next_letter(&at, end))) continue;
        uint64_t slot = slot_of(t.key);
        if (keys[slot] != 0)
            for (int i = 0; i < N; i++) score[i] += gains[slot][i];
        trigrams++;
    }
    for (int i = 0; i < N; i++) score[i] += trigrams * profiles[i].floor;
    if (trigrams >= SHORTEST) won[best_of(score)]++;
}

static void measure(const FilterDoc *d, const FilterAsk *a, double *value)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    int64_t won[N] = { 0 }, all = 0;
    ptrdiff_t step = MAX((ptrdiff_t)STRETCH, d->text.len / WINDOWS);
    for (ptrdiff_t at = 0; at < d->text.len; at += step)
        count_windows((Str){ d->text.at + at, MIN((ptrdiff_t)STRETCH, d->text.len - at) }, won);
    for (int i = 0; i < N; i++) all += won[i];
    value[0] = all > 0 ? (double)won[(int)a->knob[LANGUAGE]] / (double)all : 1;
}

/* Before anybody asks for the knobs: the choices are the codes of the profiles. */
__attribute__((constructor)) static void list_codes(void)
{
    for (int i = 0; i < N; i++) codes[i] = profiles[i].code;
}

const FilterDef filter_language = {
    .name = "language",
    .doc = "documents that are not in the language that is wanted",
    .source = "the method of Dunning 1994; share .65 as FineWeb asks of fastText",
    .version = 1,
    .knobs = knobs,
    .rules = rules,
    .n_rules = (int)COUNT(rules),
    .list = FILTER_NO_LIST,
    .measure = measure,
};
