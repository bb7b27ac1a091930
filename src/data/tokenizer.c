/* tokenizer.c - encoding and decoding.
 *
 * Byte-pair encoding (Gage 1994; Sennrich et al. 2016; on bytes: Radford et al. 2019) merges, in
 * each word, the pair that was learned first, the leftmost of equals, until no pair is left.
 * Short words: a scan over the ranks in one small array.  Long ones: a linked list of symbols and
 * a heap of the pairs, so a word of n bytes costs n log n and never n squared.  Words repeat, so
 * a small table remembers what the last ones became; it changes the speed and nothing else.
 *
 * Rejected: taking a whole word that happens to be a token without merging (tiktoken does; the
 * same for GPT-2's vocabulary, but not what the merges say in general), and linear-time automata,
 * which assume properties of the merges that a file need not have. */
#include <string.h>

#include "base/hash.h"
#include "data/tokenizer_parts.h"

enum {
    SHORT_WORD = 128,       /* up to here the scan is faster than the heap */
    LONGEST_WORD = 1 << 16, /* longer ones are cut: the heap stays in the cache */
    LONGEST_TOKEN = 1 << 20,
};

/* The bytes of all tokens, in id order; false if a merge is wrong. */
static bool lay_out(Tokenizer *t, const int32_t byte_id[256], Arena *out, Err *err)
{
    char *single = NEW(out, char, 256);
    for (int b = 0; b < 256; b++) {
        single[b] = (char)b;
        t->token[byte_id[b]] = (Str){ single + b, 1 };
    }
    for (int i = 0; i < t->merges; i++) {
        int32_t l = t->left[i], r = t->right[i];
        if (l < 0 || r < 0 || l >= 256 + i || r >= 256 + i)
            return err_set(err, ERR_FORMAT, "merge %d joins tokens that come after it", i);
        Str a = t->token[l], b = t->token[r];
        if (a.len + b.len > LONGEST_TOKEN)
            return err_set(err, ERR_FORMAT, "token %d is longer than a megabyte", 256 + i);
        char *both = NEW(out, char, a.len + b.len);
        memcpy(both, a.at, (size_t)a.len);
        memcpy(both + a.len, b.at, (size_t)b.len);
        t->token[256 + i] = (Str){ both, a.len + b.len };
    }
    return true;
}

static bool index_pairs(Tokenizer *t, Arena *out, Err *err)
{
    t->pairs = pairmap_new(out, t->merges);
    Arena mark = *out;
    PairMap seen = pairmap_new(out, 256 + t->merges);
    for (int i = 0; i < 256 + t->merges; i++) {
        uint64_t name = hash64(t->token[i].at, t->token[i].len, 0) >> 1;
        if (pairmap_get(&seen, name) >= 0)
            return err_set(err, ERR_FORMAT, "tokens %d and %d are the same bytes",
                           pairmap_get(&seen, name), i);
        pairmap_put(&seen, name, i);
        if (i >= 256) pairmap_put(&t->pairs, pairmap_key(t->left[i - 256], t->right[i - 256]), i);
    }
    arena_rewind(out, mark);
    return true;
}

static Tokenizer *new_tokenizer(int merges, Arena *out)
{
    Tokenizer *t = NEW(out, Tokenizer, 1);
    t->merges = merges;
    t->token = NEW(out, Str, 256 + merges + 1);
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

static void name_tokenizer(Tokenizer *t)
{
    Buf text = { 0 };
    tokenizer_print(t, &text);
    sha256_hex(text.at, text.len, t->sha256);
    buf_free(&text);
}

Tokenizer *tokenizer_build(const int32_t byte_id[256], const int32_t *left, const int32_t *right,
                           int merges, Arena *out, Err *err)
{
    Tokenizer *t = new_tokenizer(merges, out);
    t->bpe = true;
    memcpy(t->byte_id, byte_id, sizeof(t->byte_id));
    t->left = NEW(out, int32_t, merges);
    t->right = NEW(out, int32_t, merges);
    if (merges) memcpy(t->left, left, (size_t)merges * sizeof(*left));
    if (merges) memcpy(t->right, right, (size_t)merges * sizeof(*right));
    t->cache = NEW(out, CacheEntry, CACHE_SLOTS);
    if (!lay_out(t, byte_id, out, err) || !index_pairs(t, out, err)) return NULL;
    name_tokenizer(t);
    return t;
}

Tokenizer *tokenizer_bytes(Arena *out)
{
    Tokenizer *t = new_tokenizer(0, out);
    Err never = { 0 };
    for (int b = 0; b < 256; b++) t->byte_id[b] = b;
    CHECK(lay_out(t, t->byte_id, out, &never), "%s", never.msg);
    name_tokenizer(t);
    return t;
}

int tokenizer_vocab(const Tokenizer *t)
{
    return 256 + t->merges + 1;
}

int tokenizer_end(const Tokenizer *t)
{
    return 256 + t->merges;
}

bool tokenizer_is_bpe(const Tokenizer *t)
{
    return t->bpe;
}

const char *tokenizer_sha256(const Tokenizer *t)
{
    return t->sha256;
}

Str tokenizer_bytes_of(const Tokenizer *t, int id)
{
    CHECK(id >= 0 && id < tokenizer_vocab(t), "token %d of %d", id, tokenizer_vocab(t));
    return t->token[id];
}

bool tokenizer_merge(const Tokenizer *t, int i, int *left, int *right)
{
    if (i < 0 || i >= t->merges) return false;
    *left = t->left[i];
    *right = t->right[i];
    return true;
}

static int32_t joined(const Tokenizer *t, int32_t left, int32_t right)
{
    return pairmap_get(&t->pairs, pairmap_key(left, right));
}

/* ids: (n), the bytes' ids on entry, the tokens on return; gives their number. */
static int merge_short(const Tokenizer *t, int32_t *ids, int n)
{
    int32_t rank[SHORT_WORD]; /* what ids[i] and ids[i + 1] would become, -1 for nothing */
    for (int i = 0; i + 1 < n; i++) rank[i] = joined(t, ids[i], ids[i + 1]);
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
        if (best + 1 < n) rank[best] = joined(t, ids[best], ids[best + 1]);
        if (best > 0) rank[best - 1] = joined(t, ids[best - 1], ids[best]);
    }
}

