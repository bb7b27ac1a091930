/* child.c - a keeper between this program and the one that it runs.
 *
 * Somebody else's script may start workers, fork twice and lose them, or outlive us when we are
 * killed.  A process group does not hold whoever calls setsid, and a pid in a file may be somebody
 * else's by the time it is read.  So a small process stands in between: it is the subreaper
 * (prctl(2)) of all that the program starts, hears by SIGTERM that we died (PR_SET_PDEATHSIG), and
 * ends only when it has no children left, which it then kills one generation after the other.
 *
 * The keeper is forked from a program that may have threads, so between fork and exec only what is
 * safe in a signal handler is called: no memory is asked for, nothing is printed. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"

extern char **environ;

enum { LOG_MOST = 1 << 20, TICK_MS = 50, GRACE_TICKS = 40, ENV_MOST = 4096, OPEN_FILES = 1024 };

/* What the keeper says when all are gone. */
typedef struct Word {
    int status, error; /* as wait(2) has it; errno of exec */
} Word;

/* ---- the keeper ---- */

static void nap(void)
{
    const struct timespec t = { 0, TICK_MS * 1000000L };
    nanosleep(&t, NULL);
}

/* The children that this process has now: numbers with blanks between, from the kernel. */
static void kill_children(void)
{
    char text[4096];
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : 0;
    if (fd >= 0) close(fd);
    pid_t pid = 0;
    for (ssize_t i = 0; i < n; i++) {
        if (text[i] >= '0' && text[i] <= '9') {
            pid = pid * 10 + (text[i] - '0');
            continue;
        }
        if (pid > 0) kill(pid, SIGKILL);
        pid = 0;
    }
}

/* The orphans of whoever dies become our children, so this ends when all have. */
static void bury_all(pid_t group)
{
    for (;;) {
        kill(-group, SIGKILL);
        kill_children();
        pid_t gone;
        while ((gone = waitpid(-1, NULL, WNOHANG)) > 0) {
        }
        if (gone < 0 && errno == ECHILD) return;
        nap();
    }
}

NORETURN static void become(const ChildJob *job, char *const *env, int out, int error)
{
    sigset_t none;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    int in = open("/dev/null", O_RDONLY);
    bool ready = in >= 0 && dup2(in, 0) >= 0 && dup2(out, 1) >= 0 && dup2(out, 2) >= 0 &&
                 (!job->dir || chdir(job->dir) == 0);
    if (ready) execvpe(job->argv[0], (char *const *)(uintptr_t)job->argv, env);
    int why = errno;
    ssize_t sent = write(error, &why, sizeof(why));
    _exit(sent == (ssize_t)sizeof(why) ? 127 : 126);
}

/* Waits for the program, or for the word that it should end. */
static int attend(pid_t program)
{
    sigset_t both;
    const struct timespec tick = { 0, TICK_MS * 1000000L };
    int status = 0, ticks = -1;
    sigemptyset(&both);
    sigaddset(&both, SIGTERM);
    sigaddset(&both, SIGCHLD);
    for (;;) {
        pid_t gone;
        while ((gone = waitpid(-1, &status, WNOHANG)) > 0)
            if (gone == program) return status;
        int heard = sigtimedwait(&both, NULL, &tick);
        if (heard == SIGTERM && ticks < 0) {
            kill(-program, SIGTERM);
            ticks = 0;
        }
        if (ticks >= 0 && ticks++ >= GRACE_TICKS) kill(-program, SIGKILL);
    }
}

/* Locks and sockets of the program that forked: they are to end with that, not with the keeper. */
static void close_all_but(int a, int b)
{
    for (int fd = 3; fd < OPEN_FILES; fd++)
        if (fd != a && fd != b) close(fd);
}

NORETURN static void keep(const ChildJob *job, char *const *env, int out, int word, pid_t parent)
{
    sigset_t both;
    int error[2];
    Word last = { 0 };
    close_all_but(out, word);
    sigemptyset(&both);
    sigaddset(&both, SIGTERM);
    sigaddset(&both, SIGCHLD);
    sigprocmask(SIG_BLOCK, &both, NULL);
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent || pipe2(error, O_CLOEXEC) != 0) _exit(1);
    pid_t program = fork();
    if (program == 0) become(job, env, out, error[1]);
    close(out);
    close(error[1]);
    if (program < 0) {
        last.error = errno;
    } else {
        if (read(error[0], &last.error, sizeof(last.error)) != (ssize_t)sizeof(last.error))
            last.error = 0;
        last.status = attend(program);
        bury_all(program);
    }
    _exit(write(word, &last, sizeof(last)) == (ssize_t)sizeof(last) ? 0 : 1);
}

/* ---- this side ---- */

static bool is_hidden(const char *entry, const char *const *hidden)
{
    for (; hidden && *hidden; hidden++) {
        size_t n = strlen(*hidden);
        if (strncmp(entry, *hidden, n) == 0 && entry[n] == '=') return true;
    }
    return false;
}

