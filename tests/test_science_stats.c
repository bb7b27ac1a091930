/* test_science_stats.c - against tables, closed forms and brute force. */
#include "science/stats.h"

#include "base/rand.h"
#include "tests/test.h"

static bool near(double a, double b, double tolerance)
{
    return fabs(a - b) <= tolerance * fmax(1, fabs(b));
}

TEST(means_and_medians_of_small_sets)
{
    double x[] = { 4, 1, 3, 2 };
    EXPECT(stat_mean(x, 4) == 2.5 && stat_median(x, 4) == 2.5 && stat_median(x, 3) == 3);
    EXPECT(stat_ss(x, 4) == 5);
    EXPECT(isnan(stat_mean(x, 0)) && isnan(stat_median(x, 0)));
    double many[101];
    for (int i = 0; i < 101; i++) many[i] = (i * 37) % 101;
    EXPECT(stat_median(many, 101) == 50);
}

TEST(one_odd_run_moves_the_huber_mean_by_at_most_its_cut)
{
    double x[] = { 0, 0.1, -0.1, 10 }; /* three inside, one cut at 1.5: 3 mu = 1.5 */
    EXPECT(near(stat_huber_mean(x, 4, 1), 0.5, 1e-12));
    x[3] = 1e6;
    EXPECT(near(stat_huber_mean(x, 4, 1), 0.5, 1e-12));
    double calm[] = { 1, 2, 3, 2.5 };
    EXPECT(near(stat_huber_mean(calm, 4, 10), stat_mean(calm, 4), 1e-14));
    EXPECT(stat_huber_mean(x, 2, 1) == stat_mean(x, 2));
    EXPECT(stat_huber_mean(x, 4, 0) == stat_mean(x, 4));
}

TEST(the_huber_mean_balances_the_cut_deviations)
{
    Rand r = rand_stream(3, "huber");
    for (int trial = 0; trial < 2000; trial++) {
        double x[20], sum = 0;
        int n = 3 + (int)rand_below(&r, 18);
        for (int i = 0; i < n; i++) x[i] = rand_normal(&r) * (rand_uniform(&r) < 0.2 ? 20 : 1);
        double at = stat_huber_mean(x, n, 0.7);
        for (int i = 0; i < n; i++) sum += fmax(-1.05, fmin(1.05, x[i] - at));
        EXPECT_MSG(fabs(sum) < 1e-9, "trial %d leaves %g", trial, sum);
    }
}

TEST(normal_probabilities_are_the_published_ones)
{
    EXPECT(near(stat_normal_cdf(1.96), 0.9750021048517795, 1e-14));
    EXPECT(near(stat_normal_cdf(-6) * 1e9, 0.9865876450376981, 1e-12));
    EXPECT(near(stat_normal_quantile(0.975), 1.959963984540054, 1e-12));
    EXPECT(near(stat_normal_quantile(0.9), 1.2815515655446004, 1e-12));
    EXPECT(near(stat_normal_quantile(1e-6), -4.753424308822899, 1e-10));
}

/* Student's t with 1, 2 and 4 degrees has closed forms; the others are from printed tables. */
TEST(t_quantiles_are_the_published_ones)
{
    static const struct {
        double p, nu, t;
    } table[] = { { 0.975, 1, 12.706204736174694 },  { 0.95, 2, 2.919985580355516 },
                  { 0.95, 3, 2.3533634348018233 },   { 0.95, 7, 1.894578605090007 },
                  { 0.975, 10, 2.2281388519649385 }, { 0.995, 30, 2.7499956535670374 },
                  { 0.95, 1000, 1.6463788172854639 } };
    for (int i = 0; i < COUNT(table); i++) {
        double t = stat_t_quantile(table[i].p, table[i].nu);
        EXPECT_MSG(near(t, table[i].t, 1e-9), "%g, %g: %.17g", table[i].p, table[i].nu, t);
        EXPECT(near(stat_t_quantile(1 - table[i].p, table[i].nu), -t, 1e-9));
        EXPECT(near(stat_t_cdf(t, table[i].nu), table[i].p, 1e-12));
    }
    for (double t = -30; t <= 30; t += 0.7) {
        EXPECT(near(stat_t_cdf(t, 1), 0.5 + atan(t) / 3.14159265358979323846, 1e-13));
        EXPECT(near(stat_t_cdf(t, 2), 0.5 + t / (2 * sqrt(2 + t * t)), 1e-13));
    }
    EXPECT(stat_t_cdf(0, 5) == 0.5 && near(stat_t_quantile(0.5, 5), 0, 1e-12));
}

TEST(the_beta_distribution_counts_coins)
{
    /* P(at least k of n heads) = I_p(k, n - k + 1). */
    for (int n = 1; n <= 12; n++) {
        for (int k = 1; k <= n; k++) {
            double p = 0.3, sum = 0, ways = 1;
            for (int j = 0; j <= n; j++) {
                if (j >= k) sum += ways * pow(p, j) * pow(1 - p, n - j);
                ways = ways * (n - j) / (j + 1);
            }
            EXPECT_MSG(near(stat_beta_cdf(p, k, n - k + 1), sum, 1e-12), "%d of %d", k, n);
        }
    }
    EXPECT(near(stat_beta_quantile(0.9, 1, 10), 1 - pow(0.1, 0.1), 1e-12));
    EXPECT(stat_beta_cdf(0, 2, 3) == 0 && stat_beta_cdf(1, 2, 3) == 1);
}

TEST(the_jackknife_of_equal_blocks_is_the_standard_error)
{
    double bits[50], bytes[50], other[50];
    Rand r = rand_stream(5, "jackknife");
    for (int i = 0; i < 50; i++) {
        bytes[i] = 100;
        other[i] = 150 + 10 * rand_normal(&r);
        bits[i] = other[i] + 2 + rand_normal(&r);
    }
    double se = sqrt(stat_ss(bits, 50) / 49 / 50) / 100;
    EXPECT(near(stat_jackknife(bits, bytes, 50) / se, 1, 1e-9));
    double d[50];
    for (int i = 0; i < 50; i++) d[i] = bits[i] - other[i];
    se = sqrt(stat_ss(d, 50) / 49 / 50) / 100;
    EXPECT(near(stat_jackknife_diff(bits, other, bytes, 50) / se, 1, 1e-9));
    EXPECT(isnan(stat_jackknife(bits, bytes, 1)) &&
           isnan(stat_jackknife_diff(bits, other, bytes, 1)));
}

/* Unequal blocks: the jackknife's error against the spread of the estimate over many sets of text.
 */
TEST(the_jackknife_of_unequal_blocks_is_the_spread_over_texts)
{
    enum { SETS = 3000, BLOCKS = 60 };
    static double estimate[SETS];
    double mean_error = 0;
    Rand r = rand_stream(6, "texts");
    for (int s = 0; s < SETS; s++) {
        double bits[BLOCKS], bytes[BLOCKS], a = 0, b = 0;
        for (int i = 0; i < BLOCKS; i++) {
            bytes[i] = 20 + 200 * rand_uniform(&r);
            bits[i] = bytes[i] * (1.5 + 0.2 * rand_normal(&r));
            a += bits[i];
            b += bytes[i];
        }
        estimate[s] = a / b;
        mean_error += stat_jackknife(bits, bytes, BLOCKS) / SETS;
    }
    double spread = sqrt(stat_ss(estimate, SETS) / (SETS - 1));
    EXPECT_MSG(fabs(mean_error / spread - 1) < 0.06, "%g against %g", mean_error, spread);
}
