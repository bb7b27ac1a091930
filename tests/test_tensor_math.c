/* What operations compute, against plain code and published values: the walk over the list in
 * test_tensor_ops.c compares kernels with their definitions, and here the definitions have to
 * prove themselves. */
#include "tensor/ops.h"
#include "tensor/plan.h"
#include "tests/op_rig.h"

static Rig *rig_named(const char *op, const OpCase *shape, CpuLevel level)
{
    return rig_new(op_find(op), shape, level, (RigOpt){ 0 });
}

static double in(Rig *r, int i, ptrdiff_t at)
{
    return rig_get(r, RIG_IN, i, at);
}

static double out(Rig *r, ptrdiff_t at)
{
    return rig_get(r, RIG_OUT, 0, at);
}

static double off(double got, double want)
{
    return fabs(got - want) / MAX(1, fabs(want));
}

/* ---- element by element, by rows ------------------------------------------------------------- */

static double map_at(const char *op, OpOpt opt, double x)
{
    OpCase one = { .rank = { 1 }, .dim = { { 1 } }, .opt = opt };
    Rig *r = rig_named(op, &one, LEVEL_REF);
    rig_set(r, RIG_IN, 0, 0, x);
    rig_forward(r);
    double y = out(r, 0);
    rig_free(r);
    return y;
}

TEST(activations_have_their_published_values)
{
    EXPECT(off(map_at("gelu", (OpOpt){ 0 }, 1), 0.8411919906082768) < 1e-14);
    EXPECT(off(map_at("gelu", (OpOpt){ 0 }, -0.5), -0.15428599017485633) < 1e-14);
    EXPECT(off(map_at("silu", (OpOpt){ 0 }, 1), 0.7310585786300049) < 1e-14);
    EXPECT(off(map_at("silu", (OpOpt){ 0 }, -2), -0.23840584404423515) < 1e-14);
    EXPECT(map_at("relu2", (OpOpt){ 0 }, 3) == 9 && map_at("relu2", (OpOpt){ 0 }, -3) == 0);
    EXPECT(off(map_at("softcap", (OpOpt){ .cap = 2 }, 1), 0.9242343145200195) < 1e-14);
    EXPECT(map_at("scale", (OpOpt){ .scale = -0.5f }, 3) == -1.5);
}

TEST(a_bias_a_table_and_a_gate_are_broadcast)
{
    OpCase table = { .rank = { 3, 2 }, .dim = { { 2, 3, 4 }, { 3, 4 } } };
    OpCase gate = { .rank = { 2, 1 }, .dim = { { 3, 4 }, { 1 } } };
    Rig *a = rig_named("sub", &table, LEVEL_REF), *b = rig_named("mul", &gate, LEVEL_REF);
    rig_forward(a);
    rig_forward(b);
    for (ptrdiff_t i = 0; i < 24; i++) EXPECT(out(a, i) == in(a, 0, i) - in(a, 1, i % 12));
    for (ptrdiff_t i = 0; i < 12; i++) EXPECT(out(b, i) == in(b, 0, i) * in(b, 1, 0));
    rig_free(a);
    rig_free(b);
}

TEST(norms_leave_rows_of_mean_square_one)
{
    enum { N = 3, C = 37 };
    OpCase c = { .rank = { 2, 1, 1 }, .dim = { { N, C }, { C }, { C } }, .opt = { .eps = 1e-5f } };
    OpCase rms = { .rank = { 2, 1 }, .dim = { { N, C }, { C } }, .opt = { .eps = 1e-5f } };
    Rig *a = rig_named("layernorm", &c, LEVEL_REF), *b = rig_named("rmsnorm", &rms, LEVEL_REF);
    rig_forward(a);
    rig_forward(b);
    for (ptrdiff_t r = 0; r < N; r++) {
        double mean = 0, square = 0, square_b = 0;
        for (ptrdiff_t j = 0; j < C; j++) {
            double y = (out(a, r * C + j) - in(a, 2, j)) / in(a, 1, j);
            double z = out(b, r * C + j) / in(b, 1, j);
            mean += y / C, square += y * y / C, square_b += z * z / C;
        }
        EXPECT(fabs(mean) < 1e-12 && fabs(square - 1) < 1e-4 && fabs(square_b - 1) < 1e-4);
    }
    rig_free(a);
    rig_free(b);
}

