/* sandbox_private.h - what the parts of the sandbox share. */
#ifndef SANDBOX_SANDBOX_PRIVATE_H
#define SANDBOX_SANDBOX_PRIVATE_H

#include <limits.h>
#include <sys/types.h>

#include "sandbox/sandbox.h"

/* A descriptor that the compiled filter can be read from. */
bool sandbox_filter(int *fd, Err *err) MUST_CHECK;

/* A control group of our own: v2 is one folder, v1 one for each controller. */
enum { SANDBOX_GROUPS = 4 };
typedef struct SandboxGroup {
    int version; /* 0: there is none, resource limits hold instead */
    char path[SANDBOX_GROUPS][PATH_MAX];
} SandboxGroup;

typedef struct SandboxCount {
    bool memory, tasks; /* the limit was met */
    double cpu;         /* seconds so far; negative: not known */
} SandboxCount;

/* Removes groups whose makers are dead, too. */
void sandbox_group_open(SandboxGroup *g, const SandboxLimits *limit);
bool sandbox_group_enter(const SandboxGroup *g, pid_t pid);
SandboxCount sandbox_group_count(const SandboxGroup *g);
void sandbox_group_close(SandboxGroup *g); /* once nothing runs in it */

/* The same by looking at /proc, where there is no group. */
typedef struct SandboxTree {
    int tasks;
    int64_t memory;
    double cpu;
} SandboxTree;
SandboxTree sandbox_tree(pid_t pid);
int sandbox_tasks_of_user(void); /* processes and threads of this user on the whole machine */

#endif
