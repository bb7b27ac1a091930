/* tool_experiments.c - what was tried and what came of it: experiments, one in full, claims. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/credit.h"
#include "lab/tool_private.h"

/* ---- experiments ---- */

static json_t *row_json(const HistExp *x)
{
    json_t *o = json_pack("{s:s, s:o, s:s, s:s, s:o, s:o}", "id", x->id, "title",
                          json_text(str_of(x->title)), "author", x->author, "verdict",
                          tool_decision(x->decision), "edits", tool_edits(x->edits), "predicted",
                          json_num_of(x->predicted));
    if (x->refused) json_object_set_new(o, "refused", json_text(str_of(x->why)));
    if (x->decision == EXP_OPEN || x->refused || x->decision == EXP_VETOED) return o;
    json_object_set_new(o, "effect", json_num_of(x->effect));
    json_object_set_new(o, "low", json_num_of(x->low));
    json_object_set_new(o, "high", json_num_of(x->high));
    json_object_set_new(o, "runs", json_integer(x->runs));
    return o;
}

static bool turns(const HistExp *x, const char *knob)
{
    json_t *e;
    size_t i;
    json_array_foreach(x->edits, i, e)
    {
        if (strcasestr(json_str(e, "knob", ""), knob)) return true;
    }
    return false;
}

static bool experiments(ToolCall *c, json_t **out, Err *err)
{
    History h;
    const char *verdict = json_str(c->args, "verdict", "any"),
               *knob = json_str(c->args, "knob", "");
    int limit = (int)json_int(c->args, "limit", 30), more = 0;
    if (!tool_history(c, &h, err)) return false;
    json_t *list = json_array();
    for (int i = h.exps - 1; i >= 0; i--) {
        const HistExp *x = &h.exp[i];
        if (strcmp(verdict, "any") != 0 && strcmp(verdict, tool_decision(x->decision)) != 0)
            continue;
        if (knob[0] && !turns(x, knob)) continue;
        if ((int)json_array_size(list) < limit)
            json_array_append_new(list, row_json(x));
        else
            more++;
    }
    *out = json_pack("{s:s, s:i, s:i, s:i, s:o}", "question", h.question, "decided", h.decided,
                     "kept", h.kept, "not_shown", more, "newest_first", list);
    history_close(&h);
    return true;
}

static const char *const verdicts[] = {
    "any", "open", "keep", "drop", "undecided", "vetoed", NULL
};
static const ToolArg experiments_args[] = {
    { .knob = { .name = "verdict",
                .type = KNOB_CHOICE,
                .choices = verdicts,
                .doc = "only these" } },
    ARG_TEXT("knob", 60, "only those that edit a knob with this in its name"),
    ARG_WHOLE("limit", 30, 1, 100, "how many, newest first"),
    ARG_END,
};

const ToolDef tool_experiments = {
    .name = "experiments",
    .doc = "What was tried in the open question, newest first: edits, predicted gain, verdict, "
           "shrunken effect with its 90 % interval in bits per byte (positive is better).",
    .args = experiments_args,
    .call = experiments,
};

/* ---- one experiment ---- */

static const char *const evidence[] = {
    "decision", "why", "effect",     "low",   "high", "P",       "B",
    "s",        "e",   "gain_fresh", "audit", "runs", "seconds", "self_reported"
};

static json_t *verdict_json(const json_t *v)
{
    json_t *o = json_object();
    for (int i = 0; i < COUNT(evidence); i++) {
        json_t *x = json_object_get(v, evidence[i]);
        if (x && !json_is_null(x)) json_object_set(o, evidence[i], x);
    }
    return o;
}

#define RUNS_OF                                                                                    \
    "SELECT r.run, r.purpose, r.seed, x.bpb, x.failed FROM runs r LEFT JOIN results x ON x.run = " \
    "r.run WHERE "

static bool experiment(ToolCall *c, json_t **out, Err *err)
{
    const char *id = json_str(c->args, "id", "");
    json_t *p = NULL, *v = NULL, *runs = NULL, *bank = NULL;
    bool ok = tool_body(c, "proposal", id, &p, err) &&
              ledger_last(c->lab->ledger, "verdict", id, &v, err);
    ok = ok && (runs = tool_rows(c, 64, err, RUNS_OF "r.experiment = %s ORDER BY r.seq",
                                 tool_quoted(c, id)));
    ok = ok && (bank = tool_rows(c, 64, err,
                                 RUNS_OF "r.recipe = %s AND r.question = %s AND r.purpose IN "
                                         "('bank', 'confirm') ORDER BY r.seq",
                                 tool_quoted(c, json_str(p, "base_recipe", "")),
                                 tool_quoted(c, json_str(p, "question", ""))));
    if (ok)
        *out = json_pack(
            "{s:s, s:O?, s:O?, s:o, s:O?, s:O?, s:O?, s:O?, s:o, s:O, s:O}", "id", id, "title",
            json_object_get(p, "title"), "author", json_object_get(p, "author"), "edits",
            tool_edits(json_object_get(p, "edits")), "predicted", json_object_get(p, "predicted"),
            "confidence", json_object_get(p, "confidence"), "why", json_object_get(p, "why"),
            "refute", json_object_get(p, "refute"), "verdict",
            v ? verdict_json(v) : json_string("open"), "runs", runs, "champion_runs", bank);
    json_decref(p);
    json_decref(v);
    json_decref(runs);
    json_decref(bank);
    return ok;
}

static const ToolArg id_args[] = { ARG_NEED("id", 24, "of an experiment, such as e7"), ARG_END };

const ToolDef tool_experiment = {
    .name = "experiment",
    .doc = "One experiment in full: hypothesis, edits, every run with its score, the champion's "
           "runs it was compared with, and the evidence behind the verdict.",
    .args = id_args,
    .call = experiment,
};

/* ---- claims ---- */

static bool claims(ToolCall *c, json_t **out, Err *err)
{
    json_t *rows = tool_rows(
        c, 200, err,
        "SELECT c.claim AS id, c.experiment, c.question, p.title, p.author, "
        "c.effect, c.low, c.high, c.self_reported, p.predicted FROM claims c JOIN proposals p "
        "ON p.experiment = c.experiment ORDER BY c.seq DESC");
    json_t *gone = rows ? tool_rows(c, 200, err,
                                    "SELECT p.ablates AS experiment, v.decision FROM proposals p "
                                    "JOIN verdicts v ON v.experiment = p.experiment WHERE "
                                    "p.ablates IS NOT NULL ORDER BY v.seq")
                        : NULL;
    if (!gone) {
        json_decref(rows);
        return false;
    }
    *out = json_pack("{s:o, s:o, s:s}", "claims", rows, "taken_out_again", gone, "note",
                     "keep in taken_out_again means that the champion without the claim was as "
                     "good, so it went");
    return true;
}

const ToolDef tool_claims = {
    .name = "claims",
    .doc = "What was found: kept proposals of all questions with their shrunken effects and "
           "intervals, and what became of those that were taken out again later.",
    .call = claims,
};

/* ---- who ---- */

static bool researchers(ToolCall *c, json_t **out, Err *err)
{
    json_t *list = NULL;
    if (!credit(c->lab, &list, err)) return false;
    *out = json_pack("{s:o}", "researchers", list);
    return true;
}

const ToolDef tool_researchers = {
    .name = "researchers",
    .doc = "Who proposed what came of it: proposals, kept ones, their gain, how well predictions "
           "were calibrated (brier: 0 is perfect, 0.25 a coin), what a kept claim cost.",
    .call = researchers,
};
