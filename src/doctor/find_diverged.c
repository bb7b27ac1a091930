/* find_diverged.c - a loss that left its minimum and did not come back.
 *
 * Held-out losses if there are enough, else medians of the training loss.  Left: three in a row
 * above the minimum so far by more than half a percent and more than four times the noise.  Come
 * back: one that is no longer so; then it was a spike, which is another finding.  A held-out loss
 * that rises while the training loss falls is overfitting and not meant here. */
#include <math.h>
#include <stdio.h>

#include "doctor/doctor.h"
#include "doctor/robust.h"

enum { WINDOWS = 100, IN_A_ROW = 3 };

/* Did the training loss fall over the same steps? */
static bool training_falls(const Chart *c, double from)
{
    const Series *s = &c->of[SIG_LOSS];
    double step[WINDOWS], x[WINDOWS], before = (double)NAN, after = (double)NAN;
    int n = robust_windows(s, WINDOWS, step, x);
    for (int i = 0; i < n; i++) {
        if (step[i] <= from) before = x[i];
        after = x[i];
    }
    return n >= 3 && after < before;
}

static Answer find(const Chart *c, Finding *out)
{
    bool held = c->of[SIG_VAL].n >= 6;
    const Series *s = &c->of[held ? SIG_VAL : SIG_LOSS];
    double step[WINDOWS], x[WINDOWS];
    int n = robust_windows(s, WINDOWS, step, x);
    if (n < 6) return FIND_UNKNOWN;
    double low = HUGE_VAL, low_at = 0, bar = 0, noise = robust_noise(x + n / 10, n - n / 10);
    int left = -1, row = 0;
    for (int i = 0; i < n; i++) {
        if (x[i] < low) low = x[i], low_at = step[i];
        bar = low + fmax(0.005 * low, isfinite(noise) ? 4 * noise : 0);
        row = x[i] > bar ? row + 1 : 0;
        if (row == 0) left = -1;
        if (row == IN_A_ROW) left = i - IN_A_ROW + 1;
    }
    if (left < 0 || (held && training_falls(c, step[left]))) return FIND_CLEAR;
    double end = x[n - 1];
    out->first = step[left], out->last = step[n - 1];
    out->harm = end > 0.8 * x[0] ? HARM_DEAD : HARM_ILL;
    out->confidence = end > low * 1.1 ? 0.98 : 0.85;
    snprintf(out->said, sizeof out->said,
             "the %s was %.3f at step %.0f, leaves it at step %.0f and ends at %.3f",
             signal_name(held ? SIG_VAL : SIG_LOSS), low, low_at, step[left], end);
    return FIND_FOUND;
}

const FindDef find_diverged = {
    .name = "diverged",
    .doc = "the loss left its minimum for good",
    .source = "three evaluations above the minimum; huggingface/datablations stability study",
    .signal = SIG_VAL,
    .causes = { "a rate that is too high for this stage",
                "attention logits or activations that grow without bound", "too little precision",
                "a stretch of damaged text" },
    .remedy =
        "go back to a checkpoint before that step; lower the rate; normalise queries and keys",
    .edit = "optim.lr=x0.5 model.qk_norm=true",
    .settle = "three branches of 200 steps from before it: half the rate, QK-norm, other text",
    .find = find,
};
