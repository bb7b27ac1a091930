/* apart.c - sittings that are sandboxes.
 *
 * A sitting's candidate has no folder that it could write to, no clock but the machine's, and no
 * other process to talk to; the two sittings follow one another, so that not even their use of
 * the processor can carry a word.  A candidate that does not answer is broken, not the world: it is
 * rejected with what the sandbox saw. */
#include "judge/apart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "sandbox/wire.h"

enum { LOGITS = 32 << 20, ROW_TOKENS = 4096 };
static const double PATIENCE = 120; /* seconds for one answer */

typedef struct Process {
    const ApartJob *job;
    Arena *out;
    Sandbox *box;
    Wire wire;
    WireShape shape;
    char why[400]; /* it broke */
    double wall, cpu;
} Process;

/* As many rows to a question as fit LOGITS. */
static WireShape shape_of(const ApartJob *job)
{
    int vocab = tokenizer_vocab(job->tokenizer), tokens = MIN(LOGITS / 4 / vocab, ROW_TOKENS);
    return (WireShape){ MAX(1, tokens / job->context), job->context, vocab };
}

static bool begin(void *self, Err *err)
{
    Process *p = self;
    const char *argv[] = { "/program", "inside", "answer", "/model", NULL, NULL };
    argv[4] = arena_printf(p->out, "%d", p->job->threads);
    const SandboxMount mount[] = { { p->job->program, "/program", false },
                                   { p->job->model, "/model", false } };
    SandboxJob job = {
        .argv = argv, .mount = mount, .mounts = 2, .passes = 3, .limit = p->job->limit
    };
    if (!wire_open(&p->wire, p->shape, err)) return false;
    job.pass[0] = p->wire.memory;
    job.pass[1] = p->wire.ask[0];
    job.pass[2] = p->wire.answer[1];
    p->box = sandbox_start(&job, p->out, err);
    wire_handed_over(&p->wire);
    return p->box != NULL;
}

static void end(void *self)
{
    Process *p = self;
    if (p->box) {
        SandboxEnd e = sandbox_end(p->box);
        p->wall += e.wall;
        p->cpu += e.cpu;
    }
    p->box = NULL;
    wire_close(&p->wire);
}

static bool broke(Process *p, Err *err)
{
    bool ran = sandbox_running(p->box);
    SandboxEnd e = sandbox_end(p->box);
    Str says = str_trim(str_of(e.says));
    const char *why = ran ? "no answer" : sandbox_why(&e, &p->job->limit, p->out);
    snprintf(p->why, sizeof(p->why), "it broke while it was judged: %s%s%.*s", why,
             says.len ? "; it said: " : "", (int)MIN(says.len, 240), says.at ? says.at : "");
    return err_set(err, ERR_FORMAT, "%s", p->why);
}

static bool ask(void *self, const int32_t *tokens, int rows, float *logits, Err *err)
{
    Process *p = self;
    if (!wire_ask(&p->wire, tokens, rows, err)) return broke(p, err);
    double until = clock_now() + PATIENCE;
    while (sandbox_running(p->box) && clock_now() < until) {
        if (stop_asked()) return err_set(err, ERR_STOPPED, "stopped while judging");
        if (!sandbox_wait(p->box, p->wire.answer[0], 1)) continue;
        if (wire_take(&p->wire, rows, logits)) return true;
        sandbox_wait(p->box, -1, 0.2); /* the pipe is closed: it is about to end */
        break;
    }
    return broke(p, err);
}

bool apart_score(const ApartJob *job, Arena *out, ApartResult *result, Err *err)
{
    Process p = { .job = job, .out = out, .shape = shape_of(job) };
    Sitting sitting = { &p, p.shape.rows, begin, ask, end };
    ArmJob arm = { &sitting, job->tokenizer, job->context, job->secret };
    *result = (ApartResult){ 0 };
    bool ok = arm_score(&job->text, &arm, out, &result->arm, err);
    result->wall = p.wall;
    result->cpu = p.cpu;
    if (ok || !p.why[0]) return ok;
    *err = (Err){ 0 };
    result->arm.rejected = true;
    result->arm.score = (JudgeScore){ .bpb = (double)NAN };
    snprintf(result->arm.why, sizeof(result->arm.why), "%s", p.why);
    return true;
}
