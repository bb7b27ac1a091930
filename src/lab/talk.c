/* talk.c - asking, calling tools, asking again.
 *
 * The model gets what a newcomer would need and no more: the rules and its role, then the state of
 * the lab as the tools tell it.  All else it must ask for.  A conversation has at most ROUNDS
 * requests; the last one says that it is the last.
 *
 * A refusal is an outcome, not an obstacle: it is entered with its category, nothing is said again
 * in other words, and the session goes on without the model where that was asked for.  Of the
 * category frontier_llm no second one is provoked: the model's part of the session is over, and a
 * note tells the person. */
#include "lab/talk.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/ask.h"
#include "lab/role.h"
#include "lab/tool.h"

enum { ROUNDS = 16, CALLS_MAX = 8, ANSWER_TOKENS = 16000 };
static const double PATIENCE = 90; /* seconds for a busy endpoint; then the session goes on */

typedef struct Conversation {
    const Asking *a;
    Ask ask;
    Buf system;
    json_t *tools, *turns;
    bool proposed;
} Conversation;

bool talk_plan(const json_t *c, TalkPlan *out, Arena *arena, Err *err)
{
    const char *wire = json_str(c, "wire", ""), *base = json_str(c, "base_url", "");
    const char *effort = json_str(c, "effort", "");
    const json_t *price = json_object_get(c, "price");
    *out = (TalkPlan){ .max_usd = json_num(c, "max_usd", 0),
                       .max_tokens = json_int(c, "max_tokens", 0),
                       .wait = strcmp(json_str(c, "without", "builtin"), "wait") == 0 };
    out->key_file = arena_str(arena, str_of(json_str(c, "key_file", "")));
    out->model = (LlmModel){ .wire = llm_wire(wire),
                             .name = arena_str(arena, str_of(json_str(c, "name", ""))),
                             .base_url = base[0] ? arena_str(arena, str_of(base)) : NULL,
                             .effort = effort[0] ? arena_str(arena, str_of(effort)) : NULL,
                             .max_output = ANSWER_TOKENS,
                             .patience = PATIENCE };
    if (json_array_size(price) == 2) {
        out->model.priced = true;
        out->model.price = (LlmPrice){ .input = json_number_value(json_array_get(price, 0)),
                                       .output = json_number_value(json_array_get(price, 1)) };
        out->model.price.cache_read = out->model.price.cache_write =
            out->model.price.cache_write_hour = out->model.price.input;
    }
    if (!out->model.wire || !out->model.name[0])
        return err_set(err, ERR_CONFIG,
                       "this session has no language model: begin it with --model NAME");
    out->author = arena_printf(arena, "%s:%s", strcmp(wire, "anthropic") == 0 ? "claude" : wire,
                               out->model.name);
    return llm_key(&out->model, out->key_file, arena, err);
}

bool talk_try(TalkPlan *plan, Err *err)
{
    if (plan->max_usd > 0 && !isfinite(llm_worst(&plan->model, 1)))
        return err_set(err, ERR_CONFIG,
                       "the price of %s is not known, so --max-usd cannot be held: give --price "
                       "IN,OUT in dollars per million tokens, or --max-tokens",
                       plan->model.name);
    return llm_learn(&plan->model, err);
}

/* ---- what it is told ---- */

/* A result of a tool holds titles, notes, and lines that a trainer printed: others wrote them, so
 * all of it stands between marks that nothing in it can close. */
static void put_result(const json_t *result, const char *tool, Buf *out)
{
    Buf text = { 0 };
    char source[80];
    snprintf(source, sizeof(source), "the tool %.60s", tool);
    tool_text(result, &text);
    json_t *fenced = tool_fence(buf_view(&text), source);
    buf_str(out, str_of(json_string_value(fenced)));
    json_decref(fenced);
    buf_free(&text);
}

