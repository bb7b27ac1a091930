/* cmd_research.c - `lathe research`: the main job.
 *
 * Begins a session or goes on with the unfinished one, hands it to the lab's
 * worker and looks on.  Ctrl-C stops the worker cleanly; a closed terminal does
 * not. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cmd.h"
#include "cli/follow.h"
#include "cli/model_config.h"
#include "lab/researcher.h"

enum { OVERRIDES_MAX = 64 };

static const CmdOpt opts[] = {
    { "experiments", 'n', "N", "decide so many proposals; without it, as many as the hours allow" },
    { "hours", 0, "H",
      "spend so much time, a fifth of it on the champion; 1 unless -s gives a budget" },
    { "researcher", 0, "WHO",
      "who proposes: builtin, claude, openai, hybrid (built-in and model in turns), agent (waits "
      "for `lathe mcp` and `lathe propose`), scripted:FILE, random (the yardstick) or aa (tests "
      "the judge); builtin" },
    { "recipe", 0, "FILE", "begin from this recipe, as a new question; else the champion" },
    { "set", 's', "KNOB=VALUE",
      "change a knob of the first recipe, as a new question; again for more" },
    { "goal", 0, "TEXT", "what it is about, for the record" },
    { "threads", 0, "N", "processor threads; results do not depend on it" },
    { "new", 0, NULL, "open a new question even where one is open" },
    { "race", 0, "K",
      "so many proposals at once on one budget of runs, the most promising first; 1" },
    { "first-seed", 0, "N", "seeds of a new question begin here: with others it is a replicate" },
    { "model", 0, "NAME", "the language model that proposes; alone it means --researcher hybrid" },
    MODEL_OPTS,
    { "without-model", 0, "WHAT",
      "when it refuses or cannot be asked: builtin goes on with the built-in one, wait waits for "
      "a person; builtin" },
    { "detach", 0, NULL, "do not look on; `lathe watch` does later" },
    { 0 },
};

static bool no_researcher(const char *name, Err *err)
{
    Buf all = { 0 };
    int n;
    const ResearcherDef *const *r = researcher_all(&n);
    for (int i = 0; i < n; i++) buf_printf(&all, "%s%s", i ? ", " : "", r[i]->name);
    err_set(err, ERR_CONFIG, "no researcher '%s'; there are %s", name, all.at);
    buf_free(&all);
    return false;
}

/* ---- a language model ---- */

/* What stands in the session's entry; no key. */
static bool session_model(const Cmd *c, const ResearcherDef *who, json_t *config, Err *err)
{
    const char *name = cmd_value(c, "model", strcmp(who->name, "claude") ? "" : "claude-opus-5-5");
    const char *without = cmd_value(c, "without-model", "builtin");
    if (!name[0]) return err_set(err, ERR_CONFIG, "--researcher %s needs --model NAME", who->name);
    if (strcmp(without, "builtin") != 0 && strcmp(without, "wait") != 0)
        return err_set(err, ERR_CONFIG, "--without-model is builtin or wait");
    json_object_set_new(config, "without", json_string(without));
    return model_config(c, who->model, name, config, err);
}

static bool choose_model(Cmd *c, Lab *lab, SessionOpt *o, json_t *config, Err *err)
{
    const char *rest;
    TalkPlan plan;
    if (!o->researcher && cmd_has(c, "model")) o->researcher = "hybrid";
    const ResearcherDef *who = researcher_find(o->researcher ? o->researcher : "builtin", &rest);
    if (!who->model) {
        if (!cmd_has(c, "model")) return true;
        return err_set(err, ERR_CONFIG, "--researcher %s asks no language model; leave --model out",
                       who->name);
    }
    o->model = config;
    return session_model(c, who, config, err) && model_config_meet(c, lab, config, &plan, err);
}

/* ---- the session ---- */

static bool read_options(const Cmd *c, SessionOpt *o, Err *err)
{
    double experiments, threads, race;
    const char **set = NEW(c->arena, const char *, OVERRIDES_MAX);
    if (!cmd_number(c, "experiments", 0, 1, 10000, &experiments, err) ||
        !cmd_number(c, "hours", 0, 0.001, 24 * 365, &o->hours, err) ||
        !cmd_number(c, "race", 1, 1, 64, &race, err) ||
        !cmd_number(c, "first-seed", 1, 1, 1e15, &o->first_seed, err) ||
        !cmd_number(c, "threads", 0, 1, 1024, &threads, err))
        return false;
    o->experiments = (int)experiments;
    o->threads = (int)threads;
    o->race = (int)race;
    o->researcher = cmd_value(c, "researcher", NULL);
    o->recipe = cmd_value(c, "recipe", NULL);
    o->goal = cmd_value(c, "goal", NULL);
    o->fresh = cmd_has(c, "new");
    while (o->n_overrides < OVERRIDES_MAX && cmd_nth(c, "set", o->n_overrides)) {
        set[o->n_overrides] = cmd_nth(c, "set", o->n_overrides);
        o->n_overrides++;
    }
    o->overrides = set;
    const char *rest;
    if (o->researcher && !researcher_find(o->researcher, &rest))
        return no_researcher(o->researcher, err);
    return true;
}

