/* head_row.h - one row of logits: to what it costs and, in its place, to its slope.
 *
 *     nll = log(sum e^z) - z[target],    d_z = weight (softmax(z) - 1[target])
 *
 * with z softcapped first where `cap` says so (the slope of that goes into d_z).  On top of it:
 *
 * - z-loss (PaLM, Chowdhery et al. 2022, arXiv:2204.02311, section 5): p (log sum e^z)^2 is added
 * to the row's loss, and 2 p log(sum e^z) softmax(z) to its d_z.
 * - soft targets (Hinton et al. 2015, arXiv:1503.02531): k tokens with the shares q they have at
 *   the teacher, times the weight of the teacher in this row, so s = sum(q) is that weight.  With
 *   p_T the softmax of z / T,
 *       loss = (1 - s) nll + T^2 sum(q -log p_T),  d_z = (1 - s) (p - 1[target]) + T (s p_T - q)
 *   which is cross-entropy: the teacher's own entropy, a constant, is not taken off.
 *
 * nll stays what it is: what is reported does not depend on what is taught. */
#ifndef TENSOR_LEVEL_HEAD_ROW_H
#define TENSOR_LEVEL_HEAD_ROW_H

#include "tensor/level/rows.h"
#include "tensor/level/vec.h"

typedef struct HeadRow {
    real *restrict z;     /* (V) logits; d_z afterwards */
    real *restrict slope; /* (V) scratch: of the softcap */
    real *restrict heat;  /* (V) scratch: e^(z / T) */
    ptrdiff_t v;
    int32_t target;
    real weight;        /* 0: the row is scored and not learned from */
    const int32_t *idx; /* (k) tokens of the teacher, or NULL */
    const real *q;      /* (k) */
    real *d_q;          /* (k) or NULL */
    bool add_q;
    int k;
    const OpOpt *opt;
} HeadRow;

/* z softcapped, in its place; the slope of that beside it. */
static inline void head_cap(const HeadRow *r)
{
    real cap = R(r->opt->cap);
    for (ptrdiff_t j = 0; j < r->v; j++) {
        real t = TANH(r->z[j] / cap);
        r->z[j] = cap * t;
        r->slope[j] = R(1) - t * t;
    }
}

/* e^((z - top) / T) into `e`, *sum their sum; returns log of the sum of e^(z / T). */
static inline double head_exp(const real *z, ptrdiff_t v, real heat, real *e, real *sum)
{
    real top = row_max(z, v);
    if (heat == 1)
        for (ptrdiff_t j = 0; j < v; j++) e[j] = EXP(z[j] - top);
    else
        for (ptrdiff_t j = 0; j < v; j++) e[j] = EXP((z[j] - top) / heat);
    *sum = row_sum(e, v);
    return LOG64((double)*sum) + (double)top / (double)heat;
}

/* nll alone; z is as it was. */
static inline double head_score(const HeadRow *r)
{
    HeadRow copy = *r;
    real sum;
    copy.z = r->heat;
    memcpy(copy.z, r->z, (size_t)r->v * sizeof(real));
    if (r->opt->cap > 0) head_cap(&copy);
    double wanted = (double)copy.z[r->target];
    return head_exp(copy.z, r->v, 1, copy.z, &sum) - wanted;
}

static inline real head_heat(const HeadRow *r)
{
    return r->opt->x > 0 ? R(r->opt->x) : R(1);
}

/* What the teacher adds to the loss; e^(z / T) is left in `heat`, *sum their sum.  `nll` is the
 * row's own. */
static inline double head_teach(const HeadRow *r, double nll, real *sum)
{
    real T = head_heat(r);
    double all = head_exp(r->z, r->v, T, r->heat, sum), loss = 0, T2 = (double)T * (double)T;
    for (int i = 0; i < r->k; i++) {
        CHECK(r->idx[i] >= 0 && r->idx[i] < r->v, "head_loss: token %d of a vocabulary of %td",
              r->idx[i], r->v);
        double own = T2 * (all - (double)r->z[r->idx[i]] / (double)T);
        loss += (double)r->q[i] * own;
        if (!r->d_q) continue;
        real d = r->weight * (real)(own - nll);
        r->d_q[i] = r->add_q ? r->d_q[i] + d : d;
    }
    return loss;
}

