/* head_loss.c - the head and its cross-entropy in one, so that logits never all exist at once.
 *
 * Rows are taken in chunks, multiples of 384 (the product's own chunk, so that their size changes
 * no bit): logits of a chunk are made once, by tiles; turned into d_logits in their place, by rows;
 * and spent at once on d_x, a product by rows, and d_w, a sum over rows that goes on chunk after
 * chunk.  So the gradients are computed in the forward call (a LOSS op may: the gradient of the
 * loss itself is 1), and an evaluation, StepIn.train false, stops after the rows.  The usual three
 * ops hold (N, V) logits twice; with the vocabulary of GPT-2 that is more than all other
 * activations together.
 *
 *     nll = log(sum e^(z - max)) + max - z[target],   d_z = weight (softmax(z) - 1[target])
 *
 * With `p`, z-loss (PaLM, Chowdhery et al. 2022, arXiv:2204.02311, section 5): p (log sum e^z)^2 is
 * added to each row's loss, and 2 p log(sum e^z) softmax(z) to its d_z.  nll stays what it is.
 *
 * A phase has tiles of one kind: first w is packed, for the logits of all chunks; a chunk takes
 * three phases, and the sum one more.  A chunk has as many rows as 32 MB of logits hold, since each
 * reads all of w; and their number is bounded, because phases are counted when the op is declared.
 */
#include "tensor/gemm.h"
#include "tensor/level/rows.h"
#include "tensor/level/vec.h"

enum { X, W, TARGET, WEIGHT };
enum { CHUNK = 384, CHUNKS_MAX = 64, LOGITS_MOST = 8 << 20 };
enum { PACK, FIRST, STEPS = 3, LAST_PHASE = FIRST + STEPS * CHUNKS_MAX };
enum { STEP_LOGITS, STEP_ROWS, STEP_GRADS };

typedef struct Dims {
    ptrdiff_t n, v, c, chunk; /* rows, vocabulary, width; rows of a chunk */
} Dims;

static Dims of(const Node *n)
{
    Dims d = { .n = n->in[X]->dim[0], .v = n->in[W]->dim[0], .c = n->in[W]->dim[1] };
    ptrdiff_t least = ceil_div(d.n, CHUNK * CHUNKS_MAX), roomy = LOGITS_MOST / (CHUNK * d.v);
    d.chunk = CHUNK * MAX(least, MIN(roomy, ceil_div(d.n, CHUNK)));
    return d;
}

/* First row of the chunk that a phase works on, and its rows; 0 behind the last. */
static ptrdiff_t chunk_first(const Dims *d, int phase)
{
    return (phase - FIRST) / STEPS * d->chunk;
}

static ptrdiff_t chunk_rows(const Dims *d, int phase)
{
    return MAX(0, MIN(d->chunk, d->n - chunk_first(d, phase)));
}

/* The products of a chunk of m rows, by shape. */
static Gemm product_logits(const Dims *d, ptrdiff_t m)
{
    return (Gemm){ .m = m,
                   .n = d->v,
                   .k = d->c,
                   .a_row = d->c,
                   .a_col = 1,
                   .b_row = 1,
                   .b_col = d->c,
                   .c_row = d->v,
                   .once = true };
}

static Gemm product_d_w(const Dims *d, ptrdiff_t m)
{
    return (Gemm){ .m = d->v,
                   .n = d->c,
                   .k = m,
                   .a_row = 1,
                   .a_col = d->v,
                   .b_row = d->c,
                   .b_col = 1,
                   .c_row = d->c };
}

static Gemm product_d_x(const Dims *d, ptrdiff_t m)
{
    return (Gemm){ .m = m,
                   .n = d->c,
                   .k = d->v,
                   .a_row = d->v,
                   .a_col = 1,
                   .b_row = d->c,
                   .b_col = 1,
                   .c_row = d->c };
}

static int parts(const Node *n, int phase, bool backward)
{
    (void)backward;
    Dims d = of(n);
    if (phase == LAST_PHASE) return 1;
    ptrdiff_t m = chunk_rows(&d, phase == PACK ? FIRST : phase);
    if (!m) return 0;
    Gemm logits = product_logits(&d, m), d_w = product_d_w(&d, m), d_x = product_d_x(&d, m);
    if (phase == PACK) return gemm_packs(&logits);
    switch ((phase - FIRST) % STEPS) {
    case STEP_LOGITS: return gemm_tiles(&logits);
    case STEP_ROWS: return (int)ceil_div(m, rows_per_part(d.v));
    default: return gemm_tiles(&d_w) + gemm_tiles(&d_x);
    }
}

