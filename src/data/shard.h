/* shard.h - the tokens of one source in one file, in llm.c's .bin layout.
 *
 * 256 int32 of header {20240520, 1, tokens}, then the tokens as uint16 (vocabularies over 65,536:
 * {20240801, 7, tokens} and uint32), all little-endian.  Each document comes after an end-of-text
 * token.  llm.c reads three numbers of the header; the others are ours: checksum, bytes of text
 * and documents (docs/formats/shard.md). */
#ifndef DATA_SHARD_H
#define DATA_SHARD_H

#include "data/docs.h"
#include "data/drop.h"
#include "data/filter.h"
#include "data/tokenizer.h"

typedef struct Shard {
    const char *path;
    int64_t tokens, bytes, documents; /* bytes: of the text */
    int fd, width;                    /* width: bytes a token */
    int vocab;
    uint64_t hash; /* of the tokens, as the header says */
} Shard;

/* Whole or not at all.  Two processes that make the same shard take turns, and the second finds
 * it made. Progress on stderr; ERR_STOPPED if asked to stop. */
bool shard_make(const char *path, const Docs *docs, const Tokenizer *t, Err *err) MUST_CHECK;
/* What is left out and mended on the way: first the lists, then the filters. */
typedef struct ShardEdit {
    Drop *drop;          /* NULL: nothing */
    FilterPlan *filters; /* NULL: none */
} ShardEdit;

/* The same of what `edit` leaves.  ERR_CONFIG if that is nothing. */
bool shard_make_without(const char *path, const Docs *docs, const Tokenizer *t, ShardEdit edit,
                        Err *err) MUST_CHECK;

/* Checks header, size and, up to 256 MB, the checksum.  `path` must live as long as the shard. */
bool shard_open(Shard *s, const char *path, int vocab, Err *err) MUST_CHECK;
/* The same in two steps: header and size at once, the checksum later.  Thread-safe. */
bool shard_open_unread(Shard *s, const char *path, int vocab, Err *err) MUST_CHECK;
bool shard_check(const Shard *s, Err *err) MUST_CHECK;
void shard_close(Shard *s);

/* The n tokens from place `at` on, going on at the beginning after the last one; at < tokens.
 * Thread-safe.  A token that is not in the vocabulary is ERR_FORMAT. */
bool shard_read(const Shard *s, int64_t at, int64_t n, int32_t *out, Err *err) MUST_CHECK;

#endif
