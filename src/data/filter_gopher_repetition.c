/* filter_gopher_repetition.c - does it say the same again and again?  Rae et al. 2021 (Gopher),
 * appendix A.1.1, table A1.
 *
 * Lines and paragraphs are told apart by hash; runs of n words by a hash that is carried from n - 1
 * to n, so each n costs one step and one look into a table per word.  As in the common
 * implementations, the share of the most frequent run counts all its occurrences, and a repeated
 * run of 5 to 10 words is jumped over whole, so that nothing is counted twice. */
#include <string.h>

#include "base/hash.h"
#include "data/filter.h"

enum {
    PARAGRAPHS,
    PARAGRAPH_BYTES,
    LINES,
    LINE_BYTES,
    TOP_2,
    TOP_3,
    TOP_4,
    DUP_5,
    DUP_10 = DUP_5 + 5,
    RULES
};

#define SHARE(NAME, VALUE, DOC)                                                                    \
    {                                                                                              \
        .name = "filter.gopher_repetition." NAME, .type = KNOB_NUMBER, .fallback = (VALUE),        \
        .min = 0, .max = 1, .doc = DOC, .fixed = true                                              \
    }

static const Knob knobs[] = {
    SHARE("paragraphs", 0.30, "greatest share of paragraphs that stood before"),
    SHARE("paragraph_bytes", 0.20, "greatest share of text in paragraphs that stood before"),
    SHARE("lines", 0.30, "greatest share of lines that stood before"),
    SHARE("line_bytes", 0.20, "greatest share of text in lines that stood before"),
    SHARE("top_2", 0.20, "greatest share of text in the most frequent run of 2 words"),
    SHARE("top_3", 0.18, "greatest share of text in the most frequent run of 3 words"),
    SHARE("top_4", 0.16, "greatest share of text in the most frequent run of 4 words"),
    SHARE("repeated_5", 0.15, "greatest share of text in runs of 5 words that stood before"),
    SHARE("repeated_6", 0.14, "the same of 6 words"),
    SHARE("repeated_7", 0.13, "the same of 7 words"),
    SHARE("repeated_8", 0.12, "the same of 8 words"),
    SHARE("repeated_9", 0.11, "the same of 9 words"),
    SHARE("repeated_10", 0.10, "the same of 10 words"),
    { 0 },
};

#define RULE(NAME, KNOB)                                                                           \
    {                                                                                              \
        NAME, FILTER_MORE, KNOB                                                                    \
    }
static const FilterRule rules[] = {
    RULE("paragraphs", PARAGRAPHS), RULE("paragraph_bytes", PARAGRAPH_BYTES),
    RULE("lines", LINES),           RULE("line_bytes", LINE_BYTES),
    RULE("top_2", TOP_2),           RULE("top_3", TOP_3),
    RULE("top_4", TOP_4),           RULE("repeated_5", DUP_5),
    RULE("repeated_6", DUP_5 + 1),  RULE("repeated_7", DUP_5 + 2),
    RULE("repeated_8", DUP_5 + 3),  RULE("repeated_9", DUP_5 + 4),
    RULE("repeated_10", DUP_10),
};

/* A table of hashes with a count each, at most half full. */
typedef struct Slot {
    uint64_t hash;
    int64_t count;
} Slot;

typedef struct Table {
    Slot *slot;
    uint64_t mask;
} Table;

static Table table_of(int64_t items, Buf *room)
{
    uint64_t cap = 16;
    while (cap < 2 * (uint64_t)items) cap *= 2;
    ptrdiff_t bytes = (ptrdiff_t)(cap * sizeof(Slot));
    buf_clear(room);
    buf_room(room, bytes);
    memset(room->at, 0, (size_t)bytes);
    return (Table){ (Slot *)(void *)room->at, cap - 1 };
}

/* How often it was there before. */
static int64_t count_in(Table *t, uint64_t hash)
{
    hash |= hash == 0;
    uint64_t i = hash & t->mask;
    while (t->slot[i].hash != 0 && t->slot[i].hash != hash) i = (i + 1) & t->mask;
    t->slot[i].hash = hash;
    return t->slot[i].count++;
}

typedef struct Twice {
    int64_t units, repeated, bytes;
} Twice;

