/* dedup.h - the same text again: exactly, nearly, or thirteen words of it.
 *
 * Three questions with three tools: a set of hashes for whole documents, MinHash for
 * documents that are mostly the same, an index of word n-grams for passages. */
#ifndef DATA_DEDUP_H
#define DATA_DEDUP_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* Words as all three see them: letters and digits, ASCII small; bytes over 127 are letters,
 * and each character from U+3000 on is a word of its own (Chinese, Japanese, Korean). */
typedef struct DedupWords {
    const char *next, *end;
    Str word;      /* where it stands */
    uint64_t hash; /* of its small letters */
} DedupWords;
DedupWords dedup_words(Str text);
bool dedup_next(DedupWords *w);

/* Exact: a set of the first 128 bits of SHA-256, enough that equal keys mean equal text. */
typedef struct DedupKey {
    unsigned char byte[16];
} DedupKey;
typedef struct DedupSet {
    DedupKey *slot; /* on the heap; all zero: free */
    int64_t count, cap;
} DedupSet;
DedupKey dedup_key(Str text);
DedupKey dedup_key_of(const unsigned char sha256[32]);
bool dedup_set_add(DedupSet *s, DedupKey key); /* false: it was there */
bool dedup_set_has(const DedupSet *s, DedupKey key);
void dedup_set_free(DedupSet *s);

/* Near: texts whose 5-word shingles overlap by Jaccard `same` or more.  MinHash of bands x rows
 * hashes finds candidates, the true overlap decides.  Zero is the default. */
enum { DEDUP_HASHES_MAX = 1024 };
typedef struct DedupNear {
    int bands, rows; /* 14 x 8; at most DEDUP_HASHES_MAX in all */
    double same;     /* .7 */
    int64_t memory;  /* bytes at a time, beside the two arrays of the caller; 256 MB.  What does not
                        fit goes to a temporary file that nobody sees.  Changes no result. */
} DedupNear;
/* The chance that two texts of this overlap become candidates: 1 - (1 - overlap^rows)^bands. */
double dedup_near_chance(const DedupNear *how, double overlap);
/* Numbers of groups, through chains too: group[i] <= i is the first text of i's group.  Texts under
 * 20 words are not grouped: they overlap by chance.  ERR_STOPPED, ERR_CONFIG (bands), ERR_IO. */
bool dedup_near_with(const DedupNear *how, const Str *text, int64_t count, int64_t *group,
                     Err *err) MUST_CHECK;
bool dedup_near(const Str *text, int64_t count, int64_t *group, Err *err) MUST_CHECK;
/* For tests: without the processor's wide instructions, which may change no group. */
extern bool dedup_near_narrow;
double dedup_jaccard(Str a, Str b); /* of the sets of 5-word shingles; 0 if either has none */

/* Passages: all runs of 13 words of some texts. */
enum { DEDUP_GRAM = 13, DEDUP_COMMON = 10 };
typedef struct DedupGrams {
    uint64_t *slot;  /* on the heap; 0: free */
    uint64_t *maybe; /* a bit for each hash: most of what is not there is known by it alone */
    int64_t *last;   /* by slot, once counting has begun: the document counted last */
    int *documents;  /* and how many there were */
    int64_t count, cap;
} DedupGrams;
void dedup_grams_add(DedupGrams *g, Str text);
void dedup_grams_free(DedupGrams *g);

/* Adds to `met` those runs of `text` that `g` holds; the share of text's runs that g holds. */
void dedup_grams_meet(const DedupGrams *g, Str text, DedupGrams *met);
double dedup_grams_share(const DedupGrams *g, Str text);

/* Counts in how many documents each run stands; `number` names the one that `text` is of.
 * Nothing may be added any more. */
void dedup_grams_count(DedupGrams *g, Str text, int64_t number);

typedef struct DedupPassage {
    Str at;
    int64_t words;
    bool common; /* each of its runs was counted in more than DEDUP_COMMON documents */
} DedupPassage;

/* The next passage of `text`, from byte *from on: all its words are in runs that the index
 * holds.  *from moves behind it.  False when there is none. */
bool dedup_grams_find(const DedupGrams *g, Str text, ptrdiff_t *from, DedupPassage *p);

#endif
