/* research.c - the loop.
 *
 * One turn: bring the history up to date, find the one next thing to do, do it,
 * append what came of it.  The table `duties` is the protocol of docs/honest.md,
 * section 4, in order:
 *
 *   1. a run that was interrupted is finished
 *   2. the bank is filled: at first, and after a keep
 *   3. an open experiment takes the next step that the rule asks for
 *   4. every four proposals the champion owes a run
 *   5. is the session over?
 *   6. kept claims are taken out again, every eight keeps
 *   7. somebody is asked for a proposal: first people, then the researcher
 *
 * Decisions follow from the ledger alone; the clock only ends a session.  So one
 * that was killed ten times reaches the same weights as one that was not. */
#include "lab/research.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "lab/idea.h"
#include "lab/patched.h"
#include "lab/research_private.h"

enum {
    AUDIT_READS = 64,
    AUDIT_DISAGREES = 8,
    BASELINE_FAILS = 3,
    REFUSED_IN_A_ROW = 20,
    ABLATE_EVERY = 8,
    ASLEEP = 60 /* s */
};

void session_say(const Session *s, const char *fmt, ...)
{
    char text[240];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (s->watch->doing) s->watch->doing(s->watch->self, text);
}

bool session_run(Session *s, const Recipe *recipe, uint64_t seed, const char *purpose,
                 const char *experiment, RunResult *out, Err *err)
{
    const SessionWatch *w = s->watch;
    RunJob job = { .recipe = recipe,
                   .seed = seed,
                   .purpose = purpose,
                   .question = s->h.question,
                   .experiment = experiment,
                   .session = s->plan->id,
                   .sources = s->source,
                   .n_sources = s->n_sources,
                   .threads = s->plan->threads,
                   .watch = {
                       .self = w->self, .stop = w->stop, .planned = w->planned, .live = w->live } };
    return lab_run(s->lab, &job, out, err) && history_update(&s->h, err);
}

/* The lab with another arena: what is read through it is gone when that is released.  A session
 * makes thousands of proposals and runs, and only its history has to stay. */
enum { SCRATCH = 1 << 30 };
static Lab with_scratch(const Session *s, Arena *scratch)
{
    Lab lab = *s->lab;
    *scratch = arena_reserve(SCRATCH);
    lab.arena = scratch;
    return lab;
}

static bool run_by_hash(Session *s, const char *recipe, uint64_t seed, const char *purpose,
                        const char *experiment, Err *err)
{
    Recipe r;
    RunResult result;
    Arena scratch;
    Lab lab = with_scratch(s, &scratch);
    bool ok = lab_recipe(&lab, recipe, &r, err) &&
              session_run(s, &r, seed, purpose, experiment, &result, err);
    arena_release(&scratch);
    return ok;
}

static double seconds_used(const Session *s)
{
    return history_worked(&s->h, clock_date());
}

/* ---- 1: a run that was interrupted ---- */

/* Begun on other data (a tokenizer file was exchanged) it was done again as another run. */
static bool done_again(const History *h, const HistRun *r)
{
    for (const HistRun *k = h->run; k < h->run + h->runs; k++)
        if (k->done && k->seed == r->seed && strcmp(k->recipe, r->recipe) == 0) return true;
    return false;
}

static bool finish_interrupted(Session *s, bool *did, Err *err)
{
    for (int i = 0; i < s->h.runs; i++) {
        const HistRun *r = &s->h.run[i];
        const HistExp *x = history_exp(&s->h, r->experiment);
        bool wanted = strcmp(r->purpose, "bank") == 0 || (x && x->decision == EXP_OPEN);
        if (r->done || !wanted || s->text_changed || done_again(&s->h, r)) continue;
        *did = true;
        session_say(s, "%s goes on where it was interrupted", r->id);
        return run_by_hash(s, r->recipe, r->seed, r->purpose, x ? x->id : NULL, err) ||
               (x && session_answer(s, x, err));
    }
    return true;
}

/* ---- 2 and 4: the champion's bank ---- */

static bool champion_run(Session *s, const char *why, Err *err)
{
    uint64_t seed = history_free_seed(&s->h);
    session_say(s, "%s: champion, seed %llu", why, (unsigned long long)seed);
    return run_by_hash(s, s->h.champion, seed, "bank", NULL, err);
}

