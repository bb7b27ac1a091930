/* cmd_status.c - `lathe status`: what the lab is doing and what it has found so far. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/progress.h"
#include "cli/cmd.h"
#include "lab/entry_text.h"
#include "lab/worker.h"

typedef struct Status {
    bool alive, session, planning;
    WorkerState at;
    SessionPlan plan;
    History h;
    double sigma, first, champion;
    int open, here; /* experiments of the question; decided ones of the session at work */
} Status;

static bool gather(Lab *lab, Status *s, Err *err)
{
    bool found = false;
    int n = 0;
    s->alive = worker_alive(lab->dir);
    s->planning = !s->alive && session_planning(lab->dir);
    if (!worker_state(lab->dir, &s->at, &found, err) ||
        !session_unfinished(lab, &s->plan, &s->session, err) || !history_open(&s->h, lab, err))
        return false;
    Noise noise = history_noise(&s->h, NULL);
    s->sigma = noise_s(&noise);
    s->first = history_bank_mean(&s->h, s->h.baseline, &n);
    s->champion = history_bank_mean(&s->h, s->h.champion, &n);
    for (int i = 0; i < s->h.exps; i++) {
        const HistExp *x = &s->h.exp[i];
        s->open += x->decision == EXP_OPEN;
        s->here += x->decision != EXP_OPEN && !x->refused && history_is_idea(x) && s->session &&
                   strcmp(x->session, s->plan.id) == 0;
    }
    return true;
}

static const char *state_word(const Status *s)
{
    if (s->alive) return s->at.paused ? "paused" : "working";
    if (s->planning) return "planning a session";
    return s->session ? "stopped" : "idle";
}

static json_t *as_json(const Lab *lab, const Status *s)
{
    return json_pack(
        "{s:o, s:s, s:s, s:o, s:o, s:s, s:I, s:I, s:o, s:i, s:i, s:i, s:o, s:o, s:o}", "lab",
        json_text(str_of(lab->dir)), "state", state_word(s), "question", s->h.question, "doing",
        json_text(str_of(s->alive ? s->at.doing : "")), "error",
        json_text(str_of(s->alive ? "" : s->at.error)), "run", s->alive ? s->at.run : "", "step",
        (json_int_t)(s->alive ? s->at.step : 0), "steps", (json_int_t)(s->alive ? s->at.steps : 0),
        "loss", json_num_of(s->alive ? s->at.loss : (double)NAN), "decided", s->h.decided, "kept",
        s->h.kept, "open", s->open, "sigma", json_num_of(s->sigma), "baseline_bpb",
        json_num_of(s->first), "champion_bpb", json_num_of(s->champion));
}

static void print_error(const char *error)
{
    Buf b = { 0 };
    buf_printf(&b, "the worker ended early: %s", error);
    entry_text_plain(&b);
    printf("%s\n", b.at);
    buf_free(&b);
}

static void print(const Lab *lab, const Status *s)
{
    char spark[4 * 40 + 1], rate[32];
    bool doing = s->alive && s->at.doing[0];
    printf("%s: %s%s%s\n", lab->dir, state_word(s), doing ? ", " : "", doing ? s->at.doing : "");
    if (s->alive && s->at.run[0] && s->at.curve_n > 1) {
        sparkline(s->at.curve, s->at.curve_n, 40, spark, (ptrdiff_t)sizeof(spark));
        printf("  %s  step %lld of %lld  %s  loss %.3f, %s tokens/s\n", s->at.run,
               (long long)s->at.step, (long long)s->at.steps, spark, s->at.loss,
               str_count(rate, s->at.tokens_per_s));
    }
    if (!s->h.question[0]) {
        printf("no question yet; `lathe research` opens the first\n");
        if (!s->alive && s->at.error[0]) print_error(s->at.error);
        return;
    }
    printf("%s: %d decided, %d kept", s->h.question, s->h.decided, s->h.kept);
    if (s->session && s->plan.experiments)
        printf("; %s: %d of %d decided", s->plan.id, s->here, s->plan.experiments);
    if (isfinite(s->sigma) && isfinite(s->first))
        printf("; sigma %.5f %.60s (%.2f %%)", s->sigma, history_metric(&s->h),
               100 * s->sigma / s->first);
    printf("\n");
    if (isfinite(s->champion))
        printf("first recipe %.4f, champion %.4f %.60s%s\n", s->first, s->champion,
               history_metric(&s->h),
               history_reported(&s->h) ? ", self-reported: no judge sees them" : "");
    if (!s->alive && s->session) printf("`lathe research` goes on\n");
    if (!s->alive && s->at.error[0]) print_error(s->at.error);
}

static bool run(Cmd *c, Err *err)
{
    Lab lab;
    Status *s = NEW(c->arena, Status, 1);
    if (!lab_open(&lab, c->lab, LEDGER_READ, c->arena, err) || !gather(&lab, s, err)) return false;
    if (c->json)
        cmd_print_json(as_json(&lab, s));
    else
        print(&lab, s);
    history_close(&s->h);
    lab_close(&lab);
    return true;
}

const CmdDef cmd_status = {
    .name = "status",
    .doc = "what the lab is doing and has found so far",
    .needs_lab = true,
    .json = true,
    .run = run,
};
