/* muP: what a few steps of Adam do to a model's outputs does not depend on its width, and without
 * muP it does (the coordinate check of Yang et al. 2022, appendix D). */
#include "base/rand.h"
#include "base/str.h"
#include "tests/test.h"
#include "train/recipe.h"
#include "train/stepper.h"

enum { V = 64, WIDTHS = 4, FIRST = 32, SEEDS = 4 };

static void set(Recipe *r, const char *knob, double x)
{
    Err err = { 0 };
    EXPECT_MSG(knobs_set_number(&r->knobs, knob, x, &err), "%s", err.msg);
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

/* Root mean square of the logits of one row of tokens. */
static double logit_size(Plan *p, Tensor *logits)
{
    plan_run(p, &(StepIn){ .step = 1 });
    const float *x = plan_at(p, logits);
    double squares = 0;
    for (ptrdiff_t i = 0; i < tensor_count(logits); i++) squares += (double)x[i] * (double)x[i];
    return sqrt(squares / (double)tensor_count(logits));
}

static double size_after_steps(int width, bool mup, uint64_t seed)
{
    Arena a = arena_reserve((ptrdiff_t)1 << 30);
    Err err = { 0 };
    Dev d = { 0 };
    Recipe r;
    Stepper s;
    recipe_default(&r, &a);
    set(&r, "model.width", width);
    set(&r, "model.depth", 2);
    set(&r, "model.heads", width / 16);
    set(&r, "model.context", 16);
    set(&r, "train.batch", 4);
    set(&r, "optim.lr", 0.01);
    set(&r, "optim.decay", 0);
    set(&r, "model.mup_base", mup ? FIRST : 0);
    EXPECT(dev_open(&d, "cpu", 2, &err));
    StepperOpt o = { .knobs = &r.knobs, .vocab = V, .plan = { .level = cpu_level() } };
    EXPECT_MSG(stepper_plan(&s, o, &d, &a, &err) && stepper_bind(&s, &d, seed, &a, &err), "%s",
               err.msg);

    Graph *g = graph_new(&a);
    ptrdiff_t bt[] = { 1, 16 };
    Tensor *tokens = t_input(g, "tokens", I32, 2, bt), *pos = t_input(g, "pos", I32, 2, bt);
    Tensor *rows = t_input(g, "rows", I32, 1, bt + 1);
    Tensor *x = model_hidden(g, &s.model, (ModelIn){ .tokens = tokens, .pos = pos });
    Tensor *logits = model_logits(g, &s.model, x, rows);
    Plan *p = plan_new(g, &logits, 1, &d, o.plan, &a, &err);
    EXPECT_MSG(p && plan_bind(p, s.store, &err), "%s", err.msg);
    for (int step = 1; step <= 4; step++) {
        StepOut out;
        fill(&s);
        EXPECT(stepper_run(&s, NULL, (StepDo){ { 1, step, 4 }, seed }, &out, &err) && out.finite);
    }
    for (int i = 0; i < 16; i++) {
        ((int32_t *)plan_at(p, tokens))[i] = i * 3 % V;
        ((int32_t *)plan_at(p, pos))[i] = i;
        ((int32_t *)plan_at(p, rows))[i] = i;
    }
    double size = logit_size(p, logits);
    stepper_free(&s);
    dev_close(&d);
    arena_release(&a);
    return size;
}

/* Slope of log size on log width, least squares. */
static double slope(bool mup)
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int i = 0; i < WIDTHS; i++) {
        double x = log((double)(FIRST << i)), y = 0;
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            y += log(size_after_steps(FIRST << i, mup, seed)) / SEEDS;
        printf("# width %d, %s: size %g\n", FIRST << i, mup ? "muP" : "plain", exp(y));
        sx += x, sy += y, sxx += x * x, sxy += x * y;
    }
    return (WIDTHS * sxy - sx * sy) / (WIDTHS * sxx - sx * sx);
}

TEST(under_mup_outputs_keep_their_size_when_the_width_grows)
{
    double with = slope(true), without = slope(false);
    EXPECT_MSG(fabs(with) < 0.15, "slope %g with muP", with);
    EXPECT_MSG(without > 0.4, "slope %g without", without);
}
