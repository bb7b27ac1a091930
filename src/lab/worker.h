/* worker.h - the detached process that does a lab's research.
 *
 * One worker per lab, held by a lock on LAB/worker.lock.  A closed terminal
 * stops nothing: whoever wants to see it reads LAB/worker.json (where it is now)
 * and the ledger (what it did); whoever wants to steer it appends a `control`
 * entry, which it reads a few times a second.  Paused, it holds its place in
 * memory; stopped or killed, it goes on from the last checkpoint. */
#ifndef LAB_WORKER_H
#define LAB_WORKER_H

#include "lab/session.h"

enum { WORKER_CURVE = 512 };

typedef struct WorkerState {
    int64_t pid;
    char session[24], run[24], doing[240];
    int64_t step, steps;
    double loss, tokens_per_s, planned_bytes, updated;
    double curve[WORKER_CURVE]; /* losses of the run so far, evenly thinned */
    int curve_n;
    bool paused, ended;
    char error[480]; /* why it ended early; "" */
} WorkerState;

/* Is a worker at work in this lab? */
bool worker_alive(const char *lab);

/* Starts one (`program` is this executable) and waits until it holds the lock or has ended. */
bool worker_start(const char *lab, const char *program, Err *err) MUST_CHECK;

/* What the hidden command does: works the unfinished session to its end. */
bool worker_main(Lab *lab, Err *err) MUST_CHECK;

/* *found false where no worker ever was. */
bool worker_state(const char *lab, WorkerState *out, bool *found, Err *err) MUST_CHECK;

/* "pause", "resume", "stop". */
bool worker_tell(Lab *lab, const char *action, Err *err) MUST_CHECK;

/* After a stop: waits until the worker is gone; false if it is still there after `seconds`. */
bool worker_wait_gone(const char *lab, double seconds);

#endif
