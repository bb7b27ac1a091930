/* map.h - element by element: how a MAP op is cut and walked.
 *
 * An op gives one scalar formula and its slope; the loops are here, once.  The formula is
 * inlined into them, so that the compiler makes vector code of it.  A part is some rows, as for
 * all ops that go by rows; where all operands are whole, they are walked as one.  Rows longer than
 * BLOCK are cut, where all operands are whole. */
#ifndef TENSOR_LEVEL_MAP_H
#define TENSOR_LEVEL_MAP_H

#include "tensor/level/rows.h"
#include "tensor/level/vec.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

typedef real MapFn(real x, const OpOpt *o);

/* The stretch of a tensor that belongs to a part: rows first..last-1, n elements from `from`. */
typedef struct MapSpan {
    ptrdiff_t first, last, from, n;
} MapSpan;

static inline ptrdiff_t map_stretch(ptrdiff_t width)
{
    return width > BLOCK ? BLOCK : rows_per_part(width) * width;
}

static inline int map_parts_of(ptrdiff_t count, ptrdiff_t width, bool flat)
{
    if (flat) return (int)ceil_div(count, map_stretch(width));
    return (int)ceil_div(count / MAX(width, 1), rows_per_part(width));
}

static inline MapSpan map_span(ptrdiff_t count, ptrdiff_t width, bool flat, int part)
{
    if (flat) {
        ptrdiff_t size = map_stretch(width), from = part * size;
        return (MapSpan){ 0, 1, from, MIN(size, count - from) };
    }
    ptrdiff_t per = rows_per_part(width), rows = count / MAX(width, 1);
    return (MapSpan){ part * per, MIN(rows, (part + 1) * per), 0, width };
}

static inline int map_parts(const Node *n, int phase, bool backward)
{
    (void)phase, (void)backward;
    const Tensor *x = n->in[0];
    return map_parts_of(tensor_count(x), tensor_last(x), tensor_contiguous(x));
}

static inline bool map_shape(OpShape *s, Err *err)
{
    return shape_rows(s, 0, err) && shape_like(s->out[0], s->in[0]);
}

ALWAYS_INLINE void map_forward(const Call *c, Work w, MapFn *f)
{
    const Tensor *t = c->node->in[0];
    const OpOpt o = c->node->opt;
    bool flat = tensor_contiguous(t);
    MapSpan s = map_span(tensor_count(t), tensor_last(t), flat, w.part);
    for (ptrdiff_t r = s.first; r < s.last; r++) {
        const real *restrict x = (const real *)c->in[0] + (flat ? 0 : tensor_row_at(t, r)) + s.from;
        real *restrict y = (real *)c->out[0] + r * tensor_last(t) + s.from;
        for (ptrdiff_t i = 0; i < s.n; i++) y[i] = f(x[i], &o);
    }
}

/* d_x (+)= d_y slope(x) */
ALWAYS_INLINE void map_backward(const Call *c, Work w, MapFn *slope)
{
    const Tensor *t = c->node->in[0];
    const OpOpt o = c->node->opt;
    bool flat = tensor_contiguous(t);
    MapSpan s = map_span(tensor_count(t), tensor_last(t), flat, w.part);
    for (ptrdiff_t r = s.first; r < s.last; r++) {
        ptrdiff_t at = (flat ? 0 : tensor_row_at(t, r)) + s.from;
        const real *restrict x = (const real *)c->in[0] + at;
        const real *restrict d_y = (const real *)c->d_out[0] + r * tensor_last(t) + s.from;
        real *restrict d_x = (real *)c->d_in[0] + at;
        if (c->add[0])
            for (ptrdiff_t i = 0; i < s.n; i++) d_x[i] += d_y[i] * slope(x[i], &o);
        else
            for (ptrdiff_t i = 0; i < s.n; i++) d_x[i] = d_y[i] * slope(x[i], &o);
    }
}

/* At the end of the file of an op with one input: value() and slope() are above. */
#define MAP_KERNEL(name)                                                                           \
    static void forward(const Call *c, Work w)                                                     \
    {                                                                                              \
        map_forward(c, w, value);                                                                  \
    }                                                                                              \
    static void backward(const Call *c, Work w)                                                    \
    {                                                                                              \
        map_backward(c, w, slope);                                                                 \
    }                                                                                              \
    KERNEL(name, .by_rows = true, .parts = map_parts, .forward = forward, .backward = backward)

#endif
