/* test_science_law.c - laws against planted truth, published points and published values. */
#include "science/law.h"

#include "base/rand.h"
#include "base/str.h"
#include "science/linear.h"
#include "science/minimize.h"
#include "tests/test.h"

static double rosenbrock(const double *x, void *ctx)
{
    (void)ctx;
    double a = 1 - x[0], b = x[1] - x[0] * x[0];
    return a * a + 100 * b * b;
}

TEST(the_simplex_walks_to_the_end_of_a_curved_valley)
{
    const double step[2] = { 0.5, 0.5 };
    double x[2] = { -1.2, 1 };
    Minimize m = { .f = rosenbrock, .n = 2, .step = step };
    EXPECT(minimize_simplex(&m, x) < 1e-18 && fabs(x[0] - 1) < 1e-8 && fabs(x[1] - 1) < 1e-8);
}

TEST(least_squares_gives_back_a_line_and_its_covariance)
{
    const double x[] = { 1, 0, 1, 1, 1, 2, 1, 3 }, y[] = { 1, 3.5, 4.5, 7 };
    double beta[2], cov[4], rss;
    EXPECT(linear_least(x, y, NULL, 4, 2, beta, cov, &rss));
    EXPECT(fabs(beta[0] - 1.15) < 1e-12 && fabs(beta[1] - 1.9) < 1e-12); /* by hand */
    EXPECT(fabs(cov[3] - 0.2) < 1e-12 && fabs(cov[0] - 0.7) < 1e-12 && fabs(rss - 0.45) < 1e-12);
}

TEST(eigenvectors_diagonalise)
{
    double a[9] = { 4, 1, -2, 1, 3, 0.5, -2, 0.5, 1 }, copy[9], value[3], v[9];
    memcpy(copy, a, sizeof(a));
    linear_eigen(copy, 3, value, v);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            double sum = 0;
            for (int k = 0; k < 3; k++) sum += a[i * 3 + k] * v[k * 3 + j];
            EXPECT(fabs(sum - value[j] * v[i * 3 + j]) < 1e-12);
        }
}

/* ---- planted truth ---- */

static const Law truth = { 1.7, 400, 1800, 0.34, 0.37 };

static int grid(LawPoint *p, double noise, uint64_t seed)
{
    Rand r = rand_stream(seed, "grid");
    int n = 0;
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) {
            p[n].N = 1e7 * pow(2.2, i);
            p[n].D = 2e8 * pow(2.5, j);
            p[n].loss = law_loss(&truth, p[n].N, p[n].D) * exp(noise * rand_normal(&r));
            n++;
        }
    return n;
}

TEST(a_law_without_noise_is_given_back)
{
    LawPoint p[36];
    LawFit fit;
    Err err;
    int n = grid(p, 0, 1);
    EXPECT(law_fit(p, n, &fit, &err));
    EXPECT_MSG(fabs(fit.law.a - truth.a) < 1e-5 && fabs(fit.law.b - truth.b) < 1e-5, "a %g b %g",
               fit.law.a, fit.law.b);
    EXPECT(fabs(fit.law.E - truth.E) < 1e-4 && !fit.at_edge && fit.objective < 1e-12);
}

TEST(intervals_of_a_prediction_hold_the_truth_as_often_as_they_say)
{
    enum { WORLDS = 20, TIMES = 30 };
    Arena memory = arena_reserve(1 << 20);
    int boot_holds = 0, profile_holds = 0, next_holds = 0;
    double wide = 0, N = 6e9, D = 5e10, mean = law_loss(&truth, N, D);
    for (int world = 0; world < WORLDS; world++) {
        Arena scratch = memory;
        LawPoint p[36];
        LawFit fit;
        Err err;
        int n = grid(p, 0.003, (uint64_t)world + 1);
        EXPECT(law_fit(p, n, &fit, &err));
        Law *boot = law_bootstrap(p, n, &fit, TIMES, 7, &scratch);
        LawRange b = law_predict(&fit, boot, TIMES, N, D, 0);
        LawRange next = law_predict(&fit, boot, TIMES, N, D, fit.spread);
        LawRange l = law_profile_loss(p, n, &fit, N, D);
        boot_holds += b.low <= mean && mean <= b.high;
        profile_holds += l.low <= mean && mean <= l.high;
        Rand r = rand_stream((uint64_t)world, "next");
        double run = mean * exp(0.003 * rand_normal(&r));
        next_holds += next.low <= run && run <= next.high;
        wide += (l.high - l.low) / mean / WORLDS;
    }
    printf("# of %d: bootstrap %d, profile %d, next run %d; profile's width %.2f %%\n", WORLDS,
           boot_holds, profile_holds, next_holds, 100 * wide);
    EXPECT(boot_holds >= 16 && profile_holds >= 17 && next_holds >= 17);
    EXPECT(wide < 0.05); /* an interval that is always infinite holds the truth too */
    arena_release(&memory);
}

