/* search.c - the Tree-structured Parzen estimator, and random search beside it.
 *
 * What was seen is split into the good (the best few) and the rest.  Each half becomes a
 * density: one kernel per point and one broad kernel around the champion, the prior.  Proposals
 * are drawn from the good density; the one with the largest ratio good / rest is returned, which
 * is the one of largest expected improvement (Bergstra et al. 2011).
 *
 * Beside it stands a Gaussian process (gp.c), better where knobs are numbers and few; this one asks
 * for no covariance, and takes choices and knobs out of effect as they come.
 *
 * Kernels are joint: one kernel is one point in all dimensions.  Kernels per dimension, as in the
 * paper, cannot see that a larger batch wants a larger rate.  Their width falls with the number of
 * points as in Scott's rule.  Coordinates are the unit interval, on the knob's scale; normal
 * kernels are cut off at its ends and normalised there.  Points are ordered by gain times weight /
 * (weight + 1): a gain from one run is believed half.
 *
 * Cost: a run's is foretold as the mean of log costs seen, weighted by the same kernels, and the
 * ratio of densities is divided by it.  Pending points count among the rest. */
#include "science/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rand.h"
#include "science/stats.h"

/* The prior on gains of docs/honest.md: one proposal in ten gains, two sigma on average. */
static const double prior_gain = 2;

/* One mixture: kernels 0..n-1 at points, kernel n the prior. */
typedef struct Density {
    const SearchDim *dim;
    int dims, n;
    double *at; /* (n + 1, dims), unit coordinates; a choice's number; NaN: spread evenly */
    double *weight;
    double total, width, spill; /* spill: what a kernel leaves to the other choices */
} Density;

static void *take(ptrdiff_t bytes)
{
    void *p = calloc(1, (size_t)bytes);
    CHECK(p, "no memory for a search of %td bytes", bytes);
    return p;
}

/* Ends of the unit interval: a whole number owns half a unit on either side. */
static void ends_of(const SearchDim *d, double *low, double *high)
{
    double margin = d->whole ? 0.5 : 0;
    *low = d->low - margin;
    *high = d->high + margin;
    if (!d->log) return;
    *low = log(*low > 0 ? *low : d->low);
    *high = log(*high);
}

double search_to_unit(const SearchDim *d, double x)
{
    if (d->choices > 0 || isnan(x)) return x;
    double low, high;
    ends_of(d, &low, &high);
    if (!(high > low)) return 0.5;
    return fmax(0, fmin(1, ((d->log ? log(x) : x) - low) / (high - low)));
}

double search_from_unit(const SearchDim *d, double u)
{
    if (d->choices > 0) return u;
    double low, high;
    ends_of(d, &low, &high);
    double x = low + u * (high - low);
    if (d->log) x = exp(x);
    if (d->whole) x = nearbyint(x);
    return fmax(d->low, fmin(d->high, x));
}

static double width_of(const Density *p, int kernel)
{
    return kernel == p->n ? 0.5 : p->width;
}

/* log of kernel i's density at u in one dimension. */
static double log_kernel(const Density *p, int i, int k, double u)
{
    double centre = p->at[i * p->dims + k], w = width_of(p, i);
    int choices = p->dim[k].choices;
    if (choices > 0) {
        double spill = i == p->n ? 0.5 : p->spill;
        if (isnan(centre) || choices == 1) return -log(choices);
        double even = spill / choices;
        return log((int)u == (int)centre ? 1 - spill + even : even);
    }
    if (isnan(centre)) return 0;
    double z = (u - centre) / w;
    double inside = stat_normal_cdf((1 - centre) / w) - stat_normal_cdf(-centre / w);
    return -0.5 * z * z - log(w * inside * 2.5066282746310002);
}

static double log_density(const Density *p, const double *u)
{
    double sum = 0;
    for (int i = 0; i <= p->n; i++) {
        double log_value = 0;
        for (int k = 0; k < p->dims; k++) log_value += log_kernel(p, i, k, u[k]);
        sum += p->weight[i] / p->total * exp(log_value);
    }
    return log(sum + 1e-300);
}

static double draw_dim(const Density *p, int i, int k, Rand *r)
{
    double centre = p->at[i * p->dims + k], w = width_of(p, i);
    int choices = p->dim[k].choices;
    if (choices > 0) {
        double spill = i == p->n ? 0.5 : p->spill;
        if (!isnan(centre) && rand_uniform(r) >= spill) return centre;
        return (double)rand_below(r, (uint64_t)choices);
    }
    if (isnan(centre)) return rand_uniform(r);
    for (int tries = 0; tries < 1000; tries++) {
        double u = centre + w * rand_normal(r);
        if (u >= 0 && u <= 1) return u;
    }
    return centre;
}

static void draw_point(const Density *p, Rand *r, double *u)
{
    double left = rand_uniform(r) * p->total;
    int i = 0;
    while (i < p->n && left >= p->weight[i]) left -= p->weight[i++];
    for (int k = 0; k < p->dims; k++) u[k] = draw_dim(p, i, k, r);
}

static double trust(const SearchPoint *s)
{
    double w = s->weight > 0 ? s->weight : 1;
    return w / (w + 1);
}

static double shrunk(const SearchPoint *s)
{
    return s->pending || isnan(s->gain) ? -(double)INFINITY : s->gain * trust(s);
}

