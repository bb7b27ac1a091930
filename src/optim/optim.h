/* optim.h - update rules and rate schedules.
 *
 * An update is recorded as ops on a graph of its own: the norm of all gradients, a clip
 * factor, then each weight's rule.  Rates, decay, momentum and the clip limit are entries of
 * StepIn.scalar that the host writes before each step; nothing that changes from step to step
 * is part of a plan (E4).
 *
 * Weights fall into four groups by role, each with its own rate.  Weight decay acts on products
 * (hidden matrices and an untied head) only: not on embeddings, norms, biases. */
#ifndef OPTIM_OPTIM_H
#define OPTIM_OPTIM_H

#include "base/knob.h"
#include "tensor/ops.h"
#include "tensor/plan.h"

enum { GROUP_MATRIX, GROUP_EMBED, GROUP_HEAD, GROUP_VECTOR, GROUP_COUNT };
extern const char *const group_name[GROUP_COUNT];
int group_of(Role role);

/* Places in StepIn.scalar: SLOT_AVERAGE is the share of the new weights in their average. */
enum {
    SLOT_CLIP,
    SLOT_MOMENTUM,
    SLOT_AVERAGE,
    SLOT_SHAMPOO,
    SLOT_RATE,
    SLOT_COUNT = SLOT_RATE + 2 * GROUP_COUNT
};
static inline int slot_rate(int group) /* the decay stands right behind */
{
    return SLOT_RATE + 2 * group;
}

/* One weight to be updated. */
typedef struct UpdateIn {
    Tensor *w, *d_w; /* the gradient of the mean loss */
    Tensor *clip;    /* (2): factor, norm */
    int rate;        /* slot */
    bool cautious;   /* decay only where it goes the way of the update */
} UpdateIn;

/* Where a run stands. */
typedef struct OptimAt {
    double factor; /* of the schedule */
    int64_t step, steps;
} OptimAt;

typedef struct OptimDef {
    const char *name, *doc, *source;
    const Knob *knobs;                    /* its own, "optim.NAME.*"; may be NULL */
    bool (*takes)(const ParamSpec *spec); /* what it updates; adamw does the rest.  NULL: all */
    /* Records the update; returns its statistics (2): sum of squares of the change and of w before.
     */
    Tensor *(*record)(Graph *g, const KnobSet *k, UpdateIn in);
    /* Adds to what optim_scalars wrote: its own rate for GROUP_MATRIX, momentum.  `mult`: by
     * which a rate that acts element by element is multiplied under muP.  May be NULL. */
    void (*scalars)(const KnobSet *k, OptimAt at, double mult, float *scalar);
} OptimDef;

extern const Knob optim_knobs[], schedule_knobs[];
const OptimDef *const *optim_all(int *count);
const OptimDef *optim_of(const KnobSet *k);
/* Tables of the knobs that rules declare for themselves; at most `cap`, returns how many. */
int optim_tables(const Knob **tables, int cap);

/* The update of every weight of a model, recorded. */
typedef struct Optim {
    const OptimDef *def;
    const KnobSet *knobs;
    double matrix_mult; /* elementwise rates of hidden matrices are multiplied by this (muP) */
    int params;
    Tensor **stats;   /* (2) per weight */
    Tensor **squares; /* (1) per weight: of its gradient */
    int *group;       /* of each */
    const char **name;
    Tensor *clip;  /* (2): factor, norm */
    Tensor **root; /* of the plan: stats, then clip */
    int roots;
} Optim;

/* `params`: those of a model's graph, whose gradients a plan of that graph leaves in the Store.
 * Where weights are averaged, each has a state NAME.average: the weights to judge. */
void optim_record(Optim *o, Graph *g, const KnobSet *k, Tensor *const *params, int n, Arena *out);

void optim_scalars(const Optim *o, OptimAt at, float scalar[SLOT_COUNT]);

/* What a step did, read after plan_run. */
typedef struct OptimStats {
    double grad_norm, clip_factor;
    double update_ratio[GROUP_COUNT]; /* ||update|| / ||w||; NaN where the group is empty */
} OptimStats;
void optim_read(const Optim *o, const Plan *p, CpuLevel level, OptimStats *out);

/* The same of weight i alone: norms, before clipping. */
typedef struct OptimNorms {
    const char *name;
    double grad, update, weight;
} OptimNorms;
OptimNorms optim_norms(const Optim *o, const Plan *p, CpuLevel level, int i);

/* Schedules: the factor by which every rate is multiplied. */
typedef struct ScheduleIn {
    double at;    /* progress behind the warmup, 0 <= at < 1 */
    double left;  /* share of the whole run that is still to come, this step included */
    double decay; /* share of the run that a decay phase takes */
    double final; /* fraction reached at the end */
} ScheduleIn;
typedef struct ScheduleDef {
    const char *name, *doc, *source;
    double (*factor)(ScheduleIn in);
} ScheduleDef;
const ScheduleDef *const *schedule_all(int *count);

/* Of step 1..steps.  No libm: the rate reaches every weight. */
double schedule_factor(const KnobSet *k, int64_t step, int64_t steps);

/* cos(pi x) for 0 <= x <= 1, within 1e-15, the same bits everywhere. */
double schedule_cospi(double x);

#endif
