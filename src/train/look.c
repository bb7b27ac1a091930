/* look.c - the plan of a look, and what is asked of each weight.
 *
 * Taps inside the training plan were the alternative.  They keep values alive through the backward
 * pass and cost at every step; a plan of its own costs only when it runs, sees the inside of
 * composites (queries, keys, hidden units) by their recorded inputs, and can be run twice: what a
 * step did to the very rows it was computed from is the plainest evidence there is about its rate.
 *
 * Of a large weight 4096 elements are taken, evenly spread: shares and ratios need no more, and a
 * look stays cheap beside a step.  Norms of all elements come from the update itself.
 *
 * Sharpness along the step.  To second order the loss falls by g.u - u'Hu / 2 where weights move
 * by -u; with g.u from the sample and the fall measured, 2 (1 - fall / g.u) = u'Hu / g.u, which is
 * rate times curvature for plain descent: beyond 2 the step makes its own loss worse (Cohen et al.
 * 2021, arXiv:2103.00065).
 *
 * Gradient noise scale from the halves of an accumulated step (McCandlish et al. 2018,
 * arXiv:1812.06162, appendix A): |G_half|^2 and |G|^2 differ by the noise of half a batch. */
#include "train/look_inside.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SAMPLE = 4096, LOGIT_ROWS = 8, LOOKS_MOST = 256, SHARE = 4 };

static void weight_add(Look *l, const char *name)
{
    LookWeight *w = &l->weight[l->weights++];
    char grad[300], memory[300];
    snprintf(grad, sizeof grad, "%s.grad", name);
    snprintf(memory, sizeof memory, "%s.adam_v", name);
    *w = (LookWeight){ .name = name,
                       .w = store_find(l->store, name),
                       .g = store_find(l->store, grad),
                       .v = store_find(l->store, memory) };
    CHECK(w->w && w->g && w->w->at && w->g->at, "%s is not in the store", name);
    w->step = MAX(1, w->w->count / SAMPLE);
    w->n = (int)(w->w->count / w->step);
    w->scale = (double)w->w->count / w->n;
    w->before = NEW(l->home, float, w->n);
}

/* Rows of attention and MLP as they were recorded. */
static void find_taps(Look *l, const Graph *g)
{
    for (int i = 0; i < g->nodes; i++) {
        const Node *n = g->node[i];
        const char *end =
            n->in[1] && n->in[1]->name ? strstr(n->in[1]->name, "mlp.down.weight") : 0;
        if (strcmp(n->op->name, "attention") == 0) l->attention[l->attentions++] = n;
        if (strcmp(n->op->name, "linear") == 0 && end) l->hidden[l->hiddens++] = n->in[0];
    }
    for (int i = 0; i < l->o.model->depth; i++) {
        char name[32];
        snprintf(name, sizeof name, "block.%d.resid", i);
        l->stream[i] = graph_find(g, name);
        CHECK(l->stream[i], "the model has no %s", name);
    }
}

static void find_names(Look *l)
{
    const Model *m = l->o.model;
    for (int b = 0; b < m->depth; b++) {
        l->block_name[b] = arena_printf(l->home, "block.%d", b);
        for (int h = 0; h < m->heads; h++)
            l->head_name[b * m->heads + h] = arena_printf(l->home, "block.%d.head.%d", b, h);
    }
}

static Look *look_new(LookOpt o, Arena *out)
{
    Look *l = NEW(out, Look, 1);
    int depth = o.model->depth, heads = o.model->heads;
    *l = (Look){ .o = o, .home = out, .rows = MAX(1, o.batch / SHARE) };
    l->attention = NEW(out, const Node *, depth);
    l->hidden = NEW(out, Tensor *, depth);
    l->stream = NEW(out, Tensor *, depth);
    l->block_name = NEW(out, const char *, depth);
    l->head_name = NEW(out, const char *, (ptrdiff_t)depth *heads);
    l->weight = NEW(out, LookWeight, o.optim->params);
    l->sight = NEW(out, Sight, 6 * o.optim->params + (4 + 3 * heads) * depth + 16);
    find_names(l);
    return l;
}

