/* wire.h - questions and answers through memory that two processes share.
 *
 * The judge makes a block and hands it over with two pipes; the candidate maps it.  A question is
 * rows of tokens and one byte through the first pipe; an answer is logits and one byte through the
 * second.  The block's size is sealed: the candidate cannot shorten it under the judge's hands.
 * What the candidate writes is copied before it is looked at, so nothing changes between two looks.
 */
#ifndef SANDBOX_WIRE_H
#define SANDBOX_WIRE_H

#include "base/err.h"

typedef struct WireShape {
    int rows, context, vocab; /* tokens (rows, context), logits (rows, context, vocab) */
} WireShape;

typedef struct Wire {
    WireShape shape;
    void *block;
    int64_t bytes;
    int memory, ask[2], answer[2]; /* -1 where this side has none */
} Wire;

/* The judge's side.  To the candidate go wire.memory, wire.ask[0] and wire.answer[1], in this
 * order; wire_handed_over closes them here. */
bool wire_open(Wire *w, WireShape shape, Err *err) MUST_CHECK;
void wire_handed_over(Wire *w);
bool wire_ask(Wire *w, const int32_t *tokens, int rows, Err *err) MUST_CHECK;
/* Once wire.answer[0] can be read.  False, without a word: the other side is gone. */
bool wire_take(Wire *w, int rows, float *logits);

/* The candidate's side, of the descriptors 3, 4 and 5. */
bool wire_join(Wire *w, Err *err) MUST_CHECK;
/* Waits for a question: its number of rows; 0: the judge wants no more. */
int wire_next(Wire *w);
bool wire_done(Wire *w);
int32_t *wire_tokens(const Wire *w);
float *wire_logits(const Wire *w);

void wire_close(Wire *w);

#endif
