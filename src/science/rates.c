/* rates.c - power laws of training knobs.  Constants are cited in the header; what is computed
 * here is only what follows from them, and the plain regression that makes such a law from one's
 * own sweep: log y is linear in the logs, errors of a best setting are about a constant factor. */
#include "science/rates.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "science/linear.h"
#include "science/stats.h"

Rates rates_step_law(double N, double D)
{
    return (Rates){ .lr = 1.79 * pow(N, -0.713) * pow(D, 0.307), .batch = 0.58 * pow(D, 0.571) };
}

Rates rates_porian(double N)
{
    double x = N / 108e6;
    return (Rates){ .lr = 0.0047 * pow(x, -1.0 / 3), .batch = 160 * 2048 * pow(x, 2.0 / 3) };
}

double rates_reach(double N)
{
    return fmax(1, fmax(215e6 / N, N / 1.07e9));
}

double rates_tau(double batch, double lr, double decay, double D)
{
    return batch / (lr * decay * D);
}

double rates_decay(double batch, double lr, double tau, double D)
{
    return batch / (lr * tau * D);
}

double rates_best_tau(double tokens_per_parameter)
{
    return 1.084 * pow(tokens_per_parameter, -0.527);
}

bool rates_fit(const double *x, const double *y, int n, int powers, RatesFit *out)
{
    CHECK(powers >= 1 && powers <= RATES_POWERS, "%d powers", powers);
    int k = powers + 1;
    double beta[LINEAR_TERMS], cov[LINEAR_TERMS * LINEAR_TERMS], rss, mid[RATES_POWERS] = { 0 };
    if (n <= k) return false;
    double *logs = malloc((size_t)n * (size_t)(k + 1) * sizeof(double)), *log_y = logs + n * k;
    CHECK(logs, "no memory for %d points", n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < powers; j++) mid[j] += log(x[i * powers + j]) / n;
    for (int i = 0; i < n; i++) {
        logs[i * k] = 1;
        for (int j = 0; j < powers; j++) logs[i * k + 1 + j] = log(x[i * powers + j]) - mid[j];
        log_y[i] = log(y[i]);
    }
    bool ok = linear_least(logs, log_y, NULL, n, k, beta, cov, &rss);
    free(logs);
    if (!ok) return false;
    double variance = rss / (n - k), t = stat_t_quantile(0.975, n - k), c = beta[0];
    for (int j = 0; j < powers; j++) {
        double half = t * sqrt(variance * cov[(j + 1) * k + j + 1]);
        out->p[j] = beta[j + 1];
        out->low[j] = beta[j + 1] - half;
        out->high[j] = beta[j + 1] + half;
        c -= beta[j + 1] * mid[j];
    }
    out->c = exp(c);
    out->spread = sqrt(variance);
    return true;
}
