/* find_norm_burst.c - gradients that grow severalfold within a few steps.
 *
 * The precursor of a spike: in BLOOM's run at 176 billion parameters the norm went .24, .95, 2.4,
 * 16, 145, 960 over the steps before the loss moved.  Three in a row more than six robust
 * deviations above the logarithm's running median, and three times the median. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "doctor/doctor.h"
#include "doctor/robust.h"

enum { WINDOW = 64, LEAST = 300 };

static Answer find(const Chart *c, Finding *out)
{
    const Series *s = &c->of[SIG_NORM];
    if (s->n < LEAST) return FIND_UNKNOWN;
    double *logs = malloc(2 * (size_t)s->n * sizeof *logs), *z = logs + s->n;
    CHECK(logs, "no memory for %d steps", s->n);
    for (int i = 0; i < s->n; i++) logs[i] = log(fmax(s->x[i], 1e-12));
    Series of_logs = { .step = s->step, .x = logs, .n = s->n };
    robust_z(&of_logs, WINDOW, 0, z);
    int count = 0;
    double high = 0;
    for (int i = WINDOW; i + 2 < s->n; i++) {
        bool over = true;
        for (int k = 0; k < 3; k++) {
            double rise = logs[i + k] - logs[i - 1];
            over = over && z[i + k] > 6 && rise > log(2);
            high = over ? fmax(high, s->x[i + k]) : high;
        }
        if (!over || logs[i + 2] - logs[i - 1] < log(3)) continue;
        if (count++ == 0) out->first = s->step[i];
        out->last = s->step[i + 2];
        i += WINDOW;
    }
    free(logs);
    if (count == 0) return FIND_CLEAR;
    out->harm = HARM_WARN;
    out->confidence = 0.85;
    snprintf(out->said, sizeof out->said,
             "the gradient's norm multiplies within three steps, %d time%s, first at step %.0f, up "
             "to %.3g",
             count, count > 1 ? "s" : "", out->first, high);
    return FIND_FOUND;
}

const FindDef find_norm_burst = {
    .name = "norm_burst",
    .doc = "gradients multiply within a few steps: a spike is coming",
    .source = "bigscience chronicles; ZClip (Kumar et al. 2025) for robust statistics of norms",
    .signal = SIG_NORM,
    .needs = 1u << SIG_NORM,
    .causes = { "a rate that is too high", "a batch of damaged text", "no clipping" },
    .remedy = "clip at the usual norm, or skip such steps",
    .edit = "optim.clip=1",
    .settle = "200 steps from before it with clipping, and with half the rate",
    .find = find,
};
