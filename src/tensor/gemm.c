/* gemm.c - how a product is cut into tiles, and which kernel computes one.
 *
 * An element of C is a chain of its own (gemm.h), so tiles change speed, never bits.
 *
 * A tile that packs for itself packs its columns of B, and of A the rows it is about to
 * use; so all of B is packed once per row of tiles and all of A once per column of them.
 * Of the cuts that give a few threads work enough, the one that packs least is taken:
 * 768 x 128 becomes 8 x 1 tiles, 128 x 512 becomes 2 x 4.
 *
 * Where B is packed once for all, or read where it lies, and there are many rows, tiles
 * cost nothing but their number, and many small ones keep all threads busy to the end.
 * They go down the columns of C, so that a worker finds its columns of B in its cache.
 * With more than one chunk of k they do not stay there, and tall tiles read them less.  Where all
 * of B stays in the second cache, tiles are smaller still and go along the rows of C: half of the
 * rows is one worker's then, in this product and in what follows. */
#include "tensor/gemm.h"

#include "tensor/gemm_inside.h"

enum { ROWS_MOST = 294, ROWS_MANY = 588, TILES_WISHED = 8, AREA_LEAST = 64 * 64, GRAIN = 32 };
enum { ROWS_NEAR = 42, ROWS_SHORT = 84, ROWS_TALL = 252, PANEL = 14, PACK_COLS = 64 };
enum { NEAR_MOST = 256 << 10 };
enum { HALF_SHORT = 84, HALF_TALL = 168, HALF_COLS = 512, HALF_WIDE = 1024, HALF_GRAIN = 64 };

typedef struct Cut {
    ptrdiff_t down, across; /* tiles */
    ptrdiff_t rows;         /* of a tile; 0: dealt evenly */
    ptrdiff_t grains;       /* of columns, dealt evenly to the tiles of a row */
    bool rows_first;        /* tiles go along the rows of C, not down its columns */
    ptrdiff_t grain;        /* columns of one */
} Cut;

static ptrdiff_t ceil_div(ptrdiff_t a, ptrdiff_t b)
{
    return (a + b - 1) / b;
}

/* B is read where it lies, every panel of it. */
static bool lies_well(const Gemm *g)
{
    return g->b_col == 1 && g->b_row <= GEMM_STEP && g->n % 16 == 0;
}

static bool many_rows(const Gemm *g)
{
    return g->m > ROWS_MANY && g->a_col == 1;
}

bool gemm_packs_once(const Gemm *g)
{
    return g->half || (g->once && many_rows(g) && !lies_well(g));
}

/* All of B is at hand in a worker's second cache, wherever a tile begins. */
static bool stays_near(const Gemm *g)
{
    return g->k * g->n <= NEAR_MOST && (lies_well(g) || gemm_packs_once(g));
}

static Cut cut_by_rows(const Gemm *g)
{
    bool near = stays_near(g);
    ptrdiff_t most = near ? ROWS_NEAR : g->k > GEMM_CHUNK ? ROWS_TALL : ROWS_SHORT;
    Cut c = { .grains = ceil_div(g->n, GRAIN), .grain = GRAIN, .rows_first = near };
    c.rows = ceil_div(ceil_div(g->m, ceil_div(g->m, most)), PANEL) * PANEL;
    c.down = ceil_div(g->m, c.rows);
    c.across = ceil_div(c.grains, GEMM_COLS / GRAIN);
    return c;
}

/* In fp16 all of B is packed, and panels of A are made for each row of tiles anew: those are wide.
 */
static Cut cut_half(const Gemm *g)
{
    bool tall = g->k > GEMM_CHUNK;
    ptrdiff_t most = tall ? HALF_TALL : HALF_SHORT, cols = tall ? HALF_COLS : HALF_WIDE;
    Cut c = { .grains = ceil_div(g->n, HALF_GRAIN), .grain = HALF_GRAIN };
    c.rows = ceil_div(ceil_div(g->m, ceil_div(g->m, most)), PANEL) * PANEL;
    c.down = ceil_div(g->m, c.rows);
    c.across = ceil_div(c.grains, cols / HALF_GRAIN);
    return c;
}

