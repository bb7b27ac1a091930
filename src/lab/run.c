/* run.c - train, judge, record: in that order, each step safe to be killed.
 *
 * The ledger gets `recipe` and `run` before the first step, rows of the curve
 * while it goes on, and `blocks` and `result` in one transaction at the end.  A
 * run without a result is one that was interrupted. */
#include "lab/run.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "dev/dev.h"
#include "lab/apart.h"
#include "lab/diagnose.h"
#include "lab/generation.h"
#include "train/command.h"

char *lab_run_dir(const Lab *lab, const char *run)
{
    return lab_path(lab, "runs/%s", run);
}

/* ---- what it reads, and whether it was begun before ---- */

typedef struct Reading {
    char data_sha256[65];
    const char *source[MIXTURE_MAX];
    int n_sources;
} Reading;

/* Tokenizer and shards are made here if need be, before the run is in the ledger: what is
 * wrong with the data is said about the data.  Of another trainer its program is noted. */
static bool read_data(Lab *lab, const RunJob *job, Arena *out, Reading *r, Err *err)
{
    Mixture m = { 0 };
    if (command_is(job->recipe)) return command_sha256(job->recipe, r->data_sha256, err);
    if (!mixture_open_unread(&m, lab->dir, &job->recipe->knobs, out, err)) return false;
    memcpy(r->data_sha256, m.sha256, sizeof(r->data_sha256));
    r->n_sources = job->sources ? job->n_sources : m.count;
    for (int i = 0; i < r->n_sources; i++)
        r->source[i] = arena_str(out, str_of(job->sources ? job->sources[i] : m.source[i].name));
    mixture_close(&m);
    return true;
}

typedef struct Wanted {
    const RunJob *job;
    const char *data_sha256;
    char id[24];
} Wanted;

static bool same(const json_t *body, const char *key, const char *value)
{
    return strcmp(json_str(body, key, ""), value ? value : "") == 0;
}

static bool match_run(void *self, const Entry *e)
{
    Wanted *w = self;
    if ((uint64_t)json_int(e->body, "seed", -1) == w->job->seed &&
        same(e->body, "recipe", w->job->recipe->sha256) &&
        same(e->body, "data_sha256", w->data_sha256) &&
        same(e->body, "question", w->job->question) &&
        same(e->body, "replay_of", w->job->replay_of))
        snprintf(w->id, sizeof(w->id), "%s", e->id);
    return true;
}

/* Whose held-out text judges, where it is not that of the recipe; null otherwise. */
static json_t *judges(const RunJob *job)
{
    if (!job->sources) return json_null();
    json_t *names = json_array();
    for (int i = 0; i < job->n_sources; i++)
        json_array_append_new(names, json_string(job->sources[i]));
    return names;
}

static bool enter_run(Lab *lab, const RunJob *job, const char *data_sha256, char id[24], Err *err)
{
    if (!ledger_begin(lab->ledger, err)) return false;
    bool ok = lab_recipe_keep(lab, job->recipe, err) && ledger_next_id(lab->ledger, 'r', id, err);
    if (ok)
        ok = ledger_append(lab->ledger, "run", id,
                           json_pack("{s:s, s:s, s:I, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:o}", "id",
                                     id, "recipe", job->recipe->sha256, "seed",
                                     (json_int_t)job->seed, "data_sha256", data_sha256, "purpose",
                                     job->purpose, "question", job->question, "experiment",
                                     job->experiment, "session", job->session, "replay_of",
                                     job->replay_of, "judged_on", judges(job)),
                           err);
    if (ok) return ledger_commit(lab->ledger, err);
    ledger_rollback(lab->ledger);
    return false;
}

/* The id of the run, and its result if it has one.  A replay is never answered from the ledger. */
static bool begin_run(Lab *lab, const RunJob *job, const char *data_sha256, RunResult *out,
                      Err *err)
{
    Wanted wanted = { .job = job, .data_sha256 = data_sha256 };
    bool known = false;
    if (!ledger_each(lab->ledger, "run", 0, match_run, &wanted, err)) return false;
    if (wanted.id[0] && !lab_result(lab, wanted.id, out, &known, err)) return false;
    if (known && !job->replay_of) return true;
    *out = (RunResult){ 0 };
    memcpy(out->id, wanted.id, sizeof(out->id));
    if (wanted.id[0] && !known) return true;
    return enter_run(lab, job, data_sha256, out->id, err);
}

/* ---- what a run tells while it goes on ---- */

typedef struct Following {
    Lab *lab;
    const RunJob *job;
    const char *id;
    int64_t steps;
    Health health;
} Following;

