/* cache.c - keys or values of new positions written into a cache: row pos[b, t] of sequence b. */
#include "tensor/level/rows.h"

enum { CACHE, NEW_ROWS, POS };

static int parts(const Node *n, int phase, bool backward)
{
    (void)phase, (void)backward;
    return (int)n->in[NEW_ROWS]->dim[0];
}

static void forward(const Call *c, Work w)
{
    const Tensor *t = c->node->in[CACHE], *x = c->node->in[NEW_ROWS];
    ptrdiff_t heads = x->dim[2], size = x->dim[3];
    for (ptrdiff_t i = 0; i < x->dim[1]; i++) {
        int32_t at = ((const int32_t *)c->in[POS])[w.part * x->dim[1] + i];
        CHECK(at >= 0 && at < t->dim[1], "position %d of a cache of %td", at, t->dim[1]);
        real *to = (real *)c->out[0] + (w.part * t->dim[1] + at) * heads * size;
        for (ptrdiff_t h = 0; h < heads; h++)
            memcpy(to + h * size,
                   (const real *)c->in[NEW_ROWS] +
                       tensor_row_at(x, (w.part * x->dim[1] + i) * heads + h),
                   (size_t)size * sizeof(real));
    }
}

static bool shape(OpShape *s, Err *err)
{
    const Tensor *cache = s->in[CACHE], *x = s->in[NEW_ROWS], *pos = s->in[POS];
    if (!shape_whole(s, CACHE, F32, err) || !shape_rows(s, NEW_ROWS, err)) return false;
    if (!shape_whole(s, POS, I32, err)) return false;
    if (cache->rank != 4 || x->rank != 4 || cache->dim[0] != x->dim[0] ||
        cache->dim[2] != x->dim[2] || cache->dim[3] != x->dim[3])
        return err_set(err, ERR_CONFIG, "cache wants (B, S, K, D) and new rows (B, T, K, D)");
    if (tensor_count(pos) != x->dim[0] * x->dim[1])
        return err_set(err, ERR_CONFIG, "cache wants pos (B, T)");
    return shape_like(s->out[0], cache);
}

static const OpCase cases[] = {
    { .rank = { 4, 4, 2 },
      .dim = { { 2, 9, 2, 4 }, { 2, 3, 2, 4 }, { 2, 3 } },
      .below = { 0, 0, 9 } },
};

KERNEL(cache, .parts = parts, .forward = forward);
OPDEF(cache, .doc = "cache[b, pos[b, t]] = x[b, t]; returns the cache", .kind = OP_STATE, .n_in = 3,
      .n_out = 1, .integer = 1 << POS, .strided = 1 << NEW_ROWS, .inplace = true, .no_grad = true,
      .shape = shape, .cases = cases, .n_cases = COUNT(cases));
