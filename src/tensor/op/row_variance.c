/* row_variance.c - an update whose neurons have been given equal sizes over time: NorMuon.
 *
 * (Li et al. 2025, arXiv:2510.05491.)  An orthogonalised update has unit singular values, but its
 * rows still differ in size, some neurons moving much further than others.  So each row's mean
 * square is averaged over steps and the row divided by its root; then the whole matrix is scaled
 * back to the size it came with, so that a rate found without this keeps its meaning (the paper
 * scales to 0.2 sqrt(M N), a rate of Adam's).
 *
 *     v = b2 v + (1 - b2) mean(u^2 of the row),   out = u / sqrt(v), scaled to |out| = |u|
 *
 * A wide matrix (fewer rows than columns) is taken by columns: modded-nanogpt's and nanochat's
 * rule, the longer side has the neurons that are unlike.  One part per matrix: this is a pass over
 * memory beside fifteen products. */
#include "tensor/level/rows.h"
#include "tensor/level/vec.h"

enum { V, U };

typedef struct Dims {
    ptrdiff_t batch, m, n, lines; /* of u (P, M, N); lines: the longer side */
} Dims;

static Dims of(const Node *node)
{
    const Tensor *u = node->in[U];
    Dims d = { u->dim[0], u->dim[1], u->dim[2], 0 };
    d.lines = MAX(d.m, d.n);
    return d;
}

static int parts(const Node *n, int phase, bool backward)
{
    (void)phase, (void)backward;
    return (int)n->in[U]->dim[0];
}

static void scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    (void)backward;
    *shared = 0;
    *own = 2 * of(n).lines * (ptrdiff_t)sizeof(real);
}

/* size[k] = mean of the squares of line k. */
static void line_sizes(const Dims *d, const real *restrict u, real *restrict size)
{
    if (d->m >= d->n) {
        for (ptrdiff_t i = 0; i < d->m; i++)
            size[i] = row_dot(u + i * d->n, u + i * d->n, d->n) / (real)d->n;
        return;
    }
    memset(size, 0, (size_t)d->n * sizeof(real));
    for (ptrdiff_t i = 0; i < d->m; i++)
        for (ptrdiff_t j = 0; j < d->n; j++) size[j] += u[i * d->n + j] * u[i * d->n + j];
    for (ptrdiff_t j = 0; j < d->n; j++) size[j] /= (real)d->m;
}

/* size, from mean squares to the factor of each line. */
static void line_factors(const Dims *d, real *restrict v, real *restrict size, real b2)
{
    double was = 0, now = 0;
    real *restrict factor = size + d->lines;
    for (ptrdiff_t k = 0; k < d->lines; k++) {
        v[k] = b2 * v[k] + (R(1) - b2) * size[k];
        factor[k] = R(1) / SQRT(MAX(v[k], R(1e-20)));
        was += (double)size[k];
        now += (double)(size[k] * factor[k]) * (double)factor[k];
    }
    real back = now > 0 ? (real)__builtin_sqrt(was / now) : R(0);
    for (ptrdiff_t k = 0; k < d->lines; k++) factor[k] *= back;
}

static void forward(const Call *c, Work w)
{
    Dims d = of(c->node);
    ptrdiff_t at = w.part * d.m * d.n;
    const real *restrict u = (const real *)c->in[U] + at; // (M, N)
    real *restrict out = (real *)c->out[0] + at;
    real *size = w.own, *factor = size + d.lines;
    line_sizes(&d, u, size);
    line_factors(&d, (real *)c->in[V] + w.part * d.lines, size, R(c->node->opt.x));
    for (ptrdiff_t i = 0; i < d.m; i++)
        for (ptrdiff_t j = 0; j < d.n; j++)
            out[i * d.n + j] = u[i * d.n + j] * factor[d.m >= d.n ? i : j];
}

static bool shape(OpShape *s, Err *err)
{
    const Tensor *u = s->in[U];
    if (!shape_whole(s, V, F32, err) || !shape_whole(s, U, F32, err)) return false;
    if (u->rank != 3 || tensor_count(s->in[V]) != u->dim[0] * MAX(u->dim[1], u->dim[2]))
        return err_set(err, ERR_CONFIG, "row_variance wants u (P, M, N) and v (P, max(M, N))");
    return shape_like(s->out[0], u);
}

static const OpCase cases[] = {
    { .rank = { 2, 3 }, .dim = { { 2, 5 }, { 2, 5, 3 } }, .opt = { .x = 0.9f } },
    { .rank = { 2, 3 }, .dim = { { 3, 7 }, { 3, 4, 7 } }, .opt = { .x = 0.95f } },
    { .rank = { 2, 3 }, .dim = { { 1, 1 }, { 1, 1, 1 } }, .opt = { .x = 0.9f } },
    { .rank = { 2, 3 }, .dim = { { 1, 70 }, { 1, 70, 40 } }, .opt = { .x = 0.9f } },
};

KERNEL(row_variance, .parts = parts, .scratch = scratch, .forward = forward);
OPDEF(row_variance, .doc = "v = b2 v + (1 - b2) mean(u^2) by rows; u / sqrt(v), as large as u",
      .source = "arXiv:2510.05491", .kind = OP_STATE, .n_in = 2, .n_out = 1, .no_grad = true,
      .shape = shape, .cases = cases, .n_cases = COUNT(cases));
