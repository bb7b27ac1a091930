/* find_update_ratio.c - updates that are far too large or far too small for the weights.
 *
 * About a thousandth is healthy for AdamW at its height (Karpathy, "makemore"); short runs of small
 * models do well with a hundredth, Muon with several hundredths.  So the alarm is a decade beyond
 * what any healthy run showed: a tenth, and a hundred-thousandth. */
#include <math.h>
#include <stdio.h>

#include "doctor/doctor.h"
#include "science/stats.h"

static Answer find(const Chart *c, Finding *out)
{
    const Series *s = &c->of[SIG_RATIO];
    int from = s->n / 5, n = s->n * 3 / 5 - from;
    if (n < 10) return FIND_UNKNOWN;
    double median = stat_median(s->x + from, n);
    if (!isfinite(median)) return FIND_UNKNOWN;
    bool high = median > 0.1, low = median < 1e-5;
    if (!high && !low) return FIND_CLEAR;
    out->first = s->step[from], out->last = s->step[from + n - 1];
    out->harm = HARM_WARN;
    out->confidence = 0.9;
    snprintf(out->said, sizeof out->said,
             "an update is %.2g of its weights in the middle of the run: %s", median,
             high ? "they are written anew every few steps" : "they hardly move");
    return FIND_FOUND;
}

const FindDef find_update_ratio = {
    .name = "update_ratio",
    .doc = "updates are far too large or too small for the weights",
    .source = "Karpathy, makemore (a thousandth); SageMaker Debugger's weight_update_ratio",
    .signal = SIG_RATIO,
    .needs = 1u << SIG_RATIO,
    .causes = { "a rate that is wrong by more than ten",
                "an initialisation that is wrong by more than ten",
                "an epsilon that swallows the gradient" },
    .remedy = "bring the rate of that group to where a step is a thousandth of the weights",
    .settle = "paired runs at ten times and a tenth of the rate",
    .find = find,
};
