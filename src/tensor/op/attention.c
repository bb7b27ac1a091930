/* attention.c - softmax(scale q k^T + mask) v, causal, by sequence and head.
 *
 * Written as products on blocks of 64 queries against all the keys they may see, with the
 * softmax between them in the worker's scratch: no (T, S) matrix is kept, only the largest logit
 * and 1/sum of each row, from which the backward pass makes the probabilities again
 * (FlashAttention's bargain, Dao et al. 2022, arXiv:2205.14135).  Its running rescale was not
 * taken: a whole row of logits fits the cache, and a row's result would depend on how it met its
 * blocks.  As it is, a query's result is the same alone over a cache and inside a sequence, to
 * the bit (E3): unseen keys are exact zeros in sums whose order is fixed by the keys' absolute
 * places, which is why blocks begin at multiples of 384, the product's own chunk.
 *
 * Backward, a part is a sequence and a *key* head: the query heads that share it are added up in
 * order, inside one part.  With d_p = d_out v^T and m = d_out . out,
 *     d_z = p (d_p - m),   d_q = scale d_z k,   d_k = scale d_z^T q,   d_v = p^T d_out.
 *
 * The definition (E5) is the plain loops of level/attention_ref.h, which are the ref kernel.  An
 * expansion into plainer ops would need transposed views and masks as values, for this op only. */
#include "tensor/level/attention.h"
#include "tensor/gemm.h"
#if LEVEL == 0
#include "tensor/level/attention_ref.h"
#endif

static int parts(const Node *n, int phase, bool backward)
{
    (void)phase;
    Att a = att_of(n);
    return (int)(a.batch * (backward ? a.kv : a.heads));
}

#if LEVEL == 0
static void scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    (void)backward;
    *shared = 0;
    *own = 2 * att_of(n).s * (ptrdiff_t)sizeof(real);
}
#else

enum { QUERIES = 64, KEY_CHUNK = 384 };

/* A block of queries t0..t1-1 of one head, the keys k0..k1-1 any of them sees, and room for their
 * logits: rows of `step` elements. */
typedef struct Block {
    const Call *c;
    Att a;
    ptrdiff_t b, h, g, t0, t1, k0, k1, step;
    real *p, *d_z, *slope; // (QUERIES, step) each
    void *gemm;
} Block;

static ptrdiff_t key_step(const Att *a)
{
    return (a->s + LANES - 1) / LANES * LANES;
}

static ptrdiff_t gemm_room(const Att *a)
{
    ptrdiff_t k = MAX(gemm_own(a->size), gemm_own(a->s));
    return scratch_round(MAX(k, gemm_own(QUERIES)));
}

static ptrdiff_t block_bytes(const Att *a)
{
    return QUERIES * key_step(a) * (ptrdiff_t)sizeof(real);
}

static void scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    Att a = att_of(n);
    ptrdiff_t sums = 2 * scratch_round(a.s * a.size * (ptrdiff_t)sizeof(real));
    *shared = 0;
    *own = gemm_room(&a) + (backward ? 3 * block_bytes(&a) + sums : block_bytes(&a));
}

static Block block_new(const Call *c, ptrdiff_t b, ptrdiff_t h, void *own)
{
    Block s = { .c = c, .a = att_of(c->node), .b = b, .h = h };
    s.g = h / (s.a.heads / s.a.kv);
    s.step = key_step(&s.a);
    s.gemm = own;
    s.p = (real *)((char *)own + gemm_room(&s.a));
    s.d_z = s.p + QUERIES * s.step;
    s.slope = s.d_z + QUERIES * s.step;
    return s;
}

static void block_at(Block *s, ptrdiff_t t0)
{
    s->t0 = t0;
    s->t1 = MIN(s->a.t, t0 + QUERIES);
    s->k0 = s->a.s, s->k1 = 0;
    for (ptrdiff_t t = t0; t < s->t1; t++) {
        ptrdiff_t at = att_at(s->c, &s->a, s->b, t);
        s->k0 = MIN(s->k0, att_first(&s->a, at));
        s->k1 = MAX(s->k1, at + 1);
    }
    s->k0 = s->k0 / KEY_CHUNK * KEY_CHUNK;
}

static const real *block_head(const Block *s, int i, ptrdiff_t t, ptrdiff_t head)
{
    return (const real *)s->c->in[i] + att_head(s->c->node->in[i], s->b, t, head);
}