static void measure_lines(const FilterDoc *d, const FilterAsk *a, double *value)
{
    Table t = table_of(d->lines, &a->room->seen);
    Twice lines = { .units = d->lines }, paragraphs = { 0 };
    for (int64_t i = 0; i < d->lines; i++) {
        if (count_in(&t, d->line[i].hash) == 0) continue;
        lines.repeated++;
        lines.bytes += d->line[i].text.len;
    }
    t = table_of(d->lines, &a->room->seen);
    for (int64_t i = 0, k; i < d->lines; i = k) {
        uint64_t hash = 7;
        int64_t bytes = 0;
        for (k = i; k < d->lines && (k == i || !d->line[k].paragraph); k++) {
            hash = hash64_mix(hash ^ d->line[k].hash);
            bytes += d->line[k].text.len;
        }
        paragraphs.units++;
        if (count_in(&t, hash) == 0) continue;
        paragraphs.repeated++;
        paragraphs.bytes += bytes;
    }
    double all = (double)MAX(d->text.len, (ptrdiff_t)1);
    value[LINES] = (double)lines.repeated / (double)MAX(lines.units, (int64_t)1);
    value[LINE_BYTES] = (double)lines.bytes / all;
    value[PARAGRAPHS] = (double)paragraphs.repeated / (double)MAX(paragraphs.units, (int64_t)1);
    value[PARAGRAPH_BYTES] = (double)paragraphs.bytes / all;
}

/* gram[i] from words i to i + n - 2 to words i to i + n - 1. */
static void lengthen(const FilterDoc *d, uint64_t *gram, int n)
{
    for (int64_t i = 0; i + n <= d->words; i++)
        gram[i] = hash64_mix(gram[i] ^ d->word[i + n - 1].hash);
}

static int64_t run_bytes(const FilterDoc *d, int64_t i, int n)
{
    int64_t bytes = 0;
    for (int k = 0; k < n; k++) bytes += d->word[i + k].text.len;
    return bytes;
}

/* Bytes in all occurrences of the run that occurs most often; 0 if none occurs twice. */
static int64_t top_run(const FilterDoc *d, const uint64_t *gram, int n, Buf *room)
{
    Table t = table_of(d->words, room);
    int64_t most = 0, bytes = 0;
    for (int64_t i = 0; i + n <= d->words; i++) {
        int64_t count = count_in(&t, gram[i]) + 1;
        if (count < 2 || count < most) continue;
        int64_t all = count * run_bytes(d, i, n);
        bytes = count > most ? all : MAX(bytes, all);
        most = count;
    }
    return bytes;
}

static int64_t repeated_runs(const FilterDoc *d, const uint64_t *gram, int n, Buf *room)
{
    Table t = table_of(d->words, room);
    int64_t bytes = 0;
    for (int64_t i = 0; i + n <= d->words;) {
        bool again = count_in(&t, gram[i]) > 0;
        if (again) bytes += run_bytes(d, i, n);
        i += again ? n : 1;
    }
    return bytes;
}

static void measure(const FilterDoc *d, const FilterAsk *a, double *value)
{
    measure_lines(d, a, value);
    double all = (double)MAX(d->text.len, (ptrdiff_t)1);
    buf_clear(&a->room->grams);
    buf_room(&a->room->grams, (ptrdiff_t)(d->words * (int64_t)sizeof(uint64_t)));
    uint64_t *gram = (uint64_t *)(void *)a->room->grams.at;
    for (int64_t i = 0; i < d->words; i++) gram[i] = hash64_mix(d->word[i].hash);
    for (int n = 2; n <= 10; n++) {
        lengthen(d, gram, n);
        int rule = n <= 4 ? TOP_2 + n - 2 : DUP_5 + n - 5;
        int64_t bytes = n <= 4 ? top_run(d, gram, n, &a->room->seen)
                               : repeated_runs(d, gram, n, &a->room->seen);
        value[rule] = (double)bytes / all;
    }
}

const FilterDef filter_gopher_repetition = {
    .name = "gopher_repetition",
    .doc = "documents that repeat their lines, paragraphs or runs of words",
    .source = "Rae et al. 2021 (Gopher), table A1",
    .version = 1,
    .knobs = knobs,
    .rules = rules,
    .n_rules = RULES,
    .list = FILTER_NO_LIST,
    .measure = measure,
};
