/* head_loss.c - the head and its cross-entropy in one, so that logits never all exist at once.
 *
 * Rows are taken in chunks, multiples of 384 (the product's own chunk, so that their size changes
 * no bit): logits of a chunk are made once, by tiles; turned into d_logits in their place, by rows
 * (level/head_row.h: cross-entropy, z-loss, a teacher's soft targets); and spent at once on d_x, a
 * product by rows, and d_w, a sum over rows that goes on chunk after chunk.  So the gradients are
 * computed in the forward call (a LOSS op may: the gradient of the loss itself is 1), and an
 * evaluation, StepIn.train false, stops after the rows.  The usual three ops hold (N, V) logits
 * twice; with the vocabulary of GPT-2 that is more than all other activations together.
 *
 * With losses `ref` of another model, only some tokens of a chunk are learned from (Rho-1, Lin et
 * al. 2024, arXiv:2404.07965): the share `y` whose nll is most above ref, with a weight that makes
 * up for the others.  It is chosen between two phases over rows, from losses of the same logits; so
 * choosing costs one more pass of exponentials and no product.  All rows are scored.
 *
 * A phase has tiles of one kind: first w is packed, for the logits of all chunks; a chunk takes
 * five phases, of which two are empty where all tokens are learned from, and the sum one more.  A
 * chunk has as many rows as 32 MB of logits hold, since each reads all of w; and their number is
 * bounded, because phases are counted when the op is declared. */
#include "tensor/gemm.h"
#include "tensor/level/head_row.h"

enum { X, W, TARGET, WEIGHT, TOKEN, SOFT, REF, INPUTS };
enum { CHUNK = 384, CHUNKS_MAX = 64, LOGITS_MOST = 8 << 20 };
enum { STEP_LOGITS, STEP_SCORE, STEP_CHOOSE, STEP_ROWS, STEP_GRADS, STEPS };
enum { PACK, FIRST, LAST_PHASE = FIRST + STEPS * CHUNKS_MAX };

typedef struct Dims {
    ptrdiff_t n, v, c, chunk; /* rows, vocabulary, width; rows of a chunk */
    int k;                    /* tokens of the teacher in a row */
    bool choose, half;
} Dims;

static Dims of(const Node *n)
{
    Dims d = { .n = n->in[X]->dim[0], .v = n->in[W]->dim[0], .c = n->in[W]->dim[1] };
    d.half = n->precision == PRECISION_FP16;
    ptrdiff_t least = ceil_div(d.n, CHUNK * CHUNKS_MAX), roomy = LOGITS_MOST / (CHUNK * d.v);
    d.chunk = CHUNK * MAX(least, MIN(roomy, ceil_div(d.n, CHUNK)));
    d.k = n->in[SOFT] ? (int)n->in[SOFT]->dim[1] : 0;
    d.choose = n->in[REF] != NULL;
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
                   .once = true,
                   .half = d->half };
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
                   .c_row = d->c,
                   .half = d->half };
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
                   .c_row = d->c,
                   .half = d->half };
}

static int parts(const Node *n, int phase, bool backward)
{
    (void)backward;
    Dims d = of(n);
    if (phase == LAST_PHASE) return 1;
    ptrdiff_t m = chunk_rows(&d, phase == PACK ? FIRST : phase);
    if (!m) return 0;
    Gemm logits = product_logits(&d, m), d_w = product_d_w(&d, m), d_x = product_d_x(&d, m);
    if (phase == PACK) return gemm_packs(&logits) + gemm_packs(&d_x);
    switch ((phase - FIRST) % STEPS) {
    case STEP_LOGITS: return gemm_tiles(&logits) + gemm_packs(&d_w);
    case STEP_SCORE: return d.choose ? (int)ceil_div(m, rows_per_part(d.v)) : 0;
    case STEP_CHOOSE: return d.choose;
    case STEP_ROWS: return (int)ceil_div(m, rows_per_part(d.v));
    default: return gemm_tiles(&d_w) + gemm_tiles(&d_x);
    }
}

/* Shared: the logits of a chunk (chunk, V), the loss of each row (N); where some rows of a chunk
 * are learned from, which, by how much each is above ref, and the factor that makes up for the
 * rest; w packed for logits and for d_x, x of a chunk for d_w. */
