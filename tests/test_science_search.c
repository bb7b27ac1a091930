/* test_science_search.c - does the search learn?  Functions whose minima are published, the same
 * number of evaluations for both searches, medians over fixed seeds. */
#include "science/search.h"

#include "base/rand.h"
#include "science/cma.h"
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

typedef enum Way { RANDOM, TPE, GP } Way;

/* Least regret after EVALUATIONS points; a process, which takes milliseconds for each proposal, is
 * given half of them and fewer seeds. */
static double regret(const Problem *p, Way way, uint64_t seed, double noise)
{
    static double x[EVALUATIONS][8];
    SearchPoint seen[EVALUATIONS];
    double best = 1e300;
    Rand r = rand_stream(seed, "noise");
    int evaluations = way == GP ? EVALUATIONS / 2 : EVALUATIONS;
    for (int i = 0; i < evaluations; i++) {
        uint64_t step = seed * 1000 + (uint64_t)i;
        if (way == TPE && i >= 8)
            search_tpe(p->dim, p->dims, seen, i, step, 48, x[i]);
        else if (way == GP && i >= 8)
            search_gp(p->dim, p->dims, seen, i, step, 24, x[i]);
        else
            search_random(p->dim, p->dims, step, x[i]);
        double f = p->f(x[i]);
        best = fmin(best, f - p->minimum);
        seen[i] = (SearchPoint){ .x = x[i], .gain = -f + noise * rand_normal(&r), .weight = 1 };
    }
    return best;
}

static double median_regret(const Problem *p, Way way, double noise)
{
    double all[SEEDS];
    int seeds = way == GP ? 3 : SEEDS;
    for (int i = 0; i < seeds; i++) all[i] = regret(p, way, (uint64_t)i + 1, noise);
    return stat_median(all, seeds);
}

TEST(the_search_beats_random_search_on_known_functions)
{
    static const double factor[] = { 0.4, 0.5, 0.6, 0.4 };
    for (int i = 0; i < COUNT(problems); i++) {
        double tpe = median_regret(&problems[i], TPE, 0);
        double gp = median_regret(&problems[i], GP, 0);
        double theirs = median_regret(&problems[i], RANDOM, 0);
        printf("# %s: regret TPE %.4g, GP %.4g, random %.4g\n", problems[i].name, tpe, gp, theirs);
        EXPECT_MSG(tpe < factor[i] * theirs, "%s: %g against %g", problems[i].name, tpe, theirs);
        EXPECT_MSG(gp < 0.4 * theirs, "%s: GP %g against %g", problems[i].name, gp, theirs);
    }
}

TEST(noise_does_not_lead_the_search_astray)
{
    const Problem *p = &problems[3];
    EXPECT(median_regret(p, TPE, 0.2) < 0.6 * median_regret(p, RANDOM, 0));
    EXPECT(median_regret(p, GP, 0.2) < 0.6 * median_regret(p, RANDOM, 0));
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
        seen[i] = (SearchPoint){ .x = x[i], .gain = -mixed(x[i]), .weight = 1 };
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
        seen[i] = (SearchPoint){ .x = x[i], .gain = i % 3, .weight = 1 };
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
        seen[i] = (SearchPoint){ .x = x[i],
                                 .gain = i < 10 ? -(double)INFINITY : 3 - 10 * fabs(x[i][0] - 0.8),
                                 .weight = 1 };
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
    for (int i = 0; i < 30; i++) seen[i] = (SearchPoint){ .x = &x[i], .gain = -1, .weight = 1 };
    double barren = search_tpe(dim, 1, seen, 30, 1, 32, &next);
    for (int i = 0; i < 30; i++) seen[i].gain = 4 - 20 * fabs(x[i] - 0.3);
    double rich = search_tpe(dim, 1, seen, 30, 1, 32, &next);
    EXPECT_MSG(rich > barren && fabs(next - 0.3) < 0.1, "%g, %g at %g", rich, barren, next);
    EXPECT(search_tpe(dim, 1, NULL, 0, 1, 32, &next) > 0);
}

typedef double Search(const SearchDim *, int, const SearchPoint *, int, uint64_t, int, double *);

TEST(pending_points_send_the_next_proposal_elsewhere)
{
    const SearchDim dim[] = { { .low = 0, .high = 1, .centre = 0.5 } };
    static Search *const both[] = { search_tpe, search_gp };
    for (int way = 0; way < 2; way++) {
        double x[11], spread = 0;
        SearchPoint seen[11];
        for (int i = 0; i < 5; i++) {
            x[i] = i / 5.0;
            seen[i] = (SearchPoint){ .x = &x[i], .gain = -fabs(x[i] - 0.62), .weight = 1 };
        }
        for (int i = 5; i < 11; i++) {
            both[way](dim, 1, seen, i, 5, 24, &x[i]);
            seen[i] = (SearchPoint){ .x = &x[i], .weight = 1, .pending = true };
            for (int k = 5; k < i; k++) {
                EXPECT_MSG(fabs(x[i] - x[k]) > 1e-4, "way %d: %d is %d again", way, i, k);
                spread += fabs(x[i] - x[k]) / 15;
            }
        }
        EXPECT_MSG(spread > 0.01, "way %d: a batch within %g", way, spread);
    }
}

