/* parts.c - medians by part, then over parts. */
#include "doctor/parts.h"

#include <math.h>

#include "science/stats.h"

void parts_of(const Chart *c, Signal s, double from, Parts *out)
{
    *out = (Parts){ .first = (double)INFINITY };
    for (int i = 0; i < c->parts && out->n < PARTS_MOST; i++) {
        const Series *x = &c->part[i].s;
        int begin = (int)(from * x->n), n = x->n - begin;
        if (c->part[i].signal != s || n < LOOKS_LEAST) continue;
        double median = stat_median(x->x + begin, n), floor = x->x[begin];
        const char *where = c->part[i].where;
        for (int k = begin; k < x->n; k++) floor = fmin(floor, x->x[k]);
        if (out->n == 0 || median < out->least) out->least = median, out->least_at = where;
        if (out->n == 0 || median > out->most) out->most = median, out->most_at = where;
        if (out->n == 0 || floor > out->floor_most) out->floor_most = floor, out->floor_at = where;
        out->first = fmin(out->first, x->step[begin]);
        out->last = fmax(out->last, x->step[x->n - 1]);
        out->middle_of[out->n++] = median;
    }
    out->middle = out->n ? stat_median(out->middle_of, out->n) : (double)NAN;
}

double parts_late(const Series *s, double from)
{
    int begin = (int)(from * s->n), n = s->n - begin;
    return n < LOOKS_LEAST ? (double)NAN : stat_median(s->x + begin, n);
}
