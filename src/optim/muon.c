/* muon.c - momentum whose matrices are orthogonalised before they are applied.
 *
 *     m = mu m + (1 - mu) g;  u = nesterov ? (1 - mu) g + mu m : m
 *     w -= rate (sqrt(max(1, fan_out / fan_in)) NewtonSchulz(u) + decay w)
 *
 * (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks".)  It
 * takes hidden matrices; embeddings, heads, gains and biases stay with AdamW.
 *
 * Two conventions for the scale exist.  This is Jordan's, sqrt(max(1, fan_out/fan_in)): the
 * update has the same spectral effect at every width, and the rate (0.01 to 0.05) is not one
 * of AdamW's.  The other, 0.2 sqrt(max(fan_out, fan_in)), mimics AdamW's update size; rates
 * found with one do not fit the other, so a run of ours always means the first.
 *
 * A fused product is several matrices: each piece is orthogonalised alone. */
#include <math.h>
#include <stdio.h>

#include "optim/optim.h"

extern const OptimDef optim_muon;

static const Knob knobs[] = {
    { .name = "optim.muon.lr",
      .type = KNOB_NUMBER,
      .fallback = 0.02,
      .min = 1e-5,
      .max = 1,
      .scale = SCALE_LOG,
      .only = "optim.name=muon",
      .doc = "rate of hidden matrices, in Jordan's convention sqrt(max(1, fan_out / fan_in))" },
    { .name = "optim.muon.momentum",
      .type = KNOB_NUMBER,
      .fallback = 0.95,
      .min = 0,
      .max = 0.999,
      .only = "optim.name=muon",
      .doc = "memory of gradients" },
    { .name = "optim.muon.nesterov",
      .type = KNOB_FLAG,
      .fallback = 1,
      .max = 1,
      .only = "optim.name=muon",
      .doc = "look one step ahead along the momentum" },
    { .name = "optim.muon.steps",
      .type = KNOB_WHOLE,
      .fallback = 5,
      .min = 1,
      .max = 16,
      .only = "optim.name=muon",
      .doc = "Newton-Schulz steps that orthogonalise an update",
      .unit = "steps" },
    { .name = "optim.muon.decay",
      .type = KNOB_NUMBER,
      .fallback = 0.1,
      .min = 0,
      .max = 2,
      .only = "optim.name=muon",
      .scale = SCALE_LOG,
      .doc = "weight decay of hidden matrices, times their rate" },
    { .name = NULL },
};

static bool takes(const ParamSpec *spec)
{
    return spec->role == ROLE_MATRIX && spec->rank == 2;
}

static Tensor *record(Graph *g, const KnobSet *k, UpdateIn in)
{
    char name[300];
    snprintf(name, sizeof(name), "%s.momentum", in.w->name);
    Tensor *m = t_state(g, name, in.w->rank, in.w->dim);
    Tensor *u =
        t_momentum(g, m, in.d_w, in.clip, SLOT_MOMENTUM, knobs_flag(k, "optim.muon.nesterov"));
    ptrdiff_t pieces = MAX(in.w->spec->pieces, 1), rows = in.w->dim[0] / pieces,
              cols = in.w->dim[1];
    u = t_view(g, u, 3, (ptrdiff_t[]){ pieces, rows, cols });
    u = t_newton_schulz(g, u, (int)knobs_whole(k, "optim.muon.steps"));
    u = t_view(g, u, 2, in.w->dim);
    double scale = sqrt((double)MAX(rows, cols) / (double)cols);
    return t_apply(g, in.w, u, (float)scale, in.rate);
}

static void scalars(const KnobSet *k, double factor, float *scalar)
{
    scalar[SLOT_MOMENTUM] = (float)knobs_number(k, "optim.muon.momentum");
    scalar[slot_rate(GROUP_MATRIX)] = (float)(knobs_number(k, "optim.muon.lr") * factor);
    scalar[slot_rate(GROUP_MATRIX) + 1] = (float)knobs_number(k, "optim.muon.decay");
}

const OptimDef optim_muon = {
    .name = "muon",
    .doc = "orthogonalised momentum for hidden matrices, adamw for the rest",
    .source = "Jordan et al. 2024",
    .knobs = knobs,
    .takes = takes,
    .record = record,
    .scalars = scalars,
};