static int bank_fails(const History *h)
{
    int n = 0;
    for (int i = 0; i < h->runs; i++)
        n += h->run[i].failed && strcmp(h->run[i].recipe, h->champion) == 0;
    return n;
}

static bool fill_bank(Session *s, bool *did, Err *err)
{
    int index[VERDICT_RUNS], m = history_bank(&s->h, s->h.champion, index, VERDICT_RUNS);
    int need = s->h.champion_exp < 0 ? s->plan->bank : VERDICT_NEW_BANK;
    if (m >= need || s->text_changed) return true;
    if (bank_fails(&s->h) >= BASELINE_FAILS) {
        s->over = "the champion's own runs fail: lower its learning rate or raise its warmup";
        return true;
    }
    *did = true;
    char why[64];
    snprintf(why, sizeof(why), "measuring noise, run %d of %d", m + 1, need);
    return champion_run(s, why, err);
}

static bool pay_champion(Session *s, bool *did, Err *err)
{
    int index[VERDICT_RUNS], m = history_bank(&s->h, s->h.champion, index, VERDICT_RUNS);
    int64_t last = 0;
    for (int i = 0; i < m; i++) last = MAX(last, s->h.run[index[i]].at);
    int since = 0;
    for (int i = 0; i < s->h.exps; i++) since += s->h.exp[i].at > last;
    if (!verdict_champion_due(m, since) || s->text_changed) return true;
    *did = true;
    return champion_run(s, "the bank grows", err);
}

/* ---- 3: an open experiment ---- */

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
static bool write_champion(Session *s, Err *err)
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
    return keep ? write_champion(s, err) : forget_checkpoints(s, x, err);
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
    return run_by_hash(s, x->recipe, seed, confirm ? "confirm" : "search", x->id, err);
}

/* An open experiment may use all the time but that of the headline. */
static bool out_of_time(const Session *s)
{
    const SessionPlan *p = s->plan;
    return p->research_seconds > 0 &&
           seconds_used(s) + HEADLINE_RUNS * p->run_seconds > p->research_seconds;
}

static bool search_run(Session *s, const HistExp *x, int n, Err *err)
{
    return candidate_run(s, x, false, n, err) || session_answer(s, x, err);
}

static bool take_step(Session *s, const HistExp *x, Err *err)
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
    switch (step) {
    case VERDICT_SEARCH: return search_run(s, x, c.n, err);
    case VERDICT_CONFIRM: return candidate_run(s, x, true, c.n, err);
    case VERDICT_CHAMPION: return champion_run(s, "balance for a confirmation", err);
    case VERDICT_AUDIT: return ask_audit(s, x, err);
    case VERDICT_KEEP:
    case VERDICT_DROP:
    case VERDICT_UNDECIDED: break;
    }
    return close_experiment(s, x, &c, &ev, step, why, err);
}

static bool advance(Session *s, bool *did, Err *err)
{
    for (int i = 0; i < s->h.exps; i++) {
        if (s->h.exp[i].decision != EXP_OPEN) continue;
        *did = true;
        return take_step(s, &s->h.exp[i], err);
    }
    return true;
}

/* ---- 5: the end ---- */

/* A proposal that could not be run cost nothing and counts nowhere. */
static int proposed(const Session *s)
{
    int n = 0;
    for (int i = 0; i < s->h.exps; i++)
        n += s->h.exp[i].ablates < 0 && !s->h.exp[i].refused &&
             strcmp(s->h.exp[i].session, s->plan->id) == 0;
    return n;
}

/* How many of the session's newest proposals in a row could not be run: whoever proposes nothing
 * else would go on for ever. */
static int refused_in_a_row(const Session *s)
{
    int n = 0;
    for (int i = s->h.exps - 1; i >= 0 && s->h.exp[i].refused; i--)
        n += strcmp(s->h.exp[i].session, s->plan->id) == 0;
    return n;
}

/* Section 9: what all proposals left could still find, at the upper limit of what is known,
 * against the smallest gain worth having. */
