/* attention.h - who sees whom: the part of attention that its definition and its fast form share.
 *
 * Query t of sequence b stands at key `at`: t itself, or pos[b, t] over a cache; it sees the keys
 * of its own document from max(0, at - window + 1) to at. */
#ifndef TENSOR_LEVEL_ATTENTION_H
#define TENSOR_LEVEL_ATTENTION_H

#include "tensor/level/rows.h"
#include "tensor/level/vec.h"

#define LOG2E R(1.44269504088896340736) /* logits are kept in units of ln 2 */

enum { ATT_Q, ATT_K, ATT_V, ATT_POS, ATT_DOC };

typedef struct Att {
    ptrdiff_t batch, t, s, heads, kv, size; /* B, T, S, H, K, D */
    ptrdiff_t window;                       /* 0: all */
    real scale, cap;
} Att;

static inline Att att_of(const Node *n)
{
    const Tensor *q = n->in[ATT_Q], *k = n->in[ATT_K];
    Att a = { .batch = q->dim[0], .t = q->dim[1], .s = k->dim[1], .heads = q->dim[2] };
    a.kv = k->dim[2], a.size = q->dim[3];
    a.window = n->opt.window;
    a.scale = n->opt.scale != 0 ? R(n->opt.scale) : R(1) / SQRT((real)a.size);
    a.cap = R(n->opt.cap);
    return a;
}

/* The key a query stands at. */
static inline ptrdiff_t att_at(const Call *c, const Att *a, ptrdiff_t b, ptrdiff_t t)
{
    if (!c->in[ATT_POS]) return t;
    ptrdiff_t at = ((const int32_t *)c->in[ATT_POS])[b * a->t + t];
    CHECK(at >= 0 && at < a->s, "attention: position %td of a cache of %td", at, a->s);
    return at;
}

static inline ptrdiff_t att_first(const Att *a, ptrdiff_t at)
{
    return a->window > 0 ? MAX(0, at - a->window + 1) : 0;
}

/* The documents of the keys of sequence b, or NULL. */
static inline const int32_t *att_doc(const Call *c, const Att *a, ptrdiff_t b)
{
    return c->in[ATT_DOC] ? (const int32_t *)c->in[ATT_DOC] + b * a->s : NULL;
}

/* Head h of position t of sequence b in an input, in elements; and the way to the next position. */
static inline ptrdiff_t att_head(const Tensor *x, ptrdiff_t b, ptrdiff_t t, ptrdiff_t h)
{
    return b * x->stride[0] + t * x->stride[1] + h * x->stride[2];
}

#endif
