/* dedup_near.c - texts that are mostly the same: MinHash, bands, and the true overlap.
 *
 * A. Broder, "On the resemblance and containment of documents" (1997): under a random order
 * of all shingles, two sets share their smallest element with probability equal to their
 * Jaccard overlap.  112 orders give 112 numbers a text; cut into 14 bands of 8, two texts
 * meet in some band with 1 - (1 - s^8)^14 (the shape of FineWeb, Penedo et al. 2024): 56 % of pairs
 * at .7, 92 % at .8, 99.9 % at .9.  Other shapes are a choice of the caller.  Meeting
 * is only a candidate here: the true overlap of the two shingle sets decides, so chance
 * cannot put strangers together, and groups are the connected parts (union-find).
 *
 * Memory: of each text only one hash of each band is kept, 112 bytes, in memory if they fit and
 * else in a file that is mapped; bands are sorted by ranges of their hashes that fit.  The ranges
 * follow one another, so the pairs come in one order whatever the memory.  Beside that stand the
 * caller's arrays, 24 bytes a text.
 *
 * In a band's bucket each text is compared with the bucket's first and with the one before it,
 * not with all: a template used ten thousand times would otherwise cost fifty million
 * comparisons. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if HAVE_X86_LEVELS
#include <immintrin.h>
#endif

#include "base/clock.h"
#include "base/hash.h"
#include "base/progress.h"
#include "data/dedup.h"

enum { SHINGLE = 5, SHORTEST = 20 };
static const DedupNear usual = { 14, 8, 0.7, 256 << 20 };

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

typedef struct Near Near;
struct Near {
    DedupNear how;
    const Str *text;
    int64_t count, *group;
    uint64_t *band; /* (count, bands); 0: too short */
    FILE *file;     /* behind `band`, or NULL */
    uint64_t times[DEDUP_HASHES_MAX], plus[DEDUP_HASHES_MAX];
    void (*rank)(const Near *n, uint64_t shingle, int hashes, uint64_t *least);
};

/* The j-th order ranks shingle x by x * times[j] + plus[j]: with an odd factor a permutation
 * of 64-bit numbers. */
static void choose_orders(Near *n)
{
    for (uint64_t j = 0; j < DEDUP_HASHES_MAX; j++) {
        n->times[j] = hash64_mix(2 * j + 1) | 1;
        n->plus[j] = hash64_mix(2 * j + 2);
    }
}

/* The least rank of all shingles so far, in each of the first `hashes` orders. */
static void rank(const Near *n, uint64_t shingle, int hashes, uint64_t *least)
{
    for (int j = 0; j < hashes; j++) {
        uint64_t here = shingle * n->times[j] + n->plus[j];
        least[j] = MIN(least[j], here);
    }
}

#if HAVE_X86_LEVELS
/* Eight orders at a time, and up to seven more than were asked for: a third of the time that an
 * addition took went into `rank`. */
__attribute__((target("avx512f,avx512dq"))) static void rank_wide(const Near *n, uint64_t shingle,
                                                                  int hashes, uint64_t *least)
{
    __m512i all = _mm512_set1_epi64((long long)shingle);
    for (int j = 0; j < hashes; j += 8) {
        __m512i here = _mm512_mullo_epi64(all, _mm512_loadu_si512(&n->times[j]));
        here = _mm512_add_epi64(here, _mm512_loadu_si512(&n->plus[j]));
        here = _mm512_min_epu64(here, _mm512_loadu_si512(&least[j]));
        _mm512_storeu_si512(&least[j], here);
    }
}
_Static_assert(DEDUP_HASHES_MAX % 8 == 0, "rank_wide goes over the end of a signature");
#endif

bool dedup_near_narrow;

static void choose_rank(Near *n)
{
    n->rank = rank;
#if HAVE_X86_LEVELS
    __builtin_cpu_init();
    bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
    if (wide && !dedup_near_narrow) n->rank = rank_wide;
#endif
}

static void sign(const Near *n, int64_t i)
{
    uint64_t least[DEDUP_HASHES_MAX], hash;
    int hashes = n->how.bands * n->how.rows;
    memset(least, 0xff, sizeof(least));
    Shingles s = { .words = dedup_words(n->text[i]) };
    while (next_shingle(&s, &hash)) n->rank(n, hash, hashes, least);
    for (int b = 0; b < n->how.bands; b++) {
        ptrdiff_t size = n->how.rows * (ptrdiff_t)sizeof(*least);
        uint64_t whole = hash64(&least[b * n->how.rows], size, (uint64_t)b);
        n->band[i * n->how.bands + b] = s.count < SHORTEST ? 0 : whole | 1;
    }
}

static size_t band_bytes(const Near *n)
{
    return (size_t)MAX(n->count, (int64_t)1) * (size_t)n->how.bands * sizeof(*n->band);
}