typedef struct Shared {
    real *logits;
    double *loss, *above, *more;
    bool *keep;
    char *packed, *packed_x, *packed_w;
    ptrdiff_t bytes;
} Shared;

static Shared shared_of(const Dims *d, char *at)
{
    ptrdiff_t rows = MIN(d->chunk, d->n), chosen = d->choose ? rows : 0;
    Gemm logits = product_logits(d, rows), d_x = product_d_x(d, rows), d_w = product_d_w(d, rows);
    ptrdiff_t loss = scratch_round(rows * d->v * (ptrdiff_t)sizeof(real));
    ptrdiff_t above = loss + d->n * (ptrdiff_t)sizeof(double);
    ptrdiff_t keep = above + (chosen + 1) * (ptrdiff_t)sizeof(double);
    ptrdiff_t packed = scratch_round(keep + chosen), packed_x = packed + gemm_packed(&logits);
    ptrdiff_t packed_w = packed_x + gemm_packed(&d_x), bytes = packed_w + gemm_packed(&d_w);
    if (!at) return (Shared){ .bytes = bytes };
    return (Shared){ .logits = (real *)(void *)at,
                     .loss = (double *)(void *)(at + loss),
                     .above = (double *)(void *)(at + above),
                     .more = (double *)(void *)(at + above) + chosen,
                     .keep = (bool *)(at + keep),
                     .packed = at + packed,
                     .packed_x = at + packed_x,
                     .packed_w = at + packed_w,
                     .bytes = bytes };
}

static void scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    (void)backward;
    Dims d = of(n);
    *shared = shared_of(&d, NULL).bytes;
    ptrdiff_t products = MAX(gemm_own(d.c), MAX(gemm_own(d.v), gemm_own(MIN(d.chunk, d.n))));
    int rows = d.k > 0 || d.choose ? 2 : 1; /* slopes; exponentials */
    *own = MAX(products, rows * d.v * (ptrdiff_t)sizeof(real));
}

static bool wants_grads(const Call *c)
{
    return c->step->train && (c->d_in[X] || c->d_in[W]);
}

/* The gradients' products of the chunk that begins at row `first`. */
static Gemm chunk_d_x(const Call *c, const Dims *d, ptrdiff_t first, ptrdiff_t m)
{
    Gemm g = product_d_x(d, m);
    g.a = c->shared;
    g.b = c->in[W];
    g.c = c->d_in[X] ? (real *)c->d_in[X] + first * d->c : NULL;
    g.add = c->add[X];
    g.packed = shared_of(d, c->shared).packed_x;
    return g;
}

static Gemm chunk_d_w(const Call *c, const Dims *d, ptrdiff_t first, ptrdiff_t m)
{
    Gemm g = product_d_w(d, m);
    g.a = c->shared;
    g.b = (const real *)c->in[X] + first * d->c;
    g.c = c->d_in[W];
    g.add = c->add[W] || first > 0;
    g.packed = shared_of(d, c->shared).packed_w;
    return g;
}

/* The logits of a chunk; beside them, what is packed for later products. */
static void logits_part(const Call *c, const Dims *d, Work w)
{
    bool pack = w.phase == PACK;
    ptrdiff_t first = pack ? 0 : chunk_first(d, w.phase), m = chunk_rows(d, pack ? FIRST : w.phase);
    Gemm g = product_logits(d, m);
    g.a = (const real *)c->in[X] + first * d->c;
    g.b = c->in[W];
    g.c = c->shared;
    g.packed = shared_of(d, c->shared).packed;
    int of_logits = pack ? gemm_packs(&g) : gemm_tiles(&g);
    if (w.part < of_logits) {
        if (pack)
            gemm_pack(c->level, &g, w.part);
        else
            gemm_tile(c->level, &g, w.part, w.own);
    } else if (wants_grads(c)) {
        Gemm later = pack ? chunk_d_x(c, d, first, m) : chunk_d_w(c, d, first, m);
        if (later.c) gemm_pack(c->level, &later, w.part - of_logits);
    }
}

static int32_t target_of(const Call *c, const Dims *d, ptrdiff_t row)
{
    int32_t target = ((const int32_t *)c->in[TARGET])[row];
    CHECK(target < d->v, "head_loss: target %d of a vocabulary of %td", target, d->v);
    return target;
}

