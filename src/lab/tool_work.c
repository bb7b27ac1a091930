/* tool_work.c - beginning research, waiting for what comes of it, and taking things back.
 *
 * Runs belong to the lab's worker.  A caller that goes away stops nothing; when it comes back it
 * gives the cursor that it had and is told what happened meanwhile. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lab/await.h"
#include "lab/idea.h"
#include "lab/session.h"
#include "lab/tool_private.h"
#include "lab/worker.h"

/* ---- research ---- */

static json_t *plan_json(const SessionPlan *p)
{
    return json_pack("{s:s, s:s, s:b, s:s, s:i, s:i, s:f, s:f, s:I, s:I, s:f, s:f}", "session",
                     p->id, "question", p->question, "went_on", p->resumed, "researcher",
                     p->researcher, "experiments", p->experiments, "runs_that_measure_noise",
                     p->bank, "hours", p->hours, "seconds_per_run", p->run_seconds, "params",
                     (json_int_t)p->params, "run_tokens", (json_int_t)p->run_tokens,
                     "epochs_per_run", p->epochs, "detectable_sigma", p->detectable);
}

static bool research(ToolCall *c, json_t **out, Err *err)
{
    char who[48];
    SessionPlan plan;
    if (!c->by->program)
        return err_set(err, ERR_CONFIG, "this caller may not start the lab's worker");
    snprintf(who, sizeof(who), c->by->idle > 0 ? "agent:%g" : "agent", c->by->idle);
    SessionOpt opt = { .researcher = who,
                       .experiments = (int)json_int(c->args, "experiments", 0),
                       .hours = json_num(c->args, "hours", 1),
                       .goal = json_str(c->args, "goal", NULL) };
    if (!session_begin(c->lab, &opt, &plan, err)) return false;
    if (!worker_alive(c->lab->dir) && !worker_start(c->lab->dir, c->by->program, err)) return false;
    *out = plan_json(&plan);
    json_object_set_new(*out, "cursor", json_integer(ledger_seq(c->lab->ledger)));
    return true;
}

static const ToolArg research_args[] = {
    { .knob = { .name = "hours",
                .type = KNOB_NUMBER,
                .fallback = 1,
                .min = 0.005,
                .max = 720,
                .unit = "hours",
                .doc =
                    "what may be spent; a fifth of it trains the champion in full at the end" } },
    ARG_WHOLE("experiments", 0, 0, 1000, "how many to plan for; 0: as many as the hours allow"),
    ARG_TEXT("goal", 1000, "what it is about, for the record"),
    ARG_END,
};

const ToolDef tool_research = {
    .name = "research",
    .doc = "Begin a session, or go on with the one that is not over (then the arguments are not "
           "looked at). The lab measures its noise first, then takes up proposals. It works on "
           "when you are gone; where no proposal comes for long, its own researcher fills in.",
    .args = research_args,
    .writes = true,
    .outside = true,
    .call = research,
};

/* ---- wait ---- */

/* Asked again and again: looks only when something was appended since the last look. */
static bool wait(ToolCall *c, json_t **out, Err *err)
{
    int64_t now = ledger_seq(c->lab->ledger), cursor = json_int(c->args, "cursor", -1);
    bool first = c->begin < 0, over = false;
    bool late = clock_now() - c->begun >= (double)json_int(c->args, "seconds", 45);
    Await a = { .until = json_str(c->args, "until", "") };
    if (first && !await_known(c->lab, a.until, err)) return false;
    if (first) c->begin = cursor < 0 ? now : MIN(cursor, now);
    if (!first && !late && now == c->seen && worker_alive(c->lab->dir)) return true;
    a.cursor = c->begin;
    c->seen = now;
    if (!await_look(c->lab, &a, out, &over, err)) return false;
    if (over || late) return true;
    json_decref(*out);
    *out = NULL;
    return true;
}

static const ToolArg wait_args[] = {
    { .knob = { .name = "cursor",
                .type = KNOB_WHOLE,
                .fallback = -1,
                .min = -1,
                .max = 0x1p53,
                .doc = "from an earlier answer: what happened since is told; -1: from now on" } },
    ARG_WHOLE("seconds", 45, 0, 50, "at most so long"),
    { .knob = { .name = "until",
                .type = KNOB_TEXT,
                .text = "",
                .max = 20,
                .doc = "only until this is over: a proposal (p3), an experiment (e7), a session "
                       "(s1); else until anything is decided" } },
    ARG_END,
};

const ToolDef tool_wait = {
    .name = "wait",
    .doc = "Wait for verdicts: answers when one has fallen or when the time is up, with what "
           "happened since the cursor and a new cursor. Call it again and again. A client that "
           "speaks tasks gets a task, which with until ends when that is over, however long.",
    .args = wait_args,
    .outside = true,
    .waits = true,
    .call = wait,
};

/* ---- cancel ---- */

static bool cancel_idea(ToolCall *c, const char *id, const char *why, Err *err)
{
    json_t *waiting = NULL;
    if (!ideas_waiting(c->lab, &waiting, err)) return false;
    bool found = false;
    for (size_t i = 0; i < json_array_size(waiting); i++)
        found = found || strcmp(json_str(json_array_get(waiting, i), "id", ""), id) == 0;
    json_decref(waiting);
    if (!found) return err_set(err, ERR_CONFIG, "no idea %s waits; it may have been taken up", id);
    Buf words = { 0 };
    buf_printf(&words, "taken back by %s: %s", c->by->author, why);
    json_t *body = json_pack("{s:s, s:o}", "idea", id, "why", json_text(buf_view(&words)));
    buf_free(&words);
    return ledger_append(c->lab->ledger, "idea_refused", id, body, err);
}

static bool cancel_experiment(ToolCall *c, const char *id, const char *why, Err *err)
{
    History h;
    if (!tool_history(c, &h, err)) return false;
    const HistExp *x = history_exp(&h, id);
    bool open = x && x->decision == EXP_OPEN;
    history_close(&h);
    if (!open) return err_set(err, ERR_CONFIG, "no experiment %s is open", id);
    return ledger_append(c->lab->ledger, "veto", id,
                         json_pack("{s:s, s:o, s:o}", "target", id, "author",
                                   json_text(str_of(c->by->author)), "reason",
                                   json_text(str_of(why))),
                         err);
}

static bool cancel(ToolCall *c, json_t **out, Err *err)
{
    const char *id = json_str(c->args, "id", ""), *why = json_str(c->args, "reason", "");
    bool ok = id[0] == 'p'   ? cancel_idea(c, id, why, err)
              : id[0] == 'e' ? cancel_experiment(c, id, why, err)
                             : err_set(err, ERR_CONFIG,
                                       "%s is no idea (p3) and no experiment (e7); a session is "
                                       "stopped by a person",
                                       id);
    if (ok) *out = json_pack("{s:s}", "cancelled", id);
    return ok;
}

static const ToolArg cancel_args[] = {
    ARG_NEED("id", 24, "an idea that waits (p3) or an open experiment (e7)"),
    ARG_NEED("reason", 500, "why, for the record"),
    ARG_END,
};

const ToolDef tool_cancel = {
    .name = "cancel",
    .doc = "Take back a proposal that waits, or end an experiment that is not decided.",
    .args = cancel_args,
    .writes = true,
    .call = cancel,
};
