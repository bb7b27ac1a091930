/* law.h - how loss falls with parameters N and tokens D:  L = E + A / N^a + B / D^b.
 *
 *     LawFit fit;
 *     if (!law_fit(point, n, &fit, &err)) ...
 *     LawBoot *boot = law_bootstrap(point, n, &fit, 200, seed, arena);
 *     LawRange r = law_predict_range(boot, 200, &fit, N, D);
 *
 * Fitted by Huber's loss (1e-3) on log loss, over all points, summed. */
#ifndef SCIENCE_LAW_H
#define SCIENCE_LAW_H

#include "base/arena.h"
#include "base/err.h"

typedef struct LawPoint {
    double N, D, loss; /* all > 0 */
} LawPoint;

typedef struct Law {
    double E, A, B, a, b; /* N and D in parameters and tokens, not in millions */
} Law;

typedef struct LawRange {
    double value, low, high;
} LawRange;

typedef struct LawFit {
    Law law;
    double objective; /* the sum of Huber's losses */
    double spread;    /* median |log residual| / .6745: about the relative sd of a point */
    bool at_edge;     /* an exponent or E ran into the end of its range: not determined */
} LawFit;

double law_loss(const Law *law, double N, double D);
double law_objective(const Law *law, const LawPoint *p, int n);

/* Needs 6 points, at least 3 different N and 3 different D, not tied to each other by one power. */
bool law_fit(const LawPoint *p, int n, LawFit *out, Err *err) MUST_CHECK;

/* Fits of `times` resamples of the points with replacement, begun at `fit`. */
Law *law_bootstrap(const LawPoint *p, int n, const LawFit *fit, int times, uint64_t seed,
                   Arena *out);

/* 2.5 % to 97.5 % over resamples of the mean loss at (N, D).  With `spread` > 0 of one further
 * run there: each resample is then given a residual of that size. */
LawRange law_predict(const LawFit *fit, const Law *boot, int times, double N, double D,
                     double spread);

typedef enum LawWhat { LAW_E, LAW_A_EXPONENT, LAW_B_EXPONENT, LAW_N_EXPONENT } LawWhat;
double law_get(const Law *law, LawWhat what);
LawRange law_range(const LawFit *fit, const Law *boot, int times, LawWhat what);

/* 95 % by profile likelihood: where the best objective with the quantity held reaches the limit of
 * the likelihood ratio (law.c).  Of the mean loss at (N, D); of an exponent (LAW_A_EXPONENT or
 * LAW_B_EXPONENT).  An end that is not reached within the range searched is an infinity. */
LawRange law_profile_loss(const LawPoint *p, int n, const LawFit *fit, double N, double D);
LawRange law_profile_exponent(const LawPoint *p, int n, const LawFit *fit, LawWhat what);

/* Do few points decide?  Takes out 2 % of the points (one at the least), the worst residual first
 * and fitting anew each time.  Returns how many those are if an exponent moves by more than two of
 * its standard errors, else 0; their indices go into `index`, the fit without them into *without.
 */
enum { LAW_FEW = 32 };
int law_hangs_on(const LawPoint *p, int n, const LawFit *fit, int index[LAW_FEW], LawFit *without);

/* The best split of C = 6 N D.  `N_exponent` is b / (a + b). */
typedef struct LawOptimum {
    double N, D, loss;
} LawOptimum;
LawOptimum law_optimum(const Law *law, double flops);

/* Repeated data (Muennighoff et al. 2023): N and D of a law are replaced by what they are worth.
 * unique: tokens there are; repeats lose their value with scale R_D (15.39), excess parameters with
 * R_N (5.31). */
typedef struct LawData {
    Law law;
    double R_N, R_D;
} LawData;
extern const LawData law_muennighoff; /* of their 2023 paper, the largest fit */
double law_data_loss(const LawData *law, double N, double D, double unique);

/* IsoFLOP profiles: points of about the same 6 N D make a parabola of loss in log N. */
typedef struct LawProfile {
    double flops, N, loss; /* of the lowest point of the parabola */
    int points;
    bool inside; /* the lowest point lies between the smallest and the largest N */
} LawProfile;

/* Groups points whose FLOPs agree within `tolerance` (relative); 4 or more make a profile. */
int law_profiles(const LawPoint *p, int n, double tolerance, LawProfile *out, int cap);

/* Slope of log N on log FLOPs over profiles; NaN below two.  `bias`, which may be NULL, is how far
 * the same parabolas through values of `law` without noise are off its exponent. */
double law_profile_slope(const LawProfile *profile, int n);
double law_profile_bias(const LawPoint *p, int n, double tolerance, const Law *law);

#endif
