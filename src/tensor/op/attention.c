/* attention.c - softmax(scale q k^T + mask) v, causal, by sequence and head.
 *
 * Queries are taken in tiles of as many rows as the registers hold, and meet the keys in blocks of
 * 256 with a running softmax (Milakov, Gimelshein 2018, arXiv:1805.02867; FlashAttention, Dao et
 * al. 2022, arXiv:2205.14135): no row of logits is ever whole, only the largest logit and 1/sum of
 * each are kept, and from them the backward pass makes the probabilities again.  A tile looks at
 * the keys that any of its queries sees and no others, so half of the work of causal attention, and
 * all beyond a window or before a document, is not done.
 *
 * A query's result is the same alone over a cache and inside a sequence, to the bit (E3): blocks of
 * keys begin at multiples of 256 of the keys' absolute places; inside one, unseen keys are exact
 * zeros in chains of FMAs over ascending keys; a block of which a query sees nothing multiplies its
 * sums by 2^0.  Powers of two serve for e^x, because log2(e) joins the scale at no cost.
 *
 * Keys and values are laid out for the registers once per head, small against the products.  A
 * general product, called on blocks of 64 queries, packs them again for each block and computes
 * much of what is masked: forward and backward together took 1.2 times as long with 256 positions
 * and heads of 64, 1.6 times with 128 positions and heads of 24.
 *
 * Backward, a part is a sequence and a *key* head: the query heads that share it are added up in
 * order, inside one part.  With d_p = d_out v^T and m = d_out . out,
 *     d_z = p (d_p - m),   d_q = scale d_z k,   d_k = scale d_z^T q,   d_v = p^T d_out.
 *
 * The definition (E5) is the plain loops of level/attention_ref.h, which are the ref kernel.  An
 * expansion into plainer ops would need transposed views and masks as values, for this op only. */
#include "tensor/level/attention.h"

#include <float.h>

#include "tensor/level/tile.h"
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

/* KEYS: a block of the running softmax, part of the definition.  The rest is how work is cut, which
 * no bit depends on: where tiles of queries may begin to look, how many make a block backward, and
 * how many keys it meets at a time. */
enum { KEYS = 256, KEY_ALIGN = 32, BACK_KEYS = 128, BACK_TILES = LEVEL == 3 ? 2 : 4 };
enum { QUERIES = BACK_TILES * HIGH, ARRAYS = 12 };

/* What a part has at hand of its head. */
typedef struct Head {
    const Call *c;
    Att a;
    ptrdiff_t b, h, g;         /* g: the key head */
    ptrdiff_t low, end;        /* the keys that any query sees; low is a multiple of KEY_ALIGN */
    ptrdiff_t wide;            /* D filled up to whole vectors */
    real unit;                 /* from logits to powers of two */
    bool bent;                 /* logits are more than a multiple of the product */
    real *turned_k, *turned_v; // (S, D) each, as tile_turned() lays it
    real *k, *v, *d_k, *d_v;   // (S, wide) each
    real *p, *d_z, *slope;     // (HIGH, KEYS) or (QUERIES, BACK_KEYS) each
    real *q, *d_out;           // (QUERIES, wide) each
    real *sum;                 // (HIGH, wide) of values; or (QUERIES, wide), d_q
} Head;

/* Up to HIGH queries; what is reckoned for all of them at once has room for a vector of them. */
typedef struct Queries {
    ptrdiff_t t0, n;
    ptrdiff_t low, end;            /* the keys that any of them sees */
    ptrdiff_t at[HIGH];            /* the key that each of them stands at */
    real top[LANES], total[LANES]; /* the largest logit so far; sum of powers, or 1 / sum */
    real mean[LANES];              /* d_out . out */
} Queries;

/* Keys from..to-1 of the block that begins at `base`. */
typedef struct Keys {
    ptrdiff_t base, from, to;
} Keys;

static ptrdiff_t up(ptrdiff_t n, ptrdiff_t step)
{
    return (n + step - 1) / step * step;
}

/* ---- what lies where ------------------------------------------------------------------------- */

