/* Update rules: against plain double-precision code, and what every rule must do. */
#include "base/rand.h"
#include "base/str.h"
#include "optim/optim.h"
#include "tests/test.h"

typedef struct Rig {
    Arena arena;
    Dev dev;
    Store *store;
    KnobSet knobs;
    Plan *micro, *update;
    Optim optim;
    Tensor *x, *target, *weight, *loss;
    CpuLevel level;
} Rig;

enum { N = 24, IN = 6, MID = 16, OUT = 5 };

static KnobSet all_knobs(Arena *a)
{
    const Knob *tables[8] = {
        optim_knobs, (const Knob[]){ { .name = "model.tied", .type = KNOB_FLAG }, { .name = NULL } }
    };
    const Knob *kept = NEW(a, Knob, 2);
    memcpy((void *)kept, tables[1], 2 * sizeof(Knob));
    tables[1] = kept;
    tables[2 + optim_tables(tables + 2, 5)] = NULL;
    return knobs_new(a, tables);
}

/* logits = W2 gelu(x W1^T + b): a matrix of two pieces, a vector, a head. */
static void record(Rig *r)
{
    Graph *g = graph_new(&r->arena);
    Err err = { 0 };
    r->x = t_input(g, "x", F32, 2, (ptrdiff_t[]){ N, IN });
    r->target = t_input(g, "target", I32, 1, (ptrdiff_t[]){ N });
    r->weight = t_input(g, "weight", F32, 1, (ptrdiff_t[]){ 1 });
    Tensor *w1 = t_param(
        g,
        (ParamSpec){ "w1", 2, { MID, IN }, ROLE_MATRIX, IN, MID / 2.0, 2, { INIT_NORMAL, 0.5 } });
    Tensor *b =
        t_param(g, (ParamSpec){ "b", 1, { MID }, ROLE_VECTOR, 1, MID, 1, { INIT_NORMAL, 0.5 } });
    Tensor *w2 = t_param(
        g, (ParamSpec){ "w2", 2, { OUT, MID }, ROLE_HEAD, MID, OUT, 1, { INIT_NORMAL, 0.5 } });
    Tensor *h = t_gelu(g, t_linear(g, r->x, w1, b));
    r->loss = t_head_loss(g, h, w2, r->target, r->weight, 0).loss;
    graph_grad(g, r->loss);
    r->micro = plan_new(g, &r->loss, 1, &r->dev, (PlanOpt){ .level = r->level }, &r->arena, &err);
    EXPECT_MSG(r->micro != NULL, "%s", err.msg);
    Graph *u = graph_new(&r->arena);
    optim_record(&r->optim, u, &r->knobs, (Tensor *const[]){ w1, b, w2 }, 3, &r->arena);
    r->update = plan_new(u, r->optim.root, r->optim.roots, &r->dev, (PlanOpt){ .level = r->level },
                         &r->arena, &err);
    EXPECT_MSG(r->update != NULL, "%s", err.msg);
}

static void put(Rig *r, Tensor *t, int i, double x)
{
    void *at = plan_at(r->micro, t);
    if (r->level == LEVEL_REF)
        ((double *)at)[i] = x;
    else
        ((float *)at)[i] = (float)x;
}

static void rig_open(Rig *r, const char *name, CpuLevel level, int threads)
{
    Err err = { 0 };
    *r = (Rig){ .level = level, .arena = arena_reserve(1 << 28) };
    r->knobs = all_knobs(&r->arena);
    EXPECT(knobs_set(&r->knobs, "optim.name", str_of(name), "test", &err));
    EXPECT(dev_open(&r->dev, "cpu", threads, &err));
    record(r);
    r->store = store_new(&r->dev, level, &r->arena);
    EXPECT_MSG(plan_bind(r->micro, r->store, &err) && plan_bind(r->update, r->store, &err), "%s",
               err.msg);
    store_init(r->store, 11);
    put(r, r->weight, 0, 1.0 / N);
    for (int i = 0; i < N * IN; i++) put(r, r->x, i, rand_normal_at(1, 2, (uint64_t)i));
    for (int i = 0; i < N; i++) ((int32_t *)plan_at(r->micro, r->target))[i] = i % OUT;
}

static void rig_close(Rig *r)
{
    store_free(r->store);
    dev_close(&r->dev);
    arena_release(&r->arena);
}

static double step(Rig *r, int64_t number, double factor, OptimStats *stats)
{
    float scalar[SLOT_COUNT];
    optim_scalars(&r->optim, (OptimAt){ factor, number, 80 }, scalar);
    StepIn in = { .step = number, .train = true, .scalar = scalar };
    plan_run(r->micro, &in);
    const void *at = plan_at(r->micro, r->loss);
    double loss = r->level == LEVEL_REF ? *(const double *)at : (double)*(const float *)at;
    plan_run(r->update, &in);
    optim_read(&r->optim, r->update, r->level, stats);
    return loss;
}

