/* settle.c - runs the two arms of a finding until the rule has decided.
 *
 * The loop is that of an experiment of research (research.c): ask verdict_next, do what it says,
 * ask again, with nothing carried in between but the ledger.  It is not a session of it: the
 * champion of a settle is its own control, there are as many controls as findings, and neither may
 * become the lab's champion.  A remedy that is kept is a fact about the data; whoever believes
 * it puts the edit into a recipe. */
#include "lab/settle.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lab/settle_private.h"

typedef struct Settle {
    Lab *lab;
    const SettleOpt *opt;
    SettlePlan plan;
    SettleArms arms;
} Settle;

static void say(const Settle *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void say(const Settle *s, const char *fmt, ...)
{
    char text[300];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (s->opt->watch.say) s->opt->watch.say(s->opt->watch.self, text);
}

static bool train(Settle *s, bool remedy, const char *purpose, uint64_t seed, Err *err)
{
    RunResult result;
    RunJob job = { .recipe = remedy ? &s->plan.remedy : &s->plan.control,
                   .seed = seed,
                   .purpose = purpose,
                   .experiment = s->plan.id,
                   .sources = s->opt->domains,
                   .n_sources = s->opt->n_domains,
                   .threads = s->opt->threads,
                   .watch = s->opt->watch.run };
    say(s, "%s %s, seed %llu", s->plan.id,
        remedy ? "without what was found" : "without as much at random", (unsigned long long)seed);
    return lab_run(s->lab, &job, &result, err);
}

static uint64_t free_seed(const Settle *s)
{
    uint64_t last = 0;
    for (int i = 0; i < s->arms.control.n; i++) last = MAX(last, s->arms.control.run[i].seed);
    for (int i = 0; i < s->arms.remedy.n; i++) last = MAX(last, s->arms.remedy.run[i].seed);
    return last + 1;
}

static bool has_seed(const SettleArm *arm, uint64_t seed)
{
    for (int i = 0; i < arm->n; i++)
        if (arm->run[i].seed == seed) return true;
    return false;
}

/* The next seed of the bank that the remedy has not run; beyond them, a free one. */
static uint64_t search_seed(const Settle *s)
{
    for (int i = 0; i < s->arms.control.n; i++)
        if (!has_seed(&s->arms.remedy, s->arms.control.run[i].seed))
            return s->arms.control.run[i].seed;
    return free_seed(s);
}

/* ---- the audit tier ---- */

static bool score(Settle *s, const SettleRun *run, double *bpb, Err *err)
{
    JudgeScore out = { 0 };
    Err gone = { 0 };
    bool ok =
        lab_run_score(s->lab, run->id, TIER_AUDIT, s->opt->domains, s->opt->n_domains, &out, &gone);
    if (!ok) { /* its checkpoint may be gone: made again */
        ok = lab_run_restore(s->lab, run->id, s->opt->threads, s->opt->watch.run, err) &&
             lab_run_score(s->lab, run->id, TIER_AUDIT, s->opt->domains, s->opt->n_domains, &out,
                           err);
    }
    *bpb = out.bpb;
    return ok;
}

static bool score_arm(Settle *s, const SettleArm *arm, const VerdictCase *c, bool control,
                      double *bpb, Err *err)
{
    int n = 0;
    for (int i = 0; i < arm->n; i++) {
        const SettleRun *r = &arm->run[i];
        if (r->failed || (!control && verdict_failed(r->bpb, c->bank, c->m, noise_s(&c->noise))))
            continue;
        if (!score(s, r, &bpb[n++], err)) return false;
    }
    return true;
}

static bool ask_audit(Settle *s, const VerdictCase *c, Err *err)
{
    VerdictCase there = *c;
    json_t *read =
        json_pack("{s:s, s:s, s:s}", "tier", "audit", "experiment", s->plan.id, "reason", "settle");
    say(s, "%s: the audit tier is read", s->plan.id);
    if (!ledger_append(s->lab->ledger, "judge_read", NULL, read, err) ||
        !score_arm(s, &s->arms.control, c, true, there.bank, err) ||
        !score_arm(s, &s->arms.remedy, c, false, there.run, err))
        return false;
    json_t *bank = json_array(), *runs = json_array();
    for (int i = 0; i < c->m; i++) json_array_append_new(bank, json_num_of(there.bank[i]));
    for (int i = 0; i < c->n; i++) json_array_append_new(runs, json_num_of(there.run[i]));
    return ledger_append(s->lab->ledger, "audit", s->plan.id,
                         json_pack("{s:s, s:b, s:o, s:o}", "experiment", s->plan.id, "agrees",
                                   verdict_audit_agrees(&there), "bank", bank, "runs", runs),
                         err);
}

/* ---- the verdict ---- */

static double cost(const Settle *s)
{
    double seconds = 0;
    for (int i = 0; i < s->arms.control.n; i++) seconds += s->arms.control.run[i].seconds;
    for (int i = 0; i < s->arms.remedy.n; i++) seconds += s->arms.remedy.run[i].seconds;
    return seconds;
}

static bool enter_verdict(Settle *s, const VerdictCase *c, const Evidence *ev, VerdictStep step,
                          Err *err)
{
    const SettlePlan *p = &s->plan;
    json_t *body = json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:i, s:i, s:i, "
        "s:i, s:o, s:I, s:I, s:s, s:i, s:f, s:s}",
        "id", p->id, "data", s->opt->name, "kind", json_str(s->opt->finding, "kind", "?"),
        "decision", verdict_word(step), "effect", json_num_of(ev->effect), "low",
        json_num_of(ev->low), "high", json_num_of(ev->high), "P", json_num_of(ev->P), "B",
        json_num_of(ev->B), "D", json_num_of(ev->D), "v", json_num_of(ev->v), "s",
        json_num_of(ev->s), "e", json_num_of(c->e), "m", c->m, "n", c->n, "fresh", c->fresh,
        "failed", c->failed, "audit", c->audit, "domains", settlearms_domains(&s->arms, s->opt),
        "remedy_tokens", (json_int_t)p->remedy_tokens, "control_tokens",
        (json_int_t)p->control_tokens, "remedy_list", p->remedy_list, "runs",
        s->arms.control.n + s->arms.remedy.n, "seconds", cost(s), "why", ev->why);
    return ledger_append(s->lab->ledger, "settled", p->id, body, err);
}

