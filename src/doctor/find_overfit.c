/* find_overfit.c - held-out loss rises while training loss falls. */
#include <math.h>
#include <stdio.h>

#include "doctor/doctor.h"
#include "doctor/robust.h"
#include "science/stats.h"

enum { LEAST = 6 };

/* The median training loss within a twentieth of the run before a step. */
static double training_at(const Chart *c, double step)
{
    const Series *s = &c->of[SIG_LOSS];
    double near[256], width = chart_last(c) / 20;
    int n = 0;
    for (int i = 0; i < s->n && n < COUNT(near); i++)
        if (s->step[i] <= step && s->step[i] > step - width) near[n++] = s->x[i];
    return stat_median(near, n);
}

static Answer find(const Chart *c, Finding *out)
{
    const Series *v = &c->of[SIG_VAL];
    if (v->n < LEAST || c->of[SIG_LOSS].n < LEAST) return FIND_UNKNOWN;
    int low = 0;
    for (int i = 1; i < v->n; i++)
        if (v->x[i] < v->x[low]) low = i;
    double end = stat_median(v->x + v->n - 3, 3), noise = robust_noise(v->x, v->n);
    double before = training_at(c, v->step[low]), after = training_at(c, v->step[v->n - 1]);
    if (low + 3 > v->n - 1 || !(end - v->x[low] > fmax(0.005 * v->x[low], 4 * noise)) ||
        !(after < before - 0.005 * before))
        return FIND_CLEAR;
    out->first = v->step[low], out->last = v->step[v->n - 1];
    out->harm = HARM_WARN;
    out->confidence = 0.9;
    snprintf(out->said, sizeof out->said,
             "from step %.0f on the held-out loss rises from %.3f to %.3f while the training loss "
             "falls from %.3f to %.3f",
             out->first, v->x[low], end, before, after);
    return FIND_FOUND;
}

const FindDef find_overfit = {
    .name = "overfit",
    .doc = "held-out loss rises while training loss falls",
    .source =
        "the gap of the two; data-constrained laws (Muennighoff et al. 2023): beyond four epochs",
    .signal = SIG_VAL,
    .needs = 1u << SIG_VAL | 1u << SIG_LOSS,
    .causes = { "too many epochs of too little text", "a model too large for its text",
                "too little weight decay" },
    .remedy = "more text, fewer steps, more weight decay",
    .edit = "optim.decay=x3",
    .settle = "paired runs with three times the weight decay, and with half the steps",
    .find = find,
};
