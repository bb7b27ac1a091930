/* soap.c - Adam in the eigenbasis of Shampoo's preconditioners (Vyas et al. 2024,
 * arXiv:2409.11321, algorithm 3), for hidden matrices; AdamW for the rest.
 *
 *     L = b L + (1-b) G G^T,   R = b R + (1-b) G^T G        their eigenvectors: rows of P and Q
 *     m = b1 m + (1-b1) G      in the weight's own basis
 *     N = Adam(P G Q^T; first moment P m Q^T, second moment kept in the rotated basis)
 *     w -= rate (P^T N Q + decay w)
 *
 * The bases take one step of orthogonal iteration every few steps (op/eigenbasis.c); in between
 * they stand, and Adam's second moment does the rest: that is the paper's point against Shampoo.
 * A side longer than max_side is not rotated (the MLP's inner side of a wide model): its basis
 * costs the cube of the side.  The paper's first step moves nothing; ours moves, in the basis that
 * the first gradient gave.  Moments are AdamW's optim.beta1 and optim.beta2. */
#include <stdio.h>

#include "optim/optim.h"

extern const OptimDef optim_soap;

static const Knob knobs[] = {
    { .name = "optim.soap.lr",
      .type = KNOB_NUMBER,
      .fallback = 3e-3,
      .min = 1e-6,
      .max = 1,
      .scale = SCALE_LOG,
      .only = "optim.name=soap",
      .doc = "rate of hidden matrices, of AdamW's size" },
    { .name = "optim.soap.beta",
      .type = KNOB_NUMBER,
      .fallback = 0.95,
      .min = 0,
      .max = 0.9999,
      .only = "optim.name=soap",
      .doc = "memory of the preconditioners" },
    { .name = "optim.soap.every",
      .type = KNOB_WHOLE,
      .fallback = 10,
      .min = 1,
      .max = 1000,
      .scale = SCALE_LOG,
      .unit = "steps",
      .only = "optim.name=soap",
      .doc = "from one refreshing of the bases to the next" },
    { .name = "optim.soap.max_side",
      .type = KNOB_WHOLE,
      .fallback = 1024,
      .min = 1,
      .max = 1 << 16,
      .scale = SCALE_LOG,
      .unit = "channels",
      .only = "optim.name=soap",
      .doc = "a longer side of a matrix is not rotated",
      .fixed = true },
    { .name = NULL },
};

static bool takes(const ParamSpec *spec)
{
    return spec->role == ROLE_MATRIX && spec->rank == 2;
}

typedef struct Soap {
    Graph *g;
    const KnobSet *knobs;
    const UpdateIn *in;
    ptrdiff_t pieces, rows, cols;
} Soap;

static Tensor *state(const Soap *s, const char *which, ptrdiff_t m, ptrdiff_t n)
{
    char name[300];
    snprintf(name, sizeof(name), "%s.%s", s->in->w->name, which);
    return t_state(s->g, name, 3, (ptrdiff_t[]){ s->pieces, m, n });
}

/* The basis of one side, (P, side, side), from this step's gradient too; NULL: too long. */
static Tensor *basis(const Soap *s, Tensor *grad, bool left)
{
    ptrdiff_t side = left ? s->rows : s->cols;
    if (side > knobs_whole(s->knobs, "optim.soap.max_side")) return NULL;
    Tensor *gram = t_matmul(s->g, grad, grad, !left, left);
    Tensor *sum =
        t_average(s->g, state(s, left ? "soap_l" : "soap_r", side, side), gram, SLOT_SHAMPOO);
    return t_eigenbasis(s->g, state(s, left ? "soap_ql" : "soap_qr", side, side), sum,
                        (int)knobs_whole(s->knobs, "optim.soap.every"));
}

/* x (P, M, N) into the bases, or back out of them. */
static Tensor *rotate(const Soap *s, Tensor *x, Tensor *left, Tensor *right, bool back)
{
    if (left) x = t_matmul(s->g, left, x, back, false);
    return right ? t_matmul(s->g, x, right, false, !back) : x;
}

static Tensor *record(Graph *g, const KnobSet *k, UpdateIn in)
{
    ptrdiff_t pieces = MAX(in.w->spec->pieces, 1);
    Soap s = { g, k, &in, pieces, in.w->dim[0] / pieces, in.w->dim[1] };
    ptrdiff_t dim[3] = { s.pieces, s.rows, s.cols };
    AdamwOpt o = { .b1 = (float)knobs_number(k, "optim.beta1"),
                   .b2 = (float)knobs_number(k, "optim.beta2"),
                   .eps = (float)knobs_number(k, "optim.eps") };
    Tensor *grad = t_view(g, t_mul(g, in.d_w, t_slice(g, in.clip, 0, 0, 1)), 3, dim);
    Tensor *m =
        t_momentum(g, state(&s, "soap_m", s.rows, s.cols), grad, NULL, SLOT_MOMENTUM, false);
    Tensor *left = basis(&s, grad, true), *right = basis(&s, grad, false);
    Tensor *u = t_adam_direction(g, state(&s, "soap_v", s.rows, s.cols),
                                 rotate(&s, grad, left, right, false),
                                 rotate(&s, m, left, right, false), o);
    u = t_view(g, rotate(&s, u, left, right, true), 2, in.w->dim);
    return t_apply(g, in.w, u, (ApplyOpt){ 1, in.rate, in.cautious });
}

static void scalars(const KnobSet *k, OptimAt at, double mult, float *scalar)
{
    scalar[SLOT_MOMENTUM] = (float)knobs_number(k, "optim.beta1");
    scalar[SLOT_SHAMPOO] = (float)(1 - knobs_number(k, "optim.soap.beta"));
    scalar[slot_rate(GROUP_MATRIX)] = (float)(knobs_number(k, "optim.soap.lr") * mult * at.factor);
}

const OptimDef optim_soap = {
    .name = "soap",
    .doc = "Adam in the eigenbasis of Shampoo for hidden matrices, adamw for the rest",
    .source = "Vyas et al. 2024, arXiv:2409.11321",
    .knobs = knobs,
    .takes = takes,
    .record = record,
    .scalars = scalars,
};
