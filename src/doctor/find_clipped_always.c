/* find_clipped_always.c - gradients far beyond the clip, step after step.
 *
 * Clipping by a constant factor changes nothing for AdamW, whose steps do not depend on the
 * gradient's size, so only a norm that is many times the clip means something: sums that overflow,
 * a loss that is not averaged, a scale that is not taken out again. */
#include <math.h>
#include <stdio.h>

#include "doctor/doctor.h"
#include "science/stats.h"

static Answer find(const Chart *c, Finding *out)
{
    const Series *s = &c->of[SIG_NORM];
    int from = s->n / 10, n = s->n - from;
    if (n < 3) return FIND_UNKNOWN;
    double clip = c->clip > 0 ? c->clip : 1, median = stat_median(s->x + from, n);
    int above = 0;
    for (int i = from; i < s->n; i++) above += s->x[i] > 30 * clip;
    if (above < 0.9 * n) return FIND_CLEAR;
    out->first = s->step[from], out->last = s->step[s->n - 1];
    out->harm = HARM_ILL;
    out->confidence = median > 100 * clip ? 0.9 : 0.7;
    snprintf(out->said, sizeof out->said,
             "the gradient's norm is %.3g in the middle of the run, %.0f times %s", median,
             median / clip, c->clip > 0 ? "the clip" : "the usual clip of 1");
    return FIND_FOUND;
}

const FindDef find_clipped_always = {
    .name = "clipped_always",
    .doc = "gradients are many times the clip, always",
    .source = "share of clipped steps; nanochat's log",
    .signal = SIG_NORM,
    .needs = 1u << SIG_NORM,
    .causes = { "a gradient that is destroyed by its precision or a kernel",
                "a loss that is summed and not averaged", "a loss scale that is not divided out" },
    .remedy = "compare one gradient with full precision on plain kernels",
    .settle = "one step's gradient in fp32 on plain kernels beside it",
    .find = find,
};
