/* gelu.c - the Gaussian error linear unit in its tanh form, as GPT-2 has it.
 *
 * x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))  (Hendrycks, Gimpel 2016, arXiv:1606.08415.)
 * The exact form with erf differs by up to 5e-4; one form is enough, and this one loads GPT-2.
 * The backward pass computes the tanh again: reading x is dearer than the polynomial. */
#include "tensor/level/map.h"

#define SQRT_2_PI R(0.79788456080286535588)
#define CUBIC R(0.044715)

ALWAYS_INLINE real value(real x, const OpOpt *o)
{
    (void)o;
    real t = TANH(SQRT_2_PI * (x + CUBIC * x * x * x));
    return R(0.5) * x * (R(1) + t);
}

ALWAYS_INLINE real slope(real x, const OpOpt *o)
{
    (void)o;
    real t = TANH(SQRT_2_PI * (x + CUBIC * x * x * x));
    real inner = SQRT_2_PI * (R(1) + R(3) * CUBIC * x * x);
    return R(0.5) * (R(1) + t) + R(0.5) * x * (R(1) - t * t) * inner;
}

static const OpCase cases[] = {
    { .rank = { 2 }, .dim = { { 3, 5 } } },
    { .rank = { 3 }, .dim = { { 2, 1, 17 } } },
    { .rank = { 1 }, .dim = { { 16401 } } },
};

MAP_KERNEL(gelu);
OPDEF(gelu, .doc = "x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))", .source = "arXiv:1606.08415",
      .kind = OP_MAP, .n_in = 1, .n_out = 1, .strided = 1, .needs_in = 1, .shape = map_shape,
      .cases = cases, .n_cases = COUNT(cases));
