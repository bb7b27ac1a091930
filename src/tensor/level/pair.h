/* pair.h - add, sub, mul: element by element with a second operand that may be broadcast.
 *
 * y has the shape of x, or its dims are a suffix of x's (a bias, a table of positions), or it is
 * one element (a gate).  Where it is broadcast, d_y is a sum: over the blocks of x that y was
 * laid on, in the order of colsum.h. */
#ifndef TENSOR_LEVEL_PAIR_H
#define TENSOR_LEVEL_PAIR_H

#include "tensor/level/colsum.h"
#include "tensor/level/map.h"

typedef enum PairKind { PAIR_ADD, PAIR_SUB, PAIR_MUL } PairKind;
typedef enum PairCast { CAST_NONE, CAST_SUFFIX, CAST_ONE } PairCast;

static inline PairCast pair_cast(const Node *n)
{
    if (shape_same(n->in[0], n->in[1])) return CAST_NONE;
    return tensor_count(n->in[1]) == 1 ? CAST_ONE : CAST_SUFFIX;
}

static inline bool pair_shape(OpShape *s, Err *err)
{
    const Tensor *x = s->in[0], *y = s->in[1];
    if (!shape_rows(s, 0, err) || !shape_rows(s, 1, err)) return false;
    bool fits = y->rank <= x->rank;
    for (int i = 1; fits && i <= y->rank; i++) fits = y->dim[y->rank - i] == x->dim[x->rank - i];
    if (!fits && tensor_count(y) != 1)
        return err_set(err, ERR_CONFIG, "the dims of input 1 must be the last dims of input 0");
    if (!shape_same(x, y) && !tensor_contiguous(y))
        return err_set(err, ERR_CONFIG, "input 1 is broadcast, so it must be contiguous");
    return shape_like(s->out[0], x);
}

static inline bool pair_flat(const Node *n)
{
    return tensor_contiguous(n->in[0]) && pair_cast(n) != CAST_SUFFIX &&
           tensor_contiguous(n->in[1]);
}

static inline MapSpan pair_span(const Node *n, int part)
{
    return map_span(tensor_count(n->in[0]), tensor_last(n->in[0]), pair_flat(n), part);
}

static inline int pair_spans(const Node *n)
{
    return map_parts_of(tensor_count(n->in[0]), tensor_last(n->in[0]), pair_flat(n));
}

/* Where the operand of row r lies in y, in elements. */
static inline ptrdiff_t pair_y_at(const Node *n, ptrdiff_t r)
{
    const Tensor *y = n->in[1];
    switch (pair_cast(n)) {
    case CAST_NONE: return tensor_row_at(y, r);
    case CAST_SUFFIX: return r % tensor_rows(y) * tensor_last(y);
    case CAST_ONE: break;
    }
    return 0;
}

ALWAYS_INLINE real pair_value(PairKind kind, real x, real y)
{
    return kind == PAIR_ADD ? x + y : kind == PAIR_SUB ? x - y : x * y;
}

ALWAYS_INLINE void pair_forward(const Call *c, Work w, PairKind kind)
{
    const Node *node = c->node;
    const Tensor *t = node->in[0];
    bool one = pair_cast(node) == CAST_ONE;
    MapSpan s = pair_span(node, w.part);
    for (ptrdiff_t r = s.first; r < s.last; r++) {
        const real *restrict x = (const real *)c->in[0] + tensor_row_at(t, r) + s.from;
        const real *restrict y = (const real *)c->in[1] + pair_y_at(node, r) + (one ? 0 : s.from);
        real *restrict out = (real *)c->out[0] + r * tensor_last(t) + s.from;
        if (one)
            for (ptrdiff_t i = 0; i < s.n; i++) out[i] = pair_value(kind, x[i], *y);
        else
            for (ptrdiff_t i = 0; i < s.n; i++) out[i] = pair_value(kind, x[i], y[i]);
    }
}

/* d (+)= sign d_out [factor]; factor NULL: 1; `one`: a single number. */
ALWAYS_INLINE void pair_slope(real *restrict d, const real *restrict d_out,
                              const real *restrict factor, bool one, MapSpan s, bool add, real sign)
{
    for (ptrdiff_t i = 0; i < s.n; i++) {
        real v = sign * d_out[i];
        if (factor) v *= one ? *factor : factor[i];
        d[i] = add ? d[i] + v : v;
    }
}

ALWAYS_INLINE void pair_d_x(const Call *c, int part, PairKind kind)
{
    const Node *node = c->node;
    const Tensor *t = node->in[0];
    bool one = pair_cast(node) == CAST_ONE;
    MapSpan s = pair_span(node, part);
    for (ptrdiff_t r = s.first; r < s.last; r++) {
        const real *d_out = (const real *)c->d_out[0] + r * tensor_last(t) + s.from;
        real *d_x = (real *)c->d_in[0] + tensor_row_at(t, r) + s.from;
        const real *y = NULL;
        if (kind == PAIR_MUL) y = (const real *)c->in[1] + pair_y_at(node, r) + (one ? 0 : s.from);
        if (one)
            pair_slope(d_x, d_out, y, true, s, c->add[0], 1);
        else
            pair_slope(d_x, d_out, y, false, s, c->add[0], 1);
    }
}

/* d_y where nothing is broadcast. */
ALWAYS_INLINE void pair_d_y(const Call *c, int part, PairKind kind)
{
    const Node *node = c->node;
    MapSpan s = pair_span(node, part);
    for (ptrdiff_t r = s.first; r < s.last; r++) {
        const real *d_out = (const real *)c->d_out[0] + r * tensor_last(node->in[0]) + s.from;
        real *d_y = (real *)c->d_in[1] + tensor_row_at(node->in[1], r) + s.from;
        const real *x = NULL;
        if (kind == PAIR_MUL) x = (const real *)c->in[0] + tensor_row_at(node->in[0], r) + s.from;
        pair_slope(d_y, d_out, x, false, s, c->add[1], kind == PAIR_SUB ? -1 : 1);
    }
}

