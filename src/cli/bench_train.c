/* bench_train.c - steps of training per second, as a share of the peak of the same minute.
 *
 * The same plans as a real run (train/stepper.h), on random tokens: what a token means does
 * not change what a step costs.  Training and the peak take turns, because the clock of a busy
 * machine is not the one on its box, nor the same from one second to the next; and what is
 * taken for the peak is the median of its rounds, as the rate of training is a mean.
 * Operations are timed in extra steps, so that the timing of the whole is undisturbed.
 *
 * What is timed: a model of bench_model_list.h, or any recipe.  A fixed model brings its own
 * vocabulary, since no tokenizer is needed. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/rand.h"
#include "cli/bench.h"
#include "train/memory.h"
#include "train/recipe.h"
#include "train/stepper.h"
#include "train/train.h"

typedef struct Timing {
    double seconds;
    int steps;
} Timing;

typedef struct BenchModel {
    const char *name;
    int depth, width, heads, context, batch, vocab;
    const char *doc;
} BenchModel;

static const BenchModel models[] = {
#define MODEL(...) { __VA_ARGS__ },
#include "cli/bench_model_list.h"
#undef MODEL
};

static bool find_model(const char *name, const BenchModel **out, Err *err)
{
    Buf names = { 0 };
    for (int i = 0; i < COUNT(models); i++) {
        *out = &models[i];
        if (strcmp(models[i].name, name) == 0) {
            buf_free(&names);
            return true;
        }
        buf_printf(&names, "%s%s (%s)", i ? ", " : "", models[i].name, models[i].doc);
    }
    err_set(err, ERR_CONFIG, "no fixed model is called %s; there are %s", name, names.at);
    buf_free(&names);
    return false;
}

static bool set_whole(Recipe *r, const char *knob, int value, Err *err)
{
    char text[64];
    snprintf(text, sizeof(text), "%s=%d", knob, value);
    return recipe_override(r, text, "--model", err);
}

static bool set_model(Recipe *r, const BenchModel *m, Err *err)
{
    return set_whole(r, "model.depth", m->depth, err) &&
           set_whole(r, "model.width", m->width, err) &&
           set_whole(r, "model.heads", m->heads, err) &&
           set_whole(r, "model.context", m->context, err) &&
           set_whole(r, "train.batch", m->batch, err);
}

/* The recipe, the model if there is one, and what -s says. */
static bool read_recipe(const Cmd *c, const BenchModel *m, Recipe *r, Err *err)
{
    const char *path = cmd_value(c, "recipe", NULL);
    if (path && m)
        return err_set(err, ERR_CONFIG, "--recipe and --model %s are two models: give one",
                       m->name);
    if (path && !recipe_read(r, path, c->arena, err)) return false;
    if (!path) recipe_default(r, c->arena);
    if (!recipe_ours(r, "lathe bench train", err)) return false;
    if (m && !set_model(r, m, err)) return false;
    for (int i = 0; cmd_nth(c, "set", i); i++) {
        if (!recipe_override(r, cmd_nth(c, "set", i), "-s", err)) return false;
    }
    return recipe_check(r, err);
}

static int vocab_of(const KnobSet *k, const BenchModel *m)
{
    if (m) return m->vocab;
    bool bytes = strcmp(knobs_choice(k, "tokenizer.kind"), "bytes") == 0;
    return bytes ? 257 : (int)knobs_whole(k, "tokenizer.vocab");
}

static void fill_random(const Stepper *s)
{
    int32_t *tokens = plan_at(s->micro, s->tokens), *targets = plan_at(s->micro, s->targets);
    int32_t *pos = plan_at(s->micro, s->pos), *doc = s->doc ? plan_at(s->micro, s->doc) : NULL;
    Rand r = rand_stream(1, "bench");
    for (int i = 0; i < s->batch * s->context; i++) {
        tokens[i] = (int32_t)rand_below(&r, (uint64_t)s->model.vocab);
        targets[i] = (int32_t)rand_below(&r, (uint64_t)s->model.vocab);
        pos[i] = i % s->context;
        if (doc) doc[i] = 0;
    }
}

static bool time_steps(Stepper *s, double seconds, Timing *t, Err *err)
{
    StepOut out;
    double began = clock_now();
    *t = (Timing){ 0 };
    do {
        if (!stepper_run(s, NULL, (StepDo){ .at = { 1, t->steps + 1, t->steps + 1 }, .seed = 1 },
                         &out, err))
            return false;
        t->steps++;
        t->seconds = clock_now() - began;
    } while (t->seconds < seconds);
    return true;
}

enum { MOST = 64 };

typedef struct Breakdown {
    PlanTime time[2 * MOST];
    int times, of_micro; /* the first so many are the micro-plan's */
    Timing timing;
    double seconds; /* of all */
} Breakdown;

/* Where the time goes: both plans with profiling on. */
static bool profile(Stepper *s, double seconds, Breakdown *b, Err *err)
{
    plan_profile(s->micro, true);
    plan_profile(s->update, true);
    if (!time_steps(s, seconds, &b->timing, err)) return false;
    b->of_micro = plan_times(s->micro, b->time, MOST);
    b->times = b->of_micro + plan_times(s->update, b->time + b->of_micro, MOST);
    b->seconds = 0;
    for (int i = 0; i < b->times; i++) b->seconds += b->time[i].seconds;
    return true;
}

