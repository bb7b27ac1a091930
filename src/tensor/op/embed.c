/* embed.c - tokens to rows of a table, which need not be a table of words: learned positions are
 * the same op.  How the gradient finds its way back is told in level/gather.h. */
#include "tensor/level/gather.h"

static Gather of(const Node *n)
{
    const Tensor *table = n->in[1];
    return (Gather){ table->dim[0], tensor_count(n->in[0]), table->dim[1], .table = 1, .index = 0 };
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
    const Tensor *tokens = s->in[0], *table = s->in[1];
    if (!shape_whole(s, 0, I32, err) || !shape_whole(s, 1, F32, err)) return false;
    if (table->rank != 2 || tokens->rank + 1 > RANK_MAX)
        return err_set(err, ERR_CONFIG, "the table must be (V, C)");
    shape_like(s->out[0], tokens);
    s->out[0]->dim[s->out[0]->rank++] = table->dim[1];
    return true;
}

static const OpCase cases[] = {
    { .rank = { 2, 2 }, .dim = { { 2, 7 }, { 5, 3 } }, .below = { 5 } },
    { .rank = { 2, 2 }, .dim = { { 3, 1 }, { 1, 4 } }, .below = { 1 } },
    { .rank = { 1, 2 }, .dim = { { 6 }, { 200, 16 } }, .below = { 200 } },
    { .rank = { 2, 2 }, .dim = { { 4, 600 }, { 70, 300 } }, .below = { 60 } },
};

KERNEL(embed, .back_phases = 2, .parts = parts, .scratch = scratch, .forward = forward,
       .backward = backward);
OPDEF(embed, .doc = "out[b, t] = table[tokens[b, t]]", .kind = OP_MOVE, .n_in = 2, .n_out = 1,
      .integer = 1, .needs_in = 1, .shape = shape, .cases = cases, .n_cases = COUNT(cases));