/* Elements of each array of a Head, in the order of head_new(); returns their sum. */
static ptrdiff_t head_sizes(const Att *a, bool backward, ptrdiff_t size[ARRAYS])
{
    ptrdiff_t keys = up(a->s, KEY_ALIGN), wide = up(a->size, WIDE), all = 0;
    ptrdiff_t rows = backward ? QUERIES : HIGH, block = rows * (backward ? BACK_KEYS : KEYS);
    const ptrdiff_t forward_only[ARRAYS] = { keys * a->size, 0, 0, keys * wide, 0, 0,
                                             block,          0, 0, 0,           0, rows * wide };
    const ptrdiff_t both[ARRAYS] = { keys * a->size,
                                     keys * a->size,
                                     keys * wide,
                                     0,
                                     keys * wide,
                                     keys * wide,
                                     block,
                                     block,
                                     a->cap > 0 ? block : 0,
                                     rows * wide,
                                     rows * wide,
                                     rows * wide };
    for (int i = 0; i < ARRAYS; i++) all += size[i] = up((backward ? both : forward_only)[i], 16);
    return all;
}

static void scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    Att a = att_of(n);
    ptrdiff_t size[ARRAYS];
    *shared = 0;
    *own = head_sizes(&a, backward, size) * (ptrdiff_t)sizeof(real);
}

static const real *head_at(const Head *s, int i, ptrdiff_t t, ptrdiff_t head)
{
    return (const real *)s->c->in[i] + att_head(s->c->node->in[i], s->b, t, head);
}

/* Row t of a (B, T, H, D) value that lies whole: out, d_out. */
static ptrdiff_t head_out(const Head *s, ptrdiff_t t)
{
    return ((s->b * s->a.t + t) * s->a.heads + s->h) * s->a.size;
}

static real *head_kept(const Head *s, ptrdiff_t t)
{
    return (real *)s->c->saved[0] + 2 * ((s->b * s->a.t + t) * s->a.heads + s->h); // (B, T, H, 2)
}

static void head_range(Head *s)
{
    s->low = s->a.s;
    for (ptrdiff_t t = 0; t < s->a.t; t++) {
        ptrdiff_t at = att_at(s->c, &s->a, s->b, t);
        s->low = MIN(s->low, att_first(&s->a, at));
        s->end = MAX(s->end, at + 1);
    }
    s->low = s->low / KEY_ALIGN * KEY_ALIGN;
}

static void head_new(Head *s, const Call *c, ptrdiff_t b, ptrdiff_t h, bool backward, real *own)
{
    *s = (Head){ .c = c, .a = att_of(c->node), .b = b, .h = h };
    real **const array[ARRAYS] = {
        &s->turned_k, &s->turned_v, &s->k,     &s->v, &s->d_k,   &s->d_v,
        &s->p,        &s->d_z,      &s->slope, &s->q, &s->d_out, &s->sum
    };
    ptrdiff_t size[ARRAYS];
    head_sizes(&s->a, backward, size);
    for (int i = 0; i < ARRAYS; own += size[i++]) *array[i] = own;
    s->g = h / (s->a.heads / s->a.kv);
    s->wide = up(s->a.size, WIDE);
    s->bent = s->a.cap > 0 || s->a.scale <= 0;
    s->unit = s->bent ? LOG2E : s->a.scale * LOG2E;
    head_range(s);
}

static void take_rows(const Head *s, int i, real *to)
{
    tile_rows(head_at(s, i, s->low, s->g), s->c->node->in[i]->stride[1], s->end - s->low, s->a.size,
              to + s->low * s->wide);
}

static void take_turned(const Head *s, int i, real *to)
{
    tile_turned(head_at(s, i, s->low, s->g), s->c->node->in[i]->stride[1], s->end - s->low,
                s->a.size, to + s->low * s->a.size);
}

static int query_tiles(const Att *a)
{
    return (int)ceil_div(a->t, HIGH);
}

/* The first key from low on that is of a document of one of the queries. */
static ptrdiff_t first_of_documents(const Head *s, const Queries *q)
{
    const int32_t *doc = att_doc(s->c, &s->a, s->b);
    for (ptrdiff_t j = q->low; doc && j < q->end; j++)
        for (int r = 0; r < q->n; r++)
            if (doc[q->at[r]] == doc[j]) return j;
    return q->low;
}

