/* find_frozen_weight.c - one weight that does not move while the others do.  */
#include <stdio.h>

#include "doctor/doctor.h"
#include "doctor/parts.h"

static Answer find(const Chart *c, Finding *out)
{
    Parts p;
    parts_of(c, SIG_STILL, 0.1, &p);
    if (p.n < 3) return FIND_UNKNOWN;
    if (!(p.most > 0.98) || p.middle > 0.5) return FIND_CLEAR;
    out->first = p.first, out->last = p.last;
    out->harm = HARM_WARN;
    out->confidence = 0.95;
    snprintf(out->said, sizeof out->said,
             "%s has a gradient and does not move: %.0f %% of its elements stay, of the median "
             "weight's %.1f %%",
             p.most_at, 100 * p.most, 100 * p.middle);
    return FIND_FOUND;
}

const FindDef find_frozen_weight = {
    .name = "frozen_weight",
    .doc = "a weight has a gradient and is not trained",
    .source = "SageMaker Debugger's unchanged_tensor, by weight",
    .signal = SIG_STILL,
    .needs = (uint64_t)1 << SIG_STILL,
    .causes = { "it is missing from the groups of the optimizer", "its rate is zero",
                "it is written back from a copy after each step" },
    .remedy = "give it to the optimizer",
    .settle = "one step with the rate times a thousand: it must move",
    .find = find,
};
