/* gemm_block.c - a block of a matrix product, per processor level.
 *
 * Panels of rows of A are multiplied with panels of two vectors' width of B: the
 * panel of A stays in the first cache while panels of B stream from the second.
 * What lies so that a panel can be read where it is (A along k, B across, steps
 * along k short) is read there; the rest is packed, a chunk of k at a time, since
 * its cache lines would be read again and again for a few elements each.
 *
 * The inner kernel keeps rows x columns of C in registers for a whole chunk: 14
 * by 32 with AVX-512 (28 of 32 registers), 6 by 16 with AVX2 (12 of 16).  It
 * exists for every number of rows and one or two vectors of columns, so that a
 * remainder costs about its share: rows are dealt evenly to panels.
 *
 * Bits: each element is its own chain of FMAs over ascending k, from zero in each
 * chunk; chunks are added to C in order, bias last.  Neither panels nor vectors
 * touch that (gemm.h). */
#include "tensor/gemm_inside.h"
#include "tensor/level/gemm_vec.h"

#if LEVEL == 0

void gemm_block_ref(const Gemm *g, GemmSpan s, void *own)
{
    (void)own;
    const double *a = g->a, *b = g->b, *bias = g->bias;
    double *c = g->c;
    for (ptrdiff_t i = s.i0; i < s.i1; i++)
        for (ptrdiff_t j = s.j0; j < s.j1; j++) {
            double sum = g->add ? c[i * g->c_row + j] : 0;
            for (ptrdiff_t k0 = 0; k0 < g->k; k0 += GEMM_CHUNK) {
                double chunk = 0;
                for (ptrdiff_t k = k0; k < MIN(g->k, k0 + GEMM_CHUNK); k++)
                    chunk =
                        FMA(a[i * g->a_row + k * g->a_col], b[k * g->b_row + j * g->b_col], chunk);
                sum += chunk;
            }
            c[i * g->c_row + j] = bias ? sum + bias[j] : sum;
        }
}

#else

/* ---- the inner kernel ------------------------------------------------------------------------ */

typedef struct Inner {
    ptrdiff_t k;
    const float *a; /* element (row, k) at a[row * a_row + k * a_col] */
    ptrdiff_t a_row, a_col;
    const float *b; /* k rows of one or two vectors, b_step apart */
    ptrdiff_t b_step;
    float *c;
    ptrdiff_t c_row;
    const float *bias; /* of these columns, or NULL */
    bool add;
    int last;           /* columns of the last vector, 1..WIDE */
    const float *ahead; /* asked for while this is computed: what is packed next, a line per k */
    ptrdiff_t ahead_step;
} Inner;

/* The sums of one row on their way out. */
__attribute__((always_inline)) static inline void put_row(const Inner *t, float *c, const Vec *sum,
                                                          const int wide, Mask some)
{
    UNROLL
    for (int w = 0; w < wide; w++) {
        Vec v = sum[w];
        bool whole = w + 1 < wide || t->last == WIDE;
        float *at = c + w * WIDE;
        if (t->add) v = VADD(whole ? VLOAD(at) : VLOAD_SOME(at, some), v);
        if (t->bias) {
            const float *bias = t->bias + w * WIDE;
            v = VADD(v, whole ? VLOAD(bias) : VLOAD_SOME(bias, some));
        }
        if (whole)
            VSTORE(at, v);
        else
            VSTORE_SOME(at, v, some);
    }
}

/* `high` and `wide` are constants at every call, so the loops unroll and sum[] is registers.  Rows
 * are reached in threes from one pointer each, which an address can express. */
__attribute__((always_inline)) static inline void inner(const Inner *t, const int high,
                                                        const int wide)
{
    Vec sum[HIGH][2];
    UNROLL
    for (int r = 0; r < high; r++) sum[r][0] = sum[r][1] = VZERO;
    const float *row[(HIGH + 2) / 3], *b = t->b, *ahead = t->ahead;
    ptrdiff_t a_row = t->a_row, a_col = t->a_col, b_step = t->b_step;
    ptrdiff_t ahead_step = t->ahead_step;
    UNROLL
    for (int r = 0; r < high; r += 3) row[r / 3] = t->a + r * a_row;
    for (ptrdiff_t k = 0; k < t->k; k++) {
        Vec b0 = VLOAD(b), b1 = wide > 1 ? VLOAD(b + WIDE) : VZERO;
        b += b_step;
        __builtin_prefetch(ahead, 0, 2);
        ahead += ahead_step;
        UNROLL
        for (int r = 0; r < high; r++) {
            Vec a = VONE(row[r / 3] + r % 3 * a_row);
            sum[r][0] = VFMA(a, b0, sum[r][0]);
            if (wide > 1) sum[r][1] = VFMA(a, b1, sum[r][1]);
        }
        UNROLL
        for (int r = 0; r < high; r += 3) row[r / 3] += a_col;
    }
    Mask some = VMASK(t->last);
    UNROLL
    for (int r = 0; r < high; r++) put_row(t, t->c + r * t->c_row, sum[r], wide, some);
}