static bool put_tool(Conversation *c, const char *tool, const char *args, Buf *out, Err *err)
{
    ToolCaller by = { .lab = c->a->history->lab->dir, .author = "session", .inside = true };
    json_t *given = args ? json_loads(args, 0, NULL) : NULL, *result = NULL;
    bool ok = tool_do(&by, tool, given, NULL, NULL, &result, err);
    json_decref(given);
    if (!ok) return false;
    buf_char(out, '\n');
    put_result(result, tool, out);
    buf_char(out, '\n');
    json_decref(result);
    return true;
}

/* A model's or an agent's notes are material; a person's are wishes. */
static bool by_person(const char *author)
{
    return strchr(author, ':') == NULL;
}

static void put_notes(const json_t *rows, bool persons, Buf *out)
{
    json_t *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        const char *author = json_str(row, "author", "");
        if (by_person(author) != persons) continue;
        if (persons) {
            buf_printf(out, "- %s\n", json_str(row, "text", ""));
            continue;
        }
        json_t *fenced = tool_fence(str_of(json_str(row, "text", "")), author);
        buf_printf(out, "%s\n", json_string_value(fenced));
        json_decref(fenced);
    }
}

static bool put_words(Conversation *c, Buf *out, Err *err)
{
    json_t *session = NULL, *rows = NULL;
    Ledger *l = c->a->history->lab->ledger;
    if (!ledger_last(l, "session", c->a->session, &session, err)) return false;
    const char *goal = json_str(session, "goal", "");
    if (goal[0]) buf_printf(out, "The goal of this session: %s\n", goal);
    json_decref(session);
    if (!ledger_query(l,
                      "SELECT author, text FROM (SELECT seq, author, substr(text, 1, 1500) AS text "
                      "FROM notes ORDER BY seq DESC LIMIT 12) ORDER BY seq",
                      12, &rows, err))
        return false;
    buf_str(out, STR("\nWhat the person who owns the lab said:\n"));
    put_notes(rows, true, out);
    buf_str(out, STR("\nNotes of models and agents:\n"));
    put_notes(rows, false, out);
    json_decref(rows);
    return true;
}

static const char *task(const char *role)
{
    if (strcmp(role, "skeptic") == 0)
        return "Hand in the one proposal that would embarrass a claim most, or say why there is "
               "none.";
    if (strcmp(role, "writer") == 0)
        return "Write the report of this session, in at most 500 words of plain text, and end your "
               "turn with it. Cite the ids that each sentence rests on.";
    if (strcmp(role, "analyst") == 0)
        return "Leave at most three notes with what you find, then end your turn.";
    return "Hand in one proposal, or say in a note why nothing is left that is worth its cost.";
}

static bool first_turn(Conversation *c, Err *err)
{
    Buf b = { 0 };
    bool ok = put_words(c, &b, err) && put_tool(c, "status", NULL, &b, err) &&
              put_tool(c, "experiments", "{\"limit\": 12}", &b, err);
    if (ok) {
        buf_printf(&b, "\n%s\n", task(c->ask.role));
        json_array_append_new(
            c->turns, json_pack("{s:s, s:o}", "role", "user", "text", json_text(buf_view(&b))));
    }
    buf_free(&b);
    return ok;
}

/* Who writes proposes nothing. */
static json_t *tool_list(bool proposes)
{
    int n;
    const ToolDef *const *all = tool_all(&n);
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        if (!all[i]->outside && (proposes || !all[i]->ends))
            json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", all[i]->name, "doc",
                                                  all[i]->doc, "schema", tool_schema(all[i])));
    return list;
}

/* ---- its calls ---- */

static bool queued(const json_t *result)
{
    return strcmp(json_str(result, "answer", ""), "queued") == 0;
}

