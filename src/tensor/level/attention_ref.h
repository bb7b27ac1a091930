/* attention_ref.h - attention as it is defined: loops over queries and keys, nothing clever.
 * For LEVEL_REF alone; what op/attention.c does in blocks is held against it. */
#ifndef TENSOR_LEVEL_ATTENTION_REF_H
#define TENSOR_LEVEL_ATTENTION_REF_H

#include "tensor/level/attention.h"

/* One query and its keys; p and slope have S elements. */
typedef struct AttRow {
    ptrdiff_t b, t, h, g, at, first; /* g: the key head */
    real *p, *slope;                 /* probabilities, 0 where unseen; slope of the softcap */
} AttRow;

static inline real att_dot(const real *x, const real *y, ptrdiff_t n)
{
    real sum = 0;
    for (ptrdiff_t i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

static inline AttRow att_row(const Call *c, const Att *a, ptrdiff_t b, ptrdiff_t t, ptrdiff_t h)
{
    AttRow r = { .b = b, .t = t, .h = h, .g = h / (a->heads / a->kv), .at = att_at(c, a, b, t) };
    r.first = att_first(a, r.at);
    return r;
}

/* Returns the largest logit; *sum is the sum of exp(logit - largest). */
static inline real att_probs(const Call *c, const Att *a, AttRow *r, real *sum)
{
    const Tensor *tk = c->node->in[ATT_K];
    const real *q = (const real *)c->in[ATT_Q] + att_head(c->node->in[ATT_Q], r->b, r->t, r->h);
    const int32_t *doc = att_doc(c, a, r->b);
    real top = -(real)INFINITY;
    for (ptrdiff_t j = r->first; j <= r->at; j++) {
        real z = a->scale *
                 att_dot(q, (const real *)c->in[ATT_K] + att_head(tk, r->b, j, r->g), a->size);
        r->slope[j] = 1;
        if (a->cap > 0) {
            real tanh_z = TANH(z / a->cap);
            r->slope[j] = 1 - tanh_z * tanh_z;
            z = a->cap * tanh_z;
        }
        r->p[j] = doc && doc[j] != doc[r->at] ? -(real)INFINITY : z;
        top = MAX(top, r->p[j]);
    }
    *sum = 0;
    for (ptrdiff_t j = r->first; j <= r->at; j++) *sum += r->p[j] = EXP(r->p[j] - top);
    for (ptrdiff_t j = r->first; j <= r->at; j++) r->p[j] /= *sum;
    return top;
}

/* One sequence and head. */
static void forward(const Call *c, Work w)
{
    Att a = att_of(c->node);
    const Tensor *tv = c->node->in[ATT_V];
    ptrdiff_t b = w.part / a.heads, h = w.part % a.heads;
    for (ptrdiff_t t = 0; t < a.t; t++) {
        AttRow r = att_row(c, &a, b, t, h);
        r.p = w.own, r.slope = r.p + a.s;
        ptrdiff_t place = (b * a.t + t) * a.heads + h;
        real *out = (real *)c->out[0] + place * a.size, *kept = (real *)c->saved[0] + 2 * place;
        real sum;
        kept[0] = att_probs(c, &a, &r, &sum) * LOG2E;
        kept[1] = 1 / sum;
        for (ptrdiff_t i = 0; i < a.size; i++) out[i] = 0;
        for (ptrdiff_t j = r.first; j <= r.at; j++) {
            const real *v = (const real *)c->in[ATT_V] + att_head(tv, b, j, r.g);
            for (ptrdiff_t i = 0; i < a.size; i++) out[i] += r.p[j] * v[i];
        }
    }
}

/* d += factor x, where somebody asks for d. */
static inline void att_ref_add(void *d, ptrdiff_t at, real factor, const real *x, ptrdiff_t n)
{
    if (!d) return;
    for (ptrdiff_t i = 0; i < n; i++) ((real *)d)[at + i] += factor * x[i];
}

static inline void att_ref_zero(const Call *c, int i, ptrdiff_t b, ptrdiff_t head)
{
    const Tensor *x = c->node->in[i];
    if (!c->d_in[i] || c->add[i]) return;
    for (ptrdiff_t t = 0; t < x->dim[1]; t++)
        memset((real *)c->d_in[i] + att_head(x, b, t, head), 0, (size_t)x->dim[3] * sizeof(real));
}

static inline void att_ref_row_backward(const Call *c, const Att *a, AttRow *r)
{
    const Tensor *tq = c->node->in[ATT_Q], *tk = c->node->in[ATT_K], *tv = c->node->in[ATT_V];
    const real *d_out =
        (const real *)c->d_out[0] + ((r->b * a->t + r->t) * a->heads + r->h) * a->size;
    ptrdiff_t q_at = att_head(tq, r->b, r->t, r->h);
    real sum, mean = 0;
    att_probs(c, a, r, &sum);
    for (ptrdiff_t j = r->first; j <= r->at; j++)
        mean += r->p[j] *
                att_dot(d_out, (const real *)c->in[ATT_V] + att_head(tv, r->b, j, r->g), a->size);
    for (ptrdiff_t j = r->first; j <= r->at; j++) {
        ptrdiff_t k_at = att_head(tk, r->b, j, r->g), v_at = att_head(tv, r->b, j, r->g);
        real d_p = att_dot(d_out, (const real *)c->in[ATT_V] + v_at, a->size);
        real d_z = r->p[j] * (d_p - mean) * r->slope[j] * a->scale;
        att_ref_add(c->d_in[ATT_V], v_at, r->p[j], d_out, a->size);
        att_ref_add(c->d_in[ATT_Q], q_at, d_z, (const real *)c->in[ATT_K] + k_at, a->size);
        att_ref_add(c->d_in[ATT_K], k_at, d_z, (const real *)c->in[ATT_Q] + q_at, a->size);
    }
}

/* One sequence and key head, and the query heads that share it. */
static void backward(const Call *c, Work w)
{
    Att a = att_of(c->node);
    ptrdiff_t b = w.part / a.kv, g = w.part % a.kv, group = a.heads / a.kv;
    att_ref_zero(c, ATT_K, b, g);
    att_ref_zero(c, ATT_V, b, g);
    for (ptrdiff_t h = g * group; h < (g + 1) * group; h++) {
        att_ref_zero(c, ATT_Q, b, h);
        for (ptrdiff_t t = 0; t < a.t; t++) {
            AttRow r = att_row(c, &a, b, t, h);
            r.p = w.own, r.slope = r.p + a.s;
            att_ref_row_backward(c, &a, &r);
        }
    }
}

#endif
