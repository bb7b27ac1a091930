/* A parent at work: what it begins, what it teaches and what it chooses, what that costs, and that
 * a run with a parent is as deterministic as one without. */
#include "train/parent.h"

#include "tests/train_lab.h"
#include "train/checkpoint.h"
#include "train/trained.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
enum { SANITIZED = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) };
#else
enum { SANITIZED = 0 };
#endif

static char parent_sha[65];

static bool run(const char *dir, int threads, const char *const *more, int stop_at,
                TrainResult *out, Err *err);

/* A lab with one generation, of 40 steps. */
static const char *lab(void)
{
    static bool made;
    const char *dir = test_folder();
    if (made) return dir;
    made = true;
    TrainResult r = { 0 };
    Err err = { 0 };
    train_lab_make(dir);
    EXPECT_MSG(run("generations/g1", 1, NULL, 0, &r, &err), "%s", err.msg);
    memcpy(parent_sha, r.weights_sha256, sizeof(parent_sha));
    return dir;
}

typedef struct Stop {
    int at, polled;
} Stop;

static bool stop_in_time(void *self)
{
    Stop *s = self;
    return ++s->polled > s->at;
}

static bool run(const char *dir, int threads, const char *const *more, int stop_at,
                TrainResult *out, Err *err)
{
    Arena a = arena_reserve(1 << 24);
    Recipe r;
    char path[200], weights[128];
    Stop stop = { .at = stop_at };
    snprintf(path, sizeof(path), "%s/%s", lab(), dir);
    train_lab_recipe(&r, &a, more);
    if (more) {
        snprintf(weights, sizeof(weights), "parent.weights=%s", parent_sha);
        EXPECT_MSG(recipe_override(&r, weights, "test", err), "%s", err->msg);
    }
    TrainJob job = { .lab = lab(), .dir = path, .recipe = &r, .seed = 3, .threads = threads };
    if (stop_at) job.sink = (RunSink){ .self = &stop, .stop = stop_in_time };
    bool ok = train_run(&job, out, err);
    arena_release(&a);
    return ok;
}

/* Mean nll of a text by the model in a folder of the lab. */
static double nll_of(const char *dir)
{
    enum { T = 24 };
    Arena a = arena_reserve((ptrdiff_t)1 << 32);
    Err err = { 0 };
    int32_t tokens[T], targets[T];
    double nll[T], sum = 0;
    const char *text = "my friend sees the moon. a dog";
    for (int i = 0; i < T; i++) tokens[i] = text[i], targets[i] = text[i + 1];
    Trained *t = trained_open(arena_printf(&a, "%s/%s", lab(), dir), 1, &a, &err);
    EXPECT_MSG(t != NULL, "%s", err.msg);
    if (!t) return 0;
    EXPECT_MSG(trained_nll(t, tokens, targets, 1, T, nll, &err), "%s", err.msg);
    for (int i = 0; i < T; i++) sum += nll[i];
    trained_close(t);
    arena_release(&a);
    return sum / T;
}

#define LARGER "model.depth=4", "model.width=64", "model.heads=4"

TEST(a_grown_child_begins_where_its_parent_ended)
{
    TrainResult r;
    Err err = { 0 };
    const char *grown[] = { LARGER, "parent.start=grow", "train.steps=1", "optim.lr=1e-7", NULL };
    const char *anew[] = { LARGER, "train.steps=1", "optim.lr=1e-7", NULL };
    EXPECT_MSG(run("runs/grown", 1, grown, 0, &r, &err), "%s", err.msg);
    EXPECT_MSG(run("runs/anew", 1, anew, 0, &r, &err), "%s", err.msg);
    double parent = nll_of("generations/g1"), child = nll_of("runs/grown"),
           other = nll_of("runs/anew");
    EXPECT_MSG(fabs(child - parent) < 1e-4, "the parent has %.6f nats and its child %.6f", parent,
               child);
    EXPECT(other > parent + 1);
}

