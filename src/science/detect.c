/* detect.c - what a session can resolve, said before anything is run.
 *
 * The table is sim_play()'s: one proposal in ten gains g, the others nothing; sessions of so many
 * proposals after a first bank of m runs, 60,000 proposals for each g; the g that is found with
 * probability .8, between the two g of a grid (steps of .25) around it.  A longer session helps a
 * small bank, whose poor estimate of the noise is mended by the candidates' own runs. */
#include "science/verdict.h"

#include <math.h>

enum { BANKS = 3, LENGTHS = 7 };
static const double bank[BANKS] = { 2, 4, 8 };
static const double length[LENGTHS] = { 4, 8, 12, 16, 24, 50, 100 };
static const double found[BANKS][LENGTHS] = {
    { 3.43, 2.77, 2.51, 2.36, 2.22, 2.09, 2.00 },
    { 2.28, 2.18, 2.13, 2.08, 2.04, 1.99, 1.97 },
    { 1.92, 1.94, 1.94, 1.95, 1.96, 1.97, 1.96 },
};

/* Where x stands on a grid, on a log scale: an index and the share of the next one. */
static int place(const double *grid, int n, double x, double *share)
{
    int i = 0;
    while (i < n - 2 && x >= grid[i + 1]) i++;
    *share = fmax(0, fmin(1, log(x / grid[i]) / log(grid[i + 1] / grid[i])));
    return i;
}

double verdict_detectable(int m, int proposals)
{
    double a, b;
    int i = place(bank, BANKS, MAX(m, 1), &a), j = place(length, LENGTHS, MAX(proposals, 1), &b);
    double low = found[i][j] + b * (found[i][j + 1] - found[i][j]);
    double high = found[i + 1][j] + b * (found[i + 1][j + 1] - found[i + 1][j]);
    return low + a * (high - low);
}
