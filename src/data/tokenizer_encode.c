/* tokenizer_encode.c - text to ids: words, the memory of words, threads.
 *
 * Words repeat: thirty thousand of them are nine tenths of any prose.  A table remembers what
 * they became, one cache line a word; a hit is two 64-bit comparisons and a copy, and
 * cutting the words out is then the larger half of the work.  The table changes the speed and
 * nothing else.  It belongs to one thread at a time: threads have tables of their own.
 *
 * Text is shared out among threads in parts that end where a word ends whatever comes behind
 * (tokenizer_cut), so the ids of the parts, one after the other, are those of the whole. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "data/tokenizer_parts.h"
#include "dev/dev.h"

/* ---- one word ---- */

static void encode_word(const Tokenizer *t, Str word, Buf *ids)
{
    int n = (int)word.len;
    buf_room(ids, 4 * (ptrdiff_t)n);
    int32_t *at = (int32_t *)(void *)(ids->at + ids->len);
    int32_t whole = t->rule == RULE_RANKS ? tokenizer_find(t, &t->whole, word) : -1;
    if (whole >= 0) {
        at[0] = whole;
        n = 1;
    } else {
        for (int i = 0; i < n; i++) at[i] = t->byte_id[(unsigned char)word.at[i]];
        n = tokenizer_merge_word(&t->pairs, at, n);
    }
    ids->len += 4 * (ptrdiff_t)n;
}

/* The word as a CacheEntry has it. */
static inline void pack(Str word, uint64_t key[2])
{
    key[0] = key[1] = 0;
    memcpy(key, word.at, (size_t)word.len);
    ((unsigned char *)key)[15] = (unsigned char)word.len;
}

enum { LITTLE = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ };

/* The same where 16 bytes may be read at word.at, whatever they are behind the word; the first
 * byte is the lowest. */
static inline void pack_fast(Str word, uint64_t key[2])
{
    static const uint64_t mask[9] = { 0,          0xFF,         0xFFFF,         0xFFFFFF,
                                      0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF,
                                      UINT64_MAX };
    memcpy(key, word.at, 16);
    key[0] &= mask[MIN(word.len, (ptrdiff_t)8)];
    key[1] &= mask[MAX(word.len - 8, (ptrdiff_t)0)];
    key[1] |= (uint64_t)word.len << 56;
}