/* Row t of a (B, T, H, D) value that lies whole: out, d_out. */
static ptrdiff_t block_out(const Block *s, ptrdiff_t t)
{
    return ((s->b * s->a.t + t) * s->a.heads + s->h) * s->a.size;
}

/* to = x k^T, x the rows of the block at distance x_step, k keys or values; (queries, keys) */
static void block_product(const Block *s, real *to, const real *x, ptrdiff_t x_step, int k)
{
    Gemm g = { .m = s->t1 - s->t0,
               .n = s->k1 - s->k0,
               .k = s->a.size,
               .a = x,
               .a_row = x_step,
               .a_col = 1,
               .b = block_head(s, k, s->k0, s->g),
               .b_row = 1,
               .b_col = s->c->node->in[k]->stride[1],
               .c = to,
               .c_row = s->step };
    gemm_all(s->c->level, &g, s->gemm);
}

/* to (+)= p k, k keys or values; (queries, D) */
static void block_mix(const Block *s, real *to, ptrdiff_t to_step, const real *p, int k, bool add)
{
    Gemm g = { .m = s->t1 - s->t0,
               .n = s->a.size,
               .k = s->k1 - s->k0,
               .a = p,
               .a_row = s->step,
               .a_col = 1,
               .b = block_head(s, k, s->k0, s->g),
               .b_row = s->c->node->in[k]->stride[1],
               .b_col = 1,
               .c = to,
               .c_row = to_step,
               .add = add };
    gemm_all(s->c->level, &g, s->gemm);
}

/* sum += p^T x; (keys, D) */
static void block_spread(const Block *s, real *sum, const real *p, const real *x, ptrdiff_t x_step)
{
    Gemm g = { .m = s->k1 - s->k0,
               .n = s->a.size,
               .k = s->t1 - s->t0,
               .a = p,
               .a_row = 1,
               .a_col = s->step,
               .b = x,
               .b_row = x_step,
               .b_col = 1,
               .c = sum + s->k0 * s->a.size,
               .c_row = s->a.size,
               .add = true };
    gemm_all(s->c->level, &g, s->gemm);
}

/* Products of q and k to logits, -inf where a key of another document stands. */
static void row_logits(const Block *s, real *restrict z, real *restrict slope, ptrdiff_t n,
                       const int32_t *doc, int32_t own_doc)
{
    real scale = s->a.scale, cap = s->a.cap;
    for (ptrdiff_t j = 0; j < n; j++) z[j] *= scale;
    if (cap > 0)
        for (ptrdiff_t j = 0; j < n; j++) {
            real t = TANH(z[j] / cap);
            z[j] = cap * t;
            if (slope) slope[j] = R(1) - t * t;
        }
    if (doc)
        for (ptrdiff_t j = 0; j < n; j++) z[j] = doc[j] == own_doc ? z[j] : -(real)INFINITY;
}

/* The rows of p from products to e^(logit - largest), 0 where unseen.  `kept` has {largest,
 * 1/sum} per row and head: written where `learn`, else read, and p is scaled to probabilities. */
static void block_exp(Block *s, real *kept, bool learn, bool slopes)
{
    const int32_t *doc = att_doc(s->c, &s->a, s->b);
    ptrdiff_t keys = s->k1 - s->k0;
    for (ptrdiff_t t = s->t0; t < s->t1; t++) {
        ptrdiff_t at = att_at(s->c, &s->a, s->b, t), first = att_first(&s->a, at);
        real *row = s->p + (t - s->t0) * s->step, *z = row + (first - s->k0);
        real *slope = slopes ? s->slope + (z - s->p) : NULL;
        ptrdiff_t n = at + 1 - first;
        real *k = kept + 2 * ((s->b * s->a.t + t) * s->a.heads + s->h);
        row_logits(s, z, slope, n, doc ? doc + first : NULL, doc ? doc[at] : 0);
        memset(row, 0, (size_t)(first - s->k0) * sizeof(real));
        memset(z + n, 0, (size_t)(keys - (first - s->k0) - n) * sizeof(real));
        real top = learn ? row_max(z, n) : k[0];
        for (ptrdiff_t j = 0; j < n; j++) z[j] = EXP(z[j] - top);
        if (learn)
            k[0] = top, k[1] = R(1) / block_sum(row, keys);
        else
            for (ptrdiff_t j = 0; j < n; j++) z[j] *= k[1];
    }
}

