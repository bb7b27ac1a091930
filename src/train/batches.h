/* batches.h - which batches a run has read: a set of hashes, so that nothing is read again unseen.
 */
#ifndef TRAIN_BATCHES_H
#define TRAIN_BATCHES_H

#include "base/base.h"

/* Zero is the beginning. */
typedef struct Batches {
    uint64_t *slot; /* hashes, 0: free */
    int64_t slots, used;
    uint64_t *step; /* of the micro-batches of this step */
    int micro, micro_cap;
    uint64_t last;        /* hash of the micro-batch read last */
    int64_t repeat, twin; /* batches read before in another step; pairs equal within a step */
} Batches;

void batches_step(Batches *r); /* another step begins */
void batches_add(Batches *r, const int32_t *tokens, ptrdiff_t n);
void batches_free(Batches *r);

#endif
