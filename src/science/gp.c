/* gp.c - proposals by a Gaussian process: expected improvement per cost.
 *
 * Prior: a constant plus a process with Matern 5/2 covariance, one length for each knob (Rasmussen
 * and Williams 2006, 4.2 and 5.1).  Coordinates are the unit interval on the knob's scale.  Two
 * different choices are one unit apart; so is a knob that is in effect from one that is not, which
 * makes conditional knobs a matter of the covariance.  A point's noise is one variance over the
 * runs behind it.
 *
 * Lengths, signal and noise maximise the marginal likelihood times weak priors (log length about .5
 * with sd 1, noise a tenth of the signal with sd 1.5): with ten points the likelihood alone says
 * that nothing matters, or that everything is noise.
 *
 * Improvement is over the best posterior mean among the points seen, since the best value seen is a
 * lucky one.  Failed runs count as the worst of the others less one sd.  A pending point is taken
 * for what the process itself believes there ("kriging believer", Ginsbourger et al. 2010).  Cost
 * is foretold by the same kernel from the logs of what was paid. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rand.h"
#include "science/linear.h"
#include "science/minimize.h"
#include "science/search.h"
#include "science/stats.h"

enum { POINTS = 240, ARD = MINIMIZE_DIMS - 2 };

typedef struct Process {
    const SearchDim *dim;
    int dims, n;
    double *at;         /* (n, dims), unit coordinates */
    double *y, *weight; /* standardised gains */
    double *log_cost;   /* NaN: not known */
    double *factor;     /* (n, n), Cholesky factor of the covariance */
    double *alpha;      /* covariance^-1 y */
    double length[64];
    double signal, noise; /* variances */
    double mean, sd;      /* of the gains */
} Process;

static double distance_2(const Process *p, const double *a, const double *b)
{
    double sum = 0;
    for (int k = 0; k < p->dims; k++) {
        bool off = isnan(a[k]) || isnan(b[k]);
        double d = off                     ? (isnan(a[k]) && isnan(b[k]) ? 0 : 1)
                   : p->dim[k].choices > 0 ? ((int)a[k] != (int)b[k])
                                           : a[k] - b[k];
        sum += d * d / (p->length[k] * p->length[k]);
    }
    return sum;
}

static double matern(double distance_square)
{
    double r = sqrt(5 * distance_square);
    return (1 + r + r * r / 3) * exp(-r);
}

/* Factor and alpha; the negative log marginal likelihood, or a huge number. */
static double condition(Process *p)
{
    int n = p->n;
    double value = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double c = p->signal * matern(distance_2(p, p->at + i * p->dims, p->at + j * p->dims));
            p->factor[i * n + j] = c + (i == j ? p->noise / p->weight[i] + 1e-8 : 0);
        }
    if (!linear_cholesky(p->factor, n)) return 1e12;
    memcpy(p->alpha, p->y, (size_t)n * sizeof(double));
    linear_forward(p->factor, n, p->alpha);
    for (int i = 0; i < n; i++)
        value += 0.5 * p->alpha[i] * p->alpha[i] + log(p->factor[i * n + i]);
    linear_backward(p->factor, n, p->alpha);
    return value;
}

static double square(double x)
{
    return x * x;
}

/* x: log lengths (one for all where there are more than ARD knobs), log signal, log noise/signal.
 */
static double posterior_of(const double *x, void *ctx)
{
    Process *p = ctx;
    int lengths = p->dims <= ARD ? p->dims : 1;
    double penalty = 0;
    for (int k = 0; k < p->dims; k++) p->length[k] = exp(x[lengths == 1 ? 0 : k]);
    for (int k = 0; k < lengths; k++) penalty += 0.5 * square(x[k] - log(0.5));
    penalty += 0.5 * square(x[lengths]) + 0.5 * square((x[lengths + 1] - log(0.1)) / 1.5);
    p->signal = exp(x[lengths]);
    p->noise = p->signal * exp(x[lengths + 1]);
    return condition(p) + penalty;
}