static void queries_at(const Head *s, int tile, Queries *q)
{
    int tiles = query_tiles(&s->a);
    q->t0 = s->a.t * tile / tiles;
    q->n = s->a.t * (tile + 1) / tiles - q->t0;
    q->low = s->a.s, q->end = 0;
    for (int r = 0; r < q->n; r++) {
        ptrdiff_t at = q->at[r] = att_at(s->c, &s->a, s->b, q->t0 + r);
        q->low = MIN(q->low, att_first(&s->a, at));
        q->end = MAX(q->end, at + 1);
    }
    for (int r = 0; r < LANES; r++) q->top[r] = -FLT_MAX, q->total[r] = 0;
    q->low = first_of_documents(s, q) / KEY_ALIGN * KEY_ALIGN;
}

static Keys keys_in(ptrdiff_t base, ptrdiff_t size, ptrdiff_t low, ptrdiff_t end)
{
    return (Keys){ base, MAX(base, low), MIN(base + size, end) };
}

/* ---- products: t has rows of a and c that belong to the block's base ------------------------- */

/* c = a x^T, x keys or values turned; (rows, keys) */
static void against_keys(const Head *s, Tile *t, ptrdiff_t rows, const real *turned, const Keys *k)
{
    t->k = s->a.size;
    t->a_col = 1;
    t->b = turned + k->from * s->a.size;
    t->b_step = PANEL;
    t->c += k->from - k->base;
    tile_run(t, (int)rows, up(k->to - k->from, WIDE), s->a.size * PANEL);
}

/* c (+)= a x, x keys or values by rows; (rows, wide) */
static void over_keys(const Head *s, Tile *t, ptrdiff_t rows, const real *x, const Keys *k)
{
    t->k = k->to - k->from;
    t->a += k->from - k->base;
    t->a_col = 1;
    t->b = x + k->from * s->wide;
    t->b_step = t->c_row = s->wide;
    tile_run(t, (int)rows, s->wide, PANEL);
}

/* sum += p^T x, x n queries by rows; (keys, wide) */
static void over_queries(const Head *s, const real *p, const real *x, ptrdiff_t n, const Keys *k,
                         real *sum)
{
    ptrdiff_t keys = k->to - k->from, tiles = ceil_div(keys, HIGH);
    for (ptrdiff_t i = 0; i < tiles; i++) {
        ptrdiff_t j = k->from + keys * i / tiles, high = k->from + keys * (i + 1) / tiles - j;
        Tile t = { .k = n,
                   .a = p + (j - k->base),
                   .a_row = 1,
                   .a_col = BACK_KEYS,
                   .b = x,
                   .b_step = s->wide,
                   .c = sum + j * s->wide,
                   .c_row = s->wide,
                   .add = true };
        tile_run(&t, (int)high, s->wide, PANEL);
    }
}

/* ---- rows of logits -------------------------------------------------------------------------- */

/* What one query sees of a block, counted from its base: first..end-1, and around that whole lanes.
 * `doc` is of the block's first key. */
typedef struct Seen {
    ptrdiff_t first, end, from, to;
    const int32_t *doc;
    int32_t own;
} Seen;

static inline Seen seen_of(const Head *s, const Queries *q, int r, const Keys *k)
{
    ptrdiff_t at = q->at[r];
    Seen x = { .first = MAX(att_first(&s->a, at), k->from) - k->base,
               .end = MIN(at + 1, k->to) - k->base };
    const int32_t *doc = att_doc(s->c, &s->a, s->b);
    x.from = x.first / LANES * LANES;
    x.to = up(x.end, LANES);
    if (doc) x.doc = doc + k->base, x.own = doc[at];
    if (x.end <= x.first) x.from = x.to = 0;
    return x;
}

static inline void hide_documents(real *restrict z, const Seen *x, real what)
{
    if (!x->doc) return;
    for (ptrdiff_t j = x->first; j < x->end; j++) z[j] = x->doc[j] == x->own ? z[j] : what;
}

static inline void hide_edges(real *z, const Seen *x, real what)
{
    if (x->from == x->to) return;
    tile_fill(z + x->from, x->first - x->from, what);
    tile_fill(z + x->end, x->to - x->end, what);
}

/* Zeros for the keys of the block that are looked at, but not by this query; by whole lanes. */
static inline void clear_around(real *z, const Seen *x, const Keys *k)
{
    const Lanes zero = { 0 };
    for (ptrdiff_t j = k->from - k->base; j < x->from; j += LANES)
        memcpy(z + j, &zero, sizeof(zero));
    for (ptrdiff_t j = x->to; j < k->to - k->base; j += LANES) memcpy(z + j, &zero, sizeof(zero));
}