TEST(embeddings_begin_as_the_parents_and_the_rest_anew)
{
    TrainResult r;
    Err err = { 0 };
    const char *more[] = { "model.depth=3", "parent.start=embeddings", "train.steps=1",
                           "optim.lr=1e-7", NULL };
    EXPECT_MSG(run("runs/embeddings", 1, more, 0, &r, &err), "%s", err.msg);
    Arena a = arena_reserve((ptrdiff_t)1 << 33);
    Trained *old = trained_open(arena_printf(&a, "%s/generations/g1", lab()), 1, &a, &err);
    Trained *new = trained_open(arena_printf(&a, "%s/runs/embeddings", lab()), 1, &a, &err);
    EXPECT_MSG(old && new, "%s", err.msg);
    const StoreItem *from = store_find(trained_store(old), "embed.weight"),
                    *to = store_find(trained_store(new), "embed.weight");
    int far = 0;
    for (ptrdiff_t i = 0; i < to->dim[1] * 256; i++)
        far += fabs((double)from->at[i] - (double)to->at[i]) > 1e-6;
    EXPECT(far == 0);
    from = store_find(trained_store(old), "block.0.mlp.up.weight");
    to = store_find(trained_store(new), "block.0.mlp.up.weight");
    far = 0;
    for (ptrdiff_t i = 0; i < to->count; i++)
        far += fabs((double)from->at[i] - (double)to->at[i]) > 1e-6;
    EXPECT(far > to->count / 2);
    trained_close(old);
    trained_close(new);
    arena_release(&a);
}

static const char *const working[][8] = {
    { LARGER, "parent.teach=0.7", "parent.temperature=2", "parent.top_k=9", "train.steps=12",
      NULL },
    { LARGER, "parent.select=0.5", "train.accumulate=2", "train.steps=9", NULL },
    { "parent.teach=1", "parent.teach_until=1", "parent.select=0.6", "model.doc_mask=true",
      "parent.start=grow", "model.depth=4", "train.steps=9", NULL },
};

TEST(a_run_with_a_parent_has_its_bits_on_any_threads_and_after_a_stop)
{
    for (int i = SANITIZED ? 2 : 0; i < (int)COUNT(working); i++) { /* the last has all of it */
        TrainResult one = { 0 }, two = { 0 };
        Err err = { 0 };
        char whole[32], halves[32];
        snprintf(whole, sizeof(whole), "runs/whole-%d", i);
        snprintf(halves, sizeof(halves), "runs/halves-%d", i);
        EXPECT_MSG(run(whole, 1, working[i], 0, &one, &err), "%s", err.msg);
        EXPECT(!run(halves, 1, working[i], 4, &two, &err) && err.code == ERR_STOPPED);
        EXPECT_MSG(run(halves, 3, working[i], 0, &two, &err), "%s", err.msg);
        EXPECT_MSG(one.finite && !strcmp(one.weights_sha256, two.weights_sha256),
                   "%d: other bits after a stop, on three threads", i);
    }
}

TEST(what_the_parent_computes_is_charged_and_only_while_it_is_asked)
{
    static const char *const sets[][6] = { { LARGER, NULL },
                                           { LARGER, "parent.select=0.5", NULL },
                                           { LARGER, "parent.teach=0.5", NULL } };
    int64_t flops[3];
    for (int i = 0; i < 3; i++) {
        TrainResult r;
        Err err = { 0 };
        char dir[32];
        snprintf(dir, sizeof(dir), "runs/cost-%d", i);
        EXPECT_MSG(run(dir, 1, sets[i], 0, &r, &err), "%s", err.msg);
        flops[i] = r.flops;
    }
    /* Forward is a third of a step; the parent, of 2 blocks of 32, is a sixth or so of its child.
     */
    int64_t always = flops[1] - flops[0], half = flops[2] - flops[0];
    EXPECT_MSG(always > 0 && half * 2 == always, "%lld for all steps and %lld for half of them",
               (long long)always, (long long)half);
    EXPECT(always > flops[0] / 60 && always < flops[0] / 6);
}