static void forward(const Call *c, Work w)
{
    ptrdiff_t heads = c->node->in[ATT_Q]->dim[2];
    Block s = block_new(c, w.part / heads, w.part % heads, w.own);
    const real *kept = c->saved[0]; // (B, T, H, 2)
    for (ptrdiff_t t0 = 0; t0 < s.a.t; t0 += QUERIES) {
        block_at(&s, t0);
        block_product(&s, s.p, block_head(&s, ATT_Q, t0, s.h), c->node->in[ATT_Q]->stride[1],
                      ATT_K);
        block_exp(&s, c->saved[0], true, false);
        real *out = (real *)c->out[0] + block_out(&s, t0); // (B, T, H, D)
        ptrdiff_t out_step = heads * s.a.size;
        block_mix(&s, out, out_step, s.p, ATT_V, false);
        for (ptrdiff_t t = t0; t < s.t1; t++) {
            real *restrict row = out + (t - t0) * out_step;
            real r = kept[2 * ((s.b * s.a.t + t) * heads + s.h) + 1];
            for (ptrdiff_t i = 0; i < s.a.size; i++) row[i] *= r;
        }
    }
}

/* d_z = p (d_p - d_out . out) slope scale, in place of d_p. */
static void block_d_z(Block *s, bool slopes)
{
    for (ptrdiff_t t = s->t0; t < s->t1; t++) {
        ptrdiff_t at = block_out(s, t), row = (t - s->t0) * s->step;
        ptrdiff_t pos = att_at(s->c, &s->a, s->b, t), first = att_first(&s->a, pos) - s->k0;
        real mean =
            row_dot((const real *)s->c->d_out[0] + at, (const real *)s->c->out[0] + at, s->a.size);
        const real *restrict p = s->p + row, *restrict slope = s->slope + row;
        real *restrict d_z = s->d_z + row;
        real scale = s->a.scale;
        for (ptrdiff_t j = 0; j < s->k1 - s->k0; j++) d_z[j] = p[j] * (d_z[j] - mean) * scale;
        if (slopes)
            for (ptrdiff_t j = first; j <= pos - s->k0; j++) d_z[j] *= slope[j];
    }
}

/* One head: writes its d_q, adds to the sums of its key head. */
static void head_backward(Block *s, real *d_k, real *d_v)
{
    const Call *c = s->c;
    const Tensor *tq = c->node->in[ATT_Q];
    ptrdiff_t out_step = s->a.heads * s->a.size;
    bool slopes = s->a.cap > 0;
    for (ptrdiff_t t0 = 0; t0 < s->a.t; t0 += QUERIES) {
        block_at(s, t0);
        const real *q = block_head(s, ATT_Q, t0, s->h);
        const real *d_out = (const real *)c->d_out[0] + block_out(s, t0);
        block_product(s, s->p, q, tq->stride[1], ATT_K);
        block_exp(s, c->saved[0], false, slopes);
        if (c->d_in[ATT_V]) block_spread(s, d_v, s->p, d_out, out_step);
        block_product(s, s->d_z, d_out, out_step, ATT_V);
        block_d_z(s, slopes);
        if (c->d_in[ATT_K]) block_spread(s, d_k, s->d_z, q, tq->stride[1]);
        if (c->d_in[ATT_Q])
            block_mix(s, (real *)c->d_in[ATT_Q] + att_head(tq, s->b, t0, s->h), tq->stride[1],
                      s->d_z, ATT_K, c->add[ATT_Q]);
    }
}

static void put_sums(const Block *s, int i, const real *sum)
{
    const Tensor *x = s->c->node->in[i];
    if (!s->c->d_in[i]) return;
    for (ptrdiff_t t = 0; t < s->a.s; t++)
        row_put((real *)s->c->d_in[i] + att_head(x, s->b, t, s->g), sum + t * s->a.size, s->a.size,
                s->c->add[i]);
}

static void backward(const Call *c, Work w)
{
    Att a = att_of(c->node);
    ptrdiff_t b = w.part / a.kv, g = w.part % a.kv, group = a.heads / a.kv;
    Block s = block_new(c, b, g * group, w.own);
    real *d_k = s.slope + QUERIES * s.step, *d_v = d_k + a.s * a.size; // (S, D) each
    memset(d_k, 0, (size_t)(2 * a.s * a.size) * sizeof(real));
    for (ptrdiff_t h = g * group; h < (g + 1) * group; h++) {
        s.h = h;
        head_backward(&s, d_k, d_v);
    }
    put_sums(&s, ATT_K, d_k);
    put_sums(&s, ATT_V, d_v);
}
#endif