static void row_bend(const Head *s, real *restrict z, real *restrict slope, const Seen *x)
{
    real scale = s->a.scale, cap = s->a.cap;
    if (cap > 0)
        for (ptrdiff_t j = x->from; j < x->to; j++) {
            real t = TANH(z[j] * scale / cap);
            z[j] = cap * t;
            if (slope) slope[j] = R(1) - t * t;
        }
    else
        for (ptrdiff_t j = x->from; j < x->to; j++) z[j] *= scale;
}

/* Of whole lanes, one at least. */
static inline real row_top(const real *z, ptrdiff_t n)
{
    Vec top = VLOAD(z);
    for (ptrdiff_t i = WIDE; i < n; i += WIDE) top = VMAX(VLOAD(z + i), top);
    return VTOP(top);
}

/* z to 2^(unit z - top) */
static inline void row_powers(real *z, ptrdiff_t n, real unit, real top)
{
    real below = -top;
    Vec u = VONE(&unit), b = VONE(&below);
    for (ptrdiff_t i = 0; i < n; i += WIDE) VSTORE(z + i, tile_exp2(VFMA(VLOAD(z + i), u, b)));
}

/* ---- forward --------------------------------------------------------------------------------- */

/* Products with a block of keys become powers of two below the largest logit so far; what was
 * summed up to here shrinks to that measure.  Rows go through each step together, because one by
 * one each would wait for its own maximum. */
static void block_forward(const Head *s, Queries *q, const Keys *k)
{
    Seen x[HIGH];
    real top[LANES], shrink[LANES], sum[LANES];
    for (int r = 0; r < LANES; r++) top[r] = -(real)INFINITY, sum[r] = 0;
    for (int r = 0; r < q->n; r++) {
        real *z = s->p + r * KEYS;
        x[r] = seen_of(s, q, r, k);
        clear_around(z, &x[r], k);
        if (x[r].from == x[r].to) continue;
        if (s->bent) row_bend(s, z, NULL, &x[r]);
        hide_documents(z, &x[r], -(real)INFINITY);
        hide_edges(z, &x[r], -(real)INFINITY);
        top[r] = row_top(z + x[r].from, x[r].to - x[r].from);
    }
    for (int r = 0; r < LANES; r++) {
        real now = s->unit * top[r] > q->top[r] ? s->unit * top[r] : q->top[r];
        shrink[r] = EXP2(q->top[r] - now);
        q->top[r] = now;
    }
    for (int r = 0; r < q->n; r++) {
        real *z = s->p + r * KEYS;
        row_powers(z + x[r].from, x[r].to - x[r].from, s->unit, q->top[r]);
        hide_documents(z, &x[r], 0);
        hide_edges(z, &x[r], 0);
        sum[r] = block_sum(z + x[r].from, x[r].to - x[r].from);
    }
    for (int r = 0; r < LANES; r++) q->total[r] = q->total[r] * shrink[r] + sum[r];
    for (int r = 0; r < q->n && k->base > q->low; r++)
        tile_scale(s->sum + r * s->wide, s->wide, shrink[r]);
}

static void put_out(const Head *s, const Queries *q)
{
    real share[LANES];
    for (int r = 0; r < LANES; r++) share[r] = R(1) / q->total[r];
    for (int r = 0; r < q->n; r++) {
        real *kept = head_kept(s, q->t0 + r), *sum = s->sum + r * s->wide;
        tile_scale(sum, s->wide, share[r]);
        tile_put((real *)s->c->out[0] + head_out(s, q->t0 + r), sum, s->a.size, false);
        kept[0] = q->top[r];
        kept[1] = share[r];
    }
}

