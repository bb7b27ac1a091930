/* left.c - when to stop looking, from the misses since the last keep.
 *
 * n proposals in a row that were not kept put an upper 90 % limit on the share that is: Clopper and
 * Pearson's 1 - .1^(1/n), about 2.3 / n.  A gain of two sigma is kept with .8 (the power of the
 * rule, docs/honest.md, section 4), so at most limit / .8 of such proposals have one.  Sigma is an
 * estimate too: its upper 90 % limit is used.  What the proposals left may bring is
 *
 *     share x power x effect x proposals left
 *
 * and where that is less than the floor the search is over: a finding, with a number.  Misses
 * before the last keep do not count: a keep shows that there was something to find. */
#include "science/left.h"

#include <math.h>

#include "science/noisebook.h"

enum { LEFT_LEAST = 12 };
static const double power = 0.8, found = 2; /* sigma */

Left left_of(int tried, int proposals, const Noise *noise, double floor)
{
    double limit = verdict_share_limit(0, tried);
    double sigma = noise->nu > 0 ? noise_limits(noise, 0.8).high : (double)NAN;
    Left l = {
        .tried = tried, .share = fmin(1, limit / power), .effect = found * sigma, .floor = floor
    };
    l.gain = l.share * power * l.effect * proposals;
    l.nothing = tried >= LEFT_LEAST && l.gain < floor;
    return l;
}
