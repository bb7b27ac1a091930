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
 * From panels in the second cache that kernel runs at the peak; what is lost is
 * lost waiting for the third cache and memory (docs/engine-speed.md).  So while it
 * multiplies it asks for what comes next, one cache line every four k: its own rows
 * of C to the first cache, then the next panel of A, then the next chunk of B to the
 * second.  One line per k is too much: each waits some 250 cycles in one of 16 places,
 * and what the kernel itself misses has to queue behind.
 *
 * Rejected: packing all rows of A of a tile at once (they are read in long runs
 * then, but leave the first cache before they are used: d_w 5 % slower).
 *
 * Bits: each element is its own chain of FMAs over ascending k, from zero in each
 * chunk; chunks are added to C in order, bias last.  Neither panels nor vectors
 * touch that (gemm.h). */
#include "tensor/gemm_inside.h"
#include "tensor/level/gemm_inner.h"

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

void gemm_panels_ref(const Gemm *g, ptrdiff_t j0, ptrdiff_t j1)
{
    (void)g, (void)j0, (void)j1;
}

#else

/* ---- the inner kernel ------------------------------------------------------------------------ */

typedef struct Inner {
    ptrdiff_t k;
    const float
        *a; /* along k: element (row, k) at a[row * a_step + k]; across: a[k * a_step + row] */
    ptrdiff_t a_step;
    const float *b; /* k rows of one or two vectors, b_step apart */
    ptrdiff_t b_step;
    float *c;
    ptrdiff_t c_row;
    const float *bias; /* of these columns, or NULL */
    bool add;
    int last; /* columns of the last vector, 1..WIDE */
    Ahead *ahead;
} Inner;

/* The sums of one row on their way out. */
INLINE void put_row(const Inner *t, float *c, const Vec *sum, const int wide, Mask some)
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

/* A panel of A as the kernel walks it.  Along k, rows are reached in threes from one pointer each,
 * which an address can express. */
typedef struct Rows {
    const float *at[(HIGH + 2) / 3];
    ptrdiff_t step;
} Rows;

/* One k, the u-th since the pointers moved. */
INLINE void add_one(Vec sum[HIGH][2], const Rows *a, const float *b, const Form f, const int u)
{
    Vec b0 = VLOAD(b), b1 = f.wide > 1 ? VLOAD(b + WIDE) : VZERO;
    UNROLL
    for (int r = 0; r < f.high; r++) {
        Vec x = VONE(f.along ? a->at[r / 3] + r % 3 * a->step + u : a->at[0] + r);
        sum[r][0] = VFMA(x, b0, sum[r][0]);
        if (f.wide > 1) sum[r][1] = VFMA(x, b1, sum[r][1]);
    }
}

INLINE void move_rows(Rows *a, const Form f, const int by)
{
    if (!f.along) {
        a->at[0] += by * a->step;
        return;
    }
    UNROLL
    for (int r = 0; r < f.high; r += 3) a->at[r / 3] += by;
}

INLINE void inner(const Inner *t, const Form f)
{
    Vec sum[HIGH][2];
    UNROLL
    for (int r = 0; r < f.high; r++) sum[r][0] = sum[r][1] = VZERO;
    Rows a = { .step = t->a_step };
    UNROLL
    for (int r = 0; r < f.high; r += 3) a.at[r / 3] = t->a + r * a.step;
    Ahead ahead = *t->ahead;
    ptrdiff_t b_step = t->b_step, c_row = t->c_row, k = t->k;
    const float *b = t->b, *c = t->c, *c_last = c + (f.high - 1) * c_row;
    for (; k >= DEEP; k -= DEEP) {
        __builtin_prefetch(c, 1, 3);
        if (f.wide > 1) __builtin_prefetch(c + WIDE, 1, 3);
        c = c < c_last ? c + c_row : c_last;
        ask_ahead(&ahead);
        UNROLL
        for (int u = 0; u < DEEP; u++, b += b_step) {
            add_one(sum, &a, b, f, f.along ? u : 0);
            if (!f.along) move_rows(&a, f, 1);
        }
        if (f.along) move_rows(&a, f, DEEP);
    }
    for (; k > 0; k--, b += b_step) {
        add_one(sum, &a, b, f, 0);
        move_rows(&a, f, 1);
    }
    *t->ahead = ahead;
    Mask some = VMASK(t->last);
    UNROLL
    for (int r = 0; r < f.high; r++) put_row(t, t->c + r * t->c_row, sum[r], f.wide, some);
}

