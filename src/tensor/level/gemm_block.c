/* gemm_block.c - a block of a matrix product, per processor level.
 *
 * Columns of B are packed, a chunk of k at a time, into panels of two vectors'
 * width; then panels of rows of A are multiplied with all of them.  A panel of A
 * stays in the first cache while panels of B stream from the second.  Rows that
 * lie along k are read where they are; others are packed, since their cache
 * lines would be read for a few elements each.
 *
 * The inner kernel keeps rows x columns of C in registers for a whole chunk: 14
 * by 32 with AVX-512 (28 of 32 registers), 6 by 16 with AVX2 (12 of 16).  It
 * exists for every number of rows and one or two vectors of columns, so that a
 * remainder costs about its share: rows are dealt evenly to panels.
 *
 * Bits: each element is its own chain of FMAs over ascending k, from zero in each
 * chunk; chunks are added to C in order, bias last.  Neither panels nor vectors
 * touch that (gemm.h). */
#include "tensor/gemm_inside.h"
#include "tensor/kernel.h"

#if LEVEL == 0

void gemm_block_ref(const Gemm *g, GemmSpan s, void *own)
{
    (void)own;
    const double *a = g->a, *b = g->b, *bias = g->bias;
    double *c = g->c;
    for (ptrdiff_t i = s.i0; i < s.i1; i++)
        for (ptrdiff_t j = s.j0; j < s.j1; j++) {
            double sum = g->add ? c[i * g->c_row + j] : 0;
            for (ptrdiff_t k0 = 0; k0 < g->k; k0 += GEMM_CHUNK) {
                double chunk = 0;
                for (ptrdiff_t k = k0; k < MIN(g->k, k0 + GEMM_CHUNK); k++)
                    chunk =
                        FMA(a[i * g->a_row + k * g->a_col], b[k * g->b_row + j * g->b_col], chunk);
                sum += chunk;
            }
            c[i * g->c_row + j] = bias ? sum + bias[j] : sum;
        }
}

#else

/* ---- vectors --------------------------------------------------------------------------------- */

#if LEVEL == 3

#include <immintrin.h>
typedef __m512 Vec;
enum { WIDE = 16, HIGH = 14 };
#define VZERO _mm512_setzero_ps()
#define VLOAD(p) _mm512_loadu_ps(p)
#define VSTORE(p, v) _mm512_storeu_ps((p), (v))
#define VONE(p) _mm512_set1_ps(*(p))
#define VFMA(a, b, c) _mm512_fmadd_ps((a), (b), (c))
#define VADD(a, b) _mm512_add_ps((a), (b))
typedef __mmask16 Mask;
#define VMASK(n) ((__mmask16)((1U << (n)) - 1))
#define VLOAD_SOME(p, m) _mm512_maskz_loadu_ps((m), (p))
#define VSTORE_SOME(p, v, m) _mm512_mask_storeu_ps((p), (m), (v))

#elif LEVEL == 2

#include <immintrin.h>
typedef __m256 Vec;
enum { WIDE = 8, HIGH = 6 };
#define VZERO _mm256_setzero_ps()
#define VLOAD(p) _mm256_loadu_ps(p)
#define VSTORE(p, v) _mm256_storeu_ps((p), (v))
#define VONE(p) _mm256_broadcast_ss(p)
#define VFMA(a, b, c) _mm256_fmadd_ps((a), (b), (c))
#define VADD(a, b) _mm256_add_ps((a), (b))
typedef __m256i Mask;
#define VMASK(n) _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define VLOAD_SOME(p, m) _mm256_maskload_ps((p), (m))
#define VSTORE_SOME(p, v, m) _mm256_maskstore_ps((p), (m), (v))

#else

/* Plain C, four at a time: the compiler makes of it what the processor has. */
typedef struct Vec {
    float x[4];
} Vec;
enum { WIDE = 4, HIGH = 6 };
typedef int Mask;
static inline Vec vec_load(const float *p, int n)
{
    Vec v = { { 0 } };
    for (int i = 0; i < n; i++) v.x[i] = p[i];
    return v;
}
static inline void vec_store(float *p, Vec v, int n)
{
    for (int i = 0; i < n; i++) p[i] = v.x[i];
}
static inline Vec vec_one(float x)
{
    return (Vec){ { x, x, x, x } };
}
static inline Vec vec_fma(Vec a, Vec b, Vec c)
{
    for (int i = 0; i < WIDE; i++) c.x[i] = FMA(a.x[i], b.x[i], c.x[i]);
    return c;
}
static inline Vec vec_add(Vec a, Vec b)
{
    for (int i = 0; i < WIDE; i++) a.x[i] += b.x[i];
    return a;
}
#define VZERO vec_one(0)
#define VLOAD(p) vec_load((p), WIDE)
#define VSTORE(p, v) vec_store((p), (v), WIDE)
#define VONE(p) vec_one(*(p))
#define VFMA(a, b, c) vec_fma((a), (b), (c))
#define VADD(a, b) vec_add((a), (b))
#define VMASK(n) (n)
#define VLOAD_SOME(p, m) vec_load((p), (m))
#define VSTORE_SOME(p, v, m) vec_store((p), (v), (m))

