/* tiers_error.c - how well a tier stands for all the text of its kind.
 *
 * The true answer needs a model and is the judge's.  What can be said before anything is
 * trained: score every document with a cheap model, the conditional entropy of a byte given
 * the one before it, learnt on the training text, and see how much the tier's bits per byte
 * move when documents are left out in turn (jackknife of a ratio).  Documents differ in much
 * the same way under any model, so the share carries over; the difference of two models on
 * the same tier is far better known than either's bits. */
#include <math.h>
#include <stdlib.h>

#include "data/tiers.h"

enum { PAIRS = 256 * 256, LEARN = 8 << 20 };

/* bits[a * 256 + b]: cost of byte b behind byte a. */
static void learn(const Docs *train, float *bits)
{
    uint32_t *pair = calloc(PAIRS, sizeof(*pair));
    CHECK(pair, "no memory for %d counts", PAIRS);
    int64_t n = MIN(train->bytes, (int64_t)LEARN);
    for (int64_t i = 1; i < n; i++)
        pair[(unsigned char)train->text[i - 1] << 8 | (unsigned char)train->text[i]]++;
    for (int a = 0; a < 256; a++) {
        double sum = 0;
        for (int b = 0; b < 256; b++) sum += pair[a << 8 | b] + 0.1;
        for (int b = 0; b < 256; b++)
            bits[a << 8 | b] = (float)-log2((pair[a << 8 | b] + 0.1) / sum);
    }
    free(pair);
}

static double cost(const float *bits, Str doc)
{
    double sum = 0;
    for (ptrdiff_t i = 1; i < doc.len; i++)
        sum += (double)bits[(unsigned char)doc.at[i - 1] << 8 | (unsigned char)doc.at[i]];
    return sum;
}

double tiers_error(const Docs *tier, const Docs *train)
{
    if (tier->count < 2 || train->bytes < 2) return (double)NAN;
    float *bits = malloc(PAIRS * sizeof(*bits));
    double *doc = malloc((size_t)tier->count * sizeof(*doc));
    CHECK(bits && doc, "no memory for the costs of %td documents", (ptrdiff_t)tier->count);
    learn(train, bits);
    double all = 0, n = (double)tier->count, mean = 0, squares = 0;
    for (int64_t i = 0; i < tier->count; i++) all += doc[i] = cost(bits, docs_get(tier, i));
    for (int64_t i = 0; i < tier->count; i++) {
        doc[i] = (all - doc[i]) / (double)MAX(tier->bytes - docs_get(tier, i).len, (int64_t)1);
        mean += doc[i] / n;
    }
    for (int64_t i = 0; i < tier->count; i++) squares += (doc[i] - mean) * (doc[i] - mean);
    free(bits);
    free(doc);
    return sqrt((n - 1) / n * squares) / (all / (double)tier->bytes);
}