static void set(Rig *r, const char *knob, double x)
{
    Err err = { 0 };
    EXPECT_MSG(knobs_set_number(&r->knobs, knob, x, &err), "%s", err.msg);
}

TEST(every_rule_descends)
{
    int count;
    const OptimDef *const *all = optim_all(&count);
    for (int i = 0; i < count; i++) {
        Rig r;
        OptimStats s;
        rig_open(&r, all[i]->name, cpu_level(), 2);
        set(&r, "optim.lr", 0.03);
        double first = step(&r, 1, 1, &s), last = first;
        for (int n = 2; n <= 80; n++) last = step(&r, n, 1, &s);
        EXPECT_MSG(last < 0.6 * first, "%s: from %g to %g", all[i]->name, first, last);
        EXPECT(s.grad_norm > 0 && s.update_ratio[GROUP_MATRIX] > 0 &&
               s.update_ratio[GROUP_HEAD] > 0);
        EXPECT(isnan(s.update_ratio[GROUP_EMBED]));
        rig_close(&r);
    }
}

static void copy_kept(const Store *from, const Store *to)
{
    for (int i = 0; i < store_count(from); i++) {
        const StoreItem *a = store_item(from, i), *b = store_find(to, a->name);
        if (a->life != LIFE_GRAD) memcpy(b->at, a->at, (size_t)a->count * sizeof(float));
    }
}

static bool same_params(const Store *a, const Store *b)
{
    for (int i = 0; i < store_count(a); i++) {
        const StoreItem *x = store_item(a, i), *y = store_find(b, x->name);
        if (x->life != LIFE_GRAD && memcmp(x->at, y->at, (size_t)x->count * sizeof(float)) != 0)
            return false;
    }
    return true;
}

TEST(every_rule_resumes_to_the_bit_with_other_threads)
{
    int count;
    const OptimDef *const *all = optim_all(&count);
    for (int i = 0; i < count; i++) {
        Rig whole, half;
        OptimStats s;
        rig_open(&whole, all[i]->name, cpu_level(), 1);
        for (int n = 1; n <= 9; n++) step(&whole, n, 1.0 / n, &s);
        rig_open(&half, all[i]->name, cpu_level(), 3);
        copy_kept(whole.store, half.store);
        EXPECT(same_params(whole.store, half.store));
        for (int n = 10; n <= 20; n++) {
            step(&whole, n, 1.0 / n, &s);
            step(&half, n, 1.0 / n, &s);
        }
        EXPECT_MSG(same_params(whole.store, half.store), "%s ends elsewhere", all[i]->name);
        rig_close(&whole);
        rig_close(&half);
    }
}

/* ---- AdamW, by its paper */

typedef struct Copy {
    double w[MID * IN], g[MID * IN], m[MID * IN], v[MID * IN];
    int n;
} Copy;

static void copy_of(const Rig *r, const char *name, Copy *c)
{
    char grad[64];
    snprintf(grad, sizeof(grad), "%s.grad", name);
    const StoreItem *w = store_find(r->store, name), *g = store_find(r->store, grad);
    c->n = (int)w->count;
    memcpy(c->w, w->at64, (size_t)c->n * sizeof(double));
    memcpy(c->g, g->at64, (size_t)c->n * sizeof(double));
}

static void adamw_by_hand(Copy *c, const double *g, double clip, int t, double rate, double decay)
{
    const double b1 = (double)0.9f, b2 = (double)0.99f, eps = (double)1e-8f;
    for (int i = 0; i < c->n; i++) {
        c->m[i] = b1 * c->m[i] + (1 - b1) * clip * g[i];
        c->v[i] = b2 * c->v[i] + (1 - b2) * clip * clip * g[i] * g[i];
        double m = c->m[i] / (1 - pow(b1, t)), v = c->v[i] / (1 - pow(b2, t));
        c->w[i] -= rate * (m / (sqrt(v) + eps) + decay * c->w[i]);
    }
}