/* sum[j] += sign d_out x over a stretch of x that y was laid on; x is walked row by row. */
ALWAYS_INLINE void pair_term(const Call *c, ptrdiff_t block, ptrdiff_t from, ptrdiff_t n, real *sum,
                             PairKind kind)
{
    const Tensor *t = c->node->in[0];
    ptrdiff_t at = block * tensor_count(c->node->in[1]) + from, last = tensor_last(t);
    for (ptrdiff_t run; n > 0; n -= run, at += run, sum += run) {
        run = MIN(n, last - at % last);
        const real *d_out = (const real *)c->d_out[0] + at, *x = NULL;
        if (kind == PAIR_MUL) x = (const real *)c->in[0] + tensor_row_at(t, at / last) + at % last;
        MapSpan s = { .n = run };
        pair_slope(sum, d_out, x, false, s, true, kind == PAIR_SUB ? -1 : 1);
    }
}

/* The same where y is one element: a row of x at a time. */
ALWAYS_INLINE void pair_term_one(const Call *c, ptrdiff_t row, real *sum, PairKind kind)
{
    const Tensor *t = c->node->in[0];
    ptrdiff_t n = tensor_last(t);
    const real *d_out = (const real *)c->d_out[0] + row * n;
    if (kind == PAIR_MUL)
        *sum += row_dot(d_out, (const real *)c->in[0] + tensor_row_at(t, row), n);
    else
        *sum += (kind == PAIR_SUB ? R(-1) : R(1)) * row_sum(d_out, n);
}

static inline ColSum pair_sum(const Node *n)
{
    ptrdiff_t x = tensor_count(n->in[0]), y = tensor_count(n->in[1]), last = tensor_last(n->in[0]);
    if (pair_cast(n) == CAST_ONE) return (ColSum){ .rows = x / last, .cols = 1, .width = last };
    return (ColSum){ .rows = x / y, .cols = y, .width = y };
}

static inline int pair_parts(const Node *n, int phase, bool backward)
{
    ColSum s = pair_sum(n);
    if (phase == 1) return pair_cast(n) == CAST_NONE ? 0 : colsum_strips(&s);
    if (!backward) return pair_spans(n);
    return pair_spans(n) + (pair_cast(n) == CAST_NONE ? pair_spans(n) : colsum_parts(&s));
}

static inline void pair_scratch(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own)
{
    ColSum s = pair_sum(n);
    *shared = backward && pair_cast(n) != CAST_NONE ? colsum_bytes(&s) : 0;
    *own = 0;
}

ALWAYS_INLINE void pair_backward(const Call *c, Work w, ColSum sum, PairKind kind)
{
    int spans = pair_spans(c->node);
    if (w.phase == 1) {
        if (c->d_in[1]) colsum_end(&sum, w.part, c->shared, c->d_in[1], c->add[1]);
    } else if (w.part < spans) {
        if (c->d_in[0]) pair_d_x(c, w.part, kind);
    } else if (c->d_in[1]) {
        if (pair_cast(c->node) == CAST_NONE)
            pair_d_y(c, w.part - spans, kind);
        else
            colsum_part(&sum, c, w.part - spans, c->shared);
    }
}

#define PAIR_KERNEL(name, kind)                                                                    \
    static void forward(const Call *c, Work w)                                                     \
    {                                                                                              \
        pair_forward(c, w, kind);                                                                  \
    }                                                                                              \
    static void term(const Call *c, ptrdiff_t row, ptrdiff_t from, ptrdiff_t n,                    \
                     real *restrict sum)                                                           \
    {                                                                                              \
        if (pair_cast(c->node) == CAST_ONE)                                                        \
            pair_term_one(c, row, sum, kind);                                                      \
        else                                                                                       \
            pair_term(c, row, from, n, sum, kind);                                                 \
    }                                                                                              \
    static void backward(const Call *c, Work w)                                                    \
    {                                                                                              \
        ColSum sum = pair_sum(c->node);                                                            \
        sum.term = term;                                                                           \
        pair_backward(c, w, sum, kind);                                                            \
    }                                                                                              \
    KERNEL(name, .back_phases = 2, .by_rows = true, .parts = pair_parts, .scratch = pair_scratch,  \
           .forward = forward, .backward = backward)

/* What every op of this kind is tested with: same shape, a bias, a table of positions, a gate. */
#define PAIR_CASES                                                                                 \
    { .rank = { 2, 2 }, .dim = { { 3, 5 }, { 3, 5 } } },                                           \
        { .rank = { 3, 1 }, .dim = { { 2, 7, 5 }, { 5 } } },                                       \
        { .rank = { 3, 2 }, .dim = { { 5, 7, 3 }, { 7, 3 } } },                                    \
        { .rank = { 2, 1 }, .dim = { { 3, 5 }, { 1 } } },                                          \
        { .rank = { 3, 1 }, .dim = { { 40, 9, 50 }, { 50 } } },                                    \
        { .rank = { 2, 1 }, .dim = { { 3, 1030 }, { 1030 } } },                                    \
        { .rank = { 2, 1 }, .dim = { { 2, 17000 }, { 1 } } },                                      \
    {                                                                                              \
        .rank = { 1, 1 }, .dim = { { 1 }, { 1 } }                                                  \
    }

#endif