static inline CacheEntry *slot_of(CacheEntry *cache, const uint64_t key[2])
{
    uint64_t h = (key[0] ^ key[1] * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    return &cache[h >> 49];
}

static void remember(CacheEntry *e, const uint64_t key[2], const int32_t *ids, ptrdiff_t n)
{
    if (n > CACHE_IDS) return;
    memcpy(e->word, key, sizeof(e->word));
    memcpy(e->ids, ids, (size_t)n * sizeof(*ids));
    e->n = (int32_t)n;
}

static inline void encode_cached(const Tokenizer *t, CacheEntry *cache, Str word, bool room,
                                 Buf *ids)
{
    uint64_t key[2];
    if (room && LITTLE)
        pack_fast(word, key);
    else
        pack(word, key);
    CacheEntry *e = slot_of(cache, key);
    if (ids->cap - ids->len < 64) buf_room(ids, 4096);
    if (e->word[0] == key[0] && e->word[1] == key[1]) {
        memcpy(ids->at + ids->len, e->ids, sizeof(e->ids)); /* more than counts: a fixed size */
        ids->len += 4 * (ptrdiff_t)e->n;
        return;
    }
    ptrdiff_t begin = ids->len;
    encode_word(t, word, ids);
    remember(e, key, (const int32_t *)(const void *)(ids->at + begin), (ids->len - begin) / 4);
}

/* ---- text ---- */

static void encode_bytes(Str text, Buf *ids)
{
    buf_room(ids, 4 * text.len);
    int32_t *at = (int32_t *)(void *)(ids->at + ids->len);
    for (ptrdiff_t i = 0; i < text.len; i++) at[i] = (unsigned char)text.at[i];
    ids->len += 4 * text.len;
}

void tokenizer_encode_with(const Tokenizer *t, CacheEntry *cache, Str text, Buf *ids)
{
    if (!t->bpe) {
        encode_bytes(text, ids);
        return;
    }
    while (text.len > 0) {
        Str near = { text.at, MIN(text.len, (ptrdiff_t)LONGEST_WORD) };
        Str word = { text.at, tokenizer_piece(t->words, near) };
        if (cache && word.len <= CACHE_BYTES)
            encode_cached(t, cache, word, text.len >= 16, ids);
        else
            encode_word(t, word, ids);
        text.at += word.len;
        text.len -= word.len;
    }
}

void tokenizer_encode(const Tokenizer *t, Str text, Buf *ids)
{
    /* The cache is not part of the value: who asks a const tokenizer may fill it. */
    pthread_mutex_t *lock = (pthread_mutex_t *)&t->lock;
    bool cached = pthread_mutex_trylock(lock) == 0;
    tokenizer_encode_with(t, cached ? t->cache : NULL, text, ids);
    if (cached) pthread_mutex_unlock(lock);
}

/* The special token at the front of `text`, or NULL. */
static const TokenizerSpecial *special_at(const Tokenizer *t, Str text)
{
    const TokenizerSpecial *best = NULL;
    for (int i = 0; i < t->n_special; i++) {
        const TokenizerSpecial *s = &t->special[i];
        if (str_starts(text, s->text) && (!best || s->text.len > best->text.len)) best = s;
    }
    return best;
}

void tokenizer_encode_special(const Tokenizer *t, Str text, Buf *ids)
{
    bool begins[256] = { 0 }; /* some special token, with this byte */
    for (int i = 0; i < t->n_special; i++) begins[(unsigned char)t->special[i].text.at[0]] = true;
    ptrdiff_t done = 0;
    for (ptrdiff_t at = 0; at < text.len; at++) {
        const TokenizerSpecial *s = NULL;
        if (begins[(unsigned char)text.at[at]])
            s = special_at(t, (Str){ text.at + at, text.len - at });
        if (!s) continue;
        tokenizer_encode(t, (Str){ text.at + done, at - done }, ids);
        buf_put(ids, &s->id, 4);
        done = at + s->text.len;
        at = done - 1;
    }
    tokenizer_encode(t, (Str){ text.at + done, text.len - done }, ids);
}

void tokenizer_decode(const Tokenizer *t, const int32_t *ids, ptrdiff_t n, Buf *text)
{
    for (ptrdiff_t i = 0; i < n; i++) buf_str(text, tokenizer_bytes_of(t, ids[i]));
}

/* ---- threads ---- */

typedef struct PoolThread {
    const Tokenizer *t;
    CacheEntry *cache;
    const TokenizerPart *part; /* its share */
    ptrdiff_t n;
    Buf ids;
    pthread_t thread;
} PoolThread;

struct TokenizerPool {
    PoolThread *thread;
    int threads;
};

TokenizerPool *tokenizerpool_new(const Tokenizer *t, int threads)
{
    TokenizerPool *p = calloc(1, sizeof(*p));
    CHECK(p, "no memory");
    p->threads = threads > 0 ? threads : dev_cores();
    p->thread = calloc((size_t)p->threads, sizeof(*p->thread));
    CHECK(p->thread, "no memory for %d threads", p->threads);
    for (int i = 0; i < p->threads; i++) {
        p->thread[i].t = t;
        p->thread[i].cache = calloc(CACHE_SLOTS, sizeof(CacheEntry));
        CHECK(p->thread[i].cache, "no memory for %d threads", p->threads);
    }
    return p;
}

void tokenizerpool_free(TokenizerPool *p)
{
    if (!p) return;
    for (int i = 0; i < p->threads; i++) {
        free(p->thread[i].cache);
        buf_free(&p->thread[i].ids);
    }
    free(p->thread);
    free(p);
}

static void *encode_share(void *self)
{
    PoolThread *p = self;
    int32_t end = tokenizer_end(p->t);
    buf_clear(&p->ids);
    for (ptrdiff_t i = 0; i < p->n; i++) {
        if (p->part[i].begins) buf_put(&p->ids, &end, 4);
        tokenizer_encode_with(p->t, p->cache, p->part[i].text, &p->ids);
    }
    return NULL;
}

/* Parts one after the other, about as many bytes for each thread. */
static void share_out(TokenizerPool *p, const TokenizerPart *part, ptrdiff_t n)
{
    int64_t all = 0, given = 0;
    ptrdiff_t at = 0;
    for (ptrdiff_t i = 0; i < n; i++) all += part[i].text.len;
    for (int k = 0; k < p->threads; k++) {
        PoolThread *own = &p->thread[k];
        bool last = k + 1 == p->threads;
        own->part = part + at;
        own->n = 0;
        for (; at < n && (last || given < all * (k + 1) / p->threads); at++, own->n++)
            given += part[at].text.len;
    }
}

/* A thread that the system does not give is done without: its share is encoded here. */
void tokenizerpool_encode(TokenizerPool *p, const TokenizerPart *part, ptrdiff_t n, Buf *ids)
{
    bool running[1024] = { 0 };
    share_out(p, part, n);
    for (int k = 1; k < p->threads; k++) {
        PoolThread *own = &p->thread[k];
        if (k < COUNT(running))
            running[k] = own->n > 0 && pthread_create(&own->thread, NULL, encode_share, own) == 0;
        if (k >= COUNT(running) || !running[k]) encode_share(own);
    }
    encode_share(&p->thread[0]);
    for (int k = 0; k < p->threads; k++) {
        if (k < COUNT(running) && running[k]) pthread_join(p->thread[k].thread, NULL);
        buf_put(ids, p->thread[k].ids.at, p->thread[k].ids.len);
    }
}
