/* vec.h - the arithmetic that kernels share: exp, log, tanh, and sums of rows.
 *
 * Nothing here may depend on the processor, the compiler or the C library, since it ends in
 * weights (E1).  So the functions are polynomials of our own, without branches, which both
 * compilers turn into vector code inside a plain loop; and every sum has one written order:
 * element i belongs to lane i mod 16, lanes are added by a fixed tree, and beyond BLOCK
 * elements the sums of blocks are added in order, in double.  Padding with zeros therefore
 * changes no bit, which is what lets attention mask by zeros (E3).
 *
 * libm was rejected: its results differ by version and by processor.  At LEVEL_REF it is what
 * the polynomials are tested against.  The coefficients are minimax fits (Remez exchange, the
 * relative error as weight), rounded to float from the lowest order up. */
#ifndef TENSOR_LEVEL_VEC_H
#define TENSOR_LEVEL_VEC_H

#include "tensor/kernel.h"

enum { LANES = 16, BLOCK = 16384 };

#if LEVEL == 0
#define EXP(x) exp(x)
#define EXP2(x) exp2(x)
#define TANH(x) tanh(x)
#define LOG64(x) log(x)
#define EXP64(x) exp(x)
#define SINCOS64(x, s, c) sincos((x), (s), (c))
#else
#define EXP(x) vec_exp(x)
#define EXP2(x) vec_exp2(x)
#define TANH(x) vec_tanh(x)
#define LOG64(x) vec_log64(x)
#define EXP64(x) vec_exp64(x)
#define SINCOS64(x, s, c) vec_sincos64((x), (s), (c))

/* e^x = 2^n e^r with |r| <= ln(2)/2.  n sits in the low bits of x log2(e) + 1.5 2^23.  Within 1
 * ulp; below -86.5 it is 0, so that no result is denormal. */
static inline float vec_exp(float x)
{
    const float magic = 0x1.8p23f;
    float in = x < 88.8f ? x : 88.8f;
    in = in > -87.0f ? in : -87.0f;
    float shifted = FMA(in, 0x1.715476p0f, magic), n = shifted - magic;
    float r = FMA(n, -0x1.62e4p-1f, in);
    r = FMA(n, -0x1.7f7d1cp-20f, r);
    float p = 0x1.6a2252p-10f;
    p = FMA(p, r, 0x1.123b02p-7f);
    p = FMA(p, r, 0x1.5558f8p-5f);
    p = FMA(p, r, 0x1.55549p-3f);
    p = FMA(p, r, 0x1.fffffcp-2f);
    p = FMA(p * r, r, r) + 1.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof(bits));
    bits = (bits << 23) + (126u << 23); /* 2^(n-1): n reaches 128 */
    float half;
    memcpy(&half, &bits, sizeof(half));
    float y = p * half * 2.0f;
    y = x < -86.5f ? 0.0f : y;
    y = x > 88.72283f ? (float)INFINITY : y;
    return x == x ? y : x;
}

/* 2^x, x held to [-125, 125]: two thirds of the work of e^x, for softmax and sigmoids, which
 * choose their own base.  2^0 is 1, a NaN stays one, nothing is denormal.  Within 2 ulp. */
static inline float vec_exp2(float x)
{
    const float magic = 0x1.8p23f;
    float in = x < -125.0f ? -125.0f : x;
    in = in > 125.0f ? 125.0f : in;
    float shifted = in + magic, r = in - (shifted - magic);
    float p = 0x1.5ac9b2p-10f;
    p = FMA(p, r, 0x1.3cec1ap-7f);
    p = FMA(p, r, 0x1.c6b9e8p-5f);
    p = FMA(p, r, 0x1.ebf9b6p-3f);
    p = FMA(p, r, 0x1.62e426p-1f);
    p = FMA(p, r, 1.0f);
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof(bits));
    bits = (bits << 23) + (127u << 23);
    float scale;
    memcpy(&scale, &bits, sizeof(scale));
    return p * scale;
}

