/* test_science_search.c - does the search learn?  Functions whose minima are published, the same
 * number of evaluations for both searches, medians over fixed seeds. */
#include "science/search.h"

#include "base/rand.h"
#include "science/stats.h"
#include "tests/test.h"

typedef struct Problem {
    const char *name;
    SearchDim dim[8];
    int dims;
    double (*f)(const double *x);
    double minimum;
} Problem;

static double sphere(const double *x)
{
    double sum = 0;
    for (int i = 0; i < 5; i++) sum += (x[i] - 0.7) * (x[i] - 0.7);
    return sum;
}

/* Branin; minimum .397887 at three points. */
static double branin(const double *x)
{
    double pi = 3.14159265358979323846,
           a = x[1] - 5.1 / (4 * pi * pi) * x[0] * x[0] + 5 / pi * x[0] - 6;
    return a * a + 10 * (1 - 1 / (8 * pi)) * cos(x[0]) + 10;
}

/* Hartmann's function of six variables; minimum -3.32237. */
static double hartmann6(const double *x)
{
    static const double alpha[4] = { 1, 1.2, 3, 3.2 };
    static const double A[4][6] = { { 10, 3, 17, 3.5, 1.7, 8 },
                                    { 0.05, 10, 17, 0.1, 8, 14 },
                                    { 3, 3.5, 1.7, 10, 17, 8 },
                                    { 17, 8, 0.05, 10, 0.1, 14 } };
    static const double P[4][6] = { { 0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886 },
                                    { 0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991 },
                                    { 0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650 },
                                    { 0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381 } };
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        double inner = 0;
        for (int j = 0; j < 6; j++) inner += A[i][j] * (x[j] - P[i][j]) * (x[j] - P[i][j]);
        sum -= alpha[i] * exp(-inner);
    }
    return sum;
}

/* Like a training run: a rate on a log scale whose best value moves with a whole-number depth, a
 * decay, a choice of optimizer.  Minimum 0 at depth 6, rate .003 * sqrt(6 / depth), optimizer 2. */
static double mixed(const double *x)
{
    double best = log(0.003) + 0.5 * log(6 / x[1]), rate = log(x[0]) - best;
    static const double optimizer[4] = { 1.0, 0.6, 0.0, 0.8 };
    return 0.4 * rate * rate + 0.05 * (x[1] - 6) * (x[1] - 6) + optimizer[(int)x[2]] +
           2 * (x[3] - 0.1) * (x[3] - 0.1);
}

#define UNIFORM(from, to)                                                                          \
    {                                                                                              \
        .low = (from), .high = (to), .centre = (double)NAN                                         \
    }
static const Problem problems[] = {
    { "sphere",
      { UNIFORM(-2, 2), UNIFORM(-2, 2), UNIFORM(-2, 2), UNIFORM(-2, 2), UNIFORM(-2, 2) },
      5,
      sphere,
      0 },
    { "Branin", { UNIFORM(-5, 10), UNIFORM(0, 15) }, 2, branin, 0.397887 },
    { "Hartmann6",
      { UNIFORM(0, 1), UNIFORM(0, 1), UNIFORM(0, 1), UNIFORM(0, 1), UNIFORM(0, 1), UNIFORM(0, 1) },
      6,
      hartmann6,
      -3.32237 },
    { "mixed",
      { { .low = 1e-5, .high = 1, .log = true, .centre = 1e-3 },
        { .low = 1, .high = 24, .log = true, .whole = true, .centre = 4 },
        { .choices = 4, .centre = 0 },
        { .low = 0, .high = 1, .centre = 0.5 } },
      4,
      mixed,
      0 },
};

enum { EVALUATIONS = 80, SEEDS = 15 };

/* Least regret after EVALUATIONS points. */
static double regret(const Problem *p, bool tpe, uint64_t seed, double noise)
{
    static double x[EVALUATIONS][8];
    SearchPoint seen[EVALUATIONS];
    double best = 1e300;
    Rand r = rand_stream(seed, "noise");
    for (int i = 0; i < EVALUATIONS; i++) {
        uint64_t step = seed * 1000 + (uint64_t)i;
        if (tpe && i >= 8)
            search_tpe(p->dim, p->dims, seen, i, step, 48, x[i]);
        else
            search_random(p->dim, p->dims, step, x[i]);
        double f = p->f(x[i]);
        best = fmin(best, f - p->minimum);
        seen[i] = (SearchPoint){ .x = x[i], .gain = -f + noise * rand_normal(&r), .weight = 1 };
    }
    return best;
}

static double median_regret(const Problem *p, bool tpe, double noise)
{
    double all[SEEDS];
    for (int i = 0; i < SEEDS; i++) all[i] = regret(p, tpe, (uint64_t)i + 1, noise);
    return stat_median(all, SEEDS);
}

