/* find_repeated_batches.c - batches that were read before.
 *
 * By hash, at every step.  Our loader lays rows out anew in each epoch, so a healthy run reads no
 * batch twice: once is enough.  */
#include <stdio.h>

#include "doctor/doctor.h"

static Answer find(const Chart *c, Finding *out)
{
    const Series *s = &c->of[SIG_REPEAT];
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
    snprintf(out->said, sizeof out->said, "%.0f batches had been read before, from step %.0f on",
             count, out->first);
    return FIND_FOUND;
}

const FindDef find_repeated_batches = {
    .name = "repeated_batches",
    .doc = "batches come again",
    .source = "hashes of what was read",
    .signal = SIG_REPEAT,
    .needs = (uint64_t)1 << SIG_REPEAT,
    .causes = { "a loader that was not put back to its place when the run went on",
                "one shard read again and again", "a shuffle with the same seed in each epoch" },
    .remedy = "restore the state of the loader; list the shards that were read",
    .settle = "read the batches of those steps again and compare their hashes",
    .find = find,
};
