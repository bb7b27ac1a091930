/* train.c - the run: from where it stands to its last step.
 *
 * A run is a function of recipe, seed and data.  What it needs to go on from a step is the
 * step's number, the weights and the optimizer's states: micro-batches are found by number,
 * every draw is named by step, and the rate is a function of the step.  So a checkpoint holds
 * no generator and no place in a file, and a run that was killed ends in the same bits.
 *
 * The order at a checkpoint: first the statistics go to whoever keeps them, then the file is
 * written.  After a crash some steps are done again and said again, with the same numbers;
 * the other order could lose some for ever.
 *
 * The checksum of the tokens is taken while the first steps run (data/mixture_check.c), and is
 * waited for before the first of them is told.
 *
 * A loss that is not a number ends the run: it is a result ("this recipe fails"), not an
 * error, and it is written down like any other end. */
#include "train/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "train/census.h"
#include "train/checkpoint.h"
#include "train/memory.h"
#include "train/stepper.h"

enum { ROWS = 64, MOST_ROWS = 4000 };
static const double FLUSH_SECONDS = 1, SAVE_SECONDS = 60;

typedef struct Run {
    const TrainJob *job;
    Arena arena;
    Dev dev;
    bool dev_open, mixture_open;
    int lock; /* of the folder; -1 */
    Mixture mixture;
    MixtureCheck check;
    Loader loader;
    Stepper s;
    Parent parent;
    Checkpoint at;
    Buf recipe, tokenizer;
    StepRow row[ROWS];
    int rows;
    int64_t every; /* steps from one row to the next */
    int64_t look_every, looked_tokens;
    double looked; /* when */
    double begun, flushed, saved, seconds_before;
    int64_t rest, peak; /* RssAnon */
} Run;

int64_t train_bytes(const PlanCost *c)
{
    return c->params + c->grads + c->states + c->step + c->inputs + c->scratch;
}

static int64_t tokens_per_step(const Stepper *s)
{
    return (int64_t)s->batch * s->context * s->accumulate;
}

/* FLOPs of a run's first `done` of so many steps, the parent's share in them. */
static int64_t flops_of(const Stepper *s, int64_t done, int64_t steps)
{
    int64_t asked = s->parent ? parent_asked(&s->parent->want, done, steps) : 0;
    return done * stepper_cost(s).matmul_flops + asked * stepper_parent_flops(s);
}

/* Never more than the budget pays for: one step of a huge batch would be a run that spends many
 * times what the runs that it is compared with spend. */
static bool find_steps(const KnobSet *k, const Stepper *s, int64_t *steps, Err *err)
{
    *steps = knobs_whole(k, "train.steps");
    if (*steps > 0) return true;
    bool tokens = strcmp(knobs_choice(k, "budget.frame"), "tokens") == 0;
    const char *knob = tokens ? "budget.tokens" : "budget.flops";
    double per_step = tokens ? (double)tokens_per_step(s) : (double)stepper_cost(s).matmul_flops;
    *steps = (int64_t)floor(knobs_number(k, knob) / per_step);
    while (!tokens && *steps > 0 && (double)flops_of(s, *steps, *steps) > knobs_number(k, knob))
        --*steps;
    if (*steps > 0) return true;
    return err_set(err, ERR_CONFIG,
                   "%s = %.3g does not pay for one step, which takes %.3g: raise it, or use a "
                   "smaller model, context or batch",
                   knob, knobs_number(k, knob), per_step);
}

/* ---- opening */

static bool open_data(Run *r, Err *err)
{
    const KnobSet *k = &r->job->recipe->knobs;
    if (!mixture_open_unread(&r->mixture, r->job->lab, k, &r->arena, err)) return false;
    r->mixture_open = true;
    tokenizer_print(r->mixture.tokenizer, &r->tokenizer);
    recipe_text(r->job->recipe, false, &r->recipe);
    if (!loader_open(&r->loader, &r->mixture, (int)knobs_whole(k, "train.batch"),
                     (int)knobs_whole(k, "model.context"), r->job->seed, err))
        return false;
    r->loader.rows_per_step = r->loader.batch * knobs_whole(k, "train.accumulate");
    return loader_pack(&r->loader, &r->arena, err);
}

