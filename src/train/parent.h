/* parent.h - what a run takes from an earlier model: its beginning, its opinion of what comes next,
 * or its losses to choose tokens by.
 *
 * The parent is a generation of the lab, named by the hash of its weights, so that a recipe that
 * has one determines its bits like any other.  What it computes is charged to the run. */
#ifndef TRAIN_PARENT_H
#define TRAIN_PARENT_H

#include "data/tokenizer.h"
#include "model/model.h"
#include "tensor/plan.h"

extern const Knob parent_knobs[];

typedef enum ParentStart { PARENT_NONE, PARENT_GROW, PARENT_EMBEDDINGS } ParentStart;

/* The knobs as numbers; `used` is false where none of them asks anything of a parent. */
typedef struct ParentWant {
    const char *weights;
    ParentStart start;
    double teach, until, heat, select;
    int top_k;
    bool used;
} ParentWant;
bool parent_want(const KnobSet *knobs, ParentWant *out, Err *err) MUST_CHECK; /* ERR_CONFIG */

typedef struct Parent {
    ParentWant want;
    Model model;
    const Tokenizer *tokenizer, *own; /* the parent's, and that of the run */
    Store *store;
    Plan *body, *head;
    Tensor *tokens, *pos, *doc, *x;                  /* of body: (B, T); (B, T, C) */
    Tensor *part, *rows, *target, *weight, *p, *nll; /* of head: (1, R, C); (R); (R, V) */
    float *hidden;                                   /* (B T, C) */
    int n, at_once, vocab, k;                        /* rows of a micro-batch; R; V; top_k */
} Parent;

/* What a micro-batch of the run is. */
typedef struct ParentShape {
    int batch, context;
    bool doc; /* it has numbers of documents */
} ParentShape;

/* Opens the parent that the knobs name and plans what they ask of it; nothing is opened where
 * they ask nothing.  ERR_CONFIG: no such generation, or one that cannot do what is asked (another
 * tokenizer, a shorter context). */
bool parent_open(Parent *p, const char *lab, const KnobSet *knobs, const Tokenizer *own,
                 ParentShape shape, Dev *d, Arena *out, Err *err) MUST_CHECK;
void parent_close(Parent *p);

/* Writes the beginning that the knobs ask for over the initial weights of `s`. */
bool parent_begin(const Parent *p, const Model *model, const Store *s, uint64_t seed,
                  Arena *scratch, Err *err) MUST_CHECK;

/* Weight of the parent's opinion in a step (from 1) of a run of so many; 0 once it has faded. */
double parent_share(const ParentWant *w, int64_t step, int64_t steps);
/* Of the first `step` steps, those in which the parent is asked. */
int64_t parent_asked(const ParentWant *w, int64_t step, int64_t steps);
bool parent_teaches(const ParentWant *w);
bool parent_selects(const ParentWant *w);

/* FLOPs and bytes of asking it once about a micro-batch. */
PlanCost parent_cost(const Parent *p);

/* One micro-batch; NULL where not wanted.  token, soft (B T, k): what the parent holds likeliest,
 * with shares that sum to `share`; ref (B T): -ln p of the targets. */
typedef struct ParentAsk {
    const int32_t *tokens, *targets, *pos, *doc; /* (B, T) */
    double share;
    int32_t *token;
    float *soft, *ref;
} ParentAsk;
void parent_ask(const Parent *p, const ParentAsk *a);

/* The k largest of n values: indices in falling order, of equal ones the earlier first. */
void parent_top(const float *x, int n, int k, int32_t *index);

/* The folder of the generation with these weights in the lab, or NULL with err set. */
const char *parent_folder(const char *lab, const char *weights, Arena *out, Err *err);

#endif
