/* linear.c - y = x w^T [+ bias], the product most of the time goes into.
 *
 * w is (O, I), one row per output, as every checkpoint format has it.  Backward has two products,
 * d_x = d_y w and d_w = d_y^T x, and column sums for the bias; they are independent, so their
 * tiles share one phase, the long tiles of d_w first.  The long sum, d_w over all rows, is in the
 * order of gemm.h.  Where there are many rows, w is packed once, in a phase before. */
#include "tensor/gemm.h"
#include "tensor/level/colsum.h"

typedef struct Dims {
    ptrdiff_t n, in, out; /* rows, I, O */
} Dims;

static Dims of(const Node *n)
{
    const Tensor *w = n->in[1];
    return (Dims){ tensor_rows(n->in[0]), w->dim[1], w->dim[0] };
}

static ColSum bias_sum(const Node *n)
{
    Dims d = of(n);
    return (ColSum){ .rows = d.n, .cols = d.out, .width = d.out };
}

/* The three products by shape; who runs them fills in the addresses. */
static Gemm product_y(const Node *n)
{
    Dims d = of(n);
    return (Gemm){ .m = d.n,
                   .n = d.out,
                   .k = d.in,
                   .a_row = d.in,
                   .a_col = 1,
                   .b_row = 1,
                   .b_col = d.in,
                   .c_row = d.out,
                   .once = true,
                   .half = n->precision == PRECISION_FP16 };
}

static Gemm product_d_x(const Node *n)
{
    Dims d = of(n);
    return (Gemm){ .m = d.n,
                   .n = d.in,
                   .k = d.out,
                   .a_row = d.out,
                   .a_col = 1,
                   .b_row = d.in,
                   .b_col = 1,
                   .c_row = d.in,
                   .once = true,
                   .half = n->precision == PRECISION_FP16 };
}

static Gemm product_d_w(const Node *n)
{
    Dims d = of(n);
    return (Gemm){ .m = d.out,
                   .n = d.in,
                   .k = d.n,
                   .a_row = 1,
                   .a_col = d.out,
                   .b_row = d.in,
                   .b_col = 1,
                   .c_row = d.in,
                   .half = n->precision == PRECISION_FP16 };
}

enum { PACK, PRODUCTS, BIAS_END, PHASES };

static int parts(const Node *n, int phase, bool backward)
{
    Gemm y = product_y(n), d_x = product_d_x(n), d_w = product_d_w(n);
    ColSum s = bias_sum(n);
    bool bias = n->in[2];
    switch (phase) {
    case PACK: return backward ? gemm_packs(&d_w) + gemm_packs(&d_x) : gemm_packs(&y);
    case PRODUCTS:
        if (!backward) return gemm_tiles(&y);
        return gemm_tiles(&d_w) + gemm_tiles(&d_x) + (bias ? colsum_parts(&s) : 0);
    default: return bias ? colsum_strips(&s) : 0;
    }
}

/* Backward: partial sums of the bias in front, then x, then w, packed. */
static ptrdiff_t bias_bytes(const Node *n)
{
    ColSum s = bias_sum(n);
    return n->in[2] ? colsum_bytes(&s) : 0;
}

static void scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    Dims d = of(n);
    Gemm y = product_y(n), d_x = product_d_x(n), d_w = product_d_w(n);
    *shared = backward ? bias_bytes(n) + gemm_packed(&d_w) + gemm_packed(&d_x) : gemm_packed(&y);
    *own = backward ? MAX(gemm_own(d.n), gemm_own(d.out)) : gemm_own(d.in);
}

static void forward(const Call *c, Work w)
{
    Gemm g = product_y(c->node);
    g.a = c->in[0];
    g.b = c->in[1];
    g.c = c->out[0];
    g.bias = c->in[2];
    g.packed = c->shared;
    if (w.phase == PACK)
        gemm_pack(c->level, &g, w.part);
    else
        gemm_tile(c->level, &g, w.part, w.own);
}

