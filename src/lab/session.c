/* session.c - planning a session.
 *
 * A run may cost at most budget / (bank + 3.4 x proposals + headline).  The rule
 * pays 2.4 runs for a proposal where one in ten is real (docs/honest.md, section
 * 4); a recipe that nobody has tuned yet has more to gain, and a keep costs about
 * seven: 3.4 is right for one keep in three, and leaves time over otherwise.  A fifth of the hours
 * is kept to train the champion in full.  How many FLOPs that is, is measured: a few seconds of the
 * first recipe on this machine, judged once. */
#include "lab/session.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/mixture.h"
#include "judge/judge.h"
#include "lab/known_noise.h"
#include "train/command.h"
#include "train/train.h"

static const double RUNS_PER_PROPOSAL = 3.4, CHAMPION_SHARE = 0.2, FLOOR = 0.001;
enum { PROBE_STEPS = 24, MAX_EPOCHS = 8 };

/* ---- the question ---- */

typedef struct Ground { /* what a question stands on */
    Recipe recipe;
    const char *source[MIXTURE_MAX];
    int n_sources;
    char data_sha256[65]; /* of the manifests of the sources: text and tiers, not the tokenizer */
    int64_t tokens, bytes;
} Ground;

/* Another trainer brings its own text, and is told of the lab's where its recipe names it. */
static bool told_sources(Lab *lab, Ground *g, Err *err)
{
    Str rest = str_of(knobs_text(&g->recipe.knobs, "data.sources")), name;
    while (str_cut(&rest, ',', &name)) {
        if (str_trim(name).len == 0) continue;
        if (g->n_sources == MIXTURE_MAX)
            return err_set(err, ERR_CONFIG, "data.sources names more than %d data sets",
                           MIXTURE_MAX);
        g->source[g->n_sources++] = arena_str(lab->arena, str_trim(name));
    }
    return true;
}

/* The names of the sources become part of the recipe: "all that the lab has" would change its
 * meaning with the next `data add`. */
static bool name_sources(Lab *lab, Ground *g, Err *err)
{
    Mixture m = { 0 };
    if (command_is(&g->recipe)) return told_sources(lab, g, err);
    if (!mixture_open(&m, lab->dir, &g->recipe.knobs, lab->arena, err)) return false;
    Buf names = { 0 };
    g->n_sources = m.count;
    g->tokens = m.tokens;
    g->bytes = m.bytes;
    for (int i = 0; i < m.count; i++) {
        g->source[i] = arena_str(lab->arena, str_of(m.source[i].name));
        buf_printf(&names, "%s%s", i ? "," : "", m.source[i].name);
    }
    mixture_close(&m);
    bool ok = true;
    if (!knobs_text(&g->recipe.knobs, "data.sources")[0])
        ok = knobs_set(&g->recipe.knobs, "data.sources", buf_view(&names), "the lab", err);
    buf_free(&names);
    recipe_seal(&g->recipe);
    return ok;
}

bool session_data_sha256(Lab *lab, const char *const *source, int n, const Recipe *recipe,
                         char out[65], Err *err)
{
    Sha256 sha;
    char program[65];
    sha256_begin(&sha);
    if (command_is(recipe)) {
        if (!command_sha256(recipe, program, err)) return false;
        sha256_add(&sha, program, 64);
    }
    for (int i = 0; i < n; i++) {
        json_t *manifest = NULL;
        if (!corpus_manifest(lab->dir, source[i], &manifest, err)) return false;
        Buf text = { 0 };
        json_write(manifest, false, &text);
        sha256_add(&sha, text.at, text.len);
        buf_free(&text);
        json_decref(manifest);
    }
    sha256_end_hex(&sha, out);
    return true;
}

static bool find_ground(Lab *lab, const SessionOpt *opt, Ground *g, Err *err)
{
    const char *from;
    bool ok = opt->recipe ? recipe_read(&g->recipe, opt->recipe, lab->arena, err)
                          : lab_champion(lab, &g->recipe, &from, err);
    for (int i = 0; ok && i < opt->n_overrides; i++)
        ok = recipe_override(&g->recipe, opt->overrides[i], "-s", err);
    return ok && recipe_check(&g->recipe, err) && name_sources(lab, g, err) &&
           session_data_sha256(lab, g->source, g->n_sources, &g->recipe, g->data_sha256, err);
}