static void on_planned(void *self, const PlanCost *cost, int64_t steps, int64_t tokens,
                       int64_t flops)
{
    (void)tokens;
    (void)flops;
    Following *f = self;
    f->steps = steps;
    if (f->job->watch.planned) f->job->watch.planned(f->job->watch.self, f->id, cost, steps);
}

static void on_sights(void *self, int64_t step, const Sight *sight, int n)
{
    Following *f = self;
    health_sights(&f->health, step, sight, n);
}

static bool on_rows(void *self, const StepRow *rows, int n, Err *err)
{
    Following *f = self;
    if (!ledger_steps_add(f->lab->ledger, f->id, rows, n, err) ||
        !health_keep(&f->health, f->lab, f->id, err))
        return false;
    if (n > 0 && f->job->watch.live)
        f->job->watch.live(f->job->watch.self, f->id, &rows[n - 1], f->steps);
    char news[400];
    health_rows(&f->health, rows, n);
    while (f->job->watch.note && health_news(&f->health, news))
        f->job->watch.note(f->job->watch.self, news);
    return true;
}

static void on_note(void *self, const char *text)
{
    const Following *f = self;
    if (f->job->watch.note) f->job->watch.note(f->job->watch.self, text);
}

static bool on_stop(void *self)
{
    const Following *f = self;
    return f->job->watch.stop && f->job->watch.stop(f->job->watch.self);
}

/* ---- the end of a run ---- */

static json_t *numbers(const double *x, int n)
{
    json_t *a = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(a, json_num_of(x[i]));
    return a;
}

/* How often each source was read: nothing is repeated in silence. */
static json_t *reads(const TrainResult *t)
{
    json_t *all = json_array();
    for (int i = 0; i < t->n_reads; i++)
        json_array_append_new(all, json_pack("{s:s,s:I,s:o}", "source", t->read[i].source, "tokens",
                                             (json_int_t)t->read[i].tokens, "epochs",
                                             json_num_of(t->read[i].epochs)));
    return all;
}

static json_t *result_body(const RunResult *r, const TrainResult *t, const JudgeScore *score)
{
    json_t *by_source = numbers(score->source_bpb, score->bpb > 0 ? score->n_sources : 0);
    json_t *o = json_pack(
        "{s:s, s:b, s:o, s:o, s:o, s:I, s:I, s:I, s:f, s:o, s:o, s:s, s:s, s:s, s:I, "
        "s:s, s:s, s:s, s:s, s:s, s:o}",
        "run", r->id, "failed", r->failed, "bpb", json_num_of(r->bpb), "error",
        json_num_of(score->error), "bpb_by_source", by_source, "steps", (json_int_t)r->steps,
        "tokens", (json_int_t)r->tokens, "flops", (json_int_t)r->flops, "seconds", r->seconds,
        "tokens_per_s", json_num_of(r->tokens_per_s), "train_loss", json_num_of(r->train_loss),
        "weights_sha256", r->weights_sha256, "curve_sha256", r->curve_sha256, "data_sha256",
        t->data_sha256, "planned_bytes", (json_int_t)r->planned_bytes, "text_sha256",
        score->text_sha256, "machine", cpu_model(), "level", cpu_level_name(cpu_level()),
        "precision", r->self_reported ? "" : precision_name(t->precision), "version", LATHE_VERSION,
        "read", reads(t));
    if (r->self_reported) json_object_set_new(o, "self_reported", json_true());
    if (r->metric[0]) json_object_set_new(o, "metric", json_text(str_of(r->metric)));
    if (r->why[0]) json_object_set_new(o, "why", json_text(str_of(r->why)));
    return o;
}

/* A trainer that told of no step leaves nothing to diagnose. */
static bool record(Lab *lab, const RunResult *r, const TrainResult *t, const JudgeScore *score,
                   bool curve, Err *err)
{
    if (!ledger_begin(lab->ledger, err)) return false;
    bool ok = true;
    if (score->blocks > 0)
        ok = ledger_append(lab->ledger, "blocks", r->id,
                           json_pack("{s:s, s:s, s:o, s:o}", "run", r->id, "tier", "search", "bits",
                                     numbers(score->bits, score->blocks), "bytes",
                                     numbers(score->block_bytes, score->blocks)),
                           err);
    ok = ok && ledger_append(lab->ledger, "result", r->id, result_body(r, t, score), err) &&
         (!curve || diagnose_run(lab, r->id, err));
    if (ok) return ledger_commit(lab->ledger, err);
    ledger_rollback(lab->ledger);
    return false;
}