TEST(softmax_rows_sum_to_one_and_keep_ratios)
{
    OpCase c = { .rank = { 2 }, .dim = { { 4, 55 } } };
    for (CpuLevel level = LEVEL_REF; level <= cpu_level(); level++) {
        Rig *r = rig_named("softmax", &c, level);
        rig_set(r, RIG_IN, 0, 3, 500); /* e^500 is beyond any float */
        rig_forward(r);
        for (ptrdiff_t i = 0; i < 4; i++) {
            double sum = 0;
            for (ptrdiff_t j = 0; j < 55; j++) sum += out(r, i * 55 + j);
            EXPECT(fabs(sum - 1) < 1e-6);
        }
        EXPECT(out(r, 3) == 1);
        double ratio = out(r, 60) / out(r, 61), want = exp(in(r, 0, 60) - in(r, 0, 61));
        EXPECT(off(ratio, want) < 1e-6);
        rig_free(r);
    }
}

/* ---- products and movements ------------------------------------------------------------------ */

TEST(linear_and_matmul_are_sums_of_products)
{
    OpCase lin = { .rank = { 2, 2, 1 }, .dim = { { 5, 7 }, { 3, 7 }, { 3 } } };
    OpCase mat = { .rank = { 3, 3 },
                   .dim = { { 2, 7, 5 }, { 2, 3, 7 } },
                   .opt = { .a = 1, .b = 1 } };
    Rig *l = rig_named("linear", &lin, LEVEL_REF), *m = rig_named("matmul", &mat, LEVEL_REF);
    rig_forward(l);
    rig_forward(m);
    for (ptrdiff_t i = 0; i < 5; i++)
        for (ptrdiff_t j = 0; j < 3; j++) {
            double y = in(l, 2, j), z = 0;
            for (ptrdiff_t k = 0; k < 7; k++) {
                y += in(l, 0, i * 7 + k) * in(l, 1, j * 7 + k);
                z += in(m, 0, 35 + k * 5 + i) * in(m, 1, 21 + j * 7 + k); /* the second matrix */
            }
            EXPECT(off(out(l, i * 3 + j), y) < 1e-13);
            EXPECT(off(out(m, 15 + i * 3 + j), z) < 1e-13);
        }
    rig_free(l);
    rig_free(m);
}

TEST(embedding_picks_rows_and_its_gradient_counts_picks)
{
    OpCase c = { .rank = { 2, 2 }, .dim = { { 3, 8 }, { 6, 4 } }, .below = { 5 } };
    Rig *r = rig_named("embed", &c, cpu_level());
    rig_forward(r);
    for (ptrdiff_t i = 0; i < 24; i++)
        for (ptrdiff_t j = 0; j < 4; j++)
            EXPECT(out(r, i * 4 + j) == in(r, 1, (ptrdiff_t)in(r, 0, i) * 4 + j));
    for (ptrdiff_t i = 0; i < 96; i++) rig_set(r, RIG_D_OUT, 0, i, 1);
    rig_backward(r);
    for (ptrdiff_t v = 0; v < 6; v++) {
        int picks = 0;
        for (ptrdiff_t i = 0; i < 24; i++) picks += in(r, 0, i) == (double)v;
        EXPECT(rig_get(r, RIG_D_IN, 1, v * 4) == picks);
    }
    rig_free(r);
}

