/* law.c - fitting L(N, D) by variable projection.
 *
 * The five-parameter descent that is usual is badly conditioned (a long valley in E, A, a) and has
 * stopped early in print: the constants of Hoffmann et al. (2022) are not the minimum of their own
 * objective (Besiroglu et al. 2024).  Here only the exponents (a, b) are searched; given them the
 * loss is linear in E, A, B, and those are solved for (variable projection, Golub and Pereyra
 * 1973).  So that nothing is to be started well, the search begins on a grid of exponents.
 *
 * The inner problem.  Minimise over theta = (E, A, B) >= 0 the sum of h(r_i), r_i = log m_i - log
 * L_i, m_i = E + A u_i + B v_i, where h is Huber's with delta = 1e-3.  Points scatter by more than
 * delta, so h is nearly |r|: robust, and awkward for Newton.  Gauss-Newton steps on reweighted
 * squares (weights min(1, delta / |r|)) go downhill, damped as Levenberg and Marquardt do; in log
 * theta, which keeps E, A, B positive without a constraint.  N and D are divided by their geometric
 * means first, so that the columns are of order one.
 *
 * Profiles (law_interval.c) need the same with E given by a fixed prediction, so the inner problem
 * is written for terms that are told to it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "science/law_inside.h"
#include "science/linear.h"
#include "science/minimize.h"

static const double huber = 1e-3;
static const double exponent_low = 0.02, exponent_high = 3;

double law_loss(const Law *law, double N, double D)
{
    return law->E + law->A * pow(N, -law->a) + law->B * pow(D, -law->b);
}

static double huber_loss(double r)
{
    double x = fabs(r);
    return x <= huber ? 0.5 * x * x : huber * (x - 0.5 * huber);
}

double law_objective(const Law *law, const LawPoint *p, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += huber_loss(log(law_loss(law, p[i].N, p[i].D)) - log(p[i].loss));
    return sum;
}

/* ---- the inner problem ---- */

/* Residuals, and the objective; infinite where the model is not positive. */
static double residuals(const LawInner *in, const double *log_theta, double *r, double *model)
{
    double theta[3], sum = 0;
    for (int k = 0; k < in->terms; k++) theta[k] = exp(log_theta[k]);
    for (int i = 0; i < in->n; i++) {
        double m = in->constant;
        for (int k = 0; k < in->terms; k++) m += theta[k] * in->column[k][i];
        if (!(m > 0)) return (double)INFINITY;
        model[i] = m;
        r[i] = log(m) - in->log_loss[i];
        sum += huber_loss(r[i]);
    }
    return sum;
}

/* J^T W J and -J^T W r in log theta. */
static void normal_equations(const LawInner *in, const double *log_theta, double a[9], double b[3])
{
    int k = in->terms;
    double theta[3];
    for (int j = 0; j < k; j++) theta[j] = exp(log_theta[j]);
    memset(a, 0, 9 * sizeof(double));
    memset(b, 0, 3 * sizeof(double));
    for (int i = 0; i < in->n; i++) {
        double x = fabs(in->r[i]), weight = x <= huber ? 1 : huber / x, row[3];
        for (int j = 0; j < k; j++) row[j] = theta[j] * in->column[j][i] / in->model[i];
        for (int j = 0; j < k; j++) {
            b[j] -= weight * row[j] * in->r[i];
            for (int m = 0; m <= j; m++) a[j * k + m] += weight * row[j] * row[m];
        }
    }
}