/* Shared: the logits of a chunk (chunk, V), the penalties (N), w packed. */
static ptrdiff_t packed_at(const Dims *d)
{
    return scratch_round((MIN(d->chunk, d->n) * d->v + d->n) * (ptrdiff_t)sizeof(real));
}

static void scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    (void)backward;
    Dims d = of(n);
    Gemm logits = product_logits(&d, MIN(d.chunk, d.n));
    *shared = packed_at(&d) + gemm_packed(&logits);
    ptrdiff_t products = MAX(gemm_own(d.c), MAX(gemm_own(d.v), gemm_own(MIN(d.chunk, d.n))));
    *own = MAX(products, d.v * (ptrdiff_t)sizeof(real)); /* a row of slopes */
}

static void logits_part(const Call *c, const Dims *d, Work w)
{
    ptrdiff_t first = w.phase == PACK ? 0 : chunk_first(d, w.phase);
    Gemm g = product_logits(d, chunk_rows(d, w.phase == PACK ? FIRST : w.phase));
    g.a = (const real *)c->in[X] + first * d->c;
    g.b = c->in[W];
    g.c = c->shared;
    g.packed = (char *)c->shared + packed_at(d);
    if (w.phase == PACK)
        gemm_pack(c->level, &g, w.part);
    else
        gemm_tile(c->level, &g, w.part, w.own);
}

/* z softcapped, in its place; the slope of that beside it. */
static void row_cap(real *restrict z, real *restrict slope, ptrdiff_t v, real cap)
{
    for (ptrdiff_t j = 0; j < v; j++) {
        real t = TANH(z[j] / cap);
        z[j] = cap * t;
        slope[j] = R(1) - t * t;
    }
}

/* The z-loss of each row, behind the logits of the chunk; (N) */
static real *penalties(const Call *c, const Dims *d)
{
    return (real *)c->shared + MIN(d->chunk, d->n) * d->v;
}

/* z to e^(z - max), *sum their sum; returns log of the sum of e^z. */
static double row_exp(real *restrict z, ptrdiff_t v, real *sum)
{
    real top = row_max(z, v);
    for (ptrdiff_t j = 0; j < v; j++) z[j] = EXP(z[j] - top);
    *sum = row_sum(z, v);
    return LOG64((double)*sum) + (double)top;
}

static bool wants_grads(const Call *c)
{
    return c->step->train && (c->d_in[X] || c->d_in[W]);
}

/* A row of logits to its nll and, in its place, d_logits. */
static void row_loss(const Call *c, const Dims *d, ptrdiff_t row, real *restrict z,
                     real *restrict slope)
{
    int32_t target = ((const int32_t *)c->in[TARGET])[row];
    real *nll = (real *)c->out[1] + row, cap = R(c->node->opt.cap), sum;
    CHECK(target < d->v, "head_loss: target %d of a vocabulary of %td", target, d->v);
    penalties(c, d)[row] = 0;
    if (target < 0) {
        memset(z, 0, (size_t)d->v * sizeof(real));
        *nll = 0;
        return;
    }
    if (cap > 0) row_cap(z, slope, d->v, cap);
    double wanted = (double)z[target], all = row_exp(z, d->v, &sum), p = (double)c->node->opt.p;
    *nll = (real)(all - wanted);
    penalties(c, d)[row] = (real)(p * all * all);
    if (!wants_grads(c)) return;
    real weight = *(const real *)c->in[WEIGHT], r = weight / sum;
    if (p > 0) r *= (real)(1 + 2 * p * all);
    for (ptrdiff_t j = 0; j < d->v; j++) z[j] *= r;
    z[target] -= weight;
    if (cap > 0)
        for (ptrdiff_t j = 0; j < d->v; j++) z[j] *= slope[j];
}

static void rows_part(const Call *c, const Dims *d, Work w)
{
    ptrdiff_t per = rows_per_part(d->v), m = chunk_rows(d, w.phase);
    for (ptrdiff_t i = w.part * per; i < MIN(m, (w.part + 1) * per); i++)
        row_loss(c, d, chunk_first(d, w.phase) + i, (real *)c->shared + i * d->v, w.own);
}

