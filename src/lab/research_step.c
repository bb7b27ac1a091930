/* research_step.c - the next step of an open experiment: what the rule asks for, done and written
 * down (docs/honest.md, section 4).
 *
 * The rule (science/verdict.h) sees numbers and names a step; here it is a run, a read of the audit
 * tier, or the verdict.  A keep is one transaction: verdict, claim, champion. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "lab/patched.h"
#include "lab/research_private.h"

/* Numbers that may be missing are null in the ledger. */
static json_t *verdict_body(const Session *s, const HistExp *x, const VerdictCase *c,
                            const Evidence *ev, const char *word, const char *why)
{
    int cand[VERDICT_RUNS], n = history_candidate(&s->h, x, cand, VERDICT_RUNS);
    double seconds = 0;
    int64_t flops = 0;
    for (int i = 0; i < n; i++) {
        seconds += s->h.run[cand[i]].seconds;
        flops += s->h.run[cand[i]].flops;
    }
    json_t *b =
        json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:I}", "experiment",
                  x->id, "question", s->h.question, "decision", word, "why", why, "m", c->m, "n",
                  c->n, "fresh", c->fresh, "failed", c->failed, "audit", c->audit, "runs", n,
                  "seconds", seconds, "flops", (json_int_t)flops);
    const struct {
        const char *key;
        double value;
    } numbers[] = { { "effect", ev->effect },
                    { "low", ev->low },
                    { "high", ev->high },
                    { "P", ev->P },
                    { "B", ev->B },
                    { "D", ev->D },
                    { "v", ev->v },
                    { "s", ev->s },
                    { "e", c->e },
                    { "rho", c->rho },
                    { "gain_fresh", ev->gain_fresh } };
    for (ptrdiff_t i = 0; i < COUNT(numbers); i++)
        json_object_set_new(b, numbers[i].key, json_num_of(numbers[i].value));
    if (history_reported(&s->h)) json_object_set_new(b, "self_reported", json_true());
    return b;
}

static bool enter_claim(Session *s, const HistExp *x, const Evidence *ev, Err *err)
{
    char id[24];
    if (!ledger_next_id(s->lab->ledger, 'c', id, err)) return false;
    json_t *body =
        json_pack("{s:s, s:s, s:s, s:f, s:f, s:f}", "id", id, "experiment", x->id, "question",
                  s->h.question, "effect", ev->effect, "low", ev->low, "high", ev->high);
    if (history_reported(&s->h)) json_object_set_new(body, "self_reported", json_true());
    return ledger_append(s->lab->ledger, "claim", id, body, err);
}

static bool enter_champion(Session *s, const HistExp *x, Err *err)
{
    return ledger_append(s->lab->ledger, "champion", NULL,
                         json_pack("{s:s, s:s, s:s}", "recipe", x->recipe, "question",
                                   s->h.question, "experiment", x->id),
                         err);
}

/* recipes/champion.toml follows the ledger; done again at the start of each session. */
bool session_write_champion(Session *s, Err *err)
{
    Recipe r;
    const char *made_by = s->h.champion_exp < 0 ? NULL : s->h.exp[s->h.champion_exp].id;
    return lab_recipe(s->lab, s->h.champion, &r, err) && patched_keep(s->lab, &r, made_by, err) &&
           lab_champion_write(s->lab, &r, err);
}

/* What was dropped can be replayed; its checkpoints need not stay. */
static bool forget_checkpoints(Session *s, const HistExp *x, Err *err)
{
    int cand[VERDICT_RUNS], n = history_candidate(&s->h, x, cand, VERDICT_RUNS);
    for (int i = 0; i < n; i++)
        if (!file_remove_tree(lab_run_dir(s->lab, s->h.run[cand[i]].id), err)) return false;
    return true;
}

static bool close_experiment(Session *s, const HistExp *x, const VerdictCase *c, const Evidence *ev,
                             VerdictStep step, const char *why, Err *err)
{
    Ledger *l = s->lab->ledger;
    bool keep = step == VERDICT_KEEP;
    if (!ledger_begin(l, err)) return false;
    bool ok =
        ledger_append(l, "verdict", x->id, verdict_body(s, x, c, ev, verdict_word(step), why), err);
    if (ok && keep && x->ablates < 0) ok = enter_claim(s, x, ev, err);
    if (ok && keep) ok = enter_champion(s, x, err);
    if (!ok) {
        ledger_rollback(l);
        return false;
    }
    if (!ledger_commit(l, err) || !history_update(&s->h, err)) return false;
    return keep ? session_write_champion(s, err) : forget_checkpoints(s, x, err);
}

