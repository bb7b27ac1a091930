/* cma.c - a normal distribution that follows what was good.
 *
 * Constants are the tutorial's defaults, positive weights only.  Points outside of the unit cube
 * are folded back by reflection, which keeps the distribution unaware of the walls and its samples
 * within them; what is told are the folded points, unfolded towards the mean.
 *
 * Cost: ranks are all that CMA-ES uses, so cost can enter in the ranking alone.  An improvement
 * over the batch's median is divided by the cost of the run that showed it, a loss multiplied. */
#include "science/cma.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rand.h"
#include "science/linear.h"
#include "science/stats.h"

static void axes_of(Cma *c)
{
    double copy[CMA_DIMS * CMA_DIMS];
    memcpy(copy, c->C, sizeof(copy));
    linear_eigen(copy, c->dims, c->D, c->B);
    for (int k = 0; k < c->dims; k++) c->D[k] = sqrt(fmax(c->D[k], 1e-20));
}

Cma cma_begin(int dims, const double *start, double sigma, int lambda, uint64_t seed)
{
    CHECK(dims >= 1 && dims <= CMA_DIMS && lambda <= CMA_BATCH, "%d dimensions, batch %d", dims,
          lambda);
    Cma c = { .dims = dims, .sigma = sigma, .seed = seed };
    c.lambda = lambda > 0 ? MAX(lambda, 4) : 4 + (int)(3 * log(dims));
    memcpy(c.mean, start, (size_t)dims * sizeof(double));
    for (int k = 0; k < dims; k++) c.C[k * dims + k] = 1;
    axes_of(&c);
    return c;
}

/* Into [0, 1] by reflection at the walls. */
static double fold(double x)
{
    double m = fmod(fabs(x), 2);
    return m <= 1 ? m : 2 - m;
}

void cma_ask(const Cma *c, double *x)
{
    Rand r = rand_stream(c->seed + (uint64_t)c->generation * 0x9e3779b97f4a7c15u, "cma");
    int n = c->dims;
    for (int i = 0; i < c->lambda; i++) {
        double z[CMA_DIMS];
        for (int k = 0; k < n; k++) z[k] = c->D[k] * rand_normal(&r);
        for (int k = 0; k < n; k++) {
            double y = 0;
            for (int j = 0; j < n; j++) y += c->B[k * n + j] * z[j];
            x[i * n + k] = fold(c->mean[k] + c->sigma * y);
        }
    }
}

typedef struct Ranked {
    double key; /* higher is better */
    int index;
} Ranked;

static int better_first(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    return x->key != y->key ? (x->key < y->key) - (x->key > y->key) : x->index - y->index;
}

static void rank(const Cma *c, const double *value, const double *cost, Ranked *order)
{
    double finite[CMA_BATCH];
    int n = 0;
    for (int i = 0; i < c->lambda; i++)
        if (isfinite(value[i])) finite[n++] = value[i];
    double middle = n > 0 ? stat_median(finite, n) : 0;
    for (int i = 0; i < c->lambda; i++) {
        double d = middle - value[i], price = cost && cost[i] > 0 ? cost[i] : 1;
        order[i] = (Ranked){ isfinite(value[i]) ? (d > 0 ? d / price : d * price) : -1e300, i };
    }
    qsort(order, (size_t)c->lambda, sizeof(Ranked), better_first);
}

typedef struct Strategy {
    double weight[CMA_BATCH], mass; /* of the better half; mass: 1 / sum of squares */
    int mu;
    double c_sigma, d_sigma, c_c, c_1, c_mu, chi;
} Strategy;

