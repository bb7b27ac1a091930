/* plan.c - making, binding and running plans.
 *
 * All decisions are made in plan_new, all addresses are worked out once after
 * the last bind, and a run is a walk over a list of jobs.  What changes from
 * step to step comes through StepIn, which the calls point to, and through the
 * add flags of gradients of params: those the list of `laters` reaches. */
#include "tensor/plan.h"

#include <stdlib.h>
#include <string.h>

#include "tensor/plan_inside.h"

/* ---- cost ------------------------------------------------------------------------------------ */

static int64_t flops_of(const Node *n)
{
    const Node *f = n->backward ? n->forward : n;
    int64_t once = f->op->flops ? f->op->flops(f) : (int64_t)tensor_count(f->out[0]);
    bool grads = n->d_in[0] || n->d_in[1];
    if (!n->backward) return f->op->kind == OP_LOSS && grads ? 3 * once : once;
    if (f->op->kind != OP_MATMUL) return 2 * once;
    return once * ((n->d_in[0] != NULL) + (n->d_in[1] != NULL));
}

static bool counts_as_matmul(const OpDef *op)
{
    return op->kind == OP_MATMUL ||
           ((op->kind == OP_COMPOSITE || op->kind == OP_LOSS) && op->flops);
}

static void add_flops(Plan *p)
{
    for (int i = 0; i < p->count; i++) {
        int64_t flops = flops_of(p->list[i]);
        p->cost.flops += flops;
        if (counts_as_matmul(p->list[i]->op)) p->cost.matmul_flops += flops;
    }
}

PlanCost plan_cost(const Plan *p)
{
    return p->cost;
}

enum { ROOMY = 64 << 20 }; /* bytes of step memory that nobody minds */

/* ---- making ---------------------------------------------------------------------------------- */

Plan *plan_new(Graph *g, Tensor *const roots[], int n_roots, Dev *d, PlanOpt o, Arena *out,
               Err *err)
{
    if (o.level > LEVEL_PLAIN && o.level > cpu_level()) {
        err_set(err, ERR_DEVICE, "this processor has no level %s", cpu_level_name(o.level));
        return NULL;
    }
    if (!cpu_computes(o.level, g->precision)) {
        err_set(
            err, ERR_DEVICE,
            "precision %s wants AVX512-FP16, which this processor (%s, level %s) has not: choose "
            "precision fp32",
            precision_name(g->precision), cpu_model(), cpu_level_name(o.level));
        return NULL;
    }
    Plan *p = NEW(out, Plan, 1);
    *p = (Plan){ .home = out, .dev = d, .opt = o, .roots = n_roots };
    p->root = NEW(out, Tensor *, n_roots);
    memcpy(p->root, roots, (size_t)n_roots * sizeof(*roots));
    if (!plan_expand(p, g, err)) return NULL;
    plan_trim(p);
    if (!o.plain && !(o.off & FUSE_SHARE)) plan_share(p);
    if (o.recompute == RECOMPUTE_CHEAP) plan_recompute(p);
    plan_place(p);
    if (o.recompute == RECOMPUTE_AUTO && p->cost.step > ROOMY) {
        plan_recompute(p);
        plan_place(p);
    }
    add_flops(p);
    return p;
}

/* ---- binding --------------------------------------------------------------------------------- */

static void run_call(const void *call, Work w)
{
    const PlanCall *c = call;
    for (int i = 0; i <= c->chained; i++) c[i].run(&c[i].call, w);
}

static const int *part_counts(Plan *p, const Kernel *k, const Node *shapes, bool backward,
                              int *phases)
{
    *phases = MAX(1, backward ? k->back_phases : k->phases);
    int *parts = NEW(p->home, int, *phases);
    for (int i = 0; i < *phases; i++) parts[i] = k->parts ? k->parts(shapes, i, backward) : 1;
    return parts;
}

static void make_job(Plan *p, int i)
{
    const Node *n = p->list[i], *shapes = n->backward ? n->forward : n;
    PlanCall *c = &p->call[i];
    Job *j = &p->job[p->group[i]];
    while (i + c->chained + 1 < p->count && p->group[i + c->chained + 1] == p->group[i])
        c->chained++;
    *j = (Job){ .run = run_call, .call = c, .own = p->own, .id = p->group[i] };
    j->parts = part_counts(p, op_kernel(n->op, p->opt.level), shapes, n->backward, &j->phases);
}

static void make_jobs(Plan *p)
{
    p->call = NEW(p->home, PlanCall, p->count);
    p->job = NEW(p->home, Job, p->groups);
    p->later = NEW(p->home, bool *, (ptrdiff_t)p->count *OP_MAX);
    p->seconds = NEW(p->home, double, p->groups);
    for (int i = 0; i < p->count; i++) {
        const Node *n = p->list[i], *shapes = n->backward ? n->forward : n;
        const Kernel *k = op_kernel(n->op, p->opt.level);
        PlanCall *c = &p->call[i];
        c->run = n->backward ? k->backward : k->forward;
        CHECK(c->run, "%s has no %s", n->op->name, n->backward ? "backward" : "forward");
        c->call = (Call){ .node = shapes, .step = &p->step, .level = p->opt.level };
        if (i == 0 || p->group[i] != p->group[i - 1]) make_job(p, i);
        for (int k2 = 0; k2 < OP_MAX; k2++) {
            c->call.add[k2] = n->add[k2];
            ptrdiff_t offset = 0;
            if (n->d_in[k2] && !n->add[k2] &&
                plan_storage(p, n->d_in[k2], &offset)->life == LIFE_GRAD)
                p->later[p->laters++] = &c->call.add[k2];
        }
    }
}

