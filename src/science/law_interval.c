/* law_interval.c - how well the points pin a law down.
 *
 * Bootstrap: points are drawn with replacement and fitted again; the spread of what those fits say
 * is the error of the fit, without a model of the noise (Efron 1979).  The points are runs; several
 * points of one run would have to be drawn together, and are not wanted here.
 *
 * Profile: hold a quantity q at a value, minimise over the rest, and see how much worse the
 * objective becomes.  For an M-estimator with loss h and psi = h',
 *
 *     T(q) = 2 (A / B) (objective(q) - objective),   A = E psi'(r),  B = E psi(r)^2
 *
 * is chi-square with one degree of freedom where q is true (Ronchetti 1982); for plain squares
 * A / B is one over the variance and T the likelihood ratio.  psi' is 1 within delta of zero and 0
 * outside, so A is the density of residuals there times 2 delta; few of them lie so near, and the
 * density is taken over half a spread.  Student's t squared with n - 5 degrees replaces the
 * chi-square, since the scale is estimated.
 *
 * The two answer differently where the points do not suffice: the profile goes out as far as the
 * points allow, the bootstrap only as far as some resample went.  Both are shown.
 *
 * Hanging on few points: an exponent that 2 % of the points can move by two standard errors is not
 * a property of the data, however small its standard error. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "science/law_inside.h"
#include "science/minimize.h"
#include "science/stats.h"

/* ---- bootstrap ---- */

static Law refit(const LawPoint *p, int n, const Law *from, double *objective)
{
    LawWork w;
    double x[2] = { log(from->a), log(from->b) };
    law_work_open(&w, p, n);
    law_theta_of(from, &w);
    w.in.tolerance = 1e-10;
    *objective = law_search(&w, x, 0.1, 1e-8);
    Law law = law_from_work(&w, exp(x[0]), exp(x[1]));
    law_work_close(&w);
    return law;
}

