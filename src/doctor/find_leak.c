/* find_leak.c - a loss that is too good to be true.
 *
 * Nobody predicts text at half a nat per token, nor at two fifths of ln V within fifty steps: what
 * does so sees the answer (a mask that is shifted, targets equal to inputs, one text again and
 * again). */
#include <math.h>
#include <stdio.h>

#include "doctor/doctor.h"

static Answer find(const Chart *c, Finding *out)
{
    const Series *s = &c->of[SIG_LOSS];
    double start = c->vocab > 1 ? log(c->vocab) : s->x[0];
    int soon = -1, low = -1;
    for (int i = 0; i < s->n; i++) {
        if (soon < 0 && s->step[i] <= 50 && s->x[i] < 0.4 * start) soon = i;
        if (low < 0 && s->x[i] < 0.5) low = i;
    }
    if (start < 3 || (s->step[0] > 50 && low < 0)) return start < 3 ? FIND_UNKNOWN : FIND_CLEAR;
    int at = soon >= 0 ? soon : low;
    if (at < 0) return FIND_CLEAR;
    out->first = s->step[at], out->last = s->step[s->n - 1];
    out->harm = HARM_ILL;
    out->confidence = 0.9;
    snprintf(out->said, sizeof out->said,
             "the loss is %.3f at step %.0f, where it began near %.2f: no text is that easy",
             s->x[at], s->step[at], start);
    return FIND_FOUND;
}

const FindDef find_leak = {
    .name = "leak",
    .doc = "the loss is too good to be true: the answer can be seen",
    .source = "the entropy of text",
    .signal = SIG_LOSS,
    .needs = 1u << SIG_LOSS,
    .causes = { "a mask that lets later tokens through", "targets shifted by none instead of one",
                "the same text again and again" },
    .remedy = "change one token and see whether what is predicted before it changes",
    .settle =
        "the causal test: a changed token must leave the logits before it unchanged to the bit",
    .find = find,
};