static void record(Look *l, Graph *g)
{
    const Model *m = l->o.model;
    ptrdiff_t shape[2] = { l->rows, l->o.context };
    l->tokens = t_input(g, "tokens", I32, 2, shape);
    l->targets = t_input(g, "targets", I32, 2, shape);
    l->pos = t_input(g, "pos", I32, 2, shape);
    l->doc = m->doc_mask ? t_input(g, "doc", I32, 2, shape) : NULL;
    l->one = t_input(g, "weight", F32, 1, (ptrdiff_t[]){ 1 });
    l->picks = (int)MIN(LOGIT_ROWS, shape[0] * shape[1]);
    l->pick = t_input(g, "pick", I32, 1, (ptrdiff_t[]){ l->picks });
    ModelIn in = { .tokens = l->tokens, .pos = l->pos, .doc = l->doc };
    Tensor *x = model_hidden(g, m, in);
    l->nll = model_loss(g, m, x, l->targets, l->one).nll;
    l->logits = model_logits(g, m, x, l->pick);
    find_taps(l, g);
}

Look *look_plan(LookOpt o, Dev *d, Arena *out, Err *err)
{
    Look *l = look_new(o, out);
    Graph *g = graph_new(out);
    int n = 0;
    record(l, g);
    Tensor **root = NEW(out, Tensor *, 5 * (ptrdiff_t)o.model->depth + 2);
    root[n++] = l->nll;
    root[n++] = l->logits;
    for (int i = 0; i < l->attentions; i++) {
        root[n++] = l->attention[i]->in[LOOK_Q];
        root[n++] = l->attention[i]->in[LOOK_K];
        root[n++] = l->attention[i]->out[0];
    }
    for (int i = 0; i < l->hiddens; i++) root[n++] = l->hidden[i];
    for (int i = 0; i < o.model->depth; i++) root[n++] = l->stream[i];
    l->plan = plan_new(g, root, n, d, o.plan, out, err);
    return l->plan ? l : NULL;
}

PlanCost look_cost(const Look *l)
{
    return plan_cost(l->plan);
}

int64_t look_every(LookOpt o, int64_t steps)
{
    int64_t rows = MAX(1, o.batch / SHARE), all = (int64_t)o.batch * o.accumulate;
    /* Two forward passes over these rows are two thirds of their share of a step. */
    int64_t cheap = (66 * rows + all - 1) / all;
    return MAX(MAX(cheap, 20), steps / LOOKS_MOST);
}

bool look_bind(Look *l, Store *s, Err *err)
{
    l->store = s;
    if (!plan_bind(l->plan, s, err)) return false;
    for (int i = 0; i < l->o.optim->params; i++) weight_add(l, l->o.optim->name[i]);
    *(float *)plan_at(l->plan, l->one) = 1;
    int32_t *pick = plan_at(l->plan, l->pick);
    for (int i = 0; i < l->picks; i++)
        pick[i] = (int32_t)(((int64_t)i + 1) * l->rows * l->o.context / l->picks - 1);
    return true;
}

/* ---- the weights */

static double squares_of_gradient(const Look *l)
{
    double sum = 0;
    for (int i = 0; i < l->weights; i++) {
        const LookWeight *w = &l->weight[i];
        double part = 0;
        for (int k = 0; k < w->n; k++) {
            double g = (double)w->g->at[k * w->step];
            part += g * g;
        }
        sum += part * w->scale;
    }
    return sum;
}

void look_half(Look *l)
{
    l->half = squares_of_gradient(l);
}

static void noise_scale(Look *l)
{
    const LookOpt *o = &l->o;
    if (o->accumulate < 2) return;
    int first = o->accumulate / 2;
    double tokens = (double)o->batch * o->context, small = first * tokens,
           big = o->accumulate * tokens, share = small / big;
    double half = l->half / (share * share), whole = squares_of_gradient(l);
    double signal = (big * whole - small * half) / (big - small);
    double noise = (half - whole) / (1 / small - 1 / big);
    if (signal > 0 && noise > 0) look_say(l, SIG_NOISE, "", noise / signal);
}

