/* filter.h - rules that leave documents and lines out of the training text, or mend it.
 *
 * A filter is one const FilterDef in a file of its own, named on one line of filter_list.h; which
 * of them a recipe uses, and with which thresholds for which source, is the knob data.filters. Each
 * threshold is declared as a Knob whose fallback is the number of the paper.
 * They decide about tokens of training text alone: the data set stays as it was read, held-out text
 * is never filtered, weights and tokenizer stay those of the whole text (as with data.drop). */
#ifndef DATA_FILTER_H
#define DATA_FILTER_H

#include "base/knob.h"
#include "base/str.h"
#include "data/dedup.h"

enum { FILTER_RULES = 16, FILTER_MAX = 16 };

/* ---- a document, taken apart ---- */

typedef struct FilterWord {
    Str text; /* between white space, punctuation and all */
    uint64_t hash;
} FilterWord;

typedef struct FilterLine {
    Str text;            /* trimmed; never empty */
    int64_t word, words; /* its first word, and how many */
    uint64_t hash;
    bool paragraph; /* a blank line stands before it, or nothing */
} FilterLine;

typedef struct FilterDoc {
    Str text;
    const FilterWord *word;
    const FilterLine *line;
    int64_t words, lines, newlines;
    int64_t characters;   /* of UTF-8 */
    int64_t words_before; /* that an edit of the same filter met */
} FilterDoc;

/* Room that is used again from document to document; zero is empty. */
typedef struct FilterRoom {
    Buf words, lines, seen, grams;
} FilterRoom;
void filter_read(Str text, FilterRoom *room, FilterDoc *d);
void filterroom_free(FilterRoom *room);

/* Words and lines of small help to many filters. */
bool filter_is_letter(unsigned char c); /* ASCII letters, and all bytes over 127 */
bool filter_ends_sentence(Str line);    /* in . ? ! or a quotation mark behind them */
bool filter_has(Str text, Str what);    /* anywhere, ASCII letters in any case; `what` is small */
int64_t filter_characters(Str text);
DedupKey filter_word_key(uint64_t hash); /* of a word of DedupWords, for FilterAsk.words */

/* ---- a filter ---- */

typedef enum FilterSense {
    FILTER_LESS, /* a document with less than the knob says goes */
    FILTER_MORE, /* with more */
    FILTER_EDIT, /* counts lines or places that go or are mended; the document stays */
} FilterSense;

typedef struct FilterRule {
    const char *name;
    FilterSense sense;
    int knob; /* of the filter: the threshold; -1 of FILTER_EDIT without one */
} FilterRule;

typedef struct FilterAsk {
    const double *knob; /* values of FilterDef.knobs, in their order */
    const DedupSet
        *words; /* of FilterDef.list: the keys of the lines of the file that a knob names */
    FilterRoom *room;
} FilterAsk;

typedef struct FilterDef {
    const char *name;
    const char *doc;
    const char *source; /* where the rules and their numbers come from */
    int version;        /* changes when the rules do: part of a shard's key */
    const Knob *knobs;  /* named filter.NAME.*; ends with a NULL name */
    const FilterRule *rules;
    int n_rules;
    int list; /* number of the knob that names a file of words; -1 (FILTER_NO_LIST): none */
    /* Appends what is left of the document; count[r] says how often rule r bit.  False: nothing
     * changed, and *out is not looked at.  NULL: the filter changes nothing. */
    bool (*edit)(const FilterDoc *d, const FilterAsk *a, Buf *out, double *count);
    /* value[r] for each rule that is no FILTER_EDIT, of what the edit left. */
    void (*measure)(const FilterDoc *d, const FilterAsk *a, double *value);
} FilterDef;

enum { FILTER_NO_LIST = -1 };

const FilterDef *const *filter_all(int *count);
const FilterDef *filter_find(Str name);
int filter_knobs(const FilterDef *def); /* how many it has */

/* What one filter says of one document. */
typedef struct FilterVerdict {
    double value[FILTER_RULES]; /* measured; of FILTER_EDIT the count */
    uint32_t failed;            /* bit r: rule r would leave the document out */
    bool edited;                /* *text holds what the edit left */
} FilterVerdict;
/* `words`: of FilterDef.list, or NULL; `room` is not the one that `d` lives in. */
void filter_judge(const FilterDef *def, const double *knob, const DedupSet *words,
                  const FilterDoc *d, FilterRoom *room, Buf *text, FilterVerdict *v);

/* ---- what a recipe asks for, of one source ---- */

/* The knob data.filters: "ITEM ITEM ...; SOURCE: ITEM ITEM ...; ...", commas as good as blanks.  An
 * item is NAME, NAME(KNOB=VALUE KNOB=VALUE) or -NAME.  What stands in front of the first ; is for
 * all sources, what a source says of its own comes on top of it. */
typedef struct FilterPlan {
    const FilterDef *def[FILTER_MAX]; /* in the order of filter_list.h */
    double knob[FILTER_MAX][FILTER_RULES];
    DedupSet words[FILTER_MAX]; /* of FilterDef.list */
    int count;
    Buf key; /* names, versions and thresholds: what a shard's key needs; empty: no filter */
    FilterRoom room[2];
    Buf text[2];
} FilterPlan;

/* `all`: every filter there is, with the thresholds that `filters` gives.  ERR_CONFIG names the
 * filter, knob or file that does not exist. */
bool filterplan_make(FilterPlan *p, const char *lab, const char *filters, const char *source,
                     bool all, Err *err) MUST_CHECK;
void filterplan_free(FilterPlan *p);
/* False: nothing of the document stays.  *left is the document or lies in the plan until the next
 * call. */
bool filterplan_apply(FilterPlan *p, Str doc, Str *left);

/* Every source that `filters` names must be one of `names`. */
bool filterplan_check(const char *filters, const char *const *names, int count,
                      Err *err) MUST_CHECK;

#endif
