/* tile.h - products of a few rows, sums in registers, for kernels that hold their operands in the
 * first two caches and lay them out themselves.
 *
 *     c[i][j] (+)= sum over k of a[i][k] b[k][j]      i < high <= HIGH, j < wide * WIDE, wide <= 2
 *
 * One chain of FMAs over ascending k per element, which begins at c where it is added to: so a sum
 * may be continued by another call, and where the cuts are changes no bit.  Products of layers are
 * gemm.h's business: they pack, look ahead, and cut long sums. */
#ifndef TENSOR_LEVEL_TILE_H
#define TENSOR_LEVEL_TILE_H

#include "tensor/level/gemm_vec.h"
#include "tensor/level/vec.h"

#if LEVEL > 0

enum { PANEL = 2 * WIDE };

/* What rows of logits need beside: VTWO(x) is 2^n for x = n + 1.5 2^23; VTOP the largest element.
 */
#if LEVEL == 3
#define VSUB(a, b) _mm512_sub_ps((a), (b))
#define VMUL(a, b) _mm512_mul_ps((a), (b))
#define VMAX(a, b) _mm512_max_ps((a), (b))
#define VTOP(v) _mm512_reduce_max_ps(v)
#define VTWO(v)                                                                                    \
    _mm512_castsi512_ps(_mm512_add_epi32(_mm512_slli_epi32(_mm512_castps_si512(v), 23),            \
                                         _mm512_set1_epi32(127 << 23)))
#elif LEVEL == 2
#define VSUB(a, b) _mm256_sub_ps((a), (b))
#define VMUL(a, b) _mm256_mul_ps((a), (b))
#define VMAX(a, b) _mm256_max_ps((a), (b))
#define VTWO(v)                                                                                    \
    _mm256_castsi256_ps(_mm256_add_epi32(_mm256_slli_epi32(_mm256_castps_si256(v), 23),            \
                                         _mm256_set1_epi32(127 << 23)))
static inline float vec_top(Vec v)
{
    __m128 x = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    x = _mm_max_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_max_ss(x, _mm_shuffle_ps(x, x, 1)));
}
#define VTOP(v) vec_top(v)
#else
static inline Vec vec_sub(Vec a, Vec b)
{
    for (int i = 0; i < WIDE; i++) a.x[i] -= b.x[i];
    return a;
}
static inline Vec vec_mul(Vec a, Vec b)
{
    for (int i = 0; i < WIDE; i++) a.x[i] *= b.x[i];
    return a;
}
static inline Vec vec_max(Vec a, Vec b)
{
    for (int i = 0; i < WIDE; i++) a.x[i] = a.x[i] > b.x[i] ? a.x[i] : b.x[i];
    return a;
}
static inline Vec vec_two(Vec v)
{
    for (int i = 0; i < WIDE; i++) {
        uint32_t bits;
        memcpy(&bits, &v.x[i], sizeof(bits));
        bits = (bits << 23) + (127u << 23);
        memcpy(&v.x[i], &bits, sizeof(bits));
    }
    return v;
}
static inline float vec_top(Vec v)
{
    float a = v.x[0] > v.x[1] ? v.x[0] : v.x[1], b = v.x[2] > v.x[3] ? v.x[2] : v.x[3];
    return a > b ? a : b;
}
#define VSUB(a, b) vec_sub((a), (b))
#define VMUL(a, b) vec_mul((a), (b))
#define VMAX(a, b) vec_max((a), (b))
#define VTWO(v) vec_two(v)
#define VTOP(v) vec_top(v)
#endif

/* vec_exp2() of x <= 0. */
static inline Vec tile_exp2(Vec x)
{
    const float magic = 0x1.8p23f, low = -125.0f, one = 1.0f;
    const float c[] = { 0x1.5ac9b2p-10f, 0x1.3cec1ap-7f, 0x1.c6b9e8p-5f, 0x1.ebf9b6p-3f,
                        0x1.62e426p-1f };
    x = VMAX(VONE(&low), x); /* this way round, a NaN stays one */
    Vec shifted = VADD(x, VONE(&magic)), r = VSUB(x, VSUB(shifted, VONE(&magic)));
    Vec p = VFMA(VONE(&c[0]), r, VONE(&c[1]));
    p = VFMA(p, r, VONE(&c[2]));
    p = VFMA(p, r, VONE(&c[3]));
    p = VFMA(p, r, VONE(&c[4]));
    p = VFMA(p, r, VONE(&one));
    return VMUL(p, VTWO(shifted));
}

