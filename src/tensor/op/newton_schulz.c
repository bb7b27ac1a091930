/* newton_schulz.c - the nearest orthogonal matrix, roughly: Muon's step.
 *
 * Each (M, N) matrix X of x is divided by a bound on its largest singular value, its Frobenius
 * norm, then `a` times
 *     X <- p X + (q A + r A A) X,   A = X X^T     (X^T X from the right where M > N: A is small)
 * an odd polynomial in the singular values.  Which one, option b says:
 *   jordan  (3.4445, -4.7750, 2.0315) each time (Jordan 2024, https://kellerjordan.github.io/posts/
 *           muon): steepest at 0, so that five steps bring singular values of 0.01 and more near 1;
 *           they wander between 0.68 and 1.14 and need no more.
 *   polar   Polar Express (Amsel et al. 2025, arXiv:2505.16932): for each step the polynomial that
 *           is best for the interval the step before left, found offline for five steps; the bound
 *           is 2 % larger, their safety factor.  A sixth step and more repeat the last.
 *   exact   (2, -1.5, 0.5): slow to begin, converges to 1 itself; a dozen steps (the tuned baseline
 *           of modded-nanogpt's track 3).
 *
 * Written in plainer ops: nearly all of it is matmul.  The norm is a rmsnorm over the whole
 * matrix, ||X|| = rms sqrt(M N). */
#include "tensor/level/rows.h"
#include "tensor/ops.h"

typedef struct Poly {
    float p, q, r;
} Poly;

enum { POLAR_STEPS = 5 };
static const Poly polar[POLAR_STEPS] = {
    { 8.156554524902461f, -22.48329292557795f, 15.878769915207462f },
    { 4.042929935166739f, -2.808917465908714f, 0.5000178451051316f },
    { 3.8916678022926607f, -2.772484153217685f, 0.5060648178503393f },
    { 3.285753657755655f, -2.3681294933425376f, 0.46449024233003106f },
    { 2.3465413258596377f, -1.7097828382687081f, 0.42323551169305323f },
};

static Poly poly_of(const OpOpt *o, int step)
{
    switch ((NewtonKind)o->b) {
    case NEWTON_POLAR: return polar[MIN(step, POLAR_STEPS - 1)];
    case NEWTON_EXACT: return (Poly){ 2, -1.5f, 0.5f };
    case NEWTON_JORDAN: break;
    }
    return (Poly){ 3.4445f, -4.7750f, 2.0315f };
}

static bool shape(OpShape *s, Err *err)
{
    const Tensor *x = s->in[0];
    if (!shape_whole(s, 0, F32, err)) return false;
    if (x->rank < 2) return err_set(err, ERR_CONFIG, "newton_schulz wants matrices");
    return shape_like(s->out[0], x);
}

static Tensor *polish(Graph *g, Tensor *x, bool tall, Poly k)
{
    Tensor *gram = t_matmul(g, x, x, tall, !tall); /* X X^T, or X^T X of a tall X */
    Tensor *poly =
        t_add(g, t_scale(g, gram, k.q), t_scale(g, t_matmul(g, gram, gram, false, false), k.r));
    Tensor *px = tall ? t_matmul(g, x, poly, false, false) : t_matmul(g, poly, x, false, false);
    return t_add(g, t_scale(g, x, k.p), px);
}

/* x (P, M, N) divided by its Frobenius norm, or by 1.02 of it. */
static Tensor *bounded(Graph *g, Tensor *x, bool safely)
{
    ptrdiff_t batch = x->dim[0], each = x->dim[1] * x->dim[2];
    Tensor *flat = t_view(g, x, 2, (ptrdiff_t[]){ batch, each });
    flat = t_rmsnorm(g, flat, NULL, 1e-30f);
    flat = t_scale(g, flat, (float)(1 / ((safely ? 1.02 : 1) * __builtin_sqrt((double)each))));
    return t_view(g, flat, 3, x->dim);
}

static void define(Graph *g, const Node *n, Tensor *out[])
{
    Tensor *x = n->in[0];
    ptrdiff_t rows = x->dim[x->rank - 2], cols = tensor_last(x);
    Tensor *y = t_view(g, x, 3, (ptrdiff_t[]){ tensor_count(x) / (rows * cols), rows, cols });
    if (n->opt.p == 0) y = bounded(g, y, n->opt.b == NEWTON_POLAR);
    for (int i = 0; i < n->opt.a; i++) y = polish(g, y, rows > cols, poly_of(&n->opt, i));
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
    { .rank = { 3 }, .dim = { { 3, 5, 7 } }, .opt = { .a = 2, .b = NEWTON_EXACT } },
    { .rank = { 2 }, .dim = { { 9, 3 } }, .opt = { .a = 5, .b = NEWTON_POLAR } },
};

OPDEF(newton_schulz, .doc = "x / |x|, then a times X <- p X + (q A + r A A) X, A = X X^T",
      .source = "https://kellerjordan.github.io/posts/muon, arXiv:2505.16932", .kind = OP_COMPOSITE,
      .n_in = 1, .n_out = 1, .shape = shape, .define = define, .flops = flops, .cases = cases,
      .n_cases = COUNT(cases));
