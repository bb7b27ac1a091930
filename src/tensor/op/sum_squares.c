/* sum_squares.c - of a gradient, for its norm.  In double, block after block. */
#include "tensor/level/state.h"

static void forward(const Call *c, Work w)
{
    double *sums = c->shared;
    int blocks = state_parts(c->node, 0, false);
    if (w.phase == 0) {
        ptrdiff_t from = w.part * (ptrdiff_t)BLOCK;
        ptrdiff_t n = MIN(BLOCK, tensor_count(c->node->in[0]) - from);
        Lanes64 sum = { 0 };
        squares_add(&sum, (const real *)c->in[0] + from, n);
        sums[w.part] = lanes_sum64(&sum);
        return;
    }
    double sum = 0;
    for (int i = 0; i < blocks; i++) sum += sums[i];
    *(real *)c->out[0] = (real)sum;
}

static bool shape(OpShape *s, Err *err)
{
    return shape_whole(s, 0, F32, err) && shape_scalars(s->out[0], 1);
}

static const OpCase cases[] = {
    { .rank = { 2 }, .dim = { { 3, 5 } } },
    { .rank = { 1 }, .dim = { { 40001 } } },
};

KERNEL(sum_squares, .phases = 2, .parts = state_parts, .scratch = state_scratch,
       .forward = forward);
OPDEF(sum_squares, .doc = "sum of x^2, in double", .kind = OP_ROW, .n_in = 1, .n_out = 1,
      .no_grad = true, .shape = shape, .cases = cases, .n_cases = COUNT(cases));
