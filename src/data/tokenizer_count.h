/* tokenizer_count.h - the distinct words of text and how often each stands there, exactly, in
 * bounded memory.  For tokenizer_train.c. */
#ifndef DATA_TOKENIZER_COUNT_H
#define DATA_TOKENIZER_COUNT_H

#include "data/tokenizer_parts.h"

typedef struct CountedWord {
    int64_t start; /* in bytes */
    int64_t count;
    int32_t len; /* at most 4096: longer words are cut */
} CountedWord;

typedef struct TokenizerCounts {
    Buf bytes, word; /* word: CountedWord */
    int64_t least;   /* words rarer than this were left out, for memory; 0: none was */
} TokenizerCounts;

typedef struct TokenizerCounting {
    TokenizerWords words;
    int threads;   /* 0: one per core */
    int64_t spill; /* bytes of all tables, over which they are poured out to disk */
    int64_t keep;  /* bytes that learning from the result may need, about */
} TokenizerCounting;

/* The order of the words is any; the counts do not depend on threads or limits.  ERR_STOPPED;
 * ERR_IO if temporary files cannot be written. */
bool tokenizer_count(const Docs *const *docs, int n_docs, const TokenizerCounting *what,
                     TokenizerCounts *out, Err *err) MUST_CHECK;
int64_t tokenizer_counted(const TokenizerCounts *c);
void tokenizer_counts_free(TokenizerCounts *c);

#endif
