/* loader.c - which tokens stand in row r of a run.
 *
 * Everything is computed from (seed, r): nothing is remembered, so nothing has to be saved in a
 * checkpoint, any step can be asked for first, and threads may ask at once.
 *
 * Which source: a rotation, u(r) = r A + B mod 2^32 with A the golden ratio of 2^32 and B drawn
 * from the seed, falls into the sources' intervals, whose lengths are their weights.  Of all
 * orders that are known this one keeps the share of every source in every stretch of rows
 * closest to its weight (Weyl; Knuth 6.4), where independent draws would add noise between
 * batches.  How many of the rows before r were a source's is a sum of floors, found in a few
 * dozen steps like a greatest common divisor.
 *
 * A curriculum has other intervals from some row on; the same rotation goes on in them, and the
 * rows before r are counted phase by phase.
 *
 * Which place: source rows are laid end to end round the shard, without overlap, beginning at an
 * offset drawn for each epoch; the epoch's order is a permutation drawn for it.  In an epoch no
 * token is asked for twice, and fewer than one row's worth is left for another epoch's offset.
 * Packed rows (packing.c) are laid out once for the seed; then only the permutation is drawn. */
#include <string.h>

#include "base/hash.h"
#include "base/rand.h"
#include "data/mixture.h"

static const uint64_t TURN = (uint64_t)1 << 32, GOLDEN = 2654435769u;

typedef unsigned __int128 Wide;

/* Sum over k < n of floor((a k + b) / m). */
static Wide floor_sum(Wide n, Wide m, Wide a, Wide b)
{
    Wide sum = 0;
    for (;;) {
        if (n > 0) sum += n * (n - 1) / 2 * (a / m) + n * (b / m);
        a %= m;
        b %= m;
        Wide top = a * n + b;
        if (top < m) return sum;
        n = top / m;
        b = top % m;
        Wide swap = m;
        m = a;
        a = swap;
    }
}

static double weight_of(const Mixture *m, int phase, int source)
{
    return phase > 0 ? m->later[phase - 1].weight[source] : m->source[source].weight;
}

/* Where the intervals of the sources before `source` end, of TURN, in a phase of the curriculum. */
static uint64_t interval(const Mixture *m, int phase, int source)
{
    double below = 0;
    if (source >= m->count) return TURN;
    for (int i = 0; i < source; i++) below += weight_of(m, phase, i);
    return MIN((uint64_t)(below * (double)TURN + 0.5), TURN);
}

/* The first row of a phase; of the one behind the last, more than there are. */
static int64_t first_row(const Loader *l, int phase)
{
    const Mixture *m = l->mixture;
    if (phase == 0) return 0;
    return phase > m->n_later ? INT64_MAX : m->later[phase - 1].from_step * l->rows_per_step;
}

static uint64_t rotation_start(uint64_t seed)
{
    Rand r = rand_stream(seed, "data/order of sources");
    return rand_u64(&r) % TURN;
}

/* How many of the first n places of the rotation lie below `end`. */
static uint64_t places_below(uint64_t n, uint64_t start, uint64_t end)
{
    Wide all = floor_sum(n, TURN, GOLDEN, start);
    Wide rest = floor_sum(n, TURN, GOLDEN, start + TURN - end);
    return (uint64_t)(all + n - rest);
}

/* Rows of the source among the first n, if one phase held from the beginning. */
static int64_t rows_in_phase(const Loader *l, int phase, int source, int64_t n)
{
    const Mixture *m = l->mixture;
    uint64_t start = rotation_start(l->seed);
    return (int64_t)(places_below((uint64_t)n, start, interval(m, phase, source + 1)) -
                     places_below((uint64_t)n, start, interval(m, phase, source)));
}

int64_t loader_rows(const Loader *l, int source, int64_t rows)
{
    int64_t sum = 0;
    if (l->mixture->count == 1) return rows;
    for (int phase = 0; first_row(l, phase) < rows; phase++) {
        int64_t from = first_row(l, phase), to = MIN(first_row(l, phase + 1), rows);
        sum += rows_in_phase(l, phase, source, to);
        if (from > 0) sum -= rows_in_phase(l, phase, source, from);
    }
    return sum;
}

static int source_of(const Loader *l, int64_t row)
{
    const Mixture *m = l->mixture;
    uint64_t u = ((uint64_t)row * GOLDEN + rotation_start(l->seed)) % TURN;
    int phase = 0, i = 0;
    while (row >= first_row(l, phase + 1)) phase++;
    while (i + 1 < m->count && u >= interval(m, phase, i + 1)) i++;
    return i;
}