/* Why the open question cannot be gone on with; NULL if it can. */
static const char *what_changed(const History *h, const SessionOpt *opt, const Ground *g)
{
    if (!h->question[0]) return "the first question of this lab";
    if (opt->fresh) return "a new question was asked for";
    if (opt->n_overrides || opt->recipe) return "another recipe was given to begin from";
    if (strcmp(json_str(h->body, "data_sha256", ""), g->data_sha256) != 0)
        return command_is(&g->recipe) ? "the trainer's program or the data have changed since the "
                                        "last question"
                                      : "the data have changed since the last question";
    if (strcmp(h->champion, g->recipe.sha256) != 0)
        return "recipes/champion.toml was edited since the last question";
    return NULL;
}

static bool open_question(Lab *lab, const SessionOpt *opt, const Ground *g, const History *h,
                          const SessionPlan *p, Err *err)
{
    const char *id = p->question, *why = p->note;
    json_t *names = json_array();
    for (int i = 0; i < g->n_sources; i++) json_array_append_new(names, json_string(g->source[i]));
    const char *parent = h->question[0] ? h->question : NULL;
    json_t *body = json_pack("{s:s, s:o, s:s, s:s, s:f, s:s, s:s?, s:s, s:I}", "id", id, "sources",
                             names, "data_sha256", g->data_sha256, "frame",
                             knobs_choice(&g->recipe.knobs, "budget.frame"), "target_params",
                             p->params, "recipe", g->recipe.sha256, "parent", parent, "why", why,
                             "first_seed", (json_int_t)MAX(opt->first_seed, 1));
    if (command_is(&g->recipe)) {
        const char *metric = knobs_text(&g->recipe.knobs, "command.metric");
        json_object_set_new(body, "scores", json_string("self-reported"));
        json_object_set_new(body, "metric", json_text(str_of(metric)));
    }
    return lab_recipe_keep(lab, &g->recipe, err) &&
           ledger_append(lab->ledger, "question", id, body, err);
}

/* ---- how fast is this machine ---- */

typedef struct Speed {
    double per_s; /* FLOPs or tokens of the budget's frame, a second */
    double step;  /* what one step takes of them */
    double tokens_per_s;
    double judge_seconds;
} Speed;

static bool probe_steps(Lab *lab, const Recipe *recipe, const char *dir, int threads, double steps,
                        TrainResult *out, Err *err)
{
    Recipe r;
    recipe_copy(&r, recipe, lab->arena);
    if (!knobs_set_number(&r.knobs, "train.steps", steps, err)) return false;
    recipe_seal(&r);
    TrainJob job = { .lab = lab->dir, .dir = dir, .recipe = &r, .seed = 1, .threads = threads };
    return file_remove_tree(dir, err) && train_run(&job, out, err);
}

/* Another trainer is tried with a tenth of its budget: does it work at all, and how long does it
 * take?  What it takes beyond a budget of time is its own beginning and end. */
static bool probe_command(Lab *lab, const Ground *g, Speed *out, Err *err)
{
    const char *name = arena_printf(lab->arena, "probe-%ld", (long)getpid());
    char here[PATH_MAX];
    Recipe r;
    TrainResult t;
    CommandResult told;
    if (!realpath(lab->dir, here)) return err_errno(err, "%s", lab->dir);
    recipe_copy(&r, &g->recipe, lab->arena);
    double tenth = knobs_number(&r.knobs, recipe_budget(&r)) / 10;
    if (!recipe_spend(&r, tenth, err)) return false;
    CommandJob job = { .lab = here,
                       .run = name,
                       .dir = arena_printf(lab->arena, "%s/runs/%s", here, name),
                       .recipe = &r,
                       .seed = 1 };
    if (!command_train(&job, &t, &told, err)) return false;
    if (!t.finite)
        return err_set(err, ERR_CONFIG, "the trainer was tried with a tenth of its budget: %s",
                       told.why);
    bool time = strcmp(knobs_choice(&r.knobs, "budget.frame"), "time") == 0;
    *out = (Speed){ .per_s = time ? 1 : tenth / MAX(t.seconds, 1e-3),
                    .judge_seconds = time ? MAX(t.seconds - tenth, 0) : 0,
                    .tokens_per_s = (double)t.tokens / MAX(t.seconds, 1e-3) };
    return file_remove_tree(job.dir, err);
}