/* Indices into seen, best first; ties keep their order. */
static void order_points(const SearchPoint *seen, int n, int *order)
{
    for (int i = 0; i < n; i++) {
        int at = i;
        for (; at > 0 && shrunk(&seen[order[at - 1]]) < shrunk(&seen[i]); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

static Density density_new(const SearchDim *dim, int dims, const SearchPoint *seen,
                           const int *order, int n)
{
    Density p = { .dim = dim, .dims = dims, .n = n, .total = 1 };
    p.at = take((ptrdiff_t)(n + 1) * dims * (ptrdiff_t)sizeof(double));
    p.weight = take((ptrdiff_t)(n + 1) * (ptrdiff_t)sizeof(double));
    for (int i = 0; i < n; i++) {
        const SearchPoint *s = &seen[order[i]];
        for (int k = 0; k < dims; k++) p.at[i * dims + k] = search_to_unit(&dim[k], s->x[k]);
        p.total += p.weight[i] = 2 * trust(s);
    }
    for (int k = 0; k < dims; k++) p.at[n * dims + k] = search_to_unit(&dim[k], dim[k].centre);
    p.weight[n] = 1;
    p.width = 0.25 * pow(MAX(n, 1), -1.0 / (dims + 4));
    p.spill = 1.0 / (1 + 0.5 * n);
    return p;
}

static void density_free(Density *p)
{
    free(p->at);
    free(p->weight);
}

/* Is x the champion itself, or a point that was seen? */
bool search_known(const SearchDim *dim, int dims, const SearchPoint *seen, int n, const double *x)
{
    for (int i = 0; i <= n; i++) {
        int same = 0;
        for (int k = 0; k < dims; k++) {
            double other = i < n ? seen[i].x[k] : dim[k].centre;
            same += fabs(search_to_unit(&dim[k], x[k]) - search_to_unit(&dim[k], other)) < 1e-6;
        }
        if (same == dims) return true;
    }
    return false;
}

/* log of the cost foretold at u: kernels of width .25 about all that was paid for. */
static double log_cost(const Density *best, const Density *rest, const SearchPoint *seen,
                       const int *order, const double *u)
{
    double sum = 0, total = 1; /* one run of the champion's cost is known before any */
    for (int i = 0; i < best->n + rest->n; i++) {
        const Density *p = i < best->n ? best : rest;
        int at = i < best->n ? i : i - best->n;
        double near = 0, cost = seen[order[i]].cost;
        if (!(cost > 0) || seen[order[i]].pending) continue;
        for (int k = 0; k < p->dims; k++) {
            double off = u[k] - p->at[at * p->dims + k];
            if (p->dim[k].choices > 0) off = u[k] == p->at[at * p->dims + k] ? 0 : 0.5;
            if (!isnan(off)) near += off * off;
        }
        double w = exp(-near / (2 * 0.25 * 0.25));
        sum += w * log(cost);
        total += w;
    }
    return sum / total;
}

/* Probability of being among the good, share of the good being `share`, times their gain. */
static double expected_gain(double log_ratio, double share, const SearchPoint *seen,
                            const int *order, int good)
{
    double sum = prior_gain;
    for (int i = 0; i < good; i++) sum += fmax(0, shrunk(&seen[order[i]]));
    return sum / (good + 1) / (1 + (1 - share) / share * exp(-log_ratio));
}

double search_tpe(const SearchDim *dim, int dims, const SearchPoint *seen, int n_seen,
                  uint64_t seed, int candidates, double *x)
{
    CHECK(dims > 0 && candidates > 0, "a search of %d dimensions, %d draws", dims, candidates);
    int *order = take((ptrdiff_t)MAX(n_seen, 1) * (ptrdiff_t)sizeof(int));
    double *u = take((ptrdiff_t)dims * (ptrdiff_t)sizeof(double) * 2), *point = u + dims;
    order_points(seen, n_seen, order);
    int good = MIN(n_seen, (int)ceil(0.15 * n_seen));
    double share = (1.0 + good) / (10.0 + n_seen);
    Density best = density_new(dim, dims, seen, order, good);
    Density rest = density_new(dim, dims, seen, order + good, n_seen - good);
    Rand r = rand_stream(seed, "search_tpe");
    double top = -(double)INFINITY;
    for (int i = 0; i < candidates * 4 && (i < candidates || !isfinite(top)); i++) {
        draw_point(&best, &r, u);
        for (int k = 0; k < dims; k++) {
            point[k] = search_from_unit(&dim[k], u[k]);
            u[k] = search_to_unit(&dim[k], point[k]);
        }
        double ratio = log_density(&best, u) - log_density(&rest, u);
        ratio -= log_cost(&best, &rest, seen, order, u);
        bool fallback = i == 0;
        if (!fallback && (ratio <= top || search_known(dim, dims, seen, n_seen, point))) continue;
        if (!fallback || !search_known(dim, dims, seen, n_seen, point)) top = ratio;
        memcpy(x, point, (size_t)dims * sizeof(double));
    }
    double gain = expected_gain(isfinite(top) ? top : 0, share, seen, order, good);
    density_free(&best);
    density_free(&rest);
    free(order);
    free(u);
    return gain;
}

void search_random(const SearchDim *dim, int dims, uint64_t seed, double *x)
{
    Rand r = rand_stream(seed, "search_random");
    for (int k = 0; k < dims; k++) {
        int choices = dim[k].choices;
        x[k] = choices > 0 ? (double)rand_below(&r, (uint64_t)choices)
                           : search_from_unit(&dim[k], rand_uniform(&r));
    }
}
