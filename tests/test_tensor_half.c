/* Products in fp16 (level/gemm_half.c): within their stated error of the double definition, exact
 * where halves are exact, wherever a row stands and however large or small numbers are; and refused
 * where the processor cannot.  Without AVX512-FP16 only the refusal is tested. */
#include "base/err.h"
#include "base/rand.h"
#include "tensor/gemm.h"
#include "tensor/ops.h"
#include "tensor/plan.h"
#include "tests/test.h"

typedef struct Shape {
    ptrdiff_t m, n, k;
} Shape;

static const Shape shapes[] = {
    { 1, 1, 1 },    { 1, 33, 7 },    { 14, 64, 384 },  { 15, 31, 385 }, { 7, 16, 5 },
    { 65, 65, 65 }, { 13, 257, 63 }, { 150, 17, 129 }, { 253, 96, 64 }, { 15, 9, 1153 },
    { 97, 70, 9 },  { 3, 32, 390 },  { 17, 33, 1024 },
};

enum { GAP = 3 }; /* between the rows of C, which must not be touched */

typedef struct Problem {
    Gemm g;
    float *a, *b, *c, *bias;
} Problem;

static bool able(void)
{
    return cpu_computes(cpu_level(), PRECISION_FP16);
}

/* kind: bit 0 A lies along m, bit 1 B lies along k, bit 2 add, bit 3 bias. */
static Problem problem_new(Shape s, int kind, float (*draw)(Rand *r))
{
    Rand r = rand_stream(1, "half");
    ptrdiff_t c_row = s.n + GAP;
    Problem p = { .a = calloc((size_t)(s.m * s.k), sizeof(float)),
                  .b = calloc((size_t)(s.k * s.n), sizeof(float)),
                  .c = calloc((size_t)(s.m * c_row), sizeof(float)),
                  .bias = calloc((size_t)s.n, sizeof(float)) };
    for (ptrdiff_t i = 0; i < s.m * s.k; i++) p.a[i] = draw(&r);
    for (ptrdiff_t i = 0; i < s.k * s.n; i++) p.b[i] = draw(&r);
    for (ptrdiff_t i = 0; i < s.m * c_row; i++) p.c[i] = draw(&r);
    for (ptrdiff_t i = 0; i < s.n; i++) p.bias[i] = draw(&r);
    p.g = (Gemm){ .m = s.m, .n = s.n, .k = s.k, .a = p.a, .b = p.b, .c = p.c, .c_row = c_row };
    p.g.a_row = kind & 1 ? 1 : s.k;
    p.g.a_col = kind & 1 ? s.m : 1;
    p.g.b_row = kind & 2 ? 1 : s.n;
    p.g.b_col = kind & 2 ? s.k : 1;
    p.g.add = kind & 4;
    p.g.bias = kind & 8 ? p.bias : NULL;
    p.g.half = true;
    return p;
}

static void problem_free(Problem *p)
{
    free(p->a);
    free(p->b);
    free(p->c);
    free(p->bias);
}

static void *poisoned(ptrdiff_t bytes)
{
    void *at = NULL;
    if (posix_memalign(&at, 64, (size_t)bytes + 1) != 0) abort();
    memset(at, 0xff, (size_t)bytes);
    return at;
}

/* C from a copy of the problem's C, in fp16. */
static float *solve(const Problem *p)
{
    Gemm g = p->g;
    size_t bytes = (size_t)(g.m * g.c_row) * sizeof(float);
    float *c = malloc(bytes);
    memcpy(c, p->c, bytes);
    g.c = c;
    g.packed = poisoned(gemm_packed(&g));
    void *own = poisoned(gemm_own(g.k));
    for (int t = gemm_packs(&g); t-- > 0;) gemm_pack(LEVEL_AVX512, &g, t);
    for (int t = gemm_tiles(&g); t-- > 0;) gemm_tile(LEVEL_AVX512, &g, t, own);
    free(own);
    free(g.packed);
    return c;
}

/* Element (i, j) as it is defined; *size is the root of the sum of the squares of its products. */
static double element(const Problem *p, ptrdiff_t i, ptrdiff_t j, double *size)
{
    const Gemm *g = &p->g;
    double sum = g->add ? (double)p->c[i * g->c_row + j] : 0, squares = 0;
    for (ptrdiff_t k = 0; k < g->k; k++) {
        double one =
            (double)p->a[i * g->a_row + k * g->a_col] * (double)p->b[k * g->b_row + j * g->b_col];
        sum += one;
        squares += one * one;
    }
    *size = sqrt(squares);
    return g->bias ? sum + (double)p->bias[j] : sum;
}

static float draw_even(Rand *r)
{
    return (float)(2 * rand_uniform(r) - 1);
}