static bool open_plan(Run *r, int threads, Err *err)
{
    if (!dev_open(&r->dev, "cpu", threads, err)) return false;
    r->dev_open = true;
    const KnobSet *k = &r->job->recipe->knobs;
    StepperOpt o = { .knobs = k,
                     .vocab = tokenizer_vocab(r->mixture.tokenizer),
                     .plan = { .level = cpu_level() },
                     .parent = &r->parent,
                     .look = r->job->sink.sights != NULL,
                     .hands = r->job->hands };
    ParentShape shape = { .batch = (int)knobs_whole(k, "train.batch"),
                          .context = (int)knobs_whole(k, "model.context"),
                          .doc = knobs_flag(k, "model.doc_mask") };
    return parent_open(&r->parent, r->job->lab, k, r->mixture.tokenizer, shape, &r->dev, &r->arena,
                       err) &&
           stepper_plan(&r->s, o, &r->dev, &r->arena, err);
}

static void run_close(Run *r)
{
    stepper_free(&r->s);
    parent_close(&r->parent);
    mixturecheck_close(&r->check);
    if (r->dev_open) dev_close(&r->dev);
    if (r->mixture_open) mixture_close(&r->mixture);
    if (r->lock >= 0) file_unlock(r->lock);
    buf_free(&r->recipe);
    buf_free(&r->tokenizer);
    arena_release(&r->arena);
}

static void run_begin(Run *r, const TrainJob *job)
{
    *r = (Run){ .job = job, .lock = -1, .arena = arena_reserve((ptrdiff_t)1 << 32) };
}

static bool take_folder(Run *r, Err *err)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/lock", r->job->dir);
    return file_make_dirs(r->job->dir, err) && file_lock(path, &r->lock, err);
}

/* ---- going on */

static bool same_run(const Run *r, const Checkpoint *c, const char *path, Err *err)
{
    const char *what = NULL;
    if (strcmp(c->recipe_sha256, r->job->recipe->sha256) != 0)
        what = "of another recipe";
    else if (c->seed != r->job->seed)
        what = "of another seed";
    else if (strcmp(c->data_sha256, r->mixture.sha256) != 0)
        what = "on other data";
    if (!what) return true;
    return err_set(err, ERR_CONFIG, "%s is from a run %s: train in another folder, or remove it",
                   path, what);
}

static void tell_notes(const Run *r, const Buf *note)
{
    const RunSink *sink = &r->job->sink;
    Str rest = buf_view(note), line;
    while (sink->note && str_cut(&rest, '\n', &line)) {
        char text[600];
        if (line.len == 0) continue;
        snprintf(text, sizeof(text), "passed over: %.*s", (int)MIN(line.len, 500), line.at);
        sink->note(sink->self, text);
    }
}

/* Where the run stands: the newest good checkpoint, or the beginning. */
static bool find_place(Run *r, const char **path, Err *err)
{
    Buf note = { 0 };
    Checkpoint found;
    bool ok = checkpoint_find(r->job->dir, &r->arena, &found, path, &note, err);
    if (ok) tell_notes(r, &note);
    buf_free(&note);
    if (!ok || (*path && !same_run(r, &found, *path, err))) return false;
    r->at = *path ? found : (Checkpoint){ .finite = true };
    r->at.recipe = buf_view(&r->recipe);
    r->at.tokenizer = buf_view(&r->tokenizer);
    r->at.recipe_sha256 = r->job->recipe->sha256;
    r->at.data_sha256 = r->mixture.sha256;
    r->at.seed = r->job->seed;
    if (!find_steps(&r->job->recipe->knobs, &r->s, &r->at.steps, err)) return false;
    r->every = (r->at.steps + MOST_ROWS - 1) / MOST_ROWS;
    r->seconds_before = r->at.seconds;
    return true;
}

static void watch_memory(Run *r)
{
    r->peak = MAX(r->peak, memory_anon());
}

static bool load_place(Run *r, const char *path, Err *err)
{
    if (!stepper_bind(&r->s, &r->dev, r->job->seed, &r->arena, err)) return false;
    if (path) return checkpoint_load(path, r->s.store, true, err);
    return parent_begin(&r->parent, &r->s.model, r->s.store, r->job->seed, &r->arena, err);
}

/* ---- running */

/* Nothing is told or kept of steps on tokens that are not what was written. */
static bool flush_rows(Run *r, Err *err)
{
    const RunSink *sink = &r->job->sink;
    int n = r->rows;
    r->rows = 0;
    r->flushed = clock_now();
    watch_memory(r);
    if (!mixturecheck_end(&r->check, err)) return false;
    return n == 0 || !sink->rows || sink->rows(sink->self, r->row, n, err);
}

