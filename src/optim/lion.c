/* lion.c - Lion for every weight: the sign of a momentum (Chen et al. 2023, "Symbolic discovery of
 * optimization algorithms", arXiv:2302.06675).
 *
 * Rates and decay are those of AdamW's knobs, because groups and multipliers mean the same; but a
 * good optim.lr is three to ten times smaller than AdamW's, and optim.decay as much larger (section
 * 5 of the paper).  The two interpolations have their own defaults there, 0.9 and 0.99. */
#include <stdio.h>

#include "optim/optim.h"

extern const OptimDef optim_lion;

static const Knob knobs[] = {
    { .name = "optim.lion.beta1",
      .type = KNOB_NUMBER,
      .fallback = 0.9,
      .min = 0,
      .max = 0.999,
      .only = "optim.name=lion",
      .doc = "share of the momentum in the direction whose sign is taken" },
    { .name = "optim.lion.beta2",
      .type = KNOB_NUMBER,
      .fallback = 0.99,
      .min = 0,
      .max = 0.9999,
      .only = "optim.name=lion",
      .doc = "memory of the momentum" },
    { .name = NULL },
};

static Tensor *record(Graph *g, const KnobSet *k, UpdateIn in)
{
    char name[300];
    snprintf(name, sizeof(name), "%s.lion_m", in.w->name);
    AdamwOpt o = { .b1 = (float)knobs_number(k, "optim.lion.beta1"),
                   .b2 = (float)knobs_number(k, "optim.lion.beta2"),
                   .rate = in.rate,
                   .cautious = in.cautious };
    return t_lion(g, in.w, in.d_w, t_state(g, name, in.w->rank, in.w->dim), in.clip, o);
}

const OptimDef optim_lion = {
    .name = "lion",
    .doc = "the sign of a momentum, for all weights; wants a rate well below AdamW's",
    .source = "Chen et al. 2023, arXiv:2302.06675",
    .knobs = knobs,
    .record = record,
};
