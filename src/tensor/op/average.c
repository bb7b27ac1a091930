/* average.c - a running average: s += c (x - s), in place; returns s.
 *
 * With c = 1 it is x, with c = 1/t the mean of all that came, with a constant c an exponential
 * average: which of them it is, the host decides from step to step, so c is data, scalar[a].
 * Weight averages are made of it, and SOAP's preconditioners. */
#include "tensor/level/state.h"

enum { S, X };

static int parts(const Node *n, int phase, bool backward)
{
    (void)phase;
    return state_parts(n, 0, backward);
}

static void forward(const Call *c, Work w)
{
    ptrdiff_t from = w.part * (ptrdiff_t)BLOCK;
    ptrdiff_t n = MIN(BLOCK, tensor_count(c->node->in[S]) - from);
    real *restrict s = (real *)c->out[0] + from;
    const real *restrict x = (const real *)c->in[X] + from;
    real share = R(c->step->scalar[c->node->opt.a]), rest = R(1) - share;
    for (ptrdiff_t i = 0; i < n; i++) s[i] = rest * s[i] + share * x[i];
}

static bool shape(OpShape *s, Err *err)
{
    return state_shape(s, X, X + 1, err) && shape_like(s->out[0], s->in[S]);
}

static const OpCase cases[] = {
    { .rank = { 2, 3 }, .dim = { { 6, 5 }, { 2, 3, 5 } }, .opt = { .a = 1 } },
    { .rank = { 1, 1 }, .dim = { { 17000 }, { 17000 } } },
};

KERNEL(average, .parts = parts, .forward = forward);
OPDEF(average, .doc = "s = (1 - c) s + c x, in place; returns s", .kind = OP_STATE, .n_in = 2,
      .n_out = 1, .inplace = true, .no_grad = true, .shape = shape, .cases = cases,
      .n_cases = COUNT(cases));
