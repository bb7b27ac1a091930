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
    /* Looks (train/look.h), now and then.  Of each weight: */
    SIG_GRAD,   /* norm of its gradient */
    SIG_WEIGHT, /* its norm */
    SIG_UPDATE, /* norm of the update over its norm */
    SIG_STILL,  /* share of its elements with a gradient that the update left as they were */
    SIG_EPS,    /* share whose second moment's root is below ten epsilon */
    SIG_LAG,    /* squared gradient over second moment, both summed */
    /* of each block: */
    SIG_STREAM,  /* root mean square of the residual stream behind it */
    SIG_EXTREME, /* the largest element there, by size */
    SIG_DEAD,    /* share of hidden units that no token of the look moves */
    SIG_BUSY,    /* share that more than 95 % of them do */
    /* of each head: */
    SIG_ENTROPY, /* mean entropy of attention over that of the even spread, 0 to 1 */
    SIG_LOGIT,   /* largest attention logit, by size */
    SIG_HEADOUT, /* root mean square of what it hands on */
    /* of the whole: */
    SIG_COSINE,  /* mean cosine between token states behind the last block */
    SIG_RANK,    /* their participation ratio over the most that it can be */
    SIG_LOGZ,    /* mean log of the output's normaliser */
    SIG_GAIN,    /* loss of the looked-at rows before the update minus after it */
    SIG_SHARP,   /* curvature along the step over its slope: beyond 2 a step makes its loss worse */
    SIG_MEDIAN,  /* of the losses of single tokens */
    SIG_TAIL,    /* their 95th percentile */
    SIG_EARLY,   /* mean over the first eighth of the positions */
    SIG_LATE,    /* mean over the last half */
    SIG_NOISE,   /* gradient noise scale, tokens; needs accumulation */
    SIG_REPEAT,  /* batches since the last look that were read before, in the same epoch */
    SIG_TWIN,    /* pairs of equal micro-batches in the steps since the last look */
    SIG_EPOCH,   /* of the source that was read most often */
    SIG_WAIT,    /* share of the time spent in the loader */
    SIG_SPEED,   /* tokens per second */
    SIG_MEMORY,  /* bytes */
    SIG_UNIGRAM, /* entropy of single tokens of the text, nats */
    SIG_UNUSED,  /* share of the vocabulary that a sample of the text never uses */
    SIGNALS
} Signal;
const char *signal_name(Signal s); /* for people */
const char *signal_key(Signal s);  /* for files: "loss" */
int signal_of(const char *key);    /* -1: none */

typedef struct Series {
    double *step, *x; /* steps rise; x may be NaN or infinite where the trainer said so */
    int n, cap;
} Series;

/* A signal of one weight, block or head. */
typedef struct Part {
    Signal signal;
    char where[56]; /* "block.2.attn.qkv.weight", "block.0", "block.1.head.3" */
    Series s;
} Part;

typedef struct Chart {
    Series of[SIGNALS]; /* of what has parts: the worst of them */
    Part *part;
    int parts, parts_cap;
    double vocab;         /* 0: not known */
    double unigram;       /* entropy of the single tokens of the text, nats; 0: not known */
    double planned_steps; /* 0: not known */
    double clip;          /* the norm that gradients are clipped to; 0: not known */
    double beta2;         /* memory of AdamW's second moment; 0: not known */
    double decay;         /* weight decay; 0: none, or not known */
    double batch;         /* tokens in a step; 0: not known */
} Chart;

/* A value whose step is not after the last one is passed over: a log that was appended to after a
 * resume says some steps twice.  False then. */
bool chart_add(Chart *c, Signal s, double step, double x);
/* The same of a part, whose worst is kept in c->of too. */
bool chart_add_part(Chart *c, Signal s, const char *where, double step, double x);
void chart_free(Chart *c);

/* The chart as it stood at a step; shares its memory, so it is not freed. */
Chart chart_until(const Chart *c, double step, Arena *out);

/* How far the chart reaches: the last step of any signal. */
double chart_last(const Chart *c);

/* Reads a log: text with "step 12/100 loss 3.2 ..." in whatever form a trainer prints it, a table
 * with a header (tabs or commas), or JSON lines.  ERR_FORMAT if no steps with a loss are in it. */
bool chart_read(Chart *c, const char *path, Err *err) MUST_CHECK;

#endif