/* Odd polynomial near 0, else 1 - 2 / (e^2|x| + 1).  Within 2 ulp. */
static inline float vec_tanh(float x)
{
    float a = x < 0 ? -x : x, u = x * x;
    float p = -0x1.75e25ap-8f;
    p = FMA(p, u, 0x1.52267cp-6f);
    p = FMA(p, u, -0x1.b83c6cp-5f);
    p = FMA(p, u, 0x1.1107acp-3f);
    p = FMA(p, u, -0x1.555544p-2f);
    float near = FMA(p * u, x, x);
    float far = 1.0f - 2.0f / (vec_exp(2.0f * a) + 1.0f);
    far = x < 0 ? -far : far;
    return a < 0.625f ? near : far;
}

/* The doubles are for what is rare: a logarithm per row, an angle per position.  Series of
 * Taylor after a reduction, good to a few units of 1e-16 of the largest term. */
static inline double vec_log64(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    int64_t e = (int64_t)((bits - 0x3fe6a09e667f3bcdu) >> 52); /* m in [sqrt(1/2), sqrt 2) */
    e = (int32_t)((uint32_t)e << 20) >> 20;
    bits -= (uint64_t)e << 52;
    double m;
    memcpy(&m, &bits, sizeof(m));
    double s = (m - 1) / (m + 1), u = s * s, sum = 0;
    for (int k = 21; k >= 1; k -= 2) sum = sum * u + 1.0 / k;
    double y = 2 * s * sum + (double)e * 0x1.62e42fefa39efp-1;
    y = x == 0 ? -(double)INFINITY : y;
    return x >= 0 && x < (double)INFINITY ? y : x + (x < 0 ? (double)NAN : 0);
}

static inline double vec_exp64(double x) /* |x| < 700 */
{
    const double magic = 0x1.8p52;
    double shifted = x * 0x1.71547652b82fep0 + magic, n = shifted - magic;
    double r = (x - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33, sum = 1;
    for (int k = 13; k >= 1; k--) sum = 1 + sum * r / k;
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof(bits));
    bits = (bits + 1023) << 52;
    double scale;
    memcpy(&scale, &bits, sizeof(scale));
    return sum * scale;
}

static inline void vec_sincos64(double x, double *s, double *c) /* |x| < 2^26 */
{
    const double magic = 0x1.8p52;
    double shifted = x * 0x1.45f306dc9c883p-1 + magic, n = shifted - magic;
    double r = x - n * 0x1.921fb544p0; /* pi/2 in two parts, the first of 33 bits */
    r -= n * 0x1.0b4611a626331p-34;
    double u = r * r;
    double ps = -1.0 / 1307674368000, pc = -1.0 / 87178291200;
    ps = ps * u + 1.0 / 6227020800, pc = pc * u + 1.0 / 479001600;
    ps = ps * u - 1.0 / 39916800, pc = pc * u - 1.0 / 3628800;
    ps = ps * u + 1.0 / 362880, pc = pc * u + 1.0 / 40320;
    ps = ps * u - 1.0 / 5040, pc = pc * u - 1.0 / 720;
    ps = ps * u + 1.0 / 120, pc = pc * u + 1.0 / 24;
    ps = ps * u - 1.0 / 6, pc = pc * u - 1.0 / 2;
    double sr = r + r * u * ps, cr = 1 + u * pc;
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof(bits));
    double a = bits & 1 ? cr : sr, b = bits & 1 ? sr : cr;
    *s = bits & 2 ? -a : a;
    *c = (bits + 1) & 2 ? -b : b;
}
#endif

static inline real vec_sigmoid(real x)
{
    return R(1) / (R(1) + EXP(-x));
}

/* Sixteen reals at once; gcc and clang lower it to what the level has.  Never passed by value
 * (its calling convention depends on the level). */
typedef real Lanes __attribute__((vector_size(LANES * sizeof(real))));
typedef double Lanes64 __attribute__((vector_size(LANES * sizeof(double))));

/* The 16 reals at x; of the last few, the rest `fill`. */
static inline void lanes_load(Lanes *out, const real *x, ptrdiff_t n, real fill)
{
    if (n >= LANES) {
        memcpy(out, x, sizeof(*out));
        return;
    }
    real part[LANES];
    for (int i = 0; i < LANES; i++) part[i] = i < n ? x[i] : fill;
    memcpy(out, part, sizeof(*out));
}

