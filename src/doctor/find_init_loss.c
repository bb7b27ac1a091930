/* find_init_loss.c - the loss before anything is learned.
 *
 * A head that knows nothing gives every token the same chance, which is ln V: exactly with a head
 * that begins at zero (nanochat measured 10.397165 against 10.397208), within a few tenths with
 * the usual small random one. */
#include <math.h>
#include <stdio.h>

#include "doctor/doctor.h"

static Answer find(const Chart *c, Finding *out)
{
    const Series *s = &c->of[SIG_LOSS];
    if (s->step[0] > 1 || c->vocab < 2) return FIND_UNKNOWN;
    double uniform = log(c->vocab), off = s->x[0] - uniform;
    if (!(fabs(off) > 0.5)) return FIND_CLEAR;
    out->first = out->last = s->step[0];
    out->harm = HARM_WARN;
    out->confidence = fabs(off) > 1 ? 0.95 : 0.8;
    snprintf(out->said, sizeof out->said,
             "the first loss is %.3f; with nothing learned it is ln V = %.3f", s->x[0], uniform);
    return FIND_FOUND;
}

const FindDef find_init_loss = {
    .name = "init_loss",
    .doc = "the first loss is not that of knowing nothing",
    .source = "ln V; nanochat measured it to 4e-5",
    .signal = SIG_LOSS,
    .needs = 1u << SIG_LOSS,
    .causes = { "initial weights that are too large", "a model that has been trained already",
                "targets that can be seen" },
    .remedy = "initialise the head at zero or smaller",
    .edit = "model.embed_std=x0.5",
    .settle = "the first loss with a head of zeros",
    .find = find,
};
