/* find_lost_updates.c - updates that round to nothing.
 *
 * A weight whose update is below half of its last place stays what it is.  In fp32 that happens to
 * one element in thousands; with weights of eight bits of mantissa to most of them.  A weight that
 * is wholly still while others move is another fault, find_frozen_weight.c.  */
#include <stdio.h>

#include "doctor/doctor.h"
#include "doctor/parts.h"

static Answer find(const Chart *c, Finding *out)
{
    Parts p;
    parts_of(c, SIG_STILL, 0.1, &p);
    if (p.n == 0) return FIND_UNKNOWN;
    if (!(p.middle > 0.2)) return FIND_CLEAR;
    out->first = p.first, out->last = p.last;
    out->harm = HARM_WARN;
    out->confidence = 0.95;
    snprintf(out->said, sizeof out->said,
             "in the median weight an update leaves %.0f %% of the elements that have a gradient "
             "as they were; in %s %.0f %%",
             100 * p.middle, p.most_at, 100 * p.most);
    return FIND_FOUND;
}

const FindDef find_lost_updates = {
    .name = "lost_updates",
    .doc = "updates are lost in rounding",
    .source = "share of elements an update leaves unchanged; llm.c keeps fp32 masters for it",
    .signal = SIG_STILL,
    .needs = (uint64_t)1 << SIG_STILL,
    .causes = { "weights kept in bf16 without an fp32 master or stochastic rounding",
                "a rate far too low", "the end of a schedule that falls to zero" },
    .remedy = "keep fp32 master weights, or round stochastically",
    .settle = "the same steps with fp32 weights: the loss must part",
    .find = find,
};
