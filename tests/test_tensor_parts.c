/* Parts that models can have, against their formulas: gates, dropout, z-loss. */
#include "base/rand.h"
#include "tensor/ops.h"
#include "tests/op_rig.h"

static Rig *rig_named(const char *op, const OpCase *shape, CpuLevel level)
{
    return rig_new(op_find(op), shape, level, (RigOpt){ 0 });
}

static double in(Rig *r, int i, ptrdiff_t at)
{
    return rig_get(r, RIG_IN, i, at);
}

TEST(a_gate_opens_each_row_by_its_own_sigmoid)
{
    enum { ROWS = 6, D = 4 };
    OpCase c = { .rank = { 3, 2 }, .dim = { { 2, 3, D }, { 2, 3 } }, .opt = { .scale = 3 } };
    Rig *r = rig_named("gate", &c, LEVEL_REF);
    rig_set(r, RIG_IN, 1, 2, 0); /* half open, whatever scale says */
    rig_forward(r);
    for (ptrdiff_t i = 0; i < ROWS * D; i++) {
        double want = 3 / (1 + exp(-in(r, 1, i / D))) * in(r, 0, i);
        EXPECT(fabs(rig_get(r, RIG_OUT, 0, i) - want) < 1e-14);
        if (i / D == 2) EXPECT(fabs(want - 1.5 * in(r, 0, i)) < 1e-14);
    }
    rig_free(r);
}

/* ---- dropout */

enum { N = 20000 };

static Rig *dropped(float p, int64_t step, int micro, int place)
{
    OpCase c = { .rank = { 1 }, .dim = { { N } }, .opt = { .p = p, .a = place, .b = 5 } };
    Rig *r = rig_named("dropout", &c, cpu_level());
    r->step.step = step, r->step.micro = micro, r->step.seed = 0x1234567890u;
    for (ptrdiff_t i = 0; i < N; i++) rig_set(r, RIG_IN, 0, i, 1);
    rig_forward(r);
    return r;
}

/* Which elements are kept says base's own Philox, asked block by block. */
TEST(what_is_dropped_is_a_function_of_seed_step_place_and_index)
{
    Rig *r = dropped(0.25f, 7, 2, -9);
    const uint32_t key[2] = { 0x34567890u ^ 5u, 0x12u };
    for (ptrdiff_t i = 0; i < N; i++) {
        const uint32_t counter[4] = { (uint32_t)(i / 4), 7, 2, (uint32_t)-9 };
        uint32_t word[4];
        philox4x32(counter, key, word);
        float want = word[i % 4] < 0x40000000u ? 0 : 1 / (1 - 0.25f);
        EXPECT_MSG((float)rig_get(r, RIG_OUT, 0, i) == want, "element %td", i);
    }
    rig_free(r);
}

static ptrdiff_t differ(Rig *a, Rig *b)
{
    ptrdiff_t n = 0;
    for (ptrdiff_t i = 0; i < N; i++) n += rig_get(a, RIG_OUT, 0, i) != rig_get(b, RIG_OUT, 0, i);
    return n;
}

TEST(another_step_micro_step_or_place_drops_others_and_the_same_share)
{
    Rig *r[4] = { dropped(0.1f, 1, 0, 1), dropped(0.1f, 2, 0, 1), dropped(0.1f, 1, 1, 1),
                  dropped(0.1f, 1, 0, 2) };
    for (int k = 0; k < 4; k++) {
        double zeros = 0, sum = 0;
        for (ptrdiff_t i = 0; i < N; i++) {
            zeros += rig_get(r[k], RIG_OUT, 0, i) == 0;
            sum += rig_get(r[k], RIG_OUT, 0, i);
        }
        /* four standard deviations of a fair draw: sqrt(0.1 * 0.9 / 20000) = 0.0021 */
        EXPECT_MSG(fabs(zeros / N - 0.1) < 0.0085, "a share of %g is dropped", zeros / N);
        EXPECT(fabs(sum / N - 1) < 0.01);
        for (int j = 0; j < k; j++) { /* 2 * 0.1 * 0.9 of them, if independent */
            double share = (double)differ(r[j], r[k]) / N;
            EXPECT_MSG(share > 0.16 && share < 0.20, "%d and %d differ in %g", j, k, share);
        }
    }
    for (int k = 0; k < 4; k++) rig_free(r[k]);
}

TEST(an_evaluation_drops_nothing)
{
    OpCase c = { .rank = { 1 }, .dim = { { 333 } }, .opt = { .p = 0.9f } };
    Rig *r = rig_named("dropout", &c, cpu_level());
    r->step.train = false;
    rig_forward(r);
    for (ptrdiff_t i = 0; i < 333; i++) EXPECT(rig_get(r, RIG_OUT, 0, i) == in(r, 0, i));
    rig_free(r);
}

TEST(places_are_named_by_the_scopes_that_are_open)
{
    Arena a = arena_reserve(1 << 20);
    Graph *g = graph_new(&a);
    Tensor *x = t_input(g, "x", F32, 1, (ptrdiff_t[]){ 8 }), *y[3];
    const char *const scope[3] = { "block.0", "block.1", "block.0" };
    for (int i = 0; i < 3; i++) {
        graph_push(g, "%s", scope[i]);
        y[i] = t_dropout(g, x, 0.5f);
        graph_pop(g);
    }
    const OpOpt *o[3] = { &y[0]->maker->opt, &y[1]->maker->opt, &y[2]->maker->opt };
    EXPECT(o[0]->a != o[1]->a && o[0]->a == o[2]->a && o[0]->b == o[2]->b);
    arena_release(&a);
}

/* ---- z-loss */

TEST(z_loss_adds_the_square_of_the_log_of_the_sum_and_leaves_nll_alone)
{
    enum { ROWS = 9, V = 13, C = 5 };
    OpCase c = { .rank = { 2, 2, 1, 1 },
                 .dim = { { ROWS, C }, { V, C }, { ROWS }, { 1 } },
                 .below = { 0, 0, V },
                 .opt = { .p = 0.25f } };
    OpCase without = c;
    without.opt.p = 0;
    Rig *z = rig_named("head_loss", &c, LEVEL_REF),
        *r = rig_named("head_loss", &without, LEVEL_REF);
    rig_set(z, RIG_IN, 2, 4, -1), rig_set(r, RIG_IN, 2, 4, -1);
    rig_forward(z), rig_forward(r);
    double penalty = 0;
    for (ptrdiff_t i = 0; i < ROWS; i++) {
        double sum = 0;
        for (ptrdiff_t v = 0; v < V; v++) {
            double dot = 0;
            for (ptrdiff_t k = 0; k < C; k++) dot += in(z, 0, i * C + k) * in(z, 1, v * C + k);
            sum += exp(dot);
        }
        penalty += i == 4 ? 0 : 0.25 * log(sum) * log(sum);
        EXPECT(rig_get(z, RIG_OUT, 1, i) == rig_get(r, RIG_OUT, 1, i));
    }
    double got = rig_get(z, RIG_OUT, 0, 0) - rig_get(r, RIG_OUT, 0, 0);
    EXPECT_MSG(fabs(got - in(z, 3, 0) * penalty) < 1e-12, "%g, not %g", got, in(z, 3, 0) * penalty);
    rig_free(z);
    rig_free(r);
}
