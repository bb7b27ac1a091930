/* plan_place.c - which nodes run, how long each value lives, and where it lies.
 *
 * A node runs if a root depends on it; where a plan contains the loss, its
 * gradients of params are roots as well.  A value lives from the first node that
 * touches it to the last.  Values that share storage (views, stand-ins) are one.
 *
 * Placement: largest first, each at the lowest place where no value that lives
 * at the same time lies.  Simple, fixed, and within a few percent of the sum of
 * what lives at the worst moment; an optimal packing is NP-hard.  */
#include <stdlib.h>
#include <string.h>

#include "tensor/plan_inside.h"

enum { ALIGN = 64, PAGE = 4096 };

Tensor *plan_storage(const Plan *p, const Tensor *t, ptrdiff_t *offset)
{
    for (;;) {
        if (t->base) {
            *offset += t->offset;
            t = t->base;
        } else if (t->id < p->alias_cap && p->alias[t->id]) {
            t = p->alias[t->id];
        } else {
            return p->x.tensor[t->id];
        }
    }
}

void plan_push(Plan *p, const Node *n)
{
    if (p->count == p->list_cap) {
        int cap = p->list_cap ? 2 * p->list_cap : 256;
        Node **list = NEW(p->home, Node *, cap);
        if (p->count) memcpy(list, p->list, (size_t)p->count * sizeof(*list));
        p->list = list;
        p->list_cap = cap;
    }
    Node *copy = NEW(p->home, Node, 1);
    *copy = *n;
    p->list[p->count++] = copy;
}

void plan_touch(Plan *p, const Node *n, PlanTouch *f, void *ctx)
{
    for (int i = 0; i < OP_MAX; i++) {
        if (n->in[i]) f(p, n->in[i], n->op->inplace && i == 0, ctx);
        if (n->out[i]) f(p, n->out[i], !n->backward, ctx);
        if (n->saved[i]) f(p, n->saved[i], !n->backward, ctx);
        if (n->d_out[i]) f(p, n->d_out[i], false, ctx);
        if (n->d_in[i]) f(p, n->d_in[i], true, ctx);
    }
}

/* ---- which nodes run ------------------------------------------------------------------------- */

typedef struct Marks {
    bool *read; /* by id: some node that runs reads it */
    bool grads; /* gradients of params are wanted for their own sake */
} Marks;

static Tensor *storage(const Plan *p, const Tensor *t)
{
    ptrdiff_t offset = 0;
    return plan_storage(p, t, &offset);
}

static void mark_read(Plan *p, Marks *m, const Tensor *t)
{
    while (t) {
        const Tensor *made = t->base ? t->base : t;
        if (t->maker && t->which >= 0 && t->maker->out[t->which]) made = t->maker->out[t->which];
        m->read[made->id] = true;
        if (made->base) m->read[made->base->id] = true;
        t = made->id < p->alias_cap ? p->alias[made->id] : NULL;
    }
}

static bool grad_wanted(const Plan *p, const Marks *m, const Tensor *d)
{
    const Tensor *base = storage(p, d);
    return m->read[base->id] || (m->grads && base->life == LIFE_GRAD);
}

static bool runs(const Plan *p, const Marks *m, const Node *n)
{
    for (int i = 0; i < OP_MAX; i++) {
        if (!n->backward && n->out[i] && m->read[n->out[i]->id]) return true;
        if (n->d_in[i] && grad_wanted(p, m, n->d_in[i])) return true;
    }
    return false;
}

static void mark_node(Plan *p, Marks *m, const Node *n)
{
    for (int i = 0; i < OP_MAX; i++) {
        mark_read(p, m, n->in[i]);
        if (n->backward) {
            mark_read(p, m, n->out[i]);
            mark_read(p, m, n->saved[i]);
        }
        mark_read(p, m, n->d_out[i]);
    }
}

/* Marks backwards from the roots; fills live[] and says whether a LOSS node with gradients runs. */
static bool sweep(Plan *p, Marks *m, bool *live)
{
    bool loss = false;
    memset(m->read, 0, (size_t)p->x.tensors * sizeof(bool));
    for (int i = 0; i < p->roots; i++) mark_read(p, m, p->root[i]);
    for (int i = p->count; i-- > 0;) {
        const Node *n = p->list[i];
        live[i] = runs(p, m, n);
        if (!live[i]) continue;
        mark_node(p, m, n);
        for (int k = 0; k < OP_MAX; k++) loss |= n->op->kind == OP_LOSS && n->d_in[k];
    }
    return loss;
}

static void set_spots(Plan *p)
{
    p->spot = NEW(p->home, Spot, p->x.tensors);
    for (int i = 0; i < p->x.tensors; i++) p->spot[i].first = -1;
    for (int i = 0; i < p->roots; i++) p->spot[storage(p, p->root[i])->id].kept = true;
}

