/* colsum.h - sums over rows, column by column: gradients of gains, biases and of whatever was
 * broadcast.
 *
 * Rows are cut into blocks, by shape alone; a part adds the rows of one block, in order, into
 * partial sums of its own; a later phase adds the partial sums in order, in double.  So no two
 * parts write one address and the order is written here once (E2). */
#ifndef TENSOR_LEVEL_COLSUM_H
#define TENSOR_LEVEL_COLSUM_H

#include "tensor/level/rows.h"
#include "tensor/level/vec.h"

enum { COLSUM_COLS = 1024 };

typedef struct ColSum {
    ptrdiff_t rows, cols, width; /* width: elements read per row, which decides the blocks */
    /* sum[j] += the term of `row` and column from + j, for j < n */
    void (*term)(const Call *c, ptrdiff_t row, ptrdiff_t from, ptrdiff_t n, real *restrict sum);
} ColSum;

static inline ptrdiff_t colsum_block(const ColSum *s)
{
    return MIN(MAX(rows_per_part(s->width), 32), 512);
}

/* The same blocks for a caller that goes over whole rows and adds to partial sums on its way. */
static inline int colsum_blocks(const ColSum *s)
{
    return (int)ceil_div(s->rows, colsum_block(s));
}

static inline int colsum_strips(const ColSum *s)
{
    return (int)ceil_div(s->cols, COLSUM_COLS);
}

static inline int colsum_parts(const ColSum *s)
{
    return colsum_blocks(s) * colsum_strips(s);
}

static inline ptrdiff_t colsum_bytes(const ColSum *s)
{
    ptrdiff_t blocks = colsum_blocks(s);
    return scratch_round(blocks * s->cols * (ptrdiff_t)sizeof(real));
}

static inline void colsum_part(const ColSum *s, const Call *c, int part, real *partial)
{
    int strips = colsum_strips(s);
    ptrdiff_t block = part / strips, from = part % strips * (ptrdiff_t)COLSUM_COLS;
    ptrdiff_t n = MIN(COLSUM_COLS, s->cols - from), size = colsum_block(s);
    real *sum = partial + block * s->cols + from;
    memset(sum, 0, (size_t)n * sizeof(real));
    for (ptrdiff_t r = block * size; r < MIN(s->rows, (block + 1) * size); r++)
        s->term(c, r, from, n, sum);
}

/* One part of the later phase per strip of columns. */
static inline void colsum_end(const ColSum *s, int strip, const real *partial, real *d, bool add)
{
    ptrdiff_t blocks = colsum_blocks(s), from = strip * (ptrdiff_t)COLSUM_COLS;
    for (ptrdiff_t j = from; j < MIN(s->cols, from + COLSUM_COLS); j++) {
        double sum = 0;
        for (ptrdiff_t b = 0; b < blocks; b++) sum += (double)partial[b * s->cols + j];
        d[j] = add ? d[j] + (real)sum : (real)sum;
    }
}

#endif
