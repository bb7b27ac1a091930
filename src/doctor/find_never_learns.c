/* find_never_learns.c - a loss that stays where guessing single tokens would bring it.
 *
 * Predicting every token by its frequency alone gives the entropy of single tokens, about .70 of
 * ln V for 50,000 tokens of English and .87 for 1,000.  A model that has read a few hundred batches
 * and is not well below it uses no context.  Where that entropy is not known, the loss must have
 * lost a quarter of what it began with: a healthy run of any size has, long before. */
#include <math.h>
#include <stdio.h>

#include "doctor/doctor.h"
#include "doctor/robust.h"

enum { STEPS = 500, WINDOWS = 40 };

/* The lowest of the medians, and where. */
static double lowest(const Series *s, double *at)
{
    double step[WINDOWS], x[WINDOWS], low = HUGE_VAL;
    int n = robust_windows(s,
                           s->n >= 5 * WINDOWS ? WINDOWS
                           : s->n < WINDOWS    ? s->n
                                               : WINDOWS,
                           step, x);
    for (int i = 0; i < n; i++)
        if (x[i] < low) low = x[i], *at = step[i];
    return low;
}

static Answer find(const Chart *c, Finding *out)
{
    const Series *s =
        c->of[SIG_LOSS].n >= 10 || c->of[SIG_VAL].n == 0 ? &c->of[SIG_LOSS] : &c->of[SIG_VAL];
    double last = chart_last(c), at = 0;
    bool late =
        s->n == 0 || (c->unigram <= 0 && s->step[0] > STEPS); /* where it began is not known */
    if (late || last < STEPS || s->n < 5) return FIND_UNKNOWN;
    double low = lowest(s, &at);
    double bar = c->unigram > 0 ? 0.97 * c->unigram : 0.75 * s->x[0];
    if (!(low > bar)) return FIND_CLEAR;
    out->first = STEPS, out->last = last;
    out->harm = HARM_DEAD;
    out->confidence = last >= 2 * STEPS ? 0.95 : 0.7;
    snprintf(out->said, sizeof out->said, "the %s never falls below %.2f in %.0f steps; %s is %.2f",
             signal_name(s == &c->of[SIG_VAL] ? SIG_VAL : SIG_LOSS), low, last,
             c->unigram > 0 ? "guessing by frequency" : "three quarters of where it began",
             c->unigram > 0 ? c->unigram : bar);
    return FIND_FOUND;
}

const FindDef find_never_learns = {
    .name = "never_learns",
    .doc = "the loss stays near that of guessing by frequency",
    .source = "information theory; huggingface/datablations stability study",
    .signal = SIG_LOSS,
    .causes = { "arithmetic that destroys the gradient (precision, kernel)",
                "a rate far too high or far too low", "targets that do not belong to their inputs",
                "text without structure" },
    .remedy = "compare one step with full precision on the plain kernels; then sweep the rate by "
              "factors of ten",
    .settle = "200 steps from the same start in fp32 with plain kernels, and 200 at a tenth and at "
              "ten times the rate",
    .find = find,
};
