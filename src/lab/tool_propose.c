/* tool_propose.c - handing in a proposal, and leaving a note.
 *
 * A proposal is answered at once: refused with a sentence where it does not hold together, answered
 * with the earlier verdict where this very recipe was tried, else queued under an id, with what it
 * will cost and what resembles it.  Nothing runs here: the session's loop takes it up. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/idea.h"
#include "lab/session.h"
#include "lab/tool_private.h"
#include "lab/worker.h"

static const double RUNS_PER_PROPOSAL =
    2.4; /* docs/honest.md, section 4: where one in ten is real */
enum { LIKE_MAX = 6 };

/* ---- was it tried? ---- */

static json_t *tried_json(const HistExp *x)
{
    return json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o}", "experiment", x->id, "title",
                     json_text(str_of(x->title)), "author", x->author, "verdict",
                     tool_decision(x->decision), "edits", tool_edits(x->edits), "effect",
                     json_num_of(x->effect), "low", json_num_of(x->low), "high",
                     json_num_of(x->high));
}

static json_t *repeat_json(const Asking *a, const Recipe *r)
{
    const History *h = a->history;
    if (strcmp(r->sha256, a->champion->sha256) == 0)
        return json_pack("{s:s, s:s}", "answer", "repeat", "why",
                         "these edits leave the champion as it is");
    for (int i = h->exps - 1; i >= 0; i--)
        if (strcmp(h->exp[i].recipe, r->sha256) == 0)
            return json_pack("{s:s, s:s, s:o}", "answer", "repeat", "why",
                             "this very recipe was proposed before; nothing is run again",
                             "earlier", tried_json(&h->exp[i]));
    return NULL;
}

/* The same recipe among the ideas that wait. */
static json_t *waiting_json(const Asking *a, const Recipe *r, const json_t *waiting)
{
    json_t *idea;
    size_t i;
    json_array_foreach(waiting, i, idea)
    {
        Proposal p;
        Recipe other;
        Err refused = { 0 };
        if (!idea_proposal(a, idea, &p, &other, &refused)) continue;
        if (strcmp(other.sha256, r->sha256) == 0)
            return json_pack("{s:s, s:s, s:s}", "answer", "repeat", "why",
                             "the same waits to be tried", "waiting", json_str(idea, "id", ""));
    }
    return NULL;
}

static bool shares_knob(const HistExp *x, const Proposal *p)
{
    json_t *e;
    size_t i;
    json_array_foreach(x->edits, i, e)
    {
        for (int k = 0; k < p->edits; k++)
            if (strcmp(json_str(e, "knob", ""), p->edit[k].knob) == 0) return true;
    }
    return false;
}

static json_t *like_json(const History *h, const Proposal *p)
{
    json_t *list = json_array();
    for (int i = h->exps - 1; i >= 0 && (int)json_array_size(list) < LIKE_MAX; i--)
        if (h->exp[i].ablates < 0 && shares_knob(&h->exp[i], p))
            json_array_append_new(list, tried_json(&h->exp[i]));
    return list;
}

/* ---- queueing ---- */

typedef struct Desk {
    History h;
    Recipe champion;
    SessionPlan plan;
    bool unfinished;
    json_t *waiting;
    Asking a;
} Desk;

static bool open_desk(ToolCall *c, Desk *d, Err *err)
{
    const char *from;
    bool ok = history_open(&d->h, c->lab, err) &&
              session_unfinished(c->lab, &d->plan, &d->unfinished, err) &&
              ideas_waiting(c->lab, &d->waiting, err);
    if (ok)
        ok = d->h.question[0] ? lab_recipe(c->lab, d->h.champion, &d->champion, err)
                              : lab_champion(c->lab, &d->champion, &from, err);
    d->a = (Asking){ .history = &d->h, .champion = &d->champion, .arena = c->lab->arena };
    return ok;
}

static void close_desk(Desk *d)
{
    history_close(&d->h);
    json_decref(d->waiting);
}

