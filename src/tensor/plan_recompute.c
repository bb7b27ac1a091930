/* plan_recompute.c - cheap values are made twice instead of kept.
 *
 * From its last forward reader to its first backward reader a value only waits.
 * The result of a MAP or ROW op whose own inputs are there in the backward pass
 * anyway (weights, inputs, values some backward node reads, values that can
 * themselves be made again) is dropped and made again, by a copy of its node, just
 * before the first backward reader.  The same kernel on the same values gives the
 * same bits.  What a node saved (statistics of rows) is kept: it is small.
 *
 * Nothing is made again whose inputs would have to be kept for that alone: a
 * residual sum stays.  Nor what waits only for a few nodes: near the turn from
 * forward to backward it would cost time and save nothing. */
#include "tensor/plan_inside.h"

enum { WAIT_MIN = 8 }; /* nodes */

typedef struct Redo { /* of a value that owns storage */
    int reader, last; /* first backward node that touches it, last forward one; reader -1: none */
    bool changed;     /* by a STATE op, before the backward pass is over */
    Node *maker;      /* the forward node */
    enum { UNKNOWN, STAYS, AGAIN } fate;
    Tensor *second; /* what the backward nodes read */
} Redo;

typedef struct Scan {
    Redo *redo; /* by id of the storage */
    int at, backward_end;
    const Node *node;
} Scan;

static void scan_touch(Plan *p, Tensor *t, bool write, void *ctx)
{
    (void)write;
    Scan *s = ctx;
    ptrdiff_t offset = 0;
    Redo *r = &s->redo[plan_storage(p, t, &offset)->id];
    if (!s->node->backward) r->last = s->at;
    if (s->node->backward && r->reader < 0) r->reader = s->at;
    if (s->node->op->kind == OP_STATE && s->at < s->backward_end) r->changed = true;
}

static Redo *redo_of(const Plan *p, const Scan *s, const Tensor *t)
{
    ptrdiff_t offset = 0;
    return &s->redo[plan_storage(p, t, &offset)->id];
}

static bool again(Plan *p, Scan *s, Tensor *t);

/* Is t there in the backward pass at no cost of its own? */
static bool at_hand(Plan *p, Scan *s, Tensor *t)
{
    ptrdiff_t offset = 0;
    Tensor *base = plan_storage(p, t, &offset);
    Redo *r = &s->redo[base->id];
    if (r->changed) return false;
    if (base->life != LIFE_STEP) return base->life != LIFE_GRAD;
    return again(p, s, base) || r->reader >= 0 || p->spot[base->id].kept;
}

static bool again(Plan *p, Scan *s, Tensor *base)
{
    Redo *r = &s->redo[base->id];
    if (r->fate) return r->fate == AGAIN;
    r->fate = STAYS;
    const Node *n = r->maker;
    if (!n || p->spot[base->id].kept) return false;
    if (n->op->kind != OP_MAP && n->op->kind != OP_ROW) return false;
    if (r->reader >= 0 && r->reader - r->last < WAIT_MIN) return false;
    for (int i = 0; i < n->op->n_in; i++)
        if (n->in[i] && !at_hand(p, s, n->in[i])) return false;
    r->fate = AGAIN;
    return true;
}

static Tensor *fresh_like(Plan *p, const Tensor *t)
{
    Tensor *f = graph_add_tensor(&p->x, LIFE_STEP);
    int id = f->id;
    *f = *t;
    f->id = id;
    f->base = NULL;
    f->offset = 0;
    return f;
}

static void make_again(Plan *p, Scan *s, Redo *r);

/* t, or the same part of what is made again in its place. */
static Tensor *second_of(Plan *p, Scan *s, Tensor *t)
{
    if (!t) return NULL;
    ptrdiff_t offset = 0;
    Tensor *base = plan_storage(p, t, &offset);
    if (!again(p, s, base)) return t;
    Redo *r = &s->redo[base->id];
    if (!r->second) make_again(p, s, r);
    Tensor *v = graph_add_view(&p->x, t);
    v->base = r->second;
    v->offset = offset;
    return v;
}

/* Pushes a copy of the node that makes the value, after those of its inputs. */
static void make_again(Plan *p, Scan *s, Redo *r)
{
    Node n = *r->maker;
    for (int i = 0; i < n.op->n_in; i++) n.in[i] = second_of(p, s, n.in[i]);
    for (int i = 0; i < n.op->n_saved; i++) n.saved[i] = fresh_like(p, n.saved[i]);
    for (int i = 0; i < n.op->n_out; i++) {
        Redo *made = redo_of(p, s, n.out[i]);
        n.out[i] = made->second = fresh_like(p, n.out[i]);
    }
    plan_push(p, &n);
}

static void push_backward(Plan *p, Scan *s, const Node *n)
{
    Node copy = *n;
    for (int i = 0; i < OP_MAX; i++) {
        copy.in[i] = second_of(p, s, n->in[i]);
        copy.out[i] = second_of(p, s, n->out[i]);
    }
    plan_push(p, &copy);
}

void plan_recompute(Plan *p)
{
    Scan s = { .redo = NEW(p->home, Redo, p->x.tensors) };
    for (int i = 0; i < p->x.tensors; i++) s.redo[i].reader = -1;
    Node **list = p->list;
    int count = p->count;
    for (int i = 0; i < count; i++)
        if (list[i]->backward) s.backward_end = i;
    for (int i = 0; i < count; i++) {
        s.at = i;
        s.node = list[i];
        plan_touch(p, list[i], scan_touch, &s);
        for (int k = 0; k < list[i]->op->n_out && !list[i]->backward; k++)
            redo_of(p, &s, list[i]->out[k])->maker = list[i];
    }
    p->list = NULL;
    p->count = p->list_cap = 0;
    for (int i = 0; i < count; i++) {
        if (list[i]->backward)
            push_backward(p, &s, list[i]);
        else
            plan_push(p, list[i]);
    }
}
