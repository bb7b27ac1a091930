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
 * found with one do not fit the other, so a run of ours always means the first.  It is also
 * why muP's factor on elementwise rates is not taken here: an update whose spectral norm is
 * fixed moves activations alike at every width (Yang, Simon, Bernstein 2023,
 * arXiv:2310.17813).
 *
 * A fused product is several matrices: each piece is orthogonalised alone.
 *
 * Variants, each a knob, in the order in which they act: another polynomial
 * (op/newton_schulz.c); equilibrate, rows brought to one size before the orthogonalisation
 * so that its five steps meet a better spectrum (MuonEq, arXiv:2603.28254); renorm, the
 * result brought to the Frobenius norm of a matrix that is orthogonal indeed (Muon+,
 * arXiv:2602.21545); variance, neurons evened out over time (NorMuon, op/row_variance.c);
 * optim.cautious.  nanochat runs all of them. */
#include <math.h>
#include <stdio.h>

#include "optim/optim.h"

extern const OptimDef optim_muon;

static const char *const polynomials[] = { "jordan", "polar", "exact", NULL };
#define WARM_FROM 0.85 /* where momentum begins that is warmed up: modded-nanogpt's */

#define KNOB(n, kind, value, ...)                                                                  \
    {                                                                                              \
        .name = "optim.muon." n, .type = kind, .fallback = (value), .only = "optim.name=muon",     \
        __VA_ARGS__                                                                                \
    }

static const Knob knobs[] = {
    KNOB("lr", KNOB_NUMBER, 0.02, .min = 1e-5, .max = 1, .scale = SCALE_LOG,
         .doc = "rate of hidden matrices, in Jordan's convention sqrt(max(1, fan_out / fan_in))"),
    KNOB("momentum", KNOB_NUMBER, 0.95, .min = 0, .max = 0.999, .doc = "memory of gradients"),
    KNOB("momentum_warmup", KNOB_WHOLE, 0, .min = 0, .max = 1e9, .unit = "steps",
         .doc = "steps in which momentum rises to its value from 0.85; 0: none"),
    KNOB("nesterov", KNOB_FLAG, 1, .max = 1, .doc = "look one step ahead along the momentum"),
    KNOB("steps", KNOB_WHOLE, 5, .min = 1, .max = 16,
         .doc = "Newton-Schulz steps that orthogonalise an update", .unit = "steps"),
    KNOB("polynomial", KNOB_CHOICE, NEWTON_JORDAN, .max = (double)(COUNT(polynomials) - 2),
         .choices = polynomials,
         .doc = "of each step: jordan 3.4445, -4.7750, 2.0315; polar the five of Polar Express "
                "(Amsel et al. 2025); exact 2, -1.5, 0.5, which wants a dozen steps"),
    KNOB("equilibrate", KNOB_FLAG, 0, .max = 1,
         .doc = "rows of an update are brought to one size before it is orthogonalised (MuonEq)"),
    KNOB("renorm", KNOB_FLAG, 0, .max = 1,
         .doc = "an orthogonalised update is brought to the size of an orthogonal matrix (Muon+)"),
    KNOB("variance", KNOB_NUMBER, 0, .min = 0, .max = 0.9999,
         .doc = "memory of each neuron's update size, by which neurons are evened out (NorMuon, Li "
                "et al. 2025: 0.95); 0: off"),
    KNOB("decay", KNOB_NUMBER, 0.1, .min = 0, .max = 2, .scale = SCALE_LOG,
         .doc = "weight decay of hidden matrices, times their rate"),
    { .name = NULL },
};

static bool takes(const ParamSpec *spec)
{
    return spec->role == ROLE_MATRIX && spec->rank == 2;
}

/* x (P, M, N), every row divided by its root mean square. */
static Tensor *even_rows(Graph *g, Tensor *x, ptrdiff_t rows)
{
    Tensor *flat = t_view(g, x, 2, (ptrdiff_t[]){ rows, tensor_count(x) / rows });
    return t_view(g, t_rmsnorm(g, flat, NULL, 1e-30f), 3, x->dim);
}

static Tensor *orthogonal(Graph *g, const KnobSet *k, Tensor *u)
{
    ptrdiff_t pieces = u->dim[0], rows = u->dim[1], cols = u->dim[2];
    if (knobs_flag(k, "optim.muon.equilibrate")) u = even_rows(g, u, pieces * rows);
    NewtonOpt o = { .kind = (NewtonKind)k->value[knobs_find(k, "optim.muon.polynomial")],
                    .steps = (int)knobs_whole(k, "optim.muon.steps") };
    u = t_newton_schulz(g, u, o);
    if (!knobs_flag(k, "optim.muon.renorm")) return u;
    return t_scale(g, even_rows(g, u, pieces), (float)(1 / sqrt((double)MAX(rows, cols))));
}

static Tensor *state(Graph *g, const Tensor *w, const char *which, int rank, const ptrdiff_t *dim)
{
    char name[300];
    snprintf(name, sizeof(name), "%s.%s", w->name, which);
    return t_state(g, name, rank, dim);
}

static Tensor *record(Graph *g, const KnobSet *k, UpdateIn in)
{
    Tensor *m = state(g, in.w, "momentum", in.w->rank, in.w->dim);
    Tensor *u =
        t_momentum(g, m, in.d_w, in.clip, SLOT_MOMENTUM, knobs_flag(k, "optim.muon.nesterov"));
    ptrdiff_t pieces = MAX(in.w->spec->pieces, 1), rows = in.w->dim[0] / pieces,
              cols = in.w->dim[1];
    u = orthogonal(g, k, t_view(g, u, 3, (ptrdiff_t[]){ pieces, rows, cols }));
    double b2 = knobs_number(k, "optim.muon.variance");
    if (b2 > 0) {
        ptrdiff_t lines[2] = { pieces, MAX(rows, cols) };
        u = t_row_variance(g, state(g, in.w, "normuon", 2, lines), u, (float)b2);
    }
    double scale = sqrt((double)MAX(rows, cols) / (double)cols);
    return t_apply(g, in.w, t_view(g, u, 2, in.w->dim),
                   (ApplyOpt){ (float)scale, in.rate, in.cautious });
}

static double momentum_at(const KnobSet *k, int64_t step)
{
    double full = knobs_number(k, "optim.muon.momentum");
    int64_t warmup = knobs_whole(k, "optim.muon.momentum_warmup");
    if (step >= warmup || full <= WARM_FROM) return full;
    return WARM_FROM + (full - WARM_FROM) * (double)step / (double)warmup;
}

static void scalars(const KnobSet *k, OptimAt at, double mult, float *scalar)
{
    (void)mult;
    scalar[SLOT_MOMENTUM] = (float)momentum_at(k, at.step);
    scalar[slot_rate(GROUP_MATRIX)] = (float)(knobs_number(k, "optim.muon.lr") * at.factor);
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
