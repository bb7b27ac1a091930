/* softmax.c - rows to probabilities: e^(x - max) / sum.
 *
 * The greatest is taken away first, so nothing overflows.  Backward reads the probabilities:
 * d_x = p (d_p - sum(d_p p)). */
#include "tensor/level/rows.h"
#include "tensor/level/vec.h"

static int parts(const Node *n, int phase, bool backward)
{
    (void)phase, (void)backward;
    const Tensor *x = n->in[0];
    return (int)ceil_div(tensor_rows(x), rows_per_part(tensor_last(x)));
}

static void forward(const Call *c, Work w)
{
    const Tensor *t = c->node->in[0];
    ptrdiff_t n = tensor_last(t), per = rows_per_part(n);
    for (ptrdiff_t i = w.part * per; i < MIN(tensor_rows(t), (w.part + 1) * per); i++) {
        const real *restrict x = (const real *)c->in[0] + tensor_row_at(t, i);
        real *restrict p = (real *)c->out[0] + i * n;
        real top = row_max(x, n);
        for (ptrdiff_t j = 0; j < n; j++) p[j] = EXP(x[j] - top);
        real r = R(1) / row_sum(p, n);
        for (ptrdiff_t j = 0; j < n; j++) p[j] *= r;
    }
}

static void backward(const Call *c, Work w)
{
    const Tensor *t = c->node->in[0];
    ptrdiff_t n = tensor_last(t), per = rows_per_part(n);
    for (ptrdiff_t i = w.part * per; i < MIN(tensor_rows(t), (w.part + 1) * per); i++) {
        const real *restrict p = (const real *)c->out[0] + i * n;
        const real *restrict d_p = (const real *)c->d_out[0] + i * n;
        real *restrict d_x = (real *)c->d_in[0] + tensor_row_at(t, i);
        real mean = row_dot(d_p, p, n);
        if (c->add[0])
            for (ptrdiff_t j = 0; j < n; j++) d_x[j] += p[j] * (d_p[j] - mean);
        else
            for (ptrdiff_t j = 0; j < n; j++) d_x[j] = p[j] * (d_p[j] - mean);
    }
}

static bool shape(OpShape *s, Err *err)
{
    return shape_rows(s, 0, err) && shape_like(s->out[0], s->in[0]);
}

static const OpCase cases[] = {
    { .rank = { 2 }, .dim = { { 3, 5 } } },
    { .rank = { 4 }, .dim = { { 2, 3, 1, 1 } } },
    { .rank = { 3 }, .dim = { { 2, 7, 33 } } },
    { .rank = { 2 }, .dim = { { 2, 17000 } } },
};

KERNEL(softmax, .parts = parts, .forward = forward, .backward = backward);
OPDEF(softmax, .doc = "e^(x - max) / sum of it, by rows", .kind = OP_ROW, .n_in = 1, .n_out = 1,
      .strided = 1, .needs_out = 1, .shape = shape, .cases = cases, .n_cases = COUNT(cases));