/* Whoever's engine was changed is scored at arm's length; a rejection is why it failed. */
static bool score_apart(Lab *lab, const Recipe *recipe, const char *run, const JudgeText *text,
                        int threads, Arena *scratch, JudgeScore *score, char why[400], Err *err)
{
    ApartScore s;
    ApartWho who = { .recipe = recipe, .dir = lab_run_dir(lab, run), .threads = threads };
    if (!apart_engine(lab, recipe, &who.program, err) ||
        !apart_ask(lab, &who, text, scratch, &s, err))
        return false;
    *score = s.score;
    if (s.rejected) snprintf(why, 400, "rejected by the judge: %.370s", s.why);
    return true;
}

static bool judge_run(Lab *lab, const RunJob *job, const Reading *read, RunResult *out,
                      Arena *scratch, JudgeScore *score, Err *err)
{
    JudgeText text = { lab->dir, read->source, read->n_sources, TIER_SEARCH };
    if (apart_code(job->recipe))
        return score_apart(lab, job->recipe, out->id, &text, job->threads, scratch, score, out->why,
                           err);
    Trained *model = trained_open(lab_run_dir(lab, out->id), job->threads, scratch, err);
    if (!model) return false;
    bool ok = judge_score(lab->dir, read->source, read->n_sources, TIER_SEARCH, model, scratch,
                          score, err);
    trained_close(model);
    return ok;
}

static void take_result(const TrainResult *t, RunResult *out)
{
    out->failed = !t->finite;
    out->bpb = (double)NAN;
    out->steps = t->steps;
    out->tokens = t->tokens;
    out->flops = t->flops;
    out->seconds = t->seconds;
    out->train_loss = t->train_loss;
    out->tokens_per_s = t->seconds > 0 ? (double)t->tokens / t->seconds : 0;
    out->planned_bytes = t->planned_bytes;
    out->peak_bytes = t->peak_bytes;
    out->begun = t->begun;
    memcpy(out->weights_sha256, t->weights_sha256, sizeof(out->weights_sha256));
}

/* What another trainer said of itself. */
static bool finish_reported(Lab *lab, const Reading *read, TrainResult *t,
                            const CommandResult *told, const char *metric, RunResult *out, Err *err)
{
    JudgeScore score = { 0 };
    StepRow *row;
    int rows = 0;
    Arena scratch = arena_reserve((ptrdiff_t)1 << 32);
    bool ok = ledger_steps(lab->ledger, out->id, &scratch, &row, &rows, err);
    arena_release(&scratch);
    take_result(t, out);
    out->bpb = told->score;
    out->self_reported = true;
    snprintf(out->metric, sizeof(out->metric), "%s", metric);
    memcpy(t->data_sha256, read->data_sha256, sizeof(t->data_sha256));
    snprintf(out->why, sizeof(out->why), "%s", told->why);
    return ok && ledger_curve_sha256(lab->ledger, out->id, out->curve_sha256, err) &&
           record(lab, out, t, &score, rows > 0, err);
}

static bool finish(Lab *lab, const RunJob *job, const Reading *read, const TrainResult *t,
                   RunResult *out, Err *err)
{
    Arena scratch = arena_reserve((ptrdiff_t)1 << 34);
    JudgeScore score = { 0 };
    double begun = clock_now();
    take_result(t, out);
    bool ok = out->failed || judge_run(lab, job, read, out, &scratch, &score, err);
    if (ok && !out->failed) {
        out->bpb = score.bpb;
        out->failed = !isfinite(score.bpb);
    }
    /* Judging belongs to what a run costs: seconds of training (all calls) and of this end. */
    out->seconds = t->seconds + clock_now() - begun;
    ok = ok && ledger_curve_sha256(lab->ledger, out->id, out->curve_sha256, err) &&
         record(lab, out, t, &score, t->steps > 0, err);
    arena_release(&scratch);
    return ok;
}

