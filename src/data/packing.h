/* packing.h - whole documents laid into rows, as many uncut as go.
 *
 * Every row begins with an end-of-text token, is full, and no token of the text is lost but fewer
 * than a row's worth at the end. */
#ifndef DATA_PACKING_H
#define DATA_PACKING_H

#include "base/arena.h"
#include "data/shard.h"

typedef struct PackPiece {
    int64_t at; /* of its first token in the shard */
    int32_t n;  /* tokens in the row */
    bool mid;   /* the rest of a document: an end-of-text token, then n - 1 tokens from `at` */
} PackPiece;

typedef struct Packing {
    int64_t rows, pieces, cut; /* cut: documents that do not stand whole in one row */
    int length;                /* tokens of a row */
    int32_t end;               /* the end-of-text token */
    PackPiece *piece;
    int64_t *first; /* (rows + 1) of each row, in `piece` */
} Packing;

/* Reads all of the shard once.  Documents come in an order drawn by `key`. */
bool packing_make(Packing *p, const Shard *s, int length, int32_t end, uint64_t key, Arena *out,
                  Err *err) MUST_CHECK;

/* Row r: x has its tokens but the last, y its tokens but the first, (length - 1) each. */
bool packing_read(const Packing *p, const Shard *s, int64_t r, int32_t *x, int32_t *y,
                  Err *err) MUST_CHECK;

#endif