TEST(rope_turns_halves_by_position)
{
    enum { T = 5, D = 8, ROTARY = 6 };
    OpCase c = { .rank = { 4, 2 },
                 .dim = { { 1, T, 1, D }, { 1, T } },
                 .below = { 0, 3000 },
                 .opt = { .base = 10000, .rotary = ROTARY } };
    for (CpuLevel level = LEVEL_REF; level <= cpu_level(); level++) {
        Rig *r = rig_named("rope", &c, level);
        rig_forward(r);
        for (ptrdiff_t t = 0; t < T; t++)
            for (ptrdiff_t i = 0; i < D; i++) {
                ptrdiff_t half = ROTARY / 2, pair = i % half, at = t * D;
                double angle = in(r, 1, t) * pow(10000, -2.0 * (double)pair / ROTARY);
                double x = in(r, 0, at + pair), y = in(r, 0, at + pair + half), want;
                if (i >= ROTARY)
                    want = in(r, 0, at + i);
                else
                    want = i < half ? x * cos(angle) - y * sin(angle)
                                    : x * sin(angle) + y * cos(angle);
                EXPECT(off(out(r, at + i), want) < (level == LEVEL_REF ? 1e-12 : 1e-6));
            }
        rig_free(r);
    }
}

/* ---- attention ------------------------------------------------------------------------------- */

typedef struct See {
    ptrdiff_t s, heads, kv, size, window;
    bool docs;
} See;

/* Whether the query at key `at` of sequence b sees key j. */
static bool sees(Rig *r, See a, ptrdiff_t b, ptrdiff_t at, ptrdiff_t j)
{
    if (j > at || (a.window && at - j >= a.window)) return false;
    return !a.docs || in(r, 4, b * a.s + j) == in(r, 4, b * a.s + at);
}

/* Element i of the output for one query: the mask written as a condition on every pair. */
static double attend(Rig *r, See a, ptrdiff_t b, ptrdiff_t t, ptrdiff_t h, ptrdiff_t i, OpOpt o)
{
    ptrdiff_t rows = r->shape.dim[0][1], g = h * a.kv / a.heads;
    ptrdiff_t at = r->node.in[3] ? (ptrdiff_t)in(r, 3, b * rows + t) : t;
    double scale = o.scale != 0 ? (double)o.scale : 1 / sqrt((double)a.size), sum = 0, mix = 0;
    for (ptrdiff_t j = 0; j < a.s; j++) {
        if (!sees(r, a, b, at, j)) continue;
        double z = 0;
        for (ptrdiff_t k = 0; k < a.size; k++)
            z += in(r, 0, ((b * rows + t) * a.heads + h) * a.size + k) *
                 in(r, 1, ((b * a.s + j) * a.kv + g) * a.size + k);
        z *= scale;
        if (o.cap > 0) z = (double)o.cap * tanh(z / (double)o.cap);
        sum += exp(z);
        mix += exp(z) * in(r, 2, ((b * a.s + j) * a.kv + g) * a.size + i);
    }
    return mix / sum;
}

TEST(attention_is_the_mean_of_the_values_it_may_see)
{
    const OpDef *op = op_find("attention");
    for (int n = 0; n < op->n_cases; n++) {
        const OpCase *c = &op->cases[n];
        See a = { c->dim[1][1], c->dim[0][2],  c->dim[1][2],
                  c->dim[0][3], c->opt.window, c->rank[4] != 0 };
        Rig *r = rig_named("attention", c, LEVEL_REF);
        rig_forward(r);
        ptrdiff_t count = tensor_count(r->node.out[0]);
        for (ptrdiff_t k = 0; k < count; k += MAX(1, count / 500)) {
            ptrdiff_t i = k % a.size, h = k / a.size % a.heads, row = k / (a.size * a.heads);
            double want = attend(r, a, row / c->dim[0][1], row % c->dim[0][1], h, i, c->opt);
            EXPECT_MSG(off(out(r, k), want) < 1e-12, "case %d element %td: %g, not %g", n, k,
                       out(r, k), want);
        }
        rig_free(r);
    }
}

