/* research.c - the loop.
 *
 * One turn: bring the history up to date, find the one next thing to do, do it,
 * append what came of it.  The table `duties` is the protocol of docs/honest.md,
 * section 4, in order:
 *
 *   1. a run that was interrupted is finished
 *   2. the bank is filled: at first, and after a keep
 *   3. a race that is not full asks for another proposal
 *   4. an open experiment takes the next step that the rule asks for
 *   5. every four proposals the champion owes a run
 *   6. is the session over?
 *   7. kept claims are taken out again, every eight keeps
 *   8. two findings that oppose each other are decided between
 *   9. somebody is asked for a proposal: first people, then the researcher
 *
 * Here stand the runs; research_step.c takes a step of an experiment, research_next.c finds what is
 * tried next.
 *
 * A race is several proposals at once on one budget of runs.  Each gets its first run, then the one
 * with most evidence goes on; so what is good is kept before runs are spent on what is middling.
 * All of them are weighed against the bank that they began with.  One that passes after the
 * champion has moved proved a gain over what is no more: it is confirmed anew, on fresh seeds, on
 * top of the new one.
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
#include "lab/research_private.h"

enum { BASELINE_FAILS = 3, ASLEEP = 60 /* s */ };

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
    bool (*run)(Lab *, const RunJob *, RunResult *, Err *) = w->run ? w->run : lab_run;
    return run(s->lab, &job, out, err) && history_update(&s->h, err);
}

/* The lab with another arena: what is read through it is gone when that is released.  A session
 * makes thousands of proposals and runs, and only its history has to stay. */
enum { SCRATCH = 1 << 30 };
Lab session_scratch(const Session *s, Arena *scratch)
{
    Lab lab = *s->lab;
    *scratch = arena_reserve(SCRATCH);
    lab.arena = scratch;
    return lab;
}

bool session_run_hash(Session *s, const char *recipe, uint64_t seed, const char *purpose,
                      const char *experiment, Err *err)
{
    Recipe r;
    RunResult result;
    Arena scratch;
    Lab lab = session_scratch(s, &scratch);
    bool ok = lab_recipe(&lab, recipe, &r, err) &&
              session_run(s, &r, seed, purpose, experiment, &result, err);
    arena_release(&scratch);
    return ok;
}

double session_seconds(const Session *s)
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
        return session_run_hash(s, r->recipe, r->seed, r->purpose, x ? x->id : NULL, err) ||
               (x && session_answer(s, x, err));
    }
    return true;
}

/* ---- 2 and 4: the champion's bank ---- */

bool session_bank_run(Session *s, const char *recipe, const char *why, Err *err)
{
    uint64_t seed = history_free_seed(&s->h);
    session_say(s, "%s: champion, seed %llu", why, (unsigned long long)seed);
    return session_run_hash(s, recipe, seed, "bank", NULL, err);
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
    return session_bank_run(s, s->h.champion, why, err);
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
    return session_bank_run(s, s->h.champion, "the bank grows", err);
}

/* ---- 4: an open experiment ---- */

/* Those that have not run come first, then the one with most evidence for it. */
static const HistExp *most_promising(const History *h)
{
    const HistExp *best = NULL;
    double most = -1;
    for (int i = 0; i < h->exps; i++) {
        if (h->exp[i].decision != EXP_OPEN) continue;
        VerdictCase c;
        Evidence ev;
        history_case(h, &h->exp[i], &c);
        if (c.n + c.failed == 0) return &h->exp[i];
        verdict_next(&c, &ev);
        double B = isfinite(ev.B) ? ev.B : 0;
        if (B <= most) continue;
        most = B;
        best = &h->exp[i];
    }
    return best;
}

static bool advance(Session *s, bool *did, Err *err)
{
    const HistExp *x = most_promising(&s->h);
    *did = x != NULL;
    return !x || session_step(s, x, err);
}

/* ---- the loop ---- */

static bool (*const duties[])(Session *s, bool *did, Err *err) = {
    finish_interrupted, fill_bank,        session_race,   advance,     pay_champion,
    session_check_end,  session_take_out, session_decide, session_ask,
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
    if (!enter_work(s, 0, err) || !session_write_champion(s, err) || !closing_already(s, err))
        return false;
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