/* A second or so of training after a first look, but no more than a run is going to have (`most`
 * steps; 0: not known yet), then one reading of the search tier. */
static bool probe(Lab *lab, const Ground *g, int threads, int64_t most, Speed *out, Err *err)
{
    const char *dir = lab_path(lab, "runs/probe-%ld", (long)getpid());
    TrainResult t = { 0 };
    if (command_is(&g->recipe)) return probe_command(lab, g, out, err);
    bool ok = probe_steps(lab, &g->recipe, dir, threads, PROBE_STEPS, &t, err);
    double more = PROBE_STEPS + floor(PROBE_STEPS / MAX(t.seconds, 0.01));
    if (most > 0) more = MIN(more, (double)most);
    if (ok && t.seconds < 0.5 && more > PROBE_STEPS)
        ok = probe_steps(lab, &g->recipe, dir, threads, more, &t, err);
    double begun = clock_now();
    Trained *model = ok ? trained_open(dir, threads, lab->arena, err) : NULL;
    JudgeScore score = { 0 };
    ok = model && judge_score(lab->dir, g->source, g->n_sources, TIER_SEARCH, model, lab->arena,
                              &score, err);
    if (model) trained_close(model);
    out->judge_seconds = clock_now() - begun;
    bool flops = strcmp(knobs_choice(&g->recipe.knobs, "budget.frame"), "flops") == 0;
    out->tokens_per_s = (double)t.tokens / MAX(t.seconds, 1e-3);
    out->per_s = (double)(flops ? t.flops : t.tokens) / MAX(t.seconds, 1e-3);
    out->step = (double)(flops ? t.flops : t.tokens) / (double)MAX(t.steps, 1);
    Err ignored = { 0 };
    return file_remove_tree(dir, ok ? err : &ignored) && ok;
}

/* ---- the plan ---- */

static double three_digits(double x)
{
    double unit = pow(10, floor(log10(x)) - 2);
    return floor(x / unit) * unit;
}

/* Another trainer's recipe says what its runs spend. */
static bool budget_given(const SessionOpt *opt, const Recipe *recipe)
{
    if (command_is(recipe)) return true;
    for (int i = 0; i < opt->n_overrides; i++)
        if (strncmp(opt->overrides[i], "budget.", 7) == 0 ||
            strncmp(opt->overrides[i], "train.steps", 11) == 0)
            return true;
    return false;
}

static bool size_runs(const SessionOpt *opt, bool keep_budget, const Speed *speed, Ground *g,
                      SessionPlan *p, Err *err)
{
    const char *knob = recipe_budget(&g->recipe);
    double runs = p->bank + RUNS_PER_PROPOSAL * p->experiments + HEADLINE_RUNS;
    double overhead = speed->judge_seconds + 0.1, least = MAX(0.5, speed->step / speed->per_s);
    if (keep_budget) {
        p->run_flops = knobs_number(&g->recipe.knobs, knob);
        p->run_seconds = p->run_flops / speed->per_s + overhead;
    } else {
        p->run_seconds = p->research_seconds / runs;
        double training = p->run_seconds - overhead;
        if (training < least)
            return err_set(err, ERR_CONFIG,
                           "%.3g hours are too short for %d experiments: a run would have %.1f s, "
                           "%.1f s of it for judging; give --hours %.2g or fewer --experiments",
                           opt->hours, p->experiments, MAX(p->run_seconds, 0.0), overhead,
                           runs * (overhead + 2 * least) / 3600 / (1 - CHAMPION_SHARE));
        p->run_flops = three_digits(training * speed->per_s);
        if (!recipe_spend(&g->recipe, p->run_flops, err)) return false;
    }
    p->run_tokens = p->run_flops / speed->per_s * speed->tokens_per_s;
    p->tokens_per_s = speed->tokens_per_s;
    p->epochs = g->tokens > 0 ? p->run_tokens / (double)g->tokens : 0;
    /* The champion gets its fifth, but no more than eight epochs: beyond that a run learns its
     * text by heart (Muennighoff et al. 2023: repeats lose their worth). */
    double most = p->run_flops * MAX(1, MAX_EPOCHS / MAX(p->epochs, 1e-9));
    double fifth =
        p->hours > 0 ? CHAMPION_SHARE * p->hours * 3600 * speed->per_s : 4 * p->run_flops;
    p->champion_flops = three_digits(MAX(p->run_flops, MIN(fifth, most)));
    return true;
}