bool lab_result(Lab *lab, const char *run, RunResult *out, bool *found, Err *err)
{
    json_t *b = NULL;
    *found = false;
    if (!ledger_last(lab->ledger, "result", run, &b, err)) return false;
    if (!b) return true;
    *found = true;
    *out = (RunResult){ .known = true,
                        .failed = json_is_true(json_object_get(b, "failed")),
                        .bpb = json_num(b, "bpb", (double)NAN),
                        .steps = json_int(b, "steps", 0),
                        .tokens = json_int(b, "tokens", 0),
                        .flops = json_int(b, "flops", 0),
                        .planned_bytes = json_int(b, "planned_bytes", 0),
                        .seconds = json_num(b, "seconds", 0),
                        .tokens_per_s = json_num(b, "tokens_per_s", (double)NAN),
                        .train_loss = json_num(b, "train_loss", (double)NAN),
                        .self_reported = json_is_true(json_object_get(b, "self_reported")) };
    snprintf(out->why, sizeof(out->why), "%s", json_str(b, "why", ""));
    snprintf(out->metric, sizeof(out->metric), "%s", json_str(b, "metric", ""));
    snprintf(out->id, sizeof(out->id), "%s", run);
    snprintf(out->weights_sha256, 65, "%s", json_str(b, "weights_sha256", ""));
    snprintf(out->curve_sha256, 65, "%s", json_str(b, "curve_sha256", ""));
    json_decref(b);
    return true;
}

static RunSink sink_of(Following *f)
{
    return (RunSink){ .self = f,
                      .planned = on_planned,
                      .rows = on_rows,
                      .sights = on_sights,
                      .stop = on_stop,
                      .note = on_note };
}

static bool train_here(Lab *lab, const RunJob *job, const Reading *read, RunResult *out, Err *err)
{
    Following f = { .lab = lab, .job = job, .id = out->id };
    TrainJob train = { .lab = lab->dir,
                       .dir = lab_run_dir(lab, out->id),
                       .recipe = job->recipe,
                       .seed = job->seed,
                       .threads = job->threads,
                       .sink = sink_of(&f) };
    TrainResult t = { 0 };
    health_begin(&f.health, lab, job->recipe);
    bool ok = train_run(&train, &t, err) && finish(lab, job, read, &t, out, err);
    health_end(&f.health);
    return ok;
}

/* By an engine that a patch made. */
static bool train_apart(Lab *lab, const RunJob *job, const Reading *read, RunResult *out, Err *err)
{
    Following f = { .lab = lab, .job = job, .id = out->id };
    const PlanCost unknown = { 0 };
    ApartTrain train = { .recipe = job->recipe,
                         .dir = lab_run_dir(lab, out->id),
                         .seed = job->seed,
                         .threads = job->threads,
                         .sink = sink_of(&f) };
    TrainResult t = { 0 };
    health_begin(&f.health, lab, job->recipe);
    on_planned(&f, &unknown, 0, 0, 0);
    bool ok = apart_train(lab, &train, &t, out->why, err);
    memcpy(t.data_sha256, read->data_sha256, sizeof(t.data_sha256));
    ok = ok && finish(lab, job, read, &t, out, err);
    health_end(&f.health);
    return ok;
}

static bool train_by_command(Lab *lab, const RunJob *job, const Reading *read, RunResult *out,
                             Err *err)
{
    char here[PATH_MAX];
    Following f = { .lab = lab, .job = job, .id = out->id };
    TrainResult t = { 0 };
    CommandResult told;
    const PlanCost unknown = { 0 };
    if (!realpath(lab->dir, here)) return err_errno(err, "%s", lab->dir);
    Lab absolute = { here, lab->ledger, lab->arena };
    CommandJob command = { .lab = here,
                           .run = out->id,
                           .dir = lab_run_dir(&absolute, out->id),
                           .recipe = job->recipe,
                           .seed = job->seed,
                           .sink = sink_of(&f) };
    health_begin(&f.health, lab, job->recipe);
    on_planned(&f, &unknown, 0, 0, 0);
    bool ok = command_train(&command, &t, &told, err) &&
              finish_reported(lab, read, &t, &told,
                              knobs_text(&job->recipe->knobs, "command.metric"), out, err);
    health_end(&f.health);
    return ok;
}

static bool work(Lab *lab, const RunJob *job, Arena *scratch, RunResult *out, Err *err)
{
    Reading *read = NEW(scratch, Reading, 1);
    if (!read_data(lab, job, scratch, read, err) ||
        !generation_may_judge(lab, &job->recipe->knobs, read->source, read->n_sources, err))
        return false;
    if (!begin_run(lab, job, read->data_sha256, out, err) || out->known) return out->known;
    bool ok = command_is(job->recipe)   ? train_by_command(lab, job, read, out, err)
              : apart_code(job->recipe) ? train_apart(lab, job, read, out, err)
                                        : train_here(lab, job, read, out, err);
    return ok || err_wrap(err, "run %s", out->id);
}

bool lab_run(Lab *lab, const RunJob *job, RunResult *out, Err *err)
{
    Arena scratch = arena_reserve((ptrdiff_t)1 << 32);
    *out = (RunResult){ 0 };
    bool ok = work(lab, job, &scratch, out, err);
    arena_release(&scratch);
    return ok;
}

