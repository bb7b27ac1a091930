/* filter_blocklist.c - documents with too many words of a list, one word a line.
 *
 * Lists of bad words are blunt: the one that C4 used took out medicine and law with the rest (Dodge
 * et al. 2021).  So the number of hits and their share are knobs, and no list is built in. */
#include "data/filter.h"

enum { LIST, HITS, SHARE };

static const Knob knobs[] = {
    { .name = "filter.blocklist.list",
      .type = KNOB_TEXT,
      .text = "",
      .doc = "a file with a word on each line, relative to the lab; its content is part of the "
             "recipe's data",
      .fixed = true },
    { .name = "filter.blocklist.hits",
      .type = KNOB_WHOLE,
      .fallback = 0,
      .max = 1e9,
      .doc = "a document with more of these words goes",
      .fixed = true },
    { .name = "filter.blocklist.share",
      .fallback = 1,
      .max = 1,
      .doc = "a document with a greater share of these words goes",
      .fixed = true },
    { 0 },
};

static const FilterRule rules[] = {
    { "hits", FILTER_MORE, HITS },
    { "share", FILTER_MORE, SHARE },
};

static void measure(const FilterDoc *d, const FilterAsk *a, double *value)
{
    int64_t hits = 0, words = 0;
    if (a->words && a->words->count > 0) {
        DedupWords w = dedup_words(d->text);
        for (; dedup_next(&w); words++) hits += dedup_set_has(a->words, filter_word_key(w.hash));
    }
    value[0] = (double)hits;
    value[1] = (double)hits / (double)MAX(words, (int64_t)1);
}

const FilterDef filter_blocklist = {
    .name = "blocklist",
    .doc = "documents with words of a list",
    .source = "Raffel et al. 2020 (T5), 2.2; Dodge et al. 2021 on what it costs",
    .version = 1,
    .knobs = knobs,
    .rules = rules,
    .n_rules = (int)COUNT(rules),
    .list = LIST,
    .measure = measure,
};
