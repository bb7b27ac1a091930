/* curve.c - the multi-power law, evaluated fast and fitted by variable projection.
 *
 * The law adds up, for every loss that is asked for, one term for each earlier change of rate: with
 * a cosine of 72,000 steps and 550 losses that is 20 million powers.  Changes are therefore put
 * together in blocks: all that happens within 32 steps happens at once, at their last rate.  For
 * the smooth schedules that are trained with, the loss changes in the sixth digit.  Exactness is
 * one argument away (block 1), and the published numbers are reproduced with it.
 *
 * Fitting: L0, A and B enter linearly and are solved for; (alpha, C, beta, gamma) are searched in
 * logs.  The published way is Adam over all seven from a grid of starts.  Weights of the linear
 * part follow Huber's loss on the relative residual by three rounds of reweighting.
 *
 * A curve in which the rate never falls says nothing of B, C, beta and gamma: refused. */
#include "science/curve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "science/linear.h"
#include "science/minimize.h"
#include "science/stats.h"

static const double huber = 1e-3;

CurveSchedule curve_schedule(const double *rate, int steps, int block, Arena *out)
{
    CurveSchedule s = { .steps = steps };
    double sum = 0, gap = 0, before = 0;
    s.sum = NEW(out, double, MAX(steps, 1));
    s.knot = NEW(out, CurveKnot, MAX(steps, 1));
    for (int k = 0; k < steps; k++) {
        if (k > 0 && gap == 0) before = sum; /* the block's first change */
        if (k > 0) gap += rate[k] - rate[k - 1];
        sum += rate[k];
        s.sum[k] = sum;
        bool last = (k + 1) % block == 0 || k + 1 == steps;
        if (gap != 0 && (last || block == 1)) {
            s.knot[s.knots++] = (CurveKnot){ gap, rate[k], (before + sum - rate[k]) / 2, k };
            gap = 0;
        }
    }
    return s;
}

/* The sum over changes of rate, without B. */
static double annealed(const CurveLaw *law, const CurveSchedule *s, int step)
{
    double sum = 0, now = s->sum[step];
    for (int i = 0; i < s->knots && s->knot[i].step <= step; i++) {
        const CurveKnot *k = &s->knot[i];
        double x = law->C * pow(k->rate, -law->gamma) * (now - k->before);
        sum += k->gap * (1 - pow(1 + x, -law->beta));
    }
    return sum;
}

double curve_loss(const CurveLaw *law, const CurveSchedule *s, int step)
{
    CHECK(step >= 0 && step < s->steps, "step %d of %d", step, s->steps);
    return law->L0 + law->A * pow(s->sum[step], -law->alpha) + law->B * annealed(law, s, step);
}

double curve_rmse(const CurveLaw *law, const CurveSeen *seen)
{
    double sum = 0;
    for (int i = 0; i < seen->n; i++) {
        double d = curve_loss(law, seen->schedule, seen->step[i]) - seen->loss[i];
        sum += d * d;
    }
    return sqrt(sum / seen->n);
}

/* ---- fitting ---- */

typedef struct Fit {
    const CurveSeen *seen;
    int curves, n;
    double *x, *y, *w; /* (n, 3) and (n): divided by the losses seen, so that y is 1 */
    CurveLaw law;
} Fit;

static void fill_rows(Fit *f)
{
    int at = 0;
    for (int c = 0; c < f->curves; c++) {
        const CurveSeen *seen = &f->seen[c];
        for (int i = 0; i < seen->n; i++, at++) {
            double loss = seen->loss[i];
            f->x[3 * at] = 1 / loss;
            f->x[3 * at + 1] = pow(seen->schedule->sum[seen->step[i]], -f->law.alpha) / loss;
            f->x[3 * at + 2] = annealed(&f->law, seen->schedule, seen->step[i]) / loss;
            f->y[at] = 1;
            f->w[at] = 1;
        }
    }
}

static double objective_of(const Fit *f, const double beta[3])
{
    double sum = 0;
    for (int i = 0; i < f->n; i++) {
        double r =
            1 - beta[0] * f->x[3 * i] - beta[1] * f->x[3 * i + 1] - beta[2] * f->x[3 * i + 2];
        double size = fabs(r);
        sum += size <= huber ? r * r / 2 : huber * (size - huber / 2);
        f->w[i] = size <= huber ? 1 : huber / size;
    }
    return sum;
}

/* Three curves leave a valley in (C, beta, gamma) in which the fit moves far for nothing and then
 * foretells worse.  The constants published for 25M, 100M and 400M lie within .1 of each other in
 * logs; the fit is drawn to them with a weight that a difference in the data soon outweighs. */
