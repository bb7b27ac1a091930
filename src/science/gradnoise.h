/* gradnoise.h - gradient noise scale, and what batch, rate and decay follow from laws.
 *
 *     B_simple = tr(S) / |G|^2       S: covariance of one sample's gradient, G: the true gradient
 *
 * From squared norms of gradients over two batch sizes (McCandlish et al. 2018, appendix A). */
#ifndef SCIENCE_GRADNOISE_H
#define SCIENCE_GRADNOISE_H

#include "base/base.h"

enum { GRADNOISE_BLOCKS = 32 };

/* Zero is empty.  Pairs are gathered in blocks, so that the ratio has an error. */
typedef struct GradNoise {
    double signal[GRADNOISE_BLOCKS], noise[GRADNOISE_BLOCKS], count[GRADNOISE_BLOCKS];
    int64_t pairs, per_block;
} GradNoise;

/* One step: |g|^2 of a batch of `small` samples (the mean over the micro-batches), and of the whole
 * of `big` samples.  0 < small < big. */
void gradnoise_add(GradNoise *g, double small_square, double big_square, double small, double big);

typedef struct GradNoiseScale {
    double scale, se;     /* tr(S) / |G|^2 in samples; NaN where |G|^2 cannot be told from zero */
    double signal, trace; /* averages of |G|^2 and tr(S) */
} GradNoiseScale;
GradNoiseScale gradnoise_scale(const GradNoise *g);

/* At batch B a target takes S_min (1 + B_noise / B) steps and E_min (1 + B / B_noise) samples. */
double gradnoise_steps(double scale, double batch);   /* S / S_min */
double gradnoise_samples(double scale, double batch); /* E / E_min */

#endif
