/* cmd_control.c - watch, pause, resume, stop, and the worker itself. */
#include <stdio.h>

#include "cli/cmd.h"
#include "cli/follow.h"

static bool nobody(const Lab *lab, Err *err)
{
    (void)lab;
    return err_set(err, ERR_BUSY,
                   "nothing is at work in this lab; `lathe research` begins or goes on");
}

static bool tell(Cmd *c, const char *action, Err *err)
{
    Lab lab;
    if (!lab_open(&lab, c->lab, LEDGER_WRITE, c->arena, err)) return false;
    bool ok = worker_alive(lab.dir) ? worker_tell(&lab, action, err) : nobody(&lab, err);
    lab_close(&lab);
    return ok;
}

static bool run_watch(Cmd *c, Err *err)
{
    Lab lab;
    bool interrupted;
    if (!lab_open(&lab, c->lab, LEDGER_READ, c->arena, err)) return false;
    if (!worker_alive(lab.dir)) return nobody(&lab, err);
    int64_t from = ledger_seq(lab.ledger) - 30;
    bool ok = follow_worker(&lab, from > 0 ? from : 0, &interrupted, err);
    lab_close(&lab);
    return ok;
}

static bool run_pause(Cmd *c, Err *err)
{
    if (!tell(c, "pause", err)) return false;
    printf("the work halts after the step it is in; `lathe resume` goes on\n");
    return true;
}

/* Also starts the worker again where a session was left unfinished. */
static bool run_resume(Cmd *c, Err *err)
{
    Lab lab;
    SessionPlan plan;
    bool found = false;
    if (!lab_open(&lab, c->lab, LEDGER_WRITE, c->arena, err)) return false;
    bool ok = true;
    if (worker_alive(lab.dir))
        ok = worker_tell(&lab, "resume", err);
    else
        ok = session_unfinished(&lab, &plan, &found, err) &&
             (found ? worker_start(lab.dir, c->program, err) : nobody(&lab, err));
    lab_close(&lab);
    if (ok) printf("the work goes on; `lathe watch` looks on\n");
    return ok;
}

static bool run_stop(Cmd *c, Err *err)
{
    if (!tell(c, "stop", err)) return false;
    if (worker_wait_gone(c->lab, 60)) {
        printf("stopped; `lathe research` goes on from here\n");
        return true;
    }
    return err_set(err, ERR_BUSY,
                   "the worker is still at work after a minute; `lathe status` shows at what");
}

static bool run_worker(Cmd *c, Err *err)
{
    Lab lab;
    if (!lab_open(&lab, c->lab, LEDGER_WRITE, c->arena, err)) return false;
    bool ok = worker_main(&lab, err);
    lab_close(&lab);
    return ok;
}

const CmdDef cmd_watch = {
    .name = "watch",
    .doc = "look on while the lab works; Ctrl-C only closes the window",
    .needs_lab = true,
    .run = run_watch,
};
const CmdDef cmd_pause = {
    .name = "pause",
    .doc = "hold the work where it is, in memory",
    .needs_lab = true,
    .run = run_pause,
};
const CmdDef cmd_resume = {
    .name = "resume",
    .doc = "go on after a pause, a stop or a crash",
    .needs_lab = true,
    .run = run_resume,
};
const CmdDef cmd_stop = {
    .name = "stop",
    .doc = "checkpoint and stop; `lathe research` goes on later",
    .needs_lab = true,
    .run = run_stop,
};
const CmdDef cmd_worker = {
    .name = "worker",
    .doc = "works the unfinished session (started by research)",
    .needs_lab = true,
    .hidden = true,
    .run = run_worker,
};
