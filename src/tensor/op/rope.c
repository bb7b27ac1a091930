/* rope.c - rotary positions  (Su et al. 2021, arXiv:2104.09864.)
 *
 * Elements i and i + rotary/2 of each head are turned by the angle pos base^(-2i/rotary): the
 * "two halves" form that GPT-NeoX and Llama use; the paper's form pairs neighbours, which is the
 * same up to the order of the weights' rows.  Positions are data, so documents packed into one
 * sequence may each begin at 0.  Cosines are computed when needed, in double: a table would have
 * to know the largest position.  Backward turns by the opposite angle. */
#include "tensor/level/rows.h"
#include "tensor/level/vec.h"

static int rotary_of(const Node *n)
{
    return n->opt.rotary ? n->opt.rotary : (int)tensor_last(n->in[0]);
}

static ptrdiff_t row_width(const Node *n) /* of one position, H D */
{
    return n->in[0]->dim[2] * n->in[0]->dim[3];
}

static int parts(const Node *n, int phase, bool backward)
{
    (void)phase, (void)backward;
    return (int)ceil_div(tensor_count(n->in[1]), rows_per_part(row_width(n)));
}

static void scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    (void)backward;
    *shared = 0;
    *own = scratch_round(rotary_of(n) * (ptrdiff_t)(sizeof(double) + sizeof(real)));
}

static void frequencies(const Node *n, double *restrict f)
{
    int rotary = rotary_of(n);
    double log_base = LOG64((double)n->opt.base);
    for (int i = 0; i < rotary / 2; i++) f[i] = EXP64(-2.0 * i / rotary * log_base);
}

/* One head: y = x turned.  sign -1 turns back. */
static void turn(real *restrict y, const real *restrict x, const real *restrict angle, int half,
                 real sign, bool add)
{
    const real *restrict cosine = angle, *restrict sine = angle + half;
    for (int i = 0; i < half; i++) {
        real a = x[i] * cosine[i] - x[i + half] * (sign * sine[i]);
        real b = x[i] * (sign * sine[i]) + x[i + half] * cosine[i];
        y[i] = add ? y[i] + a : a;
        y[i + half] = add ? y[i + half] + b : b;
    }
}

/* All heads of one position, whose angle is known. */
static void turn_heads(const Call *c, ptrdiff_t p, const real *angle, bool backward)
{
    const Tensor *t = c->node->in[0];
    ptrdiff_t size = t->dim[3], whole = p * t->dim[2] * size;
    ptrdiff_t strided = p / t->dim[1] * t->stride[0] + p % t->dim[1] * t->stride[1];
    int rotary = rotary_of(c->node);
    bool add = backward && c->add[0];
    for (ptrdiff_t h = 0; h < t->dim[2]; h++, whole += size, strided += t->stride[2]) {
        const real *x =
            backward ? (const real *)c->d_out[0] + whole : (const real *)c->in[0] + strided;
        real *y = backward ? (real *)c->d_in[0] + strided : (real *)c->out[0] + whole;
        turn(y, x, angle, rotary / 2, backward ? -1 : 1, add);
        if (rotary < size) row_put(y + rotary, x + rotary, size - rotary, add);
    }
}

static void turn_part(const Call *c, Work w, bool backward)
{
    const Node *node = c->node;
    ptrdiff_t per = rows_per_part(row_width(node)), end = tensor_count(node->in[1]);
    int rotary = rotary_of(node), half = rotary / 2;
    double *f = w.own;                  // (rotary / 2)
    real *angle = (real *)(f + rotary); // (2, rotary / 2)
    frequencies(node, f);
    for (ptrdiff_t p = w.part * per; p < MIN(end, (w.part + 1) * per); p++) {
        double pos = ((const int32_t *)c->in[1])[p];
        for (int i = 0; i < half; i++) {
            double s, co;
            SINCOS64(pos * f[i], &s, &co);
            angle[i] = (real)co, angle[i + half] = (real)s;
        }
        turn_heads(c, p, angle, backward);
    }
}

static void forward(const Call *c, Work w)
{
    turn_part(c, w, false);
}

static void backward(const Call *c, Work w)
{
    turn_part(c, w, true);
}

static bool shape(OpShape *s, Err *err)
{
    const Tensor *x = s->in[0], *pos = s->in[1];
    if (!shape_rows(s, 0, err) || !shape_whole(s, 1, I32, err)) return false;
    if (x->rank != 4 || pos->rank != 2 || pos->dim[0] != x->dim[0] || pos->dim[1] != x->dim[1])
        return err_set(err, ERR_CONFIG, "rope wants x (B, T, H, D) and pos (B, T)");
    int rotary = s->opt->rotary ? s->opt->rotary : (int)x->dim[3];
    if (rotary % 2 || rotary > x->dim[3] || !(s->opt->base > 0))
        return err_set(err, ERR_CONFIG, "rotary must be even and at most the head size, base > 0");
    return shape_like(s->out[0], x);
}

static const OpCase cases[] = {
    { .rank = { 4, 2 },
      .dim = { { 2, 7, 3, 6 }, { 2, 7 } },
      .below = { 0, 50 },
      .opt = { .base = 10000 } },
    { .rank = { 4, 2 },
      .dim = { { 1, 1, 1, 2 }, { 1, 1 } },
      .below = { 0, 3 },
      .opt = { .base = 100 } },
    { .rank = { 4, 2 },
      .dim = { { 2, 5, 2, 10 }, { 2, 5 } },
      .below = { 0, 100000 },
      .opt = { .base = 500000, .rotary = 4 } },
    { .rank = { 4, 2 },
      .dim = { { 2, 70, 4, 64 }, { 2, 70 } },
      .below = { 0, 70 },
      .opt = { .base = 10000 } },
};

KERNEL(rope, .parts = parts, .scratch = scratch, .forward = forward, .backward = backward);
OPDEF(rope, .doc = "pairs of each head turned by pos base^(-2i/rotary)",
      .source = "arXiv:2104.09864", .kind = OP_TIME, .n_in = 2, .n_out = 1, .integer = 2,
      .strided = 1, .needs_in = 2, .causal = true, .shape = shape, .cases = cases,
      .n_cases = COUNT(cases));