static bool shape_ints(OpShape *s, int i, ptrdiff_t batch, ptrdiff_t n, Err *err)
{
    const Tensor *x = s->in[i];
    if (!x) return true;
    if (!shape_whole(s, i, I32, err)) return false;
    if (x->rank != 2 || x->dim[0] != batch || x->dim[1] != n)
        return err_set(err, ERR_CONFIG, "input %d must be (%td, %td)", i, batch, n);
    return true;
}

static bool shape(OpShape *s, Err *err)
{
    const Tensor *q = s->in[ATT_Q], *k = s->in[ATT_K], *v = s->in[ATT_V];
    for (int i = ATT_Q; i <= ATT_V; i++)
        if (!shape_rows(s, i, err)) return false;
    if (q->rank != 4 || k->rank != 4 || !shape_same(k, v) || q->dim[0] != k->dim[0] ||
        q->dim[3] != k->dim[3])
        return err_set(err, ERR_CONFIG, "attention wants q (B, T, H, D), k and v (B, S, K, D)");
    if (q->dim[2] % k->dim[2])
        return err_set(err, ERR_CONFIG, "%td key heads do not divide %td heads", k->dim[2],
                       q->dim[2]);
    if (!s->in[ATT_POS] && q->dim[1] != k->dim[1])
        return err_set(err, ERR_CONFIG, "%td queries and %td keys need pos", q->dim[1], k->dim[1]);
    shape_like(s->out[0], q);
    return shape_ints(s, ATT_POS, q->dim[0], q->dim[1], err) &&
           shape_ints(s, ATT_DOC, q->dim[0], k->dim[1], err) &&
           shape_set(s->saved[0], 4, (ptrdiff_t[]){ q->dim[0], q->dim[1], q->dim[2], 2 });
}

/* All T x S pairs, as published figures count them, though half are masked. */
static int64_t flops(const Node *n)
{
    Att a = att_of(n);
    return 4 * (int64_t)a.batch * a.heads * a.t * a.s * a.size;
}

static const OpCase cases[] = {
    { .rank = { 4, 4, 4 }, .dim = { { 2, 7, 1, 4 }, { 2, 7, 1, 4 }, { 2, 7, 1, 4 } } },
    { .rank = { 4, 4, 4 }, .dim = { { 1, 1, 2, 3 }, { 1, 1, 1, 3 }, { 1, 1, 1, 3 } } },
    { .rank = { 4, 4, 4 },
      .dim = { { 2, 5, 4, 3 }, { 2, 5, 2, 3 }, { 2, 5, 2, 3 } },
      .opt = { .scale = 0.7f, .cap = 1.5f } },
    { .rank = { 4, 4, 4, 0, 2 },
      .dim = { { 2, 9, 2, 4 }, { 2, 9, 2, 4 }, { 2, 9, 2, 4 }, { 0 }, { 2, 9 } },
      .below = { 0, 0, 0, 0, 3 },
      .opt = { .window = 4 } },
    { .rank = { 4, 4, 4, 2 },
      .dim = { { 2, 3, 2, 4 }, { 2, 11, 1, 4 }, { 2, 11, 1, 4 }, { 2, 3 } },
      .below = { 0, 0, 0, 11 } },
    { .rank = { 4, 4, 4 },
      .dim = { { 1, 150, 3, 16 }, { 1, 150, 1, 16 }, { 1, 150, 1, 16 } },
      .opt = { .cap = 20 } },
    { .rank = { 4, 4, 4, 0, 2 },
      .dim = { { 1, 500, 2, 8 }, { 1, 500, 2, 8 }, { 1, 500, 2, 8 }, { 0 }, { 1, 500 } },
      .below = { 0, 0, 0, 0, 2 },
      .opt = { .window = 70 } },
};

KERNEL(attention, .parts = parts, .scratch = scratch, .forward = forward, .backward = backward);
OPDEF(attention, .doc = "softmax(scale q k^T + mask) v, causal; window, documents, softcap",
      .source = "arXiv:1706.03762, arXiv:2205.14135", .kind = OP_COMPOSITE, .n_in = 5, .n_out = 1,
      .n_saved = 1, .optional = 1 << ATT_POS | 1 << ATT_DOC, .integer = 1 << ATT_POS | 1 << ATT_DOC,
      .strided = 7, .needs_in = 31, .needs_out = 1, .causal = true, .shape = shape, .flops = flops,
      .cases = cases, .n_cases = COUNT(cases));
