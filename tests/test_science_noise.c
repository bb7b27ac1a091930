/* test_science_noise.c - sigma and its limits, power, the gradient noise scale, power laws: against
 * tables, simulations with a known truth, and published values. */
#include "base/rand.h"
#include "science/gradnoise.h"
#include "science/noisebook.h"
#include "science/rates.h"
#include "science/stats.h"
#include "tests/test.h"

TEST(chi_square_is_the_printed_table)
{
    /* Any book of statistics. */
    static const double table[][3] = { { 0.95, 1, 3.841459 },
                                       { 0.05, 7, 2.167350 },
                                       { 0.95, 7, 14.067140 },
                                       { 0.975, 30, 46.979242 },
                                       { 0.05, 200, 168.278557 } };
    for (int i = 0; i < COUNT(table); i++) {
        double q = stat_chi2_quantile(table[i][0], table[i][1]);
        EXPECT_MSG(fabs(q - table[i][2]) < 2e-6 * table[i][2], "%d: %.7g", i, q);
    }
}

TEST(limits_of_sigma_hold_it_nine_times_in_ten)
{
    Rand r = rand_stream(1, "limits");
    int holds = 0;
    for (int world = 0; world < 2000; world++) {
        Noise noise = { 0 };
        for (int recipe = 0; recipe < 3; recipe++) {
            double x[4];
            for (int i = 0; i < 4; i++) x[i] = recipe + 0.3 * rand_normal(&r);
            noise_add(&noise, x, 4);
        }
        NoiseEstimate e = noise_limits(&noise, 0.9);
        EXPECT(e.nu == 9 && e.low < e.s && e.s < e.high);
        holds += e.low <= 0.3 && 0.3 <= e.high;
    }
    EXPECT_MSG(holds > 1755 && holds < 1845, "%d of 2000", holds);
}

TEST(runs_needed_are_those_of_the_published_table)
{
    /* sigma in percent; runs per arm for .1, .2, .5, 1 percent at .05 two-sided, power .8 */
    static const double sigma[] = { 0.04, 0.1, 0.2, 0.3, 0.5 }, d[] = { 0.1, 0.2, 0.5, 1 };
    static const int runs[5][4] = {
        { 3, 1, 1, 1 }, { 16, 4, 1, 1 }, { 63, 16, 3, 1 }, { 142, 36, 6, 2 }, { 393, 99, 16, 4 }
    };
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 4; k++) {
            int n = noise_runs_needed(sigma[i], d[k], 0.05, 0.8);
            EXPECT_MSG(n == runs[i][k], "sigma %g, d %g: %d", sigma[i], d[k], n);
        }
    double found = noise_detectable(0.1, 1e6, 16, 16, 0.05, 0.8);
    EXPECT(fabs(found - 0.0990) < 0.0005);
    EXPECT(noise_detectable(0.1, 7, 8, 3, 0.05, 0.8) > noise_detectable(0.1, 70, 8, 3, 0.05, 0.8));
}

TEST(a_size_that_has_not_run_borrows_its_noise_and_says_so)
{
    NoiseBook book = { 0 };
    Rand r = rand_stream(2, "sizes");
    static const double size[] = { 1e6, 4e6, 16e6 };
    for (int k = 0; k < 3; k++)
        for (int recipe = 0; recipe < 12; recipe++) {
            double x[6], sigma = 2 * 0.003 * pow(size[k] / 1e6, -0.4);
            for (int i = 0; i < 6; i++) x[i] = 2 + sigma * rand_normal(&r);
            EXPECT(noisebook_add(&book, size[k] * (1 + 0.0005 * recipe), 0, 0, x, 6));
        }
    EXPECT(book.cells == 3 && book.cell[0].noise.nu == 60);
    NoiseEstimate own = noisebook_estimate(&book, 4e6, 0, 0, 2);
    NoiseEstimate other = noisebook_estimate(&book, 64e6, 0, 0, 2);
    double truth = 2 * 0.003 * pow(64, -0.4);
    EXPECT(!own.borrowed && own.nu == 60 && other.borrowed);
    EXPECT_MSG(0.9 * other.low < truth && truth < 1.1 * other.high && other.high < 2 * other.low,
               "%g: %g to %g", truth, other.low, other.high);
    EXPECT(isnan(noisebook_estimate(&book, 4e6, 1, 0, 2).s)); /* another frame says nothing */
}

