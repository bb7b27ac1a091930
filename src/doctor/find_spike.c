/* find_spike.c - a loss that jumps up.
 *
 * Step by step: three of four losses in a row more than five robust deviations above the median of
 * the 64 before them, and two percent above it.  Single outliers are batches, not spikes: a healthy
 * run of 19,560 steps has fifteen beyond six plain deviations.  In a log of every hundredth step
 * each entry is an average: one entry above the median of the five before it by eight times the
 * noise and five percent. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "doctor/doctor.h"
#include "doctor/robust.h"
#include "science/stats.h"

enum { WINDOW = 64, DENSE = 300, BEFORE = 5 };

typedef struct Jumps {
    int count;
    double first, last, high, from;
    bool open; /* the series ends in one */
} Jumps;

static void jump(Jumps *j, double step, double x, double median, bool last)
{
    if (j->count == 0) j->first = step, j->from = median;
    j->count++;
    j->last = step;
    if (x > j->high) j->high = x, j->from = median;
    j->open = last;
}

static Jumps dense(const Series *s)
{
    Jumps j = { 0 };
    double *z = malloc((size_t)s->n * sizeof *z);
    CHECK(z, "no memory for %d steps", s->n);
    robust_z(s, WINDOW, 0.002, z);
    for (int i = WINDOW, quiet = 0; i + 3 < s->n; i++, quiet--) {
        int over = 0;
        for (int k = 0; k < 4; k++) over += z[i + k] > 5;
        if (over < 3 || quiet > 0) continue;
        double median = stat_median(s->x + i - WINDOW, WINDOW);
        over = 0;
        for (int k = 0; k < 4; k++) over += z[i + k] > 5 && s->x[i + k] > 1.02 * median;
        if (over < 3) continue;
        double high = s->x[i];
        for (int k = 0; k < 16 && i + k < s->n; k++) high = fmax(high, s->x[i + k]);
        jump(&j, s->step[i], high, median, i + WINDOW >= s->n && s->x[s->n - 1] > 1.02 * median);
        quiet = WINDOW; /* the same one until the median has caught up */
    }
    free(z);
    return j;
}

static Jumps sparse(const Series *s)
{
    Jumps j = { 0 };
    double noise = robust_noise(s->x + s->n / 10, s->n - s->n / 10);
    for (int i = BEFORE; i < s->n; i++) {
        double median = stat_median(s->x + i - BEFORE, BEFORE);
        if (s->x[i] > median + fmax(8 * noise, 0.05 * median))
            jump(&j, s->step[i], s->x[i], median, i == s->n - 1);
    }
    return j;
}

static Answer find(const Chart *c, Finding *out)
{
    const Series *loss = &c->of[SIG_LOSS], *val = &c->of[SIG_VAL];
    const Series *s = loss->n >= DENSE || val->n < loss->n ? loss : val;
    if (s->n < 12) return FIND_UNKNOWN;
    Jumps j = s->n >= DENSE ? dense(s) : sparse(s);
    if (j.count == 0) return FIND_CLEAR;
    out->first = j.first, out->last = j.last;
    out->harm = j.open ? HARM_ILL : HARM_WARN;
    out->confidence = 0.9;
    snprintf(out->said, sizeof out->said,
             "%d jump%s of the %s from step %.0f on, the highest from %.3f to %.3f%s", j.count,
             j.count > 1 ? "s" : "", signal_name(s == val ? SIG_VAL : SIG_LOSS), j.first, j.from,
             j.high, j.open ? ", and the run ends in one" : "");
    return FIND_FOUND;
}

const FindDef find_spike = {
    .name = "spike",
    .doc = "the loss jumps up and may come back",
    .source = "residuals about a running median; OLMo-core and llm.c use plain deviations",
    .signal = SIG_LOSS,
    .causes = { "a rate that is close to too high", "a batch of damaged text",
                "a second moment that lags behind (beta2)", "attention logits that grow" },
    .remedy = "clip, lower the rate or shorten AdamW's memory; look at the batch of that step",
    .edit = "optim.clip=1 optim.beta2=0.95",
    .settle = "the same 200 steps again from before it, with and without that batch, and with half "
              "the rate",
    .find = find,
};
