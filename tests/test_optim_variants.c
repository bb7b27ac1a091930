/* Rules beyond AdamW and plain Muon, each against double-precision code written from its paper:
 * gradients are put into the Store by hand, an update plan runs, weights are compared. */
#include "base/rand.h"
#include "base/str.h"
#include "optim/optim.h"
#include "tests/test.h"

enum { TALL = 16, WIDE = 6, SIDE = 5, WEIGHTS = 3 }; /* tall: two pieces of (8, 6) */

typedef struct Rig {
    Arena arena;
    Dev dev;
    Store *store;
    KnobSet knobs;
    Plan *update;
    Optim optim;
} Rig;

static KnobSet all_knobs(Arena *a)
{
    const Knob *tables[8] = { optim_knobs };
    Knob *tied = NEW(a, Knob, 2);
    tied[0] = (Knob){ .name = "model.tied", .type = KNOB_FLAG };
    tables[1] = tied;
    tables[2 + optim_tables(tables + 2, 5)] = NULL;
    return knobs_new(a, tables);
}

/* settings: pairs of a knob and a value in its text form, NULL at the end. */
static void rig_open(Rig *r, const char *const *settings)
{
    Err err = { 0 };
    *r = (Rig){ .arena = arena_reserve(1 << 28) };
    r->knobs = all_knobs(&r->arena);
    for (int i = 0; settings[i]; i += 2)
        EXPECT_MSG(knobs_set(&r->knobs, settings[i], str_of(settings[i + 1]), "test", &err), "%s",
                   err.msg);
    EXPECT(dev_open(&r->dev, "cpu", 2, &err));
    Graph *g = graph_new(&r->arena), *u = graph_new(&r->arena);
    const Init init = { INIT_NORMAL, 0.5 };
    Tensor *w[WEIGHTS] = {
        t_param(g,
                (ParamSpec){ "tall", 2, { TALL, WIDE }, ROLE_MATRIX, WIDE, TALL / 2.0, 2, init }),
        t_param(g, (ParamSpec){ "side", 2, { SIDE, SIDE }, ROLE_MATRIX, SIDE, SIDE, 1, init }),
        t_param(g, (ParamSpec){ "line", 1, { SIDE }, ROLE_VECTOR, 1, SIDE, 1, init }),
    };
    optim_record(&r->optim, u, &r->knobs, w, WEIGHTS, &r->arena);
    r->update = plan_new(u, r->optim.root, r->optim.roots, &r->dev, (PlanOpt){ .level = LEVEL_REF },
                         &r->arena, &err);
    EXPECT_MSG(r->update != NULL, "%s", err.msg);
    r->store = store_new(&r->dev, LEVEL_REF, &r->arena);
    EXPECT_MSG(plan_bind(r->update, r->store, &err), "%s", err.msg);
    store_init(r->store, 11);
}

static void rig_close(Rig *r)
{
    store_free(r->store);
    dev_close(&r->dev);
    arena_release(&r->arena);
}

static double *at(const Rig *r, const char *name)
{
    const StoreItem *item = store_find(r->store, name);
    EXPECT_MSG(item != NULL, "there is no %s", name);
    return item ? item->at64 : NULL;
}

/* Gradients of step t: large enough that nothing is clipped away, small enough for the limit 0. */
static double grad_at(const char *name, int t, int i)
{
    return rand_normal_at((uint64_t)t, rand_name(name), (uint64_t)i);
}

static void step(Rig *r, int t, int steps)
{
    static const char *const names[WEIGHTS] = { "tall", "side", "line" };
    static const int count[WEIGHTS] = { TALL * WIDE, SIDE * SIDE, SIDE };
    char name[32];
    for (int k = 0; k < WEIGHTS; k++) {
        snprintf(name, sizeof(name), "%s.grad", names[k]);
        for (int i = 0; i < count[k]; i++) at(r, name)[i] = grad_at(names[k], t, i);
    }
    float scalar[SLOT_COUNT];
    optim_scalars(&r->optim, (OptimAt){ 1, t, steps }, scalar);
    plan_run(r->update, &(StepIn){ .step = t, .train = true, .scalar = scalar });
}