static void bias_term(const Call *c, ptrdiff_t row, ptrdiff_t from, ptrdiff_t n, real *restrict sum)
{
    const real *restrict d_y = (const real *)c->d_out[0] + row * of(c->node).out + from;
    for (ptrdiff_t j = 0; j < n; j++) sum[j] += d_y[j];
}

static void backward_products(const Call *c, Work w)
{
    Gemm d_w = product_d_w(c->node), d_x = product_d_x(c->node);
    ColSum s = bias_sum(c->node);
    s.term = bias_term;
    d_w.a = d_x.a = c->d_out[0];
    d_w.b = c->in[0];
    d_w.c = c->d_in[1];
    d_w.add = c->add[1];
    d_x.b = c->in[1];
    d_x.c = c->d_in[0];
    d_x.add = c->add[0];
    d_w.packed = (char *)c->shared + bias_bytes(c->node);
    d_x.packed = (char *)d_w.packed + gemm_packed(&d_w);
    int of_w = gemm_tiles(&d_w), of_x = gemm_tiles(&d_x), first = gemm_packs(&d_w);
    if (w.phase == PACK) {
        if (w.part < first && d_w.c) gemm_pack(c->level, &d_w, w.part);
        if (w.part >= first && d_x.c) gemm_pack(c->level, &d_x, w.part - first);
    } else if (w.part < of_w) {
        if (d_w.c) gemm_tile(c->level, &d_w, w.part, w.own);
    } else if (w.part < of_w + of_x) {
        if (d_x.c) gemm_tile(c->level, &d_x, w.part - of_w, w.own);
    } else if (c->d_in[2]) {
        colsum_part(&s, c, w.part - of_w - of_x, c->shared);
    }
}

static void backward(const Call *c, Work w)
{
    if (w.phase != BIAS_END) {
        backward_products(c, w);
        return;
    }
    ColSum s = bias_sum(c->node);
    if (c->d_in[2]) colsum_end(&s, w.part, c->shared, c->d_in[2], c->add[2]);
}

static bool shape(OpShape *s, Err *err)
{
    const Tensor *x = s->in[0], *w = s->in[1];
    if (!shape_whole(s, 0, F32, err) || !shape_whole(s, 1, F32, err)) return false;
    if (x->rank < 1 || w->rank != 2 || w->dim[1] != tensor_last(x))
        return err_set(err, ERR_CONFIG, "x is %td wide and w takes %td", tensor_last(x),
                       w->rank == 2 ? w->dim[1] : 0);
    shape_like(s->out[0], x);
    s->out[0]->dim[x->rank - 1] = w->dim[0];
    return shape_vector(s, 2, w->dim[0], err);
}

static int64_t flops(const Node *n)
{
    Dims d = of(n);
    return 2 * (int64_t)d.n * d.in * d.out;
}

static const OpCase cases[] = {
    { .rank = { 2, 2, 1 }, .dim = { { 7, 5 }, { 3, 5 }, { 3 } } },
    { .rank = { 3, 2 }, .dim = { { 2, 1, 4 }, { 9, 4 } } },
    { .rank = { 2, 2, 1 }, .dim = { { 1, 1 }, { 1, 1 }, { 1 } } },
    { .rank = { 3, 2, 1 }, .dim = { { 2, 50, 33 }, { 70, 33 }, { 70 } } },
    { .rank = { 2, 2 }, .dim = { { 401, 17 }, { 18, 17 } } },
    { .rank = { 2, 2, 1 }, .dim = { { 19, 400 }, { 21, 400 }, { 21 } } },
    { .rank = { 2, 2, 1 }, .dim = { { 601, 9 }, { 37, 9 }, { 37 } } },
};

KERNEL(linear, .phases = BIAS_END, .back_phases = PHASES, .parts = parts, .scratch = scratch,
       .forward = forward, .backward = backward);
OPDEF(linear, .doc = "x w^T [+ bias]", .kind = OP_MATMUL, .n_in = 3, .n_out = 1, .optional = 4,
      .needs_in = 3, .shape = shape, .flops = flops, .cases = cases, .n_cases = COUNT(cases));
