/* gate.c - rows opened and closed by one number each: y = scale sigmoid(z) x.
 *
 * x (..., D), z (...): one gate per row.  Value embeddings come in through it (a gate per key head,
 * computed from the token's own stream), with scale 3 in nanochat, so that the gate may amplify.
 *     d_x = scale sigmoid(z) d_y,   d_z = scale sigmoid'(z) (d_y . x) */
#include "tensor/level/rows.h"
#include "tensor/level/vec.h"

enum { X, Z };

static int parts(const Node *n, int phase, bool backward)
{
    (void)phase, (void)backward;
    const Tensor *x = n->in[X];
    return (int)ceil_div(tensor_rows(x), rows_per_part(tensor_last(x)));
}

static void forward(const Call *c, Work w)
{
    const Tensor *t = c->node->in[X];
    ptrdiff_t n = tensor_last(t), per = rows_per_part(n), rows = tensor_rows(t);
    const real *z = c->in[Z]; // (...)
    for (ptrdiff_t i = w.part * per; i < MIN(rows, (w.part + 1) * per); i++) {
        const real *restrict x = (const real *)c->in[X] + tensor_row_at(t, i); // (D)
        real *restrict y = (real *)c->out[0] + i * n;                          // (D)
        real open = R(c->node->opt.scale) * vec_sigmoid(z[i]);
        for (ptrdiff_t j = 0; j < n; j++) y[j] = open * x[j];
    }
}

static void backward(const Call *c, Work w)
{
    const Tensor *t = c->node->in[X];
    ptrdiff_t n = tensor_last(t), per = rows_per_part(n), rows = tensor_rows(t);
    const real *z = c->in[Z];
    real scale = R(c->node->opt.scale), *d_z = c->d_in[Z];
    for (ptrdiff_t i = w.part * per; i < MIN(rows, (w.part + 1) * per); i++) {
        ptrdiff_t at = tensor_row_at(t, i);
        const real *restrict x = (const real *)c->in[X] + at;
        const real *restrict d_y = (const real *)c->d_out[0] + i * n;
        real s = vec_sigmoid(z[i]), open = scale * s;
        real *restrict d_x = c->d_in[X] ? (real *)c->d_in[X] + at : NULL;
        if (d_x && c->add[X])
            for (ptrdiff_t j = 0; j < n; j++) d_x[j] += open * d_y[j];
        else if (d_x)
            for (ptrdiff_t j = 0; j < n; j++) d_x[j] = open * d_y[j];
        if (!d_z) continue;
        real slope = open * (R(1) - s) * row_dot(d_y, x, n);
        d_z[i] = c->add[Z] ? d_z[i] + slope : slope;
    }
}

static bool shape(OpShape *s, Err *err)
{
    const Tensor *x = s->in[X];
    if (!shape_rows(s, X, err) || !shape_whole(s, Z, F32, err)) return false;
    if (tensor_count(s->in[Z]) != tensor_rows(x))
        return err_set(err, ERR_CONFIG, "gate has %td gates for %td rows", tensor_count(s->in[Z]),
                       tensor_rows(x));
    return shape_like(s->out[0], x);
}

static const OpCase cases[] = {
    { .rank = { 4, 3 }, .dim = { { 2, 1, 3, 4 }, { 2, 1, 3 } }, .opt = { .scale = 3 } },
    { .rank = { 4, 3 }, .dim = { { 1, 7, 1, 5 }, { 1, 7, 1 } }, .opt = { .scale = 2 } },
    { .rank = { 2, 1 }, .dim = { { 900, 33 }, { 900 } }, .opt = { .scale = 1 } },
};

KERNEL(gate, .parts = parts, .forward = forward, .backward = backward);
OPDEF(gate, .doc = "scale sigmoid(z) x, a z for each row of x",
      .source = "nanochat's value embeddings; sigmoid gates: Hochreiter, Schmidhuber 1997",
      .kind = OP_ROW, .n_in = 2, .n_out = 1, .strided = 1 << X, .needs_in = 3, .shape = shape,
      .cases = cases, .n_cases = COUNT(cases));
