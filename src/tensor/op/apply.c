/* apply.c - takes a finished update off a weight: w -= rate (scale update + decay w); with `b` the
 * decay is cautious (level/state.h). */
#include "tensor/level/state.h"

enum { P, UPDATE };

static void forward(const Call *c, Work w)
{
    if (w.phase == 1) {
        state_end(c);
        return;
    }
    const OpOpt *o = &c->node->opt;
    real rate = R(c->step->scalar[o->a]), decay = R(c->step->scalar[o->a + 1]), scale = R(o->scale);
    bool cautious = o->b;
    StateSums sums = { 0 };
    real update[STRETCH];
    ptrdiff_t from = w.part * (ptrdiff_t)BLOCK;
    ptrdiff_t end = MIN(tensor_count(c->node->in[P]), from + BLOCK);
    for (ptrdiff_t at = from; at < end; at += STRETCH) {
        ptrdiff_t n = MIN(STRETCH, end - at);
        real *restrict p = (real *)c->in[P] + at;
        const real *restrict u = (const real *)c->in[UPDATE] + at;
        for (ptrdiff_t i = 0; i < n; i++)
            update[i] = rate * (scale * u[i] + state_decay(decay, cautious, u[i], p[i]));
        state_step(&sums, p, update, n);
    }
    state_keep(c, w.part, &sums);
}

static bool shape(OpShape *s, Err *err)
{
    return state_shape(s, UPDATE, UPDATE + 1, err) && shape_scalars(s->out[0], 2);
}

static const OpCase cases[] = {
    { .rank = { 2, 3 }, .dim = { { 6, 5 }, { 2, 3, 5 } }, .opt = { .scale = 0.5f } },
    { .rank = { 1, 1 }, .dim = { { 17000 }, { 17000 } }, .opt = { .scale = 1, .b = 1 } },
};

KERNEL(apply, .phases = 2, .parts = state_parts, .scratch = state_scratch, .forward = forward);
OPDEF(apply, .doc = "w -= rate (scale update + decay w); returns {update^2, w^2}", .kind = OP_STATE,
      .n_in = 2, .n_out = 1, .no_grad = true, .shape = shape, .cases = cases,
      .n_cases = COUNT(cases));