double law_inner(LawInner *in, double *log_theta)
{
    double damping = 1e-4, value = residuals(in, log_theta, in->r, in->model);
    int steady = 0;
    for (int round = 0; round < 400 && isfinite(value) && steady < 2 && damping < 1e12; round++) {
        double a[9], step[3], next[3];
        normal_equations(in, log_theta, a, step);
        for (int k = 0; k < in->terms; k++)
            a[k * in->terms + k] += damping * a[k * in->terms + k] + 1e-18;
        bool solved = linear_solve(a, step, in->terms);
        for (int k = 0; k < in->terms; k++)
            next[k] = fmax(-46, log_theta[k] + fmax(-2, fmin(2, step[k])));
        double then = solved ? residuals(in, next, in->r_next, in->model_next) : value + 1;
        if (!(then <= value)) {
            damping *= 10;
            continue;
        }
        steady = value - then <= in->tolerance * value ? steady + 1 : 0;
        memcpy(log_theta, next, (size_t)in->terms * sizeof(double));
        memcpy(in->r, in->r_next, (size_t)in->n * sizeof(double));
        memcpy(in->model, in->model_next, (size_t)in->n * sizeof(double));
        value = then;
        damping = fmax(damping / 10, 1e-12);
    }
    return value;
}

/* ---- the outer problem ---- */

void law_work_open(LawWork *w, const LawPoint *p, int n)
{
    double *memory = malloc((size_t)n * 10 * sizeof(double));
    CHECK(memory, "no memory for a law of %d points", n);
    *w = (LawWork){ .p = p, .n = n, .memory = memory };
    w->log_N = memory;
    w->log_D = memory + n;
    w->in =
        (LawInner){ .n = n, .tolerance = 1e-13, .log_loss = memory + 2 * n, .r = memory + 6 * n };
    for (int k = 0; k < 3; k++) w->in.column[k] = memory + (3 + k) * n;
    w->in.model = memory + 7 * n;
    w->in.r_next = memory + 8 * n;
    w->in.model_next = memory + 9 * n;
    for (int i = 0; i < n; i++) {
        w->mid_N += log(p[i].N) / n;
        w->mid_D += log(p[i].D) / n;
    }
    for (int i = 0; i < n; i++) {
        w->log_N[i] = log(p[i].N) - w->mid_N;
        w->log_D[i] = log(p[i].D) - w->mid_D;
        memory[2 * n + i] = log(p[i].loss);
    }
}

void law_work_close(LawWork *w)
{
    free(w->memory);
}

bool law_exponents_allowed(double a, double b)
{
    return a >= exponent_low && a <= exponent_high && b >= exponent_low && b <= exponent_high;
}

double law_at_exponents(LawWork *w, double a, double b)
{
    if (!law_exponents_allowed(a, b)) return 1e6;
    w->in.terms = 3;
    w->in.constant = 0;
    for (int i = 0; i < w->n; i++) {
        w->in.column[0][i] = 1;
        w->in.column[1][i] = exp(-a * w->log_N[i]);
        w->in.column[2][i] = exp(-b * w->log_D[i]);
    }
    return law_inner(&w->in, w->theta);
}

static double at_log_exponents(const double *x, void *ctx)
{
    return law_at_exponents(ctx, exp(x[0]), exp(x[1]));
}

/* Even thirds of the smallest loss: the valley is then found from anywhere. */
static void start_theta(LawWork *w)
{
    double low = 1e300;
    for (int i = 0; i < w->n; i++) low = fmin(low, w->p[i].loss);
    w->theta[0] = log(low / 2);
    w->theta[1] = w->theta[2] = log(low / 4);
}

static void best_of_grid(LawWork *w, double x[2])
{
    static const double grid[] = { 0.1, 0.2, 0.35, 0.55, 0.9, 1.5 };
    double best = 1e300, theta[3] = { 0 };
    for (int i = 0; i < COUNT(grid); i++)
        for (int j = 0; j < COUNT(grid); j++) {
            start_theta(w);
            double value = law_at_exponents(w, grid[i], grid[j]);
            if (value >= best) continue;
            best = value;
            x[0] = log(grid[i]);
            x[1] = log(grid[j]);
            memcpy(theta, w->theta, sizeof(theta));
        }
    memcpy(w->theta, theta, sizeof(theta));
}

