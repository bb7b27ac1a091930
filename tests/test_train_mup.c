/* muP: what a few steps do to a model's activations does not depend on its width, and without muP
 * it does (the coordinate check of Yang et al. 2022, arXiv:2203.03466, appendix D.1): the slope of
 * log mean |x| on log width, over widths 64 to 1024, of every activation that is tapped.  Heads
 * have one size and grow in number. */
#include "base/rand.h"
#include "base/str.h"
#include "tests/test.h"
#include "train/recipe.h"
#include "train/stepper.h"

/* A sanitizer makes of seconds minutes: there the widest is left out. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { WIDTHS = 4 };
#else
enum { WIDTHS = 5 };
#endif

enum { V = 64, T = 16, FIRST = 64, STEPS = 3, TAPS = 5 };
static const char *const tap[TAPS] = { "block.0.middle", "block.0.resid", "block.1.middle",
                                       "block.1.resid", "logits" };

typedef struct Check {
    const char *rule;
    double rate;
    bool mup;
} Check;

static void set(Recipe *r, const char *assignment)
{
    Err err = { 0 };
    EXPECT_MSG(recipe_override(r, assignment, "test", &err), "%s", err.msg);
}

static void set_number(Recipe *r, const char *knob, double x)
{
    Err err = { 0 };
    EXPECT_MSG(knobs_set_number(&r->knobs, knob, x, &err), "%s", err.msg);
}

/* The head begins at zero, as is usual with muP: its random beginning would shrink with width. */
static void recipe_of(Recipe *r, Check c, int width, Arena *a)
{
    char name[64];
    recipe_default(r, a);
    set(r, "model.depth=2");
    set(r, "model.mlp_ratio=1");
    set(r, "model.tied=false");
    set(r, "model.head_std=0.00001");
    set(r, "model.init_std=0.1");
    set(r, "optim.clip=0");
    set(r, "train.batch=4");
    set_number(r, "model.context", T);
    set_number(r, "model.width", width);
    set_number(r, "model.heads", width / FIRST);
    set(r, c.mup ? "model.scaling=mup" : "model.scaling=standard");
    snprintf(name, sizeof(name), "optim.name=%s", c.rule);
    set(r, name);
    set_number(r, "optim.lr", c.rate);
}

static void fill(const Stepper *s)
{
    Rand r = rand_stream(1, "mup");
    for (int i = 0; i < s->batch * s->context; i++) {
        ((int32_t *)plan_at(s->micro, s->tokens))[i] = (int32_t)rand_below(&r, V);
        ((int32_t *)plan_at(s->micro, s->targets))[i] = (int32_t)rand_below(&r, V / 4);
        ((int32_t *)plan_at(s->micro, s->pos))[i] = i % s->context;
    }
}

typedef struct Probe {
    Plan *plan;
    Tensor *tokens, *pos, *rows, *seen[TAPS];
} Probe;

static void probe_open(Probe *p, const Stepper *s, Dev *d, PlanOpt o, Arena *a)
{
    Err err = { 0 };
    ptrdiff_t bt[] = { 1, T };
    Graph *g = graph_new(a);
    p->tokens = t_input(g, "tokens", I32, 2, bt), p->pos = t_input(g, "pos", I32, 2, bt);
    p->rows = t_input(g, "rows", I32, 1, bt + 1);
    Tensor *x = model_hidden(g, &s->model, (ModelIn){ .tokens = p->tokens, .pos = p->pos });
    p->seen[TAPS - 1] = model_logits(g, &s->model, x, p->rows);
    for (int i = 0; i + 1 < TAPS; i++) p->seen[i] = graph_find(g, tap[i]);
    p->plan = plan_new(g, p->seen, TAPS, d, o, a, &err);
    EXPECT_MSG(p->plan && plan_bind(p->plan, s->store, &err), "%s", err.msg);
}

static double mean_size(const Plan *p, const Tensor *t)
{
    const float *x = plan_at(p, t);
    double sum = 0;
    for (ptrdiff_t i = 0; i < tensor_count(t); i++) sum += fabs((double)x[i]);
    return sum / (double)tensor_count(t);
}

