/* grad.h - recording derivatives of a stretch of nodes: of a whole graph, or of what a composite
 * expands to inside a plan. */
#ifndef TENSOR_GRAD_H
#define TENSOR_GRAD_H

#include "tensor/graph.h"

/* A value and its gradient.  Of a seed: the gradient that flows in.  Of a want: the tensor that
 * receives it; `add` says that it holds something already. */
typedef struct GradPair {
    Tensor *value, *grad;
    bool add;
} GradPair;

typedef struct GradJob {
    Node *const *node; /* in order of execution */
    int nodes;
    const GradPair *seed, *want;
    int seeds, wants; /* wants < 0: every param the seeds depend on gets a LIFE_GRAD tensor */
} GradJob;

/* Appends the backward nodes to g.  LOSS nodes among `node` that a seed names get their d_in
 * themselves; the `grad` of such a seed is NULL. */
void graph_record_grad(Graph *g, GradJob job);

#endif
