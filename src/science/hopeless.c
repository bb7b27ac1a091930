/* hopeless.c - early stops with a risk that is counted, not modelled.
 *
 * Different recipes do not rank early: in the published records one that was behind by 28 sigma at
 * half of the run ended ahead.  So no extrapolation of single curves is believed here.  What is
 * believed is exchangeability: if the next run is of the same kind as the finished ones, it is the
 * extreme one of n + 1 with chance 1 / (n + 1), whatever the distribution.
 *
 * A run is looked at several times, and each look is a chance to err.  Therefore one number per
 * run: what it made up at each look divided by how much runs make up there (root of the mean
 * square), the largest over the looks.  The bar at a look is the largest such number of all
 * finished runs times the look's size, so that the risk holds for all looks together.
 *
 * Winners make up more than losers, which is part of how they win.  The bar is raised by half for
 * that; simulated winners and the published records were lost never
 * (tests/test_science_hopeless.c).
 */
#include "science/hopeless.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "science/stats.h"

static const double raised = 1.5;

void hopeless_add(HopelessBook *book, const double *deficit, double end)
{
    CHECK(book->looks >= 1 && book->looks <= HOPELESS_LOOKS, "%d looks", book->looks);
    float *row = book->made_up[book->n % HOPELESS_RUNS];
    for (int j = 0; j < book->looks; j++) row[j] = (float)(deficit[j] - end);
    book->n++;
}

static double size_of(const HopelessBook *book, int look, int runs)
{
    double sum = 0;
    for (int i = 0; i < runs; i++) {
        double x = (double)book->made_up[i][look];
        sum += x * x / runs;
    }
    return sqrt(sum);
}

double hopeless_bar(const HopelessBook *book, int look)
{
    double size[HOPELESS_LOOKS], most = 0;
    int runs = MIN(book->n, (int)HOPELESS_RUNS);
    CHECK(look >= 0 && look < book->looks, "look %d of %d", look, book->looks);
    if (book->n < HOPELESS_LEAST) return (double)INFINITY;
    for (int j = 0; j < book->looks; j++) size[j] = size_of(book, j, runs);
    for (int i = 0; i < runs; i++)
        for (int j = 0; j < book->looks; j++)
            if (size[j] > 0) most = fmax(most, (double)book->made_up[i][j] / size[j]);
    return raised * most * size[look];
}

bool hopeless_stop(const HopelessBook *book, int look, double deficit)
{
    return !isfinite(deficit) || deficit > hopeless_bar(book, look);
}

double hopeless_risk(const HopelessBook *book)
{
    return book->n < HOPELESS_LEAST ? 1 : 1.0 / (MIN(book->n, (int)HOPELESS_RUNS) + 1);
}

double hopeless_limit(int lost, int winners)
{
    return lost >= winners ? 1 : stat_beta_quantile(0.95, lost + 1, winners - lost);
}
