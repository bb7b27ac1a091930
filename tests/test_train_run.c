/* Runs: the same bits whatever happens on the way. */
#include <signal.h>
#include <sys/wait.h>

#include "tests/train_lab.h"
#include "train/checkpoint.h"

static const char *lab(void)
{
    static bool made;
    if (!made) train_lab_make(test_folder());
    made = true;
    return test_folder();
}

/* What a run told, and when it is to stop. */
typedef struct Told {
    double loss[512];
    int rows;
    int64_t stop_after; /* 0: never */
    int64_t polled, planned_bytes;
    char note[700];
} Told;

static void told_planned(void *self, const PlanCost *cost, int64_t steps, int64_t tokens,
                         int64_t flops)
{
    Told *t = self;
    t->planned_bytes = train_bytes(cost);
    EXPECT(steps > 0 && tokens > 0 && flops > 0);
}

static bool told_rows(void *self, const StepRow *rows, int n, Err *err)
{
    Told *t = self;
    (void)err;
    for (int i = 0; i < n; i++) {
        t->loss[rows[i].step] = rows[i].loss;
        t->rows++;
    }
    return true;
}

static bool told_stop(void *self)
{
    Told *t = self;
    return t->stop_after > 0 && ++t->polled > t->stop_after;
}

static void told_note(void *self, const char *text)
{
    snprintf(((Told *)self)->note, sizeof(((Told *)self)->note), "%s", text);
}

typedef struct Try {
    const Recipe *recipe;
    const char *name;
    uint64_t seed;
    int threads;
    Told *told;
} Try;

static bool attempt(Try t, TrainResult *out, Err *err)
{
    char dir[128];
    snprintf(dir, sizeof(dir), "%s/runs/%s", lab(), t.name);
    TrainJob job = { .lab = lab(),
                     .dir = dir,
                     .recipe = t.recipe,
                     .seed = t.seed ? t.seed : 1,
                     .threads = t.threads };
    if (t.told)
        job.sink = (RunSink){ .self = t.told,
                              .planned = told_planned,
                              .rows = told_rows,
                              .stop = told_stop,
                              .note = told_note };
    return train_run(&job, out, err);
}

static void finish(Try t, TrainResult *out)
{
    Err err = { 0 };
    EXPECT_MSG(attempt(t, out, &err), "%s", err.msg);
}

static Arena arena;
static void recipe(Recipe *r, const char *const *more)
{
    if (!arena.base) arena = arena_reserve(1 << 28);
    train_lab_recipe(r, &arena, more);
}

TEST(a_run_learns_and_tells_each_step_once)
{
    Recipe r;
    TrainResult out;
    Told told = { 0 };
    recipe(&r, (const char *const[]){ "train.steps=120", NULL });
    finish((Try){ .recipe = &r, .name = "learns", .told = &told }, &out);
    EXPECT(out.finite && out.steps == 120 && out.tokens == 120 * 4 * 24 && told.rows == 120);
    EXPECT_MSG(told.loss[1] > 5.3 && told.loss[1] < 5.8, "begins at %g, ln 257 is 5.55",
               told.loss[1]);
    EXPECT_MSG(out.train_loss < 2.6, "ends at %g", out.train_loss);
    EXPECT(out.planned_bytes == told.planned_bytes && out.planned_bytes > 0 && out.flops > 0);
    EXPECT(strlen(out.weights_sha256) == 64 && strlen(out.data_sha256) == 64);
    TrainResult again;
    Told silent = { 0 };
    finish((Try){ .recipe = &r, .name = "learns", .told = &silent }, &again);
    EXPECT(silent.rows == 0 && strcmp(again.weights_sha256, out.weights_sha256) == 0);
    EXPECT(again.train_loss == out.train_loss && again.tokens == out.tokens &&
           again.flops == out.flops);
}

