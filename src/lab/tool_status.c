/* tool_status.c - where the lab stands and what may still be spent. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "lab/spend.h"
#include "lab/tool_private.h"
#include "lab/worker.h"

/* What the worker is at; "stopped": a session waits to be gone on with. */
static json_t *work_json(const WorkerState *at, bool alive, bool unfinished)
{
    const char *state = alive ? at->paused ? "paused" : "working" : unfinished ? "stopped" : "idle";
    json_t *o = json_pack("{s:s}", "state", state);
    if (!alive) {
        if (at->error[0]) json_object_set_new(o, "ended_with", json_text(str_of(at->error)));
        return o;
    }
    json_object_set_new(o, "doing", json_text(str_of(at->doing)));
    if (at->run[0]) {
        json_object_set_new(o, "run", json_string(at->run));
        json_object_set_new(o, "step", json_integer(at->step));
        json_object_set_new(o, "steps", json_integer(at->steps));
        json_object_set_new(o, "loss", json_num_of(at->loss));
    }
    return o;
}

static int decided_here(const History *h, const char *session, int *proposed)
{
    int n = 0;
    *proposed = 0;
    for (int i = 0; i < h->exps; i++) {
        if (!history_is_idea(&h->exp[i]) || strcmp(h->exp[i].session, session) != 0) continue;
        ++*proposed;
        n += h->exp[i].decision != EXP_OPEN;
    }
    return n;
}

/* The session that is not over yet, and what is left of it. */
static json_t *session_json_of(const History *h, const SessionPlan *p)
{
    int proposed, decided = decided_here(h, p->id, &proposed);
    double worked = history_worked(h, clock_date());
    json_t *o =
        json_pack("{s:s, s:s, s:i, s:i, s:i, s:f}", "id", p->id, "researcher", p->researcher,
                  "experiments_planned", p->experiments, "decided", decided, "experiments_left",
                  MAX(p->experiments - proposed, 0), "seconds_per_run", p->run_seconds);
    if (p->research_seconds > 0)
        json_object_set_new(o, "seconds_left", json_real(MAX(p->research_seconds - worked, 0)));
    json_object_set_new(o, "params", json_integer((json_int_t)p->params));
    json_object_set_new(o, "run_tokens", json_integer((json_int_t)p->run_tokens));
    json_object_set_new(o, "epochs_per_run", json_real(p->epochs));
    return o;
}

static json_t *question_json(const History *h)
{
    int n = 0, open = 0;
    Noise noise = history_noise(h, NULL);
    for (int i = 0; i < h->exps; i++) open += h->exp[i].decision == EXP_OPEN;
    return json_pack("{s:s, s:s, s:o, s:O?, s:s, s:i, s:i, s:i, s:o, s:o, s:o, s:i, s:i}", "id",
                     h->question, "scores", history_reported(h) ? "self-reported" : "judged",
                     "metric", json_text(str_of(history_metric(h))), "sources",
                     json_object_get(h->body, "sources"), "frame", json_str(h->body, "frame", ""),
                     "decided", h->decided, "kept", h->kept, "open", open, "sigma_bpb",
                     json_num_of(noise_s(&noise)), "first_bpb",
                     json_num_of(history_bank_mean(h, h->baseline, &n)), "champion_bpb",
                     json_num_of(history_bank_mean(h, h->champion, &n)), "audit_reads",
                     h->audit_reads, "audit_disagrees", h->audit_disagrees);
}

static const char *hint(bool alive, bool unfinished, const History *h, size_t waiting)
{
    if (!h->question[0]) return "nothing was measured yet: research begins, and measures the noise";
    if (alive && waiting) return "wait tells when a proposal is decided";
    if (alive) return "propose what to try next; the worker takes it up";
    if (unfinished) return "research goes on with the session";
    return "research begins another session";
}

static bool status(ToolCall *c, json_t **out, Err *err)
{
    WorkerState *at = NEW(c->lab->arena, WorkerState, 1);
    SessionPlan plan;
    History h;
    Spend spent = { 0 };
    bool found = false, unfinished = false, alive = worker_alive(c->lab->dir);
    if (!worker_state(c->lab->dir, at, &found, err) ||
        !session_unfinished(c->lab, &plan, &unfinished, err) ||
        (unfinished && !spend_of(c->lab, plan.id, &spent, err)))
        return false;
    json_t *waiting = tool_waiting(c, err);
    if (!waiting || !history_open(&h, c->lab, err)) {
        json_decref(waiting);
        return false;
    }
    json_t *o = work_json(at, alive, unfinished);
    if (h.question[0]) json_object_set_new(o, "question", question_json(&h));
    if (unfinished) json_object_set_new(o, "session", session_json_of(&h, &plan));
    if (spent.requests > 0) json_object_set_new(o, "language_model_spent", spend_json(&spent));
    json_object_set_new(o, "waiting", waiting);
    json_object_set_new(o, "cursor", json_integer(ledger_seq(c->lab->ledger)));
    json_object_set_new(o, "next",
                        json_string(hint(alive, unfinished, &h, json_array_size(waiting))));
    history_close(&h);
    *out = o;
    return true;
}

const ToolDef tool_status = {
    .name = "status",
    .doc = "Where the lab stands: what the worker does now, the open question with its measured "
           "noise (sigma) and scores in bits per byte (lower is better), what is left of the "
           "session's budget, and proposals that wait. Begin with this.",
    .call = status,
};