void plan_trim(Plan *p)
{
    Marks m = { .read = NEW(p->home, bool, p->x.tensors) };
    bool *live = NEW(p->home, bool, p->count);
    m.grads = sweep(p, &m, live);
    if (m.grads) sweep(p, &m, live);
    int kept = 0;
    for (int i = 0; i < p->count; i++) {
        if (!live[i]) continue;
        Node *n = p->list[kept++] = p->list[i];
        for (int k = 0; k < OP_MAX; k++)
            if (n->d_in[k] && !grad_wanted(p, &m, n->d_in[k])) n->d_in[k] = NULL;
    }
    p->count = kept;
    set_spots(p);
}

/* ---- lifetimes ------------------------------------------------------------------------------- */

static ptrdiff_t bytes_of(const Plan *p, const Tensor *t)
{
    ptrdiff_t reach = 1;
    for (int i = 0; i < t->rank; i++) reach += (t->dim[i] - 1) * t->stride[i];
    return reach * plan_element(p, t);
}

static void live_at(Plan *p, Tensor *t, bool write, void *at)
{
    (void)write;
    const Tensor *base = storage(p, t);
    Spot *s = &p->spot[base->id];
    int now = *(int *)at;
    if (s->first < 0) {
        s->first = now;
        s->bytes = bytes_of(p, base);
    }
    s->last = s->kept ? p->groups : now;
}

static Tensor *scratch_value(Plan *p)
{
    Tensor *t = graph_add_tensor(&p->x, LIFE_STEP);
    t->name = "scratch";
    return t;
}

/* Scratch that the parts of a node share is a value that lives as long as the node runs. */
static void add_scratch(Plan *p)
{
    p->shared = NEW(p->home, Tensor *, p->count);
    ptrdiff_t *bytes = NEW(p->home, ptrdiff_t, p->count);
    for (int i = 0; i < p->count; i++) {
        const Node *n = p->list[i];
        const Kernel *k = op_kernel(n->op, p->opt.level);
        ptrdiff_t own = 0;
        if (k->scratch) k->scratch(n->backward ? n->forward : n, n->backward, &bytes[i], &own);
        if (bytes[i]) p->shared[i] = scratch_value(p);
        p->own = MAX(p->own, (own + ALIGN - 1) / ALIGN * ALIGN);
    }
    set_spots(p);
    for (int i = 0; i < p->count; i++)
        if (p->shared[i])
            p->spot[p->shared[i]->id] =
                (Spot){ .bytes = bytes[i], .first = p->group[i], .last = p->group[i] };
}

/* ---- places ---------------------------------------------------------------------------------- */

static int larger_first(const void *a, const void *b)
{
    const Spot *x = *(Spot *const *)a, *y = *(Spot *const *)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x < y ? -1 : x > y; /* by id */
}

/* The lowest place for s among `n` placed ones, which are sorted by place; keeps them sorted. */
static void place_one(Spot **placed, int n, Spot *s)
{
    ptrdiff_t at = 0;
    for (int i = 0; i < n; i++) {
        const Spot *o = placed[i];
        if (o->last < s->first || s->last < o->first || o->at + o->bytes <= at) continue;
        if (at + s->bytes <= o->at) break;
        at = o->at + o->bytes;
    }
    s->at = at;
    int i = n;
    for (; i > 0 && placed[i - 1]->at > at; i--) placed[i] = placed[i - 1];
    placed[i] = s;
}

static ptrdiff_t place_step(Plan *p, Spot **all, int n)
{
    ptrdiff_t end = 0, unit = p->opt.apart ? PAGE : ALIGN;
    Spot **placed = NEW(p->home, Spot *, n);
    for (int i = 0; i < n; i++) all[i]->bytes = (all[i]->bytes + unit - 1) / unit * unit;
    qsort(all, (size_t)n, sizeof(*all), larger_first);
    for (int i = 0; i < n; i++) {
        if (p->opt.apart)
            all[i]->at = end;
        else
            place_one(placed, i, all[i]);
        end = MAX(end, all[i]->at + all[i]->bytes);
    }
    return end;
}

void plan_place(Plan *p)
{
    p->cost = (PlanCost){ 0 };
    plan_chain(p);
    add_scratch(p);
    for (int i = 0; i < p->count; i++) plan_touch(p, p->list[i], live_at, &p->group[i]);
    Spot **step = NEW(p->home, Spot *, p->x.tensors);
    int n = 0;
    for (int i = 0; i < p->x.tensors; i++) {
        Spot *s = &p->spot[i];
        if (s->first < 0) continue;
        ptrdiff_t bytes = (s->bytes + ALIGN - 1) / ALIGN * ALIGN;
        switch (p->x.tensor[i]->life) {
        case LIFE_STEP: step[n++] = s; break;
        case LIFE_PARAM: p->cost.params += bytes; break;
        case LIFE_GRAD: p->cost.grads += bytes; break;
        case LIFE_STATE: p->cost.states += bytes; break;
        case LIFE_INPUT:
            s->at = p->cost.inputs;
            p->cost.inputs += bytes;
            break;
        }
    }
    p->cost.step = place_step(p, step, n);
    p->cost.scratch = p->own * p->dev->threads;
    p->cost.nodes = p->count;
}
