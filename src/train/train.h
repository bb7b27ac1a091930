/* train.h - one run: a recipe, a seed, a budget, from the first step to the last.
 *
 * Deterministic (E1): the same recipe, seed and source give the same weights to the last bit,
 * whatever the threads, also when the run was killed and called again.  Checkpoints are written
 * whole or not at all into `dir`; a call finds the newest good one and goes on from there. */
#ifndef TRAIN_TRAIN_H
#define TRAIN_TRAIN_H

#include "data/mixture.h"
#include "ledger/ledger.h"
#include "tensor/plan.h"
#include "train/recipe.h"
#include "train/stepper.h"

/* What a run tells while it goes on.  Any function may be NULL. */
typedef struct RunSink {
    void *self;
    void (*planned)(void *self, const PlanCost *cost, int64_t steps, int64_t tokens, int64_t flops);
    bool (*rows)(void *self, const StepRow *rows, int n,
                 Err *err);   /* some steps at a time, also right before each checkpoint */
    bool (*stop)(void *self); /* polled each step: true ends with ERR_STOPPED after a checkpoint */
    void (*note)(
        void *self,
        const char *text); /* a sentence worth showing: a damaged checkpoint was passed over */
    /* What a look at a step saw (look.h), before the row of that step. */
    void (*sights)(void *self, int64_t step, const Sight *sight, int n);
} RunSink;

typedef struct TrainJob {
    const char *lab; /* where data lives */
    const char *dir; /* checkpoints; made if missing */
    const Recipe *recipe;
    uint64_t seed;
    int threads; /* 0: all */
    RunSink sink;
    const StepHands *hands; /* NULL: nobody reaches into the run */
} TrainJob;

/* A run's use of one source: more than one epoch is text read again. */
typedef struct TrainRead {
    char source[72];
    int64_t tokens;
    double epochs;
} TrainRead;

typedef struct TrainResult {
    int64_t steps, tokens, flops;
    double seconds;    /* of this call and the calls before it, training alone */
    double begun;      /* clock_now() at the first step of this call; 0: there was none */
    double train_loss; /* mean of the last tenth, nats per token */
    bool finite; /* false: the run failed and stopped at the first loss that was not a number */
    PlanCost cost;
    int64_t planned_bytes; /* what `cost` adds up to: said before the run begins */
    int64_t peak_bytes;    /* the most that this call saw of RssAnon above what was there at its
                              beginning */
    Precision precision;   /* of products in training */
    char weights_sha256[65];
    char data_sha256[65];
    TrainRead read[MIXTURE_MAX];
    int n_reads;
} TrainResult;

bool train_run(const TrainJob *job, TrainResult *out, Err *err) MUST_CHECK;

/* Every byte of a plan's blocks. */
int64_t train_bytes(const PlanCost *c);

/* Steps, tokens and FLOPs of a run before it begins: what the budget knobs mean. */
typedef struct TrainSize {
    int64_t steps, tokens_per_step, flops_per_step, params;
    PlanCost cost;
} TrainSize;
bool train_size(const char *lab, const Recipe *r, TrainSize *out, Err *err) MUST_CHECK;

#endif
