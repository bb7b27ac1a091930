/* optim.c - groups, knobs, clipping and statistics that all update rules share.
 *
 * Rates are one number and multipliers: `optim.lr` is AdamW's rate of hidden
 * matrices, the other groups' rates are multiples of it.  Absolute rates per group
 * were the alternative (nanochat gives five); with multipliers a search over the one
 * rate that matters most moves all groups together, and "1" is the plain AdamW that
 * everybody knows.  Muon's matrices have a rate of their own, because an orthogonal
 * update has another scale; `optim.lr` then serves the rest.
 *
 * Statistics come out of the update itself: each rule returns the squared sizes of
 * what it changed and of what was there, so that the ratio per group costs nothing.
 *
 * Averaged weights are a state beside each weight, moved after the update by a share that
 * the host sets (t_average).  Training goes on from the weights themselves; who judges,
 * samples or exports takes the averages.  `ema` is exponential, and the plain mean until
 * it is old enough (so no start-up correction is needed); `tail` is the mean over the
 * last part of the run, which is what LAWA (Kaddour 2022, arXiv:2209.14981) and SWA
 * (Izmailov et al. 2018, arXiv:1803.05407) take from stored checkpoints, as a running
 * mean: one copy instead of k, and every step counts. */
#include "optim/optim.h"

#include <math.h>
#include <stdio.h>

const char *const group_name[GROUP_COUNT] = { "matrices", "embedding", "head", "vectors" };

#define OPTIM(title) extern const OptimDef optim_##title;
#include "optim/optim_list.h"
#undef OPTIM

static const OptimDef *const defs[] = {
#define OPTIM(title) &optim_##title,
#include "optim/optim_list.h"
#undef OPTIM
};

static const char *const names[] = {
#define OPTIM(title) #title,
#include "optim/optim_list.h"
#undef OPTIM
    NULL
};

static const char *const averages[] = { "none", "ema", "tail", NULL };
enum { AVERAGE_NONE, AVERAGE_EMA, AVERAGE_TAIL };

const Knob optim_knobs[] = {
    { .name = "optim.name",
      .type = KNOB_CHOICE,
      .max = (double)(COUNT(names) - 2),
      .choices = names,
      .doc =
          "the update rule: adamw or lion for all weights; muon or soap for hidden matrices, with "
          "adamw for the rest" },
    { .name = "optim.lr",
      .type = KNOB_NUMBER,
      .fallback = 2e-3,
      .min = 1e-7,
      .max = 1,
      .scale = SCALE_LOG,
      .doc = "AdamW's rate at the top of the schedule" },
    { .name = "optim.embed_mult",
      .type = KNOB_NUMBER,
      .fallback = 1,
      .min = 0.001,
      .max = 1000,
      .scale = SCALE_LOG,
      .unit = "x optim.lr",
      .doc = "rate of embedding and position tables" },
    { .name = "optim.head_mult",
      .type = KNOB_NUMBER,
      .fallback = 1,
      .min = 0.001,
      .max = 1000,
      .scale = SCALE_LOG,
      .unit = "x optim.lr",
      .doc = "rate of an untied head",
      .only = "model.tied=false" },
    { .name = "optim.vector_mult",
      .type = KNOB_NUMBER,
      .fallback = 1,
      .min = 0.001,
      .max = 1000,
      .scale = SCALE_LOG,
      .unit = "x optim.lr",
      .doc = "rate of norm gains and biases" },
    { .name = "optim.beta1",
      .type = KNOB_NUMBER,
      .fallback = 0.9,
      .min = 0,
      .max = 0.999,
      .doc = "AdamW's memory of gradients" },
    { .name = "optim.beta2",
      .type = KNOB_NUMBER,
      .fallback = 0.99,
      .min = 0.5,
      .max = 0.99999,
      .doc = "AdamW's memory of squared gradients; the smaller the batch, the longer" },
    { .name = "optim.eps",
      .type = KNOB_NUMBER,
      .fallback = 1e-8,
      .min = 1e-20,
      .max = 1e-2,
      .scale = SCALE_LOG,
      .doc = "added to AdamW's denominator" },
    { .name = "optim.decay",
      .type = KNOB_NUMBER,
      .fallback = 0.1,
      .min = 0,
      .max = 2,
      .scale = SCALE_LOG,
      .doc = "weight decay of products, times the rate (Loshchilov and Hutter 2017)" },
    { .name = "optim.clip",
      .type = KNOB_NUMBER,
      .fallback = 1,
      .min = 0,
      .max = 100,
      .scale = SCALE_LOG,
      .doc = "the gradient of all weights together is scaled down to at most this norm; 0: never" },
    { .name = "optim.cautious",
      .type = KNOB_FLAG,
      .max = 1,
      .doc = "decay a weight only where that goes the way of its update (Chen et al. 2025)" },
    { .name = "optim.average",
      .type = KNOB_CHOICE,
      .max = (double)(COUNT(averages) - 2),
      .choices = averages,
      .doc = "what is judged, sampled and exported: the last weights, their exponential average, "
             "or their mean over the tail of the run" },
    { .name = "optim.average_decay",
      .type = KNOB_NUMBER,
      .fallback = 0.99,
      .min = 0,
      .max = 0.99999,
      .only = "optim.average=ema",
      .doc = "memory of the average, per step" },
    { .name = "optim.average_tail",
      .type = KNOB_NUMBER,
      .fallback = 0.1,
      .min = 0.001,
      .max = 1,
      .scale = SCALE_LOG,
      .unit = "of the run",
      .only = "optim.average=tail",
      .doc = "the last part, whose weights are averaged" },
    { .name = NULL },
};

