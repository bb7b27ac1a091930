/* gemm_vec.h - the vectors that gemm_block.c is written in, per level: a Vec of WIDE floats, how
 * many rows HIGH of two Vecs the registers hold, loads and stores of the first few, and turn(),
 * which transposes a square of WIDE by WIDE. */
#ifndef TENSOR_LEVEL_GEMM_VEC_H
#define TENSOR_LEVEL_GEMM_VEC_H

#include "tensor/kernel.h"

#if LEVEL > 0

/* Before a loop whose bounds are constants once inlined: its arrays are to become registers. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

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

/* Pairs, fours, eights and halves change places: 64 shuffles for 256 numbers. */
static inline void turn(Vec x[WIDE])
{
    Vec y[WIDE];
    for (int i = 0; i < WIDE; i += 2) {
        y[i] = _mm512_unpacklo_ps(x[i], x[i + 1]);
        y[i + 1] = _mm512_unpackhi_ps(x[i], x[i + 1]);
    }
    for (int i = 0; i < WIDE; i += 4)
        for (int k = 0; k < 2; k++) {
            __m512d a = _mm512_castps_pd(y[i + k]), b = _mm512_castps_pd(y[i + 2 + k]);
            x[i + 2 * k] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
            x[i + 2 * k + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
        }
    for (int i = 0; i < WIDE; i += 8)
        for (int k = 0; k < 4; k++) {
            y[i + k] = _mm512_shuffle_f32x4(x[i + k], x[i + 4 + k], 0x88);
            y[i + 4 + k] = _mm512_shuffle_f32x4(x[i + k], x[i + 4 + k], 0xdd);
        }
    for (int k = 0; k < 8; k++) {
        x[k] = _mm512_shuffle_f32x4(y[k], y[8 + k], 0x88);
        x[8 + k] = _mm512_shuffle_f32x4(y[k], y[8 + k], 0xdd);
    }
}

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

static inline void turn(Vec x[WIDE])
{
    Vec y[WIDE];
    for (int i = 0; i < WIDE; i += 2) {
        y[i] = _mm256_unpacklo_ps(x[i], x[i + 1]);
        y[i + 1] = _mm256_unpackhi_ps(x[i], x[i + 1]);
    }
    for (int i = 0; i < WIDE; i += 4)
        for (int k = 0; k < 2; k++) {
            __m256d a = _mm256_castps_pd(y[i + k]), b = _mm256_castps_pd(y[i + 2 + k]);
            x[i + 2 * k] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, b));
            x[i + 2 * k + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, b));
        }
    for (int k = 0; k < 4; k++) {
        y[k] = _mm256_permute2f128_ps(x[k], x[4 + k], 0x20);
        y[4 + k] = _mm256_permute2f128_ps(x[k], x[4 + k], 0x31);
    }
    for (int k = 0; k < WIDE; k++) x[k] = y[k];
}

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

static inline void turn(Vec x[WIDE])
{
    for (int i = 0; i < WIDE; i++)
        for (int k = 0; k < i; k++) {
            float swap = x[i].x[k];
            x[i].x[k] = x[k].x[i];
            x[k].x[i] = swap;
        }
}

#endif

#endif
#endif
