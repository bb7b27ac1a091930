/* layernorm.c - rows brought to mean 0 and variance 1  (Ba, Kiros, Hinton 2016, arXiv:1607.06450.)
 *
 * y = (x - mean) / sqrt(var + eps) [gain] [+ bias].  The variance is that of the differences,
 * taken in a second pass: mean(x^2) - mean^2 loses all digits where the mean is large.  Mean and
 * 1/deviation are kept for the backward pass.  With h the normalised row and g = d_y gain,
 *     d_x = (g - mean(g) - h mean(g h)) / deviation. */
#include "tensor/level/colsum.h"

static ptrdiff_t width(const Node *n)
{
    return tensor_last(n->in[0]);
}

static int row_parts(const Node *n)
{
    return (int)ceil_div(tensor_rows(n->in[0]), rows_per_part(width(n)));
}

/* Input 1 is the gain, 2 the bias; their partial sums lie one after the other. */
static ColSum sum_of(const Node *n)
{
    return (ColSum){ .rows = tensor_rows(n->in[0]), .cols = width(n), .width = width(n) };
}

static int parts(const Node *n, int phase, bool backward)
{
    ColSum s = sum_of(n);
    int vectors = (n->in[1] != NULL) + (n->in[2] != NULL);
    if (phase == 1) return vectors * colsum_strips(&s);
    return backward ? colsum_blocks(&s) : row_parts(n);
}

static void scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    ColSum s = sum_of(n);
    *shared = backward ? 2 * colsum_bytes(&s) : 0;
    *own = backward ? 2 * width(n) * (ptrdiff_t)sizeof(real) : 0;
}

static void forward(const Call *c, Work w)
{
    const Tensor *t = c->node->in[0];
    ptrdiff_t n = tensor_last(t), per = rows_per_part(n), rows = tensor_rows(t);
    const real *restrict gain = c->in[1], *restrict bias = c->in[2]; // (C) or NULL
    for (ptrdiff_t i = w.part * per; i < MIN(rows, (w.part + 1) * per); i++) {
        const real *restrict x = (const real *)c->in[0] + tensor_row_at(t, i); // (C)
        real *restrict y = (real *)c->out[0] + i * n;                          // (C)
        real mean = row_sum(x, n) / (real)n;
        for (ptrdiff_t j = 0; j < n; j++) y[j] = x[j] - mean;
        real r = R(1) / SQRT(row_dot(y, y, n) / (real)n + R(c->node->opt.eps));
        ((real *)c->saved[0])[2 * i] = mean;
        ((real *)c->saved[0])[2 * i + 1] = r;
        for (ptrdiff_t j = 0; j < n; j++) y[j] *= r;
        if (gain)
            for (ptrdiff_t j = 0; j < n; j++) y[j] *= gain[j];
        if (bias)
            for (ptrdiff_t j = 0; j < n; j++) y[j] += bias[j];
    }
}

/* Partial sums of a block of rows, for the gain (1) or the bias (2); NULL: nobody asks. */
static real *partial_of(const Call *c, int which)
{
    ColSum s = sum_of(c->node);
    if (!c->d_in[which]) return NULL;
    return (real *)c->shared + (which - 1) * colsum_bytes(&s) / (ptrdiff_t)sizeof(real);
}