int group_of(Role role)
{
    switch (role) {
    case ROLE_MATRIX: return GROUP_MATRIX;
    case ROLE_EMBEDDING: return GROUP_EMBED;
    case ROLE_HEAD: return GROUP_HEAD;
    case ROLE_VECTOR:
    case ROLE_SCALAR: break;
    }
    return GROUP_VECTOR;
}

const OptimDef *const *optim_all(int *count)
{
    *count = (int)COUNT(defs);
    return defs;
}

const OptimDef *optim_of(const KnobSet *k)
{
    return defs[(int)k->value[knobs_find(k, "optim.name")]];
}

int optim_tables(const Knob **tables, int cap)
{
    int n = 0;
    for (int i = 0; i < (int)COUNT(defs) && n < cap; i++) {
        if (defs[i]->knobs) tables[n++] = defs[i]->knobs;
    }
    return n;
}

static int average_kind(const KnobSet *k)
{
    return (int)k->value[knobs_find(k, "optim.average")];
}

static const OptimDef *rule_for(const OptimDef *def, const ParamSpec *spec)
{
    return !def->takes || def->takes(spec) ? def : &optim_adamw;
}

/* Each param of the model stands in this graph as a leaf of the same name. */
static Tensor *leaf(Graph *g, const Tensor *param)
{
    ParamSpec spec = *param->spec;
    spec.name = param->name;
    return t_param(g, spec);
}

/* Leaves the squares of each in `each`. */
static Tensor *norm_of_all(Graph *g, Tensor *const *params, int n, Tensor **each)
{
    Tensor *squares = NULL;
    for (int i = 0; i < n; i++) {
        each[i] = t_sum_squares(g, t_grad_leaf(g, leaf(g, params[i]))); // (1)
        squares = squares ? t_add(g, squares, each[i]) : each[i];
    }
    return t_clip_factor(g, squares, SLOT_CLIP); // (2)
}

/* Recorded behind the update that wrote w. */
static Tensor *average_of(Graph *g, Tensor *w)
{
    char name[300];
    snprintf(name, sizeof(name), "%s.average", w->name);
    return t_average(g, t_state(g, name, w->rank, w->dim), w, SLOT_AVERAGE);
}

