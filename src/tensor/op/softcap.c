/* softcap.c - cap tanh(x / cap): values stay inside (-cap, cap)  (Gemma 2, arXiv:2408.00118.) */
#include "tensor/level/map.h"

ALWAYS_INLINE real value(real x, const OpOpt *o)
{
    return R(o->cap) * TANH(x / R(o->cap));
}

ALWAYS_INLINE real slope(real x, const OpOpt *o)
{
    real t = TANH(x / R(o->cap));
    return R(1) - t * t;
}

static bool shape(OpShape *s, Err *err)
{
    if (!(s->opt->cap > 0)) return err_set(err, ERR_CONFIG, "cap must be above 0");
    return map_shape(s, err);
}

static const OpCase cases[] = {
    { .rank = { 2 }, .dim = { { 3, 5 } }, .opt = { .cap = 1.5f } },
    { .rank = { 1 }, .dim = { { 33 } }, .opt = { .cap = 30 } },
};

MAP_KERNEL(softcap);
OPDEF(softcap, .doc = "cap tanh(x / cap)", .source = "arXiv:2408.00118", .kind = OP_MAP, .n_in = 1,
      .n_out = 1, .strided = 1, .needs_in = 1, .shape = shape, .cases = cases,
      .n_cases = COUNT(cases));