static void forward(const Call *c, Work w)
{
    ptrdiff_t heads = c->node->in[ATT_Q]->dim[2];
    Head s;
    Queries q;
    head_new(&s, c, w.part / heads, w.part % heads, false, w.own);
    take_turned(&s, ATT_K, s.turned_k);
    take_rows(&s, ATT_V, s.v);
    for (int tile = 0; tile < query_tiles(&s.a); tile++) {
        queries_at(&s, tile, &q);
        for (ptrdiff_t base = q.low / KEYS * KEYS; base < q.end; base += KEYS) {
            Keys k = keys_in(base, KEYS, q.low, q.end);
            Tile z = { .a = head_at(&s, ATT_Q, q.t0, s.h),
                       .a_row = c->node->in[ATT_Q]->stride[1],
                       .c = s.p,
                       .c_row = KEYS };
            Tile mix = { .a = s.p, .a_row = KEYS, .c = s.sum, .add = base > q.low };
            against_keys(&s, &z, q.n, s.turned_k, &k);
            block_forward(&s, &q, &k);
            over_keys(&s, &mix, q.n, s.v, &k);
        }
        put_out(&s, &q);
    }
}

/* ---- backward -------------------------------------------------------------------------------- */

/* Products with keys and values to p and d_z; `row` counts in the block, `all` are its keys. */
static void row_backward(const Head *s, const Queries *q, int r, ptrdiff_t row, const Keys k[2])
{
    real *p = s->p + row * BACK_KEYS, *d_z = s->d_z + row * BACK_KEYS;
    real *slope = s->slope + row * BACK_KEYS;
    Seen x = seen_of(s, q, r, &k[0]);
    clear_around(p, &x, &k[1]);
    clear_around(d_z, &x, &k[1]);
    if (x.from == x.to) return;
    if (s->bent) row_bend(s, p, s->a.cap > 0 ? slope : NULL, &x);
    row_powers(p + x.from, x.to - x.from, s->unit, q->top[r]);
    Vec share = VONE(&q->total[r]), mean = VONE(&q->mean[r]), scale = VONE(&s->a.scale);
    for (ptrdiff_t i = x.from; i < x.to; i += WIDE) {
        Vec probs = VMUL(VLOAD(p + i), share);
        VSTORE(p + i, probs);
        VSTORE(d_z + i, VMUL(VMUL(probs, VSUB(VLOAD(d_z + i), mean)), scale));
    }
    if (s->a.cap > 0)
        for (ptrdiff_t j = x.first; j < x.end; j++) d_z[j] *= slope[j];
    hide_documents(p, &x, 0);
    hide_documents(d_z, &x, 0);
    hide_edges(p, &x, 0);
    hide_edges(d_z, &x, 0);
}

/* Queries at `row` of the block, whose keys are `all`. */
static void tile_backward(const Head *s, const Queries *q, ptrdiff_t row, const Keys *all)
{
    Keys k[2] = { keys_in(all->base, BACK_KEYS, q->low, q->end), *all };
    real *p = s->p + row * BACK_KEYS, *d_z = s->d_z + row * BACK_KEYS;
    Tile z = { .a = s->q + row * s->wide, .a_row = s->wide, .c = p, .c_row = BACK_KEYS };
    Tile d_p = { .a = s->d_out + row * s->wide, .a_row = s->wide, .c = d_z, .c_row = BACK_KEYS };
    Tile d_q = {
        .a = d_z, .a_row = BACK_KEYS, .c = s->sum + row * s->wide, .add = all->base > q->low
    };
    bool any = k[0].to > k[0].from;
    if (any) against_keys(s, &z, q->n, s->turned_k, &k[0]);
    if (any) against_keys(s, &d_p, q->n, s->turned_v, &k[0]);
    for (int r = 0; r < q->n; r++) row_backward(s, q, r, row + r, k);
    if (any && s->c->d_in[ATT_Q]) over_keys(s, &d_q, q->n, s->k, &k[0]);
}

/* What the forward pass kept; d_out: the rows of the tile. */
static void recall(const Head *s, Queries *q, const real *d_out)
{
    for (int r = 0; r < q->n; r++) {
        const real *out = (const real *)s->c->out[0] + head_out(s, q->t0 + r);
        q->top[r] = head_kept(s, q->t0 + r)[0];
        q->total[r] = head_kept(s, q->t0 + r)[1];
        q->mean[r] = tile_dot(d_out + r * s->wide, out, s->a.size);
    }
}

static void put_rows(const Head *s, int i, ptrdiff_t t0, ptrdiff_t n, const real *sum)
{
    const Tensor *x = s->c->node->in[i];
    if (!s->c->d_in[i]) return;
    for (ptrdiff_t t = 0; t < n; t++, sum += s->wide)
        tile_put((real *)s->c->d_in[i] + att_head(x, s->b, t0 + t, i == ATT_Q ? s->h : s->g), sum,
                 s->a.size, s->c->add[i]);
}