TEST(points_that_cannot_tell_are_refused)
{
    LawPoint p[36];
    LawFit fit;
    Err err;
    int n = grid(p, 0, 1);
    EXPECT(!law_fit(p, 5, &fit, &err));
    EXPECT(!law_fit(p, 12, &fit, &err)); /* two sizes */
    for (int i = 0; i < n; i++) p[i].D = 20 * p[i].N;
    EXPECT(!law_fit(p, n, &fit, &err) && strstr(err.msg, "power of N"));
    for (int i = 0; i < n; i++) {
        p[i].N = 1e7 * pow(1.3, i);
        p[i].D = 20 * p[i].N;
    }
    EXPECT(!law_fit(p, n, &fit, &err) && strstr(err.msg, "power of N"));
    p[3].loss = -1;
    EXPECT(!law_fit(p, n, &fit, &err) && strstr(err.msg, "point 4"));
}

TEST(a_few_far_points_that_decide_an_exponent_are_found_out)
{
    enum { ALL = 147, FAR = 3 };
    LawPoint p[ALL];
    LawFit fit, without;
    Err err;
    int index[LAW_FEW];
    for (int i = 0; i < 144; i += 36) grid(p + i, 0.002, (uint64_t)i + 3);
    for (int i = 0; i < FAR; i++) {
        p[144 + i] = (LawPoint){ 2e7 * (i + 1), 2e7, 0 };
        p[144 + i].loss = law_loss(&truth, p[144 + i].N, p[144 + i].D);
    }
    EXPECT(law_fit(p, ALL, &fit, &err) && law_hangs_on(p, ALL, &fit, index, &without) == 0);
    for (int i = 144; i < ALL; i++) p[i].loss *= 1.4;
    EXPECT(law_fit(p, ALL, &fit, &err) && law_hangs_on(p, ALL, &fit, index, &without) == FAR);
    for (int i = 0; i < FAR; i++) EXPECT(index[i] >= 144);
    EXPECT(fabs(without.law.b - truth.b) < 0.02);
}

/* ---- published values ---- */

TEST(the_optimum_is_the_lowest_point_of_the_budget)
{
    LawOptimum best = law_optimum(&truth, 1e21);
    EXPECT(fabs(6 * best.N * best.D / 1e21 - 1) < 1e-12);
    for (double f = 0.8; f < 1.3; f += 0.1)
        EXPECT(law_loss(&truth, best.N * f, best.D / f) >= best.loss);
    /* Besiroglu et al. 2024: their constants put D / N at 21.6 for 1e21 and 27 for 1e17. */
    const Law epoch = { 1.8172, 482.01, 2085.43, 0.3478, 0.3658 };
    best = law_optimum(&epoch, 1e21);
    EXPECT_MSG(fabs(best.D / best.N - 21.6) < 0.1, "%g", best.D / best.N);
    best = law_optimum(&epoch, 1e17);
    EXPECT_MSG(fabs(best.D / best.N - 27) < 0.3, "%g", best.D / best.N);
}

TEST(repeated_data_is_worth_what_was_published)
{
    /* Values that the authors' own program prints. */
    EXPECT(fabs(law_data_loss(&law_muennighoff, 6.34e9, 242e9, 25e9) - 2.2256440889984477) < 1e-6);
    EXPECT(fabs(law_data_loss(&law_muennighoff, 8.67e9, 178e9, 25e9) - 2.2269634075087867) < 1e-6);
    const double unique[] = { 55e9, 14e9, 9e9, 1.25e9 },
                 loss[] = { 2.3541, 2.3769, 2.3983, 2.7012 };
    for (int i = 0; i < 4; i++) {
        double got = law_data_loss(&law_muennighoff, 2.81e9, 55e9, unique[i]);
        EXPECT_MSG(fabs(got - loss[i]) < 6e-5, "%g unique: %.5f", unique[i], got);
    }
}

