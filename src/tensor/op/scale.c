/* scale.c - x times a number known when the graph is recorded. */
#include "tensor/level/map.h"

ALWAYS_INLINE real value(real x, const OpOpt *o)
{
    return x * R(o->scale);
}

static void forward(const Call *c, Work w)
{
    map_forward(c, w, value);
}

/* d_x (+)= scale d_y.  Not map_backward: x itself is not needed, and may be gone. */
static void backward(const Call *c, Work w)
{
    const Tensor *t = c->node->in[0];
    real scale = R(c->node->opt.scale);
    bool flat = tensor_contiguous(t);
    MapSpan s = map_span(tensor_count(t), tensor_last(t), flat, w.part);
    for (ptrdiff_t r = s.first; r < s.last; r++) {
        const real *restrict d_y = (const real *)c->d_out[0] + r * tensor_last(t) + s.from;
        real *restrict d_x = (real *)c->d_in[0] + (flat ? 0 : tensor_row_at(t, r)) + s.from;
        if (c->add[0])
            for (ptrdiff_t i = 0; i < s.n; i++) d_x[i] += scale * d_y[i];
        else
            for (ptrdiff_t i = 0; i < s.n; i++) d_x[i] = scale * d_y[i];
    }
}

static const OpCase cases[] = {
    { .rank = { 2 }, .dim = { { 3, 5 } }, .opt = { .scale = 0.125f } },
    { .rank = { 1 }, .dim = { { 1 } }, .opt = { .scale = -3 } },
};

KERNEL(scale, .parts = map_parts, .forward = forward, .backward = backward);
OPDEF(scale, .doc = "scale x", .kind = OP_MAP, .n_in = 1, .n_out = 1, .strided = 1,
      .shape = map_shape, .cases = cases, .n_cases = COUNT(cases));