static Cut cut_of(const Gemm *g)
{
    if (g->half) return cut_half(g);
    if (many_rows(g) && (g->once || lies_well(g))) return cut_by_rows(g);
    if (g->m > 2 * ROWS_NEAR && stays_near(g)) return cut_by_rows(g);
    ptrdiff_t m = g->m, n = g->n, grains = ceil_div(n, GRAIN), least_packed = PTRDIFF_MAX;
    ptrdiff_t wished = MAX(1, MIN(TILES_WISHED, m * n / AREA_LEAST));
    Cut best = { 1, 1, .grains = grains, .grain = GRAIN };
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

int gemm_tiles(const Gemm *g)
{
    Cut c = cut_of(g);
    return (int)(c.down * c.across);
}

int gemm_packs(const Gemm *g)
{
    return gemm_packs_once(g) ? (int)ceil_div(g->n, PACK_COLS) : 0;
}

ptrdiff_t gemm_packed(const Gemm *g)
{
    if (g->half) return ceil_div(g->n, 32) * 32 * (2 * g->k + 4 * ceil_div(g->k, GEMM_CHUNK));
    ptrdiff_t columns = ceil_div(g->n, 16) * 16;
    return gemm_packs_once(g) ? columns * g->k * (ptrdiff_t)sizeof(float) : 0;
}

ptrdiff_t gemm_own(ptrdiff_t k)
{
    ptrdiff_t floats = MIN(k, GEMM_CHUNK) * (GEMM_COLS + GEMM_ROWS);
    return MAX(GEMM_HALF_OWN, floats * (ptrdiff_t)sizeof(float));
}

/* Where `half` is true the level is one that has half precision (plan.c). */
static GemmBlock *block_at(CpuLevel level, bool half)
{
    (void)half;
#if HAVE_X86_LEVELS
    if (half && level == LEVEL_AVX512) return gemm_half_avx512;
#endif
    switch (level) {
    case LEVEL_REF: return gemm_block_ref;
#if HAVE_X86_LEVELS
    case LEVEL_AVX2: return gemm_block_avx2;
    case LEVEL_AVX512: return gemm_block_avx512;
#endif
    default: return gemm_block_plain;
    }
}

static GemmPack *pack_at(CpuLevel level, bool half)
{
    (void)half;
#if HAVE_X86_LEVELS
    if (half && level == LEVEL_AVX512) return gemm_half_panels_avx512;
#endif
    switch (level) {
    case LEVEL_REF: return gemm_panels_ref;
#if HAVE_X86_LEVELS
    case LEVEL_AVX2: return gemm_panels_avx2;
    case LEVEL_AVX512: return gemm_panels_avx512;
#endif
    default: return gemm_panels_plain;
    }
}

void gemm_pack(CpuLevel level, const Gemm *g, int part)
{
    ptrdiff_t j = part * (ptrdiff_t)PACK_COLS;
    pack_at(level, g->half)(g, j, MIN(g->n, j + PACK_COLS));
}

void gemm_tile(CpuLevel level, const Gemm *g, int tile, void *own)
{
    Cut c = cut_of(g);
    ptrdiff_t i = c.rows_first ? tile / c.across : tile % c.down;
    ptrdiff_t j = c.rows_first ? tile % c.across : tile / c.down;
    GemmSpan s = { .i0 = c.rows ? i * c.rows : g->m * i / c.down,
                   .i1 = c.rows ? MIN(g->m, (i + 1) * c.rows) : g->m * (i + 1) / c.down,
                   .j0 = c.grains * j / c.across * c.grain,
                   .j1 = MIN(g->n, c.grains * (j + 1) / c.across * c.grain) };
    block_at(level, g->half)(g, s, own);
}

void gemm_all(CpuLevel level, const Gemm *g, void *own)
{
    Gemm each = *g;
    each.once = each.half = false;
    for (ptrdiff_t j = 0; j < g->n; j += GEMM_COLS) {
        GemmSpan s = { .i1 = g->m, .j0 = j, .j1 = MIN(g->n, j + GEMM_COLS) };
        block_at(level, false)(&each, s, own);
    }
}
