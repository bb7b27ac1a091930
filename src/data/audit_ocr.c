/* audit_ocr.c - misread letters: raw OCR, heavy typing errors.
 *
 * A misread word is one that is rare and one letter away from a very common one: "thc" and "the",
 * "wbich" and "which".  So words are judged by their neighbours in the data set's own lexicon: the
 * common ones are entered with each letter left open ("wh?ch"), all others looked up the same
 * way.  Real words have such neighbours too ("boles" and "poles"), the more the rarer the words
 * are: of verse 1 in 20 is called misread if the neighbour need only be 30 times as common, and 1
 * in 300 if it must be 200 times; of raw OCR 1 in 30, and 1 in 80.  A dictionary would do it for
 * one language and call every name an error.  Stray marks between spaces were tried besides, and
 * told OCR from tables and code no better. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "data/audit_inside.h"

enum { SHORTEST = 4, LONGEST = 24, COMMON = 40, FEWEST = 50 };
/* Measured on books, with much verse, and on the prose and tables of governments. */
static const AuditStep steps[] = { { 0.006, 0.02 }, { 0.012, 0.005 }, { 0.02, 0.001 }, { 0, 0 } };

typedef struct Open {
    uint64_t hash;
    int32_t count; /* of the commonest word that fits */
} Open;

typedef struct OpenSet {
    Open *slot; /* on the heap */
    int64_t count, cap;
} OpenSet;

static Open *slot_of(const OpenSet *s, uint64_t hash)
{
    int64_t at = (int64_t)(hash >> 1 & (uint64_t)(s->cap - 1));
    while (s->slot[at].hash && s->slot[at].hash != hash) at = (at + 1) & (s->cap - 1);
    return &s->slot[at];
}

static void enter(OpenSet *s, uint64_t hash, int32_t count)
{
    if (2 * (s->count + 1) > s->cap) {
        OpenSet bigger = { .cap = s->cap ? 2 * s->cap : 1 << 16, .count = s->count };
        bigger.slot = calloc((size_t)bigger.cap, sizeof(*bigger.slot));
        CHECK(bigger.slot, "no memory for %td patterns of words", (ptrdiff_t)bigger.cap);
        for (int64_t i = 0; i < s->cap; i++)
            if (s->slot[i].hash) *slot_of(&bigger, s->slot[i].hash) = s->slot[i];
        free(s->slot);
        *s = bigger;
    }
    Open *o = slot_of(s, hash);
    s->count += o->hash == 0;
    *o = (Open){ hash, MAX(o->count, count) };
}

/* The word with letter `open` as a question mark; of ASCII, in small letters. */
static uint64_t pattern(Str word, ptrdiff_t open)
{
    char text[LONGEST];
    for (ptrdiff_t i = 0; i < word.len; i++)
        text[i] = i == open ? '?' : (char)((unsigned char)word.at[i] | 32);
    return hash64(text, word.len, 2) | 1;
}

static bool fits(const AuditType *t)
{
    return t->hash && t->small && t->at.len >= SHORTEST && t->at.len <= LONGEST;
}

/* How many times as common the neighbour must be: 200 in a large text; in a small one no word is
 * that common, and few are rare by chance. */
static int64_t times_of(const AuditLexicon *l)
{
    return MIN(MAX(l->words / 20000, (int64_t)COMMON), (int64_t)200);
}

/* The same mistake is not made often: "thee" and "hath" stand in many a page of an old play, one
 * letter from "then" and "bath", and "modcrn" does not. */
static int64_t rare_of(const AuditLexicon *l)
{
    return 8 + l->words / 500000;
}

static void find_misspelt(AuditLexicon *l)
{
    int64_t times = times_of(l), rare = rare_of(l);
    OpenSet set = { 0 };
    enter(&set, 1, 0);
    for (int64_t i = 0; i < l->cap; i++)
        for (ptrdiff_t k = 0;
             fits(&l->slot[i]) && l->slot[i].count >= COMMON && k < l->slot[i].at.len; k++)
            enter(&set, pattern(l->slot[i].at, k), l->slot[i].count);
    for (int64_t i = 0; i < l->cap; i++) {
        AuditType *t = &l->slot[i];
        for (ptrdiff_t k = 0; fits(t) && !t->misspelt && t->count <= rare && k < t->at.len; k++)
            t->misspelt = slot_of(&set, pattern(t->at, k))->count >= t->count * times;
    }
    free(set.slot);
}

typedef struct Page {
    int64_t words, misspelt;
    ptrdiff_t at; /* of the first of three misspelt words that stand closest */
    double share; /* what it is at least, by 1.5 standard deviations: short texts prove little */
} Page;

static Page read_page(const Audit *a, Str doc)
{
    Page p = { 0 };
    AuditWord word;
    ptrdiff_t last[3] = { -1, -1, -1 }, closest = PTRDIFF_MAX;
    for (AuditWords w = audit_words(doc); audit_next(&w, &word);) {
        if (!word.small || word.at.len < SHORTEST) continue;
        const AuditType *t = audit_type(&a->lexicon, word.hash);
        p.words++;
        if (!t || !t->misspelt) continue;
        p.misspelt++;
        last[0] = last[1], last[1] = last[2], last[2] = word.at.at - doc.at;
        if (last[0] < 0 || last[2] - last[0] >= closest) continue;
        closest = last[2] - last[0];
        p.at = last[0];
    }
    double n = (double)p.misspelt;
    p.share = p.words < FEWEST ? 0 : MAX(n - 1.5 * sqrt(n), 0.0) / (double)p.words;
    return p;
}

static bool look(Audit *a, Err *err)
{
    AuditFind f = { .steps = steps, .remedy = "the documents go" };
    double *measure = audit_measure(a);
    find_misspelt(&a->lexicon);
    for (int64_t i = 0; i < a->docs.count; i++) {
        Str doc = audit_doc(a, i);
        Page p = read_page(a, doc);
        measure[i] = p.share;
        if (measure[i] <= steps[0].score) continue;
        audit_hit(&f, (AuditHit){ i, measure[i], MAX(p.at - 20, (ptrdiff_t)0), 200, doc.len });
    }
    f.what = "misread words: rare ones, one letter away from common ones, many times as often as "
             "prose has them, as in raw OCR";
    return audit_find(a, &f, err);
}

const AuditDef audit_ocr = {
    .kind = "ocr",
    .doc = "misread letters, as in raw OCR",
    .look = look,
};
