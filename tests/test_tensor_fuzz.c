/* Random graphs: slices of slices, views that must be copied, values read many times, pieces that
 * nobody reads.  The gradient must agree with a difference of the loss along a random direction,
 * and every layout of the plan must give the same bits. */
#include "base/hash.h"
#include "base/rand.h"
#include "tensor/ops.h"
#include "tensor/plan.h"
#include "tests/test.h"

enum { VALUES = 24, STEPS = 14 };

typedef struct Maker {
    Graph *g;
    Rand draw;
    Tensor *value[VALUES];
    int values, params;
} Maker;

static int below(Maker *m, int n)
{
    return (int)rand_below(&m->draw, (uint64_t)n);
}

static Tensor *param(Maker *m, ptrdiff_t rows, ptrdiff_t cols)
{
    char name[16];
    snprintf(name, sizeof(name), "p%d", m->params++);
    return t_param(
        m->g, (ParamSpec){
                  .name = name, .rank = 2, .dim = { rows, cols }, .init = { INIT_NORMAL, 0.5 } });
}

static Tensor *any(Maker *m)
{
    return m->value[below(m, m->values)];
}

/* Some part of x, along either dimension. */
static Tensor *part(Maker *m, Tensor *x)
{
    int dim = below(m, 2), n = (int)x->dim[dim];
    int from = below(m, n), to = from + 1 + below(m, n - from);
    return t_slice(m->g, x, dim, from, to);
}

/* x with rows and columns regrouped: (R, C) to (R k, C / k) or back. */
static Tensor *regrouped(Maker *m, Tensor *x)
{
    ptrdiff_t k = 2 + below(m, 2), r = x->dim[0], c = x->dim[1];
    if (c % k == 0) return t_view(m->g, x, 2, (ptrdiff_t[]){ r * k, c / k });
    if (r % k == 0) return t_view(m->g, x, 2, (ptrdiff_t[]){ r / k, c * k });
    return t_view(m->g, x, 2, (ptrdiff_t[]){ 1, r * c });
}

/* A value of x's shape made of another one, so that sums and products have two sides. */
static Tensor *partner(Maker *m, Tensor *x)
{
    for (int tries = 0; tries < 6; tries++) {
        Tensor *y = any(m);
        if (y->dim[0] == x->dim[0] && y->dim[1] == x->dim[1]) return y;
        if (y->dim[0] >= x->dim[0] && y->dim[1] >= x->dim[1])
            return t_slice(m->g, t_slice(m->g, y, 0, 0, x->dim[0]), 1, y->dim[1] - x->dim[1],
                           y->dim[1]);
    }
    return x;
}

static Tensor *grow(Maker *m)
{
    Graph *g = m->g;
    Tensor *x = any(m);
    switch (below(m, 10)) {
    case 0: return t_gelu(g, x);
    case 1: return t_scale(g, x, -1.5F);
    case 2: return t_rmsnorm(g, x, NULL, 1e-2F);
    case 3: return t_softmax(g, x);
    case 4: return t_linear(g, x, param(m, 1 + below(m, 6), x->dim[1]), NULL);
    case 5: return t_add(g, x, partner(m, x));
    case 6: return t_mul(g, x, partner(m, x));
    case 7: return regrouped(m, x);
    default: return part(m, x);
    }
}

static void keep(Maker *m, Tensor *x)
{
    m->value[m->values++] = x;
}

/* Adds up what some values say, in three numbers each. */
static Tensor *end(Maker *m)
{
    Tensor *sum = NULL;
    for (int i = 0; i < 3; i++) {
        Tensor *x = t_view(m->g, m->value[m->values - 1 - i], 2,
                           (ptrdiff_t[]){ 1, tensor_count(m->value[m->values - 1 - i]) });
        Tensor *y = t_linear(m->g, x, param(m, 3, x->dim[1]), NULL);
        sum = sum ? t_add(m->g, sum, y) : y;
    }
    return sum;
}

typedef struct Run {
    Arena home;
    Dev d;
    Store *s;
    Plan *p;
    Tensor *loss, *target, *weight;
} Run;

