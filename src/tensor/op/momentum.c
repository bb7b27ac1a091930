/* momentum.c - an average of gradients, and what an update rule is to be given of it.
 *
 * m = mu m + (1 - mu) g with g = clip d_w; out = m, or with `b` Nesterov's look ahead,
 * (1 - mu) g + mu m.  scalar[a] is mu: it is warmed up, so it is data. */
#include "tensor/level/state.h"

enum { M, D_W, CLIP };

static int parts(const Node *n, int phase, bool backward)
{
    (void)phase;
    return state_parts(n, 0, backward);
}

static void forward(const Call *c, Work w)
{
    ptrdiff_t from = w.part * (ptrdiff_t)BLOCK;
    ptrdiff_t n = MIN(BLOCK, tensor_count(c->node->in[M]) - from);
    real *restrict m = (real *)c->in[M] + from, *restrict out = (real *)c->out[0] + from;
    const real *restrict d_w = (const real *)c->in[D_W] + from;
    real mu = R(c->step->scalar[c->node->opt.a]), fresh = R(1) - mu, clip = state_clip(c->in[CLIP]);
    for (ptrdiff_t i = 0; i < n; i++) m[i] = mu * m[i] + fresh * (clip * d_w[i]);
    if (c->node->opt.b)
        for (ptrdiff_t i = 0; i < n; i++) out[i] = fresh * (clip * d_w[i]) + mu * m[i];
    else
        memcpy(out, m, (size_t)n * sizeof(real));
}

static bool shape(OpShape *s, Err *err)
{
    return state_shape(s, D_W, CLIP, err) && shape_vector(s, CLIP, 2, err) &&
           shape_like(s->out[0], s->in[M]);
}

static const OpCase cases[] = {
    { .rank = { 2, 2, 1 }, .dim = { { 3, 5 }, { 3, 5 }, { 2 } }, .opt = { .b = 1 } },
    { .rank = { 1, 1 }, .dim = { { 17000 }, { 17000 } } },
};

KERNEL(momentum, .parts = parts, .forward = forward);
OPDEF(momentum, .doc = "m = mu m + (1 - mu) clip d_w; out = m, or (1 - mu) clip d_w + mu m",
      .source = "arXiv:1212.0901", .kind = OP_STATE, .n_in = 3, .n_out = 1, .optional = 1 << CLIP,
      .no_grad = true, .shape = shape, .cases = cases, .n_cases = COUNT(cases));