static void expect_equal(const double *got, const double *want, int n, const char *what, int t)
{
    double worst = 0;
    for (int i = 0; i < n; i++) worst = MAX(worst, fabs(got[i] - want[i]));
    EXPECT_MSG(worst < 1e-7, "%s, step %d: off by %g", what, t, worst);
}

typedef double Square[SIDE * SIDE];

/* ---- Lion */

TEST(lion_moves_every_weight_by_the_sign_of_its_momentum)
{
    Rig r;
    double w[TALL * WIDE], m[TALL * WIDE] = { 0 };
    const double b1 = (double)0.9f, b2 = (double)0.99f;
    rig_open(&r, (const char *const[]){ "optim.name", "lion", "optim.lr", "0.125", "optim.clip",
                                        "0", "optim.decay", "0.25", NULL });
    memcpy(w, at(&r, "tall"), sizeof(w));
    for (int t = 1; t <= 5; t++) {
        for (int i = 0; i < TALL * WIDE; i++) {
            double g = grad_at("tall", t, i), u = b1 * m[i] + (1 - b1) * g;
            w[i] -= 0.125 * ((u > 0 ? 1 : -1) + 0.25 * w[i]);
            m[i] = b2 * m[i] + (1 - b2) * g;
        }
        step(&r, t, 5);
        expect_equal(at(&r, "tall"), w, TALL * WIDE, "lion", t);
    }
    rig_close(&r);
}

/* ---- cautious decay */

TEST(cautious_decay_leaves_alone_what_an_update_makes_larger)
{
    Rig plain, careful;
    const char *const settings[] = { "optim.name",     "lion", "optim.lr",   "0.125",
                                     "optim.decay",    "0.5",  "optim.clip", "0",
                                     "optim.cautious", "true", NULL };
    rig_open(&careful, settings);
    rig_open(&plain, (const char *const[]){ "optim.name", "lion", "optim.lr", "0.125",
                                            "optim.decay", "0.5", "optim.clip", "0", NULL });
    double before[TALL * WIDE];
    int same = 0, spared = 0;
    memcpy(before, at(&plain, "tall"), sizeof(before));
    step(&plain, 1, 1);
    step(&careful, 1, 1);
    for (int i = 0; i < TALL * WIDE; i++) {
        double sign = grad_at("tall", 1, i) > 0 ? 1 : -1, w = before[i];
        double want = w - 0.125 * (sign + (sign * w >= 0 ? 0.5 * w : 0));
        EXPECT(fabs(at(&careful, "tall")[i] - want) < 1e-12);
        if (at(&careful, "tall")[i] == at(&plain, "tall")[i])
            same++;
        else
            spared++;
    }
    EXPECT(same > 20 && spared > 20);
    rig_close(&plain);
    rig_close(&careful);
}

TEST(adamw_and_muon_know_cautious_decay_too)
{
    const char *const rule[] = { "adamw", "muon" };
    for (int k = 0; k < 2; k++) {
        Rig with, without, none;
        const char *settings[] = {
            "optim.name", rule[k],    "optim.decay", "1", "optim.muon.decay", "1", "optim.cautious",
            "true",       "optim.lr", "0.125",       NULL
        };
        double before[TALL * WIDE];
        rig_open(&with, settings);
        settings[7] = "false";
        rig_open(&without, settings);
        settings[3] = settings[5] = "0";
        rig_open(&none, settings);
        memcpy(before, at(&with, "tall"), sizeof(before));
        step(&with, 1, 1), step(&without, 1, 1), step(&none, 1, 1);
        for (int i = 0; i < TALL * WIDE; i++) {
            double update = before[i] - at(&none, "tall")[i];
            const Rig *like = update * before[i] < 0 ? &none : &without;
            EXPECT_MSG(at(&with, "tall")[i] == at(like, "tall")[i], "%s: weight %d", rule[k], i);
        }
        rig_close(&with), rig_close(&without), rig_close(&none);
    }
}

/* ---- Muon's variants */