/* Up to BACK_TILES tiles from `tile` on: writes their d_q, adds to the sums of the key head. */
static void block_backward(const Head *s, int tile)
{
    Queries q[BACK_TILES];
    int tiles = MIN(BACK_TILES, query_tiles(&s->a) - tile);
    ptrdiff_t low = s->a.s, end = 0, n = 0;
    for (int i = 0; i < tiles; i++) {
        queries_at(s, tile + i, &q[i]);
        low = MIN(low, q[i].low), end = MAX(end, q[i].end), n += q[i].n;
    }
    ptrdiff_t t0 = s->a.t * tile / query_tiles(&s->a);
    tile_rows(head_at(s, ATT_Q, t0, s->h), s->c->node->in[ATT_Q]->stride[1], n, s->a.size, s->q);
    tile_rows((const real *)s->c->d_out[0] + head_out(s, t0), s->a.heads * s->a.size, n, s->a.size,
              s->d_out);
    for (int i = 0; i < tiles; i++) recall(s, &q[i], s->d_out + (q[i].t0 - t0) * s->wide);
    for (ptrdiff_t base = low / BACK_KEYS * BACK_KEYS; base < end; base += BACK_KEYS) {
        Keys all = keys_in(base, BACK_KEYS, low, end);
        for (int i = 0; i < tiles; i++) tile_backward(s, &q[i], q[i].t0 - t0, &all);
        if (s->c->d_in[ATT_V]) over_queries(s, s->p, s->d_out, n, &all, s->d_v);
        if (s->c->d_in[ATT_K]) over_queries(s, s->d_z, s->q, n, &all, s->d_k);
    }
    put_rows(s, ATT_Q, t0, n, s->sum);
}

static void backward(const Call *c, Work w)
{
    Att a = att_of(c->node);
    ptrdiff_t b = w.part / a.kv, g = w.part % a.kv, group = a.heads / a.kv;
    Head s;
    head_new(&s, c, b, g * group, true, w.own);
    take_turned(&s, ATT_K, s.turned_k);
    take_turned(&s, ATT_V, s.turned_v);
    take_rows(&s, ATT_K, s.k);
    memset(s.d_k, 0, (size_t)(a.s * s.wide) * sizeof(real));
    memset(s.d_v, 0, (size_t)(a.s * s.wide) * sizeof(real));
    for (; s.h < (g + 1) * group; s.h++)
        for (int tile = 0; tile < query_tiles(&a); tile += BACK_TILES) block_backward(&s, tile);
    put_rows(&s, ATT_K, 0, a.s, s.d_k);
    put_rows(&s, ATT_V, 0, a.s, s.d_v);
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
    { .rank = { 4, 4, 4 },
      .dim = { { 1, 290, 3, 24 }, { 1, 290, 1, 24 }, { 1, 290, 1, 24 } },
      .opt = { .scale = -0.2f } },
    { .rank = { 4, 4, 4, 2, 2 },
      .dim = { { 1, 5, 2, 17 }, { 1, 600, 2, 17 }, { 1, 600, 2, 17 }, { 1, 5 }, { 1, 600 } },
      .below = { 0, 0, 0, 600, 2 },
      .opt = { .window = 300 } },
    { .rank = { 4, 4, 4, 0, 2 },
      .dim = { { 1, 500, 2, 8 }, { 1, 500, 2, 8 }, { 1, 500, 2, 8 }, { 0 }, { 1, 500 } },
      .below = { 0, 0, 0, 0, 2 },
      .opt = { .window = 70 } },
};

KERNEL(attention, .parts = parts, .scratch = scratch, .forward = forward, .backward = backward);
OPDEF(attention, .doc = "softmax(scale q k^T + mask) v, causal; window, documents, softcap",
      .source = "arXiv:1706.03762, arXiv:1805.02867, arXiv:2205.14135", .kind = OP_COMPOSITE,
      .n_in = 5, .n_out = 1, .n_saved = 1, .optional = 1 << ATT_POS | 1 << ATT_DOC,
      .integer = 1 << ATT_POS | 1 << ATT_DOC, .strided = 7, .needs_in = 31, .needs_out = 1,
      .causal = true, .shape = shape, .flops = flops, .cases = cases, .n_cases = COUNT(cases));