/* x and d_y of a row are read once: for d_x, and for their shares of d_gain and d_bias. */
static void row_backward(const Call *c, ptrdiff_t i, real *restrict g, real *restrict gain_sum,
                         real *restrict bias_sum)
{
    const Tensor *t = c->node->in[0];
    ptrdiff_t n = tensor_last(t), at = tensor_row_at(t, i);
    const real *restrict x = (const real *)c->in[0] + at, *restrict gain = c->in[1];
    const real *restrict d_y = (const real *)c->d_out[0] + i * n;
    real *restrict d_x = (real *)c->d_in[0] + at, *restrict h = g + n;
    real mean = ((const real *)c->saved[0])[2 * i], r = ((const real *)c->saved[0])[2 * i + 1];
    for (ptrdiff_t j = 0; j < n; j++) h[j] = (x[j] - mean) * r;
    for (ptrdiff_t j = 0; j < n && gain_sum; j++) gain_sum[j] += d_y[j] * h[j];
    for (ptrdiff_t j = 0; j < n && bias_sum; j++) bias_sum[j] += d_y[j];
    if (!c->d_in[0]) return;
    if (gain)
        for (ptrdiff_t j = 0; j < n; j++) g[j] = d_y[j] * gain[j];
    else
        memcpy(g, d_y, (size_t)n * sizeof(real));
    real mean_g = row_sum(g, n) / (real)n, mean_gh = row_dot(g, h, n) / (real)n;
    if (c->add[0])
        for (ptrdiff_t j = 0; j < n; j++) d_x[j] += r * (g[j] - mean_g - h[j] * mean_gh);
    else
        for (ptrdiff_t j = 0; j < n; j++) d_x[j] = r * (g[j] - mean_g - h[j] * mean_gh);
}

static void rows_backward(const Call *c, Work w)
{
    ColSum s = sum_of(c->node);
    ptrdiff_t first = w.part * colsum_block(&s), end = MIN(s.rows, first + colsum_block(&s));
    real *sum[2];
    for (int k = 0; k < 2; k++) {
        sum[k] = partial_of(c, k + 1);
        if (!sum[k]) continue;
        sum[k] += w.part * s.cols;
        memset(sum[k], 0, (size_t)s.cols * sizeof(real));
    }
    for (ptrdiff_t i = first; i < end; i++) row_backward(c, i, w.own, sum[0], sum[1]);
}

static void backward(const Call *c, Work w)
{
    ColSum s = sum_of(c->node);
    if (w.phase == 0) {
        rows_backward(c, w);
        return;
    }
    int each = colsum_strips(&s), which = c->node->in[1] && w.part < each ? 1 : 2;
    if (c->d_in[which])
        colsum_end(&s, w.part % each, partial_of(c, which), c->d_in[which], c->add[which]);
}

static bool shape(OpShape *s, Err *err)
{
    const Tensor *x = s->in[0];
    return shape_rows(s, 0, err) && shape_vector(s, 1, tensor_last(x), err) &&
           shape_vector(s, 2, tensor_last(x), err) && shape_like(s->out[0], x) &&
           shape_scalars(s->saved[0], 2 * tensor_rows(x));
}

static const OpCase cases[] = {
    { .rank = { 2, 1, 1 }, .dim = { { 3, 5 }, { 5 }, { 5 } }, .opt = { .eps = 1e-5f } },
    { .rank = { 3 }, .dim = { { 2, 1, 7 } }, .opt = { .eps = 1e-5f } },
    { .rank = { 3, 1 }, .dim = { { 2, 7, 33 }, { 33 } }, .opt = { .eps = 1e-5f } },
    { .rank = { 2, 0, 1 }, .dim = { { 4, 6 }, { 0 }, { 6 } }, .opt = { .eps = 1e-5f } },
    { .rank = { 2, 1, 1 }, .dim = { { 70, 300 }, { 300 }, { 300 } }, .opt = { .eps = 1e-5f } },
};

KERNEL(layernorm, .back_phases = 2, .by_rows = true, .parts = parts, .scratch = scratch,
       .forward = forward, .backward = backward);
OPDEF(layernorm, .doc = "(x - mean) / sqrt(var + eps) [gain] [+ bias], by rows",
      .source = "arXiv:1607.06450", .kind = OP_ROW, .n_in = 3, .n_out = 1, .n_saved = 1,
      .optional = 6, .strided = 1, .needs_in = 3, .shape = shape, .cases = cases,
      .n_cases = COUNT(cases));
