/* adam_direction.c - where Adam would step, without stepping: SOAP turns it back into the
 * weight's own basis first.
 *
 *     v = b2 v + (1 - b2) g^2,   out = (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
 *
 * m is given: it has been averaged in another basis.  (Kingma, Ba 2015, arXiv:1412.6980.) */
#include "tensor/level/state.h"

enum { V, G, M };

static int parts(const Node *n, int phase, bool backward)
{
    (void)phase;
    return state_parts(n, 0, backward);
}

static void forward(const Call *c, Work w)
{
    const OpOpt *o = &c->node->opt;
    ptrdiff_t from = w.part * (ptrdiff_t)BLOCK;
    ptrdiff_t n = MIN(BLOCK, tensor_count(c->node->in[V]) - from);
    real *restrict v = (real *)c->in[V] + from, *restrict out = (real *)c->out[0] + from;
    const real *restrict g = (const real *)c->in[G] + from;
    const real *restrict m = (const real *)c->in[M] + from;
    real b2 = R(o->y), eps = R(o->eps);
    real unbias1 = (real)(1 / (1 - state_power((double)o->x, c->step->step)));
    real unbias2 = (real)(1 / (1 - state_power((double)o->y, c->step->step)));
    for (ptrdiff_t i = 0; i < n; i++) {
        v[i] = b2 * v[i] + (R(1) - b2) * (g[i] * g[i]);
        out[i] = m[i] * unbias1 / (SQRT(v[i] * unbias2) + eps);
    }
}

static bool shape(OpShape *s, Err *err)
{
    return state_shape(s, G, M + 1, err) && shape_like(s->out[0], s->in[G]);
}

static const OpCase cases[] = {
    { .rank = { 2, 3, 3 },
      .dim = { { 6, 5 }, { 2, 3, 5 }, { 2, 3, 5 } },
      .opt = { .x = 0.9f, .y = 0.95f, .eps = 1e-8f } },
    { .rank = { 1, 1, 1 },
      .dim = { { 17000 }, { 17000 }, { 17000 } },
      .opt = { .x = 0.95f, .y = 0.95f, .eps = 1e-8f } },
};

KERNEL(adam_direction, .parts = parts, .forward = forward);
OPDEF(adam_direction, .doc = "v = b2 v + (1 - b2) g^2; m^ / (sqrt(v^) + eps)",
      .source = "arXiv:1412.6980", .kind = OP_STATE, .n_in = 3, .n_out = 1, .no_grad = true,
      .shape = shape, .cases = cases, .n_cases = COUNT(cases));
