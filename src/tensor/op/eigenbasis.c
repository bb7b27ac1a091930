/* eigenbasis.c - follows the eigenvectors of a slowly changing symmetric matrix.
 *
 * q (P, N, N) has them as rows, in order of falling eigenvalues.  Every `a` steps, counted from
 * the first, each matrix takes one step of orthogonal iteration,
 *     q <- the orthonormal rows of q s        (s symmetric; so q s is (s q^T)^T)
 * which is how SOAP keeps its basis fresh without an eigensolver (Vyas et al. 2024,
 * arXiv:2409.11321, alg. 4).  A q of zeros, the beginning, stands for the identity and gets
 * FIRST iterations at once; the paper calls an eigensolver there, which after a single gradient
 * has little to find.  Rows are not sorted again: orthogonal iteration sorts them by itself, and
 * second moments kept along them stay where they belong.
 *
 * Householder's reflections, not Gram-Schmidt: after one gradient s is of low rank, and there
 * Gram-Schmidt divides noise by noise. */
#include "tensor/gemm.h"
#include "tensor/level/rows.h"
#include "tensor/level/vec.h"

enum { Q, S };
enum { FIRST = 4 };

static ptrdiff_t side(const Node *n)
{
    return n->in[Q]->dim[1];
}

static int parts(const Node *n, int phase, bool backward)
{
    (void)phase, (void)backward;
    return (int)n->in[Q]->dim[0];
}

static ptrdiff_t square_bytes(ptrdiff_t n)
{
    return scratch_round(n * n * (ptrdiff_t)sizeof(real));
}

static void scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    (void)backward;
    *shared = 0;
    *own = square_bytes(side(n)) + scratch_round(side(n) * (ptrdiff_t)sizeof(real)) +
           gemm_own(side(n));
}

/* row -= factor (row . v) v */
static void reflect(real *restrict row, const real *restrict v, real factor, ptrdiff_t n)
{
    real along = factor * row_dot(row, v, n);
    for (ptrdiff_t j = 0; j < n; j++) row[j] -= along * v[j];
}

/* The reflection that turns row k of x into a multiple of the k-th unit vector: its vector v
 * takes the row's place, 2 / |v|^2 comes back.  0: the row needs none. */
static real reflection(real *row, ptrdiff_t k, ptrdiff_t n)
{
    real size = SQRT(row_dot(row + k, row + k, n - k));
    if (!(size > 0)) return 0;
    row[k] += row[k] < 0 ? -size : size;
    return R(2) / row_dot(row + k, row + k, n - k);
}

/* q = the orthonormal rows of x (N, N): x = (a lower triangle) q.  x is spent. */
static void orthonormal_rows(real *x, real *factor, real *q, ptrdiff_t n)
{
    for (ptrdiff_t k = 0; k < n; k++) {
        factor[k] = reflection(x + k * n, k, n);
        for (ptrdiff_t i = k + 1; i < n && factor[k] > 0; i++)
            reflect(x + i * n + k, x + k * n + k, factor[k], n - k);
    }
    memset(q, 0, (size_t)(n * n) * sizeof(real));
    for (ptrdiff_t i = 0; i < n; i++) {
        real *row = q + i * n; /* the i-th unit vector, through the reflections backwards */
        row[i] = 1;
        for (ptrdiff_t k = n - 1; k >= 0; k--)
            if (factor[k] > 0) reflect(row + k, x + k * n + k, factor[k], n - k);
    }
}

static void iterate(const Call *c, const real *s, real *q, void *own)
{
    ptrdiff_t n = side(c->node);
    real *x = own, *factor = (real *)((char *)own + square_bytes(n));
    void *room = (char *)factor + scratch_round(n * (ptrdiff_t)sizeof(real));
    Gemm g = { .m = n,
               .n = n,
               .k = n,
               .a = q,
               .a_row = n,
               .a_col = 1,
               .b = s,
               .b_row = n,
               .b_col = 1,
               .c = x,
               .c_row = n };
    gemm_all(c->level, &g, room);
    orthonormal_rows(x, factor, q, n);
}

static void forward(const Call *c, Work w)
{
    ptrdiff_t n = side(c->node), each = n * n;
    real *q = (real *)c->out[0] + w.part * each; // (N, N)
    int times = 1;
    if ((c->step->step - 1) % MAX(c->node->opt.a, 1) != 0) return;
    if (row_dot(q, q, n) == 0) {
        for (ptrdiff_t i = 0; i < n; i++) q[i * n + i] = 1;
        times = FIRST;
    }
    for (int i = 0; i < times; i++) iterate(c, (const real *)c->in[S] + w.part * each, q, w.own);
}

static bool shape(OpShape *s, Err *err)
{
    const Tensor *q = s->in[Q];
    if (!shape_whole(s, Q, F32, err) || !shape_whole(s, S, F32, err)) return false;
    if (q->rank != 3 || q->dim[1] != q->dim[2] || !shape_same(q, s->in[S]))
        return err_set(err, ERR_CONFIG, "eigenbasis wants q and s (P, N, N)");
    return shape_like(s->out[0], q);
}

static const OpCase cases[] = {
    { .rank = { 3, 3 }, .dim = { { 2, 3, 3 }, { 2, 3, 3 } } },
    { .rank = { 3, 3 }, .dim = { { 1, 1, 1 }, { 1, 1, 1 } } },
    { .rank = { 3, 3 }, .dim = { { 1, 4, 4 }, { 1, 4, 4 } }, .opt = { .a = 2 } },
    { .rank = { 3, 3 }, .dim = { { 2, 5, 5 }, { 2, 5, 5 } }, .opt = { .a = 5 } },
};

KERNEL(eigenbasis, .parts = parts, .scratch = scratch, .forward = forward);
OPDEF(eigenbasis, .doc = "q = orthonormal rows of q s, every a steps, in place; returns q",
      .source = "arXiv:2409.11321", .kind = OP_STATE, .n_in = 2, .n_out = 1, .inplace = true,
      .no_grad = true, .shape = shape, .cases = cases, .n_cases = COUNT(cases));
