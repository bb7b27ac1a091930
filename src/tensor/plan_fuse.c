/* plan_fuse.c - rules by which a plan touches less memory; no bit depends on them (E1).
 *
 * Sharing.  The gradient of a sum is handed on unchanged to both of its sides (OpDef.passes), and
 * a residual stream is nothing but sums.  Instead of a copy for each, d_in lies where d_out lies:
 * if it is the first contribution, and if by the time that one of the two is added to, nobody reads
 * the other.  In a transformer all gradients of the stream become one tensor that every block adds
 * to, and no node of an `add` is left in the backward pass.
 *
 * Chains.  Nodes that make the same rows one after the other, each from the one before (a residual
 * and the norm behind it, a gate and its product), run part by part: a worker makes some rows of
 * the first, then the same rows of the second while they are in its cache, with one barrier for
 * all.  It is the same calls in another order, so no kernel is written for a chain.
 *
 * Patterns with kernels of their own (a residual-norm, a bias-activation) were not taken: each pair
 * would be one more op to define, differentiate and test, for the one read of memory that this
 * saves as well.  What products do at their ends is in tensor/gemm.h. */
#include <stdio.h>
#include <string.h>

#include "tensor/plan_inside.h"

static Tensor *root_of(const Plan *p, const Tensor *t, ptrdiff_t *offset)
{
    *offset = 0;
    return plan_storage(p, t, offset);
}

/* Does t cover the whole of what it is stored in, densely? */
static bool whole(const Plan *p, const Tensor *t)
{
    ptrdiff_t offset;
    const Tensor *root = root_of(p, t, &offset);
    return offset == 0 && tensor_contiguous(t) && tensor_contiguous(root) &&
           tensor_count(t) == tensor_count(root);
}

/* ---- sharing --------------------------------------------------------------------------------- */

typedef struct Watch {
    const Tensor *one, *other;
    bool touched[2], wrote[2]; /* by the node that is looked at */
} Watch;

static void watch(Plan *p, Tensor *t, bool write, void *ctx)
{
    Watch *w = ctx;
    ptrdiff_t offset;
    const Tensor *root = root_of(p, t, &offset);
    for (int i = 0; i < 2; i++) {
        if (root != (i ? w->other : w->one)) continue;
        w->touched[i] = true;
        w->wrote[i] |= write;
    }
}

/* May `other`, made by node `at` as a copy of `one`, be `one` itself? */
static bool may_be_one(Plan *p, int at, const Tensor *one, const Tensor *other)
{
    int changed = -1;
    for (int i = 0; i < p->count; i++) {
        Watch w = { .one = one, .other = other };
        if (i == at) continue;
        plan_touch(p, p->list[i], watch, &w);
        if (i < at && w.touched[1]) return false;
        if (i < at || !(w.touched[0] || w.touched[1])) continue;
        if (changed >= 0 && w.touched[!changed]) return false;
        if (!w.wrote[0] && !w.wrote[1]) continue;
        if (w.touched[0] && w.touched[1]) return false;
        changed = w.wrote[1];
    }
    return true;
}

static bool share(Plan *p, int at, int i)
{
    Node *n = p->list[at];
    Tensor *d = n->d_out[0], *e = n->d_in[i];
    if (!(n->op->passes >> i & 1) || !e || n->add[i] || !d || !whole(p, d) || !whole(p, e))
        return false;
    ptrdiff_t offset;
    Tensor *one = root_of(p, d, &offset), *other = root_of(p, e, &offset);
    if (one == other || one->life != LIFE_STEP || other->life != LIFE_STEP) return false;
    if (tensor_count(one) != tensor_count(other)) return false;
    if (p->spot[one->id].kept || p->spot[other->id].kept) return false;
    if (!may_be_one(p, at, one, other)) return false;
    plan_alias(p, other, one);
    n->d_in[i] = NULL;
    return true;
}

static bool has_work(const Node *n)
{
    for (int i = 0; i < OP_MAX; i++)
        if (n->d_in[i]) return true;
    return false;
}

void plan_share(Plan *p)
{
    int kept = 0;
    bool *idle = NEW(p->home, bool, p->count);
    for (int at = 0; at < p->count; at++) {
        bool shared = false;
        for (int i = 0; p->list[at]->backward && i < p->list[at]->op->n_in; i++)
            shared |= share(p, at, i);
        idle[at] = shared && !has_work(p->list[at]);
    }
    for (int at = 0; at < p->count; at++)
        if (!idle[at]) p->list[kept++] = p->list[at];
    p->count = kept;
}

/* ---- chains ---------------------------------------------------------------------------------- */

static int parts_of(const Plan *p, const Node *n)
{
    return op_kernel(n->op, p->opt.level)->parts(n, 0, false);
}

static bool goes_by_rows(const Plan *p, const Node *n)
{
    return !n->backward && op_kernel(n->op, p->opt.level)->by_rows;
}

static bool made_by(const Plan *p, const Node *n, const Tensor *t)
{
    ptrdiff_t offset;
    const Tensor *root = root_of(p, t, &offset);
    for (int i = 0; i < n->op->n_out; i++)
        if (root_of(p, n->out[i], &offset) == root) return true;
    for (int i = 0; i < n->op->n_saved; i++)
        if (root_of(p, n->saved[i], &offset) == root) return true;
    return false;
}

static bool same_rows(const Tensor *a, const Tensor *b)
{
    return tensor_last(a) == tensor_last(b) && tensor_rows(a) == tensor_rows(b);
}

/* Can node `at` follow in the chain that began at `first`? */
static bool follows(const Plan *p, int first, int at)
{
    const Node *n = p->list[at], *begin = p->list[first];
    if (!goes_by_rows(p, n) || !same_rows(n->out[0], begin->out[0]) ||
        parts_of(p, n) != parts_of(p, begin))
        return false;
    bool any = false;
    for (int i = 0; i < n->op->n_in; i++)
        for (int k = first; k < at && n->in[i]; k++) {
            if (!made_by(p, p->list[k], n->in[i])) continue;
            if (!whole(p, n->in[i]) || !same_rows(n->in[i], n->out[0])) return false;
            any = true;
        }
    return any;
}

void plan_chain(Plan *p)
{
    p->group = NEW(p->home, int, p->count);
    p->groups = 0;
    bool off = p->opt.plain || p->opt.off & FUSE_CHAIN;
    for (int i = 0, first = 0; i < p->count; i++) {
        bool joins = i > 0 && !off && goes_by_rows(p, p->list[first]) && follows(p, first, i);
        if (!joins) first = i;
        p->group[i] = joins ? p->groups - 1 : p->groups++;
    }
}

const char *plan_group_name(const Plan *p, int node)
{
    const char *name = p->list[node]->op->name;
    for (int i = node + 1; i < p->count && p->group[i] == p->group[node]; i++)
        name = arena_printf(p->home, "%s, %s", name, p->list[i]->op->name);
    return name;
}