#endif

/* ---- the inner kernel ------------------------------------------------------------------------ */

typedef struct Inner {
    ptrdiff_t k;
    const float *a; /* element (row, k) at a[row * a_row + k * a_col] */
    ptrdiff_t a_row, a_col;
    const float *b; /* packed: k rows of one or two vectors */
    float *c;
    ptrdiff_t c_row;
    const float *bias; /* of these columns, or NULL */
    bool add;
    int last; /* columns of the last vector, 1..WIDE */
} Inner;

/* The sums of one row on their way out. */
__attribute__((always_inline)) static inline void put_row(const Inner *t, float *c, const Vec *sum,
                                                          const int wide, Mask some)
{
    for (int w = 0; w < wide; w++) {
        Vec v = sum[w];
        bool whole = w + 1 < wide || t->last == WIDE;
        float *at = c + w * WIDE;
        if (t->add) v = VADD(whole ? VLOAD(at) : VLOAD_SOME(at, some), v);
        if (t->bias) {
            const float *bias = t->bias + w * WIDE;
            v = VADD(v, whole ? VLOAD(bias) : VLOAD_SOME(bias, some));
        }
        if (whole)
            VSTORE(at, v);
        else
            VSTORE_SOME(at, v, some);
    }
}

/* `high` and `wide` are constants at every call, so the loops unroll and sum[] is registers.  Rows
 * are reached in threes from one pointer each, which an address can express. */
__attribute__((always_inline)) static inline void inner(const Inner *t, const int high,
                                                        const int wide)
{
    Vec sum[HIGH][2];
    for (int r = 0; r < high; r++)
        for (int w = 0; w < wide; w++) sum[r][w] = VZERO;
    const float *row[(HIGH + 2) / 3], *b = t->b;
    ptrdiff_t a_row = t->a_row, a_col = t->a_col;
    for (int r = 0; r < high; r += 3) row[r / 3] = t->a + r * a_row;
    for (ptrdiff_t k = 0; k < t->k; k++) {
        Vec b0 = VLOAD(b), b1 = wide > 1 ? VLOAD(b + WIDE) : VZERO;
        b += wide * WIDE;
#pragma GCC unroll 16
        for (int r = 0; r < high; r++) {
            Vec a = VONE(row[r / 3] + r % 3 * a_row);
            sum[r][0] = VFMA(a, b0, sum[r][0]);
            if (wide > 1) sum[r][1] = VFMA(a, b1, sum[r][1]);
        }
#pragma GCC unroll 8
        for (int r = 0; r < high; r += 3) row[r / 3] += a_col;
    }
    Mask some = VMASK(t->last);
#pragma GCC unroll 16
    for (int r = 0; r < high; r++) put_row(t, t->c + r * t->c_row, sum[r], wide, some);
}

typedef void InnerKernel(const Inner *t);
#define INNER(high)                                                                                \
    static void inner_##high##_1(const Inner *t)                                                   \
    {                                                                                              \
        inner(t, high, 1);                                                                         \
    }                                                                                              \
    static void inner_##high##_2(const Inner *t)                                                   \
    {                                                                                              \
        inner(t, high, 2);                                                                         \
    }
#define INNERS(high)                                                                               \
    {                                                                                              \
        inner_##high##_1, inner_##high##_2                                                         \
    }
INNER(1)
INNER(2)
INNER(3)
INNER(4)
INNER(5)
INNER(6)
#if LEVEL == 3
INNER(7)
INNER(8)
INNER(9)
INNER(10)
INNER(11)
INNER(12)
INNER(13)
INNER(14)
#endif
static InnerKernel *const kernels[HIGH][2] = {
    INNERS(1), INNERS(2), INNERS(3), INNERS(4),  INNERS(5),  INNERS(6),
#if LEVEL == 3
    INNERS(7), INNERS(8), INNERS(9), INNERS(10), INNERS(11), INNERS(12), INNERS(13), INNERS(14),
#endif
};

/* ---- packing --------------------------------------------------------------------------------- */

