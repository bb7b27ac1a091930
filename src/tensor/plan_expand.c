/* plan_expand.c - composites become plainer nodes, forward and backward.
 *
 * Where an op has no kernel at the plan's level, or the plan is to be plain, its
 * `define` is recorded into the plan's own copy of the graph.  The inputs it sees
 * are stand-ins of the same layout, without base and maker: a view that `define`
 * takes is then a view of the stand-in, and the gradient of a stand-in is the
 * gradient that the composite's node was asked for.  The derivative of what was
 * recorded is recorded by grad.c like that of a whole graph. */
#include <string.h>

#include "tensor/grad.h"
#include "tensor/plan_inside.h"

typedef struct Segment { /* what a node expanded to */
    const Node *of;
    Node **node;
    int nodes;
    Tensor *in[OP_MAX], *out[OP_MAX];
    struct Segment *next;
} Segment;

void plan_alias(Plan *p, const Tensor *t, Tensor *to)
{
    if (t->id >= p->alias_cap) {
        int cap = MAX(2 * p->alias_cap, t->id + 256);
        Tensor **list = NEW(p->home, Tensor *, cap);
        if (p->alias_cap) memcpy(list, p->alias, (size_t)p->alias_cap * sizeof(*list));
        p->alias = list;
        p->alias_cap = cap;
    }
    p->alias[t->id] = to;
}

static Tensor *stand_in(Plan *p, Tensor *x)
{
    if (!x) return NULL;
    Tensor *t = graph_add_tensor(&p->x, LIFE_STEP);
    t->name = x->name;
    t->rank = x->rank;
    t->dtype = x->dtype;
    memcpy(t->dim, x->dim, sizeof(x->dim));
    memcpy(t->stride, x->stride, sizeof(x->stride));
    plan_alias(p, t, x);
    return t;
}

static Segment *record(Plan *p, const Node *n)
{
    Segment *s = NEW(p->home, Segment, 1);
    *s = (Segment){ .of = n, .next = p->segments };
    p->segments = s;
    Node inner = *n;
    for (int i = 0; i < n->op->n_in; i++) inner.in[i] = s->in[i] = stand_in(p, n->in[i]);
    int from = p->x.nodes;
    p->x.precision = n->precision;
    n->op->define(&p->x, &inner, s->out);
    s->nodes = p->x.nodes - from;
    s->node = NEW(p->home, Node *, s->nodes);
    memcpy(s->node, p->x.node + from, (size_t)s->nodes * sizeof(*s->node));
    for (int i = 0; i < n->op->n_out; i++) {
        CHECK(s->out[i] && tensor_contiguous(s->out[i]) &&
                  tensor_count(s->out[i]) == tensor_count(n->out[i]),
              "the definition of %s makes no output %d of its shape", n->op->name, i);
        plan_alias(p, n->out[i], s->out[i]);
    }
    return s;
}

static const Segment *find_segment(const Plan *p, const Node *n)
{
    const Segment *s = p->segments;
    while (s && s->of != n) s = s->next;
    CHECK(s, "the backward of %s was recorded without its forward", n->op->name);
    return s;
}

static bool emit(Plan *p, Node *n, Err *err);

static bool emit_all(Plan *p, Node *const *node, int nodes, Err *err)
{
    for (int i = 0; i < nodes; i++)
        if (!emit(p, node[i], err)) return false;
    return true;
}

/* Records and emits the derivatives of a segment.  `n` has the d_out and d_in. */
static bool emit_grad(Plan *p, const Segment *s, const Node *n, bool emit_forward, Err *err)
{
    GradPair seed[OP_MAX], want[OP_MAX];
    int seeds = 0, wants = 0;
    for (int i = 0; i < n->op->n_out; i++)
        if (n->d_out[i]) seed[seeds++] = (GradPair){ .value = s->out[i], .grad = n->d_out[i] };
    if (!n->backward) seed[seeds++] = (GradPair){ .value = s->out[0] };
    for (int i = 0; i < n->op->n_in; i++)
        if (n->d_in[i]) want[wants++] = (GradPair){ s->in[i], n->d_in[i], n->add[i] };
    int from = p->x.nodes;
    if (wants)
        graph_record_grad(&p->x, (GradJob){ .node = s->node,
                                            .nodes = s->nodes,
                                            .seed = seed,
                                            .seeds = seeds,
                                            .want = want,
                                            .wants = wants });
    int grads = p->x.nodes - from;
    Node **node = NEW(p->home, Node *, grads);
    if (grads) memcpy(node, p->x.node + from, (size_t)grads * sizeof(*node));
    if (emit_forward && !emit_all(p, s->node, s->nodes, err)) return false;
    return emit_all(p, node, grads, err);
}

static bool emit(Plan *p, Node *n, Err *err)
{
    bool kernel = op_kernel(n->op, p->opt.level) != NULL;
    if (kernel && !(p->opt.plain && n->op->define)) {
        plan_push(p, n);
        return true;
    }
    if (!n->op->define)
        return err_set(err, ERR_DEVICE,
                       "the operation %s has no kernel at level %s and no definition", n->op->name,
                       cpu_level_name(p->opt.level));
    if (n->backward) return emit_grad(p, find_segment(p, n->forward), n, false, err);
    return emit_grad(p, record(p, n), n, true, err);
}

bool plan_expand(Plan *p, const Graph *g, Err *err)
{
    p->x = (Graph){ .home = p->home, .tensors = g->tensors, .tensor_cap = g->tensors + 256 };
    p->x.tensor = NEW(p->home, Tensor *, p->x.tensor_cap);
    memcpy(p->x.tensor, g->tensor, (size_t)g->tensors * sizeof(*g->tensor));
    return emit_all(p, g->node, g->nodes, err);
}
