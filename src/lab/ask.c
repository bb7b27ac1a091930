/* ask.c - what is entered before a request, for each of its tries, and behind its answer.
 *
 * The entries are those that spend.c sums: a request with the most that it can cost, tries with the
 * usage that the endpoint stated, turns as they came. */
#include "lab/ask.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/spend.h"

/* ---- what stands in the ledger ---- */

/* What is sent now and was not before: the first time the brief and the state, then what the tools
 * answered.  Before it is sent: a request without a try is one that nobody lived to count. */
static bool enter_request(Ask *a, const LlmPrompt *p, double worst, Err *err)
{
    json_t *said = json_array();
    for (; a->entered < json_array_size(p->turns); a->entered++)
        json_array_append(said, json_array_get(p->turns, a->entered));
    json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:i, s:o, s:o}", "talk", a->id, "session",
                             a->session, "role", a->role, "model", a->plan->author, "round",
                             a->round, "said", said, "worst_usd", json_num_of(worst));
    if (a->round == 1) json_object_set_new(body, "system", json_text(str_of(p->system)));
    Ledger *l = a->lab->ledger;
    return ledger_append(l, "llm_request", a->id, body, err);
}

static json_t *usage_json(const LlmUsage *u)
{
    if (!u->known) return json_null();
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "input", (json_int_t)u->input, "cache_read",
                     (json_int_t)u->cache_read, "cache_write", (json_int_t)u->cache_write,
                     "cache_write_hour", (json_int_t)u->cache_write_hour, "output",
                     (json_int_t)u->output, "thinking", (json_int_t)u->thinking);
}

static bool on_try(void *self, const LlmTry *t, Err *err)
{
    const Ask *a = self;
    double usd = t->usage.known ? llm_cost(&a->plan->model, &t->usage) : (double)NAN;
    json_t *body =
        json_pack("{s:s, s:s, s:i, s:i, s:s, s:i, s:o, s:o, s:f, s:o, s:o}", "talk", a->id,
                  "session", a->session, "round", a->round, "number", t->number, "fault",
                  llm_fault_name(t->fault), "status", t->status, "usage", usage_json(&t->usage),
                  "usd", json_num_of(usd), "seconds", t->seconds, "request_id",
                  json_text(str_of(t->request_id)), "said", json_text(str_of(t->said)));
    Ledger *l = a->lab->ledger;
    return ledger_append(l, "llm_try", a->id, body, err);
}

static bool on_stop(void *self)
{
    const Ask *a = self;
    return a->stop && a->stop(a->self);
}

static const char *stop_word(LlmStop s)
{
    static const char *const word[] = { "done", "calls", "cut", "full", "refused", "paused" };
    return word[s];
}

static bool enter_turn(Ask *a, const LlmAnswer *answer, Err *err)
{
    json_t *body =
        json_pack("{s:s, s:s, s:s, s:i, s:s, s:o, s:o, s:O?}", "talk", a->id, "session", a->session,
                  "role", a->role, "round", a->round, "stop", stop_word(answer->stop), "category",
                  json_text(str_of(answer->refusal)), "explanation",
                  json_text(str_of(answer->explanation)), "turn", answer->turn);
    if (answer->turn) a->entered++;
    Ledger *l = a->lab->ledger;
    return ledger_append(l, "llm_turn", a->id, body, err);
}

static bool enter_failure(Ask *a, const LlmAnswer *answer, const Err *why, Err *err)
{
    Ledger *l = a->lab->ledger;
    return ledger_append(l, "llm_turn", a->id,
                         json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:o, s:n}", "talk", a->id,
                                   "session", a->session, "role", a->role, "round", a->round,
                                   "stop", "failed", "category", llm_fault_name(answer->fault),
                                   "explanation", json_text(str_of(why->msg)), "turn"),
                         err);
}

/* ---- what may be spent ---- */

static int64_t prompt_tokens(const LlmModel *m, const LlmPrompt *p)
{
    Buf text = { 0 };
    json_t *request = llm_request(m, p);
    json_write(request, false, &text);
    int64_t tokens = text.len / 3 + 1; /* from above */
    json_decref(request);
    buf_free(&text);
    return tokens;
}

static bool within(const Ask *a, const LlmPrompt *p, double *worst, bool *fits, char *why, Err *err)
{
    Spend s;
    const TalkPlan *plan = a->plan;
    int64_t prompt = prompt_tokens(&plan->model, p);
    int64_t most = prompt + plan->model.max_output;
    *worst = llm_worst(&plan->model, prompt);
    if (!spend_of(a->lab, a->session, &s, err)) return false;
    *fits = (plan->max_usd <= 0 || s.usd + s.worst + *worst <= plan->max_usd) &&
            (plan->max_tokens <= 0 || spend_tokens(&s) + most <= plan->max_tokens);
    if (!*fits)
        snprintf(why, ASK_WHY,
                 "the next request may cost $%.2f and %lld tokens; $%.2f and %lld tokens are spent "
                 "of $%.2f and %lld (0: no limit)",
                 *worst, (long long)most, s.usd + s.worst, (long long)spend_tokens(&s),
                 plan->max_usd, (long long)plan->max_tokens);
    return true;
}

/* ---- asking ---- */

bool ask_begin(Ask *a, Err *err)
{
    json_t *rows = NULL;
    if (!ledger_query(a->lab->ledger,
                      "SELECT count(DISTINCT id) AS n FROM entries WHERE "
                      "kind='llm_request'",
                      1, &rows, err))
        return false;
    snprintf(a->id, sizeof(a->id), "m%lld",
             (long long)json_int(json_array_get(rows, 0), "n", 0) + 1);
    json_decref(rows);
    return true;
}

bool ask_model(Ask *a, const LlmPrompt *p, LlmAnswer *answer, AskEnd *end, char why[ASK_WHY],
               Err *err)
{
    LlmEars ears = { .tried = on_try, .stop = on_stop, .ctx = a };
    Err lost = { 0 };
    double worst;
    bool fits;
    *answer = (LlmAnswer){ 0 };
    *end = ASK_SPENT;
    if (!within(a, p, &worst, &fits, why, err)) return false;
    if (!fits) return true;
    a->round++;
    if (!enter_request(a, p, worst, err)) return false;
    *end = ASK_ANSWERED;
    if (llm_ask(&a->plan->model, p, &ears, answer, &lost)) return enter_turn(a, answer, err);
    if (lost.code == ERR_STOPPED) {
        *err = lost;
        return false;
    }
    *end = ASK_FAILED;
    snprintf(why, ASK_WHY, "%.230s", lost.msg);
    return enter_failure(a, answer, &lost, err);
}