static bool nothing_left(const Session *s)
{
    int in_a_row = 0, n = 0;
    for (int i = s->h.exps - 1; i >= 0 && s->h.exp[i].decision == EXP_DROP; i--)
        in_a_row += !s->h.exp[i].refused;
    if (in_a_row < 12) return false;
    double bpb = history_bank_mean(&s->h, s->h.champion, &n);
    Noise noise = history_noise(&s->h, NULL);
    double effect = 2 * noise_s(&noise), power = 0.8;
    int left = s->plan->experiments > 0 ? s->plan->experiments - proposed(s) : 20;
    return verdict_share_limit(0, in_a_row) * power * effect * left < s->plan->floor * bpb;
}

static bool check_end(Session *s, bool *did, Err *err)
{
    (void)did;
    (void)err;
    const SessionPlan *p = s->plan;
    if (s->text_changed)
        s->over = history_reported(&s->h)
                      ? "the trainer's program has changed; a new question begins with the next "
                        "session"
                      : "its text has changed; a new question begins with the next session";
    else if (p->experiments > 0 && proposed(s) >= p->experiments)
        s->over = "all its experiments are decided";
    else if (refused_in_a_row(s) >= REFUSED_IN_A_ROW)
        s->over = "nothing that was proposed could be run here: the last twenty were refused";
    else if (p->research_seconds > 0 &&
             seconds_used(s) + (HEADLINE_RUNS + 0.5) * p->run_seconds > p->research_seconds)
        s->over = "its time is spent";
    else if (s->h.audit_reads >= AUDIT_READS || s->h.audit_disagrees >= AUDIT_DISAGREES)
        s->over =
            "the audit tier is used up: more keeps would fit it; add new text under a new name";
    else if (nothing_left(s))
        s->over = "no proposal left is worth its cost";
    return true;
}

/* ---- 6 and 7: the next proposal ---- */

static json_t *edits_json(const Recipe *champion, const Proposal *p)
{
    json_t *edits = json_array();
    for (int i = 0; i < p->edits; i++) {
        char from[EDIT_TEXT];
        edit_value(&champion->knobs, knobs_find(&champion->knobs, p->edit[i].knob), from);
        json_array_append_new(edits, json_pack("{s:s, s:o, s:o}", "knob", p->edit[i].knob, "from",
                                               json_text(str_of(from)), "to",
                                               json_text(str_of(p->edit[i].to))));
    }
    return edits;
}

static bool enter_proposal(Session *s, const Asking *a, const Proposal *p, const char *author,
                           const char *idea, const char *ablates, Err *err)
{
    Recipe recipe;
    Ledger *l = s->lab->ledger;
    char id[24] = "";
    if (!proposal_recipe(a, p, &recipe, err) || !ledger_begin(l, err)) return false;
    bool ok = lab_recipe_keep(s->lab, &recipe, err) && ledger_next_id(l, 'e', id, err);
    if (ok) {
        json_t *body = json_pack(
            "{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:s, s:s, s:b, s:s?, s:s?}", "id",
            id, "question", s->h.question, "session", s->plan->id, "author", author, "title",
            p->title, "edits", edits_json(a->champion, p), "recipe", recipe.sha256, "base_recipe",
            s->h.champion, "predicted", json_num_of(p->predicted), "confidence",
            json_num_of(p->confidence), "why", p->why, "refute", p->refute, "fresh_seeds",
            p->fresh_seeds, "idea", idea, "ablates", ablates);
        ok = ledger_append(l, "proposal", id, body, err);
    }
    ok = ok && ledger_commit(l, err);
    if (!ok) ledger_rollback(l);
    return ok && history_update(&s->h, err);
}

static bool ask_begin(Session *s, Lab *lab, Asking *a, Recipe *champion, Recipe *baseline, Err *err)
{
    int n = 0;
    Noise noise = history_noise(&s->h, NULL);
    *a = (Asking){ .history = &s->h,
                   .champion = champion,
                   .baseline = baseline,
                   .bpb = history_bank_mean(&s->h, s->h.champion, &n),
                   .s = noise_s_used(&noise),
                   .asked = s->h.exps,
                   .left = s->plan->experiments > 0 ? s->plan->experiments - proposed(s) : 20,
                   .session = s->plan->id,
                   .stop = s->watch->stop,
                   .self = s->watch->self,
                   .arena = lab->arena };
    return lab_recipe(lab, s->h.champion, champion, err) &&
           lab_recipe(lab, s->h.baseline, baseline, err);
}

