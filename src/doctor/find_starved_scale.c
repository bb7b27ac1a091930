/* find_starved_scale.c - fp16 training whose loss scale has fallen to where gradients vanish.
 *
 * Dynamic scaling (Micikevicius et al. 2018) begins at 2^16 and more, halves the scale on overflow
 * and doubles it after some thousand good steps.  Near its floor everything small is flushed to
 * zero; steps are skipped, or made of what is left.  Published runs that failed so
 * (huggingface/datablations, stability study) show scales of 1 to 16, up to 98 skipped steps. */
#include <math.h>
#include <stdio.h>

#include "doctor/doctor.h"

enum { FLOOR = 16, HEALTHY = 4096, FALL = 4 };

static double sum_after(const Series *s, double from)
{
    double sum = 0;
    for (int i = 0; i < s->n; i++)
        if (s->step[i] >= from && isfinite(s->x[i])) sum += s->x[i];
    return sum;
}

static Answer find(const Chart *c, Finding *out)
{
    const Series *s = &c->of[SIG_SCALE];
    double top = 0, low = HUGE_VAL, low_at = 0;
    for (int i = 0; i < s->n; i++) {
        top = fmax(top, s->x[i]);
        if (s->x[i] < low) low = s->x[i], low_at = s->step[i];
    }
    bool floor = low <= FLOOR, fell = low < HEALTHY && top >= FALL * low;
    if (!floor && !fell) return FIND_CLEAR;
    double skipped = sum_after(&c->of[SIG_SKIPPED], 0), nan = sum_after(&c->of[SIG_NAN], 0);
    out->first = low_at, out->last = s->step[s->n - 1];
    out->harm = floor ? HARM_DEAD : HARM_ILL;
    out->confidence = floor ? 0.95 : 0.75;
    snprintf(out->said, sizeof out->said,
             "the loss scale is %.0f at step %.0f (it was up to %.0f); %.0f steps skipped, %.0f "
             "without a number",
             low, low_at, top, skipped, nan);
    return FIND_FOUND;
}

const FindDef find_starved_scale = {
    .name = "starved_scale",
    .doc = "fp16 with a loss scale at its floor: gradients vanish",
    .source = "Micikevicius et al. 2018; huggingface/datablations stability study",
    .signal = SIG_SCALE,
    .needs = 1u << SIG_SCALE,
    .causes = { "activations or gradients outside the range of fp16", "a kernel that overflows",
                "a rate that is too high" },
    .remedy = "train in bf16 or fp32",
    .edit = "train.precision=fp32",
    .settle = "200 steps from the same start in fp32: does the loss fall as it should",
    .find = find,
};
