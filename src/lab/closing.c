/* closing.c - the end of a session: the headline, the champion in full, the report.
 *
 * The headline is not a sum of effects: champion and first recipe run on four
 * unused seeds each and are read once on the audit tier (docs/honest.md, section
 * 4).  The entry `closing` fixes the reason and the seeds first, so that a kill in
 * between changes nothing. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/report.h"
#include "lab/research_private.h"
#include "lab/talk.h"

enum { HEADLINE_SEEDS = HEADLINE_RUNS / 2 };

/* What the session can say of what it did not find. */
static json_t *left_json(const Session *s)
{
    Left l = session_left(s);
    return json_pack("{s:i, s:f, s:o, s:o, s:o, s:b}", "tried", l.tried, "share", l.share, "effect",
                     json_num_of(l.effect), "gain", json_num_of(l.gain), "floor",
                     json_num_of(l.floor), "nothing", l.nothing);
}

static bool enter_closing(Session *s, uint64_t *first_seed, Err *err)
{
    json_t *body = NULL;
    if (!ledger_last(s->lab->ledger, "closing", s->plan->id, &body, err)) return false;
    if (body) {
        *first_seed = (uint64_t)json_int(body, "first_seed", 1);
        json_decref(body);
        return true;
    }
    *first_seed = history_free_seed(&s->h);
    return ledger_append(s->lab->ledger, "closing", s->plan->id,
                         json_pack("{s:s, s:s, s:I, s:o}", "session", s->plan->id, "reason",
                                   s->over, "first_seed", (json_int_t)*first_seed, "left",
                                   left_json(s)),
                         err);
}

static bool headline_runs(Session *s, const char *recipe, uint64_t first, int *index, int *n,
                          Err *err)
{
    Recipe r;
    if (!lab_recipe(s->lab, recipe, &r, err)) return false;
    *n = 0;
    for (int i = 0; i < HEADLINE_SEEDS; i++) {
        RunResult result;
        session_say(s, "headline, seed %llu", (unsigned long long)(first + (uint64_t)i));
        if (!session_run(s, &r, first + (uint64_t)i, "headline", NULL, &result, err)) return false;
        for (int k = 0; k < s->h.runs; k++)
            if (!result.failed && strcmp(s->h.run[k].id, result.id) == 0) index[(*n)++] = k;
    }
    return true;
}

static json_t *scores(const double *x, int n)
{
    json_t *a = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(a, json_num_of(x[i]));
    return a;
}

/* Both arms on one tier as the rule's numbers (of another trainer, whatever the tier, as it
 * reported).  The error of the held-out text is that of the
 * search tier, whose blocks are in the ledger, for the audit tier too: both were cut alike. */
static bool weigh(Session *s, int tier, const int *first, int m, const int *last, int n,
                  VerdictCase *c, Evidence *ev, Err *err)
{
    *c = (VerdictCase){ .m = m,
                        .n = n,
                        .noise = history_noise(&s->h, NULL),
                        .e = history_text_error(&s->h, first, m, last, n) };
    for (int i = 0; tier == TIER_SEARCH && i < MAX(m, n); i++) {
        if (i < m) c->bank[i] = s->h.run[first[i]].bpb;
        if (i < n) c->run[i] = s->h.run[last[i]].bpb;
    }
    if (tier != TIER_SEARCH && (!session_score(s, tier, first, m, c->bank, err) ||
                                !session_score(s, tier, last, n, c->run, err)))
        return false;
    verdict_weigh(c, ev);
    return true;
}

static bool enter_headline(Session *s, uint64_t first_seed, Err *err)
{
    int first[HEADLINE_SEEDS], last[HEADLINE_SEEDS], m = 0, n = 0;
    if (!headline_runs(s, s->h.baseline, first_seed, first, &m, err) ||
        !headline_runs(s, s->h.champion, first_seed, last, &n, err))
        return false;
    if (m == 0 || n == 0) return true;
    bool reported = history_reported(&s->h);
    if (!reported) {
        session_say(s, "headline: the audit tier is read");
        if (!ledger_append(s->lab->ledger, "judge_read", NULL,
                           json_pack("{s:s, s:s, s:s}", "tier", "audit", "question", s->h.question,
                                     "reason", "headline"),
                           err))
            return false;
    }
    VerdictCase search, audit;
    Evidence on_search, on_audit;
    if (!weigh(s, TIER_SEARCH, first, m, last, n, &search, &on_search, err) ||
        !weigh(s, TIER_AUDIT, first, m, last, n, &audit, &on_audit, err))
        return false;
    json_t *body = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:i}", "session", s->plan->id,
        "question", s->h.question, "tier", reported ? "self-reported" : "audit", "first",
        s->h.baseline, "champion", s->h.champion, "gain", json_num_of(on_audit.D), "low",
        json_num_of(on_audit.low), "high", json_num_of(on_audit.high), "gain_search",
        json_num_of(on_search.D), "bpb_first", scores(audit.bank, m), "bpb_champion",
        scores(audit.run, n), "first_seed", (json_int_t)first_seed, "seeds", HEADLINE_SEEDS);
    return ledger_append(s->lab->ledger, "headline", s->plan->id, body, err);
}

