/* matmul.c - products of two values, matrix by matrix: leading dims are a batch.
 *
 * Either operand may be stored transposed (options a and b); nothing is moved for that, the
 * product takes strides.  Each gradient is one product too, written the way its operand lies:
 * d_a = d_c b^T, or b d_c^T where a is transposed; d_b = a^T d_c, or d_c^T a. */
#include "tensor/gemm.h"
#include "tensor/level/rows.h"

typedef struct Dims {
    ptrdiff_t batch, m, n, k;
    ptrdiff_t am, ak, bk, bn; /* strides of a over m and k, of b over k and n */
} Dims;

static Dims of(const Node *node)
{
    const Tensor *a = node->in[0], *b = node->in[1];
    ptrdiff_t rows = a->dim[a->rank - 2], cols = tensor_last(a);
    bool ta = node->opt.a, tb = node->opt.b;
    Dims d = { .m = ta ? cols : rows, .k = ta ? rows : cols };
    d.n = tb ? b->dim[b->rank - 2] : tensor_last(b);
    d.batch = tensor_count(a) / (rows * cols);
    d.am = ta ? 1 : d.k, d.ak = ta ? d.m : 1;
    d.bk = tb ? 1 : d.n, d.bn = tb ? d.k : 1;
    return d;
}

/* The product of one matrix of the batch, and those of its gradients, by shape; who runs them fills
 * in the addresses. */
static Gemm product(const Dims *d)
{
    return (Gemm){ .m = d->m,
                   .n = d->n,
                   .k = d->k,
                   .a_row = d->am,
                   .a_col = d->ak,
                   .b_row = d->bk,
                   .b_col = d->bn,
                   .c_row = d->n };
}

/* d_c b^T, or b d_c^T */
static Gemm product_d_a(const Dims *d, bool turned)
{
    if (turned)
        return (Gemm){ .m = d->k,
                       .n = d->m,
                       .k = d->n,
                       .a_row = d->bk,
                       .a_col = d->bn,
                       .b_row = 1,
                       .b_col = d->n,
                       .c_row = d->m };
    return (Gemm){ .m = d->m,
                   .n = d->k,
                   .k = d->n,
                   .a_row = d->n,
                   .a_col = 1,
                   .b_row = d->bn,
                   .b_col = d->bk,
                   .c_row = d->k };
}

/* a^T d_c, or d_c^T a */
static Gemm product_d_b(const Dims *d, bool turned)
{
    if (turned)
        return (Gemm){ .m = d->n,
                       .n = d->k,
                       .k = d->m,
                       .a_row = 1,
                       .a_col = d->n,
                       .b_row = d->am,
                       .b_col = d->ak,
                       .c_row = d->k };
    return (Gemm){ .m = d->k,
                   .n = d->n,
                   .k = d->m,
                   .a_row = d->ak,
                   .a_col = d->am,
                   .b_row = d->n,
                   .b_col = 1,
                   .c_row = d->n };
}

static int parts(const Node *n, int phase, bool backward)
{
    (void)phase;
    Dims d = of(n);
    Gemm y = product(&d), d_a = product_d_a(&d, n->opt.a), d_b = product_d_b(&d, n->opt.b);
    return (int)d.batch * (backward ? gemm_tiles(&d_a) + gemm_tiles(&d_b) : gemm_tiles(&y));
}

static void scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    Dims d = of(n);
    *shared = 0;
    *own = backward ? MAX(gemm_own(d.n), gemm_own(d.m)) : gemm_own(d.k);
}

/* Matrices of batch i, each (rows, cols) as it is stored. */
static real *a_at(const Dims *d, void *a, ptrdiff_t i)
{
    return (real *)a + i * d->m * d->k;
}

static real *b_at(const Dims *d, void *b, ptrdiff_t i)
{
    return (real *)b + i * d->k * d->n;
}

static real *c_at(const Dims *d, void *c, ptrdiff_t i)
{
    return (real *)c + i * d->m * d->n;
}