/* A query alone over a cache whose later rows hold other things. */
static void expect_alone(Rig *all, const OpCase *c, ptrdiff_t t, ptrdiff_t room)
{
    ptrdiff_t s = c->dim[1][1], heads = c->dim[0][2], size = c->dim[0][3];
    ptrdiff_t row = heads * size, key_row = c->dim[1][2] * size;
    OpCase one = { .rank = { 4, 4, 4, 2, c->rank[4] },
                   .dim = { { 1, 1, heads, size },
                            { 1, s + room, c->dim[1][2], size },
                            { 1, s + room, c->dim[1][2], size },
                            { 1, 1 },
                            { 1, s + room } },
                   .below = { 0, 0, 0, 1, 2 },
                   .opt = c->opt };
    Rig *r = rig_named("attention", &one, all->level);
    for (ptrdiff_t k = 0; k < row; k++) rig_set(r, RIG_IN, 0, k, in(all, 0, t * row + k));
    for (int i = 1; i <= 2; i++)
        for (ptrdiff_t k = 0; k < (t + 1) * key_row; k++) rig_set(r, RIG_IN, i, k, in(all, i, k));
    rig_set(r, RIG_IN, 3, 0, (double)t);
    for (ptrdiff_t j = 0; c->rank[4] && j <= t; j++) rig_set(r, RIG_IN, 4, j, in(all, 4, j));
    rig_forward(r);
    ptrdiff_t bad = 0;
    for (ptrdiff_t k = 0; k < row; k++) bad += !(out(r, k) == out(all, t * row + k));
    EXPECT_MSG(!bad, "window %d: query %td alone differs in %td elements", c->opt.window, t, bad);
    rig_free(r);
}

TEST(a_query_over_a_cache_equals_the_query_in_its_sequence_to_the_bit_E3)
{
    enum { T = 900 };
    const OpCase cases[] = {
        { .rank = { 4, 4, 4 }, .dim = { { 1, T, 2, 8 }, { 1, T, 1, 8 }, { 1, T, 1, 8 } } },
        { .rank = { 4, 4, 4, 0, 2 },
          .dim = { { 1, T, 2, 8 }, { 1, T, 1, 8 }, { 1, T, 1, 8 }, { 0 }, { 1, T } },
          .below = { 0, 0, 0, 0, 2 },
          .opt = { .window = 450, .cap = 10 } },
    };
    for (int n = 0; n < COUNT(cases); n++) {
        Rig *all = rig_named("attention", &cases[n], cpu_level());
        rig_forward(all);
        for (ptrdiff_t t = 0; t < T; t += t < 700 ? 113 : 37) expect_alone(all, &cases[n], t, 40);
        expect_alone(all, &cases[n], T - 1, 0);
        rig_free(all);
    }
}

/* Documents of 300, 7, 1 and 333 positions in one row. */
static int document_of(ptrdiff_t t)
{
    return t < 300 ? 5 : t < 307 ? 2 : t < 308 ? 7 : 0;
}

static Rig *packed_rig(CpuLevel level, int window)
{
    enum { T = 641 };
    const OpCase c = {
        .rank = { 4, 4, 4, 0, 2 },
        .dim = { { 1, T, 2, 20 }, { 1, T, 1, 20 }, { 1, T, 1, 20 }, { 0 }, { 1, T } },
        .below = { 0, 0, 0, 0, 8 },
        .opt = { .window = window }
    };
    Rig *r = rig_named("attention", &c, level);
    for (ptrdiff_t t = 0; t < T; t++) rig_set(r, RIG_IN, 4, t, document_of(t));
    return r;
}

static void expect_near(Rig *fast, Rig *ref, int kind, int i)
{
    ptrdiff_t n = tensor_count(rig_tensor(ref, kind, i));
    double top = 0, worst = 0;
    for (ptrdiff_t k = 0; k < n; k++) {
        double want = rig_get(ref, kind, i, k), error = fabs(rig_get(fast, kind, i, k) - want);
        top = MAX(top, fabs(want));
        worst = error <= worst ? worst : error;
    }
    EXPECT_MSG(worst < 1e-5 * top, "result %d.%d is off by %g of %g", kind, i, worst, top);
}