/* One result; a refusal is one too.  False only where the lab itself failed or was stopped. */
static bool run_call(Conversation *c, const json_t *call, json_t *results, Err *err)
{
    ToolCaller by = { .lab = c->a->history->lab->dir,
                      .author = c->ask.plan->author,
                      .inside = true };
    const char *name = json_str(call, "name", "");
    Err refused = { 0 };
    json_t *result = NULL;
    json_t *args = json_read(str_of(json_str(call, "arguments", "{}")), "the arguments", &refused);
    bool ok = args && tool_do(&by, name, args, c->a->stop, c->a->self, &result, &refused);
    json_decref(args);
    if (!ok && refused.code == ERR_STOPPED) {
        *err = refused;
        return false;
    }
    Buf text = { 0 };
    if (ok)
        put_result(result, name, &text);
    else
        buf_str(&text, str_of(refused.msg));
    json_array_append_new(results, json_pack("{s:s, s:o, s:b}", "id", json_str(call, "id", ""),
                                             "text", json_text(buf_view(&text)), "error", !ok));
    if (ok && tool_find(name)->ends && queued(result)) c->proposed = true;
    buf_free(&text);
    json_decref(result);
    return true;
}

static bool run_calls(Conversation *c, const json_t *turn, Err *err)
{
    json_t *call, *results = json_array();
    size_t i;
    bool ok = true;
    json_array_foreach(json_object_get(turn, "calls"), i, call)
    {
        if (ok && i < CALLS_MAX && !c->proposed)
            ok = run_call(c, call, results, err);
        else
            json_array_append_new(results, json_pack("{s:s, s:s, s:b}", "id",
                                                     json_str(call, "id", ""), "text",
                                                     "not run: too many calls at once, or the "
                                                     "proposal was handed in",
                                                     "error", 1));
    }
    json_array_append_new(c->turns, json_pack("{s:s, s:o}", "role", "results", "results", results));
    return ok;
}

static void say(Conversation *c, const char *words)
{
    json_array_append_new(c->turns, json_pack("{s:s, s:s}", "role", "user", "text", words));
}

/* ---- one round ---- */

static void put_refusal(char *why, const char *category, const char *explanation)
{
    snprintf(why, ASK_WHY, "the model refused (%s): %.150s", category[0] ? category : "no category",
             explanation);
}

typedef enum Round { ROUND_ON, ROUND_OVER } Round;

static bool weigh_answer(Conversation *c, const LlmAnswer *answer, TalkEnd *end, char *why,
                         Round *next, Err *err)
{
    *next = ROUND_OVER;
    *end = TALK_NOTHING;
    if (answer->turn) json_array_append(c->turns, answer->turn);
    switch (answer->stop) {
    case LLM_REFUSED:
        *end = TALK_REFUSED;
        put_refusal(why, answer->refusal, answer->explanation);
        return true;
    case LLM_CALLS:
        if (!run_calls(c, answer->turn, err)) return false;
        *end = c->proposed ? TALK_PROPOSED : TALK_NOTHING;
        *next = c->proposed ? ROUND_OVER : ROUND_ON;
        if (c->ask.round == ROUNDS - 1)
            say(c, "This is the last turn: hand in a proposal now, or end.");
        return true;
    case LLM_CUT:
        say(c, "Your answer was cut because it was too long. Be brief, and call a tool.");
        *next = ROUND_ON;
        return true;
    case LLM_PAUSED: *next = ROUND_ON; return true;
    case LLM_FULL: snprintf(why, ASK_WHY, "the conversation no longer fits the model"); return true;
    case LLM_DONE: snprintf(why, ASK_WHY, "the model proposed nothing"); return true;
    }
    return true;
}

static bool one_round(Conversation *c, TalkEnd *end, char *why, Round *next, Err *err)
{
    static const TalkEnd ends[] = { [ASK_SPENT] = TALK_SPENT, [ASK_FAILED] = TALK_FAILED };
    LlmPrompt p = { .system = c->system.at, .tools = c->tools, .turns = c->turns };
    LlmAnswer answer;
    AskEnd asked;
    *next = ROUND_OVER;
    bool ok = ask_model(&c->ask, &p, &answer, &asked, why, err);
    if (ok && asked == ASK_ANSWERED)
        ok = weigh_answer(c, &answer, end, why, next, err);
    else if (ok)
        *end = ends[asked];
    llm_answer_free(&answer);
    return ok;
}