static bool save(Run *r, Err *err)
{
    r->at.seconds = r->seconds_before + clock_now() - r->begun;
    if (!flush_rows(r, err) || !checkpoint_save(r->job->dir, &r->at, r->s.store, err)) return false;
    r->saved = clock_now();
    watch_memory(r);
    return true;
}

static void add_row(Run *r, const StepOut *out, double began)
{
    double now = clock_now();
    StepRow row = { .step = r->at.step,
                    .tokens = (double)r->at.tokens,
                    .flops = (double)r->at.flops,
                    .seconds = r->seconds_before + now - r->begun,
                    .loss = out->loss,
                    .grad_norm = out->stats.grad_norm,
                    .clipped = out->stats.clip_factor,
                    .lr = out->rate,
                    .tokens_per_s = (double)tokens_per_step(&r->s) / MAX(now - began, 1e-9) };
    memcpy(row.update_ratio, out->stats.update_ratio, sizeof(row.update_ratio));
    r->row[r->rows++] = row;
}

/* What is seen of the run beside its model, in front of what the look saw. */
static void tell_sights(Run *r, const StepOut *out)
{
    const RunSink *sink = &r->job->sink;
    double now = clock_now(), passed = MAX(now - r->looked, 1e-9), epoch = 0;
    int64_t rows = r->at.step * r->loader.rows_per_step;
    for (int i = 0; i < r->mixture.count; i++)
        epoch = MAX(epoch, loader_epochs(&r->loader, i, rows));
    Batches *read = &r->s.read;
    Sight own[] = { { SIG_REPEAT, "", (double)read->repeat },
                    { SIG_TWIN, "", (double)read->twin },
                    { SIG_EPOCH, "", epoch },
                    { SIG_WAIT, "", r->s.waited / passed },
                    { SIG_SPEED, "", (double)(r->at.tokens - r->looked_tokens) / passed },
                    { SIG_MEMORY, "", (double)memory_anon() } };
    sink->sights(sink->self, r->at.step, own, COUNT(own));
    sink->sights(sink->self, r->at.step, out->sight, out->sights);
    read->repeat = read->twin = 0;
    r->s.waited = 0;
    r->looked = now;
    r->looked_tokens = r->at.tokens;
}

static bool one_step(Run *r, Err *err)
{
    StepOut out;
    double began = clock_now();
    OptimAt at = { .step = r->at.step + 1, .steps = r->at.steps };
    at.factor = schedule_factor(&r->job->recipe->knobs, at.step, at.steps);
    bool look = r->s.look && (at.step == 1 || at.step % r->look_every == 0);
    StepDo d = { .at = at, .seed = r->job->seed, .look = look };
    if (!stepper_run(&r->s, &r->loader, d, &out, err)) return false;
    r->at.step++;
    r->at.tokens += tokens_per_step(&r->s);
    r->at.flops = flops_of(&r->s, r->at.step, r->at.steps);
    r->at.finite = out.finite;
    r->at.done = !out.finite || r->at.step == r->at.steps;
    if (r->at.step > r->at.steps - (r->at.steps + 9) / 10) {
        r->at.tail_sum += out.loss;
        r->at.tail_count++;
    }
    if (look && out.finite) tell_sights(r, &out);
    if (r->at.step % r->every == 0 || r->at.step == 1 || r->at.done) add_row(r, &out, began);
    return true;
}

/* What the text is like, before the first step. */
static bool tell_census(const Run *r, Err *err)
{
    const RunSink *sink = &r->job->sink;
    Census c;
    if (!sink->sights) return true;
    if (!census_take(&r->mixture, r->arena, &c, err)) return false;
    Sight own[] = { { SIG_UNIGRAM, "", c.unigram }, { SIG_UNUSED, "", c.unused } };
    sink->sights(sink->self, 0, own, c.enough ? 2 : 1);
    return true;
}

static bool save_is_due(const Run *r)
{
    int64_t every = knobs_whole(&r->job->recipe->knobs, "train.checkpoint_every");
    if (r->at.done) return true;
    return every > 0 ? r->at.step % every == 0 : clock_now() - r->saved >= SAVE_SECONDS;
}

