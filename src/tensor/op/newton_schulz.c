/* newton_schulz.c - the nearest orthogonal matrix, roughly: Muon's step.
 *
 * Each (M, N) matrix X of x is divided by its Frobenius norm, then `a` times
 *     X <- a X + (b A + c A A) X,   A = X X^T     (X^T X from the right where M > N: A is small)
 * an odd polynomial in the singular values.  The coefficients 3.4445, -4.7750, 2.0315 are Jordan's
 * (2024, https://kellerjordan.github.io/posts/muon): steepest at 0, so that five steps bring
 * singular values of 0.01 and more near 1; they wander between 0.68 and 1.14 and need no more.
 *
 * Written in plainer ops: nearly all of it is matmul.  The norm is a rmsnorm over the whole
 * matrix, ||X|| = rms sqrt(M N). */
#include "tensor/level/rows.h"
#include "tensor/ops.h"

static bool shape(OpShape *s, Err *err)
{
    const Tensor *x = s->in[0];
    if (!shape_whole(s, 0, F32, err)) return false;
    if (x->rank < 2) return err_set(err, ERR_CONFIG, "newton_schulz wants matrices");
    return shape_like(s->out[0], x);
}

static Tensor *polish(Graph *g, Tensor *x, bool tall)
{
    const float a = 3.4445f, b = -4.7750f, c = 2.0315f;
    Tensor *gram = t_matmul(g, x, x, tall, !tall); /* X X^T, or X^T X of a tall X */
    Tensor *poly =
        t_add(g, t_scale(g, gram, b), t_scale(g, t_matmul(g, gram, gram, false, false), c));
    Tensor *px = tall ? t_matmul(g, x, poly, false, false) : t_matmul(g, poly, x, false, false);
    return t_add(g, t_scale(g, x, a), px);
}

static void define(Graph *g, const Node *n, Tensor *out[])
{
    Tensor *x = n->in[0];
    ptrdiff_t rows = x->dim[x->rank - 2], cols = tensor_last(x), each = rows * cols;
    ptrdiff_t batch = tensor_count(x) / each;
    Tensor *flat = t_view(g, x, 2, (ptrdiff_t[]){ batch, each });
    flat = t_rmsnorm(g, flat, NULL, 1e-30f);
    flat = t_scale(g, flat, (float)(1 / __builtin_sqrt((double)each)));
    Tensor *y = t_view(g, flat, 3, (ptrdiff_t[]){ batch, rows, cols });
    for (int i = 0; i < n->opt.a; i++) y = polish(g, y, rows > cols);
    out[0] = t_view(g, y, x->rank, x->dim);
}

static int64_t flops(const Node *n)
{
    const Tensor *x = n->in[0];
    int64_t rows = x->dim[x->rank - 2], cols = tensor_last(x);
    int64_t small = MIN(rows, cols), large = MAX(rows, cols);
    return n->opt.a * (tensor_count(x) / (rows * cols)) * small * small * (4 * large + 2 * small);
}

static const OpCase cases[] = {
    { .rank = { 2 }, .dim = { { 4, 4 } }, .opt = { .a = 2 } },
    { .rank = { 3 }, .dim = { { 3, 5, 7 } }, .opt = { .a = 2 } },
    { .rank = { 2 }, .dim = { { 9, 3 } }, .opt = { .a = 5 } },
};

OPDEF(newton_schulz, .doc = "x / |x|, then a times X <- a X + (b A + c A A) X, A = X X^T",
      .source = "https://kellerjordan.github.io/posts/muon", .kind = OP_COMPOSITE, .n_in = 1,
      .n_out = 1, .shape = shape, .define = define, .flops = flops, .cases = cases,
      .n_cases = COUNT(cases));
