/* Products: right against plain double sums, and the same bits at every level, in tiles or at
 * once, wherever a row stands (E1, E2, E3, E5). */
#include "base/err.h"
#include "tensor/gemm.h"
#include "tests/test.h"

typedef struct Shape {
    ptrdiff_t m, n, k;
} Shape;

static const Shape shapes[] = {
    { 1, 1, 1 },     { 1, 33, 7 },    { 14, 32, 384 },  { 15, 31, 385 },
    { 7, 16, 5 },    { 64, 64, 8 },   { 65, 65, 20 },   { 13, 257, 10 },
    { 150, 17, 9 },  { 27, 48, 100 }, { 13, 48, 800 },  { 253, 300, 1 },
    { 15, 9, 1153 }, { 601, 70, 9 },  { 601, 33, 390 }, { 17, 33, 1024 },
};

static float *random_floats(ptrdiff_t n, uint32_t seed)
{
    float *x = malloc((size_t)n * sizeof(float));
    for (ptrdiff_t i = 0; i < n; i++) {
        seed = seed * 1664525U + 1013904223U;
        x[i] = (float)(seed >> 8) / 16777216.0F - 0.5F;
    }
    return x;
}

static double *as_double(const float *x, ptrdiff_t n)
{
    double *y = malloc((size_t)n * sizeof(double));
    for (ptrdiff_t i = 0; i < n; i++) y[i] = (double)x[i];
    return y;
}

enum { GAP = 5 }; /* between the rows of C, which must not be touched */

typedef struct Problem {
    Gemm g;
    float *a, *b, *c, *bias;
    ptrdiff_t c_count;
} Problem;

/* kind: bit 0 A lies along m, bit 1 B lies along k, bit 2 add, bit 3 bias; tiles have B packed once
 * where they can. */
static Problem problem_new(Shape s, int kind)
{
    Problem p = { .a = random_floats(s.m * s.k, 1),
                  .b = random_floats(s.k * s.n, 2),
                  .bias = random_floats(s.n, 3),
                  .c_count = s.m * (s.n + GAP) };
    p.c = random_floats(p.c_count, 4);
    p.g = (Gemm){ .m = s.m, .n = s.n, .k = s.k, .a = p.a, .b = p.b, .c = p.c, .c_row = s.n + GAP };
    p.g.a_row = kind & 1 ? 1 : s.k;
    p.g.a_col = kind & 1 ? s.m : 1;
    p.g.b_row = kind & 2 ? 1 : s.n;
    p.g.b_col = kind & 2 ? s.k : 1;
    p.g.add = kind & 4;
    p.g.bias = kind & 8 ? p.bias : NULL;
    p.g.once = true;
    return p;
}

static void problem_free(Problem *p)
{
    free(p->a);
    free(p->b);
    free(p->c);
    free(p->bias);
}

static void *scratch_for(const Gemm *g)
{
    void *own = NULL;
    if (posix_memalign(&own, 64, (size_t)gemm_own(g->k)) != 0) abort();
    memset(own, 0xff, (size_t)gemm_own(g->k));
    return own;
}

/* C at a level, from a copy of the problem's C. */
static float *solve(const Problem *p, CpuLevel level, bool tiles)
{
    float *c = malloc((size_t)p->c_count * sizeof(float));
    memcpy(c, p->c, (size_t)p->c_count * sizeof(float));
    Gemm g = p->g;
    g.c = c;
    void *own = scratch_for(&g);
    if (posix_memalign(&g.packed, 64, (size_t)gemm_packed(&g) + 1) != 0) abort();
    memset(g.packed, 0xff, (size_t)gemm_packed(&g));
    g.once = tiles;
    for (int t = gemm_packs(&g); t-- > 0;) gemm_pack(level, &g, t);
    if (tiles)
        for (int t = gemm_tiles(&g); t-- > 0;) gemm_tile(level, &g, t, own);
    else
        gemm_all(level, &g, own);
    free(own);
    free(g.packed);
    return c;
}

static double *solve_ref(const Problem *p, bool tiles)
{
    Gemm g = p->g;
    double *a = as_double(p->a, g.m * g.k), *b = as_double(p->b, g.k * g.n);
    double *bias = as_double(p->bias, g.n), *c = as_double(p->c, p->c_count);
    g.a = a, g.b = b, g.c = c;
    if (g.bias) g.bias = bias;
    if (tiles)
        for (int t = 0; t < gemm_tiles(&g); t++) gemm_tile(LEVEL_REF, &g, t, NULL);
    else
        gemm_all(LEVEL_REF, &g, NULL);
    free(a);
    free(b);
    free(bias);
    return c;
}

static double element(const Problem *p, ptrdiff_t i, ptrdiff_t j)
{
    const Gemm *g = &p->g;
    double sum = g->add ? (double)p->c[i * g->c_row + j] : 0;
    for (ptrdiff_t k = 0; k < g->k; k++)
        sum +=
            (double)p->a[i * g->a_row + k * g->a_col] * (double)p->b[k * g->b_row + j * g->b_col];
    return g->bias ? sum + (double)p->bias[j] : sum;
}

static void each_problem(void (*check)(const Problem *p))
{
    for (int s = 0; s < COUNT(shapes); s++)
        for (int kind = 0; kind < 16; kind++) {
            Problem p = problem_new(shapes[s], kind);
            check(&p);
            problem_free(&p);
        }
}

