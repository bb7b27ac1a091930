/* find_output_drift.c - an output whose logits wander off together.  */
#include <math.h>
#include <stdio.h>

#include "doctor/doctor.h"
#include "doctor/parts.h"

static Answer find(const Chart *c, Finding *out)
{
    const Series *s = &c->of[SIG_LOGZ];
    double logz = parts_late(s, 0.6);
    if (!isfinite(logz) || c->vocab < 2) return FIND_UNKNOWN;
    double off = logz - log(c->vocab);
    if (!(fabs(off) > 10)) return FIND_CLEAR;
    out->first = s->step[(int)(0.6 * s->n)], out->last = s->step[s->n - 1];
    out->harm = HARM_WARN;
    out->confidence = 0.85;
    snprintf(out->said, sizeof out->said,
             "log of the output's normaliser is %.1f in the median look, where ln V is %.1f", logz,
             log(c->vocab));
    return FIND_FOUND;
}

const FindDef find_output_drift = {
    .name = "output_drift",
    .doc = "the output's logits drift",
    .source =
        "PaLM, Chowdhery et al. 2022 (arXiv:2204.02311); Wortsman et al. 2023 (arXiv:2309.14322)",
    .signal = SIG_LOGZ,
    .needs = (uint64_t)1 << SIG_LOGZ,
    .causes = { "a head without decay at a high rate", "an embedding that grows" },
    .remedy = "a z-loss, or a softcap",
    .edit = "model.z_loss=1e-4",
    .settle = "paired runs with a z-loss of 1e-4",
    .find = find,
};