/* Row i of a chunk that begins with row `first`. */
static HeadRow row_of(const Call *c, const Dims *d, ptrdiff_t first, ptrdiff_t i, real *own)
{
    ptrdiff_t row = first + i;
    HeadRow r = { .z = (real *)c->shared + i * d->v,
                  .slope = own,
                  .heat = own + d->v,
                  .v = d->v,
                  .target = target_of(c, d, row),
                  .weight = *(const real *)c->in[WEIGHT],
                  .k = d->k,
                  .opt = &c->node->opt };
    if (d->k == 0) return r;
    r.idx = (const int32_t *)c->in[TOKEN] + row * d->k;
    r.q = (const real *)c->in[SOFT] + row * d->k;
    if (c->step->train && c->d_in[SOFT]) r.d_q = (real *)c->d_in[SOFT] + row * d->k;
    r.add_q = c->add[SOFT];
    return r;
}

/* The nll of each row, logits left as they are. */
static void score_part(const Call *c, const Dims *d, Work w)
{
    ptrdiff_t per = rows_per_part(d->v), m = chunk_rows(d, w.phase),
              first = chunk_first(d, w.phase);
    for (ptrdiff_t i = w.part * per; i < MIN(m, (w.part + 1) * per); i++) {
        HeadRow r = row_of(c, d, first, i, w.own);
        ((real *)c->out[1])[first + i] = r.target < 0 ? 0 : (real)head_score(&r);
    }
}

/* Rows without a target are below all others. */
static void choose(const Call *c, const Dims *d, int phase)
{
    ptrdiff_t m = chunk_rows(d, phase), first = chunk_first(d, phase), counted = 0;
    const real *nll = (const real *)c->out[1] + first, *ref = (const real *)c->in[REF] + first;
    Shared s = shared_of(d, c->shared);
    for (ptrdiff_t i = 0; i < m; i++) {
        bool counts = target_of(c, d, first + i) >= 0;
        s.above[i] = counts ? (double)nll[i] - (double)ref[i] : -HUGE_VAL;
        counted += counts;
    }
    ptrdiff_t kept = head_kept(&c->node->opt, counted);
    *s.more = kept > 0 ? (double)counted / (double)kept : 0;
    head_choose(s.above, m, kept, s.keep);
}

/* A row that is not learned from leaves nothing behind. */
static void row_silent(const HeadRow *r)
{
    memset(r->z, 0, (size_t)r->v * sizeof(real));
    for (int j = 0; j < r->k && r->d_q && !r->add_q; j++) r->d_q[j] = 0;
}

static void rows_part(const Call *c, const Dims *d, Work w)
{
    ptrdiff_t per = rows_per_part(d->v), m = chunk_rows(d, w.phase),
              first = chunk_first(d, w.phase);
    Shared s = shared_of(d, c->shared);
    for (ptrdiff_t i = w.part * per; i < MIN(m, (w.part + 1) * per); i++) {
        HeadRow r = row_of(c, d, first, i, w.own);
        real *nll = (real *)c->out[1] + first + i;
        double more = d->choose ? *s.more : 1;
        s.loss[first + i] = 0;
        if (r.target < 0) *nll = 0;
        if (r.target < 0 || (d->choose && !s.keep[i])) {
            row_silent(&r);
            continue;
        }
        if (d->choose) r.weight *= (real)more;
        s.loss[first + i] = more * head_row(&r, wants_grads(c), nll);
    }
}

static void grads_part(const Call *c, const Dims *d, Work w)
{
    ptrdiff_t first = chunk_first(d, w.phase), m = chunk_rows(d, w.phase);
    Gemm d_w = chunk_d_w(c, d, first, m), d_x = chunk_d_x(c, d, first, m);
    int of_x = gemm_tiles(&d_x);
    if (w.part < of_x) { /* the few long tiles first: the short ones fill up what is left */
        if (d_x.c) gemm_tile(c->level, &d_x, w.part, w.own);
    } else if (d_w.c) {
        gemm_tile(c->level, &d_w, w.part - of_x, w.own);
    }
}

