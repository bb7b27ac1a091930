/* plan.h - a graph given memory and an order, ready to be replayed.
 *
 * plan_new() decides everything that depends on shapes: which values live, where
 * each lies, which kernel runs, what is recomputed; memory and FLOPs are known
 * before anything is spent.  plan_run() replays: no allocation, no decision
 * about shapes (E4).  Plans that share a Store share weights, gradients, states
 * and one block of step memory, so that a train plan, an update plan and an
 * evaluation plan together cost the largest of them. */
#ifndef TENSOR_PLAN_H
#define TENSOR_PLAN_H

#include "tensor/op.h"

C_BEGIN

typedef struct Plan Plan;
typedef struct Store Store;

/* Cheap values (MAP and ROW outputs) can be computed again in the backward pass instead of kept.
 * AUTO does so where the step block would be larger than 64 MB. */
typedef enum Recompute { RECOMPUTE_AUTO, RECOMPUTE_CHEAP, RECOMPUTE_NONE } Recompute;

/* Rules of plan_fuse.c; they change time and memory, no bits. */
typedef enum FuseRule { FUSE_SHARE = 1, FUSE_CHAIN = 2 } FuseRule;

typedef struct PlanOpt {
    Recompute recompute; /* changes memory and time, no bits */
    bool plain;          /* composites are expanded, nothing is fused: for tests */
    unsigned off;        /* FuseRules that are not applied: for tests */
    bool apart;          /* each value has pages of its own, the dead are poisoned: for tests */
    CpuLevel level;      /* of the Store too; LEVEL_REF is the definition, cpu_level() is fast */
} PlanOpt;

typedef struct PlanCost {
    ptrdiff_t params, grads, states, step, inputs, scratch; /* bytes */
    int64_t flops;                                          /* of one plan_run */
    int64_t matmul_flops; /* of MATMUL shapes alone, the ones budgets count */
    int nodes;
} PlanCost;

/* roots: values that must exist after a run (the loss, taps, outputs of STATE ops); what none of
 * them needs does not run.  Where a loss is needed, so are the gradients that graph_grad recorded
 * for it: they lie in the Store's gradient block.  ERR_DEVICE: an op without kernel and definition
 * at the level, or a level that this processor has not. */
Plan *plan_new(Graph *g, Tensor *const roots[], int n_roots, Dev *d, PlanOpt o, Arena *out,
               Err *err) MUST_CHECK;
PlanCost plan_cost(const Plan *p);

/* Weights, gradients and states by name; made on first sight with the shapes of the graph.
 * ERR_CONFIG: the Store has a tensor of that name and another shape.  ERR_DEVICE: the machine
 * cannot hold it all.  All plans of a Store share one step block, as large as the largest of them
 * needs; binding another plan may move it. */
bool plan_bind(Plan *p, Store *s, Err *err) MUST_CHECK;
void plan_run(Plan *p, const StepIn *in);

/* Host addresses on a CPU: an input to fill, which stays where it is; a root to read, until
 * another plan of the Store is run or bound. */
void *plan_at(const Plan *p, const Tensor *t);

/* At LEVEL_REF everything in it is double, at other levels float. */
Store *store_new(Dev *d, CpuLevel level, Arena *out);
void store_free(Store *s);
ptrdiff_t store_bytes(const Store *s);

typedef struct StoreItem {
    const char *name;
    Life life; /* PARAM, GRAD or STATE */
    int rank;
    ptrdiff_t dim[RANK_MAX], count;
    const ParamSpec *spec; /* of a param */
    float *at;             /* NULL at LEVEL_REF */
    double *at64;          /* NULL at other levels */
} StoreItem;
int store_count(const Store *s);
const StoreItem *store_item(const Store *s, int i); /* in the order of first use */
const StoreItem *store_find(const Store *s, const char *name);

/* Initial weights: each param's draws come from the stream of its own name, so a new param
 * leaves the others' values alone.  States and gradients are zeroed. */
void store_init(Store *s, uint64_t seed);

/* Time per op name since profiling was switched on, for `lathe bench train`; of a chain, under the
 * names of all its ops. */
void plan_profile(Plan *p, bool on);
typedef struct PlanTime {
    const char *op;
    bool backward;
    double seconds;
    int64_t flops;
} PlanTime;
int plan_times(const Plan *p, PlanTime *out,
               int cap); /* summed by op and direction, dearest first */

C_END
#endif
