/* gain.c - one integral, done exactly enough that nobody need think of it again.
 *
 * The integrand is a t likelihood around d times an exponential prior on g > 0.  It is cut at
 * panels that double in width away from its peak (d, or 0 when d < 0), starting from the smaller
 * of its own scales, up to 80 beyond the peak, where the prior has lost e^-40.  Each panel gets
 * 16 Gauss-Legendre nodes; the whole agrees with an adaptive rule to 1e-11 over the range that
 * sessions meet (tests/test_science_verdict.c).  The nodes are fixed, so a verdict is a function of
 * its numbers alone.
 *
 * Far out the formula stops making sense: t tails are powers, the prior is exponential, so from
 * about d = 2 (nu + 1) on a larger gain gives *less* evidence, and with a bank of four runs a gain
 * of 20 sigma counts as hardly any (B = 1.1, where 8 sigma have B = 8).  The first days of a
 * session are made of such gains.  Therefore B follows d only up to its maximum and stays there;
 * the posterior is that of the maximum, moved by the rest.  On the other side, far below zero, B
 * creeps back to 1 and is held at its minimum alike.  A better result is never weaker evidence. */
#include "science/gain.h"

#include <math.h>

#include "base/err.h"

enum { NODES = 8, KNOTS = 64 };
static const double node[NODES] = {
    0.09501250983763744, 0.2816035507792589, 0.45801677765722737, 0.6178762444026438,
    0.755404408355003,   0.8656312023878318, 0.9445750230732326,  0.9894009349916499,
};
static const double weight[NODES] = {
    0.1894506104550685,  0.18260341504492358, 0.16915651939500254,  0.14959598881657674,
    0.12462897125553388, 0.09515851168249279, 0.062253523938647894, 0.027152459411754096,
};

/* Sums of the integrand over L(0), scaled by e^-shift. */
typedef struct Sums {
    double mass, first, pull; /* of 1, g and (d - g) / (nu v + (d - g)^2) */
    double shift;
} Sums;

static double shift_of(double d, double v, double nu)
{
    return d > 0 ? fmax(0, (nu + 1) / 2 * log1p(d * d / (nu * v)) - d / 2) : 0;
}

static void add_node(double g, double w, double d, double c, double nu, Sums *sum)
{
    double off = d - g, rest = c + off * off;
    double f = 0.5 * w * exp((nu + 1) / 2 * log((c + d * d) / rest) - g / 2 - sum->shift);
    sum->mass += f;
    sum->first += f * g;
    sum->pull += f * off / rest;
}

static void add_panel(double low, double high, double d, double c, double nu, Sums *sum)
{
    double middle = (low + high) / 2, half = (high - low) / 2;
    for (int i = 0; i < NODES; i++) {
        add_node(middle - half * node[i], half * weight[i], d, c, nu, sum);
        add_node(middle + half * node[i], half * weight[i], d, c, nu, sum);
    }
}

/* Ends of the panels, ascending from 0. */
static int place_knots(double d, double v, double nu, double knot[KNOTS])
{
    double peak = fmax(d, 0), wide[KNOTS], reach = 80;
    double steep = d < 0 ? (nu + 1) * -d / (nu * v + d * d) : 0;
    int n = 0, k = 0;
    for (double w = 1 / (0.5 + 1 / sqrt(v) + steep); w < reach && n < 28; w *= 2) wide[n++] = w;
    wide[n++] = reach;
    knot[k++] = 0;
    for (int i = n - 1; i >= 0; i--)
        if (peak - wide[i] > 0) knot[k++] = peak - wide[i];
    if (peak > 0) knot[k++] = peak;
    for (int i = 0; i < n; i++) knot[k++] = peak + wide[i];
    return k;
}

static Sums sums_at(double d, double v, double nu)
{
    double knot[KNOTS];
    int knots = place_knots(d, v, nu, knot);
    Sums sum = { .shift = shift_of(d, v, nu) };
    for (int i = 0; i + 1 < knots; i++) add_panel(knot[i], knot[i + 1], d, nu * v, nu, &sum);
    return sum;
}

/* The sign of dB/dd. */
static double rise(const Sums *sum, double d, double v, double nu)
{
    return d / (nu * v + d * d) - sum->pull / sum->mass;
}

GainFit gain_fit(double d, double v, double nu)
{
    CHECK(v > 0 && nu > 0 && isfinite(d), "gain of %g with v = %g, nu = %g", d, v, nu);
    Sums sum = sums_at(d, v, nu);
    double told = d;
    if (rise(&sum, d, v, nu) < 0) { /* past the extremum: go back to it */
        double near = 0, far = d;
        for (int i = 0; i < 40; i++) {
            told = (near + far) / 2;
            sum = sums_at(told, v, nu);
            if (rise(&sum, told, v, nu) < 0)
                far = told;
            else
                near = told;
        }
    }
    double mean = sum.first / sum.mass + (told > 0 ? d - told : 0);
    GainFit fit = { .d = d, .v = v, .nu = nu, .told = told, .mean = mean };
    fit.B = exp(fmin(700, sum.shift + log(sum.mass)));
    return fit;
}

double gain_quantile(const GainFit *fit, double p)
{
    double knot[KNOTS], d = fit->told, c = fit->nu * fit->v;
    int knots = place_knots(d, fit->v, fit->nu, knot);
    Sums all = sums_at(d, fit->v, fit->nu), below = { .shift = all.shift }, next = below;
    int i = 0;
    for (; i + 1 < knots; i++) {
        add_panel(knot[i], knot[i + 1], d, c, fit->nu, &next);
        if (next.mass >= p * all.mass || i + 2 == knots) break;
        below = next;
    }
    double low = knot[i], high = knot[i + 1];
    for (int round = 0; round < 60; round++) {
        double middle = (low + high) / 2;
        Sums part = below;
        add_panel(knot[i], middle, d, c, fit->nu, &part);
        if (part.mass < p * all.mass)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2 + (d > 0 ? fit->d - d : 0);
}