static void learn(Process *p)
{
    double x[MINIMIZE_DIMS], step[MINIMIZE_DIMS];
    int lengths = p->dims <= ARD ? p->dims : 1;
    for (int k = 0; k < lengths; k++) x[k] = log(0.5);
    x[lengths] = 0;
    x[lengths + 1] = log(0.1);
    for (int k = 0; k < lengths + 2; k++) step[k] = 0.7;
    Minimize m = { .f = posterior_of,
                   .ctx = p,
                   .n = lengths + 2,
                   .step = step,
                   .evaluations = 40 * (lengths + 2),
                   .tolerance = 1e-4 };
    if (p->n > 0) minimize_simplex(&m, x);
    posterior_of(x, p);
}

/* Mean and variance of the process at u; `row` is scratch (n). */
static double foretell(const Process *p, const double *u, double *row, double *variance)
{
    double mean = 0;
    for (int i = 0; i < p->n; i++) {
        row[i] = p->signal * matern(distance_2(p, u, p->at + i * p->dims));
        mean += row[i] * p->alpha[i];
    }
    linear_forward(p->factor, p->n, row);
    *variance = p->signal;
    for (int i = 0; i < p->n; i++) *variance -= row[i] * row[i];
    *variance = fmax(*variance, 1e-12);
    return mean;
}

static double cost_at(const Process *p, const double *u)
{
    double sum = 0, total = 0.1;
    for (int i = 0; i < p->n; i++) {
        if (isnan(p->log_cost[i])) continue;
        double w = matern(distance_2(p, u, p->at + i * p->dims));
        sum += w * p->log_cost[i];
        total += w;
    }
    return exp(sum / total);
}

/* Expected improvement over `best`, for the cost of a run. */
static double worth_at(const Process *p, const double *u, double best, double *row)
{
    double variance, mean = foretell(p, u, row, &variance), sd = sqrt(variance);
    double z = (mean - best) / sd;
    double density = exp(-0.5 * z * z) * 0.3989422804014327;
    return ((mean - best) * stat_normal_cdf(z) + sd * density) / cost_at(p, u);
}

/* ---- the points ---- */

static void *take(ptrdiff_t count)
{
    void *p = calloc((size_t)count, sizeof(double));
    CHECK(p, "no memory for a search of %td numbers", count);
    return p;
}

/* The newest points, if there are more than can be held. */
static Process process_of(const SearchDim *dim, int dims, const SearchPoint *seen, int n_seen)
{
    int n = MIN(n_seen, (int)POINTS), first = n_seen - n, known = 0;
    Process p = { .dim = dim, .dims = dims, .n = n, .sd = 1 };
    double low = 1e300, *gains = take(n + 1);
    p.at = take((ptrdiff_t)n * dims + 1);
    p.y = take(n + 1);
    p.weight = take(n + 1);
    p.log_cost = take(n + 1);
    p.factor = take((ptrdiff_t)n * n + 1);
    p.alpha = take(n + 1);
    for (int i = 0; i < n; i++) {
        const SearchPoint *s = &seen[first + i];
        for (int k = 0; k < dims; k++) p.at[i * dims + k] = search_to_unit(&dim[k], s->x[k]);
        p.weight[i] = s->weight > 0 ? s->weight : 1;
        p.log_cost[i] = s->cost > 0 && !s->pending ? log(s->cost) : (double)NAN;
        if (s->pending || !isfinite(s->gain)) continue;
        gains[known++] = s->gain;
        low = fmin(low, s->gain);
    }
    p.mean = known ? stat_mean(gains, known) : 0;
    if (known > 1) p.sd = fmax(sqrt(stat_ss(gains, known) / (known - 1)), 1e-9);
    for (int i = 0; i < n; i++) {
        const SearchPoint *s = &seen[first + i];
        double gain = s->pending ? p.mean : isfinite(s->gain) ? s->gain : low - p.sd;
        p.y[i] = known ? (gain - p.mean) / p.sd : 0;
    }
    free(gains);
    return p;
}

static void process_free(Process *p)
{
    free(p->at);
    free(p->y);
    free(p->weight);
    free(p->log_cost);
    free(p->factor);
    free(p->alpha);
}

/* Pending points become what the process believes of them from the others. */
static void believe(Process *p, const SearchPoint *seen, int n_seen, double *row)
{
    int first = n_seen - p->n;
    bool any = false;
    for (int i = 0; i < p->n; i++) {
        if (!seen[first + i].pending) continue;
        any = true;
        p->weight[i] = 1e-6; /* says nothing yet */
    }
    if (!any) return;
    condition(p);
    for (int i = 0; i < p->n; i++) {
        double variance;
        if (seen[first + i].pending) p->y[i] = foretell(p, p->at + i * p->dims, row, &variance);
    }
    for (int i = 0; i < p->n; i++)
        if (seen[first + i].pending) p->weight[i] = 1;
    condition(p);
}