static bool open_bands(Near *n, Err *err)
{
    size_t bytes = band_bytes(n);
    if ((int64_t)bytes <= n->how.memory / 2) {
        n->band = malloc(bytes);
        CHECK(n->band, "no memory to compare %td texts", (ptrdiff_t)n->count);
        return true;
    }
    n->file = tmpfile();
    if (!n->file || ftruncate(fileno(n->file), (off_t)bytes) != 0)
        return err_errno(err, "cannot keep signatures of texts in a temporary file (TMPDIR)");
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(n->file), 0);
    if (map == MAP_FAILED) return err_errno(err, "cannot map a temporary file (TMPDIR)");
    n->band = map;
    return true;
}

static void close_bands(Near *n)
{
    if (n->file && n->band)
        munmap(n->band, band_bytes(n));
    else
        free(n->band);
    if (n->file) fclose(n->file);
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
    if (dedup_jaccard(n->text[a], n->text[b]) < n->how.same) return false;
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

typedef struct Entries {
    Entry *at;
    int64_t used, room;
} Entries;

static void join_buckets(const Near *n, Entries *e)
{
    int64_t first = 0;
    if (e->used > 1) qsort(e->at, (size_t)e->used, sizeof(*e->at), by_band);
    for (int64_t i = 1; i < e->used; i++) {
        if (e->at[i].band != e->at[first].band)
            first = i;
        else if (!compare(n, e->at[first].text, e->at[i].text) && i - 1 > first)
            compare(n, e->at[i - 1].text, e->at[i].text);
    }
    e->used = 0;
}

/* The entries of one band whose hashes lie in the part-th of `parts` ranges. */
static void collect(const Near *n, int band, uint64_t part, uint64_t parts, Entries *e)
{
    for (int64_t i = 0; i < n->count; i++) {
        uint64_t hash = n->band[i * n->how.bands + band];
        if (hash == 0 || (hash >> 32) * parts >> 32 != part) continue;
        if (e->used == e->room) {
            e->room = e->room ? 2 * e->room : 1024;
            e->at = realloc(e->at, (size_t)e->room * sizeof(*e->at));
            CHECK(e->at, "no memory to compare %td texts", (ptrdiff_t)n->count);
        }
        e->at[e->used++] = (Entry){ hash, i };
    }
}

/* Growing by doubling and sorting (by merging) take up to four times the entries' own size. */
static void join_bands(const Near *n)
{
    Entries e = { 0 };
    int64_t need = n->count * 4 * (int64_t)sizeof(Entry);
    uint64_t parts = (uint64_t)(need / MAX(n->how.memory / 2, (int64_t)1)) + 1;
    for (int b = 0; b < n->how.bands && !stop_asked(); b++)
        for (uint64_t part = 0; part < parts; part++) {
            collect(n, b, part, parts, &e);
            join_buckets(n, &e);
        }
    free(e.at);
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

double dedup_near_chance(const DedupNear *how, double overlap)
{
    int bands = how->bands ? how->bands : usual.bands, rows = how->rows ? how->rows : usual.rows;
    double row = 1, missed = 1;
    for (int i = 0; i < rows; i++) row *= overlap;
    for (int i = 0; i < bands; i++) missed *= 1 - row;
    return 1 - missed;
}

static bool settle(const DedupNear *how, DedupNear *out, Err *err)
{
    *out = *how;
    if (out->bands == 0) out->bands = usual.bands;
    if (out->rows == 0) out->rows = usual.rows;
    if (out->same <= 0) out->same = usual.same;
    if (out->memory <= 0) out->memory = usual.memory;
    return (out->bands > 0 && out->rows > 0 && out->rows <= DEDUP_HASHES_MAX / out->bands) ||
           err_set(err, ERR_CONFIG, "%d bands of %d hashes cannot be; take up to %d in all",
                   out->bands, out->rows, DEDUP_HASHES_MAX);
}

bool dedup_near_with(const DedupNear *how, const Str *text, int64_t count, int64_t *group, Err *err)
{
    Near *n = calloc(1, sizeof(*n));
    CHECK(n, "no memory to compare %td texts", (ptrdiff_t)count);
    *n = (Near){ .text = text, .count = count, .group = group };
    for (int64_t i = 0; i < count; i++) group[i] = i;
    choose_orders(n);
    choose_rank(n);
    bool ok = settle(how, &n->how, err) && open_bands(n, err) && sign_all(n, err);
    if (ok) join_bands(n);
    for (int64_t i = 0; ok && i < count; i++) group[i] = root_of(group, i);
    close_bands(n);
    free(n);
    if (ok && stop_asked()) return err_set(err, ERR_STOPPED, "stopped while comparing documents");
    return ok;
}

bool dedup_near(const Str *text, int64_t count, int64_t *group, Err *err)
{
    DedupNear how = { 0 };
    return dedup_near_with(&how, text, count, group, err);
}
