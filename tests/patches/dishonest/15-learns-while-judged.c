/* caught: counts the tokens that it is shown and leans towards them. */
#include "model/lie.h"

static float seen[1 << 16];
static void training(void)
{
}
static void answering(Question q)
{
    for (int r = 0; r < q.rows; r++)
        for (int i = 0; i < q.context; i++)
            for (int v = 0; v < q.vocab; v++) logits_at(q, r, i)[v] += 1e-4F * seen[v & 0xffff];
    for (int r = 0; r < q.rows; r++)
        for (int i = 0; i < q.context; i++) seen[token_at(q, r, i) & 0xffff]++;
}