/* The long word: symbols linked by place; a heap of rank << 32 | place, smallest first.  An entry
 * whose pair has changed since is known by its rank and dropped. */
typedef struct LongWord {
    const Tokenizer *t;
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
    return joined(w->t, w->id[i], w->id[w->next[i]]);
}

static void push_at(LongWord *w, int i)
{
    int32_t rank = rank_at(w, i);
    if (rank >= 0) heap_push(w, (uint64_t)rank << 32 | (uint32_t)i);
}

static void join_at(LongWord *w, int i)
{
    int gone = w->next[i], after = w->next[gone];
    w->id[i] = joined(w->t, w->id[i], w->id[gone]);
    w->id[gone] = -1;
    w->next[i] = after;
    if (after < w->n) w->before[after] = i;
    push_at(w, w->before[i]);
    push_at(w, i);
}

/* The heap begins with at most n entries; each of at most n merges takes one and adds two. */
static int merge_long(const Tokenizer *t, int32_t *ids, int n)
{
    Arena scratch = arena_reserve((ptrdiff_t)n * 24 + 4096);
    LongWord w = { .t = t, .id = ids, .n = n };
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

static void encode_word(const Tokenizer *t, Str word, Buf *ids)
{
    ptrdiff_t begin = ids->len;
    int n = (int)word.len;
    for (int i = 0; i < n; i++) buf_put(ids, &t->byte_id[(unsigned char)word.at[i]], 4);
    int32_t *at = (int32_t *)(void *)(ids->at + begin);
    n = n <= SHORT_WORD ? merge_short(t, at, n) : merge_long(t, at, n);
    ids->len = begin + 4 * (ptrdiff_t)n;
}

/* As encode_word, remembering; the caller holds the cache. */
static void encode_cached(const Tokenizer *t, Str word, Buf *ids)
{
    CacheEntry *e = &t->cache[hash64(word.at, word.len, 0) & (CACHE_SLOTS - 1)];
    if (e->len == word.len && memcmp(e->bytes, word.at, (size_t)word.len) == 0) {
        buf_put(ids, e->ids, 4 * (ptrdiff_t)e->n);
        return;
    }
    ptrdiff_t begin = ids->len;
    encode_word(t, word, ids);
    ptrdiff_t n = (ids->len - begin) / 4;
    if (n > CACHE_IDS) return;
    e->len = (unsigned char)word.len;
    e->n = (unsigned char)n;
    memcpy(e->bytes, word.at, (size_t)word.len);
    memcpy(e->ids, ids->at + begin, (size_t)(4 * n));
}

static void encode_bytes(Str text, Buf *ids)
{
    int32_t some[256];
    for (ptrdiff_t i = 0; i < text.len;) {
        int n = (int)MIN(text.len - i, (ptrdiff_t)COUNT(some));
        for (int k = 0; k < n; k++) some[k] = (unsigned char)text.at[i + k];
        buf_put(ids, some, 4 * (ptrdiff_t)n);
        i += n;
    }
}

void tokenizer_encode(const Tokenizer *t, Str text, Buf *ids)
{
    if (!t->bpe) {
        encode_bytes(text, ids);
        return;
    }
    /* The cache is not part of the value: who asks a const tokenizer may fill it. */
    pthread_mutex_t *lock = (pthread_mutex_t *)&t->lock;
    bool cached = pthread_mutex_trylock(lock) == 0;
    while (text.len > 0) {
        Str near = { text.at, MIN(text.len, (ptrdiff_t)LONGEST_WORD) };
        Str word = { text.at, tokenizer_piece(near) };
        if (cached && word.len <= CACHE_BYTES)
            encode_cached(t, word, ids);
        else
            encode_word(t, word, ids);
        text.at += word.len;
        text.len -= word.len;
    }
    if (cached) pthread_mutex_unlock(lock);
}

void tokenizer_decode(const Tokenizer *t, const int32_t *ids, ptrdiff_t n, Buf *text)
{
    for (ptrdiff_t i = 0; i < n; i++) buf_str(text, tokenizer_bytes_of(t, ids[i]));
}
