/* follow.c - a window on the worker.
 *
 * It owns nothing: it reads the ledger for what happened and worker.json for
 * what is going on, so any number of windows may be open, and closing one
 * changes nothing. */
#include "cli/follow.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/progress.h"
#include "lab/entry_text.h"

enum { SPARK = 32 };

typedef struct Window {
    Lab *lab;
    int64_t seen;
    bool terminal;
    int drawn; /* lines of the live part on the screen */
} Window;

static void say_detectable(const SessionPlan *p)
{
    fprintf(stderr, "  detects      gains of %.1f sigma in four cases of five (", p->detectable);
    if (p->sigma.s > 0)
        fprintf(
            stderr,
            "%.2f %% of bpb by %s of this lab, sigma %.2f %%, %.2f to %.2f; it is measured anew)\n",
            100 * p->detectable * p->sigma.s, p->sigma.borrowed ? "other sizes" : "earlier runs",
            100 * p->sigma.s, 100 * p->sigma.low, 100 * p->sigma.high);
    else
        fprintf(stderr, "sigma is measured first; %.2f %% of bpb if it is .3 %%)\n",
                0.3 * p->detectable);
}

void follow_plan(const SessionPlan *p)
{
    char a[32], b[32], c[32];
    fprintf(stderr, "session %s of question %s%s%s\n", p->id, p->question, p->note[0] ? ": " : "",
            p->note);
    if (p->params > 0)
        fprintf(stderr, "  model        %s parameters, %.*f epochs of the training text in a run\n",
                str_count(a, p->params), p->epochs < 0.095 ? 3 : 1, p->epochs);
    else
        fprintf(stderr, "  trainer      not Lathe's: its scores are self-reported, no judge sees "
                        "them\n");
    fprintf(stderr, "  run          %s each", str_seconds(a, p->run_seconds));
    if (p->run_tokens > 0)
        fprintf(stderr, ": %s tokens at %s a second", str_count(b, p->run_tokens),
                str_count(c, p->tokens_per_s));
    fprintf(stderr, "\n");
    fprintf(stderr,
            "  experiments  %d by the %s researcher, after %d runs that measure the noise\n",
            p->experiments, p->researcher, p->bank);
    say_detectable(p);
    if (p->hours > 0)
        fprintf(stderr, "  time         %s, a fifth of it kept to train the champion in full\n",
                str_seconds(a, p->hours * 3600));
    if (p->epochs > 4)
        fprintf(stderr, "  note         more than 4 epochs a run: repeated text teaches less; more "
                        "text would help\n");
}

/* ---- the live part ---- */

static void erase(Window *w)
{
    for (int i = 0; i < w->drawn; i++) fputs("\033[1A\033[2K", stderr);
    w->drawn = 0;
}

static void draw(Window *w, const WorkerState *s)
{
    char spark[SPARK * 4 + 1] = "", rate[32];
    if (s->curve_n > 1) sparkline(s->curve, s->curve_n, SPARK, spark, (ptrdiff_t)sizeof(spark));
    fprintf(stderr, "\033[1m%s\033[0m%.110s\n", s->paused ? "paused: " : "", s->doing);
    w->drawn = 1;
    if (!s->run[0]) return;
    fprintf(stderr, "  %s  %lld/%lld", s->run, (long long)s->step, (long long)s->steps);
    if (isfinite(s->loss))
        fprintf(stderr, "  %s  loss %.3f  %s tok/s", spark, s->loss,
                str_count(rate, s->tokens_per_s));
    fputc('\n', stderr);
    w->drawn = 2;
}

/* ---- what happened ---- */

static const char *const shown[] = { "question", "result", "proposal",     "verdict",
                                     "headline", "claim",  "note",         "veto",
                                     "control",  "idea",   "idea_refused", "session_end" };

static bool worth_showing(const char *kind)
{
    for (ptrdiff_t i = 0; i < COUNT(shown); i++)
        if (strcmp(shown[i], kind) == 0) return true;
    return false;
}

static const char *paint(const Window *w, const Entry *e)
{
    const char *decision = json_str(e->body, "decision", "");
    if (!w->terminal || strcmp(e->kind, "verdict") != 0) return "";
    return strcmp(decision, "keep") == 0   ? "\033[1;32m"
           : strcmp(decision, "drop") == 0 ? "\033[2m"
                                           : "\033[33m";
}

static bool print_entry(void *self, const Entry *e)
{
    Window *w = self;
    w->seen = e->seq;
    if (!worth_showing(e->kind)) return true;
    Buf line = { 0 };
    entry_text(e->kind, e->body, &line);
    entry_text_plain(&line);
    const char *before = paint(w, e);
    fprintf(stderr, "%s%-5s %-10s %s%s\n", before, e->id, e->kind, line.at ? line.at : "",
            before[0] ? "\033[0m" : "");
    buf_free(&line);
    return true;
}

static bool look(Window *w, Err *err)
{
    WorkerState state;
    bool found = false;
    if (w->terminal) erase(w);
    if (!ledger_each(w->lab->ledger, NULL, w->seen, print_entry, w, err)) return false;
    if (!worker_state(w->lab->dir, &state, &found, err)) return false;
    if (w->terminal && found && !state.ended) draw(w, &state);
    if (found && state.ended && state.error[0])
        return err_set(err, ERR_IO, "the worker ended: %s", state.error);
    return true;
}

bool follow_worker(Lab *lab, int64_t after, bool *interrupted, Err *err)
{
    Window w = { .lab = lab, .seen = after, .terminal = isatty(2) };
    bool alive = true, ok = true;
    while (ok && alive && !stop_asked()) {
        alive = worker_alive(lab->dir);
        ok = look(&w, err);
        struct timespec t = { 0, 200 * 1000 * 1000 };
        if (ok && alive) nanosleep(&t, NULL);
    }
    if (w.terminal) erase(&w);
    *interrupted = stop_asked();
    return ok;
}