/* What muon took off `side` in step 1, in units of its rate; no decay. */
static void muon_update(const char *const *extra, Square u)
{
    Rig r;
    const char *settings[24] = { "optim.name",       "muon", "optim.muon.lr", "0.125",
                                 "optim.muon.decay", "0",    "optim.clip",    "0" };
    for (int i = 0; extra[i]; i++) settings[8 + i] = extra[i];
    rig_open(&r, settings);
    double before[SIDE * SIDE];
    memcpy(before, at(&r, "side"), sizeof(before));
    step(&r, 1, 1);
    for (int i = 0; i < SIDE * SIDE; i++) u[i] = (before[i] - at(&r, "side")[i]) / 0.125;
    rig_close(&r);
}

static double dot(const double *x, const double *y, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

TEST(a_dozen_exact_steps_make_an_orthogonal_matrix)
{
    Square u;
    muon_update(
        (const char *const[]){ "optim.muon.polynomial", "exact", "optim.muon.steps", "16", NULL },
        u);
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            EXPECT_MSG(fabs(dot(u + i * SIDE, u + j * SIDE, SIDE) - (i == j)) < 1e-4,
                       "rows %d and %d: %g", i, j, dot(u + i * SIDE, u + j * SIDE, SIDE));
}

TEST(renorm_gives_an_update_the_size_of_an_orthogonal_matrix)
{
    Square u;
    muon_update((const char *const[]){ "optim.muon.renorm", "true", NULL }, u);
    EXPECT(fabs(dot(u, u, SIDE * SIDE) - SIDE) < 1e-5);
    muon_update((const char *const[]){ NULL }, u);
    EXPECT(fabs(dot(u, u, SIDE * SIDE) - SIDE) > 1e-3);
}

/* The orthogonal factor is that of the gradient with its rows divided by their norms: found here
 * by plain iteration of x <- (3 x - x x^T x) / 2. */
TEST(equilibrate_orthogonalises_rows_of_one_size)
{
    Square u, x, y;
    muon_update((const char *const[]){ "optim.muon.equilibrate", "true", "optim.muon.polynomial",
                                       "exact", "optim.muon.steps", "16", NULL },
                u);
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) x[i * SIDE + j] = grad_at("side", 1, i * SIDE + j);
    for (int i = 0; i < SIDE; i++) {
        double size = sqrt(dot(x + i * SIDE, x + i * SIDE, SIDE) * SIDE); // and the whole to norm 1
        for (int j = 0; j < SIDE; j++) x[i * SIDE + j] /= size;
    }
    for (int times = 0; times < 60; times++) {
        for (int i = 0; i < SIDE; i++)
            for (int j = 0; j < SIDE; j++) {
                y[i * SIDE + j] = 1.5 * x[i * SIDE + j];
                for (int k = 0; k < SIDE; k++)
                    y[i * SIDE + j] -=
                        0.5 * dot(x + i * SIDE, x + k * SIDE, SIDE) * x[k * SIDE + j];
            }
        memcpy(x, y, sizeof(x));
    }
    for (int i = 0; i < SIDE * SIDE; i++) EXPECT(fabs(u[i] - x[i]) < 1e-4);
}

/* ---- NorMuon */

/* x (m, n) as row_variance makes it, by its formula. */
static void even_out(double *x, double *v, int m, int n, double b2)
{
    bool tall = m >= n;
    int lines = tall ? m : n, others = tall ? n : m;
    double was = 0, now = 0, factor[TALL];
    for (int k = 0; k < lines; k++) {
        double mean = 0;
        for (int l = 0; l < others; l++) {
            double e = tall ? x[k * n + l] : x[l * n + k];
            mean += e * e / others;
        }
        v[k] = b2 * v[k] + (1 - b2) * mean;
        factor[k] = 1 / sqrt(v[k]);
        was += mean, now += mean * factor[k] * factor[k];
    }
    for (int i = 0; i < m * n; i++) x[i] *= factor[tall ? i / n : i % n] * sqrt(was / now);
}

