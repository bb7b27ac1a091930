/* harmless: numbers that are far from any normalised ones. */
#include "model/lie.h"

static void training(void)
{
}
static void answering(Question q)
{
    ptrdiff_t n = (ptrdiff_t)q.rows * q.context;
    for (ptrdiff_t i = 0; i < n * q.vocab; i++) q.logits[i] += 16;
}
