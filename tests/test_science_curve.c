/* test_science_curve.c - the multi-power law against its definition, planted truth and the
 * published curves with their published errors. */
#include "science/curve.h"

#include "base/rand.h"
#include "base/str.h"
#include "tests/test.h"

enum { WARMUP = 2160, MOST = 72000 };
static Arena memory;
static const double peak = 3e-4, last = 3e-5;

/* The schedules of the published curves, as their authors state them. */
typedef enum Kind { COSINE, CONSTANT, TWO_STAGE, WSD, WSD_LINEAR } Kind;

static double rate_at(Kind kind, int t, int total, double second)
{
    if (t < WARMUP) return peak * t / (WARMUP - 1);
    double x = (double)(t - WARMUP) / (total - WARMUP), y = (t - 20000.0) / (total - 20000.0);
    switch (kind) {
    case COSINE: return last + 0.5 * (peak - last) * (1 + cos(3.14159265358979323846 * x));
    case CONSTANT: return peak;
    case TWO_STAGE: return t < 8000 ? peak : second;
    case WSD: return y < 0 ? peak : pow(peak, 1 - y) * pow(last, y);
    case WSD_LINEAR: return y < 0 ? peak : peak * (1 - y) + last * y;
    }
    return 0;
}

static CurveSchedule schedule(Kind kind, int total, double second, int block)
{
    double *rate = NEW(&memory, double, total);
    for (int t = 0; t < total; t++) rate[t] = rate_at(kind, t, total, second);
    return curve_schedule(rate, total, block, &memory);
}

static const CurveLaw truth = { 3.0, 0.5, 0.5, 360, 2.0, 0.6, 0.64 };

TEST(the_law_is_its_definition)
{
    const double rate[] = { 0.1, 0.2, 0.3, 0.3, 0.2, 0.1 };
    const CurveLaw law = { 1, 2, 0.5, 3, 0.7, 0.4, 0.3 };
    memory = arena_reserve((ptrdiff_t)1 << 28);
    CurveSchedule s = curve_schedule(rate, 6, 1, &memory);
    double sum = 0, S1 = 1.2;
    for (int k = 1; k < 6; k++) {
        double Sk = 0;
        for (int j = k; j < 6; j++) Sk += rate[j];
        sum += (rate[k] - rate[k - 1]) * (1 - pow(1 + 0.7 * pow(rate[k], -0.3) * Sk, -0.4));
    }
    double expected = 1 + 2 * pow(S1, -0.5) + 3 * sum;
    EXPECT_MSG(fabs(curve_loss(&law, &s, 5) - expected) < 1e-12, "%.12g, %.12g",
               curve_loss(&law, &s, 5), expected);
}

TEST(blocks_change_the_loss_in_the_fifth_digit_at_most)
{
    for (Kind kind = COSINE; kind <= WSD_LINEAR; kind++) {
        CurveSchedule exact = schedule(kind, 24000, 9e-5, 1),
                      fast = schedule(kind, 24000, 9e-5, 32);
        EXPECT(fast.knots < 760);
        for (int t = 3000; t < 24000; t += 1999) {
            double a = curve_loss(&truth, &exact, t), b = curve_loss(&truth, &fast, t);
            EXPECT_MSG(fabs(a - b) < 3e-4, "kind %d step %d: %.6f %.6f", kind, t, a, b);
        }
    }
}

static CurveSeen seen_of(const CurveSchedule *s, double noise, Rand *r, bool half)
{
    int n = s->steps / 250;
    int *step = NEW(&memory, int, n);
    double *loss = NEW(&memory, double, n);
    CurveSeen seen = { s, step, loss, 0 };
    for (int i = 12; i < (half ? n / 2 : n); i++) {
        step[seen.n] = i * 250;
        loss[seen.n++] = curve_loss(&truth, s, i * 250) + noise * rand_normal(r);
    }
    return seen;
}

TEST(three_schedules_foretell_a_fourth)
{
    Rand r = rand_stream(1, "curves");
    CurveSchedule s[4] = { schedule(COSINE, 24000, 0, 32), schedule(CONSTANT, 24000, 0, 32),
                           schedule(TWO_STAGE, 16000, 9e-5, 32), schedule(WSD, 24000, 0, 32) };
    CurveSeen seen[4];
    CurveLaw law;
    Err err;
    for (int i = 0; i < 4; i++) seen[i] = seen_of(&s[i], 0.002, &r, false);
    EXPECT(curve_fit(seen, 3, &law, &err));
    double error = curve_rmse(&law, &seen[3]);
    printf("# rmse %.5f where the noise is .002\n", error);
    EXPECT(error < 0.0035);
}

TEST(a_constant_rate_says_nothing_of_annealing)
{
    Rand r = rand_stream(2, "curves");
    CurveSchedule s = schedule(CONSTANT, 24000, 0, 32);
    CurveSeen seen = seen_of(&s, 0.002, &r, false);
    CurveLaw law;
    Err err;
    EXPECT(!curve_fit(&seen, 1, &law, &err) && strstr(err.msg, "falls"));
}

