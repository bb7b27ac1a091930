/* cma.h - CMA-ES (Hansen 2016, "The CMA evolution strategy: a tutorial") for a block of numbers.
 *
 *     Cma c = cma_begin(dims, start, 0.2, 0, seed);
 *     for (;;) {
 *         cma_ask(&c, x);               (lambda, dims): a batch, all in the unit cube
 *         ... value[i] of each, lower is better
 *         cma_tell(&c, x, value, cost);
 *     }
 *
 * Deterministic in (start, seed, values).  The state is plain data and can be kept. */
#ifndef SCIENCE_CMA_H
#define SCIENCE_CMA_H

#include "base/base.h"

enum { CMA_DIMS = 16, CMA_BATCH = 32 };

typedef struct Cma {
    int dims, lambda;
    int64_t generation;
    uint64_t seed;
    double mean[CMA_DIMS], sigma;
    double C[CMA_DIMS * CMA_DIMS];
    double path_sigma[CMA_DIMS], path_c[CMA_DIMS];
    double B[CMA_DIMS * CMA_DIMS], D[CMA_DIMS]; /* axes of C and their lengths */
} Cma;

/* `start` in the unit cube, sigma the first spread; lambda 0: 4 + 3 log(dims). */
Cma cma_begin(int dims, const double *start, double sigma, int lambda, uint64_t seed);
void cma_ask(const Cma *c, double *x);

/* Values of the batch, lower is better; one that is not finite ranks last.  cost may be NULL: else
 * what each run cost, and improvement over the batch's median counts per cost. */
void cma_tell(Cma *c, const double *x, const double *value, const double *cost);

#endif