bool plan_bind(Plan *p, Store *s, Err *err)
{
    CHECK(!p->store, "a plan is bound once");
    CHECK((s->level == LEVEL_REF) == (p->opt.level == LEVEL_REF) && s->dev == p->dev,
          "the store is of another level or device than the plan");
    void *inputs = NULL, *block = NULL;
    if (!store_adopt(s, p, err)) return false;
    if (!store_block(s, p->cost.inputs, &inputs, err)) return false;
    if (p->opt.apart && !store_block(s, p->cost.step, &block, err)) return false;
    if (!p->dev->def->reserve(p->dev, p->own))
        return err_set(err, ERR_DEVICE, "no memory for %td bytes of scratch per worker", p->own);
    p->inputs = inputs;
    p->block = block;
    p->store = s;
    make_jobs(p);
    return true;
}

static void *address(const Plan *p, const Tensor *t)
{
    if (!t) return NULL;
    ptrdiff_t offset = 0;
    const Tensor *base = plan_storage(p, t, &offset);
    const Spot *s = &p->spot[base->id];
    offset *= plan_element(p, base);
    switch (base->life) {
    case LIFE_STEP: return p->block + s->at + offset;
    case LIFE_INPUT: return p->inputs + s->at + offset;
    default: return (s->item->at ? (char *)s->item->at : (char *)s->item->at64) + offset;
    }
}

/* Addresses of all calls, if the step block may have moved since. */
static void settle(Plan *p)
{
    CHECK(p->store, "the plan is not bound");
    p->store->written = true;
    if (p->epoch == p->store->epoch) return;
    p->epoch = p->store->epoch;
    if (!p->opt.apart) p->block = store_step(p->store);
    for (int i = 0; i < p->count; i++) {
        const Node *n = p->list[i];
        Call *c = &p->call[i].call;
        for (int k = 0; k < OP_MAX; k++) {
            c->in[k] = address(p, n->in[k]);
            c->out[k] = address(p, n->out[k]);
            c->saved[k] = address(p, n->saved[k]);
            c->d_out[k] = address(p, n->d_out[k]);
            c->d_in[k] = address(p, n->d_in[k]);
        }
        c->shared = address(p, p->shared[i]);
    }
}

void *plan_at(const Plan *p, const Tensor *t)
{
    CHECK(p->store, "the plan is not bound");
    settle((Plan *)p);
    ptrdiff_t offset = 0;
    const Tensor *base = plan_storage(p, t, &offset);
    const Spot *s = &p->spot[base->id];
    CHECK(s->first >= 0, "%s has no part in this plan", t->name);
    CHECK(base->life != LIFE_STEP || s->kept, "%s is not a root of this plan", t->name);
    return address(p, t);
}

/* ---- running --------------------------------------------------------------------------------- */

/* Bytes that are NaN in float and double alike, and a wild index. */
static void poison(Plan *p, const Spot *s)
{
    memset(p->block + s->at, 0xff, (size_t)s->bytes);
}

/* Job by job; what is not alive is poisoned. */
static void run_apart(Plan *p)
{
    for (int i = 0; i < p->x.tensors; i++)
        if (p->spot[i].first >= 0 && p->x.tensor[i]->life == LIFE_STEP) poison(p, &p->spot[i]);
    for (int n = 0; n < p->groups; n++) {
        p->dev->def->run(p->dev, &p->job[n], 1);
        for (int i = 0; i < p->x.tensors; i++)
            if (p->spot[i].first >= 0 && p->spot[i].last == n && p->x.tensor[i]->life == LIFE_STEP)
                poison(p, &p->spot[i]);
    }
}

void plan_run(Plan *p, const StepIn *in)
{
    settle(p);
    p->step = *in;
    for (int i = 0; i < p->laters; i++) *p->later[i] = in->later;
    p->dev->seconds = p->profiled ? p->seconds : NULL;
    if (p->opt.apart)
        run_apart(p);
    else
        p->dev->def->run(p->dev, p->job, p->groups);
    p->dev->seconds = NULL;
}

/* ---- profiles -------------------------------------------------------------------------------- */

void plan_profile(Plan *p, bool on)
{
    CHECK(p->store, "the plan is not bound");
    p->profiled = on;
    if (on) memset(p->seconds, 0, (size_t)p->groups * sizeof(double));
}

static int dearest_first(const void *a, const void *b)
{
    const PlanTime *x = a, *y = b;
    return x->seconds < y->seconds ? 1 : x->seconds > y->seconds ? -1 : strcmp(x->op, y->op);
}

int plan_times(const Plan *p, PlanTime *out, int cap)
{
    int n = 0, k = 0;
    for (int i = 0; i < p->count; i++) {
        const Node *node = p->list[i];
        bool begins = i == 0 || p->group[i] != p->group[i - 1];
        if (begins) {
            const char *name = plan_group_name(p, i);
            for (k = 0; k < n; k++)
                if (!strcmp(out[k].op, name) && out[k].backward == node->backward) break;
            if (k == n && n < cap) out[n++] = (PlanTime){ .op = name, .backward = node->backward };
        }
        if (k == n) continue;
        if (begins) out[k].seconds += p->seconds[p->group[i]];
        out[k].flops += flops_of(node);
    }
    qsort(out, (size_t)n, sizeof(*out), dearest_first);
    return n;
}