TEST(adamw_is_that_of_its_paper_with_clipping_and_rates_by_group)
{
    static const char *const name[] = { "w1", "b", "w2" };
    const double mult[] = { 1, 3, 0.5 }, decay[] = { 0.25, 0, 0.25 };
    Rig r;
    Copy c[3] = { 0 };
    rig_open(&r, "adamw", LEVEL_REF, 1);
    set(&r, "optim.decay", 0.25);
    set(&r, "optim.vector_mult", 3);
    set(&r, "optim.head_mult", 0.5);
    set(&r, "optim.clip", 0.125);
    for (int t = 1; t <= 6; t++) {
        OptimStats s;
        Copy before[3];
        for (int i = 0; i < 3; i++) copy_of(&r, name[i], &before[i]);
        for (int i = 0; i < 3; i++)
            memcpy(c[i].w, before[i].w, sizeof(c[i].w)), c[i].n = before[i].n;
        step(&r, t, 0.5, &s);
        double squares = 0;
        for (int i = 0; i < 3; i++) {
            copy_of(&r, name[i], &before[i]); // its gradient is the step's
            for (int j = 0; j < before[i].n; j++) squares += before[i].g[j] * before[i].g[j];
        }
        double norm = sqrt(squares), clip = norm > 0.125 ? 0.125 / norm : 1;
        EXPECT_MSG(fabs(s.grad_norm - norm) < 1e-12 * norm, "norm %g, not %g", s.grad_norm, norm);
        EXPECT(fabs(s.clip_factor - clip) < 1e-12);
        for (int i = 0; i < 3; i++) {
            double rate = (double)(float)(2e-3 * mult[i] * 0.5);
            adamw_by_hand(&c[i], before[i].g, clip, t, rate, (double)(float)decay[i]);
            for (int j = 0; j < c[i].n; j++)
                EXPECT_MSG(fabs(c[i].w[j] - before[i].w[j]) < 1e-12,
                           "step %d: %s[%d] is %.15g, not %.15g", t, name[i], j, before[i].w[j],
                           c[i].w[j]);
        }
    }
    rig_close(&r);
}

/* ---- Muon, by its description */

enum { ROWS = MID / 2 }; // w1 is two pieces of (8, 6)

/* out (ROWS, IN) = a x + (b A + c A^2) x on the smaller side, as transposed columns. */
static void newton_schulz_step(double x[ROWS][IN])
{
    double A[IN][IN], AA[IN][IN], y[ROWS][IN];
    for (int i = 0; i < IN; i++)
        for (int j = 0; j < IN; j++) {
            A[i][j] = 0;
            for (int l = 0; l < ROWS; l++) A[i][j] += x[l][i] * x[l][j];
        }
    for (int i = 0; i < IN; i++)
        for (int j = 0; j < IN; j++) {
            AA[i][j] = 0;
            for (int l = 0; l < IN; l++) AA[i][j] += A[i][l] * A[l][j];
        }
    for (int l = 0; l < ROWS; l++)
        for (int i = 0; i < IN; i++) {
            y[l][i] = 3.4445 * x[l][i];
            for (int j = 0; j < IN; j++)
                y[l][i] += (-4.7750 * A[i][j] + 2.0315 * AA[i][j]) * x[l][j];
        }
    memcpy(x, y, sizeof(y));
}

static void orthogonalise(double x[ROWS][IN], int steps)
{
    double squares = 0;
    for (int i = 0; i < ROWS * IN; i++) squares += x[i / IN][i % IN] * x[i / IN][i % IN];
    for (int i = 0; i < ROWS * IN; i++) x[i / IN][i % IN] /= sqrt(squares);
    for (int s = 0; s < steps; s++) newton_schulz_step(x);
}

static void muon_by_hand(Copy *c, const double *g, double clip, double rate, double decay)
{
    const double mu = (double)0.95f;
    double u[2][ROWS][IN];
    for (int i = 0; i < c->n; i++) {
        c->m[i] = mu * c->m[i] + (1 - mu) * clip * g[i];
        u[i / (ROWS * IN)][i / IN % ROWS][i % IN] = (1 - mu) * clip * g[i] + mu * c->m[i];
    }
    for (int p = 0; p < 2; p++) orthogonalise(u[p], 5);
    for (int i = 0; i < c->n; i++)
        c->w[i] -= rate * (sqrt((double)ROWS / IN) * u[i / (ROWS * IN)][i / IN % ROWS][i % IN] +
                           decay * c->w[i]);
}

TEST(muon_orthogonalises_each_piece_and_scales_it_by_its_shape)
{
    Rig r;
    Copy c = { 0 };
    rig_open(&r, "muon", LEVEL_REF, 1);
    set(&r, "optim.muon.decay", 0.25);
    set(&r, "optim.clip", 0.125);
    for (int t = 1; t <= 4; t++) {
        OptimStats s;
        Copy now;
        copy_of(&r, "w1", &now);
        memcpy(c.w, now.w, sizeof(c.w));
        c.n = now.n;
        step(&r, t, 0.5, &s);
        copy_of(&r, "w1", &now);
        muon_by_hand(&c, now.g, s.clip_factor, (double)(float)(0.02 * 0.5), 0.25);
        for (int i = 0; i < c.n; i++) {
            EXPECT_MSG(fabs(c.w[i] - now.w[i]) < 1e-7, "step %d: w1[%d] is %.12g, not %.12g", t, i,
                       now.w[i], c.w[i]);
        }
        EXPECT(c.n == MID * IN && s.update_ratio[GROUP_MATRIX] > 0);
    }
    rig_close(&r);
}
