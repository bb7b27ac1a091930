/* minimize.c - Nelder and Mead's simplex, begun anew where it has come to rest.
 *
 * What is minimised here has two to five coordinates, valleys that are long and flat, and values
 * from an inner solver that are smooth only to ten digits; differences of such values make poor
 * gradients.  The simplex asks for values alone.  Its known fault, collapsing before the bottom is
 * reached (McKinnon 1998), is answered by starting again from the best point with a fresh simplex
 * until that gains nothing.  Coefficients that depend on the dimension are those of Gao and Han
 * (2012, Computational Optimization and Applications 51). */
#include "science/minimize.h"

#include <math.h>
#include <string.h>

#include "base/err.h"

typedef struct Simplex {
    const Minimize *m;
    double at[MINIMIZE_DIMS + 1][MINIMIZE_DIMS], value[MINIMIZE_DIMS + 1];
    int n, spent, most;
} Simplex;

static double ask(Simplex *s, const double *x)
{
    double v = s->m->f(x, s->m->ctx);
    s->spent++;
    return isfinite(v) ? v : 1e300;
}

static void order(Simplex *s)
{
    for (int i = 1; i <= s->n; i++)
        for (int k = i; k > 0 && s->value[k] < s->value[k - 1]; k--) {
            double row[MINIMIZE_DIMS], v = s->value[k];
            size_t bytes = (size_t)s->n * sizeof(double);
            memcpy(row, s->at[k], bytes);
            memcpy(s->at[k], s->at[k - 1], bytes);
            memcpy(s->at[k - 1], row, bytes);
            s->value[k] = s->value[k - 1];
            s->value[k - 1] = v;
        }
}

/* The point centre + t (worst - centre), and its value. */
static double try_at(Simplex *s, const double *centre, double t, double *x)
{
    for (int k = 0; k < s->n; k++) x[k] = centre[k] + t * (s->at[s->n][k] - centre[k]);
    return ask(s, x);
}

static void replace(Simplex *s, const double *x, double v)
{
    memcpy(s->at[s->n], x, (size_t)s->n * sizeof(double));
    s->value[s->n] = v;
}

static void shrink(Simplex *s)
{
    double delta = 1 - 1.0 / MAX(s->n, 2);
    for (int i = 1; i <= s->n; i++) {
        for (int k = 0; k < s->n; k++)
            s->at[i][k] = s->at[0][k] + delta * (s->at[i][k] - s->at[0][k]);
        s->value[i] = ask(s, s->at[i]);
    }
}

static void move(Simplex *s)
{
    double centre[MINIMIZE_DIMS] = { 0 }, x[MINIMIZE_DIMS], y[MINIMIZE_DIMS], dims = MAX(s->n, 2);
    int n = s->n;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) centre[k] += s->at[i][k] / n;
    double reflected = try_at(s, centre, -1, x);
    if (reflected < s->value[0]) {
        double far = try_at(s, centre, -(1 + 2 / dims), y);
        replace(s, far < reflected ? y : x, fmin(far, reflected));
    } else if (reflected < s->value[n - 1]) {
        replace(s, x, reflected);
    } else {
        double inward = 0.75 - 0.5 / dims, toward = reflected < s->value[n] ? -inward : inward;
        double near = try_at(s, centre, toward, y);
        if (near < fmin(reflected, s->value[n]))
            replace(s, y, near);
        else
            shrink(s);
    }
    order(s);
}

static void begin(Simplex *s, const double *x, double scale)
{
    for (int i = 0; i <= s->n; i++) {
        memcpy(s->at[i], x, (size_t)s->n * sizeof(double));
        if (i > 0) s->at[i][i - 1] += scale * s->m->step[i - 1];
        s->value[i] = ask(s, s->at[i]);
    }
    order(s);
}

double minimize_simplex(const Minimize *m, double *x)
{
    CHECK(m->n >= 1 && m->n <= MINIMIZE_DIMS, "%d dimensions", m->n);
    double tolerance = m->tolerance > 0 ? m->tolerance : 1e-12, before = 1e300, scale = 1;
    Simplex s = { .m = m, .n = m->n, .most = m->evaluations ? m->evaluations : 400 * m->n };
    for (int round = 0; round < 12 && s.spent < s.most; round++) {
        begin(&s, x, scale);
        while (s.spent < s.most &&
               s.value[s.n] - s.value[0] > tolerance * (fabs(s.value[0]) + 1e-300))
            move(&s);
        memcpy(x, s.at[0], (size_t)m->n * sizeof(double));
        if (before - s.value[0] <= tolerance * fabs(s.value[0])) break;
        before = s.value[0];
        scale *= -0.3; /* the other way round, and nearer */
    }
    return s.value[0];
}

double minimize_line(double (*f)(double x, void *ctx), void *ctx, double low, double high,
                     double *at)
{
    const double golden = 0.61803398874989484820;
    double a = high - golden * (high - low), b = low + golden * (high - low);
    double fa = f(a, ctx), fb = f(b, ctx);
    for (int i = 0; i < 100 && high - low > 1e-12 * (fabs(low) + fabs(high)); i++) {
        if (fa <= fb) {
            high = b;
            b = a;
            fb = fa;
            fa = f(a = high - golden * (high - low), ctx);
        } else {
            low = a;
            a = b;
            fa = fb;
            fb = f(b = low + golden * (high - low), ctx);
        }
    }
    if (at) *at = fa <= fb ? a : b;
    return fmin(fa, fb);
}
