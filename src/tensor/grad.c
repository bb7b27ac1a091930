/* grad.c - the backward pass, recorded node by node in reverse.
 *
 * A backward node has the OpDef of the node it differentiates, so gradients are
 * planned, timed and dispatched like everything else.
 *
 * Each value has one gradient tensor of the same layout.  The node that runs
 * first writes it, the later ones add, in recorded order; nothing is zeroed
 * first.  The gradient of a view is the same view of the gradient of its base,
 * so a base is written piece by piece.  What its consumers read decides how:
 *
 *   all read the same piece, the whole          the first writes, later ones add
 *   pieces that are equal or apart, and tile    each piece by itself like that
 *   anything else (overlaps, gaps)              a `zero` node first, all add
 *
 * Where one node reads overlapping values twice (add(x, x)), the second
 * gradient goes to a tensor of its own that a `copy` node then adds: a kernel
 * may not assume the order of its own two results.
 *
 * A LOSS op computes its input gradients in its forward call, so its gradients
 * are first contributions: they are dealt out before the walk. */
#include "tensor/grad.h"

#include <string.h>

#include "base/err.h"
#include "tensor/op.h"

/* The elements a view covers: `rows` runs of `len`, `step` apart.  rows 0: of no such form. */
typedef struct Region {
    ptrdiff_t rows, len, step, offset;
    bool written;
    struct Region *next;
} Region;

typedef struct Slot { /* of a base */
    bool wanted;      /* it depends on something that wants a gradient */
    bool relevant;    /* a seed depends on it */
    bool zeroed;      /* pieces do not tile: zero first, then all add */
    bool ready;       /* the zero node, if any, is recorded */
    bool seeded;
    Tensor *grad;
    Region *piece;
} Slot;

typedef struct Walk {
    Graph *g;
    GradJob job;
    Slot *slot; /* by id of the base */
    int slots;
} Walk;

static Tensor *base_of(Tensor *t)
{
    return t->base ? t->base : t;
}

static Slot *slot_of(Walk *w, Tensor *t)
{
    return &w->slot[base_of(t)->id];
}

static bool differentiable(const Node *n, int i)
{
    return n->in[i] && n->in[i]->dtype == F32 && !(n->op->integer >> i & 1) && !n->op->no_grad;
}

/* ---- pieces ---------------------------------------------------------------------------------- */

static Region region_of(const Tensor *t)
{
    ptrdiff_t dim[RANK_MAX], stride[RANK_MAX];
    int n = 0;
    for (int i = 0; i < t->rank; i++) {
        if (t->dim[i] == 1) continue;
        if (n && stride[n - 1] == t->dim[i] * t->stride[i]) {
            dim[n - 1] *= t->dim[i];
            stride[n - 1] = t->stride[i];
        } else {
            dim[n] = t->dim[i];
            stride[n++] = t->stride[i];
        }
    }
    Region r = { .rows = 1, .len = 1, .offset = t->base ? t->offset : 0 };
    if (n == 0) return r;
    if (stride[n - 1] != 1 || n > 2) return (Region){ 0 };
    r.len = dim[n - 1];
    if (n == 2) {
        r.rows = dim[0];
        r.step = stride[0];
    }
    return r;
}

static bool same_piece(const Region *a, const Region *b)
{
    return a->rows && a->rows == b->rows && a->len == b->len && a->step == b->step &&
           a->offset == b->offset;
}

static Region *find_piece(Slot *s, const Tensor *t)
{
    Region r = region_of(t);
    for (Region *p = s->piece; p; p = p->next)
        if (same_piece(p, &r)) return p;
    return NULL;
}

/* Keeps pieces sorted by offset, each once. */
static void add_piece(Walk *w, Slot *s, const Tensor *t)
{
    if (find_piece(s, t)) return;
    Region *r = NEW(w->g->home, Region, 1);
    *r = region_of(t);
    Region **at = &s->piece;
    while (*at && (*at)->offset <= r->offset) at = &(*at)->next;
    r->next = *at;
    *at = r;
}

