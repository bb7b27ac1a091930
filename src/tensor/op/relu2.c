/* relu2.c - the square of the rectifier, max(x, 0)^2  (So et al. 2021, arXiv:2109.08668.) */
#include "tensor/level/map.h"

ALWAYS_INLINE real value(real x, const OpOpt *o)
{
    (void)o;
    real p = x < R(0) ? R(0) : x; /* so written, a NaN stays a NaN */
    return p * p;
}

ALWAYS_INLINE real slope(real x, const OpOpt *o)
{
    (void)o;
    real p = x < R(0) ? R(0) : x;
    return R(2) * p;
}

static const OpCase cases[] = {
    { .rank = { 2 }, .dim = { { 3, 5 } } },
    { .rank = { 1 }, .dim = { { 1 } } },
};

MAP_KERNEL(relu2);
OPDEF(relu2, .doc = "max(x, 0)^2", .source = "arXiv:2109.08668", .kind = OP_MAP, .n_in = 1,
      .n_out = 1, .strided = 1, .needs_in = 1, .shape = map_shape, .cases = cases,
      .n_cases = COUNT(cases));
