/* adamw.c - Adam with decoupled weight decay  (Loshchilov, Hutter 2019, arXiv:1711.05101, alg. 2;
 * Kingma, Ba 2015, arXiv:1412.6980.)
 *
 *     g = clip d_w,  m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2
 *     w -= rate (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps) + decay w)
 *
 * One pass over memory, which is what it costs: seven streams, and a square root and a division
 * hidden behind them.  With `b` the decay is cautious (level/state.h). */
#include "tensor/level/state.h"

enum { P, D_P, M, V, CLIP };

typedef struct Adamw {
    real b1, b2, eps, rate, decay, clip, unbias1, unbias2;
    bool cautious;
} Adamw;

static Adamw of(const Call *c)
{
    const OpOpt *o = &c->node->opt;
    const float *scalar = c->step->scalar + o->a;
    return (Adamw){
        .b1 = R(o->x),
        .b2 = R(o->y),
        .eps = R(o->eps),
        .rate = R(scalar[0]),
        .decay = R(scalar[1]),
        .clip = state_clip(c->in[CLIP]),
        .cautious = o->b,
        .unbias1 = (real)(1 / (1 - state_power((double)o->x, c->step->step))),
        .unbias2 = (real)(1 / (1 - state_power((double)o->y, c->step->step))),
    };
}

static void stretch(const Adamw *o, const Call *c, ptrdiff_t at, ptrdiff_t n, real *restrict update)
{
    const Adamw s = *o;
    const real *restrict w = (const real *)c->in[P] + at, *restrict d_w =
                                                              (const real *)c->in[D_P] + at;
    real *restrict m = (real *)c->in[M] + at, *restrict v = (real *)c->in[V] + at;
    for (ptrdiff_t i = 0; i < n; i++) {
        real g = s.clip * d_w[i];
        m[i] = s.b1 * m[i] + (R(1) - s.b1) * g;
        v[i] = s.b2 * v[i] + (R(1) - s.b2) * (g * g);
        real step = m[i] * s.unbias1 / (SQRT(v[i] * s.unbias2) + s.eps);
        update[i] = s.rate * (step + state_decay(s.decay, s.cautious, step, w[i]));
    }
}

static void forward(const Call *c, Work w)
{
    if (w.phase == 1) {
        state_end(c);
        return;
    }
    Adamw o = of(c);
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
    { .rank = { 2, 2, 1, 1, 1 },
      .dim = { { 3, 5 }, { 3, 5 }, { 15 }, { 15 }, { 2 } },
      .opt = { .x = 0.9f, .y = 0.95f, .eps = 1e-8f } },
    { .rank = { 1, 1, 1, 1 },
      .dim = { { 1 }, { 1 }, { 1 }, { 1 } },
      .opt = { .x = 0.9f, .y = 0.999f, .eps = 1e-8f } },
    { .rank = { 1, 1, 1, 1 },
      .dim = { { 40000 }, { 40000 }, { 40000 }, { 40000 } },
      .opt = { .x = 0.9f, .y = 0.95f, .eps = 1e-8f, .b = 1 } },
};

KERNEL(adamw, .phases = 2, .parts = state_parts, .scratch = state_scratch, .forward = forward);
OPDEF(adamw, .doc = "w -= rate (m^ / (sqrt(v^) + eps) + decay w); returns {update^2, w^2}",
      .source = "arXiv:1711.05101", .kind = OP_STATE, .n_in = 5, .n_out = 1, .optional = 1 << CLIP,
      .no_grad = true, .shape = shape, .cases = cases, .n_cases = COUNT(cases));
