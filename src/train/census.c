/* census.c - counts of single tokens: what a model that knows nothing but frequencies would lose,
 * and whether the vocabulary is one of this text.
 *
 * From the shards as they lie, not from the loader: what the loader does wrong must not be in the
 * yardstick. */
#include "train/census.h"

#include <math.h>

enum { CHUNK = 16384, CHUNKS = 4, EACH = 50 };

static bool count_source(const MixtureSource *s, int32_t *tokens, double *count, int64_t *seen,
                         int vocab, Err *err)
{
    int64_t all = s->shard.tokens, n = MIN(all, CHUNK), chunks = MIN(CHUNKS, all / n);
    for (int64_t i = 0; i < chunks; i++) {
        if (!shard_read(&s->shard, (all - n) * i / chunks, n, tokens, err)) return false;
        for (int64_t k = 0; k < n; k++)
            if (tokens[k] >= 0 && tokens[k] < vocab)
                count[tokens[k]] += s->weight / (double)(n * chunks);
    }
    *seen += n * chunks;
    return true;
}

bool census_take(const Mixture *m, Arena scratch, Census *out, Err *err)
{
    int vocab = tokenizer_vocab(m->tokenizer), unused = 0;
    int64_t seen = 0;
    double *count = NEW(&scratch, double, vocab), sum = 0;
    int32_t *tokens = NEW(&scratch, int32_t, CHUNK);
    *out = (Census){ 0 };
    for (int i = 0; i < m->count; i++)
        if (!count_source(&m->source[i], tokens, count, &seen, vocab, err)) return false;
    for (int v = 0; v < vocab; v++) sum += count[v], unused += count[v] == 0;
    for (int v = 0; v < vocab; v++)
        if (count[v] > 0) out->unigram -= count[v] / sum * log(count[v] / sum);
    out->unused = (double)unused / vocab;
    out->enough = seen >= (int64_t)EACH * vocab;
    return true;
}
