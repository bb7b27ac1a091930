/* gather.h - rows of a table by index, and back: embed and rows.
 *
 * Backward, many positions may have picked one row.  Adding as they come would need atomics, and
 * the order would depend on threads; so positions are sorted by row first (counting sort, which
 * keeps their order), and each part owns some rows and adds what belongs to them in the order of
 * positions (E2).  A row that nobody picked is zero, or left as it is where we add. */
#ifndef TENSOR_LEVEL_GATHER_H
#define TENSOR_LEVEL_GATHER_H

#include "tensor/level/rows.h"

typedef struct Gather {
    ptrdiff_t rows, picks, width; /* of the table; how many indices; C */
    int table, index;             /* which inputs they are */
} Gather;

static inline ptrdiff_t gather_rows_per_part(const Gather *s)
{
    return MIN(rows_per_part(s->width), 64);
}

static inline int gather_parts(const Gather *s, int phase, bool backward)
{
    if (!backward) return (int)ceil_div(s->picks, rows_per_part(s->width));
    return phase == 0 ? 1 : (int)ceil_div(s->rows, gather_rows_per_part(s));
}

static inline ptrdiff_t gather_bytes(const Gather *s)
{
    return scratch_round((s->rows + s->picks) * (ptrdiff_t)sizeof(int32_t));
}

static inline void gather_forward(const Gather *s, const Call *c, int part)
{
    const int32_t *index = c->in[s->index];
    const real *table = c->in[s->table]; // (rows, C)
    real *out = c->out[0];               // (picks, C)
    ptrdiff_t per = rows_per_part(s->width);
    for (ptrdiff_t i = part * per; i < MIN(s->picks, (part + 1) * per); i++) {
        CHECK(index[i] >= 0 && index[i] < s->rows, "index %d of a table of %td rows", index[i],
              s->rows);
        memcpy(out + i * s->width, table + index[i] * s->width, (size_t)s->width * sizeof(real));
    }
}

/* end[r]: where the positions that picked row r end in `order`; they begin at end[r - 1]. */
static inline void gather_sort(const Gather *s, const int32_t *index, int32_t *end, int32_t *order)
{
    memset(end, 0, (size_t)s->rows * sizeof(*end));
    for (ptrdiff_t i = 0; i < s->picks; i++)
        if (index[i] + 1 < s->rows) end[index[i] + 1]++;
    for (ptrdiff_t r = 1; r < s->rows; r++) end[r] += end[r - 1];
    for (ptrdiff_t i = 0; i < s->picks; i++) order[end[index[i]]++] = (int32_t)i;
}

static inline void gather_backward(const Gather *s, const Call *c, Work w)
{
    int32_t *end = c->shared, *order = end + s->rows;
    if (w.phase == 0) {
        gather_sort(s, c->in[s->index], end, order);
        return;
    }
    const real *d_out = c->d_out[0]; // (picks, C)
    ptrdiff_t per = gather_rows_per_part(s), n = s->width;
    for (ptrdiff_t r = w.part * per; r < MIN(s->rows, (w.part + 1) * per); r++) {
        real *restrict d = (real *)c->d_in[s->table] + r * n;
        if (!c->add[s->table]) memset(d, 0, (size_t)n * sizeof(real));
        for (ptrdiff_t i = r ? end[r - 1] : 0; i < end[r]; i++) {
            const real *restrict g = d_out + order[i] * n;
            for (ptrdiff_t j = 0; j < n; j++) d[j] += g[j];
        }
    }
}

#endif