static const double pull = 0.02;
static const double usual[4] = { -0.77, 0.73, -0.53, -0.44 }; /* logs of .46, 2.07, .59, .644 */

static double far_from_usual(const double *x)
{
    double sum = 0;
    for (int k = 0; k < 4; k++) sum += (x[k] - usual[k]) * (x[k] - usual[k]);
    return sum;
}

static double at_powers(const double *x, void *ctx)
{
    Fit *f = ctx;
    double beta[3], value = 1e6;
    f->law.alpha = exp(x[0]);
    f->law.C = exp(x[1]);
    f->law.beta = exp(x[2]);
    f->law.gamma = exp(x[3]);
    if (f->law.alpha > 3 || f->law.beta > 5 || f->law.gamma > 3) return 1e6;
    fill_rows(f);
    for (int round = 0; round < 4; round++) {
        if (!linear_least(f->x, f->y, f->w, f->n, 3, beta, NULL, NULL)) return 1e6;
        value = objective_of(f, beta);
    }
    f->law.L0 = beta[0];
    f->law.A = beta[1];
    f->law.B = beta[2];
    value *= 1 + pull * far_from_usual(x);
    /* Rates that fall must help: a fit that says otherwise explains something else. */
    return beta[0] > 0 && beta[1] > 0 && beta[2] > 0 ? value : 1e6 - 1 / (1 + value);
}

static bool anneals(const CurveSeen *seen)
{
    const CurveSchedule *s = seen->schedule;
    for (int i = 0; i < s->knots; i++)
        if (s->knot[i].gap < 0 && s->knot[i].step < seen->step[seen->n - 1]) return true;
    return false;
}

bool curve_fit(const CurveSeen *seen, int curves, CurveLaw *out, Err *err)
{
    static const double start[][4] = { { 0.5, 1, 0.5, 0.5 }, { 0.4, 3, 0.3, 0.3 } };
    const double step[4] = { 0.3, 0.7, 0.3, 0.3 };
    Fit f = { .seen = seen, .curves = curves };
    bool falls = false;
    for (int c = 0; c < curves; c++) {
        f.n += seen[c].n;
        falls = falls || (seen[c].n > 0 && anneals(&seen[c]));
    }
    if (f.n < 8 || !falls)
        return err_set(err, ERR_CONFIG,
                       "a law of annealing needs 8 or more losses and a schedule in which the rate "
                       "falls");
    double *memory = malloc((size_t)f.n * 5 * sizeof(double)), best = 1e9;
    CHECK(memory, "no memory for %d losses", f.n);
    f.x = memory;
    f.y = memory + 3 * f.n;
    f.w = memory + 4 * f.n;
    for (int i = 0; i < COUNT(start); i++) {
        double x[4];
        for (int k = 0; k < 4; k++) x[k] = log(start[i][k]);
        Minimize m = {
            .f = at_powers, .ctx = &f, .n = 4, .step = step, .evaluations = 500, .tolerance = 1e-7
        };
        minimize_simplex(&m, x);
        double value = at_powers(x, &f);
        if (value >= best) continue;
        best = value;
        *out = f.law;
    }
    free(memory);
    if (best < 1e5) return true;
    return err_set(err, ERR_CONFIG,
                   "no law of annealing fits these curves: rates that fall do not "
                   "lower the loss in them");
}

/* ---- collapse ---- */

CurveCollapse curve_collapse(const double *loss, int runs, int shares)
{
    CHECK(runs >= 2 && shares >= 2 && shares <= CURVE_SHARES, "%d runs, %d shares", runs, shares);
    CurveCollapse c = { .runs = runs, .shares = shares };
    double *ratio = malloc((size_t)runs * sizeof(double));
    CHECK(ratio, "no memory for %d runs", runs);
    for (int j = 0; j < shares; j++) {
        for (int i = 0; i < runs; i++)
            ratio[i] = loss[i * shares + j] / loss[i * shares + shares - 1];
        c.ratio[j] = stat_mean(ratio, runs);
        c.sd[j] = sqrt(stat_ss(ratio, runs) / (runs - 1));
    }
    free(ratio);
    return c;
}

double curve_collapse_end(const CurveCollapse *c, int share, double loss, double *sd)
{
    double end = loss / c->ratio[share];
    if (sd) *sd = end * c->sd[share] / c->ratio[share] * sqrt(1 + 1.0 / c->runs);
    return end;
}