typedef struct Tile {
    ptrdiff_t k;
    const float *a, *b;
    ptrdiff_t a_row, a_col, b_step; /* in elements; columns of b and c are adjacent */
    float *c;
    ptrdiff_t c_row;
    bool add;
} Tile;

/* `high` and `wide` are constants at every call.  Rows are reached in threes from one pointer. */
__attribute__((always_inline)) static inline void tile_inner(const Tile *t, const int high,
                                                             const int wide)
{
    Vec sum[HIGH][2];
    const float *row[(HIGH + 2) / 3], *b = t->b;
    ptrdiff_t a_row = t->a_row, a_col = t->a_col, b_step = t->b_step;
    UNROLL
    for (int r = 0; r < high; r++) {
        const float *c = t->c + r * t->c_row;
        sum[r][0] = t->add ? VLOAD(c) : VZERO;
        if (wide > 1) sum[r][1] = t->add ? VLOAD(c + WIDE) : VZERO;
    }
    UNROLL
    for (int r = 0; r < high; r += 3) row[r / 3] = t->a + r * a_row;
    for (ptrdiff_t k = 0; k < t->k; k++) {
        Vec b0 = VLOAD(b), b1 = wide > 1 ? VLOAD(b + WIDE) : VZERO;
        b += b_step;
        UNROLL
        for (int r = 0; r < high; r++) {
            Vec a = VONE(row[r / 3] + r % 3 * a_row);
            sum[r][0] = VFMA(a, b0, sum[r][0]);
            if (wide > 1) sum[r][1] = VFMA(a, b1, sum[r][1]);
        }
        UNROLL
        for (int r = 0; r < high; r += 3) row[r / 3] += a_col;
    }
    UNROLL
    for (int r = 0; r < high; r++) {
        float *c = t->c + r * t->c_row;
        VSTORE(c, sum[r][0]);
        if (wide > 1) VSTORE(c + WIDE, sum[r][1]);
    }
}

#define TILE(high)                                                                                 \
    static void tile_##high##_1(const Tile *t)                                                     \
    {                                                                                              \
        tile_inner(t, high, 1);                                                                    \
    }                                                                                              \
    static void tile_##high##_2(const Tile *t)                                                     \
    {                                                                                              \
        tile_inner(t, high, 2);                                                                    \
    }
#define TILES(high)                                                                                \
    {                                                                                              \
        tile_##high##_1, tile_##high##_2                                                           \
    }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)
#if LEVEL == 3
TILE(7)
TILE(8)
TILE(9)
TILE(10)
TILE(11)
TILE(12)
TILE(13)
TILE(14)
#endif

/* All of `columns`, a multiple of WIDE; b_panel: from a panel of b to the next.  Spends t: a copy
 * of it, made in large pieces of what was just written in small ones, would stall. */
static inline void tile_run(Tile *t, int high, ptrdiff_t columns, ptrdiff_t b_panel)
{
    static void (*const tiles[HIGH][2])(const Tile *t) = {
        TILES(1),
        TILES(2),
        TILES(3),
        TILES(4),
        TILES(5),
        TILES(6),
#if LEVEL == 3
        TILES(7),
        TILES(8),
        TILES(9),
        TILES(10),
        TILES(11),
        TILES(12),
        TILES(13),
        TILES(14),
#endif
    };
    for (ptrdiff_t j = 0; j < columns; j += PANEL, t->b += b_panel, t->c += PANEL)
        tiles[high - 1][columns - j > WIDE](t);
}

