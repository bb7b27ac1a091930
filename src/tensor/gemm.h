/* gemm.h - matrix products, cut into fixed tiles, one tile per call on the calling thread.
 *
 *     C[i][j] (+)= sum over k of A[i][k] B[k][j]        i < m, j < n, k < kk
 *
 * The order is part of the definition: k ascends in chunks of 384, FMA from zero
 * inside a chunk, chunks added in order; so every level and every thread count
 * gives the same bits.  Operands are given by element strides, so that any
 * transposition is the same call; they are packed per tile, nothing is kept. */
#ifndef TENSOR_GEMM_H
#define TENSOR_GEMM_H

#include "dev/dev.h"

typedef struct Gemm {
    ptrdiff_t m, n, k;
    const void *a, *b; /* double at LEVEL_REF, else float */
    void *c;
    ptrdiff_t a_row, a_col, b_row, b_col; /* strides in elements: A[i][k] = a[i a_row + k a_col] */
    ptrdiff_t c_row;                      /* columns of c are adjacent */
    const void *bias;                     /* (n), added to every row at the end, or NULL */
    bool add;                             /* c += instead of c = */
} Gemm;

int gemm_tiles(ptrdiff_t m, ptrdiff_t n); /* by shape alone */
ptrdiff_t gemm_own(ptrdiff_t k);          /* bytes of worker scratch a tile needs */
void gemm_tile(CpuLevel level, const Gemm *g, int tile, void *own);

/* All tiles, on this thread: for the small products inside attention and the head. */
void gemm_all(CpuLevel level, const Gemm *g, void *own);

#endif
