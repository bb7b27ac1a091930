/* gradnoise.c - a ratio of averages, because the average of ratios is biased.
 *
 * E|g_B|^2 = |G|^2 + tr(S) / B.  Two batch sizes give two equations and, solved, two unbiased
 * estimates for each step:
 *
 *     |G|^2 = (B |g_B|^2 - b |g_b|^2) / (B - b),   tr(S) = (|g_b|^2 - |g_B|^2) / (1/b - 1/B)
 *
 * The first is often negative in a single step.  Both are averaged over steps, then divided; the
 * mean of the steps' ratios is off by several percent and may be infinite.  The error is the
 * jackknife over blocks of steps.
 *
 * Blocks: steps fill 32 of them in turn; when all are full, pairs of blocks are put together and
 * each takes twice as many.  So memory is fixed and blocks stay contiguous, as drift wants them. */
#include "science/gradnoise.h"

#include <math.h>

#include "base/err.h"

static void fold(GradNoise *g)
{
    for (int i = 0; i < GRADNOISE_BLOCKS; i++) {
        bool half = i < GRADNOISE_BLOCKS / 2;
        g->signal[i] = half ? g->signal[2 * i] + g->signal[2 * i + 1] : 0;
        g->noise[i] = half ? g->noise[2 * i] + g->noise[2 * i + 1] : 0;
        g->count[i] = half ? g->count[2 * i] + g->count[2 * i + 1] : 0;
    }
    g->per_block *= 2;
}

void gradnoise_add(GradNoise *g, double small_square, double big_square, double small, double big)
{
    CHECK(small > 0 && small < big, "batches of %g and %g", small, big);
    if (g->per_block == 0) g->per_block = 1;
    if (g->pairs == g->per_block * GRADNOISE_BLOCKS) fold(g);
    int at = (int)(g->pairs++ / g->per_block);
    g->signal[at] += (big * big_square - small * small_square) / (big - small);
    g->noise[at] += (small_square - big_square) / (1 / small - 1 / big);
    g->count[at]++;
}

GradNoiseScale gradnoise_scale(const GradNoise *g)
{
    double signal = 0, noise = 0, count = 0, mean = 0, sum = 0;
    int blocks = 0;
    for (int i = 0; i < GRADNOISE_BLOCKS; i++) {
        signal += g->signal[i];
        noise += g->noise[i];
        count += g->count[i];
        blocks += g->count[i] > 0;
    }
    GradNoiseScale out = { .scale = noise / signal,
                           .signal = signal / count,
                           .trace = noise / count };
    for (int i = 0; i < GRADNOISE_BLOCKS; i++)
        if (g->count[i] > 0) mean += (noise - g->noise[i]) / (signal - g->signal[i]) / blocks;
    for (int i = 0; i < GRADNOISE_BLOCKS; i++) {
        if (!(g->count[i] > 0)) continue;
        double d = (noise - g->noise[i]) / (signal - g->signal[i]) - mean;
        sum += d * d;
    }
    out.se = blocks > 1 ? sqrt(sum * (blocks - 1) / blocks) : (double)NAN;
    if (!(signal > 0)) out.scale = out.se = (double)NAN;
    return out;
}

double gradnoise_steps(double scale, double batch)
{
    return 1 + scale / batch;
}

double gradnoise_samples(double scale, double batch)
{
    return 1 + batch / scale;
}
