/* sandbox.h - runs a program that nobody vouches for.
 *
 * Inside, the command sees the system's programs and libraries read-only, the folders that its
 * job names, and nothing else of this machine: no network, no environment, no other process, no
 * capability, no system call that reaches around these walls (sandbox_filter.c).  Outside, its
 * memory, its tasks, its processor time, its wall clock, what it writes and what it says are
 * limited, and it dies with the process that started it.
 *
 *     Sandbox *s = sandbox_start(&job, arena, &err);    NULL: refused, never run unprotected
 *     while (sandbox_running(s)) sandbox_wait(s, fd, 0.1);
 *     SandboxEnd end = sandbox_end(s);                  kills what is left of it
 *
 * The walls are bubblewrap's, which is asked for by name; where the kernel forbids user
 * namespaces, or the program is missing, the sandbox says so and nothing runs. */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

typedef struct SandboxMount {
    const char *from, *to; /* outside, inside; both absolute */
    bool write;            /* at most one folder of a job: disk is counted there */
} SandboxMount;

/* Zero: the default that stands behind each. */
typedef struct SandboxLimits {
    int64_t memory;   /* bytes, 2 GB */
    int64_t disk;     /* bytes in the writable folder, 1 GB */
    int64_t files;    /* in it, 10,000 */
    int64_t output;   /* bytes of what it says that are kept, 64 kB; the rest is read and lost */
    int tasks;        /* processes and threads together, 32 */
    int cpus;         /* processors' worth of time, 2 */
    double cpu, wall; /* seconds, 600 each */
} SandboxLimits;

enum { SANDBOX_PASS = 4 };

typedef struct SandboxJob {
    const char *const *argv; /* as seen inside; ends with NULL */
    const SandboxMount *mount;
    int mounts;
    const char *dir;        /* to begin in; NULL: / */
    int pass[SANDBOX_PASS]; /* descriptors that the command gets as 3, 4, ... */
    int passes;
    SandboxLimits limit;
} SandboxJob;

typedef enum SandboxWhy {
    SANDBOX_EXITED,   /* by itself; `status` is its own */
    SANDBOX_SIGNALED, /* `status` is the signal */
    SANDBOX_STOPPED,  /* by sandbox_end */
    SANDBOX_MEMORY,
    SANDBOX_TASKS,
    SANDBOX_CPU,
    SANDBOX_WALL,
    SANDBOX_DISK
} SandboxWhy;

typedef struct SandboxEnd {
    SandboxWhy why;
    int status;
    double wall, cpu; /* seconds; cpu of all that ran inside */
    const char *says; /* stdout and stderr together, at most limit.output; in the job's arena */
    bool cut;         /* it said more */
} SandboxEnd;

typedef struct Sandbox Sandbox;

Sandbox *sandbox_start(const SandboxJob *job, Arena *out, Err *err) MUST_CHECK;
bool sandbox_running(const Sandbox *s);

/* Reads what it says and holds it to its limits, until `fd` can be read (-1: none), it ends, or
 * `seconds` are over.  True if fd can be read. */
bool sandbox_wait(Sandbox *s, int fd, double seconds);
SandboxEnd sandbox_end(Sandbox *s);

/* To the end; ERR_STOPPED if asked to stop meanwhile. */
bool sandbox_run(const SandboxJob *job, Arena *out, SandboxEnd *end, Err *err) MUST_CHECK;

/* "exit status 1", "memory over 2.0 GB", ... */
const char *sandbox_why(const SandboxEnd *e, const SandboxLimits *limit, Arena *out);

/* May anything be run here at all?  The reason in the words of who refuses. */
bool sandbox_available(Arena scratch, Err *err) MUST_CHECK;

/* What holds memory and tasks to their limits here: "cgroup v2", "cgroup v1", "rlimits". */
const char *sandbox_holder(void);

/* ---- the escapes that `lathe sandbox --test` tries ---- */

typedef struct SandboxEscape {
    const char *name, *what;
    SandboxLimits limit;
    bool writes;    /* it is given a writable folder, /box */
    SandboxWhy why; /* how its run must end; SANDBOX_EXITED: by itself, with status 0 */
    /* Inside.  0 where it was held; 1, with a line on stdout, where it got out. */
    int (*attempt)(void);
} SandboxEscape;

const SandboxEscape *sandbox_escapes(int *count);

/* Inside: tries one; what the process is to exit with. */
int sandbox_attempt(const char *name);

typedef struct SandboxTried {
    bool held;
    const char *how; /* what was seen */
    double seconds;
} SandboxTried;

/* Outside: runs `program` (which calls sandbox_attempt when called with `word` and the name). */
bool sandbox_try(const SandboxEscape *e, const char *program, const char *const *words,
                 const char *folder, Arena *out, SandboxTried *tried, Err *err) MUST_CHECK;

#endif