static bool pieces_tile(const Slot *s, const Tensor *base)
{
    Region whole = region_of(base);
    if (!whole.rows) return false;
    const Region *first = s->piece;
    if (!first->next) return same_piece(first, &whole);
    ptrdiff_t at = 0;
    for (const Region *p = first; p; p = p->next) {
        if (p->rows != first->rows || p->step != first->step || p->offset != at) return false;
        at += p->len;
    }
    if (whole.rows > 1)
        return first->rows == whole.rows && first->step == whole.step && at == whole.len;
    return first->rows == 1 ? at == whole.len : at == first->step && first->rows * at == whole.len;
}

/* Do two inputs of one node share elements?  Unsure counts as yes. */
static bool overlap(Tensor *a, Tensor *b)
{
    if (base_of(a) != base_of(b)) return false;
    Region p = region_of(a), q = region_of(b);
    if (!p.rows || !q.rows || p.rows != q.rows || p.step != q.step) return true;
    ptrdiff_t low = MAX(p.offset, q.offset), high = MIN(p.offset + p.len, q.offset + q.len);
    if (low < high) return true;
    return p.rows > 1 && MAX(p.offset + p.len, q.offset + q.len) - MIN(p.offset, q.offset) > p.step;
}

/* ---- which values matter --------------------------------------------------------------------- */

static bool wants(Walk *w, const Node *n)
{
    for (int i = 0; i < n->op->n_in; i++)
        if (differentiable(n, i) && slot_of(w, n->in[i])->wanted) return true;
    return false;
}

static void mark_wanted(Walk *w)
{
    for (int i = 0; i < w->job.wants; i++) {
        Slot *s = slot_of(w, w->job.want[i].value);
        s->wanted = true;
        s->grad = w->job.want[i].grad;
    }
    for (int i = 0; w->job.wants < 0 && i < w->slots; i++)
        w->slot[i].wanted = w->g->tensor[i]->life == LIFE_PARAM && !w->g->tensor[i]->base;
    for (int i = 0; i < w->job.nodes; i++) {
        const Node *n = w->job.node[i];
        if (!wants(w, n)) continue;
        for (int k = 0; k < n->op->n_out; k++)
            slot_of(w, n->out[k])->wanted |= n->out[k]->dtype == F32;
    }
}

static bool matters(Walk *w, const Node *n)
{
    if (n->backward || !wants(w, n)) return false;
    for (int k = 0; k < n->op->n_out; k++)
        if (slot_of(w, n->out[k])->relevant) return true;
    return false;
}

static void mark_relevant(Walk *w)
{
    for (int i = 0; i < w->job.seeds; i++) slot_of(w, w->job.seed[i].value)->relevant = true;
    for (int i = w->job.nodes; i-- > 0;) {
        const Node *n = w->job.node[i];
        if (!matters(w, n)) continue;
        for (int k = 0; k < n->op->n_in; k++)
            if (differentiable(n, k)) slot_of(w, n->in[k])->relevant = true;
    }
}

/* Decides, per base, whether its pieces tile it. */
static void mark_pieces(Walk *w)
{
    for (int i = 0; i < w->job.nodes; i++) {
        const Node *n = w->job.node[i];
        if (!matters(w, n)) continue;
        for (int k = 0; k < n->op->n_in; k++)
            if (differentiable(n, k) && slot_of(w, n->in[k])->wanted)
                add_piece(w, slot_of(w, n->in[k]), n->in[k]);
    }
    for (int i = 0; i < w->job.seeds; i++) {
        const GradPair *seed = &w->job.seed[i];
        Slot *s = slot_of(w, seed->value);
        bool part = tensor_count(base_of(seed->value)) != tensor_count(seed->value);
        if (seed->grad && (s->piece || part || s->seeded)) add_piece(w, s, seed->value);
        s->seeded = true;
    }
    for (int i = 0; i < w->slots; i++) {
        Slot *s = &w->slot[i];
        if (s->piece) s->zeroed = !pieces_tile(s, w->g->tensor[i]);
    }
    for (int i = 0; i < w->job.wants; i++) {
        const GradPair *want = &w->job.want[i];
        Slot *s = slot_of(w, want->value);
        if (!want->add) continue;
        for (Region *p = s->piece; p; p = p->next) p->written = true;
        s->ready = true;
    }
}

