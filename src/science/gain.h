/* gain.h - evidence for a gain against none, from a difference of means (docs/honest.md, 4).
 *
 *     L(g) = (1 + (d - g)^2 / (nu v)) ^ (-(nu + 1) / 2)
 *     B    = integral over g > 0 of L(g) exp(-g / 2) / 2  /  L(0)
 *
 * all in units of s: d = D / s, g the true gain. */
#ifndef SCIENCE_GAIN_H
#define SCIENCE_GAIN_H

typedef struct GainFit {
    double d, v, nu;
    double told; /* d, or where B stops following it (gain.c); B is taken there */
    double B;    /* at most e^700 */
    double mean; /* E[g | g > 0, data] */
} GainFit;

GainFit gain_fit(double d, double v, double nu); /* v > 0, nu > 0 */

/* Quantile p of g given g > 0. */
double gain_quantile(const GainFit *fit, double p);

#endif
