/* find_state_collapse.c - token states that have become alike.  */
#include <math.h>
#include <stdio.h>

#include "doctor/doctor.h"
#include "doctor/parts.h"

static Answer find(const Chart *c, Finding *out)
{
    double cosine = parts_late(&c->of[SIG_COSINE], 0.6);
    const Series *s = &c->of[SIG_COSINE];
    if (!isfinite(cosine)) return FIND_UNKNOWN;
    if (!(cosine > 0.9)) return FIND_CLEAR;
    out->first = s->step[(int)(0.6 * s->n)], out->last = s->step[s->n - 1];
    out->harm = HARM_WARN;
    out->confidence = 0.85;
    snprintf(out->said, sizeof out->said,
             "behind the last block two tokens have a cosine of %.2f in the median look: nearly "
             "all states are one",
             cosine);
    return FIND_FOUND;
}

const FindDef find_state_collapse = {
    .name = "state_collapse",
    .doc = "the states of different tokens are nearly the same",
    .source = "rank collapse, Dong et al. 2021 (arXiv:2103.03404); threshold ours",
    .signal = SIG_COSINE,
    .needs = (uint64_t)1 << SIG_COSINE,
    .causes = { "nothing is learned: only the frequencies of tokens", "a rate that is too high",
                "a residual stream that one channel fills" },
    .remedy = "lower the rate, norm the embedding",
    .edit = "optim.lr=x0.5",
    .settle = "paired runs at half the rate",
    .find = find,
};