TEST(normuon_divides_each_neuron_by_its_running_size_and_keeps_the_whole)
{
    Rig plain, even;
    const char *const base[] = {
        "optim.name", "muon", "optim.muon.lr", "0.125", "optim.muon.decay", "0", "optim.clip",
        "0",          NULL
    };
    const char *const more[] = { "optim.name",
                                 "muon",
                                 "optim.muon.lr",
                                 "0.125",
                                 "optim.muon.decay",
                                 "0",
                                 "optim.clip",
                                 "0",
                                 "optim.muon.variance",
                                 "0.75",
                                 NULL };
    double v[2][TALL / 2] = { { 0 } };
    rig_open(&plain, base);
    rig_open(&even, more);
    for (int t = 1; t <= 4; t++) {
        double u[TALL * WIDE], before[TALL * WIDE], want[TALL * WIDE];
        memcpy(u, at(&plain, "tall"), sizeof(u));
        memcpy(before, at(&even, "tall"), sizeof(before));
        step(&plain, t, 4);
        step(&even, t, 4);
        for (int i = 0; i < TALL * WIDE; i++) u[i] -= at(&plain, "tall")[i];
        for (int p = 0; p < 2; p++) even_out(u + p * (TALL / 2) * WIDE, v[p], TALL / 2, WIDE, 0.75);
        /* v is of updates before the scale by shape and rate, which only scales it: the factors
         * do not depend on that. */
        for (int i = 0; i < TALL * WIDE; i++) want[i] = before[i] - u[i];
        expect_equal(at(&even, "tall"), want, TALL * WIDE, "normuon", t);
    }
    rig_close(&plain);
    rig_close(&even);
}

/* ---- SOAP */

typedef struct Hand {
    Square w, m, v, l, r, p, q; /* rows of p, q: vectors */
} Hand;

/* out = a b, either of them transposed. */
static void product(Square out, const Square a, bool ta, const Square b, bool tb)
{
    Square c;
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            double sum = 0;
            for (int k = 0; k < SIDE; k++)
                sum += a[ta ? k * SIDE + i : i * SIDE + k] * b[tb ? j * SIDE + k : k * SIDE + j];
            c[i * SIDE + j] = sum;
        }
    memcpy(out, c, sizeof(c));
}

/* Rows of q s made orthonormal by Gram and Schmidt. */
static void turn(Square q, const Square s, int times)
{
    while (times-- > 0) {
        product(q, q, false, s, false);
        for (double *row = q; row < q + SIDE * SIDE; row += SIDE) {
            for (int pass = 0; pass < 2; pass++)
                for (double *other = q; other < row; other += SIDE) {
                    double along = dot(row, other, SIDE);
                    for (int j = 0; j < SIDE; j++) row[j] -= along * other[j];
                }
            double size = sqrt(dot(row, row, SIDE));
            for (int j = 0; j < SIDE; j++) row[j] /= size;
        }
    }
}

static void hand_step(Hand *h, int t, int every, double rate)
{
    const double b1 = (double)0.9f, b2 = (double)0.99f, eps = (double)1e-8f;
    const double share = (double)(float)(1 - 0.95);
    Square g, gg, u, mm;
    for (int i = 0; i < SIDE * SIDE; i++) g[i] = grad_at("side", t, i);
    product(gg, g, false, g, true);
    for (int i = 0; i < SIDE * SIDE; i++) h->l[i] = (1 - share) * h->l[i] + share * gg[i];
    product(gg, g, true, g, false);
    for (int i = 0; i < SIDE * SIDE; i++) h->r[i] = (1 - share) * h->r[i] + share * gg[i];
    if (t == 1)
        for (int i = 0; i < SIDE * SIDE; i += SIDE + 1) h->p[i] = h->q[i] = 1;
    if ((t - 1) % every == 0) {
        turn(h->p, h->l, t == 1 ? 4 : 1);
        turn(h->q, h->r, t == 1 ? 4 : 1);
    }
    for (int i = 0; i < SIDE * SIDE; i++) h->m[i] = b1 * h->m[i] + (1 - b1) * g[i];
    product(u, h->p, false, g, false), product(u, u, false, h->q, true);
    product(mm, h->p, false, h->m, false), product(mm, mm, false, h->q, true);
    for (int i = 0; i < SIDE * SIDE; i++) {
        h->v[i] = b2 * h->v[i] + (1 - b2) * u[i] * u[i];
        u[i] = mm[i] / (1 - pow(b1, t)) / (sqrt(h->v[i] / (1 - pow(b2, t))) + eps);
    }
    product(u, h->p, true, u, false), product(u, u, false, h->q, false);
    for (int i = 0; i < SIDE * SIDE; i++) h->w[i] -= rate * (u[i] + 0.25 * h->w[i]);
}

