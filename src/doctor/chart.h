/* chart.h - a patient's chart: what was measured of a run, each signal by step.
 *
 * From a run of our own or from another trainer's log; whatever was not measured is an empty
 * series, and no finding may pretend otherwise. */
#ifndef DOCTOR_CHART_H
#define DOCTOR_CHART_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

typedef enum Signal {
    SIG_LOSS,    /* of the training batch, nats per token */
    SIG_VAL,     /* of held-out text, nats per token */
    SIG_NORM,    /* of the gradient, before clipping */
    SIG_RATE,    /* learning rate */
    SIG_RATIO,   /* norm of the update over norm of the weights, hidden matrices */
    SIG_SCALE,   /* of the loss, fp16 */
    SIG_SKIPPED, /* steps skipped since the last entry */
    SIG_NAN,     /* steps without a number since the last entry */
    SIG_SECONDS, /* a step takes */
    SIGNALS
} Signal;
const char *signal_name(Signal s);

typedef struct Series {
    double *step, *x; /* steps rise; x may be NaN or infinite where the trainer said so */
    int n, cap;
} Series;

typedef struct Chart {
    Series of[SIGNALS];
    double vocab;         /* 0: not known */
    double unigram;       /* entropy of the single tokens of the text, nats; 0: not known */
    double planned_steps; /* 0: not known */
    double clip;          /* the norm that gradients are clipped to; 0: not known */
} Chart;

/* A value whose step is not after the last one is passed over: a log that was appended to after a
 * resume says some steps twice.  False then. */
bool chart_add(Chart *c, Signal s, double step, double x);
void chart_free(Chart *c);

/* How far the chart reaches: the last step of any signal. */
double chart_last(const Chart *c);

/* Reads a log: text with "step 12/100 loss 3.2 ..." in whatever form a trainer prints it, a table
 * with a header (tabs or commas), or JSON lines.  ERR_FORMAT if no steps with a loss are in it. */
bool chart_read(Chart *c, const char *path, Err *err) MUST_CHECK;

#endif
