/* worker.c - lock, controls, and the little file that says where the worker is.
 *
 * The file is replaced by rename a few times a second and never synced: it is
 * worth nothing after a crash, the ledger is. */
#include "lab/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "lab/research.h"

static const double TELL_EVERY = 0.25, LISTEN_EVERY = 0.2, START_PATIENCE = 20, LOCK_PATIENCE = 1;

static void rest(double seconds)
{
    struct timespec t = { (time_t)seconds, (long)((seconds - floor(seconds)) * 1e9) };
    nanosleep(&t, NULL);
}

static void path_in(char out[PATH_MAX], const char *lab, const char *name)
{
    snprintf(out, PATH_MAX, "%s/%s", lab, name);
}

/* ---- where it is ---- */

/* What is going on holds other people's words, which were cut to fit: maybe within a character. */
static json_t *state_json(const WorkerState *s)
{
    json_t *curve = json_array();
    for (int i = 0; i < s->curve_n; i++) json_array_append_new(curve, json_num_of(s->curve[i]));
    return json_pack("{s:I, s:s, s:s, s:o, s:I, s:I, s:o, s:o, s:o, s:f, s:o, s:b, s:b, s:o}",
                     "pid", (json_int_t)s->pid, "session", s->session, "run", s->run, "doing",
                     json_text(str_of(s->doing)), "step", (json_int_t)s->step, "steps",
                     (json_int_t)s->steps, "loss", json_num_of(s->loss), "tokens_per_s",
                     json_num_of(s->tokens_per_s), "planned_bytes", json_num_of(s->planned_bytes),
                     "updated", s->updated, "curve", curve, "paused", s->paused, "ended", s->ended,
                     "error", json_text(str_of(s->error)));
}

static void write_state(const char *lab, WorkerState *s)
{
    char path[PATH_MAX], temp[PATH_MAX];
    path_in(path, lab, "worker.json");
    path_in(temp, lab, ".worker.json");
    s->updated = clock_date();
    json_t *value = state_json(s);
    Buf text = { 0 };
    json_write(value, false, &text);
    json_decref(value);
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool whole = fd >= 0 && write(fd, text.at, (size_t)text.len) == (ssize_t)text.len;
    if (fd >= 0) close(fd);
    if (whole) rename(temp, path); /* if it fails, watchers see an older state: no harm */
    buf_free(&text);
}

bool worker_state(const char *lab, WorkerState *out, bool *found, Err *err)
{
    char path[PATH_MAX];
    path_in(path, lab, "worker.json");
    *out = (WorkerState){ 0 };
    *found = file_exists(path);
    if (!*found) return true;
    json_t *v = json_read_file(path, err);
    if (!v && !file_exists(path)) { /* a new worker is beginning */
        *err = (Err){ 0 };
        *found = false;
        return true;
    }
    if (!v) return false;
    out->pid = json_int(v, "pid", 0);
    snprintf(out->session, sizeof(out->session), "%s", json_str(v, "session", ""));
    snprintf(out->run, sizeof(out->run), "%s", json_str(v, "run", ""));
    snprintf(out->doing, sizeof(out->doing), "%s", json_str(v, "doing", ""));
    snprintf(out->error, sizeof(out->error), "%s", json_str(v, "error", ""));
    out->step = json_int(v, "step", 0);
    out->steps = json_int(v, "steps", 0);
    out->loss = json_num(v, "loss", (double)NAN);
    out->tokens_per_s = json_num(v, "tokens_per_s", (double)NAN);
    out->planned_bytes = json_num(v, "planned_bytes", 0);
    out->updated = json_num(v, "updated", 0);
    out->paused = json_is_true(json_object_get(v, "paused"));
    out->ended = json_is_true(json_object_get(v, "ended"));
    const json_t *curve = json_object_get(v, "curve");
    for (size_t i = 0; i < json_array_size(curve) && out->curve_n < WORKER_CURVE; i++)
        out->curve[out->curve_n++] = json_number_value(json_array_get(curve, i));
    json_decref(v);
    return true;
}

/* ---- is there one, and starting one ---- */

bool worker_alive(const char *lab)
{
    char path[PATH_MAX];
    path_in(path, lab, "worker.lock");
    if (!file_exists(path)) return false;
    int fd = -1;
    Err err = { 0 };
    if (file_lock(path, &fd, &err)) {
        file_unlock(fd);
        return false;
    }
    return err.code == ERR_BUSY;
}

bool worker_wait_gone(const char *lab, double seconds)
{
    double until = clock_now() + seconds;
    while (worker_alive(lab)) {
        if (clock_now() > until) return false;
        rest(0.05);
    }
    return true;
}

/* The child: a session of its own, no terminal, output in worker.log. */
static void detach(const char *lab, const char *program)
{
    char log[PATH_MAX];
    path_in(log, lab, "worker.log");
    setsid();
    int in = open("/dev/null", O_RDONLY), out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (in < 0 || out < 0) _exit(127);
    dup2(in, 0);
    dup2(out, 1);
    dup2(out, 2);
    execl(program, program, "-C", lab, "worker", (char *)NULL);
    _exit(127);
}