TEST(bits_do_not_depend_on_threads_but_on_seed_and_recipe)
{
    Recipe r, other;
    TrainResult one, three, seed, knob;
    recipe(&r, NULL);
    recipe(&other, (const char *const[]){ "optim.lr=0.0030001", NULL });
    finish((Try){ .recipe = &r, .name = "one", .threads = 1 }, &one);
    finish((Try){ .recipe = &r, .name = "three", .threads = 3 }, &three);
    finish((Try){ .recipe = &r, .name = "seed", .seed = 2 }, &seed);
    finish((Try){ .recipe = &other, .name = "knob" }, &knob);
    EXPECT(strcmp(one.weights_sha256, three.weights_sha256) == 0 &&
           one.train_loss == three.train_loss);
    EXPECT(strcmp(one.weights_sha256, seed.weights_sha256) != 0);
    EXPECT(strcmp(one.weights_sha256, knob.weights_sha256) != 0);
}

TEST(bits_do_not_depend_on_the_processor_level)
{
    Recipe r;
    TrainResult plain, best;
    CpuLevel level = cpu_level();
    recipe(&r, (const char *const[]){ "train.steps=6", "optim.name=muon", "model.position=rope",
                                      NULL });
    finish((Try){ .recipe = &r, .name = "best" }, &best);
    EXPECT(cpu_level_set(LEVEL_PLAIN));
    finish((Try){ .recipe = &r, .name = "plain" }, &plain);
    EXPECT(cpu_level_set(level));
    EXPECT(strcmp(plain.weights_sha256, best.weights_sha256) == 0);
}

TEST(a_stopped_run_goes_on_to_the_same_bits)
{
    const char *const sets[][4] = { { NULL }, { "optim.name=muon", "train.accumulate=2", NULL } };
    for (int i = 0; i < (int)COUNT(sets); i++) {
        Recipe r;
        TrainResult whole, out;
        char name[32];
        Told told = { 0 }, undisturbed = { 0 };
        recipe(&r, sets[i]);
        snprintf(name, sizeof(name), "whole%d", i);
        finish((Try){ .recipe = &r, .name = name, .told = &undisturbed }, &whole);
        snprintf(name, sizeof(name), "stopped%d", i);
        Rand draw = rand_stream(5, "stops");
        Err err = { 0 };
        int stops = 0;
        for (;;) {
            told.polled = 0;
            told.stop_after = 1 + (int64_t)rand_below(&draw, 11);
            Try t = { .recipe = &r, .name = name, .threads = 1 + stops % 3, .told = &told };
            if (attempt(t, &out, &err)) break;
            EXPECT_MSG(err.code == ERR_STOPPED, "%s", err.msg);
            if (err.code != ERR_STOPPED || ++stops > 60) break;
        }
        EXPECT_MSG(stops >= 3, "stopped %d times", stops);
        EXPECT(strcmp(out.weights_sha256, whole.weights_sha256) == 0 &&
               out.train_loss == whole.train_loss);
        for (int s = 1; s <= 40; s++)
            EXPECT(told.loss[s] == undisturbed.loss[s] && told.loss[s] > 0);
    }
}

/* A child trains and is killed without warning; ten times, at moments that creep forward. */
TEST(resume_after_kill_reaches_the_same_bits)
{
    Recipe r;
    TrainResult whole, out;
    recipe(&r, (const char *const[]){ "train.checkpoint_every=3", "train.steps=60", NULL });
    finish((Try){ .recipe = &r, .name = "unkilled" }, &whole);
    int killed = 0;
    for (int i = 0; i < 10; i++) {
        pid_t child = fork();
        if (child == 0) {
            Err err = { 0 };
            _exit(attempt((Try){ .recipe = &r, .name = "killed", .threads = 1 + i % 2 }, &out, &err)
                      ? 0
                      : 1);
        }
        usleep((useconds_t)(2000 + 7000 * i));
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        killed += WIFSIGNALED(status);
    }
    EXPECT_MSG(killed >= 3, "only %d of 10 were killed in time", killed);
    finish((Try){ .recipe = &r, .name = "killed" }, &out);
    EXPECT(strcmp(out.weights_sha256, whole.weights_sha256) == 0 &&
           out.train_loss == whole.train_loss);
}

