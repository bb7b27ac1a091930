/* lion.c - the sign of an interpolated momentum  (Chen et al. 2023, arXiv:2302.06675, alg. 2.)
 *
 *     g = clip d_w,  u = sign(b1 m + (1 - b1) g),  w -= rate (u + decay w),  m = b2 m + (1 - b2) g
 *
 * One state instead of Adam's two, and every element moves by the rate alone: so it wants a rate
 * three to ten times smaller than Adam's and a decay as much larger.  sign(0) is 0. */
#include "tensor/level/state.h"

enum { P, D_P, M, CLIP };

typedef struct Lion {
    real b1, b2, rate, decay, clip;
    bool cautious;
} Lion;

static void stretch(const Lion *o, const Call *c, ptrdiff_t at, ptrdiff_t n, real *restrict update)
{
    const Lion s = *o;
    const real *restrict w = (const real *)c->in[P] + at;
    const real *restrict d_w = (const real *)c->in[D_P] + at;
    real *restrict m = (real *)c->in[M] + at;
    for (ptrdiff_t i = 0; i < n; i++) {
        real g = s.clip * d_w[i], mix = s.b1 * m[i] + (R(1) - s.b1) * g;
        real u = (real)(mix > 0) - (real)(mix < 0);
        m[i] = s.b2 * m[i] + (R(1) - s.b2) * g;
        update[i] = s.rate * (u + state_decay(s.decay, s.cautious, u, w[i]));
    }
}

static void forward(const Call *c, Work w)
{
    if (w.phase == 1) {
        state_end(c);
        return;
    }
    const OpOpt *opt = &c->node->opt;
    const float *scalar = c->step->scalar + opt->a;
    Lion o = { R(opt->x), R(opt->y), R(scalar[0]), R(scalar[1]), state_clip(c->in[CLIP]), opt->b };
    StateSums sums = { 0 };
    real update[STRETCH];
    ptrdiff_t from = w.part * (ptrdiff_t)BLOCK;
    ptrdiff_t end = MIN(tensor_count(c->node->in[P]), from + BLOCK);
    for (ptrdiff_t at = from; at < end; at += STRETCH) {
        ptrdiff_t n = MIN(STRETCH, end - at);
        stretch(&o, c, at, n, update);
        state_step(&sums, (real *)c->in[P] + at, update, n);
    }
    state_keep(c, w.part, &sums);
}

static bool shape(OpShape *s, Err *err)
{
    return state_shape(s, D_P, CLIP, err) && shape_vector(s, CLIP, 2, err) &&
           shape_scalars(s->out[0], 2);
}

static const OpCase cases[] = {
    { .rank = { 2, 2, 1, 1 },
      .dim = { { 3, 5 }, { 3, 5 }, { 15 }, { 2 } },
      .opt = { .x = 0.9f, .y = 0.99f } },
    { .rank = { 1, 1, 1 },
      .dim = { { 40000 }, { 40000 }, { 40000 } },
      .opt = { .x = 0.95f, .y = 0.98f, .b = 1 } },
};

KERNEL(lion, .phases = 2, .parts = state_parts, .scratch = state_scratch, .forward = forward);
OPDEF(lion, .doc = "w -= rate (sign(b1 m + (1 - b1) g) + decay w); returns {update^2, w^2}",
      .source = "arXiv:2302.06675", .kind = OP_STATE, .n_in = 4, .n_out = 1, .optional = 1 << CLIP,
      .no_grad = true, .shape = shape, .cases = cases, .n_cases = COUNT(cases));