/* n rows of `size` elements to rows of `step`, filled up with zeros. */
static inline void tile_rows(const float *x, ptrdiff_t x_step, ptrdiff_t n, ptrdiff_t size,
                             float *to)
{
    ptrdiff_t step = (size + WIDE - 1) / WIDE * WIDE;
    for (ptrdiff_t i = 0; i < n; i++, x += x_step, to += step) {
        ptrdiff_t j = 0;
        for (; j + WIDE <= size; j += WIDE) VSTORE(to + j, VLOAD(x + j));
        if (j < size) VSTORE(to + j, VLOAD_SOME(x + j, VMASK((int)(size - j))));
    }
}

/* Up to WIDE rows of x, up to WIDE elements of each, turned. */
static inline void tile_square(const float *x, ptrdiff_t x_step, int rows, int size, float *to)
{
    Vec square[WIDE];
    if (rows == WIDE && size == WIDE)
        for (int r = 0; r < WIDE; r++) square[r] = VLOAD(x + r * x_step);
    else
        for (int r = 0; r < WIDE; r++)
            square[r] = r < rows ? VLOAD_SOME(x + r * x_step, VMASK(size)) : VZERO;
    turn(square);
    for (int i = 0; i < size; i++) VSTORE(to + i * PANEL, square[i]);
}

/* The same n rows, turned: panels of PANEL rows, each (size, PANEL); what is beyond n is zero. */
static inline void tile_turned(const float *x, ptrdiff_t x_step, ptrdiff_t n, ptrdiff_t size,
                               float *to)
{
    for (ptrdiff_t j = 0; j < n; j += PANEL, to += size * PANEL)
        for (ptrdiff_t half = 0; half < PANEL; half += WIDE)
            for (ptrdiff_t i = 0; i < size; i += WIDE)
                tile_square(x + (j + half) * x_step + i, x_step, (int)MIN(WIDE, n - j - half),
                            (int)MIN(WIDE, size - i), to + i * PANEL + half);
}

/* x *= factor, n a multiple of WIDE */
static inline void tile_scale(float *x, ptrdiff_t n, float factor)
{
    Vec f = VONE(&factor);
    for (ptrdiff_t i = 0; i < n; i += WIDE) VSTORE(x + i, VMUL(VLOAD(x + i), f));
}

/* n elements of x, which is filled up to whole vectors, to or onto a place that may end there. */
static inline void tile_put(float *to, const float *x, ptrdiff_t n, bool add)
{
    ptrdiff_t j = 0;
    for (; j + WIDE <= n; j += WIDE)
        VSTORE(to + j, add ? VADD(VLOAD(to + j), VLOAD(x + j)) : VLOAD(x + j));
    if (j == n) return;
    Mask some = VMASK((int)(n - j));
    VSTORE_SOME(to + j, add ? VADD(VLOAD_SOME(to + j, some), VLOAD(x + j)) : VLOAD(x + j), some);
}

/* sum of x y over n elements by sixteen lanes; x is filled up with zeros. */
static inline float tile_dot(const float *x, const float *y, ptrdiff_t n)
{
    enum { PARTS = LANES / WIDE };
    Vec sum[PARTS];
    for (int p = 0; p < PARTS; p++) sum[p] = VZERO;
    for (ptrdiff_t i = 0; i < n; i += LANES)
        for (int p = 0; p < PARTS && i + p * WIDE < n; p++) {
            ptrdiff_t j = i + p * WIDE;
            Vec b = j + WIDE <= n ? VLOAD(y + j) : VLOAD_SOME(y + j, VMASK((int)(n - j)));
            sum[p] = VFMA(VLOAD(x + j), b, sum[p]);
        }
    Lanes lanes;
    memcpy(&lanes, sum, sizeof(lanes));
    return lanes_sum(&lanes);
}

/* n elements, fewer than 16, set to x. */
static inline void tile_fill(float *to, ptrdiff_t n, float x)
{
    Vec v = VONE(&x);
    for (; n > 0; n -= WIDE, to += WIDE) VSTORE_SOME(to, v, VMASK((int)MIN(n, WIDE)));
}

#endif
#endif