static void check_close(const Problem *p)
{
    float *c = solve(p);
    double worst = 0, squares = 0, size;
    const Gemm *g = &p->g;
    for (ptrdiff_t i = 0; i < g->m; i++) {
        for (ptrdiff_t j = 0; j < g->n; j++) {
            double want = element(p, i, j, &size), off = fabs((double)c[i * g->c_row + j] - want);
            worst = fmax(worst, off / size);
            squares += off * off / (size * size);
        }
        for (ptrdiff_t j = g->n; j < g->c_row; j++) /* between rows */
            EXPECT(!memcmp(&c[i * g->c_row + j], &p->c[i * g->c_row + j], sizeof(float)));
    }
    double mean = sqrt(squares / (double)(g->m * g->n));
    EXPECT_MSG(worst < 1.5e-2 && (g->m * g->n < 50 || mean < 1.5e-3),
               "%tdx%tdx%td: off by %g of the size at worst, by %g in the mean", g->m, g->n, g->k,
               worst, mean);
    free(c);
}

static void each_problem(float (*draw)(Rand *r), void (*check)(const Problem *p))
{
    for (int s = 0; able() && s < COUNT(shapes); s++)
        for (int kind = 0; kind < 16; kind++) {
            Problem p = problem_new(shapes[s], kind, draw);
            check(&p);
            problem_free(&p);
        }
}

TEST(E5_a_product_is_within_15e_4_of_its_size_of_the_definition)
{
    each_problem(draw_even, check_close);
}

static float draw_small_whole(Rand *r)
{
    return (float)rand_below(r, 9) - 4;
}

/* Sums of 64 products of whole numbers up to 4 are at most 1024: no rounding anywhere. */
static void check_exact(const Problem *p)
{
    float *c = solve(p);
    double size, off = 0;
    for (ptrdiff_t i = 0; i < p->g.m; i++)
        for (ptrdiff_t j = 0; j < p->g.n; j++)
            off += fabs((double)c[i * p->g.c_row + j] - element(p, i, j, &size));
    EXPECT_MSG(off <= 0, "%tdx%tdx%td: off by %g", p->g.m, p->g.n, p->g.k, off);
    free(c);
}

TEST(small_whole_numbers_are_multiplied_without_error)
{
    each_problem(draw_small_whole, check_exact);
}

TEST(rows_and_columns_of_any_size_lose_nothing_to_each_other_and_nothing_overflows)
{
    if (!able()) return;
    enum { M = 29, N = 70, K = 400 };
    Problem p = problem_new((Shape){ M, N, K }, 0, draw_small_whole);
    float *before = solve(&p);
    for (ptrdiff_t i = 0; i < M; i++)
        for (ptrdiff_t k = 0; k < K; k++) p.a[i * K + k] = ldexpf(p.a[i * K + k], 3 * (int)i - 40);
    for (ptrdiff_t k = 0; k < K; k++)
        for (ptrdiff_t j = 0; j < N; j++) p.b[k * N + j] = ldexpf(p.b[k * N + j], (int)j - 35);
    float *after = solve(&p);
    for (ptrdiff_t i = 0; i < M; i++)
        for (ptrdiff_t j = 0; j < N; j++) {
            float want = ldexpf(before[i * p.g.c_row + j], 3 * (int)i - 40 + (int)j - 35);
            EXPECT(!memcmp(&after[i * p.g.c_row + j], &want, sizeof(float)));
        }
    free(before);
    free(after);
    problem_free(&p);
}

TEST(infinities_and_NaNs_come_through_and_stay_in_their_rows)
{
    if (!able()) return;
    Problem p = problem_new((Shape){ 20, 40, 70 }, 0, draw_even);
    p.a[3 * 70 + 69] = NAN;
    p.a[5 * 70] = INFINITY;
    float *c = solve(&p);
    for (ptrdiff_t i = 0; i < 20; i++)
        for (ptrdiff_t j = 0; j < 40; j++)
            EXPECT_MSG(isfinite(c[i * p.g.c_row + j]) == (i != 3 && i != 5), "row %td", i);
    EXPECT(isnan(c[3 * p.g.c_row]) && isinf(c[5 * p.g.c_row]));
    free(c);
    problem_free(&p);
}

TEST(E3_a_row_does_not_depend_on_its_place)
{
    if (!able()) return;
    Problem p = problem_new((Shape){ 40, 37, 500 }, 0, draw_even);
    float *all = solve(&p);
    for (ptrdiff_t i = 0; i < 40; i++) {
        Problem one = p;
        one.g.m = 1;
        one.g.a = p.a + i * 500;
        float *c = solve(&one);
        EXPECT(!memcmp(c, all + i * p.g.c_row, 37 * sizeof(float)));
        free(c);
    }
    free(all);
    problem_free(&p);
}

/* ---- in plans -------------------------------------------------------------------------------- */

enum { ROWS = 45, IN = 40, OUT = 70 };

