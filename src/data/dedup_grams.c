/* dedup_grams.c - passages: thirteen words in a row that stand elsewhere too.
 *
 * The index is a plain hash set of 64-bit hashes of every 13-word run.  Held-out text is a
 * megabyte or two, so the set is small and a scan of the training text costs one look-up a
 * word; a suffix array would find shorter copies too and cost memory and time by the size of
 * the training text.  Thirteen words is the length that Brown et al. (2020, appendix C) and
 * others use: below about ten, ordinary language repeats itself. */
#include <stdlib.h>

#include "base/hash.h"
#include "data/dedup.h"

/* The last 13 word hashes, and a polynomial of them that rolls. */
typedef struct Window {
    uint64_t word[DEDUP_GRAM], sum;
    const char *begin[DEDUP_GRAM];
    int64_t count;
} Window;

static const uint64_t base = 0x9e3779b97f4a7c15u;

/* base^DEDUP_GRAM modulo 2^64. */
static uint64_t base_power(void)
{
    uint64_t p = 1;
    for (int i = 0; i < DEDUP_GRAM; i++) p *= base;
    return p;
}

/* True, with the run's hash and first byte, once there are 13 words. */
static bool window_push(Window *w, const DedupWords *words, uint64_t power, uint64_t *hash)
{
    int at = (int)(w->count % DEDUP_GRAM);
    w->sum = w->sum * base + words->hash - w->word[at] * power;
    w->word[at] = words->hash;
    w->begin[at] = words->word.at;
    w->count++;
    *hash = hash64_mix(w->sum) | 1; /* 0 means a free slot */
    return w->count >= DEDUP_GRAM;
}

static const char *window_begin(const Window *w)
{
    return w->begin[w->count % DEDUP_GRAM];
}

static uint64_t *slot_of(const DedupGrams *g, uint64_t hash)
{
    int64_t at = (int64_t)(hash >> 1 & (uint64_t)(g->cap - 1));
    while (g->slot[at] && g->slot[at] != hash) at = (at + 1) & (g->cap - 1);
    return &g->slot[at];
}

/* Sixteen bits a slot, one of them set for each hash: a quarter of the table, and most words of
 * training text need no more than one look at it. */
static uint64_t *bit_word(const DedupGrams *g, uint64_t hash)
{
    return &g->maybe[hash >> 20 & (uint64_t)(g->cap / 4 - 1)];
}

static uint64_t bit_of(uint64_t hash)
{
    return (uint64_t)1 << (hash >> 58);
}

/* The slot of a hash that is there, or -1. */
static int64_t find_slot(const DedupGrams *g, uint64_t hash)
{
    if (!(*bit_word(g, hash) & bit_of(hash))) return -1;
    uint64_t *slot = slot_of(g, hash);
    return *slot ? slot - g->slot : -1;
}

static void grow(DedupGrams *g)
{
    CHECK(!g->last, "runs are added after counting has begun");
    DedupGrams bigger = { .cap = g->cap ? 2 * g->cap : 4096, .count = g->count };
    bigger.slot = calloc((size_t)bigger.cap, sizeof(uint64_t));
    CHECK(bigger.slot, "no memory for %td runs of words", (ptrdiff_t)bigger.cap);
    bigger.maybe = calloc((size_t)bigger.cap / 4, sizeof(uint64_t));
    CHECK(bigger.maybe, "no memory for %td runs of words", (ptrdiff_t)bigger.cap);
    for (int64_t i = 0; i < g->cap; i++) {
        if (!g->slot[i]) continue;
        *slot_of(&bigger, g->slot[i]) = g->slot[i];
        *bit_word(&bigger, g->slot[i]) |= bit_of(g->slot[i]);
    }
    free(g->slot);
    free(g->maybe);
    *g = bigger;
}

static void put(DedupGrams *g, uint64_t hash)
{
    if (2 * (g->count + 1) > g->cap) grow(g);
    uint64_t *slot = slot_of(g, hash);
    g->count += *slot == 0;
    *slot = hash;
    *bit_word(g, hash) |= bit_of(hash);
}

void dedup_grams_add(DedupGrams *g, Str text)
{
    Window window = { 0 };
    uint64_t power = base_power(), hash;
    for (DedupWords w = dedup_words(text); dedup_next(&w);)
        if (window_push(&window, &w, power, &hash)) put(g, hash);
}

/* Runs of `text` that `g` holds, of *all there are; those go to `met` if it is given. */
static int64_t count_held(const DedupGrams *g, Str text, DedupGrams *met, int64_t *all)
{
    Window window = { 0 };
    uint64_t power = base_power(), hash;
    int64_t held = 0;
    *all = 0;
    for (DedupWords w = dedup_words(text); dedup_next(&w);) {
        if (!window_push(&window, &w, power, &hash)) continue;
        ++*all;
        if (find_slot(g, hash) < 0) continue;
        held++;
        if (met) put(met, hash);
    }
    return held;
}

void dedup_grams_meet(const DedupGrams *g, Str text, DedupGrams *met)
{
    int64_t all;
    if (g->count > 0) count_held(g, text, met, &all);
}

double dedup_grams_share(const DedupGrams *g, Str text)
{
    int64_t all, held = g->count > 0 ? count_held(g, text, NULL, &all) : 0;
    return held > 0 ? (double)held / (double)all : 0;
}

void dedup_grams_free(DedupGrams *g)
{
    free(g->slot);
    free(g->maybe);
    free(g->last);
    free(g->documents);
    *g = (DedupGrams){ 0 };
}

void dedup_grams_count(DedupGrams *g, Str text, int64_t number)
{
    if (g->count == 0) return;
    if (!g->last) {
        g->last = malloc((size_t)g->cap * sizeof(*g->last));
        g->documents = calloc((size_t)g->cap, sizeof(*g->documents));
        CHECK(g->last && g->documents, "no memory to count %td runs", (ptrdiff_t)g->cap);
        for (int64_t i = 0; i < g->cap; i++) g->last[i] = -1;
    }
    Window window = { 0 };
    uint64_t power = base_power(), hash;
    for (DedupWords w = dedup_words(text); dedup_next(&w);) {
        if (!window_push(&window, &w, power, &hash)) continue;
        int64_t at = find_slot(g, hash);
        if (at < 0 || g->last[at] == number) continue;
        g->last[at] = number;
        g->documents[at]++;
    }
}

bool dedup_grams_find(const DedupGrams *g, Str text, ptrdiff_t *from, DedupPassage *p)
{
    if (g->count == 0) return false;
    Window window = { 0 };
    uint64_t power = base_power(), hash;
    const char *begin = NULL, *end = NULL;
    int64_t first = 0, last = 0;
    p->common = true;
    for (DedupWords w = dedup_words((Str){ text.at + *from, text.len - *from }); dedup_next(&w);) {
        if (begin && w.word.at > end && window_begin(&window) > end) break;
        if (!window_push(&window, &w, power, &hash)) continue;
        int64_t at = find_slot(g, hash);
        if (at < 0) continue;
        if (!begin) begin = window_begin(&window), first = window.count - DEDUP_GRAM;
        end = w.word.at + w.word.len;
        last = window.count;
        p->common = p->common && g->documents && g->documents[at] > DEDUP_COMMON;
    }
    *from = begin ? end - text.at : text.len;
    p->at = (Str){ begin, begin ? end - begin : 0 };
    p->words = last - first;
    return begin != NULL;
}
