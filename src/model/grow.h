/* grow.h - a larger model that begins as the same function as a smaller one.
 *
 * In depth: added blocks add nothing at first.  In width: the stream is repeated, so that norms
 * see the same mean and variance, and what reads it shares its weights out among the copies;
 * added heads and neurons begin with output weights of zero.  Width grows by a whole factor,
 * heads keep their size. */
#ifndef MODEL_GROW_H
#define MODEL_GROW_H

#include "model/model.h"
#include "tensor/plan.h"

/* How `to` is made of `from`. */
typedef struct Growth {
    const Model *from, *to;
    int copies;   /* of the stream: to->width / from->width */
    int *origin;  /* (to->depth) block of `from` that each block begins as, or -1: a new one */
    double after; /* what the head's input is multiplied by, so that logits stay what they were */
} Growth;

/* ERR_CONFIG names the knob for which no such beginning exists, and says what would do. */
bool grow_plan(const Model *from, const Model *to, Growth *out, Arena *home, Err *err) MUST_CHECK;

/* `new` holds its initial draws (store_init), which added parts keep; `old` the weights of
 * `from`.  Both fp32.  `seed` names the draws that tell copies of the stream apart. */
void grow_fill(const Growth *g, const Store *old, const Store *new, uint64_t seed);

#endif