static void sizes_after_steps(Check c, int width, uint64_t seed, double out[TAPS])
{
    Arena a = arena_reserve((ptrdiff_t)1 << 31);
    Err err = { 0 };
    Dev d = { 0 };
    Recipe r;
    Stepper s;
    Probe p;
    recipe_of(&r, c, width, &a);
    EXPECT(dev_open(&d, "cpu", 2, &err));
    StepperOpt o = { .knobs = &r.knobs, .vocab = V, .plan = { .level = cpu_level() } };
    EXPECT_MSG(stepper_plan(&s, o, &d, &a, &err) && stepper_bind(&s, &d, seed, &a, &err), "%s",
               err.msg);
    probe_open(&p, &s, &d, o.plan, &a);
    for (int step = 1; step <= STEPS; step++) {
        StepOut done;
        fill(&s);
        EXPECT(
            stepper_run(&s, NULL, (StepDo){ .at = { 1, step, STEPS }, .seed = seed }, &done, &err));
        EXPECT(done.finite);
    }
    for (int i = 0; i < T; i++) {
        ((int32_t *)plan_at(p.plan, p.tokens))[i] = i * 3 % V;
        ((int32_t *)plan_at(p.plan, p.pos))[i] = ((int32_t *)plan_at(p.plan, p.rows))[i] = i;
    }
    plan_run(p.plan, &(StepIn){ .step = 1 });
    for (int i = 0; i < TAPS; i++) out[i] = mean_size(p.plan, p.seen[i]);
    stepper_free(&s);
    dev_close(&d);
    arena_release(&a);
}

/* Slopes of log mean |x| on log width, least squares. */
static void slopes(Check c, double slope[TAPS])
{
    double sx = 0, sxx = 0, sy[TAPS] = { 0 }, sxy[TAPS] = { 0 };
    for (int w = 0; w < WIDTHS; w++) {
        double x = log((double)(FIRST << w)), size[TAPS], mean[TAPS] = { 0 };
        int seeds = MAX(1, 12 >> w); /* wide models differ less */
        for (int seed = 1; seed <= seeds; seed++) {
            sizes_after_steps(c, FIRST << w, (uint64_t)seed, size);
            for (int i = 0; i < TAPS; i++) mean[i] += log(size[i]) / seeds;
        }
        for (int i = 0; i < TAPS; i++) sy[i] += mean[i], sxy[i] += x * mean[i];
        sx += x, sxx += x * x;
        printf("# %s, %s, width %4d:", c.rule, c.mup ? "mup" : "standard", FIRST << w);
        for (int i = 0; i < TAPS; i++) printf(" %s %.4f", tap[i], exp(mean[i]));
        printf("\n");
    }
    for (int i = 0; i < TAPS; i++)
        slope[i] = (WIDTHS * sxy[i] - sx * sy[i]) / (WIDTHS * sxx - sx * sx);
}

static double steepest(const double slope[TAPS])
{
    double most = 0;
    for (int i = 0; i < TAPS; i++) most = MAX(most, fabs(slope[i]));
    return most;
}

static void expect_flat(Check c)
{
    double slope[TAPS];
    slopes(c, slope);
    for (int i = 0; i < TAPS; i++)
        EXPECT_MSG(fabs(slope[i]) <= 0.05, "%s: %s has slope %.3f", c.rule, tap[i], slope[i]);
}

TEST(under_mup_activations_keep_their_size_from_width_64_to_1024)
{
    expect_flat((Check){ "adamw", 0.004, true });
}

TEST(without_mup_they_grow)
{
    double slope[TAPS];
    slopes((Check){ "adamw", 0.004, false }, slope);
    EXPECT_MSG(steepest(slope) > 0.3, "the steepest slope is %g", steepest(slope));
}

TEST(an_orthogonalised_update_keeps_its_rate_under_mup)
{
    expect_flat((Check){ "muon", 0.01, true });
}
