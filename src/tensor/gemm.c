/* gemm.c - how a product is cut into tiles, and which kernel computes one.
 *
 * An element of C is a chain of its own (gemm.h), so tiles change speed, never
 * bits.  A tile packs the columns of B it needs and walks down its rows; so it
 * should be tall, to use what it packed often, and there should be enough tiles
 * that a few threads are busy even with a small product.  Measured on the
 * shapes of models from 128 to 768 wide: at most 252 rows, at least 8 tiles,
 * unless that makes them lower than 32 rows. */
#include "tensor/gemm.h"

#include "tensor/gemm_inside.h"

enum { ROWS_MOST = 252, ROWS_LEAST = 32, TILES_WISHED = 8, GRAIN = 32 };

typedef struct Cut {
    ptrdiff_t down, across; /* tiles */
    ptrdiff_t width;        /* columns of a tile */
} Cut;

static ptrdiff_t ceil_div(ptrdiff_t a, ptrdiff_t b)
{
    return (a + b - 1) / b;
}

static Cut cut_of(ptrdiff_t m, ptrdiff_t n)
{
    Cut c = { .across = ceil_div(n, GEMM_COLS) };
    c.width = ceil_div(ceil_div(n, c.across), GRAIN) * GRAIN;
    c.across = ceil_div(n, c.width);
    ptrdiff_t wished = MIN(ceil_div(TILES_WISHED, c.across), m / ROWS_LEAST);
    c.down = MAX(MAX(1, wished), ceil_div(m, ROWS_MOST));
    return c;
}

int gemm_tiles(ptrdiff_t m, ptrdiff_t n)
{
    Cut c = cut_of(m, n);
    return (int)(c.down * c.across);
}

ptrdiff_t gemm_own(ptrdiff_t k)
{
    return MIN(k, GEMM_CHUNK) * (GEMM_COLS + GEMM_ROWS) * (ptrdiff_t)sizeof(float) + 64;
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
                   .j0 = j * c.width,
                   .j1 = MIN(g->n, (j + 1) * c.width) };
    block_at(level)(g, s, own);
}

void gemm_all(CpuLevel level, const Gemm *g, void *own)
{
    for (ptrdiff_t j = 0; j < g->n; j += GEMM_COLS)
        block_at(level)(g, (GemmSpan){ .i1 = g->m, .j0 = j, .j1 = MIN(g->n, j + GEMM_COLS) }, own);
}
