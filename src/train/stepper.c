/* stepper.c - gradients of some micro-batches, then one update.
 *
 * Two plans instead of one: accumulation repeats the first any number of times before the
 * second, and what a step needs in memory is the larger of the two, not their sum, because
 * plans over one Store share their step block.
 *
 * The weight of a row in the loss is 1 / (rows of the whole step), so gradients of
 * micro-batches simply add up to the gradient of the step's mean loss. */
#include "train/stepper.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"

/* Inputs for the parent's answers. */
static HeadTeacher teacher(Stepper *s, Graph *g)
{
    const ParentWant *want = &s->parent->want;
    ptrdiff_t rows[2] = { (ptrdiff_t)s->batch * s->context, s->parent->k };
    HeadTeacher by = { .heat = (float)want->heat, .share = (float)want->select };
    if (parent_teaches(want)) {
        by.token = s->token = t_input(g, "parent.token", I32, 2, rows);
        by.soft = s->soft = t_input(g, "parent.soft", F32, 2, rows);
    }
    if (parent_selects(want)) by.ref = s->ref = t_input(g, "parent.ref", F32, 1, rows);
    return by;
}

static bool plan_micro(Stepper *s, Dev *d, Tensor ***params, int *n, Arena *out, Err *err)
{
    Graph *g = graph_new(out);
    g->precision = s->precision;
    ptrdiff_t shape[2] = { s->batch, s->context };
    s->tokens = t_input(g, "tokens", I32, 2, shape);
    s->targets = t_input(g, "targets", I32, 2, shape);
    s->pos = t_input(g, "pos", I32, 2, shape);
    s->doc = s->model.doc_mask ? t_input(g, "doc", I32, 2, shape) : NULL;
    s->weight = t_input(g, "weight", F32, 1, (ptrdiff_t[]){ 1 });
    ModelIn in = { .tokens = s->tokens, .pos = s->pos, .doc = s->doc };
    Tensor *x = model_hidden(g, &s->model, in);
    HeadTeacher by = { 0 };
    if (s->parent) by = teacher(s, g);
    s->loss =
        model_loss_taught(g, &s->model, x, s->targets, s->weight, s->parent ? &by : NULL).loss;
    graph_grad(g, s->loss);
    s->micro = plan_new(g, &s->loss, 1, d, s->opt, out, err);
    *params = NEW(out, Tensor *, g->tensors);
    *n = 0;
    for (int i = 0; i < g->tensors; i++) {
        Tensor *t = g->tensor[i];
        if (t->life == LIFE_PARAM && !t->base && t->grad) (*params)[(*n)++] = t;
    }
    return s->micro != NULL;
}

static bool plan_update(Stepper *s, const KnobSet *k, Dev *d, Tensor **params, int n, Arena *out,
                        Err *err)
{
    Graph *g = graph_new(out);
    optim_record(&s->optim, g, k, params, n, out);
    s->optim.matrix_mult = 1 / s->model.width_ratio;
    s->update = plan_new(g, s->optim.root, s->optim.roots, d, s->opt, out, err);
    return s->update != NULL;
}

static Precision precision_of(const KnobSet *k)
{
    const char *name = knobs_choice(k, "train.precision");
    return strcmp(name, precision_name(PRECISION_FP16)) == 0 ? PRECISION_FP16 : PRECISION_FP32;
}

bool stepper_plan(Stepper *s, StepperOpt o, Dev *d, Arena *out, Err *err)
{
    *s = (Stepper){ .opt = o.plan,
                    .hands = o.hands,
                    .batch = (int)knobs_whole(o.knobs, "train.batch"),
                    .context = (int)knobs_whole(o.knobs, "model.context"),
                    .accumulate = (int)knobs_whole(o.knobs, "train.accumulate"),
                    .precision = precision_of(o.knobs),
                    .parent = o.parent && o.parent->body ? o.parent : NULL };
    Tensor **params;
    int n;
    if (!model_of(o.knobs, o.vocab, &s->model, err) || !plan_micro(s, d, &params, &n, out, err) ||
        !plan_update(s, o.knobs, d, params, n, out, err))
        return false;
    if (!o.look || o.plan.level == LEVEL_REF) return true;
    s->look = look_plan(stepper_look_opt(s), d, out, err);
    return s->look != NULL;
}

LookOpt stepper_look_opt(const Stepper *s)
{
    return (LookOpt){ .model = &s->model,
                      .optim = &s->optim,
                      .knobs = s->optim.knobs,
                      .plan = s->opt,
                      .batch = s->batch,
                      .context = s->context,
                      .accumulate = s->accumulate };
}

bool stepper_bind(Stepper *s, Dev *d, uint64_t seed, Arena *out, Err *err)
{
    s->store = store_new(d, s->opt.level, out);
    if (!plan_bind(s->micro, s->store, err) || !plan_bind(s->update, s->store, err) ||
        (s->look && !look_bind(s->look, s->store, err)))
        return false;
    store_init(s->store, seed);
    return true;
}

void stepper_free(Stepper *s)
{
    if (s->store) store_free(s->store);
    s->store = NULL;
    batches_free(&s->read);
}

