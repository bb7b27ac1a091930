/* audit_repeats.c - documents that repeat themselves: loops of a generator, lists, spam.
 *
 * Of a document's words, the share that stand in a run of ten words which the same document had
 * before (Rae et al. 2021, table A1, measure duplicate n-grams by characters; theirs rejects
 * from .10 at ten words).  Verse with a refrain reaches .2, a table of alike rows more. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "data/audit_inside.h"

enum { RUN = 10, FEWEST = 50 };
static const AuditStep steps[] = {
    { 0.3, 0.007 }, { 0.4, 0.0025 }, { 0.5, 0.0004 }, { 0.6, 0.0002 }, { 0, 0 }
};

typedef struct Seen {
    uint64_t *slot; /* on the heap */
    int64_t cap;
} Seen;

static void clear_for(Seen *s, int64_t words)
{
    int64_t cap = 1024;
    while (cap < 2 * words) cap *= 2;
    if (cap > s->cap) {
        free(s->slot);
        s->slot = malloc((size_t)cap * sizeof(*s->slot));
        CHECK(s->slot, "no memory for %td runs of words", (ptrdiff_t)cap);
    }
    s->cap = MAX(cap, s->cap);
    memset(s->slot, 0, (size_t)s->cap * sizeof(*s->slot));
}

/* Was it there before?  It is now. */
static bool meet(Seen *s, uint64_t hash)
{
    int64_t at = (int64_t)(hash >> 1 & (uint64_t)(s->cap - 1));
    while (s->slot[at] && s->slot[at] != hash) at = (at + 1) & (s->cap - 1);
    bool there = s->slot[at] == hash;
    s->slot[at] = hash;
    return there;
}

/* The share of words in runs met before; *first where the first such run ends. */
static double share_repeated(Str doc, Seen *seen, ptrdiff_t *first)
{
    uint64_t ring[RUN] = { 0 };
    int64_t n = 0, covered = 0, until = 0;
    AuditWord word;
    clear_for(seen, doc.len / 4 + 1);
    *first = -1;
    for (AuditWords w = audit_words(doc); audit_next(&w, &word); n++) {
        ring[n % RUN] = word.hash;
        if (n + 1 < RUN) continue;
        uint64_t hash = 0;
        for (int k = 1; k <= RUN; k++) hash = hash64_mix(hash + ring[(n + k) % RUN]);
        if (!meet(seen, hash | 1)) continue;
        covered += MIN(n + 1 - until, (int64_t)RUN);
        until = n + 1;
        if (*first < 0) *first = word.at.at - doc.at;
    }
    return n < FEWEST ? 0 : (double)covered / (double)n;
}

static bool look(Audit *a, Err *err)
{
    AuditFind f = { .steps = steps, .remedy = "the documents go" };
    double *measure = audit_measure(a);
    Seen seen = { 0 };
    ptrdiff_t first;
    for (int64_t i = 0; i < a->docs.count; i++) {
        Str doc = audit_doc(a, i);
        measure[i] = share_repeated(doc, &seen, &first);
        if (measure[i] > steps[0].score)
            audit_hit(&f, (AuditHit){ i, measure[i], MAX(first - 60, (ptrdiff_t)0), 200, doc.len });
    }
    free(seen.slot);
    f.what =
        "documents that repeat themselves: more than three tenths of their words stand in runs "
        "of ten that the same document had before";
    return audit_find(a, &f, err);
}

const AuditDef audit_repeats = {
    .kind = "repeats",
    .doc = "documents that repeat themselves",
    .look = look,
};
