/* robust.h - statistics that a few wild values do not move. */
#ifndef DOCTOR_ROBUST_H
#define DOCTOR_ROBUST_H

#include "doctor/chart.h"

/* 1.4826 times the median absolute deviation about the median: the standard deviation of normal
 * noise.  NaN below 3 numbers. */
double robust_sd(const double *x, int n);

/* Noise of a series that changes slowly: from its second differences, x[i-1] - 2 x[i] + x[i+1],
 * whose variance is six times that of the noise.  NaN below 5 numbers. */
double robust_noise(const double *x, int n);

/* Medians of `windows` equal stretches of a series; the middle steps beside them.  Returns how many
 * (fewer if the series is shorter). */
int robust_windows(const Series *s, int windows, double *step, double *x);

/* Theil's slope: the median of the slopes between all pairs.  n <= 200. */
double robust_slope(const double *at, const double *x, int n);

/* How far each value lies above the median of the `window` values before it, in robust deviations
 * of what was before it about its own medians.  z must have room for s->n; NaN for the first
 * `window` values.  floor: the least deviation that counts, relative to the median's size. */
void robust_z(const Series *s, int window, double floor, double *z);

#endif