PlanCost stepper_cost(const Stepper *s)
{
    PlanCost a = plan_cost(s->micro), b = plan_cost(s->update);
    PlanCost c = s->look ? look_cost(s->look) : (PlanCost){ 0 };
    PlanCost p = s->parent ? parent_cost(s->parent) : (PlanCost){ 0 };
    return (PlanCost){ .params = MAX(a.params, b.params) + p.params,
                       .grads = MAX(a.grads, b.grads),
                       .states = a.states + b.states,
                       .step = MAX(MAX(a.step, b.step), c.step) + p.step,
                       .inputs = a.inputs + b.inputs + c.inputs + p.inputs,
                       .scratch = MAX(MAX(p.scratch, c.scratch), MAX(a.scratch, b.scratch)),
                       .flops = s->accumulate * a.flops + b.flops,
                       .matmul_flops = s->accumulate * a.matmul_flops + b.matmul_flops,
                       .nodes = a.nodes + b.nodes };
}

int64_t stepper_parent_flops(const Stepper *s)
{
    return s->parent ? s->accumulate * parent_cost(s->parent).matmul_flops : 0;
}

static double scalar_at(const Stepper *s, const Tensor *t)
{
    const void *at = plan_at(s->micro, t);
    return s->opt.level == LEVEL_REF ? *(const double *)at : (double)*(const float *)at;
}

static void put_weight(const Stepper *s)
{
    double weight = 1 / ((double)s->batch * s->context * s->accumulate);
    void *at = plan_at(s->micro, s->weight);
    if (s->opt.level == LEVEL_REF)
        *(double *)at = weight;
    else
        *(float *)at = (float)weight;
}

static bool fill(Stepper *s, const Loader *l, int64_t index, Err *err)
{
    double began = clock_now();
    const StepHands *h = s->hands;
    int32_t *tokens = plan_at(s->micro, s->tokens), *targets = plan_at(s->micro, s->targets),
            *doc = s->doc ? plan_at(s->micro, s->doc) : NULL;
    if (h && h->index) index = h->index(h->self, index);
    if (!loader_fill(l, index, tokens, targets, plan_at(s->micro, s->pos), doc, NULL, err))
        return false;
    if (h && h->batch) h->batch(h->self, index, tokens, targets, s->batch, s->context);
    if (s->look) batches_add(&s->read, tokens, (ptrdiff_t)s->batch * s->context);
    s->waited += clock_now() - began;
    return true;
}

static LookRows rows_of(const Stepper *s)
{
    return (LookRows){ plan_at(s->micro, s->tokens), plan_at(s->micro, s->targets),
                       plan_at(s->micro, s->pos), s->doc ? plan_at(s->micro, s->doc) : NULL };
}

/* The parent's answers on the micro-batch that the inputs hold. */
static void ask(const Stepper *s, OptimAt at)
{
    const ParentWant *want = &s->parent->want;
    ParentAsk a = { .tokens = plan_at(s->micro, s->tokens),
                    .targets = plan_at(s->micro, s->targets),
                    .pos = plan_at(s->micro, s->pos),
                    .doc = s->doc ? plan_at(s->micro, s->doc) : NULL,
                    .share = parent_share(want, at.step, at.steps),
                    .token = s->token ? plan_at(s->micro, s->token) : NULL,
                    .soft = s->soft ? plan_at(s->micro, s->soft) : NULL,
                    .ref = s->ref ? plan_at(s->micro, s->ref) : NULL };
    if (parent_selects(want) || a.share > 0)
        parent_ask(s->parent, &a);
    else
        memset(a.soft, 0, (size_t)tensor_count(s->soft) * sizeof(*a.soft));
}

/* The gradient of all micro-batches. */
static bool gradients(Stepper *s, const Loader *l, StepDo d, StepIn *in, StepOut *out, Err *err)
{
    batches_step(&s->read);
    for (int i = 0; i < s->accumulate; i++) {
        if (l && !fill(s, l, (d.at.step - 1) * s->accumulate + i, err)) return false;
        if (s->parent) ask(s, d.at);
        in->later = i > 0;
        in->micro = i;
        plan_run(s->micro, in);
        out->loss += scalar_at(s, s->loss);
        if (d.look && i + 1 == s->accumulate / 2) look_half(s->look);
    }
    in->later = false;
    return true;
}

bool stepper_run(Stepper *s, const Loader *l, StepDo d, StepOut *out, Err *err)
{
    float scalar[SLOT_COUNT];
    StepIn in = { .step = d.at.step, .seed = d.seed, .train = true, .scalar = scalar };
    const StepHands *h = s->hands;
    *out = (StepOut){ 0 };
    optim_scalars(&s->optim, d.at, scalar);
    if (h && h->rates) h->rates(h->self, d.at.step, scalar);
    out->rate = (double)scalar[slot_rate(GROUP_MATRIX)];
    put_weight(s);
    if (!gradients(s, l, d, &in, out, err)) return false;
    if (!isfinite(out->loss)) return true;
    if (d.look) look_before(s->look, rows_of(s), &in);
    plan_run(s->update, &in);
    optim_read(&s->optim, s->update, s->opt.level, &out->stats);
    if (h && h->weights) h->weights(h->self, d.at.step, s->store);
    out->finite = isfinite(out->stats.grad_norm);
    if (d.look && out->finite) out->sights = look_after(s->look, &in, s->update, &out->sight);
    return true;
}
