/* copy.c - the elements of a strided view, laid out densely.
 *
 * Recorded by itself wherever an op that reads dense rows is given a slice.  Its
 * backward call, d_x (+)= d_y, also serves as the sum of two gradients of one value. */
#include "tensor/kernel.h"

enum { PART = 16384 }; /* elements */

static ptrdiff_t part_rows(const Tensor *t)
{
    return MAX(1, PART / tensor_last(t));
}

static int parts(const Node *n, int phase, bool backward)
{
    (void)phase, (void)backward;
    ptrdiff_t step = part_rows(n->in[0]);
    return (int)((tensor_rows(n->in[0]) + step - 1) / step);
}

static bool shape(OpShape *s, Err *err)
{
    (void)err;
    const Tensor *x = s->in[0];
    Tensor *y = s->out[0];
    y->rank = x->rank;
    memcpy(y->dim, x->dim, sizeof(x->dim));
    return true;
}

static void forward(const Call *c, Work w)
{
    const Tensor *x = c->node->in[0], *y = c->node->out[0];
    ptrdiff_t step = part_rows(x), last = tensor_last(x);
    ptrdiff_t from = w.part * step, to = MIN(from + step, tensor_rows(x));
    for (ptrdiff_t r = from; r < to; r++)
        memcpy((real *)c->out[0] + tensor_row_at(y, r),
               (const real *)c->in[0] + tensor_row_at(x, r), (size_t)last * sizeof(real));
}

static void backward(const Call *c, Work w)
{
    const Tensor *x = c->node->in[0], *y = c->node->out[0];
    ptrdiff_t step = part_rows(x), last = tensor_last(x);
    ptrdiff_t from = w.part * step, to = MIN(from + step, tensor_rows(x));
    for (ptrdiff_t r = from; r < to; r++) {
        real *d_x = (real *)c->d_in[0] + tensor_row_at(x, r);
        const real *d_y = (const real *)c->d_out[0] + tensor_row_at(y, r);
        if (c->add[0])
            for (ptrdiff_t i = 0; i < last; i++) d_x[i] += d_y[i];
        else
            memcpy(d_x, d_y, (size_t)last * sizeof(real));
    }
}

static const OpCase cases[] = {
    { .rank = { 2 }, .dim = { { 7, 33 } } },
    { .rank = { 4 }, .dim = { { 2, 3, 4, 5 } } },
    { .rank = { 2 }, .dim = { { 300, 200 } } },
};

KERNEL(copy, .parts = parts, .forward = forward, .backward = backward);
OPDEF(copy, .doc = "y = x, densely laid out", .kind = OP_MOVE, .n_in = 1, .n_out = 1, .strided = 1,
      .shape = shape, .cases = cases, .n_cases = COUNT(cases));
