/* gemm_inside.h - what the tiles (gemm.c) and the kernels (level/gemm_block.c) agree on. */
#ifndef TENSOR_GEMM_INSIDE_H
#define TENSOR_GEMM_INSIDE_H

#include "tensor/gemm.h"

enum {
    GEMM_CHUNK = 384, /* of k: part of the definition */
    GEMM_COLS = 384,  /* most columns of a block: what a worker's scratch holds packed */
    GEMM_ROWS = 16,   /* most rows packed at once */
    GEMM_STEP = 448,  /* longest step along k at which b is read where it lies */
};

/* What a tile in fp16 needs of a worker's scratch, bytes: sums, scales, a panel of A. */
enum { GEMM_HALF_OWN = 4 * (GEMM_ROWS * 64 + GEMM_ROWS + GEMM_ROWS * GEMM_CHUNK) };

typedef struct GemmSpan {
    ptrdiff_t i0, i1, j0, j1; /* rows and columns of C */
} GemmSpan;

typedef void GemmBlock(const Gemm *g, GemmSpan s, void *own);
extern GemmBlock gemm_block_ref, gemm_block_plain, gemm_block_avx2, gemm_block_avx512;

/* Columns j0..j1-1 of all of b to their places in g->packed: chunk after chunk of k, in each panel
 * after panel.  Nothing at LEVEL_REF. */
typedef void GemmPack(const Gemm *g, ptrdiff_t j0, ptrdiff_t j1);
extern GemmPack gemm_panels_ref, gemm_panels_plain, gemm_panels_avx2, gemm_panels_avx512;

/* The same in fp16, where the processor has it. */
extern GemmBlock gemm_half_avx512;
extern GemmPack gemm_half_panels_avx512;

bool gemm_packs_once(const Gemm *g);

#endif