TEST(of_two_equal_optima_the_cheap_one_is_looked_at)
{
    const SearchDim dim[] = { { .low = 0, .high = 1, .centre = (double)NAN } };
    static Search *const both[] = { search_tpe, search_gp };
    for (int way = 0; way < 2; way++) {
        double x[40], next;
        SearchPoint seen[40];
        int cheap = 0;
        for (int i = 0; i < 40; i++) {
            x[i] = (i + 0.5) / 40;
            double off = fmin(fabs(x[i] - 0.2), fabs(x[i] - 0.8));
            seen[i] = (SearchPoint){
                .x = &x[i], .gain = 2 - 10 * off, .weight = 1, .cost = x[i] > 0.5 ? 8 : 1
            };
        }
        for (int seed = 0; seed < 20; seed++) {
            both[way](dim, 1, seen, 40, (uint64_t)seed, 24, &next);
            cheap += next < 0.5;
        }
        EXPECT_MSG(cheap >= 17, "way %d: %d of 20", way, cheap);
    }
}

/* A valley at an angle to all axes, 100 times narrower than long; minimum 0 at .3 in each. */
static double tilted(const double *x, int n)
{
    double sum = 0;
    for (int k = 0; k < n; k++) {
        double y = 0;
        for (int j = 0; j < n; j++) /* a Householder reflection, so that lengths stay */
            y += ((k == j) - 2.0 / n) * (x[j] - 0.3);
        sum += pow(1e4, (double)k / (n - 1)) * y * y;
    }
    return sum;
}

TEST(cma_finds_the_end_of_a_tilted_valley)
{
    enum { DIMS = 6, GENERATIONS = 220 };
    double x[CMA_BATCH * DIMS], value[CMA_BATCH], start[DIMS], ours = 1e9, theirs = 1e9;
    const SearchDim dim[DIMS] = { UNIFORM(0, 1), UNIFORM(0, 1), UNIFORM(0, 1),
                                  UNIFORM(0, 1), UNIFORM(0, 1), UNIFORM(0, 1) };
    for (int k = 0; k < DIMS; k++) start[k] = 0.8;
    Cma c = cma_begin(DIMS, start, 0.2, 0, 1);
    for (int g = 0; g < GENERATIONS; g++) {
        cma_ask(&c, x);
        for (int i = 0; i < c.lambda; i++) {
            for (int k = 0; k < DIMS; k++) EXPECT(x[i * DIMS + k] >= 0 && x[i * DIMS + k] <= 1);
            value[i] = tilted(x + i * DIMS, DIMS);
            ours = fmin(ours, value[i]);
            double y[DIMS];
            search_random(dim, DIMS, (uint64_t)(g * 100 + i), y);
            theirs = fmin(theirs, tilted(y, DIMS));
        }
        cma_tell(&c, x, value, NULL);
    }
    printf("# %d evaluations: CMA-ES %.3g, random %.3g\n", GENERATIONS * c.lambda, ours, theirs);
    EXPECT(ours < 1e-8 && theirs > 1);
}

TEST(cma_takes_failures_and_costs)
{
    double x[CMA_BATCH * 2], value[CMA_BATCH], cost[CMA_BATCH];
    Cma c = cma_begin(2, (double[]){ 0.5, 0.5 }, 0.2, 12, 3);
    for (int g = 0; g < 40; g++) {
        cma_ask(&c, x);
        for (int i = 0; i < 12;
             i++) { /* two equal hollows; the right one costs ten times as much */
            double off = fmin(fabs(x[2 * i] - 0.25), fabs(x[2 * i] - 0.75));
            value[i] = x[2 * i + 1] > 0.9 ? (double)NAN : off + fabs(x[2 * i + 1] - 0.85);
            cost[i] = x[2 * i] > 0.5 ? 10 : 1;
        }
        cma_tell(&c, x, value, cost);
    }
    EXPECT_MSG(fabs(c.mean[0] - 0.25) < 0.02 && fabs(c.mean[1] - 0.85) < 0.02, "%g %g", c.mean[0],
               c.mean[1]);
}

TEST(the_same_seed_proposes_the_same)
{
    double x[2][4];
    for (int i = 0; i < 2; i++) search_tpe(problems[3].dim, 4, NULL, 0, 9, 16, x[i]);
    EXPECT(memcmp(x[0], x[1], sizeof(x[0])) == 0);
    search_tpe(problems[3].dim, 4, NULL, 0, 10, 16, x[1]);
    EXPECT(memcmp(x[0], x[1], sizeof(x[0])) != 0);
}
