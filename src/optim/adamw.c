/* adamw.c - Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv:1711.05101,
 * algorithm 2): first and second moments of the gradient, bias-corrected. */
#include <stdio.h>

#include "optim/optim.h"

extern const OptimDef optim_adamw;

static Tensor *moment(Graph *g, const Tensor *w, const char *which)
{
    char name[300];
    snprintf(name, sizeof(name), "%s.%s", w->name, which);
    return t_state(g, name, w->rank, w->dim);
}

static Tensor *record(Graph *g, const KnobSet *k, UpdateIn in)
{
    AdamwOpt o = { .b1 = (float)knobs_number(k, "optim.beta1"),
                   .b2 = (float)knobs_number(k, "optim.beta2"),
                   .eps = (float)knobs_number(k, "optim.eps"),
                   .rate = in.rate,
                   .cautious = in.cautious };
    return t_adamw(g, in.w, in.d_w, moment(g, in.w, "adam_m"), moment(g, in.w, "adam_v"), in.clip,
                   o);
}

const OptimDef optim_adamw = {
    .name = "adamw",
    .doc = "Adam with decoupled weight decay",
    .source = "Loshchilov and Hutter 2017, arXiv:1711.05101",
    .record = record,
};
