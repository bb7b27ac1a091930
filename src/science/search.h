/* search.h - where to look next in a space of knobs.
 *
 * Two models of what was seen: a tree-structured Parzen estimator (Bergstra et al. 2011, NeurIPS
 * 24, section 4), and a Gaussian process.  Both are deterministic in (points, seed); both take
 * knobs on linear and log scales, whole numbers, choices, and knobs that were not in effect (NaN).
 * Both weigh what they expect by what a run there costs.  For several proposals at once append each
 * to the points as `pending` and ask again: where somebody is already looking less is to be
 * expected.
 */
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
    double cost;   /* of its run, relative to the champion's; 0: not known, taken as 1 */
    bool pending;  /* proposed and not measured yet: gain is not looked at */
} SearchPoint;

/* Fills x[dims] with the proposal of largest expected improvement among `candidates` draws, and
 * returns that expected gain in sigma: probability of landing among the good points times
 * their mean gain, the prior of docs/honest.md counted in. */
double search_tpe(const SearchDim *dim, int dims, const SearchPoint *seen, int n_seen,
                  uint64_t seed, int candidates, double *x);

/* The same by expected improvement under a Gaussian process (gp.c). */
double search_gp(const SearchDim *dim, int dims, const SearchPoint *seen, int n_seen, uint64_t seed,
                 int candidates, double *x);

/* A uniform (log-uniform) draw: random search, the yardstick. */
void search_random(const SearchDim *dim, int dims, uint64_t seed, double *x);

/* A knob's value on the unit interval of its scale, and back; a choice stays its number, NaN stays
 * NaN. */
double search_to_unit(const SearchDim *d, double x);
double search_from_unit(const SearchDim *d, double u);
/* Is x the champion itself, or a point that was seen? */
bool search_known(const SearchDim *dim, int dims, const SearchPoint *seen, int n, const double *x);

#endif
