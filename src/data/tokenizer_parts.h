/* tokenizer_parts.h - what the files of the tokenizer share; nobody else includes it. */
#ifndef DATA_TOKENIZER_PARTS_H
#define DATA_TOKENIZER_PARTS_H

#include <pthread.h>

#include "data/tokenizer.h"

/* tokenizer_split.c: bytes of the pre-token at the front of `text`, at least 1; text not empty. */
ptrdiff_t tokenizer_piece(TokenizerWords words, Str text);

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
enum { CACHE_BYTES = 15, CACHE_IDS = 11, CACHE_SLOTS = 1 << 15 };
typedef struct CacheEntry {
    uint64_t
        word[2]; /* its bytes, zeros behind, the length in the last byte; 0: the slot is free */
    int32_t n, ids[CACHE_IDS];
} CacheEntry;

/* How a pair is known to be one that merges. */
typedef enum TokenizerRule {
    RULE_MERGES, /* it is in the list */
    RULE_RANKS,  /* together its bytes are a token; and a word that is a token is not cut at all */
} TokenizerRule;

enum { LONGEST_TOKEN = 1 << 20 };

struct Tokenizer {
    bool bpe;
    TokenizerWords words;
    TokenizerRule rule;
    int merges, vocab;
    int32_t byte_id[256];  /* ids of the single bytes: themselves, but for GPT-2 and GPT-4 */
    int32_t *left, *right; /* (merges): merge i makes token 256 + i */
    Str *token;            /* (vocab): bytes of each id */
    ptrdiff_t longest;     /* of any token, in bytes */
    PairMap pairs;         /* (left, right) -> what they become; of equal ranks none */
    PairMap whole;         /* of RULE_RANKS: hash of a token's bytes -> its id */
    TokenizerSpecial *special;
    int n_special;
    char sha256[65];
    pthread_mutex_t lock; /* of the cache: whoever does not get it at once goes without */
    CacheEntry *cache;    /* (CACHE_SLOTS) */
};

/* What a tokenizer is made of. */
typedef struct TokenizerForm {
    int32_t byte_id[256];
    const int32_t *left, *right; /* (merges) */
    int merges;
    TokenizerWords words;
    TokenizerRule rule;
    const TokenizerSpecial *special; /* none: an end of text behind the merges */
    int n_special;
} TokenizerForm;

/* tokenizer.c: copies all it needs.  Refused (without naming the file; the caller does) unless
 * every merge joins two tokens that exist before it, no token is longer than a megabyte, no two are
 * the same bytes, and special tokens have texts and ids of their own. */
Tokenizer *tokenizer_build(const TokenizerForm *form, Arena *out, Err *err) MUST_CHECK;
/* The id of a token by its bytes, through a map like Tokenizer.whole; -1 if there is none. */
int32_t tokenizer_find(const Tokenizer *t, const PairMap *whole, Str bytes);
static inline uint64_t tokenizer_name(uint64_t hash)
{
    return hash >> 1; /* never the free key of a PairMap */
}

/* tokenizer_merge.c: ids: (n), the bytes' ids on entry, the tokens on return; gives their number.
 */
int tokenizer_merge_word(const PairMap *pairs, int32_t *ids, int n);
/* Longer words are cut: what merging needs beside the text is bounded by 28 times this. */
enum { LONGEST_WORD = 4 << 20 };

/* tokenizer_encode.c: through a cache of the caller's (CACHE_SLOTS, zeroed), or none. */
void tokenizer_encode_with(const Tokenizer *t, CacheEntry *cache, Str text, Buf *ids);

/* tokenizer_ranks.c */
Tokenizer *tokenizer_load_ranks(Str text, Arena *out, Err *err) MUST_CHECK;

/* tokenizer_file.c: GPT-2's printable alphabet, as UTF-8. */
void tokenizer_put_letters(Buf *out, Str bytes);

#endif
