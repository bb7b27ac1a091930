/* stepper.h - one step of training, planned: the micro-batch plan (forward and backward), the
 * update plan, and the Store that they share.
 *
 * The run (train.c) decides which step is done and what becomes of the numbers; `lathe bench`
 * times the same object. */
#ifndef TRAIN_STEPPER_H
#define TRAIN_STEPPER_H

#include "data/mixture.h"
#include "model/model.h"
#include "optim/optim.h"
#include "train/parent.h"

typedef struct StepperOpt {
    const KnobSet *knobs;
    int vocab;
    PlanOpt plan;         /* its level is the Store's too */
    const Parent *parent; /* what it was asked for (parent.h); NULL: there is none */
} StepperOpt;

typedef struct Stepper {
    Model model;
    Optim optim;
    PlanOpt opt;
    Plan *micro, *update;
    Store *store;
    Tensor *tokens, *targets, *pos, *doc; /* (B, T); doc NULL without model.doc_mask */
    Tensor *weight, *loss;                /* (1) each */
    const Parent *parent;
    Tensor *token, *soft, *ref; /* (B T, k), (B T, k), (B T): the parent's answers, where asked */
    int batch, context, accumulate;
} Stepper;

/* Records and plans; nothing large is spent.  `out` holds graphs and plans. */
bool stepper_plan(Stepper *s, StepperOpt o, Dev *d, Arena *out, Err *err) MUST_CHECK;

/* Memory: the Store is made and bound; weights begin as `seed` says. */
bool stepper_bind(Stepper *s, Dev *d, uint64_t seed, Arena *out, Err *err) MUST_CHECK;
void stepper_free(Stepper *s);

/* Of a whole step, accumulated micro-batches included; bytes as both plans together need them.  The
 * parent's bytes are in it, its FLOPs apart: it is not asked in every step. */
PlanCost stepper_cost(const Stepper *s);
int64_t stepper_parent_flops(const Stepper *s);

typedef struct StepOut {
    double loss; /* mean over the step's tokens, nats */
    OptimStats stats;
    bool finite; /* false: loss or gradient is not; the weights are not to be used */
} StepOut;

typedef struct StepDo {
    OptimAt at; /* steps from 1 */
    uint64_t seed;
} StepDo;
/* Without a loader the inputs are used as they stand. */
bool stepper_run(Stepper *s, const Loader *l, StepDo d, StepOut *out, Err *err) MUST_CHECK;

#endif
