/* silu.c - x / (1 + e^-x), the gate of SwiGLU  (arXiv:1606.08415, arXiv:2002.05202.) */
#include "tensor/level/map.h"

ALWAYS_INLINE real value(real x, const OpOpt *o)
{
    (void)o;
    return x * vec_sigmoid(x);
}

ALWAYS_INLINE real slope(real x, const OpOpt *o)
{
    (void)o;
    real s = vec_sigmoid(x);
    return s * (R(1) + x * (R(1) - s));
}

static const OpCase cases[] = {
    { .rank = { 2 }, .dim = { { 7, 9 } } },
    { .rank = { 4 }, .dim = { { 2, 1, 3, 4 } } },
};

MAP_KERNEL(silu);
OPDEF(silu, .doc = "x / (1 + e^-x)", .source = "arXiv:1606.08415", .kind = OP_MAP, .n_in = 1,
      .n_out = 1, .strided = 1, .needs_in = 1, .shape = map_shape, .cases = cases,
      .n_cases = COUNT(cases));
