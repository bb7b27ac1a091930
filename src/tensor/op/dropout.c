/* dropout.c - in training each element is zero with probability p, else x / (1 - p)  (Srivastava
 * et al. 2014, Journal of Machine Learning Research 15.)
 *
 * Nothing is drawn in an order: element i of step t, micro-step u, place `a`, `b` (the name of
 * where it stands, hashed) is word i mod 4 of the Philox block (i / 4, t, u, a) under the key
 * (seed, b).  So any part of any thread finds its own draws, a forward call that is made again and
 * the backward call find the same, and no mask is kept.  Blocks are made 64 at a time, in loops
 * over arrays that the compilers turn into vector code.  (Salmon et al. 2011, "Parallel random
 * numbers: as easy as 1, 2, 3".) */
#include "tensor/level/rows.h"
#include "tensor/level/vec.h"

enum { GROUP = 64, WORDS = 4 * GROUP };

typedef struct Draw {
    uint32_t counter[3], key[2]; /* the counter's words behind the block's number */
} Draw;

static Draw draw_of(const Call *c)
{
    const OpOpt *o = &c->node->opt;
    uint64_t seed = c->step->seed;
    return (Draw){ { (uint32_t)c->step->step, (uint32_t)c->step->micro, (uint32_t)o->a },
                   { (uint32_t)seed ^ (uint32_t)o->b, (uint32_t)(seed >> 32) } };
}

/* Philox4x32-10 of GROUP blocks from number `first` on; word k of block i is out[k][i]. */
static void draw_group(const Draw *d, uint32_t first, uint32_t out[4][GROUP])
{
    uint32_t k0 = d->key[0], k1 = d->key[1];
    for (int i = 0; i < GROUP; i++) {
        out[0][i] = first + (uint32_t)i;
        out[1][i] = d->counter[0], out[2][i] = d->counter[1], out[3][i] = d->counter[2];
    }
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
        for (int i = 0; i < GROUP; i++) {
            uint64_t p = (uint64_t)0xD2511F53u * out[0][i], q = (uint64_t)0xCD9E8D57u * out[2][i];
            uint32_t a = (uint32_t)(q >> 32) ^ out[1][i] ^ k0;
            uint32_t b = (uint32_t)(p >> 32) ^ out[3][i] ^ k1;
            out[1][i] = (uint32_t)q, out[3][i] = (uint32_t)p;
            out[0][i] = a, out[2][i] = b;
        }
}

/* y (+)= x, kept or dropped; n elements from number `from`, a multiple of 4. */
static void drop(const Call *c, ptrdiff_t from, ptrdiff_t n, const real *restrict x,
                 real *restrict y, bool add)
{
    Draw d = draw_of(c);
    uint32_t word[4][GROUP], limit = (uint32_t)((double)c->node->opt.p * 4294967296.0);
    real kept = R(1) / (R(1) - R(c->node->opt.p));
    for (ptrdiff_t at = 0; at < n; at += WORDS) {
        real factor[WORDS];
        draw_group(&d, (uint32_t)((from + at) / 4), word);
        for (int i = 0; i < GROUP; i++)
            for (int k = 0; k < 4; k++) factor[4 * i + k] = word[k][i] < limit ? R(0) : kept;
        ptrdiff_t m = MIN(WORDS, n - at);
        for (ptrdiff_t i = 0; i < m; i++)
            y[at + i] = add ? y[at + i] + factor[i] * x[at + i] : factor[i] * x[at + i];
    }
}

static int parts(const Node *n, int phase, bool backward)
{
    (void)phase, (void)backward;
    return (int)ceil_div(tensor_count(n->in[0]), BLOCK);
}

static void forward(const Call *c, Work w)
{
    ptrdiff_t from = w.part * (ptrdiff_t)BLOCK;
    ptrdiff_t n = MIN(BLOCK, tensor_count(c->node->in[0]) - from);
    const real *x = (const real *)c->in[0] + from;
    real *y = (real *)c->out[0] + from;
    if (c->step->train)
        drop(c, from, n, x, y, false);
    else
        memcpy(y, x, (size_t)n * sizeof(real));
}

static void backward(const Call *c, Work w)
{
    ptrdiff_t from = w.part * (ptrdiff_t)BLOCK;
    ptrdiff_t n = MIN(BLOCK, tensor_count(c->node->in[0]) - from);
    drop(c, from, n, (const real *)c->d_out[0] + from, (real *)c->d_in[0] + from, c->add[0]);
}

static bool shape(OpShape *s, Err *err)
{
    if (!(s->opt->p >= 0 && s->opt->p < 1))
        return err_set(err, ERR_CONFIG, "dropout wants 0 <= p < 1");
    return shape_whole(s, 0, F32, err) && shape_like(s->out[0], s->in[0]);
}

static const OpCase cases[] = {
    { .rank = { 2 }, .dim = { { 3, 5 } }, .opt = { .p = 0.5f, .a = 7, .b = 9 } },
    { .rank = { 1 }, .dim = { { 1 } }, .opt = { .p = 0.25f } },
    { .rank = { 3 }, .dim = { { 2, 130, 67 } }, .opt = { .p = 0.1f, .a = -3, .b = 1 } },
};

KERNEL(dropout, .parts = parts, .forward = forward, .backward = backward);
OPDEF(dropout, .doc = "0 with probability p, else x / (1 - p); x itself in evaluation",
      .source = "Srivastava et al. 2014, JMLR 15", .kind = OP_MAP, .n_in = 1, .n_out = 1,
      .shape = shape, .cases = cases, .n_cases = COUNT(cases));
