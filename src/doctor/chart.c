/* chart.c - series that grow. */
#include "doctor/chart.h"

#include <stdlib.h>

static const char *const names[SIGNALS] = { "loss",          "held-out loss", "gradient norm",
                                            "rate",          "update ratio",  "scale",
                                            "skipped steps", "NaN steps",     "seconds a step" };

const char *signal_name(Signal s)
{
    return names[s];
}

bool chart_add(Chart *c, Signal s, double step, double x)
{
    Series *of = &c->of[s];
    if (of->n > 0 && !(step > of->step[of->n - 1])) return false;
    if (of->n == of->cap) {
        of->cap = MAX(2 * of->cap, 256);
        of->step = realloc(of->step, (size_t)of->cap * sizeof *of->step);
        of->x = realloc(of->x, (size_t)of->cap * sizeof *of->x);
        CHECK(of->step && of->x, "no memory for %d steps", of->cap);
    }
    of->step[of->n] = step;
    of->x[of->n++] = x;
    return true;
}

void chart_free(Chart *c)
{
    for (int s = 0; s < SIGNALS; s++) {
        free(c->of[s].step);
        free(c->of[s].x);
    }
    *c = (Chart){ 0 };
}

double chart_last(const Chart *c)
{
    double last = 0;
    for (int s = 0; s < SIGNALS; s++)
        if (c->of[s].n > 0) last = MAX(last, c->of[s].step[c->of[s].n - 1]);
    return last;
}
