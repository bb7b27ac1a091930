/* tokenizer_merge.c - the merges of one word.
 *
 * Byte-pair encoding (Gage 1994; Sennrich et al. 2016; on bytes: Radford et al. 2019) merges, in
 * each word, the pair that was learned first, the leftmost of equals, until no pair is left.
 * Short words: a scan over the ranks in one small array.  Long ones: a linked list of symbols and
 * a heap of the pairs, so a word of n bytes costs n log n and never n squared: a million times
 * "a" takes a tenth of a second, where the plain loop takes hours.
 *
 * Rejected: linear-time automata over the vocabulary (GitHub's rust-gems bpe), which assume
 * properties of the merges that a file need not have. */
#include <string.h>

#include "data/tokenizer_parts.h"

enum { SHORT_WORD = 128 }; /* up to here the scan is faster than the heap */

static int32_t joined(const PairMap *pairs, int32_t left, int32_t right)
{
    return pairmap_get(pairs, pairmap_key(left, right));
}

static int merge_short(const PairMap *pairs, int32_t *ids, int n)
{
    int32_t rank[SHORT_WORD]; /* what ids[i] and ids[i + 1] would become, -1 for nothing */
    for (int i = 0; i + 1 < n; i++) rank[i] = joined(pairs, ids[i], ids[i + 1]);
    for (;;) {
        int best = -1;
        for (int i = 0; i + 1 < n; i++) {
            if (rank[i] >= 0 && (best < 0 || rank[i] < rank[best])) best = i;
        }
        if (best < 0) return n;
        ids[best] = rank[best];
        n--;
        memmove(ids + best + 1, ids + best + 2, (size_t)(n - best - 1) * sizeof(*ids));
        if (best + 1 < n)
            memmove(rank + best + 1, rank + best + 2, (size_t)(n - best - 2) * sizeof(*rank));
        if (best + 1 < n) rank[best] = joined(pairs, ids[best], ids[best + 1]);
        if (best > 0) rank[best - 1] = joined(pairs, ids[best - 1], ids[best]);
    }
}

/* The long word: symbols linked by place; a heap of rank << 32 | place, smallest first.  An entry
 * whose pair has changed since is known by its rank and dropped. */
typedef struct LongWord {
    const PairMap *pairs;
    int32_t *id, *next,
        *before; /* (n); next is n and before is -1 at the ends; id -1: merged away */
    uint64_t *heap;
    int n, heaped;
} LongWord;

static void heap_down(LongWord *w, int at)
{
    uint64_t x = w->heap[at];
    for (int child; (child = 2 * at + 1) < w->heaped; at = child) {
        if (child + 1 < w->heaped && w->heap[child + 1] < w->heap[child]) child++;
        if (x <= w->heap[child]) break;
        w->heap[at] = w->heap[child];
    }
    w->heap[at] = x;
}

static void heap_push(LongWord *w, uint64_t x)
{
    int at = w->heaped++;
    for (; at > 0 && w->heap[(at - 1) / 2] > x; at = (at - 1) / 2)
        w->heap[at] = w->heap[(at - 1) / 2];
    w->heap[at] = x;
}

static uint64_t heap_pop(LongWord *w)
{
    uint64_t x = w->heap[0];
    w->heap[0] = w->heap[--w->heaped];
    if (w->heaped > 0) heap_down(w, 0);
    return x;
}

/* What the symbol at `i` and its follower would become. */
static int32_t rank_at(const LongWord *w, int i)
{
    if (i < 0 || w->id[i] < 0 || w->next[i] >= w->n) return -1;
    return joined(w->pairs, w->id[i], w->id[w->next[i]]);
}

static void push_at(LongWord *w, int i)
{
    int32_t rank = rank_at(w, i);
    if (rank >= 0) heap_push(w, (uint64_t)rank << 32 | (uint32_t)i);
}

static void join_at(LongWord *w, int i)
{
    int gone = w->next[i], after = w->next[gone];
    w->id[i] = joined(w->pairs, w->id[i], w->id[gone]);
    w->id[gone] = -1;
    w->next[i] = after;
    if (after < w->n) w->before[after] = i;
    push_at(w, w->before[i]);
    push_at(w, i);
}

/* The heap begins with at most n entries; each of at most n merges takes one and adds two. */
static int merge_long(const PairMap *pairs, int32_t *ids, int n)
{
    Arena scratch = arena_reserve((ptrdiff_t)n * 24 + 4096);
    LongWord w = { .pairs = pairs, .id = ids, .n = n };
    w.next = NEW(&scratch, int32_t, n);
    w.before = NEW(&scratch, int32_t, n);
    w.heap = NEW(&scratch, uint64_t, 2 * (ptrdiff_t)n);
    for (int i = 0; i < n; i++) w.next[i] = i + 1, w.before[i] = i - 1;
    for (int i = 0; i < n; i++) push_at(&w, i);
    while (w.heaped > 0) {
        uint64_t top = heap_pop(&w);
        int i = (int)(uint32_t)top;
        if (rank_at(&w, i) == (int32_t)(top >> 32)) join_at(&w, i);
    }
    int kept = 0;
    for (int i = 0; i < n; i = w.next[i]) ids[kept++] = ids[i];
    arena_release(&scratch);
    return kept;
}

int tokenizer_merge_word(const PairMap *pairs, int32_t *ids, int n)
{
    return n <= SHORT_WORD ? merge_short(pairs, ids, n) : merge_long(pairs, ids, n);
}
