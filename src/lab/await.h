/* await.h - what happened in a lab since a point of its ledger, and whether what somebody waits for
 * is over.  Whoever asks again with the cursor of the answer misses nothing and is told nothing
 * twice. */
#ifndef LAB_AWAIT_H
#define LAB_AWAIT_H

#include "lab/lab.h"

typedef struct Await {
    int64_t cursor;    /* the last entry that was seen */
    const char *until; /* p3, e7 or s1; "": the next verdict, refusal, veto or end */
} Await;

/* Refuses an id that nothing has. */
bool await_known(Lab *lab, const char *until, Err *err) MUST_CHECK;

/* *seen: {cursor, events, runs_finished, state, over: has it come, doing...}, a new reference.
 * *over: it has, or nothing is at work, so that it will not come by itself. */
bool await_look(Lab *lab, const Await *a, json_t **seen, bool *over, Err *err) MUST_CHECK;

#endif
