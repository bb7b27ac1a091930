/* The model's fallbacks are GPT-2: logits, loss and the gradient of every weight against a plain
 * implementation in double that shares no code with it (gpt2_plain.h). */
#include "base/rand.h"
#include "base/str.h"
#include "model/model.h"
#include "tensor/plan.h"
#include "tests/gpt2_plain.h"
#include "tests/test.h"

typedef struct Net {
    Arena arena;
    Dev dev;
    Store *store;
    Model model;
    Plan *plan, *read;
    Tensor *tokens, *targets, *pos, *weight, *loss; /* of plan */
    Tensor *r_tokens, *r_pos, *r_rows, *logits;     /* of read */
    CpuLevel level;
} Net;

static void model_for(Net *n, Gpt2Size s)
{
    Err err = { 0 };
    const Knob *tables[] = { model_knobs, NULL };
    KnobSet k = knobs_new(&n->arena, tables);
    EXPECT(knobs_set_number(&k, "model.depth", s.layers, &err) &&
           knobs_set_number(&k, "model.width", s.width, &err) &&
           knobs_set_number(&k, "model.heads", s.heads, &err) &&
           knobs_set_number(&k, "model.context", s.context, &err));
    EXPECT_MSG(model_of(&k, s.vocab, &n->model, &err), "%s", err.msg);
}

static Plan *planned(Net *n, Graph *g, Tensor *root)
{
    Err err = { 0 };
    Plan *p = plan_new(g, &root, 1, &n->dev, (PlanOpt){ .level = n->level }, &n->arena, &err);
    EXPECT_MSG(p && plan_bind(p, n->store, &err), "%s", err.msg);
    return p;
}

static void net_open(Net *n, Gpt2Size s, CpuLevel level)
{
    Err err = { 0 };
    *n = (Net){ .arena = arena_reserve(1 << 28), .level = level };
    model_for(n, s);
    EXPECT(dev_open(&n->dev, "cpu", 2, &err));
    n->store = store_new(&n->dev, level, &n->arena);
    ptrdiff_t bt[] = { s.batch, s.length }, rows = s.batch * s.length, one = 1;
    Graph *g = graph_new(&n->arena), *r = graph_new(&n->arena);
    n->tokens = t_input(g, "tokens", I32, 2, bt), n->targets = t_input(g, "targets", I32, 2, bt);
    n->pos = t_input(g, "pos", I32, 2, bt), n->weight = t_input(g, "weight", F32, 1, &one);
    Tensor *x = model_hidden(g, &n->model, (ModelIn){ .tokens = n->tokens, .pos = n->pos });
    n->loss = model_loss(g, &n->model, x, n->targets, n->weight).loss;
    graph_grad(g, n->loss);
    n->r_tokens = t_input(r, "tokens", I32, 2, bt), n->r_pos = t_input(r, "pos", I32, 2, bt);
    n->r_rows = t_input(r, "rows", I32, 1, &rows);
    x = model_hidden(r, &n->model, (ModelIn){ .tokens = n->r_tokens, .pos = n->r_pos });
    n->logits = model_logits(r, &n->model, x, n->r_rows);
    n->plan = planned(n, g, n->loss);
    n->read = planned(n, r, n->logits);
    store_init(n->store, 1);
}

static void net_close(Net *n)
{
    store_free(n->store);
    dev_close(&n->dev);
    arena_release(&n->arena);
}

static double number(const void *at, CpuLevel level, ptrdiff_t i)
{
    return level == LEVEL_REF ? ((const double *)at)[i] : (double)((const float *)at)[i];
}

/* The same weights on both sides: numbers that floats hold exactly, well away from where
 * everything is nearly linear. */
static void same_weights(Net *n, Gpt2 *plain)
{
    for (int k = 0; k < plain->weights; k++) {
        Gpt2Weight *w = &plain->weight[k];
        const StoreItem *item = store_find(n->store, w->name);
        EXPECT_MSG(item && item->count == w->count, "%s has another size", w->name);
        bool gain = strstr(w->name, "gain") != NULL;
        for (int i = 0; i < w->count; i++) {
            double x = 0.25 * rand_normal_at(5, rand_name(w->name), (uint64_t)i) + (gain ? 1 : 0);
            w->w[i] = (double)(float)x;
            if (item->at64)
                item->at64[i] = w->w[i];
            else
                item->at[i] = (float)w->w[i];
        }
    }
    int params = 0;
    for (int i = 0; i < store_count(n->store); i++)
        params += store_item(n->store, i)->life == LIFE_PARAM;
    EXPECT_MSG(params == plain->weights, "%d weights, GPT-2 has %d", params, plain->weights);
}

