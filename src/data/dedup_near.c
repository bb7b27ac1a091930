/* dedup_near.c - texts that are mostly the same: MinHash, bands, and the true overlap.
 *
 * A. Broder, "On the resemblance and containment of documents" (1997): under a random order
 * of all shingles, two sets share their smallest element with probability equal to their
 * Jaccard overlap.  112 orders give 112 numbers a text; cut into 14 bands of 8, two texts
 * meet in some band with 1 - (1 - s^8)^14 (the shape of FineWeb, Penedo et al. 2024).  Meeting
 * is only a candidate here: the true overlap of the two shingle sets decides, so chance
 * cannot put strangers together, and groups are the connected parts (union-find).
 *
 * Only one hash of each band is kept, 112 bytes a text.  In a band's bucket each text is
 * compared with the bucket's first and with the one before it, not with all: a template used
 * ten thousand times would otherwise cost fifty million comparisons. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/progress.h"
#include "data/dedup.h"

enum { SHINGLE = 5, BANDS = 14, ROWS = 8, HASHES = BANDS * ROWS, SHORTEST = 20 };
static const double same_from = 0.7;

/* ---- shingles ---- */

typedef struct Shingles {
    uint64_t word[SHINGLE], sum; /* the last words, and a polynomial of them that rolls */
    int64_t count;
    DedupWords words;
} Shingles;

static const uint64_t base = 0x9e3779b97f4a7c15u;

static bool next_shingle(Shingles *s, uint64_t *hash)
{
    do {
        if (!dedup_next(&s->words)) return false;
        uint64_t *oldest = &s->word[s->count % SHINGLE];
        s->sum = s->sum * base + s->words.hash - *oldest * (base * base * base * base * base);
        *oldest = s->words.hash;
    } while (++s->count < SHINGLE);
    *hash = hash64_mix(s->sum);
    return true;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The set of a text's shingles, sorted, into `set` (uint64 each). */
static int64_t shingle_set(Str text, Buf *set)
{
    buf_clear(set);
    uint64_t hash;
    Shingles s = { .words = dedup_words(text) };
    while (next_shingle(&s, &hash)) buf_put(set, &hash, sizeof(hash));
    int64_t n = set->len / (int64_t)sizeof(hash), unique = 0;
    uint64_t *at = (uint64_t *)(void *)set->at;
    if (n > 0) qsort(at, (size_t)n, sizeof(*at), by_value);
    for (int64_t i = 0; i < n; i++)
        if (i == 0 || at[i] != at[i - 1]) at[unique++] = at[i];
    return unique;
}

double dedup_jaccard(Str a, Str b)
{
    Buf set[2] = { { 0 }, { 0 } };
    int64_t n = shingle_set(a, &set[0]), m = shingle_set(b, &set[1]), both = 0;
    const uint64_t *x = (const uint64_t *)(const void *)set[0].at;
    const uint64_t *y = (const uint64_t *)(const void *)set[1].at;
    for (int64_t i = 0, j = 0; i < n && j < m;) {
        if (x[i] == y[j])
            both++, i++, j++;
        else if (x[i] < y[j])
            i++;
        else
            j++;
    }
    buf_free(&set[0]);
    buf_free(&set[1]);
    return n && m ? (double)both / (double)(n + m - both) : 0;
}

/* ---- signatures ---- */

typedef struct Near {
    const Str *text;
    int64_t count, *group;
    uint64_t *band; /* (count, BANDS); 0: too short */
    uint64_t times[HASHES], plus[HASHES];
} Near;

/* The j-th order ranks shingle x by x * times[j] + plus[j]: with an odd factor a permutation
 * of 64-bit numbers. */
static void choose_orders(Near *n)
{
    for (uint64_t j = 0; j < HASHES; j++) {
        n->times[j] = hash64_mix(2 * j + 1) | 1;
        n->plus[j] = hash64_mix(2 * j + 2);
    }
}

static void sign(const Near *n, int64_t i)
{
    uint64_t least[HASHES], hash;
    memset(least, 0xff, sizeof(least));
    Shingles s = { .words = dedup_words(n->text[i]) };
    while (next_shingle(&s, &hash))
        for (int j = 0; j < HASHES; j++) {
            uint64_t rank = hash * n->times[j] + n->plus[j];
            least[j] = MIN(least[j], rank);
        }
    for (int b = 0; b < BANDS; b++) {
        uint64_t whole = hash64(&least[b * ROWS], ROWS * sizeof(least[0]), (uint64_t)b);
        n->band[i * BANDS + b] = s.count < SHORTEST ? 0 : whole | 1;
    }
}

/* ---- groups ---- */

static int64_t root_of(int64_t *group, int64_t i)
{
    while (group[i] != i) i = group[i] = group[group[i]];
    return i;
}

static void join(const Near *n, int64_t a, int64_t b)
{
    a = root_of(n->group, a), b = root_of(n->group, b);
    if (a != b) n->group[MAX(a, b)] = MIN(a, b);
}

static bool compare(const Near *n, int64_t a, int64_t b)
{
    if (root_of(n->group, a) == root_of(n->group, b)) return true;
    if (dedup_jaccard(n->text[a], n->text[b]) < same_from) return false;
    join(n, a, b);
    return true;
}

typedef struct Entry {
    uint64_t band;
    int64_t text;
} Entry;

static int by_band(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    if (x->band != y->band) return x->band < y->band ? -1 : 1;
    return (x->text > y->text) - (x->text < y->text);
}

static void join_band(const Near *n, int band, Entry *entry)
{
    int64_t used = 0;
    for (int64_t i = 0; i < n->count; i++)
        if (n->band[i * BANDS + band]) entry[used++] = (Entry){ n->band[i * BANDS + band], i };
    if (used > 1) qsort(entry, (size_t)used, sizeof(*entry), by_band);
    int64_t first = 0;
    for (int64_t i = 1; i < used; i++) {
        if (entry[i].band != entry[first].band)
            first = i;
        else if (!compare(n, entry[first].text, entry[i].text) && i - 1 > first)
            compare(n, entry[i - 1].text, entry[i].text);
    }
}

static bool sign_all(const Near *n, Err *err)
{
    Progress p = progress_begin("comparing", "texts", (double)n->count);
    for (int64_t i = 0; i < n->count; i++) {
        if (stop_asked()) return err_set(err, ERR_STOPPED, "stopped while comparing documents");
        sign(n, i);
        progress_tick(&p, (double)i, "");
    }
    progress_end(&p);
    return true;
}

bool dedup_near(const Str *text, int64_t count, int64_t *group, Err *err)
{
    Near *n = calloc(1, sizeof(*n));
    size_t room = (size_t)MAX(count, (int64_t)1);
    Entry *entry = calloc(room, sizeof(*entry));
    CHECK(n && entry, "no memory to compare %td texts", (ptrdiff_t)count);
    *n = (Near){ .text = text, .count = count, .group = group };
    n->band = calloc(room * BANDS, sizeof(uint64_t));
    CHECK(n->band, "no memory to compare %td texts", (ptrdiff_t)count);
    for (int64_t i = 0; i < count; i++) group[i] = i;
    choose_orders(n);
    bool ok = sign_all(n, err);
    for (int b = 0; ok && b < BANDS; b++) join_band(n, b, entry);
    for (int64_t i = 0; ok && i < count; i++) group[i] = root_of(group, i);
    free(n->band);
    free(entry);
    free(n);
    return ok;
}