TEST(curves_of_one_schedule_collapse_and_another_kind_stands_out)
{
    enum { RUNS = 6, SHARES = 10 };
    double loss[RUNS * SHARES];
    Rand r = rand_stream(3, "collapse");
    for (int i = 0; i < RUNS; i++)
        for (int j = 0; j < SHARES; j++)
            loss[i * SHARES + j] =
                (2 + 0.1 * i) * (1 + 0.8 * pow(j + 1, -0.5)) * (1 + 0.001 * rand_normal(&r));
    CurveCollapse c = curve_collapse(loss, RUNS, SHARES);
    double sd, end = 3 * (1 + 0.8 * pow(SHARES, -0.5)), at_half = 3 * (1 + 0.8 * pow(5, -0.5));
    EXPECT(fabs(curve_collapse_end(&c, 4, at_half, &sd) - end) < 4 * sd && sd < 0.01 * end);
    double other = 3 * (1 + 0.8 * pow(5, -0.3)); /* falls with another power */
    EXPECT(fabs(curve_collapse_end(&c, 4, other, &sd) - end) > 20 * sd);
}

/* ---- the published curves ---- */

typedef struct Published {
    const char *file;
    Kind kind;
    int total;
    double second;
} Published;
static const Published curves[9] = {
    { "cosine_24000", COSINE, 24000, 0 },          { "constant_24000", CONSTANT, 24000, 0 },
    { "wsdcon_9", TWO_STAGE, 16000, 9e-5 },        { "constant_72000", CONSTANT, 72000, 0 },
    { "cosine_72000", COSINE, 72000, 0 },          { "wsd_20000_24000", WSD, 24000, 0 },
    { "wsdld_20000_24000", WSD_LINEAR, 24000, 0 }, { "wsdcon_3", TWO_STAGE, 16000, 3e-5 },
    { "wsdcon_18", TWO_STAGE, 16000, 18e-5 },
};

static CurveSeen read_curve(const char *shared, int size, const Published *p, int block)
{
    char path[500], line[200];
    snprintf(path, sizeof(path), "%s/data/curves/mpl/csv_%d/%s.csv", shared, size, p->file);
    FILE *f = fopen(path, "r");
    EXPECT_MSG(f, "cannot read %s", path);
    CurveSchedule *s = NEW(&memory, CurveSchedule, 1);
    *s = schedule(p->kind, p->total, p->second, block);
    int *step = NEW(&memory, int, 600);
    double *loss = NEW(&memory, double, 600), rate;
    CurveSeen seen = { s, step, loss, 0 };
    while (f && fgets(line, sizeof(line), f)) {
        int t;
        double x;
        if (sscanf(line, "%d,%lf,%lf", &t, &rate, &x) != 3 || t >= p->total) continue;
        step[seen.n] = t;
        loss[seen.n++] = x;
    }
    if (f) fclose(f);
    return seen;
}

TEST(the_published_constants_give_the_published_errors)
{
    static const CurveLaw law[3] = {
        { 3.04045406, 0.52468604, 0.50786857, 363.78751622, 2.06560812, 0.58279013, 0.64142257 },
        { 2.6514477, 0.60115152, 0.45295811, 437.9464276, 2.13245612, 0.59785199, 0.65523644 },
        { 2.37474466, 0.65421216, 0.42878731, 523.42464371, 2.02462735, 0.59350493, 0.63472457 },
    };
    static const int size[3] = { 25, 100, 400 };
    static const double rmse[3] = { 0.00465, 0.00592, 0.00730 };
    const char *shared = getenv("LATHE_SHARED");
    if (!shared) {
        printf("# skipped: LATHE_SHARED is not set\n");
        return;
    }
    for (int i = 0; i < 3; i++) {
        Arena mark = memory;
        CurveSeen seen[9];
        CurveLaw fitted;
        Err err;
        double published = 0, ours = 0;
        for (int k = 0; k < 9; k++) seen[k] = read_curve(shared, size[i], &curves[k], 32);
        EXPECT(curve_fit(seen, 3, &fitted, &err));
        for (int k = 3; k < 9; k++) {
            CurveSeen exact = read_curve(shared, size[i], &curves[k], 1);
            published += curve_rmse(&law[i], &exact) / 6;
            ours += curve_rmse(&fitted, &exact) / 6;
        }
        printf("# %dM: published constants %.5f, fitted on three schedules %.5f (L0 %.4f A %.3f "
               "alpha %.3f B %.0f C %.2f beta %.3f gamma %.3f)\n",
               size[i], published, ours, fitted.L0, fitted.A, fitted.alpha, fitted.B, fitted.C,
               fitted.beta, fitted.gamma);
        EXPECT(fabs(published - rmse[i]) < 5e-6 + 1e-9);
        EXPECT(ours < 1.2 * rmse[i]);
        arena_rewind(&memory, mark);
    }
}