static void shown_environment(const ChildJob *job, char **env)
{
    int n = 0;
    for (char **e = environ; *e && n < ENV_MOST - 1; e++)
        if (!is_hidden(*e, job->hidden)) env[n++] = *e;
    env[n] = NULL;
}

typedef struct Watching {
    const ChildJob *job;
    ChildEnd *end;
    int out, word, log;
    int64_t logged;
    pid_t keeper;
    double begun, spared; /* seconds that the caller's own polling took */
    Buf tail;
} Watching;

static void take(Watching *w, const char *bytes, ssize_t n)
{
    ssize_t fits = MIN(n, (ssize_t)(LOG_MOST - w->logged));
    if (w->log >= 0 && fits > 0 && write(w->log, bytes, (size_t)fits) == fits) w->logged += fits;
    buf_put(&w->tail, bytes, n);
    if (w->tail.len <= 4 * (ptrdiff_t)CHILD_TAIL) return;
    memmove(w->tail.at, w->tail.at + w->tail.len - CHILD_TAIL, CHILD_TAIL);
    w->tail.len = CHILD_TAIL;
}

/* What there is to read now; one who prints without end is heard a little at a time. */
static void drain(Watching *w)
{
    char bytes[16384];
    for (int i = 0; i < 64; i++) {
        ssize_t n = read(w->out, bytes, sizeof(bytes));
        if (n <= 0) return;
        take(w, bytes, n);
    }
}

static void end_it(Watching *w, bool *flag)
{
    if (w->end->stopped || w->end->timed_out) return;
    *flag = true;
    kill(w->keeper, SIGTERM);
}

static void look(Watching *w)
{
    double now = clock_now();
    if (w->job->stop && w->job->stop(w->job->self)) end_it(w, &w->end->stopped);
    w->spared += clock_now() - now;
    if (w->job->seconds > 0 && clock_now() - w->begun - w->spared > w->job->seconds)
        end_it(w, &w->end->timed_out);
}

static void put_tail(Watching *w)
{
    ptrdiff_t at = MAX(w->tail.len - CHILD_TAIL, 0), n = 0;
    for (; at < w->tail.len; at++) {
        int len = utf8_len(w->tail.at + at, w->tail.at + w->tail.len);
        if (len == 0 || w->tail.at[at] == '\0') continue;
        memcpy(w->end->tail + n, w->tail.at + at, (size_t)len);
        n += len;
        at += len - 1;
    }
    w->end->tail[n] = '\0';
    buf_free(&w->tail);
}

static bool attend_keeper(Watching *w, Err *err)
{
    Word word = { 0 };
    ssize_t got;
    for (;;) {
        struct pollfd ends[2] = { { w->out, POLLIN, 0 }, { w->word, POLLIN, 0 } };
        poll(ends, 2, TICK_MS);
        drain(w);
        got = read(w->word, &word, sizeof(word));
        if (got >= 0 || (errno != EAGAIN && errno != EINTR)) break;
        if (ends[0].revents & POLLHUP) nap(); /* it closed its output and works on */
        look(w);
    }
    drain(w);
    waitpid(w->keeper, NULL, 0);
    w->end->seconds = clock_now() - w->begun - w->spared;
    put_tail(w);
    if (got != (ssize_t)sizeof(word))
        return err_set(err, ERR_IO, "the process that watches over %s was killed", w->job->argv[0]);
    w->end->started = word.error == 0;
    w->end->status = word.error               ? word.error
                     : WIFEXITED(word.status) ? WEXITSTATUS(word.status)
                                              : 0;
    w->end->signal = WIFSIGNALED(word.status) ? WTERMSIG(word.status) : 0;
    return true;
}

static bool start(Watching *w, Err *err)
{
    int out[2], word[2];
    char *env[ENV_MOST];
    shown_environment(w->job, env);
    if (pipe2(out, O_CLOEXEC) != 0) return err_errno(err, "start %s", w->job->argv[0]);
    if (pipe2(word, O_CLOEXEC) != 0) {
        close(out[0]);
        close(out[1]);
        return err_errno(err, "start %s", w->job->argv[0]);
    }
    pid_t parent = getpid();
    w->begun = clock_now();
    w->keeper = fork();
    if (w->keeper == 0) keep(w->job, env, out[1], word[1], parent);
    close(out[1]);
    close(word[1]);
    w->out = out[0];
    w->word = word[0];
    fcntl(w->out, F_SETFL, O_NONBLOCK);
    fcntl(w->word, F_SETFL, O_NONBLOCK);
    if (w->keeper > 0) return true;
    err_errno(err, "start %s", w->job->argv[0]);
    close(w->out);
    close(w->word);
    return false;
}

bool child_run(const ChildJob *job, ChildEnd *end, Err *err)
{
    Watching w = { .job = job, .end = end, .log = -1 };
    *end = (ChildEnd){ 0 };
    if (job->log) {
        w.log = open(job->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (w.log < 0) return err_errno(err, "write %s", job->log);
    }
    bool ok = start(&w, err);
    if (ok) {
        ok = attend_keeper(&w, err);
        close(w.out);
        close(w.word);
    }
    if (w.log >= 0) close(w.log);
    return ok;
}
