/* filter_fineweb.c - is it a list, a menu, a table?  Penedo et al. 2024 (FineWeb), section 3.6.
 *
 * These rules were found on web pages, whose paragraphs are lines.  Hard-wrapped books have line
 * ends in the middle of sentences and fail the first of them; give such a source another threshold
 * (data.filters). */
#include "base/hash.h"
#include "data/filter.h"

enum { PUNCTUATION, SHORT_LINES, REPEATED, NEWLINES, SHORT };

#define SHARE(NAME, VALUE, DOC)                                                                    \
    {                                                                                              \
        .name = "filter.fineweb." NAME, .type = KNOB_NUMBER, .fallback = (VALUE), .min = 0,        \
        .max = 1, .doc = DOC, .fixed = true                                                        \
    }

static const Knob knobs[] = {
    SHARE("punctuation", 0.12, "least share of lines that end as sentences do"),
    SHARE("short_lines", 0.67, "greatest share of short lines"),
    SHARE("repeated", 0.01, "greatest share of text in lines that stood before"),
    SHARE("newlines", 0.3, "most line ends to a word"),
    { .name = "filter.fineweb.short",
      .type = KNOB_WHOLE,
      .fallback = 30,
      .max = 1000,
      .unit = "characters",
      .doc = "a line of so many is short",
      .fixed = true },
    { 0 },
};

static const FilterRule rules[] = {
    { "punctuation", FILTER_LESS, PUNCTUATION },
    { "short_lines", FILTER_MORE, SHORT_LINES },
    { "repeated", FILTER_MORE, REPEATED },
    { "newlines", FILTER_MORE, NEWLINES },
};

/* Bytes of lines that are equal to an earlier one. */
static int64_t repeated_bytes(const FilterDoc *d)
{
    DedupSet seen = { 0 };
    int64_t bytes = 0;
    for (int64_t i = 0; i < d->lines; i++) {
        DedupKey key = { { 0 } };
        uint64_t both[2] = { d->line[i].hash, hash64_mix(d->line[i].hash) };
        for (int b = 0; b < 16; b++) key.byte[b] = (unsigned char)(both[b / 8] >> (8 * (b % 8)));
        if (!dedup_set_add(&seen, key)) bytes += d->line[i].text.len;
    }
    dedup_set_free(&seen);
    return bytes;
}

static void measure(const FilterDoc *d, const FilterAsk *a, double *value)
{
    int64_t ended = 0, few = 0;
    for (int64_t i = 0; i < d->lines; i++) {
        ended += filter_ends_sentence(d->line[i].text);
        few += filter_characters(d->line[i].text) <= (int64_t)a->knob[SHORT];
    }
    double lines = (double)MAX(d->lines, (int64_t)1);
    value[PUNCTUATION] = (double)ended / lines;
    value[SHORT_LINES] = (double)few / lines;
    value[REPEATED] =
        (double)repeated_bytes(d) / (double)MAX((int64_t)d->text.len - d->newlines, (int64_t)1);
    value[NEWLINES] = (double)d->newlines / (double)MAX(d->words, (int64_t)1);
}

const FilterDef filter_fineweb = {
    .name = "fineweb",
    .doc = "documents that are lists, menus or tables",
    .source = "Penedo et al. 2024 (FineWeb), 3.6",
    .version = 1,
    .knobs = knobs,
    .rules = rules,
    .n_rules = (int)COUNT(rules),
    .list = FILTER_NO_LIST,
    .measure = measure,
};
