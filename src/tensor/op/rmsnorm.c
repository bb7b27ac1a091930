/* rmsnorm.c - rows divided by their root mean square  (Zhang, Sennrich 2019, arXiv:1910.07467.)
 *
 * y = x / sqrt(mean(x^2) + eps) [gain].  1/rms of each row is kept for the backward pass: one
 * number per row instead of a second reduction.  With r = 1/rms and g = d_y gain,
 *     d_x = r g - x r^3 mean(g x),    d_gain = sum over rows of d_y x r. */
#include "tensor/level/colsum.h"

static ptrdiff_t width(const Node *n)
{
    return tensor_last(n->in[0]);
}

static int row_parts(const Node *n)
{
    return (int)ceil_div(tensor_rows(n->in[0]), rows_per_part(width(n)));
}

static ColSum gain_sum(const Node *n)
{
    return (ColSum){ .rows = tensor_rows(n->in[0]), .cols = width(n), .width = width(n) };
}

static int parts(const Node *n, int phase, bool backward)
{
    ColSum s = gain_sum(n);
    if (phase == 1) return n->in[1] ? colsum_strips(&s) : 0;
    return backward ? colsum_blocks(&s) : row_parts(n);
}

static void scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    ColSum s = gain_sum(n);
    *shared = backward && n->in[1] ? colsum_bytes(&s) : 0;
    *own = backward ? width(n) * (ptrdiff_t)sizeof(real) : 0;
}

static void forward(const Call *c, Work w)
{
    const Tensor *t = c->node->in[0];
    ptrdiff_t n = tensor_last(t), per = rows_per_part(n), rows = tensor_rows(t);
    const real *restrict gain = c->in[1]; // (C) or NULL
    for (ptrdiff_t i = w.part * per; i < MIN(rows, (w.part + 1) * per); i++) {
        const real *restrict x = (const real *)c->in[0] + tensor_row_at(t, i); // (C)
        real *restrict y = (real *)c->out[0] + i * n;                          // (C)
        real mean = row_dot(x, x, n) / (real)n;
        real r = R(1) / SQRT(mean + R(c->node->opt.eps));
        ((real *)c->saved[0])[i] = r;
        if (gain)
            for (ptrdiff_t j = 0; j < n; j++) y[j] = x[j] * r * gain[j];
        else
            for (ptrdiff_t j = 0; j < n; j++) y[j] = x[j] * r;
    }
}

/* x and d_y of a row are read once: for d_x, and for its share of d_gain, where `sum` is. */
static void row_backward(const Call *c, ptrdiff_t i, real *restrict g, real *restrict sum)
{
    const Tensor *t = c->node->in[0];
    ptrdiff_t n = tensor_last(t), at = tensor_row_at(t, i);
    const real *restrict x = (const real *)c->in[0] + at, *restrict gain = c->in[1];
    const real *restrict d_y = (const real *)c->d_out[0] + i * n;
    real *restrict d_x = (real *)c->d_in[0] + at;
    real r = ((const real *)c->saved[0])[i];
    for (ptrdiff_t j = 0; j < n && sum; j++) sum[j] += d_y[j] * x[j] * r;
    if (!c->d_in[0]) return;
    if (gain)
        for (ptrdiff_t j = 0; j < n; j++) g[j] = d_y[j] * gain[j];
    else
        memcpy(g, d_y, (size_t)n * sizeof(real));
    real back = row_dot(g, x, n) / (real)n * r * r;
    if (c->add[0])
        for (ptrdiff_t j = 0; j < n; j++) d_x[j] += r * (g[j] - back * x[j]);
    else
        for (ptrdiff_t j = 0; j < n; j++) d_x[j] = r * (g[j] - back * x[j]);
}

static void backward(const Call *c, Work w)
{
    ColSum s = gain_sum(c->node);
    if (w.phase == 1) {
        if (c->d_in[1]) colsum_end(&s, w.part, c->shared, c->d_in[1], c->add[1]);
        return;
    }
    ptrdiff_t first = w.part * colsum_block(&s), end = MIN(s.rows, first + colsum_block(&s));
    real *sum = c->d_in[1] ? (real *)c->shared + w.part * s.cols : NULL;
    if (sum) memset(sum, 0, (size_t)s.cols * sizeof(real));
    for (ptrdiff_t i = first; i < end; i++) row_backward(c, i, w.own, sum);
}

static bool shape(OpShape *s, Err *err)
{
    const Tensor *x = s->in[0];
    return shape_rows(s, 0, err) && shape_vector(s, 1, tensor_last(x), err) &&
           shape_like(s->out[0], x) && shape_scalars(s->saved[0], tensor_rows(x));
}

static const OpCase cases[] = {
    { .rank = { 2, 1 }, .dim = { { 3, 5 }, { 5 } }, .opt = { .eps = 1e-5f } },
    { .rank = { 3 }, .dim = { { 2, 1, 7 } }, .opt = { .eps = 1e-6f } },
    { .rank = { 4, 1 }, .dim = { { 2, 7, 3, 16 }, { 16 } }, .opt = { .eps = 1e-6f } },
    { .rank = { 2, 1 }, .dim = { { 70, 300 }, { 300 } }, .opt = { .eps = 1e-6f } },
    { .rank = { 2 }, .dim = { { 2, 20000 } }, .opt = { .eps = 1e-6f } },
};

KERNEL(rmsnorm, .back_phases = 2, .by_rows = true, .parts = parts, .scratch = scratch,
       .forward = forward, .backward = backward);
OPDEF(rmsnorm, .doc = "x / sqrt(mean(x^2) + eps) [gain], by rows", .source = "arXiv:1910.07467",
      .kind = OP_ROW, .n_in = 2, .n_out = 1, .n_saved = 1, .optional = 2, .strided = 1,
      .needs_in = 3, .shape = shape, .cases = cases, .n_cases = COUNT(cases));
