/* look.h - what is seen of a model while it trains, beyond its loss.
 *
 * A look runs a second, forward-only plan over the same Store, on some rows of the step's last
 * micro-batch, before and after the update, and goes through a sample of every weight: what the
 * step did, and what state the model is in.  It writes no weight, gradient or state, so a run that
 * is looked at has the bits of one that is not (E1).  docs/formats/signals.md says what each
 * number is. */
#ifndef TRAIN_LOOK_H
#define TRAIN_LOOK_H

#include "doctor/chart.h"
#include "model/model.h"
#include "optim/optim.h"

typedef struct Sight {
    Signal signal;
    const char *where; /* a weight, block or head; "" for the whole */
    double x;
} Sight;

typedef struct Look Look;

typedef struct LookOpt {
    const Model *model;
    const Optim *optim;
    const KnobSet *knobs;
    PlanOpt plan; /* of a float level */
    int batch, context, accumulate;
} LookOpt;

/* NULL and err: it cannot be planned.  `out` holds everything. */
Look *look_plan(LookOpt o, Dev *d, Arena *out, Err *err) MUST_CHECK;
bool look_bind(Look *l, Store *s, Err *err) MUST_CHECK;
PlanCost look_cost(const Look *l);

/* Steps between two looks of a run: as many as keep their cost near one percent, and a few hundred
 * looks a run. */
int64_t look_every(LookOpt o, int64_t steps);

typedef struct LookRows {
    const int32_t *tokens, *targets, *pos, *doc; /* (B, T) of a micro-batch; doc may be NULL */
} LookRows;

/* In this order within a step: behind the first half of the micro-batches (where there are
 * several), behind all of them, and behind the update. */
void look_half(Look *l);
void look_before(Look *l, LookRows rows, const StepIn *in);
/* `update`: the plan that has just run.  Valid until the next look. */
int look_after(Look *l, const StepIn *in, const Plan *update, const Sight **out);

#endif
