/* child.h - another program, run to its end or stopped there, with nothing of it left behind. */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include "base/err.h"

C_BEGIN

enum { CHILD_TAIL = 2048 };

typedef struct ChildJob {
    const char *const *argv;   /* argv[0] is looked up in PATH; NULL-terminated */
    const char *dir;           /* where it runs; NULL: here */
    const char *const *hidden; /* names that its environment lacks; NULL: none */
    const char *log;           /* what it prints goes there, the first megabyte; NULL: nowhere */
    double seconds;            /* then it is stopped; 0: no limit */
    void *self;
    bool (*stop)(void *self); /* polled several times a second; true: stop it.  May be NULL, and
                                 time that it takes does not count against the limit */
} ChildJob;

typedef struct ChildEnd {
    int status, signal; /* of exit, or what killed it (0: nothing) */
    bool started;       /* false: no such program, or not to be run; `status` is errno */
    bool timed_out, stopped;
    double seconds;
    char tail[CHILD_TAIL + 1]; /* the last that it printed, as UTF-8 */
} ChildEnd;

/* True when it has ended in any way.  Whoever it started is gone then too, daemons included; and so
 * are all of them when this process is killed.  It is asked with SIGTERM, and killed after two
 * seconds. */
bool child_run(const ChildJob *job, ChildEnd *end, Err *err) MUST_CHECK;

C_END
#endif
