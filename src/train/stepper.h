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
#include "train/batches.h"
#include "train/look.h"
#include "train/parent.h"

/* Where a test or the clinic reaches into a run to make it sick.  Any may be NULL. */
typedef struct StepHands {
    void *self;
    int64_t (*index)(void *self, int64_t index); /* of the micro-batch to be read instead */
    void (*batch)(void *self, int64_t index, int32_t *tokens, int32_t *targets, int rows,
                  int length);
    void (*rates)(void *self, int64_t step, float *scalar);
    void (*weights)(void *self, int64_t step, const Store *s); /* behind each update */
} StepHands;

typedef struct StepperOpt {
    const KnobSet *knobs;
    int vocab;
    PlanOpt plan;           /* its level is the Store's too */
    const Parent *parent;   /* what it was asked for (parent.h); NULL: there is none */
    bool look;              /* steps may be looked at (look.h); not at LEVEL_REF */
    const StepHands *hands; /* NULL: none */
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
    Look *look;             /* NULL: none */
    Batches read;           /* which batches were read; kept where there is a look */
    double waited;          /* seconds in the loader */
    const StepHands *hands; /* NULL: none */
    Precision precision;    /* of the products in `micro`; the update is fp32 */
} Stepper;

/* Records and plans; nothing large is spent.  `out` holds graphs and plans. */
bool stepper_plan(Stepper *s, StepperOpt o, Dev *d, Arena *out, Err *err) MUST_CHECK;

LookOpt stepper_look_opt(const Stepper *s);

/* Memory: the Store is made and bound; weights begin as `seed` says. */
bool stepper_bind(Stepper *s, Dev *d, uint64_t seed, Arena *out, Err *err) MUST_CHECK;
void stepper_free(Stepper *s);

/* Of a whole step, accumulated micro-batches included; bytes as both plans together need them.  The
 * parent's bytes are in it, its FLOPs apart: it is not asked in every step. */
PlanCost stepper_cost(const Stepper *s);
int64_t stepper_parent_flops(const Stepper *s);

typedef struct StepOut {
    double loss; /* mean over the step's tokens, nats */
    double rate; /* that hidden matrices moved by */
    OptimStats stats;
    bool finite;        /* false: loss or gradient is not; the weights are not to be used */
    const Sight *sight; /* of a look; until the next */
    int sights;
} StepOut;

typedef struct StepDo {
    OptimAt at; /* steps from 1 */
    uint64_t seed;
    bool look;
} StepDo;
/* Without a loader the inputs are used as they stand. */
bool stepper_run(Stepper *s, const Loader *l, StepDo d, StepOut *out, Err *err) MUST_CHECK;

#endif
