/* gemm_inner.h - what the inner kernels of products share (gemm_block.c in float, gemm_half.c in
 * half): one kernel for every number of rows, and asking the memory for what comes next. */
#ifndef TENSOR_LEVEL_GEMM_INNER_H
#define TENSOR_LEVEL_GEMM_INNER_H

#include "tensor/level/gemm_vec.h"

#if LEVEL > 0

#define INLINE __attribute__((always_inline)) static inline

/* ---- looking ahead --------------------------------------------------------------------------- */

/* What to ask the memory for while something is computed: `rows` times `lines` cache lines. */
enum { LINE = 64 };
typedef struct Ahead {
    const char *at;
    ptrdiff_t left, lines; /* of this row; of every row */
    ptrdiff_t skip;        /* bytes from the end of a row to the next */
    ptrdiff_t rows;        /* not yet gone through */
} Ahead;

static inline Ahead nothing_ahead(const void *at)
{
    return (Ahead){ .at = at };
}

/* Rows `step` bytes apart of `n` bytes each. */
static inline Ahead ahead_of(const void *from, ptrdiff_t rows, ptrdiff_t step, ptrdiff_t n)
{
    uintptr_t begin = (uintptr_t)from / LINE * LINE;
    ptrdiff_t lines = (ptrdiff_t)(((uintptr_t)from + (uintptr_t)n - begin + LINE - 1) / LINE);
    return (Ahead){ .at = (const char *)begin,
                    .left = lines,
                    .lines = lines,
                    .skip = step - lines * LINE,
                    .rows = rows };
}

/* One cache line of what comes next. */
INLINE void ask_ahead(Ahead *a)
{
    __builtin_prefetch(a->at, 0, 2);
    a->at += LINE;
    if (--a->left > 0) return;
    a->at += a->skip;
    a->left = a->lines;
    a->rows--;
}

/* ---- forms ----------------------------------------------------------------------------------- */

enum { DEEP = 4 }; /* k's of a round, in which one line is asked for */

/* Constants at every call of a kernel, so that loops unroll and the sums are registers. */
typedef struct Form {
    int high, wide; /* rows, vectors of columns */
    bool along;     /* A lies along k */
} Form;

/* After `inner(const Inner *, Form)`: all its forms, kernels[rows - 1][along][vectors - 1]. */
#define INNER_FORM(high, wide, along)                                                              \
    static void inner_##high##_##wide##_##along(const Inner *t)                                    \
    {                                                                                              \
        inner(t, (Form){ high, wide, along });                                                     \
    }
#define INNER(high)                                                                                \
    INNER_FORM(high, 1, 0)                                                                         \
    INNER_FORM(high, 2, 0)                                                                         \
    INNER_FORM(high, 1, 1)                                                                         \
    INNER_FORM(high, 2, 1)
#define INNERS(high)                                                                               \
    {                                                                                              \
        { inner_##high##_1_0, inner_##high##_2_0 },                                                \
        {                                                                                          \
            inner_##high##_1_1, inner_##high##_2_1                                                 \
        }                                                                                          \
    }
#if LEVEL == 3
#define INNER_MORE INNER(7) INNER(8) INNER(9) INNER(10) INNER(11) INNER(12) INNER(13) INNER(14)
#define INNERS_MORE                                                                                \
    INNERS(7), INNERS(8), INNERS(9), INNERS(10), INNERS(11), INNERS(12), INNERS(13), INNERS(14),
#else
#define INNER_MORE
#define INNERS_MORE
#endif
#define INNER_KERNELS                                                                              \
    INNER(1)                                                                                       \
    INNER(2)                                                                                       \
    INNER(3) INNER(4) INNER(5) INNER(6) INNER_MORE typedef void InnerKernel(const Inner *t);       \
    static InnerKernel *const kernels[HIGH][2][2] = { INNERS(1), INNERS(2), INNERS(3),  INNERS(4), \
                                                      INNERS(5), INNERS(6), INNERS_MORE };

#endif
#endif