Law *law_bootstrap(const LawPoint *p, int n, const LawFit *fit, int times, uint64_t seed,
                   Arena *out)
{
    Law *boot = NEW(out, Law, times);
    LawPoint *some = malloc((size_t)n * sizeof(LawPoint));
    CHECK(some, "no memory for %d points", n);
    Rand r = rand_stream(seed, "law_bootstrap");
    for (int t = 0; t < times; t++) {
        double objective;
        for (int i = 0; i < n; i++) some[i] = p[rand_below(&r, (uint64_t)n)];
        boot[t] = refit(some, n, &fit->law, &objective);
    }
    free(some);
    return boot;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static LawRange range_of(double value, double *x, int n)
{
    qsort(x, (size_t)n, sizeof(double), by_value);
    int low = (int)(0.025 * n), high = n - 1 - low;
    return (LawRange){ value, x[MAX(low, 0)], x[MAX(high, 0)] };
}

static double *numbers(int n)
{
    double *x = malloc((size_t)MAX(n, 1) * sizeof(double));
    CHECK(x, "no memory for %d numbers", n);
    return x;
}

LawRange law_predict(const LawFit *fit, const Law *boot, int times, double N, double D,
                     double spread)
{
    double *x = numbers(times);
    Rand r = rand_stream(1, "law_predict");
    for (int t = 0; t < times; t++) x[t] = law_loss(&boot[t], N, D) * exp(spread * rand_normal(&r));
    LawRange range = range_of(law_loss(&fit->law, N, D), x, times);
    free(x);
    return range;
}

double law_get(const Law *law, LawWhat what)
{
    switch (what) {
    case LAW_E: return law->E;
    case LAW_A_EXPONENT: return law->a;
    case LAW_B_EXPONENT: return law->b;
    case LAW_N_EXPONENT: return law->b / (law->a + law->b);
    }
    return (double)NAN;
}

LawRange law_range(const LawFit *fit, const Law *boot, int times, LawWhat what)
{
    double *x = numbers(times);
    for (int t = 0; t < times; t++) x[t] = law_get(&boot[t], what);
    LawRange range = range_of(law_get(&fit->law, what), x, times);
    free(x);
    return range;
}

/* ---- profiles ---- */

typedef struct Held {
    LawWork w;
    bool loss;       /* the loss at (u, v) is held; else an exponent */
    double u, v;     /* log N and log D about the means */
    bool tokens;     /* the exponent held is b */
    double value;    /* what is held */
    double theta[3]; /* begun from here */
    double x[2];
} Held;

/* m = value + A (u_i - u) + B (v_i - v), which has the loss `value` at (u, v). */
static double with_loss(const double *x, void *ctx)
{
    Held *h = ctx;
    double a = exp(x[0]), b = exp(x[1]);
    LawInner *in = &h->w.in;
    if (!law_exponents_allowed(a, b)) return 1e6;
    in->terms = 2;
    in->constant = h->value;
    for (int i = 0; i < h->w.n; i++) {
        in->column[0][i] = exp(-a * h->w.log_N[i]) - exp(-a * h->u);
        in->column[1][i] = exp(-b * h->w.log_D[i]) - exp(-b * h->v);
    }
    double theta[2] = { h->theta[1], h->theta[2] }, value = law_inner(in, theta);
    return isfinite(value) ? value : 1e6;
}

static double with_exponent(const double *x, void *ctx)
{
    Held *h = ctx;
    double other = exp(x[0]);
    return law_at_exponents(&h->w, h->tokens ? other : h->value, h->tokens ? h->value : other);
}

static double objective_held(Held *h, double value)
{
    const double step[2] = { 0.1, 0.1 };
    double x[2] = { h->x[0], h->x[1] };
    if (!h->loss) x[0] = h->tokens ? h->x[0] : h->x[1];
    h->value = value;
    memcpy(h->w.theta, h->theta, sizeof(h->theta));
    Minimize m = { .f = h->loss ? with_loss : with_exponent,
                   .ctx = h,
                   .n = h->loss ? 2 : 1,
                   .step = step,
                   .evaluations = 300,
                   .tolerance = 1e-8 };
    double best = minimize_simplex(&m, x);
    if (h->loss) memcpy(h->x, x, sizeof(x));
    return best;
}

/* How much larger than its minimum the objective may become. */
static double allowance(const LawPoint *p, int n, const LawFit *fit)
{
    const double delta = 1e-3;
    double near = 0, square = 0, width = fmax(delta, 0.5 * fit->spread);
    for (int i = 0; i < n; i++) {
        double r = fabs(log(law_loss(&fit->law, p[i].N, p[i].D) / p[i].loss));
        near += r < width;
        square += fmin(r, delta) * fmin(r, delta) / n;
    }
    double slope = fmax(near, 1) / n * (width > delta ? delta / width : 1);
    double t = stat_t_quantile(0.975, MAX(n - 5, 1));
    return t * t * square / (2 * slope);
}

/* Where the objective crosses the limit, going from the best value by growing factors. */
static double crossing(Held *h, double best, double factor, double limit)
{
    double inside = best, outside = best, far = log(factor);
    memcpy(h->x, (double[2]){ h->x[0], h->x[1] }, sizeof(h->x));
    for (int i = 0;; i++, far *= 1.6) {
        outside = best * exp(far);
        if (i > 22 || (!h->loss && (outside > 2.9 || outside < 0.021)))
            return far > 0 ? (double)INFINITY : h->loss ? -(double)INFINITY : 0;
        if (objective_held(h, outside) > limit) break;
        inside = outside;
    }
    for (int i = 0; i < 24 && fabs(outside / inside - 1) > 1e-6; i++) {
        double middle = (inside + outside) / 2;
        if (objective_held(h, middle) > limit)
            outside = middle;
        else
            inside = middle;
    }
    return inside;
}

static LawRange profile(Held *h, const LawPoint *p, int n, const LawFit *fit, double best)
{
    double limit = fit->objective + allowance(p, n, fit), factor = h->loss ? 1.001 : 1.02;
    double from[2] = { log(fit->law.a), log(fit->law.b) };
    LawRange range = { .value = best };
    law_theta_of(&fit->law, &h->w);
    h->w.in.tolerance = 1e-10;
    memcpy(h->theta, h->w.theta, sizeof(h->theta));
    memcpy(h->x, from, sizeof(from));
    range.low = crossing(h, best, 1 / factor, limit);
    memcpy(h->x, from, sizeof(from));
    range.high = crossing(h, best, factor, limit);
    law_work_close(&h->w);
    return range;
}

LawRange law_profile_loss(const LawPoint *p, int n, const LawFit *fit, double N, double D)
{
    Held h = { .loss = true };
    law_work_open(&h.w, p, n);
    h.u = log(N) - h.w.mid_N;
    h.v = log(D) - h.w.mid_D;
    return profile(&h, p, n, fit, law_loss(&fit->law, N, D));
}

LawRange law_profile_exponent(const LawPoint *p, int n, const LawFit *fit, LawWhat what)
{
    Held h = { .tokens = what == LAW_B_EXPONENT };
    CHECK(what == LAW_A_EXPONENT || what == LAW_B_EXPONENT, "no exponent");
    law_work_open(&h.w, p, n);
    return profile(&h, p, n, fit, law_get(&fit->law, what));
}

/* ---- do few points decide? ---- */

static int worst_point(const LawPoint *p, int n, const Law *law)
{
    int worst = 0;
    double most = -1;
    for (int i = 0; i < n; i++) {
        double r = fabs(log(law_loss(law, p[i].N, p[i].D) / p[i].loss));
        if (r > most) {
            most = r;
            worst = i;
        }
    }
    return worst;
}

/* Standard errors of the exponents. */
static void errors_of(const LawPoint *p, int n, const LawFit *fit, double se[2])
{
    enum { TIMES = 40 };
    Arena memory = arena_reserve(1 << 16);
    double a[TIMES], b[TIMES];
    Law *boot = law_bootstrap(p, n, fit, TIMES, 1, &memory);
    for (int t = 0; t < TIMES; t++) {
        a[t] = boot[t].a;
        b[t] = boot[t].b;
    }
    se[0] = sqrt(stat_ss(a, TIMES) / (TIMES - 1));
    se[1] = sqrt(stat_ss(b, TIMES) / (TIMES - 1));
    arena_release(&memory);
}

int law_hangs_on(const LawPoint *p, int n, const LawFit *fit, int index[LAW_FEW], LawFit *without)
{
    int few = MIN(LAW_FEW, (n + 49) / 50), left = n;
    LawPoint *some = malloc((size_t)n * sizeof(LawPoint));
    int *where = malloc((size_t)n * sizeof(int));
    CHECK(some && where, "no memory for %d points", n);
    memcpy(some, p, (size_t)n * sizeof(LawPoint));
    for (int i = 0; i < n; i++) where[i] = i;
    *without = *fit;
    if (n - few < 6) few = 0;
    for (int k = 0; k < few; k++) {
        int worst = worst_point(some, left, &without->law);
        index[k] = where[worst];
        some[worst] = some[--left];
        where[worst] = where[left];
        without->law = refit(some, left, &without->law, &without->objective);
    }
    double se[2] = { 0 };
    if (few > 0) errors_of(some, left, without, se);
    bool moved = fabs(without->law.a - fit->law.a) > 2 * se[0] ||
                 fabs(without->law.b - fit->law.b) > 2 * se[1];
    free(some);
    free(where);
    return moved ? few : 0;
}
