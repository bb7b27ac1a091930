/* stats.h - mathematics on numbers, no training in it.  All in double. */
#ifndef SCIENCE_STATS_H
#define SCIENCE_STATS_H

#include "base/base.h"

double stat_mean(const double *x, int n);   /* NaN for n = 0 */
double stat_median(const double *x, int n); /* NaN for n = 0 */
double stat_ss(const double *x, int n);     /* residual sum of squares about the mean */

/* Huber's location with k = 1.5 scales; the plain mean below 3 numbers or at scale 0. */
double stat_huber_mean(const double *x, int n, double scale);

double stat_normal_cdf(double z);
double stat_normal_quantile(double p);
double stat_beta_cdf(double x, double a, double b); /* regularised incomplete beta I_x(a, b) */
double stat_beta_quantile(double p, double a, double b);
double stat_t_cdf(double t, double nu);
double stat_t_quantile(double p, double nu);
double stat_chi2_cdf(double x, double nu);
double stat_chi2_quantile(double p, double nu);

/* Standard error of the mean difference per byte of two arms by delete-one-block jackknife.
 * a, b: negative log-likelihoods (bits) of blocks; bytes: of the same blocks.  NaN below 2. */
double stat_jackknife_diff(const double *a, const double *b, const double *bytes, int blocks);
/* The same of one arm's bits per byte. */
double stat_jackknife(const double *bits, const double *bytes, int blocks);

#endif
