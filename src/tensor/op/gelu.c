/* gelu.c - the Gaussian error linear unit in its tanh form, as GPT-2 has it.
 *
 * x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))  (Hendrycks, Gimpel 2016, arXiv:1606.08415.)
 * The exact form with erf differs by up to 5e-4; one form is enough, and this one loads GPT-2.
 *
 * With 2u the argument of the tanh, doubled, (1 + tanh u)/2 = 1/(1 + e^-2u): one power of two and
 * one division, where the tanh itself takes both of its branches; and for x far below 0 it loses no
 * digits, as 1 + tanh does.  The backward pass computes the power again: memory is dearer. */
#include "tensor/level/map.h"

#define LINEAR R(-2.3022081981443251) /* -2 sqrt(2/pi) log2(e) */
#define CUBIC R(0.044715)
#define SLOPE R(1.5957691216057308) /* 2 sqrt(2/pi) */

ALWAYS_INLINE real power(real x)
{
    return EXP2(LINEAR * x * FMA(CUBIC * x, x, R(1)));
}

ALWAYS_INLINE real value(real x, const OpOpt *o)
{
    (void)o;
    return x / (R(1) + power(x));
}

/* With s = 1/(1 + e): s (1 + x (1 - s) 2u'), and 1 - s = e s. */
ALWAYS_INLINE real slope(real x, const OpOpt *o)
{
    (void)o;
    real e = power(x), s = R(1) / (R(1) + e);
    real inner = SLOPE * FMA(R(3) * CUBIC * x, x, R(1));
    return s * FMA(x * (e * s), inner, R(1));
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