/* How many: what was asked for, or about what leaves a run of half a minute. */
static int experiments_for(const SessionOpt *opt)
{
    if (opt->experiments > 0) return opt->experiments;
    double n = opt->hours * 3600 * (1 - CHAMPION_SHARE) / (RUNS_PER_PROPOSAL * 30);
    return (int)MIN(MAX(n, 8), 200);
}

static bool enter_session(Lab *lab, const SessionOpt *opt, const SessionPlan *p, Err *err)
{
    json_t *planned = json_pack(
        "{s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "seconds_per_run", p->run_seconds, "epochs",
        p->epochs, "detectable_sigma", p->detectable, "research_seconds", p->research_seconds,
        "params", p->params, "run_tokens", p->run_tokens, "tokens_per_s", p->tokens_per_s);
    if (p->sigma.s > 0)
        json_object_set_new(planned, "sigma",
                            json_pack("{s:f, s:f, s:f, s:b}", "s", p->sigma.s, "low", p->sigma.low,
                                      "high", p->sigma.high, "borrowed", p->sigma.borrowed));
    json_t *body =
        json_pack("{s:s, s:s, s:o, s:o?, s:i, s:f, s:i, s:i, s:i, s:f, s:f, s:f, s:o, s:s}", "id",
                  p->id, "question", p->question, "researcher", json_text(str_of(p->researcher)),
                  "goal", opt->goal ? json_text(str_of(opt->goal)) : NULL, "experiments",
                  p->experiments, "hours", p->hours, "bank", p->bank, "threads", p->threads, "race",
                  p->race, "run_budget", p->run_flops, "champion_budget", p->champion_flops,
                  "floor", p->floor, "planned", planned, "note", p->note);
    if (opt->model) json_object_set_new(body, "model", json_deep_copy(opt->model));
    return ledger_append(lab->ledger, "session", p->id, body, err);
}

/* Question and session stand or fall together.  Where somebody else began a session while this one
 * was being planned, that one is gone on with. */
static bool write_down(Lab *lab, const SessionOpt *opt, const Ground *g, const History *h,
                       const char *why, SessionPlan *p, Err *err)
{
    char session[24], question[24];
    SessionPlan other;
    bool begun = false;
    if (!ledger_begin(lab->ledger, err)) return false;
    bool ok = session_unfinished(lab, &other, &begun, err);
    if (ok && begun) {
        ledger_rollback(lab->ledger);
        *p = other;
        return true;
    }
    ok = ok && ledger_next_id(lab->ledger, 's', session, err);
    p->id = arena_str(lab->arena, str_of(session));
    p->question = h->question;
    if (ok && why) {
        ok = ledger_next_id(lab->ledger, 'q', question, err);
        p->question = arena_str(lab->arena, str_of(question));
        ok = ok && open_question(lab, opt, g, h, p, err);
    }
    ok = ok && enter_session(lab, opt, p, err);
    if (ok) return ledger_commit(lab->ledger, err);
    ledger_rollback(lab->ledger);
    return false;
}

