/* search.h - where to look next in a space of knobs.
 *
 * Tree-structured Parzen estimator (Bergstra et al. 2011, NeurIPS 24, section 4): density of
 * good points over density of the rest, per dimension, log-uniform where the knob is searched
 * on a log scale.  Deterministic in (points, seed). */
#ifndef SCIENCE_SEARCH_H
#define SCIENCE_SEARCH_H

#include "base/base.h"

typedef struct SearchDim {
    double low, high; /* the range searched; both > 0 if log */
    bool log, whole;
    int choices;   /* > 0: categories 0..choices-1, low and high unused */
    double centre; /* the champion's value: the prior is highest around it; NaN: uniform */
} SearchDim;

typedef struct SearchPoint {
    const double *x; /* a value per dim; NaN where the knob was not in effect */
    double
        gain; /* estimated gain over the champion, in sigma; higher is better; failed: -INFINITY */
    double weight; /* runs behind it; 0 counts as 1 */
} SearchPoint;

/* Fills x[dims] with the proposal of largest expected improvement among `candidates` draws, and
 * returns that expected gain in sigma: probability of landing among the good points times
 * their mean gain, the prior of docs/honest.md counted in. */
double search_tpe(const SearchDim *dim, int dims, const SearchPoint *seen, int n_seen,
                  uint64_t seed, int candidates, double *x);

/* A uniform (log-uniform) draw: random search, the yardstick. */
void search_random(const SearchDim *dim, int dims, uint64_t seed, double *x);

#endif
