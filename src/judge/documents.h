/* documents.h - the loss of a model on every token of a data set's training text. */
#ifndef JUDGE_DOCUMENTS_H
#define JUDGE_DOCUMENTS_H

#include "data/docs.h"
#include "judge/judge.h"

/* Each document from an end of text on, in rows of the model's context that do not overlap, as
 * held-out text is scored (judge.h).  Written to `path` (scores.h) whole or not at all; `run` names
 * the model there.  Progress on stderr; ERR_STOPPED. */
bool documents_score(const Docs *docs, const Predictor *p, const char *path, const char *run,
                     Err *err) MUST_CHECK;
/* The same with a trained model. */
bool documents_score_model(const Docs *docs, Trained *t, const char *path, const char *run,
                           Err *err) MUST_CHECK;

#endif
