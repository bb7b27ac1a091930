/* kernel.h - what a file in op/ or level/ is written in.
 *
 * Each such file is compiled once per processor level: LEVEL_REF with real =
 * double, the definition of the op; LEVEL_PLAIN, LEVEL_AVX2, LEVEL_AVX512 with
 * real = float.  So the arithmetic is written once, and what differs is what
 * the compiler makes of it.  Included by those files only.
 *
 * The bits at the float levels are equal (E1), on gcc and clang.  That holds if
 *   - no sum is left to the compiler's order: rows are reduced on 16 lanes and
 *     a fixed tree (row_sum, row_max), long arrays in blocks of 16384 whose sums
 *     are added in order, in double;
 *   - a multiply-add that may fuse is written FMA(a, b, c); nothing else fuses
 *     (-ffp-contract=off);
 *   - exp, log, tanh come from here, never from libm, at the float levels. */
#ifndef TENSOR_KERNEL_H
#define TENSOR_KERNEL_H

#include <math.h>
#include <string.h>

#include "tensor/op.h"

#ifndef LEVEL
#error "files that include tensor/kernel.h are compiled per level: see LEVELS in the Makefile"
#endif

#if LEVEL == 0
typedef double real;
#define LEVEL_NAME ref
#define FMA(a, b, c) __builtin_fma((a), (b), (c))
#elif LEVEL == 1
typedef float real;
#define LEVEL_NAME plain
#elif LEVEL == 2
typedef float real;
#define LEVEL_NAME avx2
#else
typedef float real;
#define LEVEL_NAME avx512
#endif

#if LEVEL > 0
#define FMA(a, b, c) __builtin_fmaf((a), (b), (c))
#define SQRT(x) __builtin_sqrtf(x)
#else
#define SQRT(x) __builtin_sqrt(x)
#endif
#define R(x) ((real)(x)) /* a constant or an option as a real */

#define CAT_(a, b) a##_##b
#define CAT(a, b) CAT_(a, b)
#define LEVELED(name) CAT(name, LEVEL_NAME) /* gemm_inner -> gemm_inner_avx512 */

/* At the end of op/NAME.c:
 *     KERNEL(gelu, .parts = parts, .forward = forward, .backward = backward);
 *     OPDEF(gelu, .doc = "...", .kind = OP_MAP, .n_in = 1, .n_out = 1, .shape = shape, ...);
 * The kernel is defined at every level, the OpDef once.  In op_list.h: OP(gelu), or
 * OP_DEFINED(name) for a composite that is its `define` alone and has no KERNEL. */
#define KERNEL(name, ...)                                                                          \
    extern const Kernel LEVELED(op_kernel_##name);                                                 \
    const Kernel LEVELED(op_kernel_##name) = { __VA_ARGS__ }
#if LEVEL == 0
#define OPDEF(title, ...)                                                                          \
    extern const OpDef op_##title;                                                                 \
    const OpDef op_##title = { .name = #title, __VA_ARGS__ }
#else /* defined at LEVEL_REF; here the functions it names are merely used */
#define OPDEF(title, ...)                                                                          \
    __attribute__((unused)) static const OpDef op_unused_##title = { .name = #title, __VA_ARGS__ }
#endif

#endif
