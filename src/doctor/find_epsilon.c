/* find_epsilon.c - an epsilon that swallows the second moment.
 *
 * Where the root of the second moment is below ten epsilon, the denominator is no longer that of
 * Adam and small gradients hardly move their weights.  Healthy looks at our runs show no such
 * weights behind the warmup; the alarm is at half of the elements of the median weight.  */
#include <stdio.h>

#include "doctor/doctor.h"
#include "doctor/parts.h"

static Answer find(const Chart *c, Finding *out)
{
    Parts p;
    parts_of(c, SIG_EPS, 0.3, &p);
    if (p.n == 0) return FIND_UNKNOWN;
    if (!(p.middle > 0.5)) return FIND_CLEAR;
    out->first = p.first, out->last = p.last;
    out->harm = HARM_WARN;
    out->confidence = 0.95;
    snprintf(out->said, sizeof out->said,
             "in the median weight %.0f %% of the second moments have a root below ten epsilon; "
             "in %s %.0f %%",
             100 * p.middle, p.most_at, 100 * p.most);
    return FIND_FOUND;
}

const FindDef find_epsilon = {
    .name = "epsilon",
    .doc = "epsilon is larger than the gradients it should only guard",
    .source = "Molybog et al. 2023 (arXiv:2304.09871); nanochat and modded-nanogpt use 1e-10",
    .signal = SIG_EPS,
    .needs = (uint64_t)1 << SIG_EPS,
    .causes = { "an epsilon taken from another scale of gradients",
                "gradients that became small: a loss that is summed or divided otherwise" },
    .remedy = "a smaller epsilon",
    .edit = "optim.eps=1e-10",
    .settle = "paired runs with an epsilon of 1e-10 and with the same",
    .find = find,
};