/* ---- recording ------------------------------------------------------------------------------- */

static Node *backward_node(Graph *g, const Node *forward)
{
    Node *b = NEW(g->home, Node, 1);
    b->op = forward->op;
    b->opt = forward->opt;
    b->backward = true;
    b->forward = forward;
    return b;
}

/* A node that is in no list: the forward of a backward node that nothing computes. */
static Node *loose_node(Graph *g, const char *op, Tensor *x)
{
    Node *n = NEW(g->home, Node, 1);
    n->op = op_find(op);
    CHECK(n->op, "no operation is called %s", op);
    n->in[0] = n->out[0] = x;
    return n;
}

static Tensor *like(Graph *g, const Tensor *t, Life life)
{
    Tensor *d = graph_add_tensor(g, life);
    d->name = arena_printf(g->home, "%s.grad", t->name);
    d->rank = t->rank;
    memcpy(d->dim, t->dim, sizeof(t->dim));
    memcpy(d->stride, t->stride, sizeof(t->stride));
    return d;
}

static Tensor *base_grad(Walk *w, Tensor *base)
{
    Slot *s = slot_of(w, base);
    if (s->grad) return s->grad;
    if (base->life == LIFE_PARAM) return s->grad = t_grad_leaf(w->g, base);
    return s->grad = like(w->g, base, LIFE_STEP);
}

/* The part of the gradient of x's base that belongs to x. */
static Tensor *grad_view(Walk *w, Tensor *x)
{
    Tensor *d = base_grad(w, base_of(x));
    if (!x->base) return d;
    Tensor *v = graph_add_view(w->g, d);
    v->name = arena_printf(w->g->home, "%s.grad", x->name);
    v->rank = x->rank;
    memcpy(v->dim, x->dim, sizeof(x->dim));
    memcpy(v->stride, x->stride, sizeof(x->stride));
    v->offset += x->offset;
    return v;
}

static void zero_first(Walk *w, Tensor *x)
{
    Slot *s = slot_of(w, x);
    if (!s->zeroed || s->ready) return;
    s->ready = true;
    Node *z = backward_node(w->g, loose_node(w->g, "zero", base_of(x)));
    z->d_in[0] = base_grad(w, base_of(x));
    graph_add_node(w->g, z);
}

/* Says where a node puts the gradient of its input x, and whether it adds. */
static Tensor *target(Walk *w, Tensor *x, bool *add)
{
    Slot *s = slot_of(w, x);
    CHECK(!x->maker || x->maker->op->kind != OP_LOSS || x->maker->op->no_grad,
          "%s: a loss has no gradient but its own; weigh losses by their weight input", x->name);
    if (s->zeroed) {
        zero_first(w, x);
        *add = true;
        return grad_view(w, x);
    }
    Region *p = find_piece(s, x);
    *add = p->written;
    p->written = true;
    return grad_view(w, x);
}

/* d += e, for the gradient of x: what the backward of a copy does. */
static void record_sum(Walk *w, Tensor *x, Tensor *e)
{
    Node *b = backward_node(w->g, loose_node(w->g, "copy", x));
    b->d_out[0] = e;
    b->d_in[0] = target(w, x, &b->add[0]);
    graph_add_node(w->g, b);
}

static bool overlaps_earlier(const Node *n, int i)
{
    for (int k = 0; k < i; k++)
        if (differentiable(n, k) && overlap(n->in[k], n->in[i])) return true;
    return false;
}

/* The loss: its forward call writes d_in.  A base that must be zeroed, or was read twice, gets its
 * share by way of a tensor of its own. */
static void record_loss(Walk *w, Node *n)
{
    for (int i = 0; i < n->op->n_in; i++) {
        if (!differentiable(n, i) || !slot_of(w, n->in[i])->wanted) continue;
        CHECK(!n->d_in[i], "%s has its gradient already", n->in[i]->name);
        if (slot_of(w, n->in[i])->zeroed || overlaps_earlier(n, i)) {
            n->d_in[i] = like(w->g, n->in[i], LIFE_STEP);
            record_sum(w, n->in[i], n->d_in[i]);
        } else {
            n->d_in[i] = target(w, n->in[i], &n->add[i]);
        }
    }
}

