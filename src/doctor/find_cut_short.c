/* find_cut_short.c - a run that ended before its plan. */
#include <math.h>
#include <stdio.h>

#include "doctor/doctor.h"

static Answer find(const Chart *c, Finding *out)
{
    double last = chart_last(c), top = 0, end = (double)NAN;
    const Series *rate = &c->of[SIG_RATE];
    if (!(c->planned_steps > 0)) return FIND_UNKNOWN;
    if (last >= 0.98 * c->planned_steps) return FIND_CLEAR;
    for (int i = 0; i < rate->n; i++) top = fmax(top, rate->x[i]), end = rate->x[i];
    out->first = out->last = last;
    out->harm = HARM_NOTE;
    out->confidence = 1;
    snprintf(out->said, sizeof out->said, "it ends at step %.0f of %.0f%s", last, c->planned_steps,
             end > 0.5 * top ? ", with the rate still high: its loss is not that of a finished run"
                             : "");
    return FIND_FOUND;
}

const FindDef find_cut_short = {
    .name = "cut_short",
    .doc = "the run ended before its plan",
    .source = "the plan in the log",
    .signal = SIG_RATE,
    .causes = { "it was stopped by hand", "it crashed", "its time was over" },
    .remedy = "compare with runs of the same plan at the same step only, or let the rate decay to "
              "its end",
    .settle = "a branch from its last checkpoint in which the rate decays to zero",
    .find = find,
};
