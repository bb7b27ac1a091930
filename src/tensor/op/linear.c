/* linear.c - y = x w^T [+ bias], the product most of the time goes into.
 *
 * w is (O, I), one row per output, as every checkpoint format has it.  Backward has two products,
 * d_x = d_y w and d_w = d_y^T x, and column sums for the bias; they are independent, so their
 * tiles share one phase.  The long sum, d_w over all rows, is in the order of gemm.h. */
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

static int parts(const Node *n, int phase, bool backward)
{
    Dims d = of(n);
    ColSum s = bias_sum(n);
    if (!backward) return gemm_tiles(d.n, d.out);
    if (phase == 1) return n->in[2] ? colsum_strips(&s) : 0;
    return gemm_tiles(d.out, d.in) + gemm_tiles(d.n, d.in) + (n->in[2] ? colsum_parts(&s) : 0);
}

static void scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    Dims d = of(n);
    ColSum s = bias_sum(n);
    *shared = backward && n->in[2] ? colsum_bytes(&s) : 0;
    *own = backward ? MAX(gemm_own(d.n), gemm_own(d.out)) : gemm_own(d.in);
}

static void forward(const Call *c, Work w)
{
    Dims d = of(c->node);
    Gemm g = { .m = d.n,
               .n = d.out,
               .k = d.in,
               .a = c->in[0],
               .b = c->in[1],
               .c = c->out[0],
               .a_row = d.in,
               .a_col = 1,
               .b_row = 1,
               .b_col = d.in,
               .c_row = d.out,
               .bias = c->in[2] };
    gemm_tile(c->level, &g, w.part, w.own);
}

static void bias_term(const Call *c, ptrdiff_t row, ptrdiff_t from, ptrdiff_t n, real *restrict sum)
{
    const real *restrict d_y = (const real *)c->d_out[0] + row * of(c->node).out + from;
    for (ptrdiff_t j = 0; j < n; j++) sum[j] += d_y[j];
}

static void d_w_tile(const Call *c, int tile, void *own)
{
    Dims d = of(c->node);
    Gemm g = { .m = d.out,
               .n = d.in,
               .k = d.n,
               .a = c->d_out[0],
               .b = c->in[0],
               .c = c->d_in[1],
               .a_row = 1,
               .a_col = d.out,
               .b_row = d.in,
               .b_col = 1,
               .c_row = d.in,
               .add = c->add[1] };
    if (g.c) gemm_tile(c->level, &g, tile, own);
}

static void d_x_tile(const Call *c, int tile, void *own)
{
    Dims d = of(c->node);
    Gemm g = { .m = d.n,
               .n = d.in,
               .k = d.out,
               .a = c->d_out[0],
               .b = c->in[1],
               .c = c->d_in[0],
               .a_row = d.out,
               .a_col = 1,
               .b_row = d.in,
               .b_col = 1,
               .c_row = d.in,
               .add = c->add[0] };
    if (g.c) gemm_tile(c->level, &g, tile, own);
}

static void backward(const Call *c, Work w)
{
    Dims d = of(c->node);
    ColSum s = bias_sum(c->node);
    s.term = bias_term;
    int of_w = gemm_tiles(d.out, d.in), of_x = gemm_tiles(d.n, d.in);
    if (w.phase == 1) {
        if (c->d_in[2]) colsum_end(&s, w.part, c->shared, c->d_in[2], c->add[2]);
    } else if (w.part < of_w) {
        d_w_tile(c, w.part, w.own);
    } else if (w.part < of_w + of_x) {
        d_x_tile(c, w.part - of_w, w.own);
    } else if (c->d_in[2]) {
        colsum_part(&s, c, w.part - of_w - of_x, c->shared);
    }
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
};

KERNEL(linear, .back_phases = 2, .parts = parts, .scratch = scratch, .forward = forward,
       .backward = backward);
OPDEF(linear, .doc = "x w^T [+ bias]", .kind = OP_MATMUL, .n_in = 3, .n_out = 1, .optional = 4,
      .needs_in = 3, .shape = shape, .flops = flops, .cases = cases, .n_cases = COUNT(cases));
