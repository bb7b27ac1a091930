/* apart_train.c - a run by an engine that a patch made.
 *
 * The engine is this program built from other source.  It gets the training text and the tokenizers
 * read-only and the run's folder to write to; its curve comes through a pipe, as plain rows, and is
 * shown as what it is, the candidate's own word; so is the hash of its weights, by which a replay
 * is compared.  Time is taken from outside.
 *
 * In the frame of tokens a patch may take longer than the champion, and pays for it only in what
 * the session can afford; more than PATIENCE times as much as any run of this lab took is a run
 * that has failed. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "code/source.h"
#include "lab/apart.h"
#include "sandbox/sandbox.h"

static const double PATIENCE = 5, PATIENCE_LEAST = 120, PATIENCE_UNKNOWN = 3600;
enum { ROWS = 64 };

const char *apart_code(const Recipe *recipe)
{
    if (knobs_find(&recipe->knobs, "code") < 0) return NULL;
    const char *tree = knobs_text(&recipe->knobs, "code");
    return tree[0] ? tree : NULL;
}

bool apart_engine(Lab *lab, const Recipe *recipe, const char **program, Err *err)
{
    Source s;
    const char *tree = apart_code(recipe);
    if (strlen(tree) != 40 || strspn(tree, "0123456789abcdef") != 40)
        return err_set(err, ERR_CONFIG,
                       "code = %.60s is no tree of this lab's source: patches come in by `lathe "
                       "propose --patch FILE`",
                       tree);
    return source_open(&s, lab->dir, NULL, apart_self(lab->arena), lab->arena, err) &&
           source_engine(&s, tree, program, err);
}

static bool longest(void *self, const Entry *e)
{
    double *most = self;
    *most = MAX(*most, json_num(e->body, "seconds", 0));
    return true;
}

static bool patience(Lab *lab, double *seconds, Err *err)
{
    double most = 0;
    if (!ledger_each(lab->ledger, "result", 0, longest, &most, err)) return false;
    *seconds = most > 0 ? MAX(PATIENCE * most, PATIENCE_LEAST) : PATIENCE_UNKNOWN;
    return true;
}

/* ---- what it tells ---- */

typedef struct Telling {
    const RunSink *sink;
    int fd;
    StepRow row[ROWS];
    size_t bytes; /* of the rows that have come */
    int64_t last;
} Telling;

/* Rows in order; whatever else comes through the pipe ends the telling. */
static bool hear(Telling *t, Err *err)
{
    for (;;) {
        ssize_t n = read(t->fd, (char *)t->row + t->bytes, sizeof(t->row) - t->bytes);
        if (n <= 0) return true;
        t->bytes += (size_t)n;
        int rows = (int)(t->bytes / sizeof(StepRow));
        for (int i = 0; i < rows; i++) {
            if (t->row[i].step <= t->last) return true;
            t->last = t->row[i].step;
        }
        if (rows > 0 && t->sink->rows && !t->sink->rows(t->sink->self, t->row, rows, err))
            return false;
        t->bytes -= (size_t)rows * sizeof(StepRow);
        memmove(t->row, &t->row[rows], t->bytes);
    }
}

static bool follow(Sandbox *box, Telling *t, Err *err)
{
    while (sandbox_running(box)) {
        sandbox_wait(box, t->fd, 0.2);
        if (!hear(t, err)) return false;
        if (t->sink->stop && t->sink->stop(t->sink->self))
            return err_set(err, ERR_STOPPED, "stopped; the same command goes on");
    }
    return hear(t, err);
}

/* ---- the run ---- */

static void read_end(const SandboxEnd *end, const SandboxLimits *limit, Arena *out, TrainResult *t,
                     char why[400])
{
    long long steps = 0, tokens = 0, flops = 0;
    int finite = 0;
    const char *at = strstr(end->says, "trained ");
    t->seconds = end->wall;
    if (end->why == SANDBOX_EXITED && end->status == 0 && at &&
        sscanf(at,
               "trained %lld steps, %lld tokens, %lld FLOPs, train_loss %lf, finite %d, weights "
               "%64[0-9a-f]",
               &steps, &tokens, &flops, &t->train_loss, &finite, t->weights_sha256) == 6) {
        t->steps = steps;
        t->tokens = tokens;
        t->flops = flops;
        t->finite = finite != 0;
        return;
    }
    Str says = str_trim(str_of(end->says));
    ptrdiff_t from = MAX(0, says.len - 250);
    snprintf(why, 400, "its engine broke: %s; it said: %.*s", sandbox_why(end, limit, out),
             (int)(says.len - from), says.at + from);
}

static bool boxed(Lab *lab, const ApartTrain *job, const char *program, int fd[2], Telling *t,
                  TrainResult *out, char why[400], Err *err)
{
    Arena *a = lab->arena;
    const char *argv[] = { "/program",
                           "inside",
                           "train",
                           "/lab",
                           "/box/recipe.toml",
                           "/box",
                           arena_printf(a, "%llu", (unsigned long long)job->seed),
                           arena_printf(a, "%d", job->threads > 0 ? job->threads : 2),
                           NULL };
    const char *tokenizers = lab_path(lab, "tokenizers");
    const SandboxMount mount[] = { { program, "/program", false },
                                   { lab_path(lab, "data"), "/lab/data", false },
                                   { job->dir, "/box", true },
                                   { tokenizers, "/lab/tokenizers", false } };
    SandboxJob box = { .argv = argv,
                       .mount = mount,
                       .mounts = file_is_dir(tokenizers) ? 4 : 3,
                       .pass = { fd[1] },
                       .passes = 1,
                       .limit = { .memory = (int64_t)4 << 30,
                                  .disk = (int64_t)4 << 30,
                                  .tasks = (job->threads > 0 ? job->threads : 2) + 4,
                                  .cpus = job->threads > 0 ? job->threads : 2 } };
    if (!patience(lab, &box.limit.wall, err)) return false;
    box.limit.cpu = box.limit.wall * box.limit.cpus;
    Sandbox *s = sandbox_start(&box, a, err);
    if (!s) return false;
    close(fd[1]);
    fd[1] = -1;
    bool ok = follow(s, t, err);
    SandboxEnd end = sandbox_end(s);
    if (ok) read_end(&end, &box.limit, a, out, why);
    return ok;
}

bool apart_train(Lab *lab, const ApartTrain *job, TrainResult *out, char why[400], Err *err)
{
    const char *program;
    int fd[2] = { -1, -1 };
    char dir[4096];
    Buf text = { 0 };
    *out = (TrainResult){ .train_loss = (double)NAN };
    why[0] = 0;
    recipe_text(job->recipe, false, &text);
    bool ok = apart_engine(lab, job->recipe, &program, err) && file_make_dirs(job->dir, err) &&
              file_write_whole(arena_printf(lab->arena, "%s/recipe.toml", job->dir),
                               buf_view(&text), err);
    buf_free(&text);
    if (!ok) return false;
    if (!realpath(job->dir, dir) || pipe2(fd, O_CLOEXEC | O_NONBLOCK) != 0)
        return err_errno(err, "run a candidate's engine");
    ApartTrain there = *job;
    there.dir = dir;
    Telling t = { .sink = &job->sink, .fd = fd[0] };
    ok = boxed(lab, &there, program, fd, &t, out, why, err);
    close(fd[0]);
    if (fd[1] >= 0) close(fd[1]);
    return ok;
}