void optim_record(Optim *o, Graph *g, const KnobSet *k, Tensor *const *params, int n, Arena *out)
{
    bool averages_kept = average_kind(k) != AVERAGE_NONE;
    *o = (Optim){ .def = optim_of(k), .knobs = k, .matrix_mult = 1, .params = n };
    o->stats = NEW(out, Tensor *, n);
    o->group = NEW(out, int, n);
    o->name = NEW(out, const char *, n);
    o->squares = NEW(out, Tensor *, n);
    o->root = NEW(out, Tensor *, 3 * n + 1);
    o->clip = norm_of_all(g, params, n, o->squares);
    for (int i = 0; i < n; i++) {
        Tensor *w = leaf(g, params[i]);
        o->name[i] = w->name;
        o->group[i] = group_of(w->spec->role);
        UpdateIn in = { w, t_grad_leaf(g, w), o->clip, slot_rate(o->group[i]),
                        knobs_flag(k, "optim.cautious") };
        o->stats[i] = rule_for(o->def, w->spec)->record(g, k, in);
        o->root[o->roots++] = o->stats[i];
        o->root[o->roots++] = o->squares[i];
        if (averages_kept) o->root[o->roots++] = average_of(g, w);
    }
    o->root[o->roots++] = o->clip;
}

/* The share of this step's weights in the average. */
static double average_share(const KnobSet *k, OptimAt at)
{
    double tail = (double)at.steps * knobs_number(k, "optim.average_tail");
    int64_t before = at.steps - (int64_t)(tail + 0.5); /* steps that do not count */
    switch (average_kind(k)) {
    case AVERAGE_EMA: return MAX(1 - knobs_number(k, "optim.average_decay"), 1 / (double)at.step);
    case AVERAGE_TAIL: return 1 / (double)MAX(1, at.step - before);
    default: return 0;
    }
}

void optim_scalars(const Optim *o, OptimAt at, float scalar[SLOT_COUNT])
{
    const KnobSet *k = o->knobs;
    double mult[GROUP_COUNT] = { o->matrix_mult, knobs_number(k, "optim.embed_mult"),
                                 knobs_number(k, "optim.head_mult"),
                                 knobs_number(k, "optim.vector_mult") };
    double rate = knobs_number(k, "optim.lr"), decay = knobs_number(k, "optim.decay");
    scalar[SLOT_CLIP] = (float)knobs_number(k, "optim.clip");
    scalar[SLOT_MOMENTUM] = scalar[SLOT_SHAMPOO] = 0;
    scalar[SLOT_AVERAGE] = (float)average_share(k, at);
    for (int i = 0; i < GROUP_COUNT; i++) {
        bool decays = i == GROUP_MATRIX || i == GROUP_HEAD;
        scalar[slot_rate(i)] = (float)(rate * mult[i] * at.factor);
        scalar[slot_rate(i) + 1] = (float)(decays ? decay : 0);
    }
    /* Under muP the rate falls with width, and rate times decay stays. */
    scalar[slot_rate(GROUP_MATRIX) + 1] /= (float)o->matrix_mult;
    if (o->def->scalars) o->def->scalars(k, at, o->matrix_mult, scalar);
}

static double value_at(const Plan *p, const Tensor *t, int i, CpuLevel level)
{
    const void *at = plan_at(p, t);
    return level == LEVEL_REF ? ((const double *)at)[i] : (double)((const float *)at)[i];
}

void optim_read(const Optim *o, const Plan *p, CpuLevel level, OptimStats *out)
{
    double change[GROUP_COUNT] = { 0 }, weight[GROUP_COUNT] = { 0 };
    for (int i = 0; i < o->params; i++) {
        change[o->group[i]] += value_at(p, o->stats[i], 0, level);
        weight[o->group[i]] += value_at(p, o->stats[i], 1, level);
    }
    for (int i = 0; i < GROUP_COUNT; i++)
        out->update_ratio[i] = weight[i] > 0 ? sqrt(change[i] / weight[i]) : (double)NAN;
    out->clip_factor = value_at(p, o->clip, 0, level);
    out->grad_norm = value_at(p, o->clip, 1, level);
}

OptimNorms optim_norms(const Optim *o, const Plan *p, CpuLevel level, int i)
{
    return (OptimNorms){ .name = o->name[i],
                         .grad = sqrt(value_at(p, o->squares[i], 0, level)),
                         .update = sqrt(value_at(p, o->stats[i], 0, level)),
                         .weight = sqrt(value_at(p, o->stats[i], 1, level)) };
}
