/* gemm_inside.h - what the tiles (gemm.c) and the kernels (level/gemm_block.c) agree on. */
#ifndef TENSOR_GEMM_INSIDE_H
#define TENSOR_GEMM_INSIDE_H

#include "tensor/gemm.h"

enum {
    GEMM_CHUNK = 384, /* of k: part of the definition */
    GEMM_COLS = 384,  /* most columns of a block: what a worker's scratch holds packed */
    GEMM_ROWS = 16,   /* most rows packed at once */
};

typedef struct GemmSpan {
    ptrdiff_t i0, i1, j0, j1; /* rows and columns of C */
} GemmSpan;

typedef void GemmBlock(const Gemm *g, GemmSpan s, void *own);
extern GemmBlock gemm_block_ref, gemm_block_plain, gemm_block_avx2, gemm_block_avx512;

#endif