/* A claim goes back to what it was before: the edits of its experiment, reversed. */
static bool undo(const Asking *a, const HistExp *x, Proposal *p)
{
    size_t n = json_array_size(x->edits);
    for (size_t i = 0; i < n && p->edits < EDITS_MAX; i++) {
        const json_t *e = json_array_get(x->edits, i);
        int k = knobs_find(&a->champion->knobs, json_str(e, "knob", ""));
        if (k < 0) return false;
        const char *knob = a->champion->knobs.knob[k]->name;
        /* Another patch that was kept since stands on this one's source. */
        if (strcmp(knob, "code") == 0 &&
            strcmp(knobs_text(&a->champion->knobs, knob), json_str(e, "to", "")) != 0)
            return false;
        Edit *edit = &p->edit[p->edits++];
        edit->knob = knob;
        snprintf(edit->to, sizeof(edit->to), "%s", json_str(e, "from", ""));
    }
    Recipe without;
    Err refused = { 0 };
    return p->edits > 0 && proposal_recipe(a, p, &without, &refused) &&
           !proposal_known(a, &without);
}

static bool take_out_next(Session *s, Lab *lab, bool *did, Err *err)
{
    Recipe champion, baseline;
    Asking a;
    if (!ask_begin(s, lab, &a, &champion, &baseline, err)) return false;
    int64_t since = 0; /* the eighth keep: claims are taken out once for each eight */
    for (int i = 0; i < s->h.exps; i++)
        if (s->h.exp[i].ablates < 0 && s->h.exp[i].decision == EXP_KEEP) since = s->h.exp[i].at;
    for (int i = 0; i < s->h.exps; i++) {
        const HistExp *x = &s->h.exp[i];
        bool done = x->decision != EXP_KEEP || x->ablates >= 0;
        for (int k = i + 1; k < s->h.exps && !done; k++)
            done = s->h.exp[k].ablates == i && s->h.exp[k].at > since;
        Proposal p = { .title = arena_printf(a.arena, "without %s: %s", x->id, x->title),
                       .why = "is it still worth its place in the stack?",
                       .refute = "the champion without it is worse" };
        if (done || !undo(&a, x, &p)) continue;
        *did = true;
        return enter_proposal(s, &a, &p, "lathe", NULL, x->id, err);
    }
    return true;
}

static bool take_out(Session *s, bool *did, Err *err)
{
    if (s->h.kept == 0 || s->h.kept % ABLATE_EVERY != 0) return true;
    Arena scratch;
    Lab lab = with_scratch(s, &scratch);
    bool ok = take_out_next(s, &lab, did, err);
    arena_release(&scratch);
    return ok;
}

/* An idea may have been tried or kept while it waited. */
static bool fresh_idea(const Asking *a, const json_t *idea, Proposal *p, Err *err)
{
    Recipe recipe;
    if (!idea_proposal(a, idea, p, &recipe, err)) return false;
    if (proposal_known(a, &recipe))
        return err_set(err, ERR_CONFIG,
                       "this recipe is the champion or was proposed before; `lathe log --kind "
                       "proposal` shows where");
    return true;
}

/* A person's idea is tried before the researcher is asked; one that does not fit the champion
 * is answered in the ledger. */
static bool ask_people(Session *s, const Asking *a, bool *did, Err *err)
{
    json_t *waiting = NULL;
    bool ok = ideas_waiting(s->lab, &waiting, err);
    const json_t *idea = json_array_get(waiting, 0);
    Proposal p;
    Err refused = { 0 };
    if (ok && idea) {
        const char *id = json_str(idea, "id", "");
        *did = true;
        ok = fresh_idea(a, idea, &p, &refused)
                 ? enter_proposal(s, a, &p, json_str(idea, "author", "person"), id, NULL, err)
                 : ledger_append(
                       s->lab->ledger, "idea_refused", id,
                       json_pack("{s:s, s:o}", "idea", id, "why", json_text(str_of(refused.msg))),
                       err);
    }
    json_decref(waiting);
    return ok;
}

/* Rests until an idea has come, somebody asks to stop, or so many seconds are over. */
static bool await_idea(Session *s, double seconds, Err *err)
{
    const struct timespec nap = { 0, 100000000 };
    int64_t ideas = ledger_count(s->lab->ledger, "idea");
    double until = clock_now() + seconds;
    while (clock_now() < until && ledger_count(s->lab->ledger, "idea") == ideas) {
        if (s->watch->stop && s->watch->stop(s->watch->self)) break;
        nanosleep(&nap, NULL);
    }
    return history_update(&s->h, err);
}