/* Halves upon halves: 8 + 8, 4 + 4, then (0 + 2) + (1 + 3). */
#define LANES_SUM(type, x)                                                                         \
    typedef type Half __attribute__((vector_size(8 * sizeof(type))));                              \
    typedef type Quarter __attribute__((vector_size(4 * sizeof(type))));                           \
    Half a, b;                                                                                     \
    Quarter c, d;                                                                                  \
    memcpy(&a, (x), sizeof(a));                                                                    \
    memcpy(&b, (const char *)(x) + sizeof(a), sizeof(b));                                          \
    a += b;                                                                                        \
    memcpy(&c, &a, sizeof(c));                                                                     \
    memcpy(&d, (const char *)&a + sizeof(c), sizeof(d));                                           \
    c += d;                                                                                        \
    return (c[0] + c[2]) + (c[1] + c[3])

static inline real lanes_sum(const Lanes *lanes)
{
    LANES_SUM(real, lanes);
}

static inline double lanes_sum64(const Lanes64 *lanes)
{
    LANES_SUM(double, lanes);
}

static inline real block_sum(const real *x, ptrdiff_t n)
{
    Lanes sum = { 0 }, a;
    ptrdiff_t whole = n / LANES * LANES;
    for (ptrdiff_t i = 0; i < whole; i += LANES) {
        memcpy(&a, x + i, sizeof(a));
        sum += a;
    }
    if (whole < n) {
        lanes_load(&a, x + whole, n - whole, 0);
        sum += a;
    }
    return lanes_sum(&sum);
}

static inline real block_dot(const real *x, const real *y, ptrdiff_t n)
{
    Lanes sum = { 0 }, a, b;
    ptrdiff_t whole = n / LANES * LANES;
    for (ptrdiff_t i = 0; i < whole; i += LANES) {
        memcpy(&a, x + i, sizeof(a));
        memcpy(&b, y + i, sizeof(b));
        sum += a * b;
    }
    if (whole < n) {
        lanes_load(&a, x + whole, n - whole, 0);
        lanes_load(&b, y + whole, n - whole, 0);
        sum += a * b;
    }
    return lanes_sum(&sum);
}

static inline real row_sum(const real *x, ptrdiff_t n)
{
    if (n <= BLOCK) return block_sum(x, n);
    double sum = 0;
    for (ptrdiff_t i = 0; i < n; i += BLOCK) sum += (double)block_sum(x + i, MIN(BLOCK, n - i));
    return (real)sum;
}

static inline real row_dot(const real *x, const real *y, ptrdiff_t n)
{
    if (n <= BLOCK) return block_dot(x, y, n);
    double sum = 0;
    for (ptrdiff_t i = 0; i < n; i += BLOCK)
        sum += (double)block_dot(x + i, y + i, MIN(BLOCK, n - i));
    return (real)sum;
}

/* The largest; a NaN is passed over, and shows in the sum that follows. */
static inline real row_max(const real *x, ptrdiff_t n)
{
    real top[LANES];
    for (int l = 0; l < LANES; l++) top[l] = -(real)INFINITY;
    ptrdiff_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++) top[l] = x[i + l] > top[l] ? x[i + l] : top[l];
    for (; i < n; i++) top[0] = x[i] > top[0] ? x[i] : top[0];
    for (int l = 1; l < LANES; l++) top[0] = top[l] > top[0] ? top[l] : top[0];
    return top[0];
}

/* *sum += x^2 by lanes: 32 to a lane as reals, those sums in double. */
static inline void squares_add(Lanes64 *sum, const real *x, ptrdiff_t n)
{
    enum { STEP = 32 * LANES };
    for (ptrdiff_t at = 0; at < n; at += STEP) {
        ptrdiff_t end = MIN(n, at + STEP), whole = at + (end - at) / LANES * LANES;
        Lanes part = { 0 }, a;
        for (ptrdiff_t i = at; i < whole; i += LANES) {
            memcpy(&a, x + i, sizeof(a));
            part += a * a;
        }
        if (whole < end) {
            lanes_load(&a, x + whole, end - whole, 0);
            part += a * a;
        }
        *sum += __builtin_convertvector(part, Lanes64);
    }
}

/* d = value or d += value, n of them. */
static inline void row_put(real *restrict d, const real *restrict value, ptrdiff_t n, bool add)
{
    if (add)
        for (ptrdiff_t i = 0; i < n; i++) d[i] += value[i];
    else
        memcpy(d, value, (size_t)n * sizeof(real));
}

#endif