static void forward(const Call *c, Work w)
{
    Dims d = of(c->node);
    Gemm g = product(&d);
    int tiles = gemm_tiles(&g), i = w.part / tiles;
    g.a = a_at(&d, c->in[0], i);
    g.b = b_at(&d, c->in[1], i);
    g.c = c_at(&d, c->out[0], i);
    gemm_tile(c->level, &g, w.part % tiles, w.own);
}

static void backward(const Call *c, Work w)
{
    Dims d = of(c->node);
    bool ta = c->node->opt.a, tb = c->node->opt.b;
    Gemm d_a = product_d_a(&d, ta), d_b = product_d_b(&d, tb);
    int of_a = gemm_tiles(&d_a), of_b = gemm_tiles(&d_b), before = (int)d.batch * of_a;
    if (w.part < before) {
        int i = w.part / of_a;
        if (!c->d_in[0]) return;
        d_a.a = ta ? b_at(&d, c->in[1], i) : c_at(&d, c->d_out[0], i);
        d_a.b = ta ? c_at(&d, c->d_out[0], i) : b_at(&d, c->in[1], i);
        d_a.c = a_at(&d, c->d_in[0], i);
        d_a.add = c->add[0];
        gemm_tile(c->level, &d_a, w.part % of_a, w.own);
    } else if (c->d_in[1]) {
        int i = (w.part - before) / of_b;
        d_b.a = tb ? c_at(&d, c->d_out[0], i) : a_at(&d, c->in[0], i);
        d_b.b = tb ? a_at(&d, c->in[0], i) : c_at(&d, c->d_out[0], i);
        d_b.c = b_at(&d, c->d_in[1], i);
        d_b.add = c->add[1];
        gemm_tile(c->level, &d_b, (w.part - before) % of_b, w.own);
    }
}

static bool shape(OpShape *s, Err *err)
{
    const Tensor *a = s->in[0], *b = s->in[1];
    if (!shape_whole(s, 0, F32, err) || !shape_whole(s, 1, F32, err)) return false;
    bool fits = a->rank >= 2 && b->rank == a->rank;
    for (int i = 0; fits && i < a->rank - 2; i++) fits = a->dim[i] == b->dim[i];
    if (!fits) return err_set(err, ERR_CONFIG, "matmul wants a and b with equal leading dims");
    ptrdiff_t k = a->dim[a->rank - (s->opt->a ? 2 : 1)],
              other = b->dim[b->rank - (s->opt->b ? 1 : 2)];
    if (k != other) return err_set(err, ERR_CONFIG, "inner dims %td and %td differ", k, other);
    shape_like(s->out[0], a);
    s->out[0]->dim[a->rank - 2] = a->dim[a->rank - (s->opt->a ? 1 : 2)];
    s->out[0]->dim[a->rank - 1] = b->dim[b->rank - (s->opt->b ? 2 : 1)];
    return true;
}

static int64_t flops(const Node *n)
{
    Dims d = of(n);
    return 2 * (int64_t)d.batch * d.m * d.n * d.k;
}

static const OpCase cases[] = {
    { .rank = { 2, 2 }, .dim = { { 7, 5 }, { 5, 3 } } },
    { .rank = { 2, 2 }, .dim = { { 5, 7 }, { 5, 3 } }, .opt = { .a = 1 } },
    { .rank = { 3, 3 }, .dim = { { 2, 7, 5 }, { 2, 3, 5 } }, .opt = { .b = 1 } },
    { .rank = { 4, 4 }, .dim = { { 2, 1, 5, 7 }, { 2, 1, 3, 5 } }, .opt = { .a = 1, .b = 1 } },
    { .rank = { 2, 2 }, .dim = { { 1, 1 }, { 1, 1 } } },
    { .rank = { 3, 3 }, .dim = { { 2, 40, 65 }, { 2, 65, 33 } } },
};

KERNEL(matmul, .parts = parts, .scratch = scratch, .forward = forward, .backward = backward);
OPDEF(matmul, .doc = "a b, either transposed, batched over leading dims", .kind = OP_MATMUL,
      .n_in = 2, .n_out = 1, .needs_in = 3, .shape = shape, .flops = flops, .cases = cases,
      .n_cases = COUNT(cases));
