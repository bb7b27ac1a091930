/* zero.c - nothing, in the shape of x.
 *
 * Its derivative is zero too: recorded as a backward node it clears a gradient whose
 * contributions do not tile it (grad.c). */
#include "tensor/kernel.h"

static bool shape(OpShape *s, Err *err)
{
    (void)err;
    const Tensor *x = s->in[0];
    Tensor *y = s->out[0];
    y->rank = x->rank;
    memcpy(y->dim, x->dim, sizeof(x->dim));
    return true;
}

static void clear(const Tensor *t, real *at)
{
    for (ptrdiff_t r = 0; r < tensor_rows(t); r++)
        memset(at + tensor_row_at(t, r), 0, (size_t)tensor_last(t) * sizeof(real));
}

static void forward(const Call *c, Work w)
{
    (void)w;
    clear(c->node->out[0], c->out[0]);
}

static void backward(const Call *c, Work w)
{
    (void)w;
    if (c->d_in[0] && !c->add[0]) clear(c->node->in[0], c->d_in[0]);
}

static const OpCase cases[] = { { .rank = { 2 }, .dim = { { 3, 5 } } } };

KERNEL(zero, .forward = forward, .backward = backward);
OPDEF(zero, .doc = "y = 0, in the shape of x", .kind = OP_MOVE, .n_in = 1, .n_out = 1, .strided = 1,
      .shape = shape, .cases = cases, .n_cases = COUNT(cases));