TEST(documents_packed_into_a_row_follow_the_definition_and_do_not_see_each_other_E3)
{
    for (int window = 0; window <= 100; window += 100) {
        Rig *fast = packed_rig(cpu_level(), window), *ref = packed_rig(LEVEL_REF, window);
        Rig *other = packed_rig(cpu_level(), window);
        ptrdiff_t row = 40, bad = 0, same = 0;
        for (int i = 1; i <= 2; i++)
            for (ptrdiff_t k = 0; k < 308 * 20; k++) rig_set(other, RIG_IN, i, k, 9);
        rig_run(fast);
        rig_run(ref);
        rig_run(other);
        for (int i = 0; i < 3; i++) expect_near(fast, ref, RIG_D_IN, i);
        expect_near(fast, ref, RIG_OUT, 0);
        for (ptrdiff_t k = 0; k < 641 * row; k++) {
            if (k >= 308 * row)
                bad += !(out(fast, k) == out(other, k));
            else
                same += out(fast, k) == out(other, k);
        }
        EXPECT_MSG(!bad && same < 10, "%td elements of the last document differ", bad);
        rig_free(fast);
        rig_free(ref);
        rig_free(other);
    }
}

/* ---- the loss -------------------------------------------------------------------------------- */

static double nll_of(Rig *r, ptrdiff_t row, ptrdiff_t v, ptrdiff_t c, double cap)
{
    double sum = 0, wanted = 0;
    for (ptrdiff_t j = 0; j < v; j++) {
        double z = 0;
        for (ptrdiff_t k = 0; k < c; k++) z += in(r, 0, row * c + k) * in(r, 1, j * c + k);
        if (cap > 0) z = cap * tanh(z / cap);
        sum += exp(z);
        if ((double)j == in(r, 2, row)) wanted = z;
    }
    return log(sum) - wanted;
}

TEST(head_loss_is_the_weighted_sum_over_counted_rows)
{
    enum { N = 800, V = 33, C = 6 };
    OpCase shape = { .rank = { 2, 2, 1, 1 },
                     .dim = { { N, C }, { V, C }, { N }, { 1 } },
                     .below = { 0, 0, V },
                     .opt = { .cap = 3 } };
    for (CpuLevel level = LEVEL_REF; level <= cpu_level(); level++) {
        Rig *r = rig_named("head_loss", &shape, level);
        for (ptrdiff_t i = 5; i < N; i += 7) rig_set(r, RIG_IN, 2, i, -1);
        rig_forward(r);
        double sum = 0, room = level == LEVEL_REF ? 1e-12 : 1e-5;
        for (ptrdiff_t i = 0; i < N; i++) {
            double want = i % 7 == 5 ? 0 : nll_of(r, i, V, C, 3);
            sum += want;
            EXPECT(off(rig_get(r, RIG_OUT, 1, i), want) < room);
            if (i % 7 != 5) continue;
            for (ptrdiff_t k = 0; k < C; k++) EXPECT(rig_get(r, RIG_D_IN, 0, i * C + k) == 0);
        }
        EXPECT(off(out(r, 0), sum * in(r, 3, 0)) < room);
        EXPECT(off(rig_get(r, RIG_D_IN, 3, 0), sum) < room);
        rig_free(r);
    }
}

TEST(an_evaluation_computes_the_same_loss_and_touches_no_gradient)
{
    const OpCase *c = &op_find("head_loss")->cases[3];
    Rig *train = rig_named("head_loss", c, cpu_level()),
        *eval = rig_named("head_loss", c, cpu_level());
    eval->step.train = false;
    rig_forward(train);
    rig_forward(eval);
    EXPECT(out(train, 0) == out(eval, 0));
    for (int i = 0; i < 2; i++)
        for (ptrdiff_t k = 0; k < rig_count(eval, i); k++)
            EXPECT(isnan(rig_get(eval, RIG_D_IN, i, k)));
    rig_free(train);
    rig_free(eval);
}

/* ---- updates --------------------------------------------------------------------------------- */