bool talk(const Asking *a, const TalkPlan *plan, const char *role, TalkEnd *end, char *why,
          Err *err)
{
    TalkPlan own =
        *plan; /* with what its endpoint says is allowed; without, if it does not answer */
    Conversation c = { .a = a,
                       .ask = { .lab = a->history->lab,
                                .plan = &own,
                                .session = a->session,
                                .role = role,
                                .stop = a->stop,
                                .self = a->self } };
    Round next = ROUND_ON;
    bool edited = false;
    *end = TALK_NOTHING;
    snprintf(why, ASK_WHY, "the model proposed nothing in %d turns", ROUNDS);
    c.tools = tool_list(strcmp(role, "writer") != 0);
    c.turns = json_array();
    Err unknown = { 0 };
    if (!llm_learn(&own.model, &unknown)) own.model.legal = (LlmLegal){ 0 };
    bool ok = ask_begin(&c.ask, err) &&
              role_text(a->history->lab->dir, role_find(role), &c.system, &edited, err) &&
              first_turn(&c, err);
    while (ok && next == ROUND_ON && c.ask.round < ROUNDS) ok = one_round(&c, end, why, &next, err);
    json_decref(c.tools);
    json_decref(c.turns);
    buf_free(&c.system);
    return ok;
}

/* ---- may it be asked ---- */

static bool fatal(const char *stop, const char *category)
{
    static const LlmFault final[] = { LLM_KEY, LLM_SPENT, LLM_UNKNOWN };
    if (strcmp(stop, "refused") == 0) return strcmp(category, "frontier_llm") == 0;
    for (ptrdiff_t i = 0; i < COUNT(final); i++)
        if (strcmp(stop, "failed") == 0 && strcmp(category, llm_fault_name(final[i])) == 0)
            return true;
    return false;
}

/* What ended its part for good stands in one of its turns since the work was last begun; whoever
 * begins the work again (with another key) lets it try again.  Where the person is to be waited
 * for, any end without a proposal is one until a proposal or a word of theirs comes. */
bool talk_may(const Asking *a, const TalkPlan *plan, bool *may, char *why, Err *err)
{
    json_t *rows = NULL;
    char sql[640];
    snprintf(sql, sizeof(sql),
             "SELECT json_extract(body,'$.stop') AS stop, json_extract(body,'$.category') AS "
             "category, json_extract(body,'$.explanation') AS why, seq > (SELECT max(seq) FROM "
             "entries WHERE kind IN ('proposal','idea') OR (kind='note' AND "
             "instr(json_extract(body,'$.author'), ':')=0 AND "
             "json_extract(body,'$.author')<>'lathe')) AS unheard FROM entries WHERE "
             "kind='llm_turn' AND json_extract(body,'$.session')='%s' AND seq > (SELECT max(seq) "
             "FROM entries WHERE kind='work') ORDER BY seq DESC",
             a->session);
    if (!ledger_query(a->history->lab->ledger, sql, 1000, &rows, err)) return false;
    *may = true;
    for (size_t i = 0; i < json_array_size(rows) && *may; i++) {
        const json_t *r = json_array_get(rows, i);
        const char *category = json_str(r, "category", ""), *stop = json_str(r, "stop", "");
        bool ended = strcmp(stop, "calls") != 0 && strcmp(stop, "paused") != 0;
        bool waits = plan->wait && ended && json_int(r, "unheard", 1);
        *may = !fatal(stop, category) && !waits;
        const char *said = json_str(r, "why", "");
        if (!*may && strcmp(stop, "refused") == 0)
            put_refusal(why, category, said);
        else if (!*may)
            snprintf(why, ASK_WHY, "%.230s", said[0] ? said : "the model proposed nothing");
    }
    json_decref(rows);
    return true;
}