INNER_KERNELS

/* ---- packing --------------------------------------------------------------------------------- */

typedef struct Chunk {
    const Gemm *g;
    GemmSpan s;
    bool once;           /* B lies in g->packed */
    ptrdiff_t k0, k;     /* of all k */
    float *packed, *row; /* panels of B; a panel of A */
    Ahead next_b;        /* what of B is needed after this chunk */
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

/* One panel of a chunk of B, the one that begins at column j. */
static void pack_panel(const Gemm *g, ptrdiff_t k0, ptrdiff_t k, ptrdiff_t j, float *to)
{
    ptrdiff_t step = panel_width(g->n - j), n = MIN(step, g->n - j);
    const float *b = (const float *)g->b + k0 * g->b_row + j * g->b_col;
    if (g->b_col == 1)
        pack_rows(b, g->b_row, k, n, step, to);
    else if (g->b_row == 1)
        pack_columns(b, g->b_col, k, n, step, to);
    else
        pack_any(g, b, k, n, step, to);
}

/* Where it lies in g->packed. */
static float *panel_once(const Gemm *g, ptrdiff_t k0, ptrdiff_t k, ptrdiff_t j)
{
    ptrdiff_t columns = (g->n + WIDE - 1) / WIDE * WIDE;
    return (float *)g->packed + k0 * columns + j * k;
}

void LEVELED(gemm_panels)(const Gemm *g, ptrdiff_t j0, ptrdiff_t j1)
{
    for (ptrdiff_t k0 = 0; k0 < g->k; k0 += GEMM_CHUNK) {
        ptrdiff_t k = MIN(GEMM_CHUNK, g->k - k0);
        for (ptrdiff_t j = j0; j < j1; j += 2 * WIDE)
            pack_panel(g, k0, k, j, panel_once(g, k0, k, j));
    }
}

/* What lies across k is read where it is if steps along k are short: then a chunk of it is not
 * spread over too many pages, nor over too few sets of the first cache. */
static bool direct_b(const Gemm *g, ptrdiff_t j)
{
    return g->b_col == 1 && (g->n - j >= 2 * WIDE || (g->n - j) % WIDE == 0) &&
           g->b_row <= GEMM_STEP;
}

static void pack_b(const Chunk *c)
{
    for (ptrdiff_t j = c->s.j0; j < c->s.j1; j += 2 * WIDE)
        if (!direct_b(c->g, j)) pack_panel(c->g, c->k0, c->k, j, c->packed + (j - c->s.j0) * c->k);
}

/* What lies along k is always read where it is; the rest, if few columns will need it. */
enum { DIRECT_COLS = 128 };
static bool direct_a(const Chunk *c)
{
    const Gemm *g = c->g;
    if (g->a_col == 1) return true;
    return g->a_row == 1 && g->a_col <= GEMM_STEP && c->s.j1 - c->s.j0 <= DIRECT_COLS;
}

/* A panel of rows that do not lie along k, laid out so that GEMM_ROWS of them do beside each
 * other; the kernel reads `high`. */
static void pack_a(const Gemm *g, const float *a, ptrdiff_t k, int high, float *to)
{
    for (ptrdiff_t i = 0; i < k; i++) {
        const float *from = a + i * g->a_col;
        if (g->a_row == 1)
            for (int r = 0; r < high; r += WIDE)
                VSTORE(to + i * GEMM_ROWS + r, VLOAD_SOME(from + r, VMASK(MIN(WIDE, high - r))));
        else
            for (int r = 0; r < high; r++) to[i * GEMM_ROWS + r] = from[r * g->a_row];
    }
}

/* ---- looking ahead --------------------------------------------------------------------------- */

enum { FLOAT = sizeof(float) };

/* B for the chunk that follows, as it will be read or packed. */
static Ahead ahead_b(const Chunk *c)
{
    const Gemm *g = c->g;
    ptrdiff_t k0 = c->k0 + c->k, k = MIN(GEMM_CHUNK, g->k - k0), n = c->s.j1 - c->s.j0;
    if (k <= 0) return nothing_ahead(g->b);
    const float *b = (const float *)g->b + k0 * g->b_row + c->s.j0 * g->b_col;
    if (c->once) return ahead_of(panel_once(g, k0, k, c->s.j0), 1, 0, n * k * FLOAT);
    if (g->b_col == 1) return ahead_of(b, k, g->b_row * FLOAT, n * FLOAT);
    return ahead_of(b, n, g->b_col * FLOAT, k * FLOAT);
}

/* The panel of A that begins at row i: beyond the last of this block, the first one of the next
 * chunk or of the tile below. */
static Ahead ahead_a(const Chunk *c, ptrdiff_t i)
{
    const Gemm *g = c->g;
    ptrdiff_t k0 = c->k0, k = c->k;
    if (i >= c->s.i1) {
        bool more = k0 + k < g->k;
        k0 = more ? k0 + k : 0;
        k = MIN(GEMM_CHUNK, g->k - k0);
        i = more ? c->s.i0 : c->s.i1;
    }
    if (i >= g->m) return nothing_ahead(g->a);
    ptrdiff_t high = MIN(HIGH, g->m - i);
    const float *a = (const float *)g->a + i * g->a_row + k0 * g->a_col;
    return g->a_col == 1 ? ahead_of(a, high, g->a_row * FLOAT, k * FLOAT)
                         : ahead_of(a, k, g->a_col * FLOAT, high * FLOAT);
}

/* ---- the block ------------------------------------------------------------------------------- */

/* Rows i..i+high-1 by all columns. */
static void multiply_rows(Chunk *c, Inner t, ptrdiff_t i, int high, bool along)
{
    const Gemm *g = c->g;
    const float *bias = c->k0 + c->k == g->k ? g->bias : NULL;
    Ahead next_a = ahead_a(c, i + high), nothing = nothing_ahead(t.a);
    for (ptrdiff_t j = c->s.j0, step; j < c->s.j1; j += step) {
        step = panel_width(c->s.j1 - j);
        t.c = (float *)g->c + i * g->c_row + j;
        t.bias = bias ? bias + j : NULL;
        t.last = (int)((MIN(step, c->s.j1 - j) - 1) % WIDE + 1);
        t.b = c->once ? panel_once(g, c->k0, c->k, j) : c->packed + (j - c->s.j0) * c->k;
        t.b_step = step;
        if (!c->once && direct_b(g, j)) {
            t.b = (const float *)g->b + c->k0 * g->b_row + j;
            t.b_step = g->b_row;
        }
        t.ahead = next_a.rows > 0 ? &next_a : c->next_b.rows > 0 ? &c->next_b : &nothing;
        kernels[high - 1][along][step / WIDE - 1](&t);
    }
}

static void multiply(Chunk *c)
{
    const Gemm *g = c->g;
    ptrdiff_t count = c->s.i1 - c->s.i0, panels = (count + HIGH - 1) / HIGH;
    bool direct = direct_a(c), along = g->a_col == 1;
    c->next_b = ahead_b(c);
    for (ptrdiff_t p = 0; p < panels; p++) {
        ptrdiff_t i = c->s.i0 + count * p / panels;
        int high = (int)(c->s.i0 + count * (p + 1) / panels - i);
        Inner t = { .k = c->k,
                    .a = (const float *)g->a + i * g->a_row + c->k0 * g->a_col,
                    .a_step = along ? g->a_row : g->a_col,
                    .c_row = g->c_row,
                    .add = g->add || c->k0 > 0 };
        if (!direct) {
            pack_a(g, t.a, t.k, high, c->row);
            t.a = c->row;
            t.a_step = GEMM_ROWS;
        }
        multiply_rows(c, t, i, high, along);
    }
}

void LEVELED(gemm_block)(const Gemm *g, GemmSpan s, void *own)
{
    Chunk c = { .g = g, .s = s, .once = gemm_packs_once(g), .packed = own };
    c.row = c.packed + MIN(g->k, GEMM_CHUNK) * GEMM_COLS;
    for (; c.k0 < g->k; c.k0 += GEMM_CHUNK) {
        c.k = MIN(GEMM_CHUNK, g->k - c.k0);
        if (!c.once) pack_b(&c);
        multiply(&c);
    }
}

#endif
