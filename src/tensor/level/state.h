/* state.h - what updates share: blocks of 16384 elements, in place, with the statistics
 * {sum of update^2, sum of w^2 before} gathered in the same pass, in double and in order. */
#ifndef TENSOR_LEVEL_STATE_H
#define TENSOR_LEVEL_STATE_H

#include "tensor/level/rows.h"
#include "tensor/level/vec.h"

enum { STRETCH = 512 }; /* updates are made in stretches that stay in L1 */

typedef struct StateSums {
    Lanes64 update, w;
} StateSums;

static inline int state_parts(const Node *n, int phase, bool backward)
{
    (void)backward;
    return phase == 1 ? 1 : (int)ceil_div(tensor_count(n->in[0]), BLOCK);
}

static inline void state_scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    *shared = 2 * state_parts(n, 0, backward) * (ptrdiff_t)sizeof(double);
    *own = 0;
}

/* w -= update, counted. */
static inline void state_step(StateSums *s, real *restrict w, const real *restrict update,
                              ptrdiff_t n)
{
    squares_add(&s->w, w, n);
    squares_add(&s->update, update, n);
    for (ptrdiff_t i = 0; i < n; i++) w[i] -= update[i];
}

static inline void state_keep(const Call *c, int part, const StateSums *s)
{
    double *sums = c->shared;
    sums[2 * part] = lanes_sum64(&s->update);
    sums[2 * part + 1] = lanes_sum64(&s->w);
}

/* The second phase: out[0] = {update^2, w^2}. */
static inline void state_end(const Call *c)
{
    const double *sums = c->shared;
    double update = 0, w = 0;
    for (int i = 0; i < state_parts(c->node, 0, false); i++)
        update += sums[2 * i], w += sums[2 * i + 1];
    ((real *)c->out[0])[0] = (real)update;
    ((real *)c->out[0])[1] = (real)w;
}

/* The factor on the gradient: clip is (2), {factor, norm}, or absent. */
static inline real state_clip(const void *clip)
{
    return clip ? *(const real *)clip : R(1);
}

/* base^n by multiplication: pow of libm differs by version. */
static inline double state_power(double base, int64_t n)
{
    double result = 1;
    for (; n > 0; n >>= 1, base *= base)
        if (n & 1) result *= base;
    return result;
}

/* What decay adds to an update.  Cautious: only where it goes the update's way, so that it never
 * works against what the gradient asks for (Chen et al. 2025, arXiv:2510.12402). */
static inline real state_decay(real decay, bool cautious, real update, real w)
{
    return cautious && update * w < 0 ? R(0) : decay * w;
}

/* Inputs from..to-1 must be whole and as long as input 0. */
static inline bool state_shape(const OpShape *s, int from, int to, Err *err)
{
    if (!shape_whole(s, 0, F32, err)) return false;
    for (int i = from; i < to; i++)
        if (!shape_vector(s, i, tensor_count(s->in[0]), err)) return false;
    return true;
}

#endif
