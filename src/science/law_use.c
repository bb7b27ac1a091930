/* law_use.c - what follows from a law: the best split of FLOPs, repeated data, isoFLOP profiles.
 *
 * Optimum.  With C = 6 N D the loss E + A N^-a + B (6 N / C)^b has one minimum,
 *
 *     N = G (C / 6)^(b / (a + b)),   G = (a A / (b B))^(1 / (a + b)),   D = C / (6 N)
 *
 * (Hoffmann et al. 2022, 3.3).
 *
 * Repeated data (Muennighoff et al. 2023, 3.1): of D tokens over U unique ones, R = D / U - 1 are
 * repeats, and they are worth U R* (1 - exp(-R / R*)) fresh ones.  Parameters beyond those that U
 * unique tokens would pay for (N with D = U optimal) lose their worth alike.
 *
 * IsoFLOP profiles fit a parabola to loss against log N at each budget and a line through the
 * lowest points.  A law's valley is no parabola: it is steeper on one side wherever a and b
 * differ, and the lowest point of the parabola is off by an amount that depends on where the
 * sizes were put.  The bias is not a matter of noise, so it can be computed: the same parabolas
 * through the values of a fitted law, without noise, against the law's own exponent. */
#include <math.h>
#include <stdlib.h>

#include "science/law.h"
#include "science/linear.h"

LawOptimum law_optimum(const Law *law, double flops)
{
    double sum = law->a + law->b, G = pow(law->a * law->A / (law->b * law->B), 1 / sum);
    double N = G * pow(flops / 6, law->b / sum), D = flops / 6 / N;
    return (LawOptimum){ N, D, law_loss(law, N, D) };
}

/* exp(.6254804), exp(6.255414), exp(7.3049974). */
const LawData law_muennighoff = { { 1.869143711, 520.8247, 1487.7178, 0.3526596, 0.3526596 },
                                  5.309743,
                                  15.387756 };

double law_data_loss(const LawData *law, double N, double D, double unique)
{
    const Law *l = &law->law;
    double fresh = fmin(unique, D), repeats = D / fresh - 1;
    double G = pow(l->a * l->A / (l->b * l->B), 1 / (l->a + l->b));
    double useful = fmin(N, G * pow(fresh * G, l->b / l->a)), excess = N / useful - 1;
    double n = useful * (1 + law->R_N * (1 - exp(-excess / law->R_N)));
    double d = fresh * (1 + law->R_D * (1 - exp(-repeats / law->R_D)));
    return law_loss(l, n, d);
}

/* ---- isoFLOP profiles ---- */

typedef struct Ordered {
    double flops;
    int index;
} Ordered;

static int by_flops(const void *a, const void *b)
{
    const Ordered *x = a, *y = b;
    return x->flops != y->flops ? (x->flops > y->flops) - (x->flops < y->flops)
                                : (x->index > y->index) - (x->index < y->index);
}

static double loss_of(const LawPoint *p, const Law *law)
{
    return law ? law_loss(law, p->N, p->D) : p->loss;
}

/* The parabola through points order[0..n-1] (of `law` instead, if there is one). */
static bool parabola(const LawPoint *p, const Ordered *order, int n, const Law *law,
                     LawProfile *out)
{
    enum { MOST = 512 };
    double x[MOST * 3], y[MOST], beta[3], mid = 0, flops = 0, low = 1e300, high = -1e300;
    if (n > MOST) n = MOST;
    for (int i = 0; i < n; i++) {
        double u = log(p[order[i].index].N);
        mid += u / n;
        flops += log(order[i].flops) / n;
        low = fmin(low, u);
        high = fmax(high, u);
    }
    for (int i = 0; i < n; i++) {
        double u = log(p[order[i].index].N) - mid;
        x[3 * i] = 1;
        x[3 * i + 1] = u;
        x[3 * i + 2] = u * u;
        y[i] = loss_of(&p[order[i].index], law);
    }
    if (!linear_least(x, y, NULL, n, 3, beta, NULL, NULL) || !(beta[2] > 0)) return false;
    double at = -beta[1] / (2 * beta[2]);
    *out = (LawProfile){ .flops = exp(flops), .N = exp(mid + at), .points = n };
    out->loss = beta[0] - beta[1] * beta[1] / (4 * beta[2]);
    out->inside = mid + at > low && mid + at < high;
    return true;
}

static int profiles_of(const LawPoint *p, int n, double tolerance, const Law *law, LawProfile *out,
                       int cap)
{
    Ordered *order = malloc((size_t)MAX(n, 1) * sizeof(Ordered));
    CHECK(order, "no memory for %d points", n);
    for (int i = 0; i < n; i++) order[i] = (Ordered){ 6 * p[i].N * p[i].D, i };
    qsort(order, (size_t)n, sizeof(Ordered), by_flops);
    int found = 0;
    for (int i = 0; i < n && found < cap;) {
        int end = i + 1;
        while (end < n && order[end].flops <= order[i].flops * (1 + tolerance)) end++;
        if (end - i >= 4 && parabola(p, order + i, end - i, law, &out[found])) found++;
        i = end;
    }
    free(order);
    return found;
}

int law_profiles(const LawPoint *p, int n, double tolerance, LawProfile *out, int cap)
{
    return profiles_of(p, n, tolerance, NULL, out, cap);
}

double law_profile_slope(const LawProfile *profile, int n)
{
    double x = 0, y = 0, xx = 0, xy = 0;
    int used = 0;
    for (int i = 0; i < n; i++) {
        if (!profile[i].inside) continue;
        x += log(profile[i].flops);
        y += log(profile[i].N);
        used++;
    }
    if (used < 2) return (double)NAN;
    x /= used;
    y /= used;
    for (int i = 0; i < n; i++) {
        if (!profile[i].inside) continue;
        double dx = log(profile[i].flops) - x;
        xx += dx * dx;
        xy += dx * (log(profile[i].N) - y);
    }
    return xx > 0 ? xy / xx : (double)NAN;
}

double law_profile_bias(const LawPoint *p, int n, double tolerance, const Law *law)
{
    LawProfile profile[64];
    int found = profiles_of(p, n, tolerance, law, profile, (int)COUNT(profile));
    return law_profile_slope(profile, found) - law->b / (law->a + law->b);
}