typedef void InnerKernel(const Inner *t);
#define INNER(high)                                                                                \
    static void inner_##high##_1(const Inner *t)                                                   \
    {                                                                                              \
        inner(t, high, 1);                                                                         \
    }                                                                                              \
    static void inner_##high##_2(const Inner *t)                                                   \
    {                                                                                              \
        inner(t, high, 2);                                                                         \
    }
#define INNERS(high)                                                                               \
    {                                                                                              \
        inner_##high##_1, inner_##high##_2                                                         \
    }
INNER(1)
INNER(2)
INNER(3)
INNER(4)
INNER(5)
INNER(6)
#if LEVEL == 3
INNER(7)
INNER(8)
INNER(9)
INNER(10)
INNER(11)
INNER(12)
INNER(13)
INNER(14)
#endif
static InnerKernel *const kernels[HIGH][2] = {
    INNERS(1), INNERS(2), INNERS(3), INNERS(4),  INNERS(5),  INNERS(6),
#if LEVEL == 3
    INNERS(7), INNERS(8), INNERS(9), INNERS(10), INNERS(11), INNERS(12), INNERS(13), INNERS(14),
#endif
};

/* ---- packing --------------------------------------------------------------------------------- */

typedef struct Chunk {
    const Gemm *g;
    GemmSpan s;
    ptrdiff_t k0, k;     /* of all k */
    float *packed, *row; /* panels of B; a panel of A */
    ptrdiff_t fetched;   /* lines of the next chunk of B asked for */
} Chunk;

/* k rows of n columns from b into rows of `step`; what is beyond n becomes zero, once. */
static void pack_rows(const float *b, ptrdiff_t b_row, ptrdiff_t k, ptrdiff_t n, ptrdiff_t step,
                      float *to)
{
    for (ptrdiff_t i = 0; i < k; i++, b += b_row, to += step) {
        ptrdiff_t j = 0;
        for (; j + WIDE <= n; j += WIDE) VSTORE(to + j, VLOAD(b + j));
        if (j < n) VSTORE(to + j, VLOAD_SOME(b + j, VMASK((int)(n - j))));
    }
}

/* The same from columns that lie along k: squares are turned in registers. */
static void pack_columns(const float *b, ptrdiff_t b_col, ptrdiff_t k, ptrdiff_t n, ptrdiff_t step,
                         float *to)
{
    for (ptrdiff_t j = 0; j < step; j += WIDE)
        for (ptrdiff_t i = 0; i < k; i += WIDE) {
            int columns = (int)MAX(0, MIN(WIDE, n - j)), rows = (int)MIN(WIDE, k - i);
            Vec square[WIDE];
            for (int c = 0; c < WIDE; c++)
                square[c] = c >= columns   ? VZERO
                            : rows == WIDE ? VLOAD(b + (j + c) * b_col + i)
                                           : VLOAD_SOME(b + (j + c) * b_col + i, VMASK(rows));
            turn(square);
            for (int r = 0; r < rows; r++) VSTORE(to + (i + r) * step + j, square[r]);
        }
}

/* Any strides; both products of models have one of the two above. */
static void pack_any(const Gemm *g, const float *b, ptrdiff_t k, ptrdiff_t n, ptrdiff_t step,
                     float *to)
{
    for (ptrdiff_t i = 0; i < k; i++)
        for (ptrdiff_t j = 0; j < step; j++)
            to[i * step + j] = j < n ? b[i * g->b_row + j * g->b_col] : 0;
}

static ptrdiff_t panel_width(ptrdiff_t columns_left)
{
    return columns_left > WIDE ? 2 * WIDE : WIDE;
}

/* What lies across k is read where it is if steps along k are short: then a chunk of it is not
 * spread over too many pages, nor over too few sets of the first cache. */
enum { STEP_MOST = 448, DIRECT_COLS = 128 };

static bool direct_b(const Chunk *c, ptrdiff_t n)
{
    return c->g->b_col == 1 && n % WIDE == 0 && c->g->b_row <= STEP_MOST;
}

/* What lies along k is always read where it is; the rest, if few columns will need it. */
static bool direct_a(const Chunk *c)
{
    if (c->g->a_col == 1) return true;
    return c->g->a_row == 1 && c->g->a_col <= STEP_MOST && c->s.j1 - c->s.j0 <= DIRECT_COLS;
}