static void run_open(Run *r, int seed, PlanOpt o, int threads)
{
    *r = (Run){ .home = arena_reserve(1 << 26) };
    Err err = { 0 };
    EXPECT(dev_open(&r->d, "cpu", threads, &err));
    char name[16];
    snprintf(name, sizeof(name), "graph %d", seed);
    Maker m = { .g = graph_new(&r->home), .draw = rand_stream(1, name) };
    for (int i = 0; i < 2; i++) keep(&m, param(&m, 4 + 2 * i, 6));
    for (int i = 0; i < STEPS; i++) keep(&m, grow(&m));
    Tensor *x = end(&m);
    ptrdiff_t one = 1;
    r->target = t_input(m.g, "target", I32, 1, &one);
    r->weight = t_input(m.g, "weight", F32, 1, &one);
    r->loss = t_head_loss(m.g, x, param(&m, 4, 3), r->target, r->weight, 0).loss;
    graph_grad(m.g, r->loss);
    r->p = plan_new(m.g, &r->loss, 1, &r->d, o, &r->home, &err);
    EXPECT_MSG(r->p, "%s", err.msg);
    r->s = store_new(&r->d, o.level, &r->home);
    EXPECT_MSG(plan_bind(r->p, r->s, &err), "%s", err.msg);
    store_init(r->s, (uint64_t)seed);
    *(int32_t *)plan_at(r->p, r->target) = 1;
    if (o.level == LEVEL_REF)
        *(double *)plan_at(r->p, r->weight) = 2;
    else
        *(float *)plan_at(r->p, r->weight) = 2;
}

static void run_close(Run *r)
{
    store_free(r->s);
    dev_close(&r->d);
    arena_release(&r->home);
}

static void step(Run *r)
{
    plan_run(r->p, &(StepIn){ .step = 1, .train = true });
}

static double loss_at(Run *r, double h)
{
    for (int i = 0; i < store_count(r->s); i++) {
        const StoreItem *w = store_item(r->s, i);
        Rand v = rand_stream(77, w->name);
        for (ptrdiff_t k = 0; k < w->count && w->life == LIFE_PARAM; k++)
            w->at64[k] += h * rand_normal(&v);
    }
    step(r);
    return *(double *)plan_at(r->p, r->loss);
}

static double slope_of(Run *r)
{
    double slope = 0;
    for (int i = 0; i < store_count(r->s); i++) {
        const StoreItem *w = store_item(r->s, i);
        if (w->life != LIFE_PARAM) continue;
        char name[32];
        snprintf(name, sizeof(name), "%s.grad", w->name);
        const StoreItem *d = store_find(r->s, name);
        Rand v = rand_stream(77, w->name);
        for (ptrdiff_t k = 0; k < w->count; k++) slope += d ? d->at64[k] * rand_normal(&v) : 0;
    }
    return slope;
}

TEST(gradients_of_random_graphs_are_slopes)
{
    for (int seed = 0; seed < 300; seed++) {
        Run r;
        run_open(&r, seed, (PlanOpt){ .apart = true, .recompute = RECOMPUTE_CHEAP }, 1);
        step(&r);
        double slope = slope_of(&r), h = 1e-6;
        double above = loss_at(&r, h), under = loss_at(&r, -2 * h);
        double measured = (above - under) / (2 * h);
        EXPECT_MSG(fabs(slope - measured) < 1e-6 * (1 + fabs(slope)),
                   "graph %d: slope %.9g, measured %.9g", seed, slope, measured);
        run_close(&r);
    }
}

static uint64_t hash_of(int seed, PlanOpt o, int threads)
{
    Run r;
    run_open(&r, seed, o, threads);
    step(&r);
    uint64_t hash = 0;
    for (int i = 0; i < store_count(r.s); i++) {
        const StoreItem *w = store_item(r.s, i);
        hash ^= hash64(w->at, w->count * 4, hash64(w->name, (ptrdiff_t)strlen(w->name), 0));
    }
    run_close(&r);
    return hash;
}

TEST(E1_random_graphs_give_the_same_bits_in_every_layout)
{
    CpuLevel best = cpu_level();
    for (int seed = 0; seed < 100; seed++) {
        uint64_t first = hash_of(seed, (PlanOpt){ .level = best }, 1);
        PlanOpt other[] = {
            { .level = best, .recompute = RECOMPUTE_CHEAP },
            { .level = best, .apart = true },
            { .level = best, .recompute = RECOMPUTE_CHEAP, .apart = true, .plain = true },
            { .level = LEVEL_PLAIN, .recompute = RECOMPUTE_CHEAP },
        };
        for (int i = 0; i < COUNT(other); i++)
            EXPECT_MSG(hash_of(seed, other[i], 1 + i % 3) == first, "graph %d, layout %d", seed, i);
    }
}
