/* gemm.c - how a product is cut into tiles, and which kernel computes one.
 *
 * An element of C is a chain of its own (gemm.h), so tiles change speed, never
 * bits.  A tile packs its columns of B, and of A the rows it is about to use; so
 * all of B is packed once per row of tiles and all of A once per column of them.
 * Of the cuts that give a few threads work enough, the one that packs least is
 * taken: 768 x 128 becomes 8 x 1 tiles, 128 x 512 becomes 2 x 4. */
#include "tensor/gemm.h"

#include "tensor/gemm_inside.h"

enum { ROWS_MOST = 252, TILES_WISHED = 8, AREA_LEAST = 64 * 64, GRAIN = 32 };

typedef struct Cut {
    ptrdiff_t down, across; /* tiles */
    ptrdiff_t grains;       /* of columns, dealt evenly to the tiles of a row */
} Cut;

static ptrdiff_t ceil_div(ptrdiff_t a, ptrdiff_t b)
{
    return (a + b - 1) / b;
}

static Cut cut_of(ptrdiff_t m, ptrdiff_t n)
{
    ptrdiff_t grains = ceil_div(n, GRAIN), least_packed = PTRDIFF_MAX;
    ptrdiff_t wished = MAX(1, MIN(TILES_WISHED, m * n / AREA_LEAST));
    Cut best = { 1, 1, grains };
    ptrdiff_t fewest = ceil_div(grains, GEMM_COLS / GRAIN);
    for (ptrdiff_t across = fewest; across <= grains && across * m < least_packed; across++) {
        ptrdiff_t down = MAX(ceil_div(m, ROWS_MOST), MIN(m, ceil_div(wished, across)));
        ptrdiff_t packed = down * n + across * m;
        if (packed >= least_packed) continue;
        least_packed = packed;
        best.down = down;
        best.across = across;
    }
    return best;
}

int gemm_tiles(ptrdiff_t m, ptrdiff_t n)
{
    Cut c = cut_of(m, n);
    return (int)(c.down * c.across);
}

ptrdiff_t gemm_own(ptrdiff_t k)
{
    return MIN(k, GEMM_CHUNK) * (GEMM_COLS + GEMM_ROWS) * (ptrdiff_t)sizeof(float);
}

static GemmBlock *block_at(CpuLevel level)
{
    switch (level) {
    case LEVEL_REF: return gemm_block_ref;
#if HAVE_X86_LEVELS
    case LEVEL_AVX2: return gemm_block_avx2;
    case LEVEL_AVX512: return gemm_block_avx512;
#endif
    default: return gemm_block_plain;
    }
}

void gemm_tile(CpuLevel level, const Gemm *g, int tile, void *own)
{
    Cut c = cut_of(g->m, g->n);
    ptrdiff_t i = tile % c.down, j = tile / c.down;
    GemmSpan s = { .i0 = g->m * i / c.down,
                   .i1 = g->m * (i + 1) / c.down,
                   .j0 = c.grains * j / c.across * GRAIN,
                   .j1 = MIN(g->n, c.grains * (j + 1) / c.across * GRAIN) };
    block_at(level)(g, s, own);
}

void gemm_all(CpuLevel level, const Gemm *g, void *own)
{
    for (ptrdiff_t j = 0; j < g->n; j += GEMM_COLS)
        block_at(level)(g, (GemmSpan){ .i1 = g->m, .j0 = j, .j1 = MIN(g->n, j + GEMM_COLS) }, own);
}