static bool headline(Session *s, uint64_t first_seed, Err *err)
{
    json_t *body = NULL;
    if (!ledger_last(s->lab->ledger, "headline", s->plan->id, &body, err)) return false;
    bool done = body || strcmp(s->h.champion, s->h.baseline) == 0;
    json_decref(body);
    return done || enter_headline(s, first_seed, err);
}

/* A seed of its own: where the budget of the champion is that of any run, the recipe is too, and a
 * run of the bank must not be taken for it.  A champion trained before is not trained again. */
static uint64_t full_seed(const History *h, const char *recipe, uint64_t first_seed)
{
    for (int i = 0; i < h->runs; i++)
        if (strcmp(h->run[i].purpose, "champion") == 0 && strcmp(h->run[i].recipe, recipe) == 0)
            return h->run[i].seed;
    return first_seed + HEADLINE_SEEDS;
}

/* The champion with the budget that was kept for it: the model that speaks in the morning. */
static bool train_in_full(Session *s, uint64_t first_seed, Err *err)
{
    Recipe r;
    RunResult result;
    if (!lab_recipe(s->lab, s->h.champion, &r, err) ||
        !recipe_spend(&r, s->plan->champion_flops, err))
        return false;
    session_say(s, "the champion is trained in full");
    uint64_t seed = full_seed(&s->h, r.sha256, first_seed);
    return session_run(s, &r, seed, "champion", NULL, &result, err);
}

static bool has_written(Session *s, bool *written, Err *err)
{
    char sql[160];
    json_t *rows = NULL;
    snprintf(sql, sizeof(sql),
             "SELECT 1 FROM llm_turns WHERE session = '%s' AND role = 'writer' AND stop <> 'calls'",
             s->plan->id);
    if (!ledger_query(s->lab->ledger, sql, 1, &rows, err)) return false;
    *written = json_array_size(rows) > 0;
    json_decref(rows);
    return true;
}

/* Where the session has a language model, it is asked once to write what was learned; the report
 * holds each of its numbers against the ledger (story.h).  Without its words the report is whole.
 */
static bool let_write(Session *s, Err *err)
{
    json_t *session = NULL;
    TalkPlan plan;
    TalkEnd end;
    bool written = false, may = false;
    char why[240];
    Asking a = { .history = &s->h,
                 .session = s->plan->id,
                 .stop = s->watch->stop,
                 .self = s->watch->self,
                 .arena = s->lab->arena };
    if (!ledger_last(s->lab->ledger, "session", s->plan->id, &session, err)) return false;
    const json_t *model = json_object_get(session, "model");
    Err keyless = { 0 }; /* gone since the session began: then nobody writes */
    bool has = model && talk_plan(model, &plan, s->lab->arena, &keyless);
    json_decref(session);
    if (!has) return true;
    if (!has_written(s, &written, err) || !talk_may(&a, &plan, &may, why, err)) return false;
    if (written || !may) return true;
    session_say(s, "the writer writes");
    return talk(&a, &plan, "writer", &end, why, err);
}

bool session_close(Session *s, Err *err)
{
    uint64_t first_seed;
    if (!enter_closing(s, &first_seed, err) || !headline(s, first_seed, err) ||
        !train_in_full(s, first_seed, err) || !let_write(s, err))
        return false;
    session_say(s, "the report is written");
    const char *report = arena_printf(s->lab->arena, "reports/%s.html", s->plan->id);
    return report_write(s->lab->ledger, s->lab->dir, lab_path(s->lab, "%s", report), err) &&
           ledger_append(s->lab->ledger, "session_end", s->plan->id,
                         json_pack("{s:s, s:s, s:o}", "session", s->plan->id, "text", s->over,
                                   "report", json_text(str_of(lab_path(s->lab, "%s", report)))),
                         err);
}