static Strategy strategy_of(const Cma *c)
{
    Strategy s = { .mu = c->lambda / 2 };
    double n = c->dims, sum = 0, squares = 0;
    for (int i = 0; i < s.mu; i++) sum += s.weight[i] = log(s.mu + 0.5) - log(i + 1);
    for (int i = 0; i < s.mu; i++) {
        s.weight[i] /= sum;
        squares += s.weight[i] * s.weight[i];
    }
    s.mass = 1 / squares;
    s.c_sigma = (s.mass + 2) / (n + s.mass + 5);
    s.d_sigma = 1 + 2 * fmax(0, sqrt((s.mass - 1) / (n + 1)) - 1) + s.c_sigma;
    s.c_c = (4 + s.mass / n) / (n + 4 + 2 * s.mass / n);
    s.c_1 = 2 / ((n + 1.3) * (n + 1.3) + s.mass);
    s.c_mu = fmin(1 - s.c_1, 2 * (s.mass - 2 + 1 / s.mass) / ((n + 2) * (n + 2) + s.mass));
    s.chi = sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
    return s;
}

/* C^-1/2 y. */
static void whiten(const Cma *c, const double *y, double *out)
{
    int n = c->dims;
    double t[CMA_DIMS];
    for (int j = 0; j < n; j++) {
        t[j] = 0;
        for (int k = 0; k < n; k++) t[j] += c->B[k * n + j] * y[k];
        t[j] /= c->D[j];
    }
    for (int k = 0; k < n; k++) {
        out[k] = 0;
        for (int j = 0; j < n; j++) out[k] += c->B[k * n + j] * t[j];
    }
}

static void adapt_covariance(Cma *c, const Strategy *s, const double steps[][CMA_DIMS], bool slow)
{
    int n = c->dims;
    double lost = slow ? s->c_c * (2 - s->c_c) : 0; /* what the path did not take up */
    double keep = 1 - s->c_1 - s->c_mu + s->c_1 * lost;
    for (int a = 0; a < n; a++)
        for (int b = 0; b <= a; b++) {
            double v = keep * c->C[a * n + b] + s->c_1 * c->path_c[a] * c->path_c[b];
            for (int i = 0; i < s->mu; i++) v += s->c_mu * s->weight[i] * steps[i][a] * steps[i][b];
            c->C[a * n + b] = c->C[b * n + a] = v;
        }
}

void cma_tell(Cma *c, const double *x, const double *value, const double *cost)
{
    int n = c->dims;
    Strategy s = strategy_of(c);
    Ranked order[CMA_BATCH];
    double steps[CMA_BATCH][CMA_DIMS], mean[CMA_DIMS] = { 0 }, white[CMA_DIMS], length = 0;
    rank(c, value, cost, order);
    for (int i = 0; i < s.mu; i++)
        for (int k = 0; k < n; k++) {
            steps[i][k] = (x[order[i].index * n + k] - c->mean[k]) / c->sigma;
            mean[k] += s.weight[i] * steps[i][k];
        }
    whiten(c, mean, white);
    double by = sqrt(s.c_sigma * (2 - s.c_sigma) * s.mass);
    for (int k = 0; k < n; k++) {
        c->path_sigma[k] = (1 - s.c_sigma) * c->path_sigma[k] + by * white[k];
        length += c->path_sigma[k] * c->path_sigma[k];
    }
    length = sqrt(length);
    double decay = 1 - pow(1 - s.c_sigma, 2.0 * (double)(c->generation + 1));
    bool slow = length / sqrt(decay) >= (1.4 + 2.0 / (n + 1)) * s.chi;
    double pull = slow ? 0 : sqrt(s.c_c * (2 - s.c_c) * s.mass);
    for (int k = 0; k < n; k++) {
        c->path_c[k] = (1 - s.c_c) * c->path_c[k] + pull * mean[k];
        c->mean[k] = fmax(0, fmin(1, c->mean[k] + c->sigma * mean[k]));
    }
    adapt_covariance(c, &s, (const double(*)[CMA_DIMS])steps, slow);
    c->sigma = fmin(1, c->sigma * exp(fmin(1, s.c_sigma / s.d_sigma * (length / s.chi - 1))));
    c->generation++;
    axes_of(c);
}
