/* linear.c - Cholesky, least squares through scaled normal equations, Jacobi's eigenvalues.
 *
 * Systems here are small and well made: a law has three linear terms, a power law at most four
 * exponents, a Gaussian process one row per experiment.  Normal equations square the condition
 * number; columns are scaled to length one first, which is where nearly all of the ill conditioning
 * of powers of N and D comes from.  Jacobi's rotations are slow for large matrices and exact for
 * small ones, in twenty lines. */
#include "science/linear.h"

#include <math.h>
#include <string.h>

#include "base/err.h"

bool linear_cholesky(double *a, int n)
{
    for (int j = 0; j < n; j++) {
        double *row = a + j * n, d = row[j];
        for (int k = 0; k < j; k++) d -= row[k] * row[k];
        if (!(d > 1e-14 * fabs(row[j]) && d > 0)) return false;
        row[j] = sqrt(d);
        for (int i = j + 1; i < n; i++) {
            double *other = a + i * n, sum = other[j];
            for (int k = 0; k < j; k++) sum -= other[k] * row[k];
            other[j] = sum / row[j];
        }
    }
    return true;
}

void linear_forward(const double *l, int n, double *b)
{
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++) b[i] -= l[i * n + k] * b[k];
        b[i] /= l[i * n + i];
    }
}

void linear_backward(const double *l, int n, double *b)
{
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++) b[i] -= l[k * n + i] * b[k];
        b[i] /= l[i * n + i];
    }
}

bool linear_solve(double *a, double *b, int n)
{
    if (!linear_cholesky(a, n)) return false;
    linear_forward(a, n, b);
    linear_backward(a, n, b);
    return true;
}

/* X^T W X and X^T W y with columns divided by their lengths. */
static bool normal_equations(const double *x, const double *y, const double *w, const int size[2],
                             double *a, double *b, double *length)
{
    int n = size[0], k = size[1];
    for (int j = 0; j < k; j++) {
        double sum = 0;
        for (int i = 0; i < n; i++) sum += (w ? w[i] : 1) * x[i * k + j] * x[i * k + j];
        length[j] = sqrt(sum);
        if (!(length[j] > 0) || !isfinite(length[j])) return false;
    }
    memset(a, 0, (size_t)(k * k) * sizeof(double));
    memset(b, 0, (size_t)k * sizeof(double));
    for (int i = 0; i < n; i++) {
        double weight = w ? w[i] : 1;
        for (int j = 0; j < k; j++) {
            double xj = weight * x[i * k + j] / length[j];
            b[j] += xj * y[i];
            for (int m = 0; m <= j; m++) a[j * k + m] += xj * x[i * k + m] / length[m];
        }
    }
    return true;
}

static double residuals(const double *x, const double *y, const double *w, const int size[2],
                        const double *beta)
{
    double rss = 0;
    for (int i = 0; i < size[0]; i++) {
        double r = y[i];
        for (int j = 0; j < size[1]; j++) r -= beta[j] * x[i * size[1] + j];
        rss += (w ? w[i] : 1) * r * r;
    }
    return rss;
}

bool linear_least(const double *x, const double *y, const double *w, int n, int k, double *beta,
                  double *cov, double *rss)
{
    double a[LINEAR_TERMS * LINEAR_TERMS], length[LINEAR_TERMS];
    const int size[2] = { n, k };
    CHECK(k >= 1 && k <= LINEAR_TERMS, "%d terms", k);
    if (n < k || !normal_equations(x, y, w, size, a, beta, length)) return false;
    if (!linear_solve(a, beta, k)) return false;
    for (int j = 0; j < k; j++) beta[j] /= length[j];
    if (rss) *rss = residuals(x, y, w, size, beta);
    for (int j = 0; cov && j < k; j++) {
        double unit[LINEAR_TERMS] = { 0 };
        unit[j] = 1;
        linear_forward(a, k, unit);
        linear_backward(a, k, unit);
        for (int m = 0; m < k; m++) cov[j * k + m] = unit[m] / length[j] / length[m];
    }
    return true;
}

/* One rotation in the plane (p, q) that makes a[p][q] zero. */
static void rotate(double *a, double *v, int n, int p, int q)
{
    double apq = a[p * n + q];
    if (apq == 0) return;
    double theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
    double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    for (int k = 0; k < n; k++) {
        double x = a[k * n + p], y = a[k * n + q];
        a[k * n + p] = c * x - s * y;
        a[k * n + q] = s * x + c * y;
    }
    for (int k = 0; k < n; k++) {
        double x = a[p * n + k], y = a[q * n + k];
        a[p * n + k] = c * x - s * y;
        a[q * n + k] = s * x + c * y;
        x = v[k * n + p];
        y = v[k * n + q];
        v[k * n + p] = c * x - s * y;
        v[k * n + q] = s * x + c * y;
    }
}

static void sort_columns(double *value, double *v, int n)
{
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++) {
            if (value[j] >= value[i]) continue;
            double t = value[i];
            value[i] = value[j];
            value[j] = t;
            for (int k = 0; k < n; k++) {
                t = v[k * n + i];
                v[k * n + i] = v[k * n + j];
                v[k * n + j] = t;
            }
        }
}

void linear_eigen(double *a, int n, double *value, double *v)
{
    for (int i = 0; i < n * n; i++) v[i] = i / n == i % n;
    for (int sweep = 0; sweep < 60; sweep++) {
        double off = 0, all = 0;
        for (int i = 0; i < n * n; i++) {
            all += a[i] * a[i];
            if (i / n != i % n) off += a[i] * a[i];
        }
        if (off <= 1e-30 * all) break;
        for (int p = 0; p < n; p++)
            for (int q = p + 1; q < n; q++) rotate(a, v, n, p, q);
    }
    for (int i = 0; i < n; i++) value[i] = a[i * n + i];
    sort_columns(value, v, n);
}