static void fill(Net *n, const Gpt2 *plain)
{
    int rows = gpt2_rows(plain);
    for (int i = 0; i < rows; i++) {
        ((int32_t *)plan_at(n->plan, n->tokens))[i] = plain->tokens[i];
        ((int32_t *)plan_at(n->read, n->r_tokens))[i] = plain->tokens[i];
        ((int32_t *)plan_at(n->plan, n->targets))[i] = plain->targets[i];
        ((int32_t *)plan_at(n->plan, n->pos))[i] = i % plain->s.length;
        ((int32_t *)plan_at(n->read, n->r_pos))[i] = i % plain->s.length;
        ((int32_t *)plan_at(n->read, n->r_rows))[i] = i;
    }
    if (n->level == LEVEL_REF)
        *(double *)plan_at(n->plan, n->weight) = 1.0 / rows;
    else
        *(float *)plan_at(n->plan, n->weight) = 1.0f / (float)rows;
}

static void expect_near(const void *got, CpuLevel level, const double *want, int n, double room,
                        const char *what)
{
    double worst = 0, largest = 0;
    for (int i = 0; i < n; i++) {
        double d = fabs(number(got, level, i) - want[i]);
        worst = d <= worst ? worst : d; /* so written, NaN is worst */
        largest = MAX(largest, fabs(want[i]));
    }
    EXPECT_MSG(worst <= room * MAX(largest, 1e-3), "%s at %s: off by %.3g of %.3g", what,
               cpu_level_name(level), worst, largest);
}

static void compare(Gpt2Size s, CpuLevel level, double room)
{
    Net n;
    Gpt2 plain;
    int tokens[64], targets[64];
    net_open(&n, s, level);
    gpt2_open(&plain, s);
    for (int i = 0; i < s.batch * s.length; i++) {
        tokens[i] = (i * i + 3 * i) % s.vocab;
        targets[i] = i == 4 ? -1 : (7 * i + 2) % s.vocab;
    }
    plain.tokens = tokens, plain.targets = targets;
    same_weights(&n, &plain);
    fill(&n, &plain);
    gpt2_run(&plain);
    plan_run(n.read, &(StepIn){ .step = 1 });
    expect_near(plan_at(n.read, n.logits), level, plain.logits, gpt2_rows(&plain) * s.vocab, room,
                "logits");
    plan_run(n.plan, &(StepIn){ .step = 1, .train = true });
    expect_near(plan_at(n.plan, n.loss), level, &plain.loss, 1, room, "the loss");
    for (int k = 0; k < plain.weights; k++) {
        char grad[80];
        snprintf(grad, sizeof(grad), "%s.grad", plain.weight[k].name);
        const StoreItem *d = store_find(n.store, grad);
        EXPECT_MSG(d != NULL, "there is no %s", grad);
        if (d)
            expect_near(d->at ? (const void *)d->at : (const void *)d->at64, level,
                        plain.weight[k].d, plain.weight[k].count, room, grad);
    }
    gpt2_close(&plain);
    net_close(&n);
}

/* layers, width, heads, vocabulary, context, batch, length: odd ones, and one position alone. */
static const Gpt2Size sizes[] = { { 2, 24, 3, 31, 9, 3, 7 },
                                  { 1, 8, 1, 5, 4, 2, 1 },
                                  { 3, 40, 5, 97, 21, 1, 21 } };

/* An op's options are floats: 1 / sqrt(D) and the norms' 1e-5 arrive rounded by up to 6e-8. */
TEST(the_definition_is_gpt2_within_the_rounding_of_its_options)
{
    for (int i = 0; i < (int)COUNT(sizes); i++) compare(sizes[i], LEVEL_REF, 1e-7);
}

TEST(every_level_is_gpt2_within_the_rounding_of_floats)
{
    for (int i = 0; i < (int)COUNT(sizes); i++)
        for (CpuLevel level = LEVEL_PLAIN; level <= cpu_level(); level++)
            compare(sizes[i], level, 1e-5);
}

/* The judge judged: its derivatives against differences of its own loss. */
TEST(the_plain_gpt2_has_the_slopes_of_its_own_loss)
{
    Gpt2 a, b;
    Gpt2Size s = sizes[0];
    int tokens[21], targets[21];
    for (int i = 0; i < 21; i++) tokens[i] = i, targets[i] = (i + 1) % s.vocab;
    gpt2_open(&a, s), gpt2_open(&b, s);
    a.tokens = b.tokens = tokens, a.targets = b.targets = targets;
    for (int k = 0; k < a.weights; k++)
        for (int i = 0; i < a.weight[k].count; i++)
            a.weight[k].w[i] = b.weight[k].w[i] =
                0.25 * rand_normal_at(5, (uint64_t)k, (uint64_t)i);
    gpt2_run(&a);
    for (int k = 0; k < a.weights; k++) {
        const double h = 1e-6;
        double side[2], was = b.weight[k].w[1];
        for (int j = 0; j < 2; j++) {
            Gpt2 c = b;
            c.weight[k].w[1] = was + (j ? -h : h);
            c.loss = 0;
            gpt2_run(&c);
            side[j] = c.loss;
            gpt2_free_values(&c);
        }
        b.weight[k].w[1] = was;
        double slope = (side[0] - side[1]) / (2 * h);
        EXPECT_MSG(fabs(slope - a.weight[k].d[1]) < 1e-7, "%s: %g, slope %g", a.weight[k].name,
                   a.weight[k].d[1], slope);
    }
    gpt2_close(&a), gpt2_close(&b);
}
