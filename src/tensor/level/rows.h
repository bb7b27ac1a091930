/* rows.h - walking tensors row by row, and the shape rules that ops share.
 *
 * A row is the last dimension.  Inputs may be slices (q, k, v out of one product), so rows lie
 * at strides, but the elements of a row are adjacent; outputs are whole.  The gradient of an
 * input lies as the input does. */
#ifndef TENSOR_LEVEL_ROWS_H
#define TENSOR_LEVEL_ROWS_H

#include "tensor/kernel.h"

static inline ptrdiff_t ceil_div(ptrdiff_t a, ptrdiff_t b)
{
    return (a + b - 1) / b;
}

/* How many rows of `width` elements one part takes: about 16384 elements. */
static inline ptrdiff_t rows_per_part(ptrdiff_t width)
{
    ptrdiff_t n = 16384 / MAX(width, 1);
    return MAX(n, 1);
}

/* Memory of a node's scratch is handed out in steps of this many bytes. */
static inline ptrdiff_t scratch_round(ptrdiff_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static inline bool shape_rows(const OpShape *s, int i, Err *err)
{
    const Tensor *t = s->in[i];
    if (t->rank < 1 || t->dtype != F32)
        return err_set(err, ERR_CONFIG, "input %d must be real, of rank 1 or more", i);
    if (tensor_last(t) > 1 && t->stride[t->rank - 1] != 1)
        return err_set(err, ERR_CONFIG, "the rows of input %d must be contiguous", i);
    return true;
}

static inline bool shape_whole(const OpShape *s, int i, DType dtype, Err *err)
{
    const Tensor *t = s->in[i];
    if (t->dtype != dtype || !tensor_contiguous(t))
        return err_set(err, ERR_CONFIG, "input %d must be contiguous and of type %s", i,
                       dtype == I32 ? "I32" : "F32");
    return true;
}

/* An optional (C) vector that goes with rows of width c. */
static inline bool shape_vector(const OpShape *s, int i, ptrdiff_t c, Err *err)
{
    const Tensor *t = s->in[i];
    if (!t) return true;
    if (!shape_whole(s, i, F32, err)) return false;
    if (tensor_count(t) != c)
        return err_set(err, ERR_CONFIG, "input %d has %td elements, and must have %td", i,
                       tensor_count(t), c);
    return true;
}

static inline bool shape_same(const Tensor *a, const Tensor *b)
{
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

static inline bool shape_set(Tensor *t, int rank, const ptrdiff_t *dim)
{
    t->rank = rank;
    t->dtype = F32;
    for (int i = 0; i < rank; i++) t->dim[i] = dim[i];
    return true;
}

static inline bool shape_like(Tensor *t, const Tensor *x)
{
    return shape_set(t, x->rank, x->dim);
}

static inline bool shape_scalars(Tensor *t, ptrdiff_t n)
{
    return shape_set(t, 1, &n);
}

#endif