/* Gradients of known mean and covariance: G, and S with unequal variances along the axes. */
TEST(the_gradient_noise_scale_is_the_true_one_within_two_percent)
{
    enum { DIMS = 20, STEPS = 60000, SMALL = 8, MICRO = 8 };
    Rand r = rand_stream(3, "gradients");
    double G[DIMS], sd[DIMS], signal = 0, trace = 0, ratios = 0;
    for (int d = 0; d < DIMS; d++) {
        G[d] = 0.05 * (d % 5 - 2);
        sd[d] = 0.3 + 0.1 * d;
        signal += G[d] * G[d];
        trace += sd[d] * sd[d];
    }
    GradNoise noise = { 0 };
    for (int step = 0; step < STEPS; step++) {
        double big[DIMS] = { 0 }, small = 0, whole = 0;
        for (int m = 0; m < MICRO; m++)
            for (int d = 0; d < DIMS; d++) { /* the mean over SMALL samples is normal too */
                double g = G[d] + sd[d] / sqrt(SMALL) * rand_normal(&r);
                small += g * g / MICRO;
                big[d] += g / MICRO;
            }
        for (int d = 0; d < DIMS; d++) whole += big[d] * big[d];
        gradnoise_add(&noise, small, whole, SMALL, SMALL * MICRO);
        ratios +=
            (small - whole) / (1.0 / SMALL - 1.0 / 64) / ((64 * whole - 8 * small) / 56) / STEPS;
    }
    GradNoiseScale out = gradnoise_scale(&noise);
    double truth = trace / signal;
    printf("# truth %.2f, ratio of averages %.2f (se %.2f), mean of ratios %.2f\n", truth,
           out.scale, out.se, ratios);
    EXPECT(fabs(out.scale / truth - 1) < 0.02 && fabs(out.scale - truth) < 4 * out.se);
    EXPECT(fabs(ratios / truth - 1) > 0.02); /* what the ratio of averages is for */
    EXPECT(fabs(gradnoise_steps(100, 100) - 2) < 1e-12);
    /* McCandlish et al.: (S / S_min - 1) (E / E_min - 1) = 1 */
    EXPECT(fabs((gradnoise_steps(418, 64) - 1) * (gradnoise_samples(418, 64) - 1) - 1) < 1e-12);
}

TEST(published_rates_are_what_they_print)
{
    Rates a = rates_step_law(124e6, 2.5e9);
    EXPECT_MSG(fabs(a.lr - 0.00233) < 2e-5 && fabs(a.batch / 135e3 - 1) < 0.02, "%g %g", a.lr,
               a.batch);
    Rates b = rates_porian(108e6);
    EXPECT(fabs(b.lr - 0.0047) < 1e-12 && fabs(b.batch - 327680) < 1e-6);
    EXPECT(rates_reach(500e6) == 1 && rates_reach(1e6) > 200);
    double tau = rates_best_tau(20), decay = rates_decay(327680, 0.0047, tau, 2e9);
    EXPECT(fabs(rates_tau(327680, 0.0047, decay, 2e9) / tau - 1) < 1e-12);
}

TEST(a_power_law_is_fitted_with_limits)
{
    /* nanochat's best weight decay at widths 512, 768, 1024, 1280 falls as the square. */
    const double width[] = { 512, 768, 1024, 1280 }, decay[] = { 0.40, 0.22, 0.10, 0.08 };
    RatesFit fit;
    EXPECT(rates_fit(width, decay, 4, 1, &fit));
    printf("# decay ~ width^%.3f (%.2f to %.2f)\n", fit.p[0], fit.low[0], fit.high[0]);
    EXPECT(fabs(fit.p[0] + 1.97) < 0.15);
    double x[24], y[12];
    for (int i = 0; i < 12; i++) {
        x[2 * i] = pow(2, i % 4);
        x[2 * i + 1] = pow(3, i / 4.0);
        y[i] = 1.79 * pow(x[2 * i], -0.713) * pow(x[2 * i + 1], 0.307);
    }
    EXPECT(rates_fit(x, y, 12, 2, &fit) && fabs(fit.p[0] + 0.713) < 1e-9 &&
           fabs(fit.c - 1.79) < 1e-9);
    for (int i = 0; i < 12; i++) x[2 * i + 1] = x[2 * i];
    EXPECT(!rates_fit(x, y, 12, 2, &fit));
}