typedef struct Moves {
    int with_gradient, still, remembered, below;
    double g2, v2, gu;
} Moves;

static Moves moves_of(const LookWeight *w, double unbias, double eps)
{
    Moves m = { 0 };
    for (int k = 0; k < w->n; k++) {
        ptrdiff_t at = k * w->step;
        double g = (double)w->g->at[at], moved = (double)w->before[k] - (double)w->w->at[at];
        m.with_gradient += g != 0;
        m.still += g != 0 && moved == 0;
        m.g2 += g * g;
        m.gu += g * moved;
        if (!w->v || !(w->v->at[at] > 0)) continue;
        double v = (double)w->v->at[at] * unbias;
        m.remembered++;
        m.below += sqrt(v) < 10 * eps;
        m.v2 += v;
    }
    m.gu *= w->scale;
    return m;
}

/* Says what the update did to each weight; returns by how much it should lower the loss. */
static double see_weights(Look *l, const StepIn *in, const Plan *update)
{
    const KnobSet *k = l->o.knobs;
    double eps = knobs_number(k, "optim.eps"), gu = 0;
    double unbias = 1 / (1 - pow(knobs_number(k, "optim.beta2"), (double)in->step));
    for (int i = 0; i < l->weights; i++) {
        const LookWeight *w = &l->weight[i];
        OptimNorms norm = optim_norms(l->o.optim, update, l->o.plan.level, i);
        Moves m = moves_of(w, unbias, eps);
        gu += m.gu;
        if (w->w->rank < 2) continue;
        look_say(l, SIG_GRAD, w->name, norm.grad);
        look_say(l, SIG_WEIGHT, w->name, norm.weight);
        if (norm.weight > 0) look_say(l, SIG_UPDATE, w->name, norm.update / norm.weight);
        if (m.with_gradient > 0) look_say(l, SIG_STILL, w->name, (double)m.still / m.with_gradient);
        if (m.remembered > 0) look_say(l, SIG_EPS, w->name, (double)m.below / m.remembered);
        if (m.v2 > 0) look_say(l, SIG_LAG, w->name, l->clip * l->clip * m.g2 / m.v2);
    }
    return gu;
}

/* ---- a look */

void look_say(Look *l, Signal s, const char *where, double x)
{
    l->sight[l->sights++] = (Sight){ s, where, x };
}

static double mean_loss(Look *l, const StepIn *in)
{
    StepIn quiet = *in;
    quiet.train = quiet.later = false;
    plan_run(l->plan, &quiet);
    const float *nll = plan_at(l->plan, l->nll);
    int n = l->rows * l->o.context;
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)nll[i];
    return sum / n;
}

void look_before(Look *l, LookRows r, const StepIn *in)
{
    size_t bytes = (size_t)l->rows * (size_t)l->o.context * sizeof(int32_t);
    memcpy(plan_at(l->plan, l->tokens), r.tokens, bytes);
    memcpy(plan_at(l->plan, l->targets), r.targets, bytes);
    memcpy(plan_at(l->plan, l->pos), r.pos, bytes);
    if (l->doc) memcpy(plan_at(l->plan, l->doc), r.doc, bytes);
    for (int i = 0; i < l->weights; i++) {
        const LookWeight *w = &l->weight[i];
        for (int k = 0; k < w->n; k++) w->before[k] = w->w->at[k * w->step];
    }
    l->loss = mean_loss(l, in);
    l->sights = 0;
    noise_scale(l);
}

int look_after(Look *l, const StepIn *in, const Plan *update, const Sight **out)
{
    l->clip = (double)*(const float *)plan_at(update, l->o.optim->clip);
    double foretold = see_weights(l, in, update); /* before another plan takes the step block */
    double gain = l->loss - mean_loss(l, in);
    look_say(l, SIG_GAIN, "", gain);
    if (foretold > 0) look_say(l, SIG_SHARP, "", 2 * (1 - gain / foretold));
    look_inside(l);
    *out = l->sight;
    return l->sights;
}
