/* tokenizer_parts.h - what the files of the tokenizer share; nobody else includes it. */
#ifndef DATA_TOKENIZER_PARTS_H
#define DATA_TOKENIZER_PARTS_H

#include <pthread.h>

#include "data/tokenizer.h"

/* tokenizer_split.c: bytes of the pre-token at the front of `text`, at least 1; text not empty. */
ptrdiff_t tokenizer_piece(Str text);

/* tokenizer_pairs.c: a map from 64-bit keys to int32, open addressing.  The key UINT64_MAX is
 * not to be used.  All memory is `home`'s. */
typedef struct PairMap {
    uint64_t *key;
    int32_t *value;
    uint64_t mask; /* slots - 1 */
    int64_t used;
    Arena *home;
} PairMap;
PairMap pairmap_new(Arena *home, int64_t expected);
int32_t pairmap_get(const PairMap *m, uint64_t key);       /* -1 if absent */
void pairmap_put(PairMap *m, uint64_t key, int32_t value); /* adds or replaces */
static inline uint64_t pairmap_key(int32_t left, int32_t right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

/* A word that was encoded before.  One cache line; longer words are not remembered. */
enum { CACHE_BYTES = 22, CACHE_IDS = 10, CACHE_SLOTS = 1 << 15 };
typedef struct CacheEntry {
    unsigned char len, n; /* len 0: the slot is free */
    char bytes[CACHE_BYTES];
    int32_t ids[CACHE_IDS];
} CacheEntry;

struct Tokenizer {
    bool bpe;
    int merges;            /* vocab = 256 + merges + 1 */
    int32_t byte_id[256];  /* ids of the single bytes: themselves, but for GPT-2 */
    int32_t *left, *right; /* (merges): merge i makes token 256 + i */
    Str *token;            /* (vocab): bytes of each id */
    PairMap pairs;         /* (left, right) -> 256 + i */
    char sha256[65];
    pthread_mutex_t lock; /* of the cache: whoever does not get it at once goes without */
    CacheEntry *cache;    /* (CACHE_SLOTS) */
};

/* tokenizer.c: from the ids of the bytes and the merges.  Refused (without naming the file; the
 * caller does) unless every merge joins two tokens that exist before it, no token is longer than
 * a megabyte, and no two are the same bytes. */
Tokenizer *tokenizer_build(const int32_t byte_id[256], const int32_t *left, const int32_t *right,
                           int merges, Arena *out, Err *err) MUST_CHECK;

#endif
