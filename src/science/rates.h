/* rates.h - batch, learning rate and weight decay as powers of N and D: published ones, and a fit.
 *
 * Published laws hold where they were measured (215M to 1B parameters for the first, 111M to 3.3B
 * for the last); elsewhere they are a first guess, and rates_reach says how far away one is. */
#ifndef SCIENCE_RATES_H
#define SCIENCE_RATES_H

#include "base/base.h"

typedef struct Rates {
    double lr, batch; /* batch in tokens */
} Rates;

/* Li et al. 2025 ("Step Law"), AdamW, N without embeddings: lr = 1.79 N^-.713 D^.307,
 * B = .58 D^.571. */
Rates rates_step_law(double N, double D);
/* Porian et al. 2024: lr = .0047 (N/108M)^-1/3, B = 160 rows of 2048 (N/108M)^2/3. */
Rates rates_porian(double N);
/* How many times smaller or larger than the measured sizes (215M to 1.07B) N is; 1 inside. */
double rates_reach(double N);

/* The timescale of weight decay in shares of the run, tau = B / (lr decay D): over how much of the
 * data the weights are an average.  And the decay for a wanted tau. */
double rates_tau(double batch, double lr, double decay, double D);
double rates_decay(double batch, double lr, double tau, double D);
/* Bergsma et al. 2025: the best tau falls with tokens per parameter as 1.084 TPP^-.527. */
double rates_best_tau(double tokens_per_parameter);

/* y = c x_0^p_0 x_1^p_1 ... by least squares on logs.  Exponents with 95 % limits (Student's t). */
enum { RATES_POWERS = 4 };
typedef struct RatesFit {
    double c, p[RATES_POWERS], low[RATES_POWERS], high[RATES_POWERS];
    double spread; /* sd of log y about the law */
} RatesFit;
/* x is (n, powers); all numbers > 0.  False where the points do not tell the powers apart. */
bool rates_fit(const double *x, const double *y, int n, int powers, RatesFit *out) MUST_CHECK;

#endif
