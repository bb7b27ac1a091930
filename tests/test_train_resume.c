/* A run that was stopped and called again ends in the bits of one that was not: for every rule,
 * every schedule, every average, and what draws (dropout) or packs.  The lists are walked, so that
 * whoever adds a line is tested too. */
#include "optim/optim.h"
#include "tests/train_lab.h"
#include "train/checkpoint.h"
#include "train/trained.h"

enum { STEPS = 13, STOPS_AT = 5 };

static const char *lab(void)
{
    static bool made;
    if (!made) train_lab_make(test_folder());
    made = true;
    return test_folder();
}

static bool stop_in_time(void *self)
{
    return ++*(int *)self > STOPS_AT;
}

/* Trains in the folder `dir`, from where it stands; stops on the way if `stop`. */
static bool train(const Recipe *r, const char *dir, int threads, bool stop, TrainResult *out)
{
    Err err = { 0 };
    int polled = 0;
    TrainJob job = { .lab = lab(), .dir = dir, .recipe = r, .seed = 3, .threads = threads };
    if (stop) job.sink = (RunSink){ .self = &polled, .stop = stop_in_time };
    if (train_run(&job, out, &err)) return true;
    EXPECT_MSG(err.code == ERR_STOPPED, "%s", err.msg);
    return false;
}

/* Whole on one thread; stopped after five steps of thirteen and gone on with on two. */
static void check_resume(const char *const *sets)
{
    static int count;
    char whole[128], halves[128];
    Arena a = arena_reserve(1 << 24);
    Recipe r;
    TrainResult one = { 0 }, two = { 0 };
    snprintf(whole, sizeof(whole), "%s/runs/whole-%d", lab(), ++count);
    snprintf(halves, sizeof(halves), "%s/runs/halves-%d", lab(), count);
    train_lab_recipe(&r, &a, sets);
    EXPECT(train(&r, whole, 1, false, &one));
    EXPECT(!train(&r, halves, 1, true, &two));
    EXPECT(train(&r, halves, 2, false, &two));
    EXPECT_MSG(one.finite && strcmp(one.weights_sha256, two.weights_sha256) == 0,
               "%s: another end after a resume", sets[1]);
    arena_release(&a);
}

#define BASE "train.steps=13"

TEST(every_rule_resumes_to_the_same_bits)
{
    int n;
    const OptimDef *const *all = optim_all(&n);
    for (int i = 0; i < n; i++) {
        char name[64];
        snprintf(name, sizeof(name), "optim.name=%s", all[i]->name);
        check_resume((const char *const[]){ BASE, name, NULL });
    }
}

TEST(every_schedule_resumes_to_the_same_bits)
{
    int n;
    const ScheduleDef *const *all = schedule_all(&n);
    for (int i = 0; i < n; i++) {
        char name[64];
        snprintf(name, sizeof(name), "schedule.name=%s", all[i]->name);
        check_resume((const char *const[]){ BASE, name, NULL });
    }
}

TEST(what_else_has_a_memory_resumes_to_the_same_bits)
{
    check_resume(
        (const char *const[]){ BASE, "optim.average=ema", "optim.average_decay=0.8", NULL });
    check_resume(
        (const char *const[]){ BASE, "optim.average=tail", "optim.average_tail=0.8", NULL });
    check_resume((const char *const[]){
        BASE, "optim.name=muon", "optim.muon.variance=0.9", "optim.muon.momentum_warmup=9",
        "optim.muon.equilibrate=true", "optim.muon.polynomial=polar", NULL });
}

/* Loss of the text by what trained_open makes of a folder. */
static double nll_of(const char *dir, double *weight)
{
    Arena a = arena_reserve(1 << 28);
    Err err = { 0 };
    Trained *t = trained_open(dir, 1, &a, &err);
    EXPECT_MSG(t != NULL, "%s", err.msg);
    int32_t tokens[24], targets[24];
    double nll[24], sum = 0;
    for (int i = 0; i < 24; i++) tokens[i] = "the cat sees the moon. n"[i];
    for (int i = 0; i < 24; i++) targets[i] = i < 23 ? tokens[i + 1] : -1;
    EXPECT_MSG(trained_nll(t, tokens, targets, 1, 24, nll, &err), "%s", err.msg);
    for (int i = 0; i < 23; i++) sum += nll[i];
    *weight = (double)store_find(trained_store(t), "embed.weight")->at[0];
    trained_close(t);
    arena_release(&a);
    return sum;
}

/* The average over the last step alone is the last weights; over all steps it is another model. */
TEST(a_trained_model_answers_by_its_averaged_weights)
{
    static const char *const tail[] = { NULL, "optim.average_tail=0.001", "optim.average_tail=1" };
    double nll[3], weight[3];
    TrainResult out[3];
    for (int i = 0; i < 3; i++) {
        char dir[128];
        Arena a = arena_reserve(1 << 24);
        Recipe r;
        snprintf(dir, sizeof(dir), "%s/runs/average-%d", lab(), i);
        train_lab_recipe(
            &r, &a,
            (const char *const[]){ BASE, tail[i] ? "optim.average=tail" : NULL, tail[i], NULL });
        EXPECT(train(&r, dir, 1, false, &out[i]));
        nll[i] = nll_of(dir, &weight[i]);
        arena_release(&a);
    }
    EXPECT(strcmp(out[0].weights_sha256, out[1].weights_sha256) == 0 &&
           strcmp(out[0].weights_sha256, out[2].weights_sha256) == 0);
    EXPECT(nll[0] == nll[1] && weight[0] == weight[1]);
    EXPECT(nll[0] != nll[2] && weight[0] != weight[2]);
}

/* E1 for what recipes can be made of: thread counts and processor levels change no bit. */
static void check_levels(const char *const *sets)
{
    static int count;
    char dir[128];
    Arena a = arena_reserve(1 << 24);
    Recipe r;
    TrainResult out[3] = { 0 };
    CpuLevel best = cpu_level();
    train_lab_recipe(&r, &a, sets);
    for (int i = 0; i < 3; i++) { /* one thread, three, and three on a plain processor */
        snprintf(dir, sizeof(dir), "%s/runs/level-%d-%d", lab(), count, i);
        EXPECT(cpu_level_set(i == 2 ? LEVEL_PLAIN : best));
        EXPECT(train(&r, dir, i ? 3 : 1, false, &out[i]));
    }
    EXPECT(cpu_level_set(best));
    count++;
    EXPECT_MSG(out[0].finite && strcmp(out[0].weights_sha256, out[1].weights_sha256) == 0,
               "%s: other bits on three threads", sets[1]);
    EXPECT_MSG(strcmp(out[1].weights_sha256, out[2].weights_sha256) == 0,
               "%s: other bits on a plain processor", sets[1]);
    arena_release(&a);
}

#define SHORT "train.steps=6"

TEST(parts_and_rules_reach_the_same_bits_on_any_threads_and_level_E1)
{
    check_levels((const char *const[]){ SHORT, "optim.name=soap", "optim.soap.every=2",
                                        "model.dropout=0.1", "model.z_loss=0.001", NULL });
    check_levels((const char *const[]){ SHORT, "optim.name=lion", "optim.cautious=true",
                                        "optim.average=ema", "data.packing=bestfit", NULL });
    check_levels((const char *const[]){ SHORT, "depth=1", "model.head_size=16", "model.width=32",
                                        "model.heads=2", "model.depth=2", "train.accumulate=2",
                                        NULL });
}