static void check_ref(const Problem *p)
{
    for (int tiles = 0; tiles < 2; tiles++) {
        double *c = solve_ref(p, tiles), worst = 0;
        for (ptrdiff_t i = 0; i < p->g.m; i++)
            for (ptrdiff_t j = 0; j < p->g.n; j++)
                worst = fmax(worst, fabs(c[i * p->g.c_row + j] - element(p, i, j)));
        EXPECT_MSG(worst < 1e-12, "%tdx%tdx%td: off by %g", p->g.m, p->g.n, p->g.k, worst);
        free(c);
    }
}

TEST(the_reference_is_the_plain_sum_for_all_transpositions_add_and_bias)
{
    each_problem(check_ref);
}

static void check_float(const Problem *p)
{
    float *c = solve(p, cpu_level(), true);
    double *r = solve_ref(p, false), worst = 0;
    for (ptrdiff_t i = 0; i < p->g.m; i++) {
        for (ptrdiff_t j = 0; j < p->g.n; j++)
            worst = fmax(worst, fabs((double)c[i * p->g.c_row + j] - r[i * p->g.c_row + j]));
        for (ptrdiff_t j = p->g.n; j < p->g.c_row; j++) /* between rows */
            EXPECT(!memcmp(&c[i * p->g.c_row + j], &p->c[i * p->g.c_row + j], sizeof(float)));
    }
    double allowed = 1e-7 * (2 + 0.25 * (double)p->g.k); /* unit roundings of the worst chain */
    EXPECT_MSG(worst < allowed, "%tdx%tdx%td: off by %g", p->g.m, p->g.n, p->g.k, worst);
    free(c);
    free(r);
}

TEST(E5_float_agrees_with_the_reference_and_touches_nothing_else)
{
    each_problem(check_float);
}

static void check_levels(const Problem *p)
{
    float *first = solve(p, LEVEL_PLAIN, true);
    for (int level = LEVEL_PLAIN; level <= (int)cpu_level(); level++)
        for (int tiles = 0; tiles < 2; tiles++) {
            float *c = solve(p, (CpuLevel)level, tiles);
            EXPECT_MSG(!memcmp(first, c, (size_t)p->c_count * sizeof(float)),
                       "%tdx%tdx%td: %s %s differs from plain tiles", p->g.m, p->g.n, p->g.k,
                       cpu_level_name((CpuLevel)level), tiles ? "in tiles" : "at once");
            free(c);
        }
    free(first);
}

TEST(E1_every_level_gives_the_same_bits_in_tiles_and_at_once)
{
    each_problem(check_levels);
}

TEST(E2_the_sum_is_ascending_fma_in_chunks_of_384_added_in_order)
{
    Problem p = problem_new((Shape){ 3, 5, 900 }, 4);
    float *c = solve(&p, cpu_level(), true);
    for (ptrdiff_t i = 0; i < 3; i++)
        for (ptrdiff_t j = 0; j < 5; j++) {
            float sum = p.c[i * p.g.c_row + j];
            for (ptrdiff_t k0 = 0; k0 < 900; k0 += 384) {
                float chunk = 0;
                for (ptrdiff_t k = k0; k < MIN(900, k0 + 384); k++)
                    chunk = fmaf(p.a[i * 900 + k], p.b[k * 5 + j], chunk);
                sum += chunk;
            }
            EXPECT(memcmp(&sum, &c[i * p.g.c_row + j], sizeof(float)) == 0);
        }
    free(c);
    problem_free(&p);
}

TEST(E3_a_row_does_not_depend_on_its_place)
{
    Problem p = problem_new((Shape){ 40, 37, 500 }, 0);
    float *all = solve(&p, cpu_level(), true);
    for (ptrdiff_t i = 0; i < 40; i++) {
        Problem one = p;
        one.g.m = 1;
        one.g.a = p.a + i * 500;
        one.c_count = p.g.c_row;
        float *c = solve(&one, cpu_level(), false);
        EXPECT(!memcmp(c, all + i * p.g.c_row, 37 * sizeof(float)));
        free(c);
    }
    free(all);
    problem_free(&p);
}

TEST(tiles_cover_a_product_once)
{
    for (ptrdiff_t m = 1; m < 700; m += 87)
        for (ptrdiff_t n = 1; n < 900; n += 149) {
            Problem p = problem_new((Shape){ m, n, 2 }, 4);
            float *c = solve(&p, cpu_level(), true);
            double worst = 0; /* each element got its addition once */
            for (ptrdiff_t i = 0; i < m; i++)
                for (ptrdiff_t j = 0; j < n; j++)
                    worst = fmax(worst, fabs((double)c[i * p.g.c_row + j] - element(&p, i, j)));
            EXPECT_MSG(worst < 1e-6, "%td x %td: off by %g", m, n, worst);
            free(c);
            problem_free(&p);
        }
    for (int once = 0; once < 2; once++) {
        EXPECT(gemm_tiles(&(Gemm){ .m = 768, .n = 128, .k = 384, .a_col = 1, .once = once }) >= 4);
        EXPECT(gemm_tiles(&(Gemm){ .m = 128, .n = 128, .k = 384, .a_col = 1, .once = once }) >= 2);
        EXPECT(gemm_tiles(&(Gemm){ .m = 4096, .n = 1536, .k = 1, .a_col = 1, .once = once }) >= 16);
    }
}