static bool plan_new_session(Lab *lab, const History *h, const SessionOpt *opt, SessionPlan *p,
                             Err *err)
{
    Ground *g = NEW(lab->arena, Ground, 1);
    Speed speed = { 0 };
    TrainSize size = { 0 };
    if (!find_ground(lab, opt, g, err)) return false;
    const char *why = what_changed(h, opt, g);
    bool fixed = budget_given(opt, &g->recipe), keep_budget = fixed || !why;
    double hours = opt->hours > 0 ? opt->hours : fixed ? 0 : 1;
    SessionOpt o = *opt;
    o.hours = hours;
    *p = (SessionPlan){ .researcher = opt->researcher ? opt->researcher : "builtin",
                        .experiments = experiments_for(&o),
                        .threads = opt->threads,
                        .race = opt->race,
                        .hours = hours,
                        .research_seconds = hours * 3600 * (1 - CHAMPION_SHARE),
                        .floor = FLOOR,
                        .note = why ? why : "" };
    p->bank = verdict_first_bank(p->experiments);
    p->detectable = verdict_detectable(p->bank, p->experiments);
    if (!command_is(&g->recipe)) {
        if (!train_size(lab->dir, &g->recipe, &size, err)) return false;
        p->params = (double)size.params;
        if (!known_noise(lab, p->params, knobs_choice(&g->recipe.knobs, "budget.frame"), &p->sigma,
                         err))
            return false;
    }
    if (!probe(lab, g, opt->threads, keep_budget ? size.steps : 0, &speed, err)) return false;
    return size_runs(&o, keep_budget, &speed, g, p, err) && write_down(lab, &o, g, h, why, p, err);
}

/* ---- from the ledger ---- */

static void read_plan(Lab *lab, const json_t *b, SessionPlan *p)
{
    const json_t *planned = json_object_get(b, "planned");
    const json_t *sigma = json_object_get(planned, "sigma");
    *p = (SessionPlan){ .id = arena_str(lab->arena, str_of(json_str(b, "id", ""))),
                        .question = arena_str(lab->arena, str_of(json_str(b, "question", ""))),
                        .researcher = arena_str(lab->arena, str_of(json_str(b, "researcher", ""))),
                        .note = arena_str(lab->arena, str_of(json_str(b, "note", ""))),
                        .experiments = (int)json_int(b, "experiments", 0),
                        .bank = (int)json_int(b, "bank", 0),
                        .threads = (int)json_int(b, "threads", 0),
                        .race = (int)json_int(b, "race", 0),
                        .hours = json_num(b, "hours", 0),
                        .run_flops = json_num(b, "run_budget", 0),
                        .champion_flops = json_num(b, "champion_budget", 0),
                        .floor = json_num(b, "floor", FLOOR),
                        .run_seconds = json_num(planned, "seconds_per_run", 0),
                        .epochs = json_num(planned, "epochs", 0),
                        .detectable = json_num(planned, "detectable_sigma", 0),
                        .sigma = { .s = json_num(sigma, "s", 0),
                                   .low = json_num(sigma, "low", 0),
                                   .high = json_num(sigma, "high", 0),
                                   .borrowed = json_is_true(json_object_get(sigma, "borrowed")) },
                        .research_seconds = json_num(planned, "research_seconds", 0),
                        .params = json_num(planned, "params", 0),
                        .run_tokens = json_num(planned, "run_tokens", 0),
                        .tokens_per_s = json_num(planned, "tokens_per_s", 0),
                        .resumed = true };
}

bool session_unfinished(Lab *lab, SessionPlan *plan, bool *found, Err *err)
{
    json_t *begun = NULL, *ended = NULL;
    *found = false;
    if (!ledger_last(lab->ledger, "session", NULL, &begun, err)) return false;
    if (!begun) return true;
    bool ok = ledger_last(lab->ledger, "session_end", json_str(begun, "id", ""), &ended, err);
    if (ok && !ended) {
        read_plan(lab, begun, plan);
        *found = true;
    }
    json_decref(begun);
    json_decref(ended);
    return ok;
}

/* Planning takes seconds to minutes, and nothing is in the ledger yet: a lock that nobody waits for
 * says that it goes on. */
static const char planning[] = "planning.lock";

