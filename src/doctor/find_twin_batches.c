/* find_twin_batches.c - micro-batches of one step that are the same.
 *
 * By hash: two workers that read the same rows halve the batch and nothing else shows it.  */
#include <stdio.h>

#include "doctor/doctor.h"

static Answer find(const Chart *c, Finding *out)
{
    const Series *s = &c->of[SIG_TWIN];
    double count = 0;
    for (int i = 0; i < s->n; i++) {
        if (!(s->x[i] > 0)) continue;
        if (count == 0) out->first = s->step[i];
        out->last = s->step[i];
        count += s->x[i];
    }
    if (count == 0) return FIND_CLEAR;
    out->harm = HARM_ILL;
    out->confidence = 0.99;
    snprintf(out->said, sizeof out->said,
             "%.0f pairs of micro-batches were equal within their step, from step %.0f on", count,
             out->first);
    return FIND_FOUND;
}

const FindDef find_twin_batches = {
    .name = "twin_batches",
    .doc = "micro-batches of one step are the same",
    .source = "hashes of what was read",
    .signal = SIG_TWIN,
    .needs = (uint64_t)1 << SIG_TWIN,
    .causes = { "workers that share a seed or a shard",
                "accumulation that reads one batch several times" },
    .remedy = "give each worker rows of its own",
    .settle = "a step with the batches printed by worker",
    .find = find,
};