static json_t *cost_json(const Desk *d)
{
    if (!d->unfinished) return json_null();
    Noise noise = history_noise(&d->h, NULL);
    return json_pack("{s:f, s:f, s:o}", "runs_about", RUNS_PER_PROPOSAL, "seconds_about",
                     RUNS_PER_PROPOSAL * d->plan.run_seconds, "smallest_gain_found_in_4_of_5_bpb",
                     json_num_of(d->plan.detectable * noise_s_used(&noise)));
}

static bool queue(ToolCall *c, Desk *d, const Proposal *p, json_t *idea, json_t **out, Err *err)
{
    char id[24];
    bool alive = worker_alive(c->lab->dir);
    json_object_set_new(idea, "author", json_text(str_of(c->by->author)));
    if (!idea_enter(c->lab, json_incref(idea), id, err)) return false;
    const char *next = c->by->inside ? "the session tries it next"
                       : alive       ? "the worker takes it up; wait tells what comes of it"
                                     : "nothing is at work; the tool research begins or goes on";
    *out = json_pack("{s:s, s:s, s:i, s:o, s:o, s:s}", "answer", "queued", "id", id, "before_it",
                     (int)json_array_size(d->waiting), "cost", cost_json(d), "like",
                     like_json(&d->h, p), "next", next);
    return true;
}

static bool answer(ToolCall *c, Desk *d, json_t *idea, json_t **out, Err *err)
{
    Proposal p;
    Recipe recipe;
    if (!idea_proposal(&d->a, idea, &p, &recipe, err)) return false;
    if (p.edits == 0)
        return err_set(err, ERR_CONFIG, "a proposal needs edits: knobs and their new values");
    *out = d->h.question[0] ? repeat_json(&d->a, &recipe) : NULL;
    if (!*out) *out = waiting_json(&d->a, &recipe, d->waiting);
    return *out || queue(c, d, &p, idea, out, err);
}

static bool propose(ToolCall *c, json_t **out, Err *err)
{
    Desk *d = NEW(c->lab->arena, Desk, 1);
    json_t *idea = json_deep_copy(c->args);
    bool ok = open_desk(c, d, err) && answer(c, d, idea, out, err);
    close_desk(d);
    json_decref(idea);
    return ok;
}

static const ToolArg edit_args[] = {
    ARG_NEED("knob", 80, "its name, as knobs lists it"),
    ARG_NEED("to", EDIT_TEXT - 1, "its new value: a number, true, false, a choice, or words"),
    ARG_END,
};

static const ToolArg propose_args[] = {
    ARG_NEED("title", 160, "the change in a few words"),
    { .knob = { .name = "edits", .doc = "what changes in the champion's recipe, at once" },
      .required = true,
      .most = EDITS_MAX,
      .fields = edit_args },
    ARGS_PREDICTION,
    ARG_END,
};

const ToolDef tool_propose = {
    .name = "propose",
    .doc = "Hand in a hypothesis: edits of the champion's recipe, the gain you predict, why, and "
           "what would refute it. Answers at once: queued with an id and its cost, or, where it "
           "was tried before, with that verdict. The lab runs it against the champion over several "
           "seeds and decides; nobody else does.",
    .args = propose_args,
    .writes = true,
    .ends = true,
    .call = propose,
};

/* ---- notes ---- */

static bool note(ToolCall *c, json_t **out, Err *err)
{
    json_t *body = json_pack("{s:o, s:s, s:o}", "author", json_text(str_of(c->by->author)), "to",
                             json_str(c->args, "to", "self"), "text",
                             json_text(str_of(json_str(c->args, "text", ""))));
    if (!ledger_append(c->lab->ledger, "note", NULL, body, err)) return false;
    *out = json_pack("{s:b}", "noted", 1);
    return true;
}

static const char *const readers[] = { "self", "person", NULL };
static const ToolArg note_args[] = {
    ARG_NEED("text", 4000, "what is worth remembering: a finding, a doubt, a plan"),
    { .knob = { .name = "to",
                .type = KNOB_CHOICE,
                .choices = readers,
                .doc = "self: for later turns; person: stands in the report too" } },
    ARG_END,
};

const ToolDef tool_note = {
    .name = "note",
    .doc = "Write a finding or a plan into the ledger. Your context is rebuilt from the ledger: "
           "what is not noted is forgotten.",
    .args = note_args,
    .writes = true,
    .call = note,
};