static bool run_steps(Run *r, Err *err)
{
    const RunSink *sink = &r->job->sink;
    mixturecheck_begin(&r->check, &r->mixture);
    r->begun = r->flushed = r->saved = r->looked = clock_now();
    r->look_every = look_every(stepper_look_opt(&r->s), r->at.steps);
    r->looked_tokens = r->at.tokens;
    if (r->at.step == 0 && !tell_census(r, err)) return false;
    while (!r->at.done) {
        if (sink->stop && sink->stop(sink->self)) {
            if (!save(r, err)) return false;
            return err_set(err, ERR_STOPPED,
                           "stopped after step %lld of %lld; the same command goes on",
                           (long long)r->at.step, (long long)r->at.steps);
        }
        if (!one_step(r, err)) return false;
        bool full = r->rows == ROWS || clock_now() - r->flushed >= FLUSH_SECONDS;
        if (save_is_due(r) ? !save(r, err) : full && !flush_rows(r, err)) return false;
    }
    return true;
}

static void tell_planned(const Run *r, const PlanCost *cost)
{
    const RunSink *sink = &r->job->sink;
    if (!sink->planned) return;
    sink->planned(sink->self, cost, r->at.steps, r->at.steps * tokens_per_step(&r->s),
                  flops_of(&r->s, r->at.steps, r->at.steps));
}

/* What was read of each source, and how often. */
static void fill_reads(const Run *r, TrainResult *out)
{
    int64_t rows = r->at.step * r->loader.rows_per_step;
    out->n_reads = r->mixture.count;
    for (int i = 0; i < r->mixture.count; i++) {
        TrainRead *read = &out->read[i];
        snprintf(read->source, sizeof(read->source), "%s", r->mixture.source[i].name);
        read->tokens = loader_rows(&r->loader, i, rows) * r->loader.context;
        read->epochs = loader_epochs(&r->loader, i, rows);
    }
}

static void fill_result(const Run *r, const PlanCost *cost, TrainResult *out)
{
    const Checkpoint *c = &r->at;
    *out = (TrainResult){ .steps = c->step,
                          .tokens = c->tokens,
                          .flops = c->flops,
                          .seconds = c->seconds,
                          .begun = r->begun,
                          .train_loss =
                              c->tail_count ? c->tail_sum / (double)c->tail_count : (double)NAN,
                          .finite = c->finite,
                          .cost = *cost,
                          .planned_bytes = train_bytes(cost),
                          .peak_bytes = r->peak - r->rest,
                          .precision = r->s.precision };
    memcpy(out->weights_sha256, c->weights_sha256, sizeof(out->weights_sha256));
    fill_reads(r, out);
    snprintf(out->data_sha256, sizeof(out->data_sha256), "%s", r->mixture.sha256);
}

static bool run_all(Run *r, TrainResult *out, Err *err)
{
    const char *path;
    if (!recipe_check(r->job->recipe, err) || !take_folder(r, err) || !open_data(r, err))
        return false;
    r->rest = r->peak = memory_anon();
    if (!open_plan(r, r->job->threads, err) || !find_place(r, &path, err)) return false;
    PlanCost cost = stepper_cost(&r->s);
    tell_planned(r, &cost);
    if (!r->at.done && !(load_place(r, path, err) && run_steps(r, err))) return false;
    fill_result(r, &cost, out);
    return true;
}

bool train_run(const TrainJob *job, TrainResult *out, Err *err)
{
    Run r;
    run_begin(&r, job);
    bool ok = run_all(&r, out, err);
    run_close(&r);
    return ok;
}

bool train_size(const char *lab, const Recipe *recipe, TrainSize *out, Err *err)
{
    Run r;
    TrainJob job = { .lab = lab, .recipe = recipe };
    run_begin(&r, &job);
    int64_t steps = 0;
    bool ok = recipe_ours(recipe, "the size of a run", err) && recipe_check(recipe, err) &&
              open_data(&r, err) && open_plan(&r, 1, err) &&
              find_steps(&recipe->knobs, &r.s, &steps, err);
    if (ok) {
        PlanCost cost = stepper_cost(&r.s);
        *out = (TrainSize){ .steps = steps,
                            .tokens_per_step = tokens_per_step(&r.s),
                            .flops_per_step = flops_of(&r.s, steps, steps) / steps,
                            .params = model_params(&r.s.model),
                            .cost = cost };
    }
    run_close(&r);
    return ok;
}