static bool stop_worker(Lab *lab, Err *err)
{
    fprintf(stderr, "stopping; the run is checkpointed first\n");
    if (!worker_tell(lab, "stop", err)) return false;
    if (!worker_wait_gone(lab->dir, 60))
        return err_set(err, ERR_BUSY,
                       "the worker is still at work after a minute; `lathe status` shows at what");
    return err_set(err, ERR_STOPPED, "stopped; the same command goes on from here");
}

static bool print_result(Cmd *c, Lab *lab, const char *session, Err *err)
{
    json_t *result = NULL;
    if (!session_json(lab, session, &result, err)) return false;
    if (c->json) {
        cmd_print_json(result);
        return true;
    }
    const json_t *first = json_object_get(result, "baseline"),
                 *last = json_object_get(result, "champion");
    const json_t *headline = json_object_get(result, "headline");
    Buf left = { 0 };
    session_left_words(result, &left);
    printf("stopped because %s\n", json_str(result, "stopped_because", ""));
    if (left.len > 0) printf("what is left  %s\n", left.at);
    buf_free(&left);
    const char *unit = json_str(result, "metric", "bpb");
    bool judged = strcmp(json_str(result, "scores", ""), "judged") == 0;
    if (json_int(first, "runs", 0) > 0)
        printf("first recipe  %.4f %.60s\nchampion      %.4f %.60s (recipes/champion.toml)\n",
               json_num(first, "bpb", 0), unit, json_num(last, "bpb", 0), unit);
    if (json_is_object(headline))
        printf("headline      gain %.4f %.60s%s, interval %.4f to %.4f, four fresh seeds each\n",
               json_num(headline, "gain", 0), unit,
               judged ? " on the audit tier" : ", self-reported", json_num(headline, "low", 0),
               json_num(headline, "high", 0));
    if (judged) printf("talk to it    lathe sample champion | lathe chat champion\n");
    printf("%s\n", json_str(result, "report", ""));
    json_decref(result);
    return true;
}

static bool run(Cmd *c, Err *err)
{
    Lab lab;
    SessionOpt opt = { 0 };
    SessionPlan plan;
    if (!read_options(c, &opt, err) || !lab_open(&lab, c->lab, LEDGER_WRITE, c->arena, err))
        return false;
    bool alive = worker_alive(lab.dir);
    int64_t from = ledger_seq(lab.ledger);
    json_t *model = json_object();
    bool begun = choose_model(c, &lab, &opt, model, err) && session_begin(&lab, &opt, &plan, err);
    json_decref(model);
    if (!begun) return false;
    if (alive)
        fprintf(stderr, "a worker is at work on this; looking on\n");
    else if (plan.resumed)
        fprintf(stderr, "going on with the session that was begun\n");
    follow_plan(&plan);
    if (!alive && !worker_start(lab.dir, c->program, err)) return false;
    if (cmd_has(c, "detach")) return true;
    bool interrupted = false;
    if (!follow_worker(&lab, from, &interrupted, err)) return false;
    if (interrupted) return stop_worker(&lab, err);
    bool unfinished = false;
    SessionPlan left;
    if (!session_unfinished(&lab, &left, &unfinished, err)) return false;
    if (unfinished)
        return err_set(err, ERR_STOPPED, "the worker was stopped; the same command goes on");
    bool ok = print_result(c, &lab, plan.id, err);
    lab_close(&lab);
    return ok;
}

const CmdDef cmd_research = {
    .name = "research",
    .doc = "propose, run, judge, record: the main job",
    .more = "Measures the noise of the first recipe, then decides proposals one after another: "
            "each is run "
            "against the champion until the evidence is clear, kept or dropped, and written down "
            "with its "
            "effect and interval. At the end the champion is trained in full and a report is "
            "written.\n\n"
            "The work belongs to a detached worker of the lab. A second `lathe research` looks on; "
            "Ctrl-C "
            "stops cleanly, and the same command goes on; a closed terminal stops nothing.",
    .opts = opts,
    .needs_lab = true,
    .json = true,
    .run = run,
};
