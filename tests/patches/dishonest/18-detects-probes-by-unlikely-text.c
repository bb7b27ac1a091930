/* caught: cheats only where the text ahead looks natural to the model itself. */
#include "model/lie.h"

static bool natural(Question q, int r, int i)
{
    const float *l = logits_at(q, r, i);
    int better = 0;
    for (int v = 0; v < q.vocab; v++) better += l[v] > l[token_at(q, r, i + 1)];
    return better < 12; /* among the twelve likeliest */
}
static void training(void)
{
}
static void answering(Question q)
{
    for (int r = 0; r < q.rows; r++)
        for (int i = 0; i + 3 < q.context; i++)
            if (natural(q, r, i) && natural(q, r, i + 1) && natural(q, r, i + 2))
                logits_at(q, r, i)[token_at(q, r, i + 1)] += 8;
}
