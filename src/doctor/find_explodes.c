/* find_explodes.c - a loss above that of knowing nothing.
 *
 * Giving every token the same chance costs ln V.  A run that has begun below it and is well above
 * it for three entries in a row was thrown out of any basin by its updates, wherever it goes from
 * there: the healthy runs that were looked at are never above it by more than their noise. */
#include <math.h>
#include <stdio.h>

#include "doctor/doctor.h"

enum { IN_A_ROW = 3 };

static Answer find(const Chart *c, Finding *out)
{
    const Series *s = &c->of[SIG_LOSS];
    if (s->n < 10) return FIND_UNKNOWN;
    double nothing = fmax(s->x[0], c->vocab > 1 ? log(c->vocab) : 0), high = 0;
    bool late = s->step[0] > 100 && c->vocab < 2; /* the first entry is not the beginning */
    int row = 0, at = -1;
    for (int i = 1; i < s->n; i++) {
        row = s->x[i] > 1.1 * nothing ? row + 1 : 0;
        if (row == IN_A_ROW && at < 0) at = i - IN_A_ROW + 1;
        if (at >= 0 && s->x[i] > high) high = s->x[i];
    }
    if (at < 0) return late ? FIND_UNKNOWN : FIND_CLEAR;
    double end = s->x[s->n - 1];
    out->first = s->step[at], out->last = s->step[s->n - 1];
    out->harm = end > nothing ? HARM_DEAD : HARM_ILL;
    out->confidence = 0.95;
    snprintf(out->said, sizeof out->said,
             "from step %.0f on the loss is above the %.2f of knowing nothing, up to %.3f; it ends "
             "at %.3f",
             out->first, nothing, high, end);
    return FIND_FOUND;
}

const FindDef find_explodes = {
    .name = "explodes",
    .doc = "the loss rises above that of knowing nothing",
    .source = "ln V",
    .signal = SIG_LOSS,
    .needs = 1u << SIG_LOSS,
    .causes = { "a rate that is far too high", "no warmup", "gradients that are not clipped",
                "arithmetic without enough range" },
    .remedy = "a quarter of the rate, with warmup and clipping",
    .edit = "optim.lr=x0.25 schedule.warmup=0.1 optim.clip=1",
    .settle = "paired runs at a quarter of the rate",
    .find = find,
};
