/* follow.h - watching the lab's worker: verdicts as they fall, the running curve as it grows. */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "lab/worker.h"

/* Shows until the worker is gone or Ctrl-C; *interrupted says which.  On a terminal the last
 * lines are redrawn; otherwise only new entries are printed.  All of it goes to stderr. */
bool follow_worker(Lab *lab, int64_t after, bool *interrupted, Err *err) MUST_CHECK;

/* The plan of a session in a few lines: what it is going to do and can detect. */
void follow_plan(const SessionPlan *p);

#endif