/* k rows of n columns from b into rows of `step`; what is beyond n becomes zero, once. */
static void pack_rows(const float *b, ptrdiff_t b_row, ptrdiff_t k, ptrdiff_t n, ptrdiff_t step,
                      float *to)
{
    for (ptrdiff_t i = 0; i < k; i++, b += b_row, to += step) {
        ptrdiff_t j = 0;
        for (; j + WIDE <= n; j += WIDE) VSTORE(to + j, VLOAD(b + j));
        if (j < n) VSTORE(to + j, VLOAD_SOME(b + j, VMASK((int)(n - j))));
    }
}

/* The same from columns that lie along k. */
static void pack_columns(const float *b, ptrdiff_t b_col, ptrdiff_t k, ptrdiff_t n, ptrdiff_t step,
                         float *to)
{
    for (ptrdiff_t j = 0; j < step; j++)
        for (ptrdiff_t i = 0; i < k; i++) to[i * step + j] = j < n ? b[j * b_col + i] : 0;
}

/* Any strides; both products of models have one of the two above. */
static void pack_any(const Gemm *g, const float *b, ptrdiff_t k, ptrdiff_t n, ptrdiff_t step,
                     float *to)
{
    for (ptrdiff_t i = 0; i < k; i++)
        for (ptrdiff_t j = 0; j < step; j++)
            to[i * step + j] = j < n ? b[i * g->b_row + j * g->b_col] : 0;
}

static ptrdiff_t panel_width(ptrdiff_t columns_left)
{
    return columns_left > WIDE ? 2 * WIDE : WIDE;
}

static void pack_b(const Gemm *g, GemmSpan s, ptrdiff_t k0, ptrdiff_t k, float *to)
{
    for (ptrdiff_t j = s.j0, step; j < s.j1; j += step, to += k * step) {
        const float *b = (const float *)g->b + k0 * g->b_row + j * g->b_col;
        step = panel_width(s.j1 - j);
        ptrdiff_t n = MIN(step, s.j1 - j);
        if (g->b_col == 1)
            pack_rows(b, g->b_row, k, n, step, to);
        else if (g->b_row == 1)
            pack_columns(b, g->b_col, k, n, step, to);
        else
            pack_any(g, b, k, n, step, to);
    }
}

/* ---- the block ------------------------------------------------------------------------------- */

static void multiply_rows(const Gemm *g, GemmSpan s, Inner t, const float *packed, int high)
{
    bool add = t.add;
    const float *bias = t.bias;
    for (ptrdiff_t j = s.j0, step; j < s.j1; j += step) {
        step = panel_width(s.j1 - j);
        ptrdiff_t n = MIN(step, s.j1 - j);
        t.b = packed;
        t.c = (float *)g->c + s.i0 * g->c_row + j;
        t.bias = bias ? bias + j : NULL;
        t.add = add;
        t.last = (int)((n - 1) % WIDE + 1);
        kernels[high - 1][step / WIDE - 1](&t);
        packed += t.k * step;
    }
}

static void multiply(const Gemm *g, GemmSpan s, ptrdiff_t k0, ptrdiff_t k, const float *packed,
                     float *rows)
{
    Inner t = { .k = k, .c_row = g->c_row, .add = g->add || k0 > 0 };
    if (k0 + k == g->k) t.bias = g->bias;
    ptrdiff_t count = s.i1 - s.i0, panels = (count + HIGH - 1) / HIGH, i0 = s.i0;
    for (ptrdiff_t p = 0; p < panels; p++) {
        s.i0 = i0 + count * p / panels;
        int high = (int)(i0 + count * (p + 1) / panels - s.i0);
        t.a = (const float *)g->a + s.i0 * g->a_row + k0 * g->a_col;
        t.a_row = g->a_row;
        t.a_col = g->a_col;
        if (g->a_col != 1) {
            for (ptrdiff_t i = 0; i < k; i++)
                for (int r = 0; r < high; r++) rows[i * high + r] = t.a[r * t.a_row + i * t.a_col];
            t.a = rows;
            t.a_row = 1;
            t.a_col = high;
        }
        multiply_rows(g, s, t, packed, high);
    }
}

void LEVELED(gemm_block)(const Gemm *g, GemmSpan s, void *own)
{
    float *packed = own, *rows = packed + MIN(g->k, GEMM_CHUNK) * GEMM_COLS;
    for (ptrdiff_t k0 = 0; k0 < g->k; k0 += GEMM_CHUNK) {
        ptrdiff_t k = MIN(GEMM_CHUNK, g->k - k0);
        pack_b(g, s, k0, k, packed);
        multiply(g, s, k0, k, packed, rows);
    }
}

#endif
