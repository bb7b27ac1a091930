/* plan_inside.h - what the files of the planner and the store share.
 *
 * Making a plan, in order:
 *   plan_expand      composites without a kernel become plainer nodes
 *   plan_trim        nodes that no root needs go
 *   plan_share       gradients that pass unchanged stay where they are
 *   plan_recompute   cheap values are made a second time where the backward pass reads them
 *   plan_chain       nodes that go over the same rows become one job
 *   plan_place       every value gets its place in the step block
 * then plan_bind gives addresses (plan.c, store.c). */
#ifndef TENSOR_PLAN_INSIDE_H
#define TENSOR_PLAN_INSIDE_H

#include "tensor/plan.h"

/* Of a tensor that owns storage; by its id. */
typedef struct Spot {
    ptrdiff_t bytes, at; /* at: in the step block, or in the inputs block */
    int first, last;     /* jobs that touch it, in their order; first < 0: none */
    bool kept;           /* a root, or part of one */
    StoreItem *item;     /* of a param, gradient or state, once bound */
} Spot;

typedef struct PlanCall {
    Call call;
    void (*run)(const Call *c, Work w);
    int chained; /* how many calls behind this one belong to its job */
} PlanCall;

struct Plan {
    Arena *home;
    Dev *dev;
    PlanOpt opt;
    Graph x;        /* the expanded graph: tensors of the recorded one and more */
    Tensor **alias; /* by id: the tensor whose storage this one is; NULL: its own */
    int alias_cap;
    struct Segment *segments;
    Node **list; /* copies, in order of execution */
    int count, list_cap;
    int *group, groups; /* which job each node of the list belongs to; how many there are */
    Tensor **root;
    int roots;
    Spot *spot;      /* by id */
    Tensor **shared; /* scratch of each node, as a value that lives for that node; or NULL */
    PlanCost cost;
    ptrdiff_t own;

    Store *store;
    int epoch; /* of the store, when addresses were last worked out */
    char *inputs, *block;
    PlanCall *call;
    Job *job;
    bool **later; /* the add flags that StepIn.later decides */
    int laters;
    StepIn step;
    double *seconds;
    bool profiled;
    Plan *next; /* of those bound to the store */
};

/* The tensor that owns the storage of t; *offset grows by where t begins in it, in elements. */
Tensor *plan_storage(const Plan *p, const Tensor *t, ptrdiff_t *offset);
static inline ptrdiff_t plan_element(const Plan *p, const Tensor *t)
{
    return t->dtype == I32 || p->opt.level != LEVEL_REF ? 4 : 8;
}
void plan_alias(Plan *p, const Tensor *t, Tensor *to); /* t is stored where `to` is */
void plan_push(Plan *p, const Node *n);                /* at the end of the list, as a copy */

bool plan_expand(Plan *p, const Graph *g, Err *err) MUST_CHECK;
void plan_trim(Plan *p);
void plan_share(Plan *p);
void plan_chain(Plan *p);
const char *plan_group_name(const Plan *p, int node); /* of the job that begins with the node */
void plan_recompute(Plan *p);
void plan_place(Plan *p);

/* Calls f for every tensor a node touches; `write` where the node makes or changes it. */
typedef void PlanTouch(Plan *p, Tensor *t, bool write, void *ctx);
void plan_touch(Plan *p, const Node *n, PlanTouch *f, void *ctx);

typedef struct StoreBlock {
    void *at;
    ptrdiff_t bytes;
    struct StoreBlock *next;
} StoreBlock;

struct Store {
    Dev *dev;
    CpuLevel level;
    Arena *home;
    StoreItem **item;
    int items, item_cap;
    StoreBlock *blocks; /* weights, gradients, states, inputs */
    ptrdiff_t bytes;    /* of those */
    ptrdiff_t room;     /* what the device had when the store was made */
    void *step;
    ptrdiff_t step_bytes, step_have;
    Plan *plans;
    int epoch;    /* raised by each bind: addresses may have moved */
    bool written; /* to weights, gradients or states, by a plan or store_init() */
};

/* A block that lives as long as the store; false where the device has no room. */
bool store_block(Store *s, ptrdiff_t bytes, void **at, Err *err) MUST_CHECK;
bool store_adopt(Store *s, Plan *p, Err *err) MUST_CHECK; /* items for all that p names */
void *store_step(Store *s);

#endif
