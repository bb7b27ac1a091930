/* find_rate_too_high.c - a loss that goes up and down more than its noise explains.
 *
 * Medians of fifty stretches after the first fifth.  The noise of a median is known from within
 * its stretch (1.25 standard deviations over the root of its length); with a rate that is too high
 * the loss still falls on the whole, but many stretches end well above the one before. */
#include <math.h>
#include <stdio.h>

#include "doctor/doctor.h"
#include "doctor/robust.h"

enum { WINDOWS = 50, EACH = 8 };

static Answer find(const Chart *c, Finding *out)
{
    const Series *s = &c->of[SIG_LOSS];
    if (s->n < WINDOWS * EACH) return FIND_UNKNOWN;
    double step[WINDOWS], x[WINDOWS];
    int rises = 0, counted = 0;
    robust_windows(s, WINDOWS, step, x);
    for (int i = WINDOWS / 5; i < WINDOWS; i++) {
        int from = (int)((int64_t)s->n * i / WINDOWS),
            to = (int)((int64_t)s->n * (i + 1) / WINDOWS);
        double error = 1.25 * robust_sd(s->x + from, to - from) / sqrt(to - from);
        counted++;
        if (!(x[i] - x[i - 1] > fmax(4 * sqrt(2) * error, 0.01 * x[i]))) continue;
        if (rises++ == 0) out->first = step[i];
        out->last = step[i];
    }
    if (rises * 10 < counted || rises < 4) return FIND_CLEAR;
    out->harm = HARM_WARN;
    out->confidence = 0.7;
    snprintf(out->said, sizeof out->said,
             "%d of %d stretches of the run end well above the one before, from step %.0f on",
             rises, counted, out->first);
    return FIND_FOUND;
}

const FindDef find_rate_too_high = {
    .name = "rate_too_high",
    .doc = "the loss swings: the rate is above what the curvature allows",
    .source = "edge of stability, Cohen et al. 2022 (arXiv:2207.14484)",
    .signal = SIG_LOSS,
    .needs = 1u << SIG_LOSS,
    .causes = { "a rate that is too high", "a batch that is too small for it",
                "text in blocks: the order of the shards" },
    .remedy = "halve the rate, lengthen the warmup",
    .edit = "optim.lr=x0.5",
    .settle = "paired runs at half the rate and at the same",
    .find = find,
};