static bool set_d_out(Walk *w, const Node *n, Node *b)
{
    bool any = false;
    for (int k = 0; k < n->op->n_out; k++) {
        Slot *s = slot_of(w, n->out[k]);
        if (!s->relevant || !s->grad) continue;
        b->d_out[k] = grad_view(w, n->out[k]);
        any = true;
    }
    return any;
}

static void record_backward(Walk *w, const Node *n)
{
    Node *b = backward_node(w->g, n);
    if (!set_d_out(w, n, b)) return;
    const OpDef *op = n->op;
    for (int i = 0; i < op->n_in; i++)
        if (op->needs_in >> i & 1) b->in[i] = n->in[i];
    for (int i = 0; i < op->n_out; i++)
        if (op->needs_out >> i & 1) b->out[i] = n->out[i];
    for (int i = 0; i < op->n_saved; i++) b->saved[i] = n->saved[i];
    Tensor *twice[OP_MAX] = { NULL };
    for (int i = 0; i < op->n_in; i++) {
        if (!differentiable(n, i) || !slot_of(w, n->in[i])->wanted) continue;
        if (overlaps_earlier(n, i))
            b->d_in[i] = twice[i] = like(w->g, n->in[i], LIFE_STEP);
        else
            b->d_in[i] = target(w, n->in[i], &b->add[i]);
    }
    graph_add_node(w->g, b);
    for (int i = 0; i < op->n_in; i++)
        if (twice[i]) record_sum(w, n->in[i], twice[i]);
}

/* The given gradient of a seed is its base's, in the base's dims; or, where other nodes read the
 * base too or the seed is a part of it, the first share of it. */
static void plant(Walk *w, const GradPair *seed)
{
    Tensor *base = base_of(seed->value);
    Slot *s = slot_of(w, base);
    if (!seed->grad) {
        CHECK(seed->value->maker && seed->value->maker->op->kind == OP_LOSS,
              "%s: the gradient of a value that no LOSS op made must be given", seed->value->name);
    } else if (s->piece) {
        record_sum(w, seed->value, seed->grad);
    } else {
        s->grad = t_view(w->g, seed->grad, base->rank, base->dim);
    }
}

void graph_record_grad(Graph *g, GradJob job)
{
    Walk w = { .g = g, .job = job, .slots = g->tensors };
    w.slot = NEW(g->home, Slot, w.slots);
    mark_wanted(&w);
    mark_relevant(&w);
    mark_pieces(&w);
    for (int i = 0; i < job.seeds; i++) plant(&w, &job.seed[i]);
    for (int i = 0; i < job.nodes; i++)
        if (job.node[i]->op->kind == OP_LOSS && matters(&w, job.node[i]))
            record_loss(&w, job.node[i]);
    for (int i = job.nodes; i-- > 0;)
        if (job.node[i]->op->kind != OP_LOSS && matters(&w, job.node[i]))
            record_backward(&w, job.node[i]);
    for (int i = 0; i < w.slots; i++)
        if (w.slot[i].grad) g->tensor[i]->grad = w.slot[i].grad;
}

static void grad_of_all(Graph *g, const GradPair *seed, int seeds)
{
    graph_record_grad(
        g,
        (GradJob){ .node = g->node, .nodes = g->nodes, .seed = seed, .seeds = seeds, .wants = -1 });
}

void graph_grad(Graph *g, Tensor *loss)
{
    CHECK(tensor_count(loss) == 1, "the loss %s has %td elements", loss->name, tensor_count(loss));
    grad_of_all(g, &(GradPair){ .value = loss }, 1);
}

void graph_grad_from(Graph *g, Tensor *const out[], Tensor *const d_out[], int n)
{
    GradPair *seed = NEW(g->home, GradPair, n);
    for (int i = 0; i < n; i++) seed[i] = (GradPair){ .value = out[i], .grad = d_out[i] };
    grad_of_all(g, seed, n);
}
