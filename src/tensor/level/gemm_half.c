/* gemm_half.c - a block of a matrix product in half precision, where AVX512-FP16 is.
 *
 * The units multiply and add 32 halves where they do 16 floats, but what they add up is a half
 * too: 11 bits, at most 65504.  So a sum in half is kept short, and its operands are brought to
 * one size first.  That is the definition:
 *
 *   - k goes in blocks of 384, as in fp32; in a block each row of A and each column of B is
 *     multiplied by a power of two that brings its largest magnitude to 8..16, and is rounded
 *     to half, to nearest, even;
 *   - in a block, 64 products at a time are summed in half, k ascending, FMA from zero; these
 *     sums are added up in float, in order, and the float is multiplied by what undoes both
 *     powers of two and added to C with one FMA; bias last.
 *
 * 64 products of at most 16 x 16 are 16384 at most: nothing overflows whatever the operands, so
 * no loss has to be scaled and no step to be skipped.  An element 2^-18 of the largest in its
 * row and block keeps all its bits, one 2^-28 of it is lost.  A row's powers are its own and a
 * column's its own: results do not depend on neighbours (E3).  Infinities and NaNs come through
 * as such; products below 2^-111 may become zero.
 *
 * Error of an element against exact sums, relative to the root of the sum of the squares of its
 * products: 1.2e-3 in the mean for operands without a sign of their own, whatever the length of k
 * (docs/decisions/010).  Sums of 128 run 6 % faster and are 1.4 times as wrong.
 *
 * How: B is packed once per product, in a phase before (gemm.h), because a number is converted
 * at some cost.  A panel of A is packed by the tile, every half twice, side by side: a pair is
 * broadcast by the load, a single half takes a shuffle, and the kernel then does 450 GFLOP/s
 * where it does 665 with pairs.  14 rows by 64 columns of sums fill 28 registers.
 *
 * Rejected: one power of two per tensor (a row would depend on the others); a kernel that adds
 * each sum to C at once (rows of C that lie a multiple of 4 KiB apart leave the first cache). */
#include "tensor/gemm_inside.h"
#include "tensor/level/gemm_inner.h"

#if LEVEL == 3

enum { LANES = 2 * WIDE, PANEL = 2 * LANES, SUMS = 64 };

typedef __m512h Halves;

/* ---- scales ---------------------------------------------------------------------------------- */

/* The powers of two for largest magnitudes given as bits of floats, and what undoes them. */
static void scales_of(__m512i largest, Vec *scale, Vec *back)
{
    __m512i exponent = _mm512_srli_epi32(largest, 23);
    __m512i field = _mm512_sub_epi32(_mm512_set1_epi32(257), exponent);
    field = _mm512_min_epi32(field, _mm512_set1_epi32(253));
    *scale = _mm512_castsi512_ps(_mm512_slli_epi32(field, 23));
    *back =
        _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_sub_epi32(_mm512_set1_epi32(254), field), 23));
}

INLINE __m512i larger(__m512i largest, Vec x)
{
    __m512i bits = _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fffffff));
    return _mm512_max_epu32(largest, bits);
}

static unsigned largest_along(const float *x, ptrdiff_t n)
{
    __m512i largest = _mm512_setzero_si512();
    ptrdiff_t i = 0;
    for (; i + WIDE <= n; i += WIDE) largest = larger(largest, VLOAD(x + i));
    if (i < n) largest = larger(largest, VLOAD_SOME(x + i, VMASK(n - i)));
    return _mm512_reduce_max_epu32(largest);
}

