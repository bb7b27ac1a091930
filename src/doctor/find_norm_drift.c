/* find_norm_drift.c - gradients that grow steadily while the rate is at its height.
 *
 * Looked at where the rate is within a tenth of its maximum, because a norm that rises as the rate
 * decays is what healthy runs do.  Theil's slope of the logarithm over at least a fifth of the
 * run; alarm at more than .1 per tenth of training, .3 in all, and four times its noise. */
#include <math.h>
#include <stdio.h>

#include "doctor/doctor.h"
#include "doctor/robust.h"

enum { WINDOWS = 60 };

static double rate_at(const Series *rate, double step, double *top)
{
    double x = (double)NAN;
    for (int i = 0; i < rate->n; i++) {
        *top = fmax(*top, rate->x[i]);
        if (rate->step[i] <= step) x = rate->x[i];
    }
    return x;
}

static Answer find(const Chart *c, Finding *out)
{
    const Series *s = &c->of[SIG_NORM];
    double step[WINDOWS], x[WINDOWS], at[WINDOWS], y[WINDOWS], top = 0, last = chart_last(c);
    int n = s->n >= 200 ? robust_windows(s, WINDOWS, step, x) : 0, m = 0;
    for (int i = n / 5; i < n; i++) {
        double rate = rate_at(&c->of[SIG_RATE], step[i], &top);
        if (!(rate >= 0.9 * top) || !(x[i] > 0)) continue;
        at[m] = 10 * step[i] / last;
        y[m++] = log(x[i]);
    }
    if (m < WINDOWS / 5) return FIND_UNKNOWN;
    double slope = robust_slope(at, y, m), rise = slope * (at[m - 1] - at[0]),
           noise = robust_noise(y, m);
    if (!(slope > 0.1 && rise > 0.3 && rise > 4 * noise)) return FIND_CLEAR;
    out->first = at[0] * last / 10, out->last = at[m - 1] * last / 10;
    out->harm = HARM_WARN;
    out->confidence = 0.7;
    snprintf(out->said, sizeof out->said,
             "the gradient's norm grows by %.0f %% in each tenth of the run while the rate is "
             "constant, from step %.0f on",
             100 * (exp(slope) - 1), out->first);
    return FIND_FOUND;
}

const FindDef find_norm_drift = {
    .name = "norm_drift",
    .doc = "gradients grow steadily at a constant rate",
    .source = "OPT chronicles",
    .signal = SIG_NORM,
    .needs = 1u << SIG_NORM | 1u << SIG_RATE,
    .causes = { "weights or activations that grow without bound",
                "a rate that is too high for the rest of the run" },
    .remedy = "lower the rate by a tenth, decay the weights, normalise queries and keys",
    .edit = "optim.lr=x0.7 model.qk_norm=true",
    .settle = "a branch from its beginning with QK-norm, and one with weight decay doubled",
    .find = find,
};