static bool ask_somebody(Session *s, Lab *lab, bool *did, Err *err)
{
    Recipe champion, baseline;
    Asking a;
    if (!ask_begin(s, lab, &a, &champion, &baseline, err)) return false;
    if (!ask_people(s, &a, did, err)) return false;
    if (*did) return true;
    const ResearcherDef *who = researcher_find(s->plan->researcher, &a.spec);
    if (!who)
        return err_set(err, ERR_CONFIG, "no researcher '%s'; `lathe research --help` lists them",
                       s->plan->researcher);
    Proposal p;
    bool none = false;
    session_say(s, "%s",
                who->says ? who->says : arena_printf(a.arena, "%s is thinking", who->name));
    if (!who->propose(&a, &p, &none, err)) return err_wrap(err, "researcher %s", who->name);
    if (!none && p.wait > 0) {
        *did = true;
        return await_idea(s, p.wait, err);
    }
    if (none || p.worth <= 0) {
        s->over = none ? "the researcher has nothing left to propose"
                       : "no proposal left is worth its cost";
        return true;
    }
    *did = true;
    return enter_proposal(s, &a, &p, p.author ? p.author : who->name, NULL, NULL, err);
}

static bool ask(Session *s, bool *did, Err *err)
{
    Arena scratch;
    Lab lab = with_scratch(s, &scratch);
    bool ok = ask_somebody(s, &lab, did, err);
    arena_release(&scratch);
    return ok;
}

/* ---- the loop ---- */

static bool (*const duties[])(Session *s, bool *did, Err *err) = {
    finish_interrupted, fill_bank, advance, pay_champion, check_end, take_out, ask,
};

/* Begins a stretch of work; `away` seconds of the one before were none. */
static bool enter_work(Session *s, double away, Err *err)
{
    s->date_ahead = clock_date() - clock_now();
    json_t *body = json_pack("{s:s, s:f}", "session", s->plan->id, "away", away);
    return ledger_append(s->lab->ledger, "work", NULL, body, err) && history_update(&s->h, err);
}

/* The monotonic clock stands still while the machine sleeps: the lid was shut. */
static bool notice_sleep(Session *s, Err *err)
{
    double slept = clock_date() - clock_now() - s->date_ahead;
    return fabs(slept) < ASLEEP || enter_work(s, slept, err);
}

static bool turn(Session *s, Err *err)
{
    bool did = false;
    if (!history_update(&s->h, err) || !notice_sleep(s, err) || !session_text_changed(s, err))
        return false;
    for (ptrdiff_t i = 0; i < COUNT(duties) && !did && !s->over; i++)
        if (!duties[i](s, &did, err)) return false;
    if (s->watch->stop && s->watch->stop(s->watch->self))
        return err_set(err, ERR_STOPPED, "stopped; the same command goes on");
    return true;
}

/* A session that was closing when it was killed goes on closing. */
static bool closing_already(Session *s, Err *err)
{
    json_t *body = NULL;
    if (!ledger_last(s->lab->ledger, "closing", s->plan->id, &body, err)) return false;
    if (body) s->over = arena_str(s->lab->arena, str_of(json_str(body, "reason", "")));
    json_decref(body);
    return true;
}

static bool work(Session *s, Err *err)
{
    const json_t *sources = json_object_get(s->h.body, "sources");
    for (size_t i = 0; i < json_array_size(sources) && s->n_sources < MIXTURE_MAX; i++)
        s->source[s->n_sources++] = json_string_value(json_array_get(sources, i));
    if (!enter_work(s, 0, err) || !write_champion(s, err) || !closing_already(s, err)) return false;
    while (!s->over)
        if (!turn(s, err)) return false;
    return session_close(s, err);
}

bool session_work(Lab *lab, const SessionPlan *plan, const SessionWatch *watch, Err *err)
{
    Session s = { .lab = lab, .plan = plan, .watch = watch };
    bool ok = history_open(&s.h, lab, err) && work(&s, err);
    history_close(&s.h);
    return ok;
}