TEST(parabolas_miss_the_exponent_of_a_lopsided_law_without_any_noise)
{
    const Law even = { 1.7, 400, 400, 0.34, 0.34 }, odd = { 1.7, 400, 40000, 0.3, 0.55 };
    LawPoint p[60];
    LawProfile profile[8];
    for (int k = 0; k < 2; k++) {
        const Law *law = k ? &odd : &even;
        int n = 0;
        for (int c = 0; c < 6; c++)
            for (int i = 0; i < 9; i++) { /* sizes around the optimum, that drift away from it */
                double C = 1e18 * pow(4, c), N = law_optimum(law, C).N * pow(2, i - 3 + 0.4 * c);
                p[n] = (LawPoint){ N, C / 6 / N, 0 };
                p[n].loss = law_loss(law, p[n].N, p[n].D);
                n++;
            }
        EXPECT(law_profiles(p, n, 0.02, profile, 8) == 6);
        double slope = law_profile_slope(profile, 6), bias = law_profile_bias(p, n, 0.02, law);
        printf("# slope %.4f, law %.4f, bias %.4f\n", slope, law->b / (law->a + law->b), bias);
        EXPECT(fabs(slope - law->b / (law->a + law->b) - bias) < 1e-9);
        EXPECT(!k || fabs(bias) > 0.003);
    }
}

/* ---- Hoffmann et al. 2022, figure 4, as extracted by Besiroglu et al. 2024 ---- */

static int chinchilla(LawPoint *p, int cap)
{
    const char *shared = getenv("LATHE_SHARED");
    char path[500], line[400];
    if (!shared) {
        printf("# skipped: LATHE_SHARED is not set\n");
        return 0;
    }
    snprintf(path, sizeof(path), "%s/data/curves/chinchilla/svg_extracted_data.csv", shared);
    FILE *f = fopen(path, "r");
    EXPECT_MSG(f, "cannot read %s", path);
    int n = 0;
    for (int row = 0; f && n < cap && fgets(line, sizeof(line), f); row++) {
        double column[7] = { 0 };
        Str rest = str_trim(str_of(line)), cell;
        for (int k = 0; k < 7 && str_cut(&rest, ',', &cell); k++)
            if (!str_to_double(cell, &column[k])) column[k] = 0;
        if (row > 0) p[n++] = (LawPoint){ column[3], column[4] / 6 / column[3], column[6] };
    }
    if (f) fclose(f);
    return n;
}

static int higher_loss(const void *a, const void *b)
{
    double x = ((const LawPoint *)a)->loss, y = ((const LawPoint *)b)->loss;
    return (x < y) - (x > y);
}

TEST(chinchilla_is_fitted_to_its_true_minimum)
{
    LawPoint p[300];
    LawFit fit, without;
    Err err;
    int index[LAW_FEW], n = chinchilla(p, 300);
    if (n == 0) return;
    EXPECT(n == 245);
    qsort(p, (size_t)n, sizeof(*p), higher_loss);
    EXPECT(law_fit(p + 5, n - 5, &fit, &err));
    printf("# objective %.9e, E %.5f A %.2f B %.1f a %.5f b %.5f\n", fit.objective, fit.law.E,
           fit.law.A, fit.law.B, fit.law.a, fit.law.b);
    EXPECT(fabs(fit.objective / 1.01827402e-3 - 1) < 1e-6);
    const Law printed = { 1.6934, 406.4, 410.7, 0.3392, 0.2849 };
    EXPECT(fabs(law_objective(&printed, p + 5, n - 5) / 1.2353e-3 - 1) < 1e-3);
    EXPECT(law_hangs_on(p + 5, n - 5, &fit, index, &without) == 0);
}

TEST(all_of_chinchilla_hangs_on_five_points)
{
    LawPoint p[300];
    LawFit fit, without;
    Err err;
    int index[LAW_FEW], n = chinchilla(p, 300);
    if (n == 0) return;
    qsort(p, (size_t)n, sizeof(*p), higher_loss);
    EXPECT(law_fit(p, n, &fit, &err));
    EXPECT(fabs(fit.law.b - 0.453) < 0.001 && fabs(fit.law.E - 1.891) < 0.001);
    EXPECT(law_hangs_on(p, n, &fit, index, &without) == 5);
    for (int i = 0; i < 5; i++) EXPECT(index[i] < 5);
    EXPECT(fabs(without.law.b - 0.3672) < 0.001);
}
