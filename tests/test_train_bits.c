/* The weights after 200 steps are one number, whatever ran them (E1): a whole model, recorded from
 * its knobs, with more rows than tiles pack for themselves and widths that no vector divides.
 * ./check compares the number with that of clang's build. */
#include "base/hash.h"
#include "base/rand.h"
#include "tests/test.h"
#include "train/recipe.h"
#include "train/stepper.h"

/* A build with sanitizers looks for races and stray reads, which a few steps show as well. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { STEPS = 12, VOCAB = 65 };
#else
enum { STEPS = 200, VOCAB = 65 };
#endif

typedef struct Where {
    int threads;
    PlanOpt plan;
    bool tapped; /* every value that the model lets one see is a root of the plan */
} Where;

static Where usual(void)
{
    return (Where){ .threads = 1, .plan = { .level = cpu_level() } };
}

/* 13 x 47 = 611 rows; heads of 10 channels, one of keys and values for two of queries. */
static void set_knobs(Recipe *r, Arena *home)
{
    static const char *const knobs[] = {
        "model.depth=1",       "model.width=20",  "model.heads=2",    "model.kv_heads=1",
        "model.context=47",    "train.batch=13",  "model.mlp=swiglu", "model.position=rope",
        "model.softcap=15",    "optim.lr=0.01",   "optim.clip=0.5",   "model.qk_norm=true",
        "model.doc_mask=true", "optim.decay=0.2", "train.steps=200",
    };
    Err err = { 0 };
    recipe_default(r, home);
    for (int i = 0; i < COUNT(knobs); i++)
        if (!recipe_override(r, knobs[i], "the test", &err)) break;
    EXPECT_MSG(!err.code && recipe_check(r, &err), "%s", err.msg);
}

static void fill(const Stepper *s, Rand *r)
{
    int32_t *tokens = plan_at(s->micro, s->tokens), *targets = plan_at(s->micro, s->targets);
    int32_t *pos = plan_at(s->micro, s->pos), *doc = s->doc ? plan_at(s->micro, s->doc) : NULL;
    for (int i = 0; i < s->batch * s->context; i++) {
        tokens[i] = (int32_t)rand_below(r, VOCAB);
        targets[i] = (tokens[i] * 7 + 3) % VOCAB; /* something to learn */
        pos[i] = i % s->context;
        if (doc) doc[i] = pos[i] / 20;
    }
}

static uint64_t hash_of(const Store *s)
{
    uint64_t hash = 0;
    for (int i = 0; i < store_count(s); i++) {
        const StoreItem *w = store_item(s, i);
        hash = hash64(w->at, w->count * (ptrdiff_t)sizeof(float), hash);
    }
    return hash;
}

/* Records the model's step once more, with the taps as roots, and lets it take the place of the
 * stepper's own plan: weights and gradients are found by name. */
static bool plan_with_taps(Stepper *s, Dev *d, Arena *home, Err *err)
{
    Graph *g = graph_new(home);
    ptrdiff_t shape[2] = { s->batch, s->context };
    s->tokens = t_input(g, "tokens", I32, 2, shape);
    s->targets = t_input(g, "targets", I32, 2, shape);
    s->pos = t_input(g, "pos", I32, 2, shape);
    s->doc = t_input(g, "doc", I32, 2, shape);
    s->weight = t_input(g, "weight", F32, 1, (ptrdiff_t[]){ 1 });
    ModelIn in = { .tokens = s->tokens, .pos = s->pos, .doc = s->doc };
    s->loss = model_loss(g, &s->model, model_hidden(g, &s->model, in), s->targets, s->weight).loss;
    Tensor *root[16] = { s->loss };
    int roots = 1;
    for (int i = 0; i < g->tensors && roots < COUNT(root); i++)
        if (g->tensor[i]->tapped) root[roots++] = g->tensor[i];
    EXPECT(roots == 1 + 2 * s->model.depth);
    graph_grad(g, s->loss);
    s->micro = plan_new(g, root, roots, d, s->opt, home, err);
    return s->micro != NULL;
}

/* Weights, gradients and moments after all steps, as one number. */
static uint64_t train_at(Where w)
{
    Arena home = arena_reserve(1 << 28);
    Dev d;
    Recipe recipe;
    Stepper s = { 0 };
    Err err = { 0 };
    StepOut out = { 0 };
    Rand r = rand_stream(1, "bits");
    set_knobs(&recipe, &home);
    EXPECT_MSG(dev_open(&d, "cpu", w.threads, &err), "%s", err.msg);
    StepperOpt o = { .knobs = &recipe.knobs, .vocab = VOCAB, .plan = w.plan };
    bool ok = stepper_plan(&s, o, &d, &home, &err);
    ok = ok && (!w.tapped || plan_with_taps(&s, &d, &home, &err));
    ok = ok && stepper_bind(&s, &d, 7, &home, &err);
    double first = 0;
    for (int i = 1; ok && i <= STEPS; i++) {
        fill(&s, &r);
        ok = stepper_run(&s, NULL, (StepDo){ .at = { 1, i, STEPS }, .seed = 7 }, &out, &err);
        if (i == 1) first = out.loss;
    }
    EXPECT_MSG(ok, "%s", err.msg);
    EXPECT_MSG(out.finite && out.loss < (STEPS < 100 ? first - 1 : first / 2),
               "loss %g at the first step, %g at the last", first, out.loss);
    uint64_t hash = ok ? hash_of(s.store) : 0;
    stepper_free(&s);
    dev_close(&d);
    arena_release(&home);
    return hash;
}

static uint64_t usual_hash(void)
{
    static uint64_t hash;
    static bool known;
    if (!known) hash = train_at(usual());
    known = true;
    return hash;
}

static void expect_usual(const char *what, Where w)
{
    uint64_t hash = train_at(w);
    EXPECT_MSG(hash == usual_hash(), "%s: %016llx, not %016llx", what, (unsigned long long)hash,
               (unsigned long long)usual_hash());
}

TEST(E1_200_steps_end_in_the_same_bits_on_1_2_and_3_threads)
{
    for (int threads = 2; threads <= 3; threads++) {
        Where w = usual();
        w.threads = threads;
        expect_usual("other threads", w);
    }
}

TEST(E1_200_steps_end_in_the_same_bits_at_every_level)
{
    for (int level = LEVEL_PLAIN; level < (int)cpu_level(); level++) {
        Where w = usual();
        w.plan.level = (CpuLevel)level;
        expect_usual(cpu_level_name(w.plan.level), w);
    }
}

TEST(E1_200_steps_end_in_the_same_bits_with_recomputation_and_without)
{
    Where w = usual();
    w.plan.recompute = RECOMPUTE_CHEAP;
    expect_usual("recompute cheap", w);
    w.plan.recompute = RECOMPUTE_NONE;
    expect_usual("recompute none", w);
}

TEST(E1_200_steps_end_in_the_same_bits_with_fusion_and_without)
{
    for (int rules = 1; rules <= (FUSE_SHARE | FUSE_CHAIN); rules++) {
        Where w = usual();
        w.plan.off = (unsigned)rules;
        expect_usual("rules of fusion off", w);
    }
}

TEST(E1_200_steps_end_in_the_same_bits_with_taps_and_without)
{
    Where w = usual();
    w.tapped = true;
    expect_usual("tapped", w);
}

/* For comparing builds by different compilers: the number must be the same. */
TEST(E1_the_bits_are_printed_for_other_builds_to_compare)
{
    printf("# hash of 200 steps: %016llx\n", (unsigned long long)usual_hash());
}