bool session_planning(const char *lab)
{
    char path[PATH_MAX];
    int fd = -1;
    Err err = { 0 };
    snprintf(path, sizeof(path), "%s/%s", lab, planning);
    if (!file_exists(path)) return false;
    if (!file_lock(path, &fd, &err)) return err.code == ERR_BUSY;
    file_unlock(fd);
    return false;
}

bool session_begin(Lab *lab, const SessionOpt *opt, SessionPlan *plan, Err *err)
{
    bool found = false;
    History h;
    int lock = -1;
    Err busy = { 0 }; /* two may plan at once: one of them is shown, one session comes of it */
    if (!session_unfinished(lab, plan, &found, err) || found) return found;
    bool marked = file_lock(lab_path(lab, planning), &lock, &busy);
    bool ok = history_open(&h, lab, err) && plan_new_session(lab, &h, opt, plan, err);
    history_close(&h);
    if (marked) file_unlock(lock);
    return ok;
}

/* ---- the result as JSON ---- */

void session_left_words(const json_t *closing, Buf *out)
{
    const json_t *left = json_object_get(closing, "left");
    double effect = json_num(left, "effect", (double)NAN),
           gain = json_num(left, "gain", (double)NAN);
    if (!isfinite(effect) || !isfinite(gain)) return;
    buf_printf(
        out,
        "%d proposal%s since the last keep: at most %.0f %% of such gain %.4f bpb, and those "
        "left may bring %.4f together (floor %.4f)",
        (int)json_int(left, "tried", 0), json_int(left, "tried", 0) == 1 ? "" : "s",
        100 * json_num(left, "share", 1), effect, gain, json_num(left, "floor", 0));
}

static const char *const decisions[] = { "running", "keep", "drop", "undecided", "vetoed" };

static json_t *experiment_json(const HistExp *x)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:i, s:f}", "id", x->id,
                     "title", x->title, "author", x->author, "verdict", decisions[x->decision],
                     "effect", json_num_of(x->effect), "low", json_num_of(x->low), "high",
                     json_num_of(x->high), "predicted", json_num_of(x->predicted), "probability",
                     json_num_of(x->P), "runs", x->runs, "seconds", x->seconds);
}

static json_t *recipe_json(const History *h, const char *recipe)
{
    int n = 0;
    double bpb = history_bank_mean(h, recipe, &n);
    return json_pack("{s:s, s:o, s:i}", "recipe", recipe, "bpb", json_num_of(bpb), "runs", n);
}

static json_t *result_json(const History *h, const char *session, const json_t *end,
                           const json_t *closing, json_t *headline)
{
    json_t *list = json_array();
    for (int i = 0; i < h->exps; i++)
        if (strcmp(h->exp[i].session, session) == 0)
            json_array_append_new(list, experiment_json(&h->exp[i]));
    Noise noise = history_noise(h, NULL);
    json_t *left = json_object_get(closing, "left");
    return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:O, s:O, s:o}", "lab",
                     json_text(str_of(h->lab->dir)), "session", session, "scores",
                     history_reported(h) ? "self-reported" : "judged", "metric",
                     json_text(str_of(history_metric(h))), "baseline", recipe_json(h, h->baseline),
                     "champion", recipe_json(h, h->champion), "sigma", json_num_of(noise_s(&noise)),
                     "stopped_because", json_str(end, "text", "it has not ended"), "report",
                     json_str(end, "report", ""), "headline", headline ? headline : json_null(),
                     "left", left ? left : json_null(), "experiments", list);
}

bool session_json(Lab *lab, const char *session, json_t **out, Err *err)
{
    History h;
    json_t *end = NULL, *headline = NULL, *closing = NULL;
    bool ok = history_open(&h, lab, err) &&
              ledger_last(lab->ledger, "closing", session, &closing, err) &&
              ledger_last(lab->ledger, "session_end", session, &end, err) &&
              ledger_last(lab->ledger, "headline", session, &headline, err);
    if (ok) *out = result_json(&h, session, end, closing, headline);
    json_decref(closing);
    json_decref(end);
    json_decref(headline);
    history_close(&h);
    return ok;
}
