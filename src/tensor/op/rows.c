/* rows.c - chosen rows of a value: the positions whose next token is wanted, say.  The same
 * movement as embed, see level/gather.h; here the table is a value and all its leading dims count.
 */
#include "tensor/level/gather.h"

static Gather of(const Node *n)
{
    const Tensor *x = n->in[0];
    return (Gather){ tensor_rows(x), tensor_count(n->in[1]), tensor_last(x), .table = 0,
                     .index = 1 };
}

static int parts(const Node *n, int phase, bool backward)
{
    Gather s = of(n);
    return gather_parts(&s, phase, backward);
}

static void scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    Gather s = of(n);
    *shared = backward ? gather_bytes(&s) : 0;
    *own = 0;
}

static void forward(const Call *c, Work w)
{
    Gather s = of(c->node);
    gather_forward(&s, c, w.part);
}

static void backward(const Call *c, Work w)
{
    Gather s = of(c->node);
    gather_backward(&s, c, w);
}

static bool shape(OpShape *s, Err *err)
{
    if (!shape_whole(s, 0, F32, err) || !shape_whole(s, 1, I32, err)) return false;
    if (s->in[0]->rank < 2 || s->in[1]->rank != 1)
        return err_set(err, ERR_CONFIG, "rows wants x (..., C) and index (R)");
    return shape_set(s->out[0], 2, (ptrdiff_t[]){ s->in[1]->dim[0], tensor_last(s->in[0]) });
}

static const OpCase cases[] = {
    { .rank = { 3, 1 }, .dim = { { 2, 7, 3 }, { 5 } }, .below = { 0, 14 } },
    { .rank = { 2, 1 }, .dim = { { 1, 4 }, { 3 } }, .below = { 0, 1 } },
};

KERNEL(rows, .back_phases = 2, .parts = parts, .scratch = scratch, .forward = forward,
       .backward = backward);
OPDEF(rows, .doc = "out[r] = x[index[r]]", .kind = OP_MOVE, .n_in = 2, .n_out = 1, .integer = 2,
      .needs_in = 2, .shape = shape, .cases = cases, .n_cases = COUNT(cases));
