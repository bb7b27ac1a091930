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

static int parts(const Node *n, int phase, bool backward)
{
    (void)phase;
    Dims d = of(n);
    bool ta = n->opt.a, tb = n->opt.b;
    int of_a = ta ? gemm_tiles(d.k, d.m) : gemm_tiles(d.m, d.k);
    int of_b = tb ? gemm_tiles(d.n, d.k) : gemm_tiles(d.k, d.n);
    return (int)d.batch * (backward ? of_a + of_b : gemm_tiles(d.m, d.n));
}

static void scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    Dims d = of(n);
    *shared = 0;
    *own = backward ? MAX(gemm_own(d.n), gemm_own(d.m)) : gemm_own(d.k);
}

static void forward(const Call *c, Work w)
{
    Dims d = of(c->node);
    int tiles = gemm_tiles(d.m, d.n), i = w.part / tiles;
    Gemm g = { .m = d.m,
               .n = d.n,
               .k = d.k,
               .a = (const real *)c->in[0] + i * d.m * d.k,
               .b = (const real *)c->in[1] + i * d.k * d.n,
               .c = (real *)c->out[0] + i * d.m * d.n,
               .a_row = d.am,
               .a_col = d.ak,
               .b_row = d.bk,
               .b_col = d.bn,
               .c_row = d.n };
    gemm_tile(c->level, &g, w.part % tiles, w.own);
}

static Gemm product_d_a(const Call *c, const Dims *d, ptrdiff_t i)
{
    const real *d_c = (const real *)c->d_out[0] + i * d->m * d->n;
    const real *b = (const real *)c->in[1] + i * d->k * d->n;
    Gemm g = { .k = d->n, .c = (real *)c->d_in[0] + i * d->m * d->k, .add = c->add[0] };
    if (c->node->opt.a) {
        g.m = d->k, g.n = g.c_row = d->m;
        g.a = b, g.a_row = d->bk, g.a_col = d->bn;
        g.b = d_c, g.b_row = 1, g.b_col = d->n;
    } else {
        g.m = d->m, g.n = g.c_row = d->k;
        g.a = d_c, g.a_row = d->n, g.a_col = 1;
        g.b = b, g.b_row = d->bn, g.b_col = d->bk;
    }
    return g;
}

static Gemm product_d_b(const Call *c, const Dims *d, ptrdiff_t i)
{
    const real *d_c = (const real *)c->d_out[0] + i * d->m * d->n;
    const real *a = (const real *)c->in[0] + i * d->m * d->k;
    Gemm g = { .k = d->m, .c = (real *)c->d_in[1] + i * d->k * d->n, .add = c->add[1] };
    if (c->node->opt.b) {
        g.m = d->n, g.n = g.c_row = d->k;
        g.a = d_c, g.a_row = 1, g.a_col = d->n;
        g.b = a, g.b_row = d->am, g.b_col = d->ak;
    } else {
        g.m = d->k, g.n = g.c_row = d->n;
        g.a = a, g.a_row = d->ak, g.a_col = d->am;
        g.b = d_c, g.b_row = d->n, g.b_col = 1;
    }
    return g;
}

static void backward(const Call *c, Work w)
{
    Dims d = of(c->node);
    int of_a = c->node->opt.a ? gemm_tiles(d.k, d.m) : gemm_tiles(d.m, d.k);
    int part = w.part, before = (int)d.batch * of_a;
    if (part < before) {
        if (!c->d_in[0]) return;
        Gemm g = product_d_a(c, &d, part / of_a);
        gemm_tile(c->level, &g, part % of_a, w.own);
    } else if (c->d_in[1]) {
        int of_b = c->node->opt.b ? gemm_tiles(d.n, d.k) : gemm_tiles(d.k, d.n);
        Gemm g = product_d_b(c, &d, (part - before) / of_b);
        gemm_tile(c->level, &g, (part - before) % of_b, w.own);
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
