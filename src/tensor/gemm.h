/* gemm.h - matrix products, cut into fixed tiles, one tile per call on the calling thread.
 *
 *     C[i][j] (+)= sum over k of A[i][k] B[k][j]        i < m, j < n, k < kk
 *
 * The order is part of the definition: k ascends in chunks of 384, FMA from zero
 * inside a chunk, chunks added in order; so every level and every thread count
 * gives the same bits.  Operands are given by element strides, so that any
 * transposition is the same call.
 *
 * Each tile packs what it reads.  Where many rows of tiles would pack the same b,
 * it can be packed once: the caller sets `once`, gives room for gemm_packed()
 * bytes and runs gemm_pack() for all parts before the first tile.  Bits are equal. */
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
    bool once;                            /* b is packed once, if that pays */
    bool half;    /* in fp16 (level/gemm_half.c): b is packed once, always */
    void *packed; /* where; 64-byte aligned, gemm_packed() bytes */
} Gemm;

/* These are of m, n, k, strides and `once` alone. */
int gemm_tiles(const Gemm *g);
int gemm_packs(const Gemm *g);        /* parts of gemm_pack; 0: it does not pay, nothing to do */
ptrdiff_t gemm_packed(const Gemm *g); /* bytes, a multiple of 64; 0 likewise */
ptrdiff_t gemm_own(ptrdiff_t k);      /* bytes of worker scratch a tile needs */

void gemm_pack(CpuLevel level, const Gemm *g, int part);
void gemm_tile(CpuLevel level, const Gemm *g, int tile, void *own);

/* All tiles, on this thread: for the small products inside attention and the head. */
void gemm_all(CpuLevel level, const Gemm *g, void *own);

#endif
