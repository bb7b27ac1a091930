/* researcher_model.c - a language model proposes: claude, openai, hybrid.
 *
 * The model hands in its proposals as any outside agent does, through the tool propose: they wait
 * in the ledger, and the loop takes them up.  So what this researcher answers is only "ask again":
 * a process that dies between the two loses nothing and pays nothing twice.
 *
 * In hybrid the built-in search and the model take turns by what the ledger says of this session:
 * whoever has had fewer experiments is asked.  The model has three roles: it plans; every few
 * verdicts it first reads what happened (analyst); and every fifth of its proposals, once there are
 * claims, goes into refuting the best of them (skeptic).
 *
 * Without the model (a refusal, no network, no key, a limit) the session says so in a note and goes
 * on with the built-in researcher, or waits for the person where that was asked for. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/talk.h"

enum { READ_EVERY = 6, DOUBT_EVERY = 5 };
static const double AT_ONCE = 0.01, LOOK_AGAIN = 5; /* seconds */

extern const ResearcherDef researcher_builtin;

static bool open_plan(const Asking *a, TalkPlan *plan, Err *err)
{
    json_t *session = NULL;
    if (!ledger_last(a->history->lab->ledger, "session", a->session, &session, err)) return false;
    bool ok = talk_plan(json_object_get(session, "model"), plan, a->arena, err);
    json_decref(session);
    return ok;
}

/* Experiments of this session by this author. */
static int had(const Asking *a, const char *author)
{
    int n = 0;
    for (int i = 0; i < a->history->exps; i++) {
        const HistExp *x = &a->history->exp[i];
        n += strcmp(x->session, a->session) == 0 && strcmp(x->author, author) == 0;
    }
    return n;
}

static int decided_here(const Asking *a)
{
    int n = 0;
    for (int i = 0; i < a->history->exps; i++)
        n += strcmp(a->history->exp[i].session, a->session) == 0 &&
             a->history->exp[i].decision != EXP_OPEN;
    return n;
}

/* Conversations of this session in a role. */
static bool talks(const Asking *a, const char *role, int *n, Err *err)
{
    char sql[240];
    json_t *rows = NULL;
    snprintf(sql, sizeof(sql),
             "SELECT count(*) AS n FROM entries WHERE kind='llm_request' AND "
             "json_extract(body,'$.session')='%s' AND json_extract(body,'$.role')='%s' AND "
             "json_extract(body,'$.round')=1",
             a->session, role);
    if (!ledger_query(a->history->lab->ledger, sql, 1, &rows, err)) return false;
    *n = (int)json_int(json_array_get(rows, 0), "n", 0);
    json_decref(rows);
    return true;
}

/* The person is told once for each reason. */
static bool tell_person(const Asking *a, const char *why, Err *err)
{
    Ledger *l = a->history->lab->ledger;
    json_t *last = NULL;
    Buf text = { 0 };
    buf_printf(&text, "without the language model: %s", why);
    bool ok = ledger_last(l, "note", NULL, &last, err);
    bool told = ok && strcmp(json_str(last, "text", ""), text.at) == 0;
    json_decref(last);
    if (ok && !told)
        ok = ledger_append(l, "note", NULL,
                           json_pack("{s:s, s:s, s:o}", "author", "lathe", "to", "person", "text",
                                     json_text(buf_view(&text))),
                           err);
    buf_free(&text);
    return ok;
}

static bool fall_back(const Asking *a, const TalkPlan *plan, const char *why, Proposal *out,
                      bool *none, Err *err)
{
    if (!tell_person(a, why, err)) return false;
    if (plan->wait) {
        *out = (Proposal){ .wait = LOOK_AGAIN };
        return true;
    }
    if (!researcher_builtin.propose(a, out, none, err)) return false;
    out->author = researcher_builtin.name;
    return true;
}

/* First reading, where it is due; then a proposal, by the planner or the skeptic. */
static bool ask_model(const Asking *a, const TalkPlan *plan, TalkEnd *end, char *why, Err *err)
{
    int read = 0, mine = had(a, plan->author);
    if (!talks(a, "analyst", &read, err)) return false;
    if (read < decided_here(a) / READ_EVERY) {
        if (!talk(a, plan, "analyst", end, why, err)) return false;
        if (*end != TALK_NOTHING) return true;
    }
    bool doubt = a->history->kept > 0 && mine % DOUBT_EVERY == DOUBT_EVERY - 1;
    return talk(a, plan, doubt ? "skeptic" : "planner", end, why, err);
}

static bool propose_by_model(const Asking *a, Proposal *out, bool *none, Err *err)
{
    TalkPlan plan;
    TalkEnd end = TALK_NOTHING;
    bool may = false;
    char why[240] = "";
    *none = false;
    if (!open_plan(a, &plan, err) || !talk_may(a, &plan, &may, why, err)) return false;
    if (may && !ask_model(a, &plan, &end, why, err)) return false;
    if (!may || end != TALK_PROPOSED) return fall_back(a, &plan, why, out, none, err);
    *out = (Proposal){ .wait = AT_ONCE };
    return true;
}

static bool propose_by_both(const Asking *a, Proposal *out, bool *none, Err *err)
{
    TalkPlan plan;
    if (!open_plan(a, &plan, err)) return false;
    if (had(a, plan.author) <= had(a, researcher_builtin.name))
        return propose_by_model(a, out, none, err);
    if (!researcher_builtin.propose(a, out, none, err)) return false;
    out->author = researcher_builtin.name;
    return !*none || propose_by_model(a, out, none, err);
}

const ResearcherDef researcher_claude = {
    .name = "claude",
    .doc = "a model behind Anthropic's Messages API (--model, ANTHROPIC_API_KEY)",
    .says = "the model is thinking",
    .model = "anthropic",
    .propose = propose_by_model,
};

const ResearcherDef researcher_openai = {
    .name = "openai",
    .doc = "a model behind any OpenAI-compatible endpoint (--model, --base-url, OPENAI_API_KEY)",
    .says = "the model is thinking",
    .model = "openai",
    .propose = propose_by_model,
};

const ResearcherDef researcher_hybrid = {
    .name = "hybrid",
    .doc = "the built-in search and a language model in turns; the default where --model is given",
    .says = "the next proposal is sought",
    .model = "",
    .propose = propose_by_both,
};