static Tensor *weight(Graph *g, const char *name, ptrdiff_t out, ptrdiff_t in)
{
    return t_param(g, (ParamSpec){ .name = name,
                                   .rank = 2,
                                   .dim = { out, in },
                                   .role = ROLE_MATRIX,
                                   .init = { INIT_NORMAL, 0.3 } });
}

/* Two layers and a head, all gradients; returns the Store's gradients as doubles in `grad`. */
static double gradients(CpuLevel level, Precision precision, int threads, double *grad, int *count)
{
    Arena home = arena_reserve(1 << 26);
    Dev d;
    Err err = { 0 };
    ptrdiff_t n = ROWS, one = 1, shape[2] = { ROWS, IN };
    Graph *g = graph_new(&home);
    g->precision = precision;
    Tensor *x = t_input(g, "x", F32, 2, shape), *target = t_input(g, "target", I32, 1, &n);
    Tensor *share = t_input(g, "share", F32, 1, &one);
    Tensor *h = t_silu(g, t_linear(g, x, weight(g, "up", OUT, IN), NULL));
    h = t_linear(g, h, weight(g, "down", IN, OUT), NULL);
    Tensor *loss = t_head_loss(g, h, weight(g, "head", OUT, IN), target, share, 15).loss;
    graph_grad(g, loss);
    EXPECT_MSG(dev_open(&d, "cpu", threads, &err), "%s", err.msg);
    Store *s = store_new(&d, level, &home);
    Plan *p = plan_new(g, &loss, 1, &d, (PlanOpt){ .level = level }, &home, &err);
    EXPECT_MSG(p && plan_bind(p, s, &err), "%s", err.msg);
    store_init(s, 3);
    Rand r = rand_stream(1, "rows");
    for (int i = 0; i < ROWS * IN; i++) {
        float v = draw_even(&r);
        if (level == LEVEL_REF)
            ((double *)plan_at(p, x))[i] = (double)v;
        else
            ((float *)plan_at(p, x))[i] = v;
    }
    for (int i = 0; i < ROWS; i++) ((int32_t *)plan_at(p, target))[i] = i % OUT;
    if (level == LEVEL_REF)
        *(double *)plan_at(p, share) = 1.0 / 64;
    else
        *(float *)plan_at(p, share) = 1.0F / 64;
    plan_run(p, &(StepIn){ .step = 1, .train = true });
    *count = 0;
    for (int i = 0; i < store_count(s); i++) {
        const StoreItem *w = store_item(s, i);
        for (ptrdiff_t k = 0; w->life == LIFE_GRAD && k < w->count; k++)
            grad[(*count)++] = w->at ? (double)w->at[k] : w->at64[k];
    }
    const void *at = plan_at(p, loss);
    double value = level == LEVEL_REF ? *(const double *)at : (double)*(const float *)at;
    store_free(s);
    dev_close(&d);
    arena_release(&home);
    return value;
}

TEST(loss_and_every_gradient_are_within_half_a_percent_and_equal_on_1_and_3_threads)
{
    static double want[3 * IN * OUT], got[3 * IN * OUT], again[3 * IN * OUT];
    int n, m;
    if (!able()) return;
    double loss = gradients(LEVEL_REF, PRECISION_FP16, 1, want, &n);
    double near = gradients(LEVEL_AVX512, PRECISION_FP16, 1, got, &m);
    EXPECT(n == 3 * IN * OUT && m == n);
    EXPECT_MSG(fabs(near - loss) < 1e-3 * loss, "loss %g, not %g", near, loss);
    for (int w = 0; w < 3; w++) {
        double off = 0, size = 0;
        for (int i = w * IN * OUT; i < (w + 1) * IN * OUT; i++) {
            off += (got[i] - want[i]) * (got[i] - want[i]);
            size += want[i] * want[i];
        }
        EXPECT_MSG(off > 0 && sqrt(off / size) < 5e-3, "gradient %d is off by %g", w,
                   sqrt(off / size));
    }
    gradients(LEVEL_AVX512, PRECISION_FP16, 3, again, &m);
    EXPECT(!memcmp(got, again, sizeof(got)));
}

TEST(a_plan_in_fp16_is_refused_where_the_processor_has_no_halves)
{
    Arena home = arena_reserve(1 << 22);
    Dev d;
    Err err = { 0 };
    ptrdiff_t shape[2] = { 2, 3 };
    Graph *g = graph_new(&home);
    g->precision = PRECISION_FP16;
    Tensor *y = t_linear(g, t_input(g, "x", F32, 2, shape), weight(g, "w", 4, 3), NULL);
    EXPECT(dev_open(&d, "cpu", 1, &err));
    EXPECT(!plan_new(g, &y, 1, &d, (PlanOpt){ .level = LEVEL_PLAIN }, &home, &err));
    EXPECT_MSG(err.code == ERR_DEVICE && strstr(err.msg, "AVX512-FP16") &&
                   strstr(err.msg, "precision fp32"),
               "%s", err.msg);
    dev_close(&d);
    arena_release(&home);
}