/* ---- the search for the best worth ---- */

typedef struct Hunt {
    const Process *p;
    const SearchPoint *seen;
    int n_seen;
    double best, top, *row;
    double u[64], x[64], found[64];
} Hunt;

/* Rounds u to what knobs can be, and keeps it if it is new and better. */
static void consider(Hunt *h)
{
    const Process *p = h->p;
    for (int k = 0; k < p->dims; k++) {
        h->x[k] = search_from_unit(&p->dim[k], h->u[k]);
        h->u[k] = search_to_unit(&p->dim[k], h->x[k]);
    }
    double worth = worth_at(p, h->u, h->best, h->row);
    if (worth <= h->top || search_known(p->dim, p->dims, h->seen, h->n_seen, h->x)) return;
    h->top = worth;
    memcpy(h->found, h->u, (size_t)p->dims * sizeof(double));
}

static void draw_anywhere(Hunt *h, Rand *r)
{
    for (int k = 0; k < h->p->dims; k++) {
        int choices = h->p->dim[k].choices;
        h->u[k] = choices > 0 ? (double)rand_below(r, (uint64_t)choices) : rand_uniform(r);
    }
}

static void draw_near(Hunt *h, const double *from, double width, Rand *r)
{
    for (int k = 0; k < h->p->dims; k++) {
        int choices = h->p->dim[k].choices;
        double at = isnan(from[k]) ? rand_uniform(r) : from[k];
        if (choices > 0)
            h->u[k] = isnan(from[k]) || rand_uniform(r) < width
                          ? (double)rand_below(r, (uint64_t)choices)
                          : at;
        else
            h->u[k] = fmax(0, fmin(1, at + width * rand_normal(r)));
    }
}

static void hunt(Hunt *h, int candidates, Rand *r, const double *centre)
{
    const Process *p = h->p;
    draw_near(h, centre, 0.3, r);
    consider(h);
    for (int i = 0; i < 8 * candidates; i++) {
        draw_anywhere(h, r);
        consider(h);
    }
    int good = 0; /* around the best point that was seen */
    for (int i = 1; i < p->n; i++)
        if (p->y[i] > p->y[good]) good = i;
    for (int i = 0; i < 4 * candidates; i++) {
        draw_near(h, p->n > 0 ? p->at + good * p->dims : centre, 0.15, r);
        consider(h);
    }
    double from[64];
    for (int i = 0; i < 6 * candidates && isfinite(h->top); i++) {
        memcpy(from, h->found, (size_t)p->dims * sizeof(double));
        draw_near(h, from, 0.1 * pow(0.02, (double)i / (6 * candidates)), r);
        consider(h);
    }
}

double search_gp(const SearchDim *dim, int dims, const SearchPoint *seen, int n_seen, uint64_t seed,
                 int candidates, double *x)
{
    CHECK(dims > 0 && dims <= 64 && candidates > 0, "a search of %d dimensions", dims);
    Process p = process_of(dim, dims, seen, n_seen);
    double *row = take(p.n + 1), centre[64], variance;
    learn(&p);
    believe(&p, seen, n_seen, row);
    Hunt h = { .p = &p, .seen = seen, .n_seen = n_seen, .row = row };
    Rand r = rand_stream(seed, "search_gp");
    h.best = p.n > 0 ? -(double)INFINITY : 0;
    h.top = -(double)INFINITY;
    for (int i = 0; i < p.n; i++)
        h.best = fmax(h.best, foretell(&p, p.at + i * dims, row, &variance));
    for (int k = 0; k < dims; k++) centre[k] = search_to_unit(&dim[k], dim[k].centre);
    hunt(&h, candidates, &r, centre);
    if (isfinite(h.top))
        for (int k = 0; k < dims; k++) x[k] = search_from_unit(&dim[k], h.found[k]);
    else /* everything there is has been seen */
        search_random(dim, dims, seed, x);
    double worth = isfinite(h.top) ? h.top * p.sd : 0;
    free(row);
    process_free(&p);
    return worth;
}
