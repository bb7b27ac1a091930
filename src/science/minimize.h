/* minimize.h - the smallest value of a function of a few numbers, without derivatives. */
#ifndef SCIENCE_MINIMIZE_H
#define SCIENCE_MINIMIZE_H

#include "base/base.h"

enum { MINIMIZE_DIMS = 16 };

typedef double (*MinimizeFn)(const double *x, void *ctx); /* NaN and infinity: not allowed here */

typedef struct Minimize {
    MinimizeFn f;
    void *ctx;
    int n;
    const double *step; /* the first simplex reaches so far from x in each direction */
    int evaluations;    /* at most so many; 0: 400 per dimension */
    double tolerance;   /* ends where the simplex's values agree so far, relatively; 0: 1e-12 */
} Minimize;

/* From x (where f is finite) downhill; x becomes the best point, its value is returned. */
double minimize_simplex(const Minimize *m, double *x);

/* The smallest of f on [low, high] by golden section; exact where f has one valley. */
double minimize_line(double (*f)(double x, void *ctx), void *ctx, double low, double high,
                     double *at);

#endif