static void tell_breakdown(const Breakdown *b, int accumulate, bool show, json_t *ops)
{
    for (int i = 0; i < b->times; i++) {
        const PlanTime *t = &b->time[i];
        int runs = b->timing.steps * (i < b->of_micro ? accumulate : 1); // flops are of one run
        double each = t->seconds / b->timing.steps, share = t->seconds / b->seconds;
        double rate = t->seconds > 0 ? (double)t->flops * runs / t->seconds : 0;
        json_array_append_new(ops, json_pack("{s:s, s:b, s:f, s:f, s:f}", "op", t->op, "backward",
                                             t->backward, "seconds_per_step", each, "share", share,
                                             "flops_per_s", rate));
        if (show && share >= 0.005)
            printf("  %5.1f %%  %9.3f ms  %7.1f GFLOP/s  %s%s\n", 100 * share, 1e3 * each,
                   rate / 1e9, t->op, t->backward ? ", backward" : "");
    }
}

static void model_name(const Model *m, const Stepper *s, char *out, ptrdiff_t cap)
{
    snprintf(out, (size_t)cap, "%dx%d T%d V%d B%d", m->depth, m->width, m->context, m->vocab,
             s->batch * s->accumulate);
}

enum { TURNS = 5 };
static const double PEAK_SECONDS = 0.15;

/* Training and the peak in turns; *peak is the mean over them. */
static bool time_in_turns(const BenchIn *in, Stepper *s, Timing *all, double *peak, Err *err)
{
    *all = (Timing){ 0 };
    *peak = 0;
    for (int i = 0; i < TURNS; i++) {
        Timing t;
        BenchPeak p;
        if (!bench_peak_measure(in->threads, PEAK_SECONDS, false, &p, err) ||
            !time_steps(s, in->seconds / TURNS, &t, err))
            return false;
        all->steps += t.steps;
        all->seconds += t.seconds;
        *peak += p.sustained_flops_per_s / TURNS;
    }
    return true;
}

static bool measure(const BenchIn *in, Stepper *s, json_t *rows, Err *err)
{
    char name[96];
    Timing warm, t;
    double peak;
    int64_t peak_bytes;
    PlanCost cost = stepper_cost(s);
    model_name(&s->model, s, name, sizeof(name));
    if (!time_steps(s, in->seconds / 10, &warm, err) || !time_in_turns(in, s, &t, &peak, err))
        return false;
    peak_bytes = memory_anon();
    double per_s = t.steps / t.seconds, flops = per_s * (double)cost.matmul_flops;
    double tokens = per_s * s->batch * s->context * s->accumulate;
    if (!in->cmd->json)
        printf("train  %s: %.0f tokens/s, %.1f GFLOP/s in products, %.1f %% of the peak of %.1f, "
               "%.1f ms a step, %.1f MB\n",
               name, tokens, flops / 1e9, 100 * flops / peak, peak / 1e9, 1e3 / per_s,
               (double)peak_bytes / 1e6);
    Breakdown b;
    if (!profile(s, in->seconds / 2, &b, err)) return false;
    json_t *ops = json_array();
    tell_breakdown(&b, s->accumulate, !in->cmd->json, ops);
    json_array_append_new(
        rows,
        json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:f, s:o}", "model", name,
                  "device", cpu_model(), "precision", precision_name(s->precision), "tokens_per_s",
                  tokens, "flops_per_s", flops, "share_of_peak", flops / peak, "peak_flops_per_s",
                  peak, "peak_bytes", (json_int_t)peak_bytes, "planned_bytes",
                  (json_int_t)train_bytes(&cost), "params", (json_int_t)model_params(&s->model),
                  "seconds_per_step", 1 / per_s, "ops", ops));
    return true;
}

static bool time_model(const BenchIn *in, const BenchModel *m, json_t *rows, Err *err)
{
    Recipe r;
    Dev d = { 0 };
    Stepper s = { 0 };
    Arena *arena = in->cmd->arena;
    if (!read_recipe(in->cmd, m, &r, err) || !dev_open(&d, "cpu", in->threads, err)) return false;
    StepperOpt o = { .knobs = &r.knobs,
                     .vocab = vocab_of(&r.knobs, m),
                     .plan = { .level = cpu_level() } };
    bool ok = stepper_plan(&s, o, &d, arena, err) && stepper_bind(&s, &d, 1, arena, err);
    if (ok) {
        fill_random(&s);
        ok = measure(in, &s, rows, err);
    }
    stepper_free(&s);
    dev_close(&d);
    return ok;
}

static bool run(const BenchIn *in, json_t *rows, Err *err)
{
    const char *name = cmd_nth(in->cmd, "model", 0);
    if (!name) return time_model(in, NULL, rows, err);
    for (int i = 0; name; name = cmd_nth(in->cmd, "model", ++i)) {
        const BenchModel *m;
        if (!find_model(name, &m, err) || !time_model(in, m, rows, err)) return false;
    }
    return true;
}

extern const BenchDef bench_train;
const BenchDef bench_train = {
    .name = "train",
    .doc = "tokens and FLOPs per second of training, as a share of the peak, and where time goes",
    .run = run,
};