/* z (e^z by now, of that sum) to d_z without teacher: weight (z rate - 1[target]). */
static inline void head_slope(const HeadRow *r, real rate, real wanted)
{
    for (ptrdiff_t j = 0; j < r->v; j++) r->z[j] *= rate;
    r->z[r->target] -= wanted;
}

/* Adds T (s p_T - q) weight. */
static inline void head_slope_taught(const HeadRow *r, real share, real sum)
{
    real T = head_heat(r), rate = r->weight * T * share / sum;
    for (ptrdiff_t j = 0; j < r->v; j++) r->z[j] += r->heat[j] * rate;
    for (int i = 0; i < r->k; i++) r->z[r->idx[i]] -= r->weight * T * r->q[i];
}

/* Returns the row's loss without weight; *nll its cross-entropy.  `slopes`: z becomes d_z. */
static inline double head_row(const HeadRow *r, bool slopes, real *nll)
{
    real sum, heat_sum = 1, share = 0;
    if (r->opt->cap > 0) head_cap(r);
    double wanted = (double)r->z[r->target], p = (double)r->opt->p, taught = 0;
    for (int i = 0; i < r->k; i++) share += r->q[i];
    if (r->k > 0) { /* its e^(z / T) is made before z is gone; it needs the nll for d_q */
        double all = head_exp(r->z, r->v, 1, r->heat, &sum);
        taught = head_teach(r, all - wanted, &heat_sum);
    }
    double all = head_exp(r->z, r->v, 1, r->z, &sum);
    *nll = (real)(all - wanted);
    double loss = r->k > 0 ? (1 - (double)share) * (double)*nll + taught : (double)*nll;
    loss += (double)(real)(p * all * all);
    if (!slopes) return loss;
    real rate = r->weight / sum, own = R(1) - share;
    if (p > 0)
        rate *= (real)((double)own + 2 * p * all);
    else if (r->k > 0)
        rate *= own;
    head_slope(r, rate, r->weight * own);
    if (r->k > 0) head_slope_taught(r, share, heat_sum);
    if (r->opt->cap > 0)
        for (ptrdiff_t j = 0; j < r->v; j++) r->z[j] *= r->slope[j];
    return loss;
}

/* How many of `rows` are learned from: the share opt.y, at least one. */
static inline ptrdiff_t head_kept(const OpOpt *opt, ptrdiff_t rows)
{
    ptrdiff_t m = (ptrdiff_t)((double)opt->y * (double)rows + 0.5);
    return MIN(rows, MAX(m, 1));
}

/* The bits of a number as a whole number of the same order. */
static inline uint64_t head_order(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits ^ (bits >> 63 ? UINT64_MAX : (uint64_t)1 << 63);
}

/* Of n values the m largest, the earlier of equal ones: the m-th largest is found by halving the
 * range of all numbers, 64 times. */
static inline void head_choose(const double *x, ptrdiff_t n, ptrdiff_t m, bool *keep)
{
    uint64_t low = 0, high = UINT64_MAX;
    while (low < high) { /* at least m reach low; fewer than m reach what is above high */
        uint64_t middle = low + (high - low) / 2 + 1;
        ptrdiff_t reach = 0;
        for (ptrdiff_t i = 0; i < n; i++) reach += head_order(x[i]) >= middle;
        if (reach >= m)
            low = middle;
        else
            high = middle - 1;
    }
    ptrdiff_t left = m;
    for (ptrdiff_t i = 0; i < n; i++) left -= keep[i] = head_order(x[i]) > low;
    for (ptrdiff_t i = 0; i < n; i++)
        if (left > 0 && head_order(x[i]) == low) keep[i] = true, left--;
}

#endif