static int64_t rows_per_epoch(const Loader *l, int source)
{
    if (l->packing) return l->packing[source].rows;
    return l->mixture->source[source].shard.tokens / l->context;
}

/* The source's k-th row: its place in the shard, or which of the packed rows it is. */
static int64_t place_of(const Loader *l, int source, int64_t k)
{
    const MixtureSource *s = &l->mixture->source[source];
    int64_t rows = rows_per_epoch(l, source), epoch = k / rows;
    Rand draw = { .key = l->seed, .stream = s->stream, .index = (uint64_t)epoch * 2 };
    uint64_t order = rand_u64(&draw), offset = rand_u64(&draw) % (uint64_t)s->shard.tokens;
    uint64_t i = rand_permute((uint64_t)(k % rows), (uint64_t)rows, order);
    if (l->packing) return (int64_t)i;
    return (int64_t)((offset + i * (uint64_t)l->context) % (uint64_t)s->shard.tokens);
}

bool loader_open(Loader *l, const Mixture *m, int batch, int context, uint64_t seed, Err *err)
{
    CHECK(batch > 0 && context > 0, "rows of %d by %d", batch, context);
    *l = (Loader){
        .mixture = m, .batch = batch, .context = context, .rows_per_step = batch, .seed = seed
    };
    for (int i = 0; i < m->count; i++) {
        const MixtureSource *s = &m->source[i];
        if (s->shard.tokens <= context)
            return err_set(err, ERR_CONFIG,
                           "a context of %d is longer than the data set %s, which has %lld tokens; "
                           "set model.context below that",
                           context, s->name, (long long)s->shard.tokens);
    }
    return true;
}

bool loader_pack(Loader *l, Arena *out, Err *err)
{
    const Mixture *m = l->mixture;
    if (!m->bestfit) return true;
    Packing *p = NEW(out, Packing, m->count);
    for (int i = 0; i < m->count; i++) {
        const MixtureSource *s = &m->source[i];
        Rand draw = { .key = l->seed, .stream = s->stream ^ rand_name("data/packing") };
        if (!packing_make(&p[i], &s->shard, l->context + 1, tokenizer_end(m->tokenizer),
                          rand_u64(&draw), out, err))
            return err_wrap(err, "data set %s", s->name);
        if (p[i].rows == 0)
            return err_set(err, ERR_CONFIG,
                           "the data set %s does not fill one row of %d tokens; set model.context "
                           "below that",
                           s->name, l->context + 1);
    }
    l->packing = p;
    return true;
}

/* Reads row r into x and y, (T) each. */
static bool fill_row(const Loader *l, int64_t r, int32_t *x, int32_t *y, Err *err)
{
    int source = source_of(l, r);
    const Shard *shard = &l->mixture->source[source].shard;
    int64_t at = place_of(l, source, loader_rows(l, source, r)), T = l->context;
    if (l->packing) return packing_read(&l->packing[source], shard, at, x, y, err);
    if (!shard_read(shard, at, T, x, err)) return false;
    memcpy(y, x + 1, (size_t)(T - 1) * sizeof(*y));
    return shard_read(shard, (at + T) % shard->tokens, 1, y + T - 1, err);
}

bool loader_fill(const Loader *l, int64_t index, int32_t *tokens, int32_t *targets, int32_t *pos,
                 int32_t *doc, uint64_t *hash, Err *err)
{
    int B = l->batch, T = l->context;
    int32_t end = tokenizer_end(l->mixture->tokenizer);
    uint64_t h = 0;
    for (int b = 0; b < B; b++) {
        int32_t *x = tokens + (ptrdiff_t)b * T, *y = targets + (ptrdiff_t)b * T; /* (T) */
        if (!fill_row(l, index * B + b, x, y, err)) return false;
        for (int t = 0, number = 0; t < T; t++) {
            number += t > 0 && x[t] == end;
            if (pos) pos[(ptrdiff_t)b * T + t] = t;
            if (doc) doc[(ptrdiff_t)b * T + t] = number;
        }
        if (hash) h = hash64(x, (ptrdiff_t)T * 4, h), h = hash64(y + T - 1, 4, h);
    }
    if (hash) *hash = h;
    return true;
}

double loader_epochs(const Loader *l, int source, int64_t rows)
{
    return (double)loader_rows(l, source, rows) / (double)rows_per_epoch(l, source);
}