static void pack_b(const Chunk *c)
{
    const Gemm *g = c->g;
    ptrdiff_t k = c->k;
    float *to = c->packed;
    for (ptrdiff_t j = c->s.j0, step; j < c->s.j1; j += step, to += k * step) {
        const float *b = (const float *)g->b + c->k0 * g->b_row + j * g->b_col;
        step = panel_width(c->s.j1 - j);
        ptrdiff_t n = MIN(step, c->s.j1 - j);
        if (direct_b(c, n)) continue;
        if (g->b_col == 1)
            pack_rows(b, g->b_row, k, n, step, to);
        else if (g->b_row == 1)
            pack_columns(b, g->b_col, k, n, step, to);
        else
            pack_any(g, b, k, n, step, to);
    }
}

/* ---- the block ------------------------------------------------------------------------------- */

/* Chooses what to ask the memory for while a panel is multiplied: with its first columns, the next
 * panel of A to be packed; then, line by line, the next chunk of B.  What lies along k the
 * processor fetches ahead by itself. */
static void look_ahead(Chunk *c, Inner *t, ptrdiff_t next_row, ptrdiff_t j)
{
    const Gemm *g = c->g;
    ptrdiff_t next_k = c->k0 + c->k, line = c->s.j0 + 16 * c->fetched;
    t->ahead = t->b;
    t->ahead_step = 0;
    if (j == c->s.j0 && g->a_row == 1 && (next_row < c->s.i1 || next_k < g->k)) {
        bool wrap = next_row == c->s.i1;
        t->ahead =
            (const float *)g->a + (wrap ? c->s.i0 : next_row) + (wrap ? next_k : c->k0) * g->a_col;
        t->ahead_step = g->a_col;
    } else if (g->b_col == 1 && next_k < g->k && line < c->s.j1) {
        t->ahead = (const float *)g->b + next_k * g->b_row + line;
        t->ahead_step = next_k + c->k <= g->k ? g->b_row : 0;
        c->fetched++;
    }
}

/* Rows i..i+high-1 by all columns. */
static void multiply_rows(Chunk *c, Inner t, ptrdiff_t i, int high)
{
    const Gemm *g = c->g;
    const float *bias = c->k0 + c->k == g->k ? g->bias : NULL;
    const float *packed = c->packed;
    for (ptrdiff_t j = c->s.j0, step; j < c->s.j1; j += step) {
        step = panel_width(c->s.j1 - j);
        ptrdiff_t n = MIN(step, c->s.j1 - j);
        t.c = (float *)g->c + i * g->c_row + j;
        t.bias = bias ? bias + j : NULL;
        t.last = (int)((n - 1) % WIDE + 1);
        t.b = direct_b(c, n) ? (const float *)g->b + c->k0 * g->b_row + j : packed;
        t.b_step = direct_b(c, n) ? g->b_row : step;
        look_ahead(c, &t, i + high, j);
        kernels[high - 1][step / WIDE - 1](&t);
        packed += t.k * step;
    }
}

/* A panel of rows that do not lie along k, laid out so that GEMM_ROWS of them do beside each
 * other; the kernel reads `high`. */
static void pack_a(Inner *t, int high, float *to)
{
    for (ptrdiff_t i = 0; i < t->k; i++) {
        const float *from = t->a + i * t->a_col;
        if (t->a_row == 1)
            for (int r = 0; r < high; r += WIDE)
                VSTORE(to + i * GEMM_ROWS + r, VLOAD_SOME(from + r, VMASK(MIN(WIDE, high - r))));
        else
            for (int r = 0; r < high; r++) to[i * GEMM_ROWS + r] = from[r * t->a_row];
    }
    t->a = to;
    t->a_row = 1;
    t->a_col = GEMM_ROWS;
}

static void multiply(Chunk *c)
{
    const Gemm *g = c->g;
    ptrdiff_t count = c->s.i1 - c->s.i0, panels = (count + HIGH - 1) / HIGH;
    for (ptrdiff_t p = 0; p < panels; p++) {
        ptrdiff_t i = c->s.i0 + count * p / panels;
        int high = (int)(c->s.i0 + count * (p + 1) / panels - i);
        Inner t = { .k = c->k,
                    .a = (const float *)g->a + i * g->a_row + c->k0 * g->a_col,
                    .a_row = g->a_row,
                    .a_col = g->a_col,
                    .c_row = g->c_row,
                    .add = g->add || c->k0 > 0 };
        if (!direct_a(c)) pack_a(&t, high, c->row);
        multiply_rows(c, t, i, high);
    }
}

void LEVELED(gemm_block)(const Gemm *g, GemmSpan s, void *own)
{
    Chunk c = { .g = g, .s = s, .packed = own };
    c.row = c.packed + MIN(g->k, GEMM_CHUNK) * GEMM_COLS;
    for (; c.k0 < g->k; c.k0 += GEMM_CHUNK) {
        c.k = MIN(GEMM_CHUNK, g->k - c.k0);
        c.fetched = 0;
        pack_b(&c);
        multiply(&c);
    }
}

#endif