TEST(accumulated_micro_batches_are_the_mean_of_their_rows)
{
    Recipe one, four;
    TrainResult a, b;
    Told x = { 0 }, y = { 0 };
    recipe(&one, (const char *const[]){ "train.batch=8", "train.steps=12", NULL });
    recipe(&four,
           (const char *const[]){ "train.batch=2", "train.accumulate=4", "train.steps=12", NULL });
    finish((Try){ .recipe = &one, .name = "batch8", .told = &x }, &a);
    finish((Try){ .recipe = &four, .name = "batch2x4", .told = &y }, &b);
    EXPECT(a.tokens == b.tokens && a.flops > 0);
    for (int s = 1; s <= 12; s++)
        EXPECT_MSG(fabs(x.loss[s] - y.loss[s]) < 1e-4, "step %d: %g and %g", s, x.loss[s],
                   y.loss[s]);
}

TEST(a_loss_that_is_no_number_ends_the_run_as_failed)
{
    Recipe r;
    TrainResult out, again;
    /* The head's decay is 2000 times itself: each step turns it over and makes it 1999 times
     * larger. */
    recipe(&r, (const char *const[]){ "optim.lr=1", "optim.head_mult=1000", "optim.decay=2",
                                      "model.tied=false", "train.steps=200", NULL });
    finish((Try){ .recipe = &r, .name = "fails" }, &out);
    EXPECT_MSG(!out.finite && out.steps < 200, "finite after %lld steps, loss %g",
               (long long)out.steps, out.train_loss);
    finish((Try){ .recipe = &r, .name = "fails" }, &again);
    EXPECT(!again.finite && again.steps == out.steps);
}

TEST(a_budget_buys_the_steps_it_pays_for)
{
    Recipe r;
    TrainSize size, half;
    TrainResult out;
    Err err = { 0 };
    recipe(&r, (const char *const[]){ "train.steps=0", "budget.frame=tokens", "budget.tokens=2000",
                                      NULL });
    EXPECT_MSG(train_size(lab(), &r, &size, &err), "%s", err.msg);
    EXPECT(size.steps == 2000 / 96 && size.tokens_per_step == 96);
    char flops[64];
    snprintf(flops, sizeof(flops), "budget.flops=%lld", (long long)(size.flops_per_step * 10 + 5));
    recipe(&r, (const char *const[]){ "train.steps=0", "budget.frame=flops", flops, NULL });
    EXPECT_MSG(train_size(lab(), &r, &half, &err), "%s", err.msg);
    EXPECT(half.steps == 10);
    finish((Try){ .recipe = &r, .name = "budget" }, &out);
    EXPECT(out.steps == 10 && out.flops == size.flops_per_step * 10);
}

TEST(a_budget_that_does_not_pay_for_a_step_is_refused)
{
    Recipe r;
    TrainResult out;
    Err err = { 0 };
    recipe(&r, (const char *const[]){ "train.steps=0", "budget.frame=tokens", "budget.tokens=95",
                                      NULL });
    EXPECT(!attempt((Try){ .recipe = &r, .name = "poor" }, &out, &err));
    EXPECT_MSG(err.code == ERR_CONFIG && strstr(err.msg, "budget.tokens"), "%s", err.msg);
}

TEST(another_recipe_in_the_same_folder_is_refused)
{
    Recipe r, other;
    TrainResult out;
    Err err = { 0 };
    recipe(&r, (const char *const[]){ "train.steps=2", NULL });
    recipe(&other, (const char *const[]){ "train.steps=3", NULL });
    finish((Try){ .recipe = &r, .name = "mine" }, &out);
    EXPECT(!attempt((Try){ .recipe = &other, .name = "mine" }, &out, &err));
    EXPECT_MSG(strstr(err.msg, "another recipe"), "%s", err.msg);
    EXPECT(!attempt((Try){ .recipe = &r, .name = "mine", .seed = 9 }, &out, &err));
    EXPECT_MSG(strstr(err.msg, "another seed"), "%s", err.msg);
}

TEST(a_context_longer_than_the_data_is_refused)
{
    Recipe r;
    TrainResult out;
    Err err = { 0 };
    recipe(&r, (const char *const[]){ "model.context=100000", NULL });
    EXPECT(!attempt((Try){ .recipe = &r, .name = "long" }, &out, &err));
    EXPECT_MSG(strstr(err.msg, "100000") && strstr(err.msg, "context"), "%s", err.msg);
}