static void sum_loss(const Call *c, const Dims *d)
{
    const double *loss = shared_of(d, c->shared).loss; // (N)
    double sum = 0;
    for (ptrdiff_t i = 0; i < d->n; i++) sum += loss[i];
    *(real *)c->out[0] = *(const real *)c->in[WEIGHT] * (real)sum;
    if (!c->step->train) return;
    real *d_weight = c->d_in[WEIGHT], *d_ref = c->d_in[REF];
    if (d_weight) *d_weight = c->add[WEIGHT] ? *d_weight + (real)sum : (real)sum;
    if (d_ref && !c->add[REF]) memset(d_ref, 0, (size_t)d->n * sizeof(real));
}

static void forward(const Call *c, Work w)
{
    Dims d = of(c->node);
    if (w.phase == LAST_PHASE) {
        sum_loss(c, &d);
        return;
    }
    if (w.phase == PACK) {
        logits_part(c, &d, w);
        return;
    }
    switch ((w.phase - FIRST) % STEPS) {
    case STEP_LOGITS: logits_part(c, &d, w); break;
    case STEP_SCORE: score_part(c, &d, w); break;
    case STEP_CHOOSE: choose(c, &d, w.phase); break;
    case STEP_ROWS: rows_part(c, &d, w); break;
    case STEP_GRADS:
        if (wants_grads(c)) grads_part(c, &d, w);
        break;
    }
}

static bool teacher_fits(OpShape *s, Err *err)
{
    const Tensor *token = s->in[TOKEN], *soft = s->in[SOFT], *ref = s->in[REF];
    ptrdiff_t n = s->in[X]->dim[0];
    if (ref && !shape_vector(s, REF, n, err)) return false;
    if (!token != !soft)
        return err_set(err, ERR_CONFIG,
                       "head_loss wants a teacher's tokens and shares, or neither");
    if (!soft) return true;
    if (!shape_whole(s, TOKEN, I32, err) || !shape_whole(s, SOFT, F32, err)) return false;
    if (token->rank == 2 && soft->rank == 2 && token->dim[0] == n && soft->dim[0] == n &&
        token->dim[1] == soft->dim[1])
        return true;
    return err_set(err, ERR_CONFIG, "head_loss wants a teacher's tokens and shares as (N, k)");
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
    if (!teacher_fits(s, err)) return false;
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
    { .rank = { 2, 2, 1, 1, 2, 2 },
      .dim = { { 7, 5 }, { 13, 5 }, { 7 }, { 1 }, { 7, 3 }, { 7, 3 } },
      .below = { 0, 0, 13, 0, 13 } },
    { .rank = { 2, 2, 1, 1, 2, 2 },
      .dim = { { 6, 4 }, { 30, 4 }, { 6 }, { 1 }, { 6, 2 }, { 6, 2 } },
      .below = { 0, 0, 30, 0, 30 },
      .opt = { .cap = 3, .p = 0.05f, .x = 2.5f } },
    { .rank = { 2, 2, 1, 1, 0, 0, 1 },
      .dim = { { 800, 6 }, { 33, 6 }, { 800 }, { 1 }, { 0 }, { 0 }, { 800 } },
      .below = { 0, 0, 33 },
      .opt = { .y = 0.6f } },
    { .rank = { 2, 2, 1, 1, 2, 2, 1 },
      .dim = { { 9, 3 }, { 11, 3 }, { 9 }, { 1 }, { 9, 2 }, { 9, 2 }, { 9 } },
      .below = { 0, 0, 11, 0, 11 },
      .opt = { .cap = 5, .x = 2, .y = 0.4f } },
};

KERNEL(head_loss, .phases = LAST_PHASE + 1, .parts = parts, .scratch = scratch, .forward = forward);
OPDEF(head_loss, .doc = "weight * sum of -ln softmax([cap] x w^T)[target] + z-loss; nll by rows",
      .source = "arXiv:2411.09009, arXiv:2204.02311, arXiv:1503.02531, arXiv:2404.07965",
      .kind = OP_LOSS, .n_in = INPUTS, .n_out = 2, .optional = 1 << TOKEN | 1 << SOFT | 1 << REF,
      .integer = 1 << TARGET | 1 << TOKEN, .shape = shape, .flops = flops, .cases = cases,
      .n_cases = COUNT(cases));
