/* curve.h - what a loss curve does under a schedule of rates: the multi-power law, and collapse.
 *
 *     L(t) = L0 + A S1(t)^-alpha + B sum_k (eta_k - eta_k-1) [1 - (1 + C eta_k^-gamma
 * S_k(t))^-beta]
 *
 * S1(t) is the sum of rates up to step t (warmup counted), S_k(t) the sum from step k on
 * (Luo et al. 2025, "A multi-power law for loss curve prediction across learning rate schedules").
 * A rate that falls makes the bracketed sum negative: that is the gain of annealing. */
#ifndef SCIENCE_CURVE_H
#define SCIENCE_CURVE_H

#include "base/arena.h"
#include "base/err.h"

typedef struct CurveLaw {
    double L0, A, alpha, B, C, beta, gamma;
} CurveLaw;

/* A schedule, prepared: rates of steps 0..steps-1. */
typedef struct CurveKnot {
    double gap, rate, before; /* a change of rate, the rate after it, the sum of rates before it */
    int step;
} CurveKnot;
typedef struct CurveSchedule {
    int steps, knots;
    double *sum; /* (steps): rates added up, this step counted */
    CurveKnot *knot;
} CurveSchedule;

/* Changes of rate within `block` steps become one; 1 is exact, 32 is within 1e-5 of it where
 * schedules are smooth. */
CurveSchedule curve_schedule(const double *rate, int steps, int block, Arena *out);

double curve_loss(const CurveLaw *law, const CurveSchedule *s, int step);

/* Losses seen at steps of a schedule. */
typedef struct CurveSeen {
    const CurveSchedule *schedule;
    const int *step;
    const double *loss;
    int n;
} CurveSeen;

double curve_rmse(const CurveLaw *law, const CurveSeen *seen);

/* Fits the law to some curves; at least one of them has to anneal.  Huber's loss (1e-3) on the
 * relative residual. */
bool curve_fit(const CurveSeen *seen, int curves, CurveLaw *out, Err *err) MUST_CHECK;

/* Collapse (Qiu et al. 2025): finished runs of one schedule, divided by their last loss, fall on
 * one curve over the share of the run.  `ratio[j]` is L(share j) / L(end), `sd[j]` its spread
 * between runs.  A run that is off by many sd at the shares it has passed is of another kind. */
enum { CURVE_SHARES = 32 };
typedef struct CurveCollapse {
    int runs, shares;
    double ratio[CURVE_SHARES], sd[CURVE_SHARES];
} CurveCollapse;

/* loss is (runs, shares), the last share is the end of the run; runs >= 2. */
CurveCollapse curve_collapse(const double *loss, int runs, int shares);
/* The last loss foretold from the loss at one share; *sd may be NULL. */
double curve_collapse_end(const CurveCollapse *c, int share, double loss, double *sd);

#endif