Law law_from_work(const LawWork *w, double a, double b)
{
    return (Law){ .E = exp(w->theta[0]),
                  .A = exp(w->theta[1] + a * w->mid_N),
                  .B = exp(w->theta[2] + b * w->mid_D),
                  .a = a,
                  .b = b };
}

void law_theta_of(const Law *law, LawWork *w)
{
    w->theta[0] = log(fmax(law->E, 1e-12));
    w->theta[1] = log(law->A) - law->a * w->mid_N;
    w->theta[2] = log(law->B) - law->b * w->mid_D;
}

double law_search(LawWork *w, double x[2], double step, double tolerance)
{
    const double steps[2] = { step, step };
    Minimize m = { .f = at_log_exponents,
                   .ctx = w,
                   .n = 2,
                   .step = steps,
                   .evaluations = 600,
                   .tolerance = tolerance };
    minimize_simplex(&m, x);
    return law_at_exponents(w, exp(x[0]), exp(x[1]));
}

/* ---- may it be fitted at all? ---- */

static int different(const LawPoint *p, int n, bool tokens)
{
    int count = 0;
    for (int i = 0; i < n; i++) {
        bool seen = false;
        for (int j = 0; j < i && !seen; j++) {
            double x = tokens ? p[i].D / p[j].D : p[i].N / p[j].N;
            seen = fabs(x - 1) < 0.01;
        }
        count += !seen;
    }
    return count;
}

/* The share of the variance of log D that a power of N explains. */
static double tied(const LawWork *w)
{
    double nn = 0, dd = 0, nd = 0;
    for (int i = 0; i < w->n; i++) {
        nn += w->log_N[i] * w->log_N[i];
        dd += w->log_D[i] * w->log_D[i];
        nd += w->log_N[i] * w->log_D[i];
    }
    return nn > 0 && dd > 0 ? nd * nd / (nn * dd) : 1;
}

static bool fittable(const LawPoint *p, int n, Err *err)
{
    if (n < 6)
        return err_set(err, ERR_CONFIG, "a law has five unknowns: give 6 or more points, not %d",
                       n);
    for (int i = 0; i < n; i++)
        if (!(p[i].N > 0 && p[i].D > 0 && p[i].loss > 0) || !isfinite(p[i].N * p[i].D * p[i].loss))
            return err_set(err, ERR_CONFIG, "point %d: N, D and loss must be positive numbers",
                           i + 1);
    int sizes = different(p, n, false), lengths = different(p, n, true);
    if (sizes < 3 || lengths < 3)
        return err_set(err, ERR_CONFIG,
                       "%d different N and %d different D do not pin two powers down; it takes "
                       "three of each",
                       sizes, lengths);
    return true;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double spread_of(LawWork *w)
{
    for (int i = 0; i < w->n; i++) w->in.r_next[i] = fabs(w->in.r[i]);
    qsort(w->in.r_next, (size_t)w->n, sizeof(double), by_value);
    return w->in.r_next[w->n / 2] / 0.6745;
}

bool law_fit(const LawPoint *p, int n, LawFit *out, Err *err)
{
    if (!fittable(p, n, err)) return false;
    LawWork w;
    law_work_open(&w, p, n);
    if (tied(&w) > 0.9999) {
        law_work_close(&w);
        return err_set(err, ERR_CONFIG,
                       "D is a power of N at every point, so that their shares of the loss cannot "
                       "be told apart; vary D at a fixed N");
    }
    double x[2];
    best_of_grid(&w, x);
    double value = law_search(&w, x, 0.2, 1e-13);
    *out = (LawFit){ .law = law_from_work(&w, exp(x[0]), exp(x[1])), .objective = value };
    out->spread = spread_of(&w);
    double low = exponent_low * 1.05, high = exponent_high / 1.05;
    out->at_edge = out->law.a < low || out->law.a > high || out->law.b < low || out->law.b > high ||
                   out->law.E < 1e-6;
    law_work_close(&w);
    return true;
}
