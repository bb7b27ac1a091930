/* robust.c - medians everywhere.
 *
 * robust_z compares a value with the medians of the window before it.  While a loss falls the
 * median lags behind and lies above, so falling never alarms; what rises does. */
#include "doctor/robust.h"

#include <math.h>
#include <stdlib.h>

#include "science/stats.h"

double robust_sd(const double *x, int n)
{
    if (n < 3) return (double)NAN;
    double m = stat_median(x, n), *away = malloc((size_t)n * sizeof *away);
    CHECK(away, "no memory for %d values", n);
    for (int i = 0; i < n; i++) away[i] = fabs(x[i] - m);
    double sd = 1.4826 * stat_median(away, n);
    free(away);
    return sd;
}

double robust_noise(const double *x, int n)
{
    if (n < 5) return (double)NAN;
    double *second = malloc((size_t)n * sizeof *second);
    CHECK(second, "no memory for %d values", n);
    for (int i = 1; i + 1 < n; i++) second[i - 1] = x[i - 1] - 2 * x[i] + x[i + 1];
    double sd = robust_sd(second, n - 2) / sqrt(6);
    free(second);
    return sd;
}

int robust_windows(const Series *s, int windows, double *step, double *x)
{
    int n = MIN(windows, s->n);
    for (int i = 0; i < n; i++) {
        int from = (int)((int64_t)s->n * i / n), to = (int)((int64_t)s->n * (i + 1) / n);
        x[i] = stat_median(s->x + from, to - from);
        step[i] = s->step[from + (to - from) / 2];
    }
    return n;
}

double robust_slope(const double *at, const double *x, int n)
{
    enum { MOST = 200 };
    static _Thread_local double slope[MOST * (MOST - 1) / 2];
    int k = 0;
    CHECK(n <= MOST, "%d points are too many for all pairs", n);
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++) slope[k++] = (x[j] - x[i]) / (at[j] - at[i]);
    return stat_median(slope, k);
}

/* The median of |x - m| over sorted x: from the middle outwards, the nearer neighbour next. */
static double away_median(const double *sorted, int n, double m)
{
    int right = 0;
    while (right < n && sorted[right] < m) right++;
    int left = right - 1;
    double last = 0, before = 0;
    for (int taken = 0; taken <= n / 2; taken++) {
        bool from_left = right >= n || (left >= 0 && m - sorted[left] <= sorted[right] - m);
        before = last;
        last = from_left ? m - sorted[left--] : sorted[right++] - m;
    }
    return n % 2 ? last : (before + last) / 2;
}

/* Keeps a window sorted: one value leaves, one comes.  Values that are no numbers count as huge. */
static void slide(double *sorted, int n, double leaves, double comes)
{
    int at = 0;
    while (sorted[at] != leaves) at++;
    for (; at + 1 < n && sorted[at + 1] < comes; at++) sorted[at] = sorted[at + 1];
    for (; at > 0 && sorted[at - 1] > comes; at--) sorted[at] = sorted[at - 1];
    sorted[at] = comes;
}

static double numbered(double x)
{
    return isfinite(x) ? x : 1e300;
}

void robust_z(const Series *s, int window, double floor, double *z)
{
    double *sorted = malloc((size_t)window * sizeof *sorted);
    CHECK(sorted, "no memory for a window of %d", window);
    for (int i = 0; i < s->n; i++) {
        z[i] = (double)NAN;
        if (i < window) {
            sorted[i] = HUGE_VAL; /* a place that only the sliding fills */
            slide(sorted, i + 1, HUGE_VAL, numbered(s->x[i]));
            continue;
        }
        double m = (sorted[(window - 1) / 2] + sorted[window / 2]) / 2;
        double sd = 1.4826 * away_median(sorted, window, m);
        z[i] = (s->x[i] - m) / fmax(sd, floor * fabs(m));
        slide(sorted, window, numbered(s->x[i - window]), numbered(s->x[i]));
    }
    free(sorted);
}