static bool run_recipe(Lab *lab, const char *run, Recipe *out, Err *err)
{
    json_t *body = NULL;
    if (!ledger_last(lab->ledger, "run", run, &body, err)) return false;
    bool ok = body ? lab_recipe(lab, json_str(body, "recipe", ""), out, err)
                   : err_set(err, ERR_CONFIG, "there is no run %s", run);
    json_decref(body);
    return ok;
}

bool lab_run_score(Lab *lab, const char *run, int tier, const char *const *sources, int n_sources,
                   JudgeScore *out, Err *err)
{
    Arena scratch = arena_reserve((ptrdiff_t)1 << 34);
    Recipe recipe;
    Trained *model = NULL;
    char why[400] = "";
    JudgeText text = { lab->dir, sources, n_sources, tier };
    bool ok = run_recipe(lab, run, &recipe, err);
    if (ok && apart_code(&recipe)) {
        ok = score_apart(lab, &recipe, run, &text, 0, &scratch, out, why, err) &&
             (!why[0] || err_set(err, ERR_FORMAT, "%s", why));
    } else if (ok) {
        model = trained_open(lab_run_dir(lab, run), 0, &scratch, err);
        ok = model && judge_score(lab->dir, sources, n_sources, tier, model, &scratch, out, err);
    }
    if (model) trained_close(model);
    out->bits = out->block_bytes = NULL; /* they lived in the scratch */
    out->blocks = 0;
    arena_release(&scratch);
    return ok || err_wrap(err, "run %s", run);
}

/* ---- a run whose checkpoint is gone ---- */

static bool same_weights(const char *run, const TrainResult *t, const RunResult *was, Err *err)
{
    if (strcmp(t->weights_sha256, was->weights_sha256) == 0) return true;
    return err_set(err, ERR_FORMAT,
                   "trained again, run %s has other weights than the ledger says: its text or the "
                   "program has changed, and `lathe research --new` begins anew",
                   run);
}

bool lab_run_restore(Lab *lab, const char *run, int threads, RunWatch watch, Err *err)
{
    RunResult was;
    Recipe recipe;
    TrainResult t = { 0 };
    bool found = false;
    json_t *body = NULL;
    if (!lab_result(lab, run, &was, &found, err) ||
        !ledger_last(lab->ledger, "run", run, &body, err))
        return false;
    if (!found || !body) {
        json_decref(body);
        return err_set(err, ERR_CONFIG, "there is no finished run %s", run);
    }
    TrainJob job = { .lab = lab->dir,
                     .dir = lab_run_dir(lab, run),
                     .recipe = &recipe,
                     .seed = (uint64_t)json_int(body, "seed", 1),
                     .threads = threads,
                     .sink = { .self = watch.self, .stop = watch.stop, .note = watch.note } };
    bool ok =
        lab_recipe(lab, json_str(body, "recipe", ""), &recipe, err) &&
        (apart_code(&recipe)
             ? err_set(err, ERR_CONFIG,
                       "run %s has an engine of its own; `lathe replay %s` runs it again", run, run)
             : train_run(&job, &t, err)) &&
        same_weights(run, &t, &was, err);
    json_decref(body);
    return ok;
}

bool lab_replay(Lab *lab, const char *run, RunWatch watch, int threads, RunResult *was,
                RunResult *is, Err *err)
{
    bool found = false;
    if (!lab_result(lab, run, was, &found, err)) return false;
    if (!found)
        return err_set(err, ERR_CONFIG,
                       "there is no finished run %s; `lathe log --kind result` lists them", run);
    json_t *body = NULL;
    if (!ledger_last(lab->ledger, "run", run, &body, err)) return false;
    Recipe recipe;
    const char *question = json_str(body, "question", ""), *source[MIXTURE_MAX];
    const json_t *judged_on = json_object_get(body, "judged_on");
    int n = (int)MIN(json_array_size(judged_on), (size_t)MIXTURE_MAX);
    for (int i = 0; i < n; i++) source[i] = json_string_value(json_array_get(judged_on, (size_t)i));
    RunJob job = { .recipe = &recipe,
                   .sources = n > 0 ? source : NULL,
                   .n_sources = n,
                   .seed = (uint64_t)json_int(body, "seed", 1),
                   .purpose = "replay",
                   .question = question[0] ? question : NULL,
                   .replay_of = run,
                   .threads = threads,
                   .watch = watch };
    bool ok =
        lab_recipe(lab, json_str(body, "recipe", ""), &recipe, err) && lab_run(lab, &job, is, err);
    json_decref(body);
    return ok;
}