bool worker_start(const char *lab, const char *program, Err *err)
{
    char state[PATH_MAX];
    path_in(state, lab, "worker.json");
    if (unlink(state) != 0 && errno != ENOENT) return err_errno(err, "remove %s", state);
    pid_t child = fork();
    if (child < 0) return err_errno(err, "start the lab's worker");
    if (child == 0) detach(lab, program);

    double until = clock_now() + START_PATIENCE;
    while (!worker_alive(lab)) {
        int status = 0;
        if (file_exists(state)) return true; /* it has been and gone */
        if (waitpid(child, &status, WNOHANG) == child)
            return err_set(err, ERR_IO,
                           "the lab's worker ended at once (status %d); %s/worker.log says why",
                           WEXITSTATUS(status), lab);
        if (clock_now() > until)
            return err_set(err, ERR_IO, "the lab's worker did not start; see %s/worker.log", lab);
        rest(0.02);
    }
    return true;
}

bool worker_tell(Lab *lab, const char *action, Err *err)
{
    return ledger_append(lab->ledger, "control", NULL,
                         json_pack("{s:s, s:s}", "action", action, "author", "person"), err);
}

/* ---- at work ---- */

typedef struct Worker {
    Lab *lab;
    WorkerState state;
    int64_t heard; /* seq of the last control read */
    double told, listened;
    bool stop;
    int thin; /* every thin-th row enters the curve */
    int rows;
} Worker;

static bool hear(void *self, const Entry *e)
{
    Worker *w = self;
    const char *action = json_str(e->body, "action", "");
    w->heard = e->seq;
    if (strcmp(action, "stop") == 0) w->stop = true;
    if (strcmp(action, "pause") == 0) w->state.paused = true;
    if (strcmp(action, "resume") == 0) w->state.paused = false;
    return true;
}

static void listen_now(Worker *w)
{
    Err err = { 0 };
    w->listened = clock_now();
    if (!ledger_each(w->lab->ledger, "control", w->heard, hear, w, &err))
        fprintf(stderr, "controls cannot be read: %s\n", err.msg);
}

static bool on_stop(void *self)
{
    Worker *w = self;
    if (clock_now() - w->listened > LISTEN_EVERY) listen_now(w);
    while (w->state.paused && !w->stop && !stop_asked()) {
        write_state(w->lab->dir, &w->state);
        rest(LISTEN_EVERY);
        listen_now(w);
    }
    return w->stop || stop_asked();
}

static void tell(Worker *w, bool now)
{
    if (!now && clock_now() - w->told < TELL_EVERY) return;
    w->told = clock_now();
    write_state(w->lab->dir, &w->state);
}

static void on_doing(void *self, const char *sentence)
{
    Worker *w = self;
    snprintf(w->state.doing, sizeof(w->state.doing), "%s", sentence);
    w->state.run[0] = '\0';
    w->state.curve_n = w->rows = 0;
    w->thin = 1;
    w->state.step = w->state.steps = 0;
    w->state.loss = w->state.tokens_per_s = (double)NAN;
    tell(w, true);
}

static void on_planned(void *self, const char *run, const PlanCost *cost, int64_t steps)
{
    Worker *w = self;
    snprintf(w->state.run, sizeof(w->state.run), "%s", run);
    w->state.steps = steps;
    w->state.planned_bytes = (double)(cost->params + cost->grads + cost->states + cost->step +
                                      cost->inputs + cost->scratch);
    tell(w, true);
}

static void on_live(void *self, const char *run, const StepRow *last, int64_t steps)
{
    Worker *w = self;
    WorkerState *s = &w->state;
    (void)run;
    s->step = last->step;
    s->steps = steps;
    s->loss = last->loss;
    s->tokens_per_s = last->tokens_per_s;
    if (w->rows++ % w->thin == 0) s->curve[s->curve_n++] = last->loss;
    if (s->curve_n == WORKER_CURVE) { /* full: keep every second */
        for (int i = 0; i < WORKER_CURVE / 2; i++) s->curve[i] = s->curve[2 * i];
        s->curve_n = WORKER_CURVE / 2;
        w->thin *= 2;
    }
    tell(w, false);
}

static bool work(Worker *w, Err *err)
{
    SessionPlan plan;
    bool found = false;
    if (!session_unfinished(w->lab, &plan, &found, err)) return false;
    if (!found)
        return err_set(err, ERR_CONFIG,
                       "there is nothing to work on; `lathe research` begins a session");
    snprintf(w->state.session, sizeof(w->state.session), "%s", plan.id);
    SessionWatch watch = {
        .self = w, .stop = on_stop, .doing = on_doing, .planned = on_planned, .live = on_live
    };
    return session_work(w->lab, &plan, &watch, err);
}

/* Whoever asks whether there is a worker holds the lock for a moment: that is no other worker. */
static bool take_lock(Lab *lab, int *lock, Err *err)
{
    double until = clock_now() + LOCK_PATIENCE;
    while (!file_lock(lab_path(lab, "worker.lock"), lock, err)) {
        if (err->code != ERR_BUSY || clock_now() > until)
            return err_wrap(err, "another worker is at work in this lab");
        *err = (Err){ 0 };
        rest(0.01);
    }
    return true;
}

bool worker_main(Lab *lab, Err *err)
{
    int lock = -1;
    if (!take_lock(lab, &lock, err)) return false;
    Worker *w = NEW(lab->arena, Worker, 1);
    w->lab = lab;
    w->thin = 1;
    w->heard = ledger_seq(lab->ledger);
    w->state.pid = getpid();
    progress_quiet(true);
    tell(w, true);
    bool ok = work(w, err);
    w->state.ended = true;
    if (!ok && err->code != ERR_STOPPED)
        snprintf(w->state.error, sizeof(w->state.error), "%s", err->msg);
    tell(w, true);
    file_unlock(lock);
    return ok;
}
