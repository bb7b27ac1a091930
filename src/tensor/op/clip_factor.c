/* clip_factor.c - how much of a gradient to take so that its norm stays below a limit
 * (Pascanu et al. 2013, arXiv:1211.5063).  The limit is scalar[a], at most 0 for none; a factor
 * on the device, since the host must not wait for the norm.  A norm that is no number leaves the
 * factor at 1: the NaN goes on to the weights, where it is seen. */
#include "tensor/level/rows.h"

static void forward(const Call *c, Work w)
{
    (void)w;
    real norm = SQRT(*(const real *)c->in[0]), limit = R(c->step->scalar[c->node->opt.a]);
    real *out = c->out[0]; // (2)
    out[0] = limit > 0 && norm > limit ? limit / norm : R(1);
    out[1] = norm;
}

static bool shape(OpShape *s, Err *err)
{
    return shape_vector(s, 0, 1, err) && shape_scalars(s->out[0], 2);
}

static const OpCase cases[] = { { .rank = { 1 }, .dim = { { 1 } } } };

KERNEL(clip_factor, .forward = forward);
OPDEF(clip_factor, .doc = "{min(1, limit / sqrt(x)), sqrt(x)}", .source = "arXiv:1211.5063",
      .kind = OP_ROW, .n_in = 1, .n_out = 1, .no_grad = true, .shape = shape, .cases = cases,
      .n_cases = COUNT(cases));