TEST(adamw_follows_its_paper)
{
    enum { N = 100 };
    OpCase c = { .rank = { 1, 1, 1, 1, 1 },
                 .dim = { { N }, { N }, { N }, { N }, { 2 } },
                 .opt = { .x = 0.9f, .y = 0.95f, .eps = 1e-8f, .a = 1 } };
    Rig *r = rig_named("adamw", &c, LEVEL_REF);
    r->scalar[1] = 0.5f, r->scalar[2] = 0.125f; /* rate and decay */
    double w[N], m[N], v[N], update2 = 0, w2 = 0, b1 = (double)0.9f, b2 = (double)0.95f;
    for (ptrdiff_t i = 0; i < N; i++) {
        double g = in(r, 4, 0) * in(r, 1, i);
        m[i] = b1 * in(r, 2, i) + (1 - b1) * g;
        v[i] = b2 * in(r, 3, i) + (1 - b2) * g * g;
        double mean = m[i] / (1 - b1 * b1 * b1), square = v[i] / (1 - b2 * b2 * b2);
        double update = 0.5 * (mean / (sqrt(square) + (double)1e-8f) + 0.125 * in(r, 0, i));
        w[i] = in(r, 0, i) - update;
        update2 += update * update, w2 += in(r, 0, i) * in(r, 0, i);
    }
    rig_forward(r);
    for (ptrdiff_t i = 0; i < N; i++) {
        EXPECT(off(in(r, 0, i), w[i]) < 1e-12);
        EXPECT(off(in(r, 2, i), m[i]) < 1e-12 && off(in(r, 3, i), v[i]) < 1e-12);
    }
    EXPECT(off(out(r, 0), update2) < 1e-12 && off(out(r, 1), w2) < 1e-12);
    rig_free(r);
}

TEST(momentum_and_apply_do_as_they_say)
{
    enum { N = 20 };
    OpCase c = { .rank = { 1, 1 }, .dim = { { N }, { N } }, .opt = { .a = 2, .b = 1, .scale = 0 } };
    OpCase s = { .rank = { 1, 1 }, .dim = { { N }, { N } }, .opt = { .scale = 0.25f } };
    Rig *m = rig_named("momentum", &c, LEVEL_REF), *a = rig_named("apply", &s, LEVEL_REF);
    m->scalar[2] = 0.75f;
    a->scalar[0] = 0.5f, a->scalar[1] = 0.125f;
    double before[N], w[N];
    for (ptrdiff_t i = 0; i < N; i++) before[i] = in(m, 0, i), w[i] = in(a, 0, i);
    rig_forward(m);
    rig_forward(a);
    for (ptrdiff_t i = 0; i < N; i++) {
        double mean = 0.75 * before[i] + 0.25 * in(m, 1, i);
        EXPECT(off(in(m, 0, i), mean) < 1e-13);
        EXPECT(off(out(m, i), 0.25 * in(m, 1, i) + 0.75 * mean) < 1e-13);
        EXPECT(off(in(a, 0, i), w[i] - 0.5 * (0.25 * in(a, 1, i) + 0.125 * w[i])) < 1e-13);
    }
    rig_free(m);
    rig_free(a);
}

TEST(a_gradient_is_clipped_to_its_limit_and_not_below)
{
    OpCase c = { .rank = { 1 }, .dim = { { 1 } }, .opt = { .a = 1 } };
    const double table[][3] = { { 16, 2, 0.5 }, { 16, 8, 1 }, { 16, 0, 1 }, { 16, -1, 1 } };
    for (int i = 0; i < COUNT(table); i++) {
        Rig *r = rig_named("clip_factor", &c, cpu_level());
        rig_set(r, RIG_IN, 0, 0, table[i][0]);
        r->scalar[1] = (float)table[i][1];
        rig_forward(r);
        EXPECT(out(r, 0) == table[i][2] && out(r, 1) == 4);
        rig_free(r);
    }
}

TEST(a_cache_takes_new_rows_where_they_belong)
{
    const OpCase *c = &op_find("cache")->cases[0];
    Rig *r = rig_named("cache", c, cpu_level());
    const int pos[] = { 4, 5, 6, 0, 1, 8 };
    for (int i = 0; i < 6; i++) rig_set(r, RIG_IN, 2, i, pos[i]);
    double before = in(r, 0, 0);
    rig_forward(r);
    for (ptrdiff_t i = 0; i < 6; i++)
        for (ptrdiff_t k = 0; k < 8; k++)
            EXPECT(out(r, (i / 3 * 9 + pos[i]) * 8 + k) == in(r, 1, i * 8 + k));
    EXPECT(out(r, 0) == before);
    rig_free(r);
}
