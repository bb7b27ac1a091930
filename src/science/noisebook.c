/* noisebook.c - sigma with its own uncertainty.
 *
 * Pooling.  Within a recipe the runs' squared residuals about their mean, over n - 1, estimate
 * sigma squared; over recipes sums and degrees of freedom add up.  nu s^2 / sigma^2 is chi-square
 * with nu degrees, and its quantiles give the limits.  With the 7 degrees of a first bank sigma is
 * known within a factor of .75 to 1.8 only, which is why every verdict uses Student's t and why
 * every further replicate is added.
 *
 * Other sizes.  Sigma in percent of the loss falls slowly with size (.3 % at 1M, .04 % at 124M in
 * published repeats), about as a power.  A line through the logs, each cell weighted by its
 * degrees, foretells a size that has not run.  Log s has variance 1 / (2 nu) from its own estimate,
 * and the points' scatter about the line is added to it.
 *
 * Power.  A difference of means of n runs per arm has sd sigma sqrt(2 / n); it is found at level
 * alpha with probability `power` where d = (z_alpha/2 + z_power) sigma sqrt(2 / n). */
#include "science/noisebook.h"

#include <math.h>

#include "science/linear.h"
#include "science/stats.h"

static NoiseCell *find_cell(NoiseBook *book, double size, int frame, int machine)
{
    for (int i = 0; i < book->cells; i++) {
        NoiseCell *c = &book->cell[i];
        if (c->frame == frame && c->machine == machine && fabs(c->size / size - 1) < 0.01) return c;
    }
    return NULL;
}

bool noisebook_add(NoiseBook *book, double size, int frame, int machine, const double *bpb, int n)
{
    if (n < 2) return true;
    NoiseCell *c = find_cell(book, size, frame, machine);
    if (!c) {
        if (book->cells == NOISEBOOK_CELLS) return false;
        c = &book->cell[book->cells++];
        *c = (NoiseCell){ .size = size, .frame = frame, .machine = machine };
    }
    c->level = (c->level * c->recipes + stat_mean(bpb, n)) / (c->recipes + 1);
    c->recipes++;
    noise_add(&c->noise, bpb, n);
    return true;
}

NoiseEstimate noise_limits(const Noise *noise, double confidence)
{
    double s = noise_s(noise), tail = (1 - confidence) / 2;
    if (!(noise->nu > 0)) return (NoiseEstimate){ s, s, s, 0, false };
    return (NoiseEstimate){ .s = s,
                            .low = s * sqrt(noise->nu / stat_chi2_quantile(1 - tail, noise->nu)),
                            .high = s * sqrt(noise->nu / stat_chi2_quantile(tail, noise->nu)),
                            .nu = noise->nu };
}

/* The line through log(s / level) against log size. */
static NoiseEstimate borrow(const NoiseBook *book, double size, int frame, int machine,
                            double level)
{
    double x[NOISEBOOK_CELLS * 2], y[NOISEBOOK_CELLS], w[NOISEBOOK_CELLS], beta[2], cov[4], rss;
    int n = 0;
    for (int i = 0; i < book->cells; i++) {
        const NoiseCell *c = &book->cell[i];
        if (c->frame != frame || c->machine != machine || !(c->noise.ss > 0)) continue;
        x[2 * n] = 1;
        x[2 * n + 1] = log(c->size / size);
        y[n] = log(noise_s(&c->noise) / c->level);
        w[n++] = c->noise.nu;
    }
    double nan = (double)NAN, half;
    if (n == 0) return (NoiseEstimate){ nan, nan, nan, 0, true };
    if (n < 2 || !linear_least(x, y, w, n, 2, beta, cov, &rss)) {
        beta[0] = y[0];
        half = log(2);
    } else {
        /* Weighted by nu, a residual has variance 1/2 from the estimates alone. */
        double variance = fmax(0.5, n > 2 ? rss / (n - 2) : 2);
        half = 1.645 * sqrt(variance * cov[0]);
    }
    double s = level * exp(beta[0]);
    return (NoiseEstimate){ s, s * exp(-half), s * exp(half), 0, true };
}

NoiseEstimate noisebook_estimate(const NoiseBook *book, double size, int frame, int machine,
                                 double level)
{
    const NoiseCell *c = find_cell((NoiseBook *)book, size, frame, machine);
    if (c && c->noise.ss > 0) return noise_limits(&c->noise, 0.9);
    return borrow(book, size, frame, machine, level);
}

int noise_runs_needed(double sigma, double d, double alpha, double power)
{
    double z = stat_normal_quantile(1 - alpha / 2) + stat_normal_quantile(power);
    return (int)fmax(1, fmin(1e9, ceil(2 * z * z * sigma * sigma / (d * d) - 1e-9)));
}

double noise_detectable(double s, double nu, int m, int n, double alpha, double power)
{
    double t = stat_t_quantile(1 - alpha / 2, nu) + stat_t_quantile(power, nu);
    return t * s * sqrt(1.0 / m + 1.0 / n);
}
