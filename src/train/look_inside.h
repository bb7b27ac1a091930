/* look_inside.h - what the files of a look share. */
#ifndef TRAIN_LOOK_INSIDE_H
#define TRAIN_LOOK_INSIDE_H

#include "train/look.h"

enum { LOOK_Q, LOOK_K, LOOK_V }; /* inputs of the op `attention` */

typedef struct LookWeight {
    const char *name;
    const StoreItem *w, *g, *v; /* v: second moments, NULL where the rule keeps none */
    ptrdiff_t step;             /* every so many elements are looked at */
    int n;
    double scale;  /* all elements over those looked at */
    float *before; /* (n) the weights before the update */
} LookWeight;

struct Look {
    LookOpt o;
    Arena *home;
    Plan *plan;
    Store *store;
    int rows, picks; /* sequences; positions whose logits are seen */
    Tensor *tokens, *targets, *pos, *doc, *one, *pick; /* inputs */
    Tensor *nll, *logits;                              // (rows * T), (picks, V)
    const Node **attention;                            /* of each block */
    Tensor **hidden, **stream;                         // (rows, T, F), (rows, T, C) of each block
    const char **block_name, **head_name;              /* (L), (L, H) */
    int attentions, hiddens;
    LookWeight *weight;
    int weights;
    double half; /* squared norm of the gradient of the first half of the micro-batches */
    double loss; /* of the rows before the update */
    double clip;
    Sight *sight;
    int sights;
};

void look_say(Look *l, Signal s, const char *where, double x);

/* Says what the plan's values show, after it ran. */
void look_inside(Look *l);

#endif