TEST(the_search_beats_random_search_on_known_functions)
{
    static const double factor[] = { 0.4, 0.5, 0.6, 0.4 };
    for (int i = 0; i < COUNT(problems); i++) {
        double ours = median_regret(&problems[i], true, 0);
        double theirs = median_regret(&problems[i], false, 0);
        printf("# %s: regret %.4g, random %.4g\n", problems[i].name, ours, theirs);
        EXPECT_MSG(ours < factor[i] * theirs, "%s: %g against %g", problems[i].name, ours, theirs);
    }
}

TEST(noise_does_not_lead_the_search_astray)
{
    const Problem *p = &problems[3];
    EXPECT(median_regret(p, true, 0.2) < 0.6 * median_regret(p, false, 0));
}

TEST(proposals_lie_in_range_and_are_new)
{
    const Problem *p = &problems[3];
    double x[60][4], centre[4];
    SearchPoint seen[60];
    for (int k = 0; k < 4; k++) centre[k] = p->dim[k].centre;
    for (int i = 0; i < 60; i++) {
        search_tpe(p->dim, 4, seen, i, (uint64_t)i, 16, x[i]);
        EXPECT(x[i][0] >= 1e-5 && x[i][0] <= 1 && x[i][3] >= 0 && x[i][3] <= 1);
        EXPECT(x[i][1] >= 1 && x[i][1] <= 24 && x[i][1] == nearbyint(x[i][1]));
        EXPECT(x[i][2] == 0 || x[i][2] == 1 || x[i][2] == 2 || x[i][2] == 3);
        EXPECT(memcmp(x[i], centre, sizeof(centre)) != 0);
        for (int j = 0; j < i; j++)
            EXPECT_MSG(memcmp(x[i], x[j], sizeof(x[i])) != 0, "%d is %d again", i, j);
        seen[i] = (SearchPoint){ x[i], -mixed(x[i]), 1 };
    }
}

TEST(a_space_of_few_points_is_seen_through_before_anything_repeats)
{
    const SearchDim dim[] = { { .choices = 3, .centre = 0 },
                              { .low = 1, .high = 3, .whole = true, .centre = 1 } };
    double x[8][2];
    SearchPoint seen[8];
    for (int i = 0; i < 8; i++) {
        search_tpe(dim, 2, seen, i, (uint64_t)i, 64, x[i]);
        for (int j = 0; j < i; j++)
            EXPECT_MSG(x[i][0] != x[j][0] || x[i][1] != x[j][1], "%d is %d", i, j);
        EXPECT(x[i][0] != 0 || x[i][1] != 1);
        seen[i] = (SearchPoint){ x[i], i % 3, 1 };
    }
}

TEST(knobs_out_of_effect_and_failed_runs_do_no_harm)
{
    const SearchDim dim[] = { { .low = 0, .high = 1, .centre = 0.5 },
                              { .low = 1e-4, .high = 1, .log = true, .centre = 0.01 } };
    double x[20][2], next[2], far = 0;
    SearchPoint seen[20];
    for (int i = 0; i < 20; i++) {
        x[i][0] = i / 20.0;
        x[i][1] = i % 2 ? 0.01 : (double)NAN;
        seen[i] =
            (SearchPoint){ x[i], i < 10 ? -(double)INFINITY : 3 - 10 * fabs(x[i][0] - 0.8), 1 };
    }
    for (int i = 0; i < 20; i++) {
        double gain = search_tpe(dim, 2, seen, 20, (uint64_t)i, 32, next);
        EXPECT(gain > 0 && isfinite(gain) && next[1] >= 1e-4 && next[1] <= 1);
        far += fabs(next[0] - 0.8) / 20;
    }
    EXPECT_MSG(far < 0.15, "%g from the best on average", far);
}

TEST(the_expected_gain_is_larger_where_gains_were_seen)
{
    const SearchDim dim[] = { { .low = 0, .high = 1, .centre = 0.5 } };
    double x[30], next;
    SearchPoint seen[30];
    for (int i = 0; i < 30; i++) x[i] = i / 30.0;
    for (int i = 0; i < 30; i++) seen[i] = (SearchPoint){ &x[i], -1, 1 };
    double barren = search_tpe(dim, 1, seen, 30, 1, 32, &next);
    for (int i = 0; i < 30; i++) seen[i].gain = 4 - 20 * fabs(x[i] - 0.3);
    double rich = search_tpe(dim, 1, seen, 30, 1, 32, &next);
    EXPECT_MSG(rich > barren && fabs(next - 0.3) < 0.1, "%g, %g at %g", rich, barren, next);
    EXPECT(search_tpe(dim, 1, NULL, 0, 1, 32, &next) > 0);
}

TEST(the_same_seed_proposes_the_same)
{
    double x[2][4];
    for (int i = 0; i < 2; i++) search_tpe(problems[3].dim, 4, NULL, 0, 9, 16, x[i]);
    EXPECT(memcmp(x[0], x[1], sizeof(x[0])) == 0);
    search_tpe(problems[3].dim, 4, NULL, 0, 10, 16, x[1]);
    EXPECT(memcmp(x[0], x[1], sizeof(x[0])) != 0);
}
