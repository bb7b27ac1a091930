/* The functions that kernels use instead of libm, held against libm; as the float levels have
 * them, compiled at the plain one. */
#define LEVEL 1
#include "tensor/level/vec.h"

#include "base/rand.h"
#include "tests/test.h"

/* Distance from the true value in units of the last place of a float. */
static double ulps(float got, double want)
{
    float near = fabsf((float)want);
    return fabs((double)got - want) / (double)(nextafterf(near, INFINITY) - near);
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

TEST(exp_is_within_two_units_of_the_last_place)
{
    double worst = 0;
    for (uint32_t i = 0; i < 3000000; i++) {
        float x = -86.4f + 175.1f * (float)i / 3000000.0f;
        worst = MAX(worst, ulps(EXP(x), exp((double)x)));
    }
    EXPECT_MSG(worst < 1.5, "off by %g units", worst);
    EXPECT(EXP(0.0f) == 1.0f);
    EXPECT(EXP(-100.0f) == 0.0f && EXP(-(float)INFINITY) == 0.0f);
    EXPECT(isinf(EXP(100.0f)) && isinf(EXP((float)INFINITY)));
    EXPECT(isnan(EXP((float)NAN)));
}

TEST(powers_of_two_are_within_two_units_of_the_last_place)
{
    double worst = 0;
    for (uint32_t i = 0; i < 2500000; i++) {
        float x = -124.9f + 249.8f * (float)i / 2500000.0f;
        worst = MAX(worst, ulps(EXP2(x), exp2((double)x)));
    }
    EXPECT_MSG(worst < 2, "off by %g units", worst);
    EXPECT(EXP2(0.0f) == 1.0f && EXP2(-7.0f) == 0x1p-7f && EXP2(125.0f) == 0x1p125f);
    EXPECT(EXP2(-(float)INFINITY) == 0x1p-125f && EXP2((float)INFINITY) == 0x1p125f);
    EXPECT(isnan(EXP2((float)NAN)));
}

TEST(tanh_is_within_two_units_of_the_last_place)
{
    double worst = 0;
    for (uint32_t bits = 0x30000000; bits < 0x41a00000; bits += 97) {
        float x = float_of(bits);
        worst = MAX(worst, ulps(TANH(x), tanh((double)x)));
        EXPECT(TANH(-x) == -TANH(x));
    }
    EXPECT_MSG(worst < 2, "off by %g units", worst);
    EXPECT(TANH((float)INFINITY) == 1.0f && TANH(-100.0f) == -1.0f && TANH(0.0f) == 0.0f);
    EXPECT(isnan(TANH((float)NAN)));
}

TEST(doubles_are_good_to_a_few_units_of_1e_16)
{
    Rand r = rand_stream(1, "vec");
    double worst_log = 0, worst_exp = 0, worst_angle = 0;
    for (int i = 0; i < 300000; i++) {
        double y = 120 * (rand_uniform(&r) - 0.5), x = exp(y), s, c;
        worst_log = MAX(worst_log, fabs(LOG64(x) - log(x)) / MAX(1e-3, fabs(log(x))));
        worst_exp = MAX(worst_exp, fabs(EXP64(y) / x - 1));
        double angle = (rand_uniform(&r) - 0.5) * (i % 2 ? 10 : 2e5);
        SINCOS64(angle, &s, &c);
        worst_angle = MAX(worst_angle, MAX(fabs(s - sin(angle)), fabs(c - cos(angle))));
    }
    EXPECT_MSG(worst_log < 1e-15, "log %g", worst_log);
    EXPECT_MSG(worst_exp < 1e-15, "exp %g", worst_exp);
    EXPECT_MSG(worst_angle < 2e-15, "sine and cosine %g", worst_angle);
    EXPECT(LOG64(1) == 0 && isinf(LOG64(0)) && isnan(LOG64(-1)) && isinf(LOG64((double)INFINITY)));
}

TEST(sums_of_rows_do_not_depend_on_zeros_around_them)
{
    float x[300] = { 0 };
    Rand r = rand_stream(2, "vec");
    for (int i = 48; i < 131; i++) x[i] = (float)rand_normal(&r);
    float sum = block_sum(x, 131);
    EXPECT(block_sum(x + 16, 115) == sum);
    EXPECT(block_sum(x + 48, 83) == sum);
    EXPECT(block_sum(x, 300) == sum);
    double want = 0;
    for (int i = 0; i < 300; i++) want += (double)x[i];
    EXPECT(fabs((double)sum - want) < 1e-5);
    EXPECT(fabs((double)row_dot(x, x, 300) - (double)row_dot(x + 48, x + 48, 83)) == 0);
}