/* The same runs on the audit tier: one read, one bit. */
static bool ask_audit(Session *s, const HistExp *x, Err *err)
{
    session_say(s, "%s: the audit tier is asked", x->id);
    if (!x->audit_read) {
        json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "tier", "audit", "experiment", x->id,
                                 "question", s->h.question, "reason", "a claim would be kept");
        if (!ledger_append(s->lab->ledger, "judge_read", NULL, body, err)) return false;
    }
    int bank[VERDICT_RUNS], all[VERDICT_RUNS], cand[VERDICT_RUNS], n = 0;
    int m = history_bank(&s->h, x->base, bank, VERDICT_RUNS);
    int tried = history_candidate(&s->h, x, all, VERDICT_RUNS);
    VerdictCase c;
    history_case(&s->h, x, &c);
    for (int i = 0; i < tried; i++) {
        const HistRun *r = &s->h.run[all[i]];
        if (!r->failed && !verdict_failed(r->bpb, c.bank, m, noise_s(&c.noise))) cand[n++] = all[i];
    }
    if (!session_score(s, TIER_AUDIT, bank, m, c.bank, err) ||
        !session_score(s, TIER_AUDIT, cand, n, c.run, err))
        return false;
    json_t *scores[2] = { json_array(), json_array() };
    for (int i = 0; i < m; i++) json_array_append_new(scores[0], json_num_of(c.bank[i]));
    for (int i = 0; i < n; i++) json_array_append_new(scores[1], json_num_of(c.run[i]));
    return ledger_append(s->lab->ledger, "audit", x->id,
                         json_pack("{s:s, s:b, s:o, s:o}", "experiment", x->id, "agrees",
                                   verdict_audit_agrees(&c), "bank", scores[0], "runs", scores[1]),
                         err) &&
           history_update(&s->h, err);
}

static bool candidate_run(Session *s, const HistExp *x, bool confirm, int n, Err *err)
{
    uint64_t seed = 0;
    bool from_bank = !confirm && !x->fresh_seeds && history_bank_seed(&s->h, x, &seed);
    if (!from_bank) seed = history_free_seed(&s->h);
    session_say(s, "%s %s, run %d, seed %llu: %s", x->id, confirm ? "confirming" : "searching",
                n + 1, (unsigned long long)seed, x->title);
    return session_run_hash(s, x->recipe, seed, confirm ? "confirm" : "search", x->id, err);
}

/* An open experiment may use all the time but that of the headline. */
static bool out_of_time(const Session *s)
{
    const SessionPlan *p = s->plan;
    return p->research_seconds > 0 &&
           session_seconds(s) + HEADLINE_RUNS * p->run_seconds > p->research_seconds;
}

static bool search_run(Session *s, const HistExp *x, int n, Err *err)
{
    return candidate_run(s, x, false, n, err) || session_answer(s, x, err);
}

/* The first run of one that is confirmed anew is on a recipe that nobody has tried. */
static bool confirm_run(Session *s, const HistExp *x, int n, Err *err)
{
    return candidate_run(s, x, true, n, err) || (x->anew >= 0 && session_answer(s, x, err));
}

static const char passed[] = "it passed on a champion that is no more: it is confirmed anew";

bool session_step(Session *s, const HistExp *x, Err *err)
{
    VerdictCase c;
    Evidence ev;
    history_case(&s->h, x, &c);
    if (s->text_changed && c.n + c.failed == 0)
        return session_refuse(s, x, "the session's text has changed", err);
    VerdictStep step = verdict_next(&c, &ev);
    const char *why = ev.why;
    if (ev.confirming && !x->confirming && step < VERDICT_KEEP && x->ablates < 0)
        return ledger_append(s->lab->ledger, "confirming", x->id,
                             json_pack("{s:s}", "experiment", x->id), err);
    if (x->ablates >= 0) {
        double gain;
        VerdictStep claim = verdict_reablate(&c, &gain);
        step = claim == VERDICT_KEEP ? VERDICT_DROP : claim == VERDICT_DROP ? VERDICT_KEEP : claim;
        why =
            step == VERDICT_KEEP ? "without it nothing is lost: it goes" : "it is missed: it stays";
    }
    if (step == VERDICT_KEEP && x->ablates < 0 && history_reported(&s->h))
        why = "fresh seeds confirm the gain, as the trainer reports it";
    if (step < VERDICT_KEEP && (s->text_changed || out_of_time(s))) {
        step = VERDICT_UNDECIDED;
        why = s->text_changed ? "the session's text has changed" : "the session's time was up";
    }
    if (step == VERDICT_SEARCH && x->anew >= 0) step = VERDICT_CONFIRM;
    if (step == VERDICT_KEEP && strcmp(x->base, s->h.champion) != 0)
        return session_confirm_anew(s, x, verdict_body(s, x, &c, &ev, "undecided", passed), err);
    switch (step) {
    case VERDICT_SEARCH: return search_run(s, x, c.n, err);
    case VERDICT_CONFIRM: return confirm_run(s, x, c.n, err);
    case VERDICT_CHAMPION: return session_bank_run(s, x->base, "balance for a confirmation", err);
    case VERDICT_AUDIT: return ask_audit(s, x, err);
    case VERDICT_KEEP:
    case VERDICT_DROP:
    case VERDICT_UNDECIDED: break;
    }
    return close_experiment(s, x, &c, &ev, step, why, err);
}