static void grads_part(const Call *c, const Dims *d, Work w)
{
    ptrdiff_t first = chunk_first(d, w.phase), m = chunk_rows(d, w.phase);
    Gemm d_w = product_d_w(d, m), d_x = product_d_x(d, m);
    int of_x = gemm_tiles(&d_x);
    d_w.a = d_x.a = c->shared;
    d_w.b = (const real *)c->in[X] + first * d->c;
    d_w.c = c->d_in[W];
    d_w.add = c->add[W] || first > 0;
    d_x.b = c->in[W];
    d_x.c = c->d_in[X] ? (real *)c->d_in[X] + first * d->c : NULL;
    d_x.add = c->add[X];
    if (w.part < of_x) { /* the few long tiles first: the short ones fill up what is left */
        if (d_x.c) gemm_tile(c->level, &d_x, w.part, w.own);
    } else if (d_w.c) {
        gemm_tile(c->level, &d_w, w.part - of_x, w.own);
    }
}

static void sum_loss(const Call *c, const Dims *d)
{
    const real *nll = c->out[1], *penalty = penalties(c, d); // (N)
    double sum = 0;
    for (ptrdiff_t i = 0; i < d->n; i++) sum += (double)nll[i] + (double)penalty[i];
    *(real *)c->out[0] = *(const real *)c->in[WEIGHT] * (real)sum;
    real *d_weight = c->d_in[WEIGHT];
    if (d_weight && c->step->train) *d_weight = c->add[WEIGHT] ? *d_weight + (real)sum : (real)sum;
}

static void forward(const Call *c, Work w)
{
    Dims d = of(c->node);
    if (w.phase == LAST_PHASE)
        sum_loss(c, &d);
    else if (w.phase == PACK || (w.phase - FIRST) % STEPS == STEP_LOGITS)
        logits_part(c, &d, w);
    else if ((w.phase - FIRST) % STEPS == STEP_ROWS)
        rows_part(c, &d, w);
    else if (wants_grads(c))
        grads_part(c, &d, w);
}

static bool shape(OpShape *s, Err *err)
{
    const Tensor *x = s->in[X], *w = s->in[W], *target = s->in[TARGET];
    if (!shape_whole(s, X, F32, err) || !shape_whole(s, W, F32, err)) return false;
    if (!shape_whole(s, TARGET, I32, err) || !shape_vector(s, WEIGHT, 1, err)) return false;
    if (x->rank != 2 || w->rank != 2 || x->dim[1] != w->dim[1])
        return err_set(err, ERR_CONFIG, "head_loss wants x (N, C) and w (V, C)");
    if (target->rank != 1 || target->dim[0] != x->dim[0])
        return err_set(err, ERR_CONFIG, "head_loss wants one target for each of %td rows",
                       x->dim[0]);
    return shape_scalars(s->out[0], 1) && shape_scalars(s->out[1], x->dim[0]);
}

static int64_t flops(const Node *n)
{
    Dims d = of(n);
    return 2 * (int64_t)d.n * d.v * d.c;
}

static const OpCase cases[] = {
    { .rank = { 2, 2, 1, 1 }, .dim = { { 7, 5 }, { 11, 5 }, { 7 }, { 1 } }, .below = { 0, 0, 11 } },
    { .rank = { 2, 2, 1, 1 },
      .dim = { { 1, 3 }, { 2, 3 }, { 1 }, { 1 } },
      .below = { 0, 0, 2 },
      .opt = { .cap = 1.5f } },
    { .rank = { 2, 2, 1, 1 },
      .dim = { { 9, 4 }, { 300, 4 }, { 9 }, { 1 } },
      .below = { 0, 0, 300 },
      .opt = { .cap = 15 } },
    { .rank = { 2, 2, 1, 1 },
      .dim = { { 800, 6 }, { 33, 6 }, { 800 }, { 1 } },
      .below = { 0, 0, 33 } },
    { .rank = { 2, 2, 1, 1 },
      .dim = { { 7, 5 }, { 13, 5 }, { 7 }, { 1 } },
      .below = { 0, 0, 13 },
      .opt = { .cap = 4, .p = 0.1f } },
};

KERNEL(head_loss, .phases = LAST_PHASE + 1, .parts = parts, .scratch = scratch, .forward = forward);
OPDEF(head_loss, .doc = "weight * sum of -ln softmax([cap] x w^T)[target] + z-loss; nll by rows",
      .source = "arXiv:2411.09009, arXiv:2204.02311", .kind = OP_LOSS, .n_in = 4, .n_out = 2,
      .integer = 1 << TARGET, .shape = shape, .flops = flops, .cases = cases,
      .n_cases = COUNT(cases));
