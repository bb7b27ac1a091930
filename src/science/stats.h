/* stats.h - mathematics on numbers, no training in it. */
#ifndef SCIENCE_STATS_H
#define SCIENCE_STATS_H

#include "base/base.h"

double stat_mean(const double *x, int n);
double stat_median(const double *x, int n);
double stat_ss(const double *x, int n);                         /* residual sum of squares about the mean */
double stat_huber_mean(const double *x, int n, double scale);   /* k = 1.5 scales; plain mean below 3 */
double stat_t_cdf(double t, double nu);
double stat_t_quantile(double p, double nu);
double stat_normal_cdf(double z);

/* Standard error of the mean difference per byte of two arms by delete-one-block jackknife.
 * a, b: negative log-likelihoods (bits) of blocks; bytes: of the same blocks. */
double stat_jackknife_diff(const double *a, const double *b, const double *bytes, int blocks);
/* The same of one arm's bits per byte. */
double stat_jackknife(const double *bits, const double *bytes, int blocks);

#endif