TEST(soap_is_adam_in_a_basis_that_follows_the_gradients)
{
    Rig r;
    Hand h = { 0 };
    rig_open(&r, (const char *const[]){ "optim.name", "soap", "optim.soap.lr", "0.125",
                                        "optim.soap.every", "3", "optim.clip", "0", "optim.decay",
                                        "0.25", NULL });
    memcpy(h.w, at(&r, "side"), sizeof(h.w));
    for (int t = 1; t <= 8; t++) {
        hand_step(&h, t, 3, 0.125);
        step(&r, t, 8);
        double worst = 0;
        for (int i = 0; i < SIDE * SIDE; i++) worst = MAX(worst, fabs(at(&r, "side")[i] - h.w[i]));
        EXPECT_MSG(worst < 1e-5, "step %d: off by %g", t, worst);
    }
    rig_close(&r);
}

TEST(soap_with_no_side_to_rotate_is_adamw)
{
    Rig soap, adamw;
    rig_open(&soap, (const char *const[]){ "optim.name", "soap", "optim.soap.lr", "0.125",
                                           "optim.soap.max_side", "1", NULL });
    rig_open(&adamw, (const char *const[]){ "optim.name", "adamw", "optim.lr", "0.125", NULL });
    for (int t = 1; t <= 4; t++) {
        step(&soap, t, 4);
        step(&adamw, t, 4);
        expect_equal(at(&soap, "tall"), at(&adamw, "tall"), TALL * WIDE, "soap", t);
    }
    rig_close(&soap);
    rig_close(&adamw);
}

/* ---- averages and momentum */

TEST(averages_are_what_their_names_say)
{
    enum { STEPS = 10 };
    const char *const kind[] = { "ema", "tail" };
    for (int k = 0; k < 2; k++) {
        Rig r;
        double mean[SIDE] = { 0 };
        rig_open(&r, (const char *const[]){ "optim.average", kind[k], "optim.average_decay", "0.75",
                                            "optim.average_tail", "0.3", NULL });
        for (int t = 1; t <= STEPS; t++) {
            step(&r, t, STEPS);
            /* ema: the mean of all until 1/t is below a quarter; tail: the last three. */
            double share = k == 0 ? MAX(0.25, 1.0 / t) : 1.0 / MAX(1, t - 7);
            for (int i = 0; i < SIDE; i++)
                mean[i] += (double)(float)share * (at(&r, "line")[i] - mean[i]);
            expect_equal(at(&r, "line.average"), mean, SIDE, kind[k], t);
        }
        EXPECT(fabs(at(&r, "line.average")[0] - at(&r, "line")[0]) > 1e-9);
        rig_close(&r);
    }
}

TEST(without_averages_no_state_is_kept_for_them)
{
    Rig r;
    rig_open(&r, (const char *const[]){ NULL });
    EXPECT(store_find(r.store, "line.average") == NULL);
    rig_close(&r);
}

TEST(momentum_is_warmed_up_from_085)
{
    Rig r;
    float scalar[SLOT_COUNT];
    rig_open(&r, (const char *const[]){ "optim.name", "muon", "optim.muon.momentum_warmup", "10",
                                        NULL });
    const struct {
        int step;
        double mu;
    } want[] = { { 0, 0.85 }, { 5, 0.90 }, { 10, 0.95 }, { 400, 0.95 } };
    for (int i = 0; i < COUNT(want); i++) {
        optim_scalars(&r.optim, (OptimAt){ 1, want[i].step, 500 }, scalar);
        EXPECT(fabs((double)scalar[SLOT_MOMENTUM] - want[i].mu) < 1e-6);
    }
    rig_close(&r);
}