INLINE __m256i to_half(Vec x, Vec scale)
{
    return _mm512_cvtps_ph(_mm512_mul_ps(x, scale), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* ---- packing --------------------------------------------------------------------------------- */

static ptrdiff_t columns_of(const Gemm *g)
{
    return (g->n + LANES - 1) / LANES * LANES;
}

static ptrdiff_t panel_width(ptrdiff_t columns_left)
{
    return columns_left > LANES ? PANEL : LANES;
}

/* g->packed: for each block of k its panels one after the other; then for each block a float per
 * column, what undoes its scale. */
static uint16_t *panel_at(const Gemm *g, ptrdiff_t k0, ptrdiff_t k, ptrdiff_t j)
{
    return (uint16_t *)g->packed + k0 * columns_of(g) + j * k;
}

static float *backs_at(const Gemm *g, ptrdiff_t k0, ptrdiff_t j)
{
    float *backs = (float *)((char *)g->packed + columns_of(g) * g->k * 2);
    return backs + k0 / GEMM_CHUNK * columns_of(g) + j;
}

/* k rows of up to `wide` vectors, `columns` numbers, rows b_row apart. */
INLINE void pack_rows(const float *b, ptrdiff_t b_row, ptrdiff_t k, ptrdiff_t columns,
                      const int wide, uint16_t *to, float *back)
{
    __m512i largest[4];
    Vec scale[4], undo;
    Mask some[4];
    UNROLL
    for (int w = 0; w < wide; w++) {
        some[w] = VMASK(MAX(0, MIN(WIDE, columns - w * WIDE)));
        largest[w] = _mm512_setzero_si512();
    }
    for (ptrdiff_t i = 0; i < k; i++) {
        UNROLL
        for (int w = 0; w < wide; w++)
            largest[w] = larger(largest[w], VLOAD_SOME(b + i * b_row + w * WIDE, some[w]));
    }
    UNROLL
    for (int w = 0; w < wide; w++) {
        scales_of(largest[w], &scale[w], &undo);
        VSTORE(back + w * WIDE, undo);
    }
    for (ptrdiff_t i = 0; i < k; i++, to += wide * WIDE) {
        UNROLL
        for (int w = 0; w < wide; w++)
            _mm256_storeu_si256((__m256i *)(to + w * WIDE),
                                to_half(VLOAD_SOME(b + i * b_row + w * WIDE, some[w]), scale[w]));
    }
}

/* The same of columns that lie along k: squares are turned in registers. */
static void pack_columns(const float *b, ptrdiff_t b_col, ptrdiff_t k, int columns, ptrdiff_t step,
                         uint16_t *to, float *back)
{
    unsigned largest[WIDE] = { 0 };
    Vec scale, undo, square[WIDE];
    for (int c = 0; c < columns; c++) largest[c] = largest_along(b + c * b_col, k);
    scales_of(_mm512_loadu_si512(largest), &scale, &undo);
    VSTORE(back, undo);
    for (ptrdiff_t i = 0; i < k; i += WIDE) {
        int rows = (int)MIN(WIDE, k - i);
        for (int c = 0; c < WIDE; c++)
            square[c] = c < columns ? VLOAD_SOME(b + c * b_col + i, VMASK(rows)) : VZERO;
        turn(square);
        for (int r = 0; r < rows; r++)
            _mm256_storeu_si256((__m256i *)(to + (i + r) * step), to_half(square[r], scale));
    }
}

static void pack_panel(const Gemm *g, ptrdiff_t k0, ptrdiff_t k, ptrdiff_t j)
{
    const float *b = (const float *)g->b + k0 * g->b_row + j * g->b_col;
    ptrdiff_t columns = MIN(PANEL, g->n - j), step = panel_width(g->n - j);
    uint16_t *to = panel_at(g, k0, k, j);
    float *back = backs_at(g, k0, j);
    if (g->b_col != 1) {
        for (ptrdiff_t c = 0; c < step; c += WIDE)
            pack_columns(b + c * g->b_col, g->b_col, k, (int)MAX(0, MIN(WIDE, columns - c)), step,
                         to + c, back + c);
    } else if (step == PANEL) {
        pack_rows(b, g->b_row, k, columns, PANEL / WIDE, to, back);
    } else {
        pack_rows(b, g->b_row, k, columns, LANES / WIDE, to, back);
    }
}

void gemm_half_panels_avx512(const Gemm *g, ptrdiff_t j0, ptrdiff_t j1)
{
    for (ptrdiff_t k0 = 0; k0 < g->k; k0 += GEMM_CHUNK)
        for (ptrdiff_t j = j0; j < j1; j += PANEL) pack_panel(g, k0, MIN(GEMM_CHUNK, g->k - k0), j);
}

/* A panel of A: every half twice in a word.  Rows that lie along k stay so, a row after another
 * `a_step` apart; others lie beside each other, GEMM_ROWS of them. */
typedef struct Panel {
    const Gemm *g;
    ptrdiff_t i, k0, k;
    int high;
    uint32_t *to;
    float *back; /* of each row */
} Panel;

INLINE void store_pairs(uint32_t *to, Vec x, Vec scale)
{
    __m512i one = _mm512_cvtepu16_epi32(to_half(x, scale));
    _mm512_storeu_si512(to, _mm512_or_si512(one, _mm512_slli_epi32(one, 16)));
}

static void pack_a_along(const Panel *p)
{
    const float *a = (const float *)p->g->a + p->i * p->g->a_row + p->k0;
    for (int r = 0; r < p->high; r++, a += p->g->a_row) {
        uint32_t *to = p->to + r * GEMM_CHUNK;
        Vec scale, undo;
        scales_of(_mm512_set1_epi32((int)largest_along(a, p->k)), &scale, &undo);
        p->back[r] = _mm512_cvtss_f32(undo);
        ptrdiff_t i = 0;
        for (; i + WIDE <= p->k; i += WIDE) store_pairs(to + i, VLOAD(a + i), scale);
        if (i < p->k) store_pairs(to + i, VLOAD_SOME(a + i, VMASK(p->k - i)), scale);
    }
}

/* Rows of A often lie so that they do not stay in the first cache: they are read once. */
static void pack_a_across(const Panel *p)
{
    const float *a = (const float *)p->g->a + p->i + p->k0 * p->g->a_col;
    Mask some = VMASK(p->high);
    __m512i largest = _mm512_setzero_si512();
    Vec scale, undo;
    for (ptrdiff_t i = 0; i < p->k; i++) {
        Vec x = VLOAD_SOME(a + i * p->g->a_col, some);
        largest = larger(largest, x);
        _mm512_storeu_ps(p->to + i * GEMM_ROWS, x);
    }
    scales_of(largest, &scale, &undo);
    VSTORE(p->back, undo);
    for (ptrdiff_t i = 0; i < p->k; i++) {
        uint32_t *to = p->to + i * GEMM_ROWS;
        store_pairs(to, _mm512_loadu_ps(to), scale);
    }
}

/* ---- the inner kernel ------------------------------------------------------------------------ */

typedef struct Inner {
    ptrdiff_t k;
    const uint32_t *a;
    const uint16_t *b;
    float *sum; /* (rows, PANEL) */
    const float *c;
    ptrdiff_t c_row;
    Ahead *ahead;
} Inner;

INLINE void add_one(Halves sum[HIGH][2], const uint32_t *const *a, const uint16_t *b, const Form f,
                    const int u)
{
    Halves b0 = _mm512_loadu_ph(b);
    Halves b1 = f.wide > 1 ? _mm512_loadu_ph(b + LANES) : _mm512_setzero_ph();
    UNROLL
    for (int r = 0; r < f.high; r++) {
        const uint32_t *at = f.along ? a[r / 3] + r % 3 * GEMM_CHUNK + u : a[0] + u * GEMM_ROWS + r;
        Halves x = _mm512_castsi512_ph(_mm512_set1_epi32((int)*at));
        sum[r][0] = _mm512_fmadd_ph(x, b0, sum[r][0]);
        if (f.wide > 1) sum[r][1] = _mm512_fmadd_ph(x, b1, sum[r][1]);
    }
}

INLINE void move_rows(const uint32_t **a, const Form f, const int by)
{
    if (!f.along) {
        a[0] += by * GEMM_ROWS;
        return;
    }
    UNROLL
    for (int r = 0; r < f.high; r += 3) a[r / 3] += by;
}

INLINE void flush(const Inner *t, Halves sum[HIGH][2], const Form f, const bool first)
{
    UNROLL
    for (int r = 0; r < f.high; r++) {
        UNROLL
        for (int w = 0; w < f.wide; w++) {
            float *at = t->sum + r * PANEL + w * LANES;
            __m512i v = _mm512_castph_si512(sum[r][w]);
            Vec low = _mm512_cvtph_ps(_mm512_castsi512_si256(v));
            Vec high = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(v, 1));
            VSTORE(at, first ? low : VADD(VLOAD(at), low));
            VSTORE(at + WIDE, first ? high : VADD(VLOAD(at + WIDE), high));
        }
    }
}

INLINE void inner(const Inner *t, const Form f)
{
    const ptrdiff_t b_step = f.wide * LANES;
    const uint32_t *a[(HIGH + 2) / 3];
    UNROLL
    for (int r = 0; r < f.high; r += 3) a[r / 3] = t->a + (f.along ? r * GEMM_CHUNK : 0);
    const uint16_t *b = t->b;
    Ahead ahead = *t->ahead;
    const float *c = t->c, *c_last = c + (f.high - 1) * t->c_row;
    for (ptrdiff_t k0 = 0; k0 < t->k; k0 += SUMS) {
        Halves sum[HIGH][2];
        UNROLL
        for (int r = 0; r < f.high; r++) sum[r][0] = sum[r][1] = _mm512_setzero_ph();
        ptrdiff_t k = MIN(SUMS, t->k - k0);
        for (; k >= DEEP; k -= DEEP, b += DEEP * b_step) {
            __builtin_prefetch(c, 1, 3);
            __builtin_prefetch(c + WIDE, 1, 3);
            if (f.wide > 1) __builtin_prefetch(c + 2 * WIDE, 1, 3);
            if (f.wide > 1) __builtin_prefetch(c + 3 * WIDE, 1, 3);
            c = c < c_last ? c + t->c_row : c_last;
            ask_ahead(&ahead);
            UNROLL
            for (int u = 0; u < DEEP; u++) add_one(sum, a, b + u * b_step, f, u);
            move_rows(a, f, DEEP);
        }
        for (; k > 0; k--, b += b_step) {
            add_one(sum, a, b, f, 0);
            move_rows(a, f, 1);
        }
        if (k0)
            flush(t, sum, f, false);
        else
            flush(t, sum, f, true);
    }
    *t->ahead = ahead;
}

INNER_KERNELS

/* ---- the block ------------------------------------------------------------------------------- */

/* Sums on their way into C: each by what undoes its row's and its column's scale. */
static void put(const Gemm *g, const Panel *p, const float *sums, ptrdiff_t j, ptrdiff_t n)
{
    const float *backs = backs_at(g, p->k0, j);
    const float *bias = p->k0 + p->k == g->k && g->bias ? (const float *)g->bias + j : NULL;
    bool add = g->add || p->k0 > 0;
    for (int r = 0; r < p->high; r++) {
        float *c = (float *)g->c + (p->i + r) * g->c_row + j;
        Vec row = VONE(p->back + r);
        for (ptrdiff_t x = 0; x < n; x += WIDE) {
            Mask some = VMASK(MIN(WIDE, n - x));
            Vec scale = _mm512_mul_ps(row, VLOAD(backs + x));
            Vec v = VFMA(VLOAD(sums + r * PANEL + x), scale, add ? VLOAD_SOME(c + x, some) : VZERO);
            if (bias) v = VADD(v, VLOAD_SOME(bias + x, some));
            VSTORE_SOME(c + x, v, some);
        }
    }
}

/* The panel of A after this one: beyond the last of the tile, the first of the next block of k. */
static Ahead ahead_a(const Panel *p, GemmSpan s)
{
    const Gemm *g = p->g;
    ptrdiff_t i = p->i + p->high, k0 = p->k0;
    if (i >= s.i1 && k0 + p->k < g->k) i = s.i0, k0 += p->k;
    if (i >= g->m) return nothing_ahead(g->a);
    ptrdiff_t k = MIN(GEMM_CHUNK, g->k - k0), high = MIN(HIGH, g->m - i);
    const float *a = (const float *)g->a + i * g->a_row + k0 * g->a_col;
    return g->a_col == 1 ? ahead_of(a, high, g->a_row * 4, k * 4)
                         : ahead_of(a, k, g->a_col * 4, high * 4);
}

static Ahead ahead_b(const Gemm *g, ptrdiff_t k0, GemmSpan s)
{
    ptrdiff_t k = MIN(GEMM_CHUNK, g->k - k0);
    if (k <= 0) return nothing_ahead(g->b);
    return ahead_of(panel_at(g, k0, k, s.j0), 1, 0, (s.j1 - s.j0) * k * 2);
}

static void multiply_rows(const Panel *p, GemmSpan s, float *sums, Ahead *next_b)
{
    const Gemm *g = p->g;
    bool along = g->a_col == 1;
    Ahead next_a = ahead_a(p, s), nothing = nothing_ahead(p->to);
    for (ptrdiff_t j = s.j0, step; j < s.j1; j += step) {
        step = panel_width(g->n - j);
        Inner t = { .k = p->k,
                    .a = p->to,
                    .b = panel_at(g, p->k0, p->k, j),
                    .sum = sums,
                    .c = (const float *)g->c + p->i * g->c_row + j,
                    .c_row = g->c_row,
                    .ahead = next_a.rows > 0    ? &next_a
                             : next_b->rows > 0 ? next_b
                                                : &nothing };
        kernels[p->high - 1][along][step / LANES - 1](&t);
        put(g, p, sums, j, MIN(step, s.j1 - j));
    }
}

void gemm_half_avx512(const Gemm *g, GemmSpan s, void *own)
{
    float *sums = own, *back = sums + HIGH * PANEL;
    uint32_t *pairs = (uint32_t *)(back + GEMM_ROWS);
    ptrdiff_t count = s.i1 - s.i0, panels = (count + HIGH - 1) / HIGH;
    for (ptrdiff_t k0 = 0; k0 < g->k; k0 += GEMM_CHUNK) {
        Ahead next_b = ahead_b(g, k0 + GEMM_CHUNK, s);
        for (ptrdiff_t n = 0; n < panels; n++) {
            Panel p = {
                .g = g, .k0 = k0, .k = MIN(GEMM_CHUNK, g->k - k0), .to = pairs, .back = back
            };
            p.i = s.i0 + count * n / panels;
            p.high = (int)(s.i0 + count * (n + 1) / panels - p.i);
            if (g->a_col == 1)
                pack_a_along(&p);
            else
                pack_a_across(&p);
            multiply_rows(&p, s, sums, &next_b);
        }
    }
}

#endif
