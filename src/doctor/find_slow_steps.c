/* find_slow_steps.c - steps that take much longer than most. */
#include <math.h>
#include <stdio.h>

#include "doctor/doctor.h"
#include "science/stats.h"

static Answer find(const Chart *c, Finding *out)
{
    const Series *s = &c->of[SIG_SECONDS];
    if (s->n < 50) return FIND_UNKNOWN;
    double median = stat_median(s->x, s->n), lost = 0, sum = 0;
    int slow = 0;
    for (int i = 1; i < s->n; i++) { /* the first one warms up */
        sum += s->x[i];
        if (!(s->x[i] > 1.5 * median)) continue;
        if (slow++ == 0) out->first = s->step[i];
        out->last = s->step[i];
        lost += s->x[i] - median;
    }
    if (!(lost > 0.05 * sum)) return FIND_CLEAR;
    out->harm = HARM_NOTE;
    out->confidence = 0.9;
    snprintf(out->said, sizeof out->said,
             "%d of %d steps take more than 1.5 times the median of %.3g s; %.0f %% of the time is "
             "lost so",
             slow, s->n - 1, median, 100 * lost / sum);
    return FIND_FOUND;
}

const FindDef find_slow_steps = {
    .name = "slow_steps",
    .doc = "steps that take much longer than most",
    .source = "robust share of lost time",
    .signal = SIG_SECONDS,
    .needs = 1u << SIG_SECONDS,
    .causes = { "other programs on the machine", "a loader that is waited for",
                "checkpoints or evaluation inside the step" },
    .remedy = "measure again on a quiet machine; see `lathe bench train`",
    .settle = "the same steps again with the machine idle",
    .find = find,
};
