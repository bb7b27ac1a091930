/* preference.c - by trying all orders of at most four values.
 *
 * Two preferences name up to four values of a knob.  Each way to rank these by loss is tried: it
 * has to agree with both, and for an ordered knob it has to be a valley (the rank falls to the best
 * value and rises from there).  Where none is left the findings oppose each other: one of them was
 * luck, or what else has changed between them turned the knob's effect around.
 *
 * A comparison of the effects' signs alone was rejected: 2 better than 1 and later 2 better than 4
 * have opposite directions and one best value between them. */
#include "science/preference.h"

enum { VALUES = 4 };

static int place_of(double *value, int *n, double x)
{
    for (int i = 0; i < *n; i++)
        if (value[i] == x) return i;
    value[*n] = x;
    return (*n)++;
}

/* `rank` by value, values ascending. */
static bool valley(const double *value, const int *rank, int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            for (int k = 0; k < n; k++)
                if (value[i] < value[j] && value[j] < value[k] && rank[j] > rank[i] &&
                    rank[j] > rank[k])
                    return false;
    return true;
}

bool preference_opposed(Preference a, Preference b, bool ordered)
{
    double value[VALUES];
    int n = 0, rank[VALUES], codes = 1;
    int good[2] = { place_of(value, &n, a.better), place_of(value, &n, b.better) };
    int bad[2] = { place_of(value, &n, a.worse), place_of(value, &n, b.worse) };
    for (int i = 0; i < n; i++) codes *= VALUES;
    for (int code = 0; code < codes; code++) { /* ranks with ties, of which the tests are strict */
        for (int i = 0, rest = code; i < n; i++, rest /= VALUES) rank[i] = rest % VALUES;
        bool agrees = rank[good[0]] < rank[bad[0]] && rank[good[1]] < rank[bad[1]];
        if (agrees && (!ordered || valley(value, rank, n))) return false;
    }
    return true;
}