TEST(a_budget_pays_for_the_parent_too)
{
    TrainResult r;
    Err err = { 0 };
    const char *more[] = { "train.steps=0", "budget.flops=5e7", "parent.teach=0.5",
                           "parent.teach_until=0.3", NULL };
    EXPECT_MSG(run("runs/budget", 1, more, 0, &r, &err), "%s", err.msg);
    EXPECT(r.flops <= 50000000 && r.flops > 50000000 - 2 * r.flops / r.steps);
}

/* A teacher that knows the text pulls a small number of steps further than the text alone. */
TEST(a_taught_child_is_ahead_of_one_that_is_not)
{
    TrainResult r;
    Err err = { 0 };
    const char *taught[] = { "train.steps=16", "parent.teach=1", "parent.teach_until=1", NULL };
    const char *alone[] = { "train.steps=16", NULL };
    EXPECT_MSG(run("runs/taught", 1, taught, 0, &r, &err), "%s", err.msg);
    EXPECT_MSG(run("runs/alone", 1, alone, 0, &r, &err), "%s", err.msg);
    double with = nll_of("runs/taught"), without = nll_of("runs/alone");
    EXPECT_MSG(with < without, "%.4f nats taught, %.4f alone", with, without);
}

TEST(a_parent_that_cannot_do_what_is_asked_is_refused_by_name)
{
    static const struct {
        const char *sets[4], *want;
    } table[] = {
        { { "parent.start=grow", "model.width=48", "model.heads=3", NULL }, "model.width = 48" },
        { { "parent.start=grow", "tokenizer.kind=bpe", "tokenizer.vocab=300", NULL },
          "another tokenizer" },
        { { "parent.teach=0.5", "tokenizer.kind=bpe", "tokenizer.vocab=300", NULL },
          "parent.teach" },
        { { "parent.select=0.5", "model.context=32", NULL }, "context is 24" },
        { { "parent.start=embeddings", "model.width=64", NULL }, "32 wide" },
    };
    for (int i = 0; i < (int)COUNT(table); i++) {
        TrainResult r;
        Err err = { 0 };
        char dir[32];
        snprintf(dir, sizeof(dir), "runs/refused-%d", i);
        EXPECT_MSG(!run(dir, 1, table[i].sets, 0, &r, &err) && strstr(err.msg, table[i].want),
                   "%d: %s", i, err.msg);
    }
    Arena a = arena_reserve(1 << 22);
    Err err = { 0 };
    EXPECT(!parent_folder(lab(), "0123456789abcdef", &a, &err) && strstr(err.msg, "0123456789ab"));
    Recipe r;
    const char *no_name[] = { "parent.teach=0.5", NULL };
    train_lab_recipe(&r, &a, no_name);
    EXPECT(!recipe_check(&r, &err) && strstr(err.msg, "parent.weights is not"));
    arena_release(&a);
}

TEST(the_likeliest_tokens_are_those_of_a_sort)
{
    enum { V = 300, K = 17 };
    float x[V];
    int32_t top[K];
    Rand r = rand_stream(5, "top");
    for (int t = 0; t < 50; t++) {
        for (int i = 0; i < V; i++) x[i] = (float)rand_below(&r, 40);
        parent_top(x, V, K, top);
        for (int k = 0; k < K; k++) {
            int before = 0; /* that many come first */
            for (int i = 0; i < V; i++)
                before += x[i] > x[top[k]] || (x[i] == x[top[k]] && i < top[k]);
            EXPECT(before == k);
        }
    }
}

TEST(the_parents_weight_falls_in_a_line_and_ends)
{
    ParentWant w = { .teach = 0.8, .until = 0.5, .select = 1 };
    EXPECT(parent_share(&w, 1, 10) == 0.8 && fabs(parent_share(&w, 3, 10) - 0.48) < 1e-12);
    EXPECT(parent_share(&w, 6, 10) == 0 && parent_share(&w, 10, 10) == 0);
    for (int64_t steps = 1; steps < 40; steps++)
        for (int64_t step = 0; step <= steps; step++) {
            int64_t asked = 0;
            for (int64_t i = 1; i <= step; i++) asked += parent_share(&w, i, steps) > 0;
            EXPECT(parent_asked(&w, step, steps) == asked);
        }
    w.select = 0.5;
    EXPECT(parent_asked(&w, 7, 10) == 7);
}