/* One step; *done when the verdict is in the ledger. */
static bool advance(Settle *s, bool *done, Err *err)
{
    VerdictCase c;
    Evidence ev;
    if (!settlearms_read(s->lab, s->opt, &s->plan, &s->arms, err)) return false;
    settlearms_case(&s->arms, &s->plan, &c);
    if (s->arms.control.n < s->plan.bank)
        return train(s, false, "control", (uint64_t)s->arms.control.n + 1, err);
    if (c.m < 2)
        return err_set(err, ERR_CONFIG,
                       "runs of this recipe fail by themselves: settle with another one");
    VerdictStep step = verdict_next(&c, &ev);
    switch (step) {
    case VERDICT_SEARCH: return train(s, true, "remedy", search_seed(s), err);
    case VERDICT_CONFIRM: return train(s, true, "confirm", free_seed(s), err);
    case VERDICT_CHAMPION: return train(s, false, "control", free_seed(s), err);
    case VERDICT_AUDIT: return ask_audit(s, &c, err);
    case VERDICT_KEEP:
    case VERDICT_DROP:
    case VERDICT_UNDECIDED: break;
    }
    *done = true;
    return enter_verdict(s, &c, &ev, step, err);
}

bool settle_finding(Lab *lab, const SettleOpt *opt, json_t **settled, Err *err)
{
    Settle *s = NEW(lab->arena, Settle, 1);
    bool done = false;
    *s = (Settle){ .lab = lab, .opt = opt };
    *settled = NULL;
    if (!settleplan_open(lab, opt, &s->plan, err) ||
        !ledger_last(lab->ledger, "settled", s->plan.id, settled, err))
        return false;
    while (!*settled && !done) {
        if (stop_asked())
            return err_set(err, ERR_STOPPED, "stopped; the same command goes on from here");
        if (!advance(s, &done, err)) return err_wrap(err, "settling %s", s->plan.id);
    }
    return *settled || ledger_last(lab->ledger, "settled", s->plan.id, settled, err);
}
