/* find_not_a_number.c - a loss, norm or score that is no number, or infinite. */
#include <math.h>
#include <stdio.h>

#include "doctor/doctor.h"

static Answer find(const Chart *c, Finding *out)
{
    static const Signal watched[] = { SIG_LOSS, SIG_VAL, SIG_NORM };
    int bad = 0;
    bool ends = false;
    const char *which = "";
    for (int k = 0; k < COUNT(watched); k++) {
        const Series *s = &c->of[watched[k]];
        for (int i = 0; i < s->n; i++) {
            if (isfinite(s->x[i])) continue;
            if (bad++ == 0 || s->step[i] < out->first)
                out->first = s->step[i], which = signal_name(watched[k]);
            out->last = MAX(out->last, s->step[i]);
            ends = ends || i == s->n - 1;
        }
    }
    if (bad == 0) return FIND_CLEAR;
    out->harm = ends ? HARM_DEAD : HARM_ILL;
    out->confidence = 1;
    snprintf(out->said, sizeof out->said,
             "the %s is no number at step %.0f, %d such values in all, %s", which, out->first, bad,
             ends ? "and so it ends" : "and numbers again after it");
    return FIND_FOUND;
}

const FindDef find_not_a_number = {
    .name = "not_a_number",
    .doc = "a loss or a norm that is no number",
    .source = "arithmetic",
    .signal = SIG_LOSS,
    .causes = { "a rate that is too high", "an overflow in 16-bit arithmetic",
                "a division by zero in a new operation" },
    .remedy = "go back to the last good checkpoint with half the rate and a longer warmup",
    .edit = "optim.lr=x0.5",
    .settle = "a branch of 200 steps from the last checkpoint with half the rate, beside one in "
              "full precision",
    .find = find,
};
