/* pairs.c - do two arms on the same seed share luck?  (docs/honest.md, section 3)
 *
 * A correlation that is assumed and absent lets nulls through (.6 % instead of .08 %), so it is
 * used only where it has been seen: 20 pairs, lower 90 % limit above 0.2.  Pairs come from many
 * candidates, each with its own gain; each recipe's own mean is taken off and costs one pair of
 * freedom.  The limit is Fisher's: atanh r is normal with variance 1 / (pairs - groups - 2). */
#include <math.h>

#include "science/stats.h"
#include "science/verdict.h"

void pairs_add(Pairs *p, const double *bank, const double *run, int n)
{
    if (n < 2) return;
    double mean_bank = stat_mean(bank, n), mean_run = stat_mean(run, n);
    for (int i = 0; i < n; i++) {
        double a = bank[i] - mean_bank, b = run[i] - mean_run;
        p->aa += a * a;
        p->bb += b * b;
        p->ab += a * b;
    }
    p->pairs += n;
    p->groups++;
}

double pairs_rho(const Pairs *p, double *estimate, double *low)
{
    int freedom = p->pairs - p->groups - 2;
    bool known = freedom >= 1 && p->aa > 0 && p->bb > 0;
    double r = known ? p->ab / sqrt(p->aa * p->bb) : (double)NAN, limit = r;
    if (known && fabs(r) < 1) limit = tanh(atanh(r) - stat_normal_quantile(0.9) / sqrt(freedom));
    if (estimate) *estimate = r;
    if (low) *low = limit;
    return known && p->pairs >= 20 && limit > 0.2 ? fmin(r, 0.99) : 0;
}
