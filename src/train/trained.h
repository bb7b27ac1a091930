/* trained.h - a model that was trained, ready to answer: for the judge, sampling, export. */
#ifndef TRAIN_TRAINED_H
#define TRAIN_TRAINED_H

#include "data/tokenizer.h"
#include "tensor/plan.h"
#include "train/recipe.h"

typedef struct Trained Trained;

/* Opens the newest good checkpoint in `dir` (which carries recipe and tokenizer).  A truncated
 * or corrupted one is passed over, or refused by name if it is the only one. */
Trained *trained_open(const char *dir, int threads, Arena *out, Err *err) MUST_CHECK;
/* The same by the engine that a patch made, inside its sandbox; elsewhere a model whose recipe
 * names one is refused. */
Trained *trained_open_inside(const char *dir, int threads, Arena *out, Err *err);
void trained_close(Trained *t);

const Recipe *trained_recipe(const Trained *t);
const Tokenizer *trained_tokenizer(const Trained *t);
const Store *trained_store(const Trained *t);
int trained_context(const Trained *t);
int64_t trained_step(const Trained *t);

/* -ln p of each target given the tokens before it in its row; rows are `trained_context` long,
 * shorter ones padded by the callee; target < 0 gives 0.  nll: (rows, length). */
bool trained_nll(Trained *t, const int32_t *tokens, const int32_t *targets, int rows, int length,
                 double *nll, Err *err) MUST_CHECK;

/* Logits of every place of whole rows, (rows, context, vocab), for a judge who makes his own
 * probabilities of them.  `rows` at most as planned; trained_plan_logits comes first, once. */
bool trained_plan_logits(Trained *t, int rows, Arena *out, Err *err) MUST_CHECK;
void trained_logits(Trained *t, const int32_t *tokens, int rows, float *logits);

/* Logits (vocab floats) after the last of n tokens; keeps a cache, so that feeding one more
 * token costs one token.  trained_reset starts a new text. */
bool trained_feed(Trained *t, const int32_t *tokens, int n, float *logits, Err *err) MUST_CHECK;
void trained_reset(Trained *t);

typedef struct SampleOpt {
    double temperature; /* 0: the most likely token */
    int top_k;          /* 0: all */
    double top_p;       /* 0 or 1: all */
    uint64_t seed;
    int tokens; /* at most so many new ones */
} SampleOpt;

/* Continues `prompt`; `emit` gets the bytes as they come and returns false to stop. */
bool trained_sample(Trained *t, Str prompt, SampleOpt o, bool (*emit)(void *self, Str bytes),
                    void *self, Err *err) MUST_CHECK;

#endif
