/* sandbox_group.c - limits on all that runs inside together.
 *
 * Resource limits count one process or one user; a fork bomb is many processes, and ours as root
 * are all root's.  Control groups count what belongs together, so they are asked first: version 2
 * where a group can be made below our own or at the root and has the controllers of memory and
 * tasks, else version 1, whose controllers are separate trees.  Where neither may be written, as
 * for an ordinary user outside a delegated scope, the limits of sandbox.c remain (rlimits and a
 * watch), and the ledger says so.
 *
 * A group is a folder that outlives its maker if that is killed.  Its name holds the maker's pid
 * and the time the maker began, so that whoever comes next knows which ones nobody owns any more.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/sandbox_private.h"

#define ROOT "/sys/fs/cgroup"

static bool put(const char *group, const char *file, const char *text)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof(path), "%s/%s", group, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return ok;
}

static bool put_number(const char *group, const char *file, int64_t n)
{
    char text[32];
    snprintf(text, sizeof(text), "%lld", (long long)n);
    return put(group, file, text);
}

/* The file's text, or "". */
static void get(const char *group, const char *file, char out[512])
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof(path), "%s/%s", group, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, 511) : 0;
    if (fd >= 0) close(fd);
    out[MAX(n, 0)] = 0;
}

/* The number behind `key` in lines of "key number"; a file of one number has the key "". */
static int64_t number(const char *group, const char *file, const char *key)
{
    char text[512];
    get(group, file, text);
    const char *at = text;
    size_t n = strlen(key);
    while (n > 0 && (strncmp(at, key, n) != 0 || at[n] != ' ')) {
        at = strchr(at, '\n');
        if (!at++) return 0;
    }
    return strtoll(at + n, NULL, 10);
}

/* ---- whose is it? ---- */

/* Ticks after boot at which the process began; 0 if there is none. */
static long long birth(pid_t pid)
{
    char text[512], dir[40];
    snprintf(dir, sizeof(dir), "/proc/%d", (int)pid);
    get(dir, "stat", text);
    const char *at = strrchr(text, ')'); /* a program's name may hold anything */
    for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
    return at ? strtoll(at, NULL, 10) : 0;
}

static void kill_members(const char *group)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/cgroup.procs", group);
    FILE *f = fopen(path, "re");
    int pid;
    while (f && fscanf(f, "%d", &pid) == 1)
        if (pid > 1) kill(pid, SIGKILL);
    if (f) fclose(f);
}

/* What was killed needs a moment to go. */
static void remove_group(const char *group)
{
    const struct timespec nap = { 0, 5000000 };
    for (int i = 0; i < 200 && rmdir(group) != 0 && errno == EBUSY; i++) {
        kill_members(group);
        nanosleep(&nap, NULL);
    }
}

static void sweep(const char *parent)
{
    DIR *d = opendir(parent);
    struct dirent *e;
    while (d && (e = readdir(d))) {
        int pid, nth;
        long long born;
        char path[PATH_MAX];
        if (sscanf(e->d_name, "lathe-%d-%lld-%d", &pid, &born, &nth) != 3) continue;
        if (birth(pid) == born) continue;
        if (snprintf(path, sizeof(path), "%s/%s", parent, e->d_name) < (int)sizeof(path))
            remove_group(path);
    }
    if (d) closedir(d);
}

static bool make(const char *parent, char out[PATH_MAX])
{
    static int made; /* by this process: sandboxes begin on one thread */
    sweep(parent);
    int n = snprintf(out, PATH_MAX, "%s/lathe-%d-%lld-%d", parent, (int)getpid(), birth(getpid()),
                     ++made);
    if (n < PATH_MAX && mkdir(out, 0755) == 0) return true;
    out[0] = 0;
    return false;
}

/* ---- version 2 ---- */

static void own_v2(char out[PATH_MAX])
{
    char text[512];
    get("/proc/self", "cgroup", text);
    const char *at = strstr(text, "0::/");
    out[0] = 0;
    if (at) snprintf(out, PATH_MAX, ROOT "%.*s", (int)strcspn(at + 3, "\n"), at + 3);
}

static bool limit_v2(const char *g, const SandboxLimits *l)
{
    char quota[64];
    snprintf(quota, sizeof(quota), "%d 100000", l->cpus * 100000);
    if (!put_number(g, "memory.max", l->memory) || !put_number(g, "pids.max", l->tasks))
        return false;
    (void)(put(g, "memory.swap.max", "0") && put(g, "memory.oom.group", "1") &&
           put(g, "cpu.max", quota)); /* not every kernel has these; the watch remains */
    return true;
}

static bool open_v2(SandboxGroup *g, const SandboxLimits *l)
{
    char parent[2][PATH_MAX];
    own_v2(parent[0]);
    snprintf(parent[1], PATH_MAX, "%s", ROOT);
    for (int i = 0; i < 2; i++) {
        if (!parent[i][0] || !make(parent[i], g->path[0])) continue;
        if (limit_v2(g->path[0], l)) {
            g->version = 2;
            return true;
        }
        remove_group(g->path[0]);
        g->path[0][0] = 0;
    }
    return false;
}

/* ---- version 1 ---- */

enum { MEMORY, TASKS, CPU, CPUACCT };
static const char *const controller[SANDBOX_GROUPS] = { "memory", "pids", "cpu", "cpuacct" };

static bool limit_v1(const SandboxGroup *g, const SandboxLimits *l)
{
    if (!put_number(g->path[MEMORY], "memory.limit_in_bytes", l->memory) ||
        !put_number(g->path[TASKS], "pids.max", l->tasks))
        return false;
    /* Swap is only counted where the kernel was told to. */
    (void)put_number(g->path[MEMORY], "memory.memsw.limit_in_bytes", l->memory);
    (void)put_number(g->path[CPU], "cpu.cfs_quota_us", (int64_t)l->cpus * 100000);
    return true;
}

static bool open_v1(SandboxGroup *g, const SandboxLimits *l)
{
    for (int i = 0; i < SANDBOX_GROUPS; i++) {
        char parent[64];
        snprintf(parent, sizeof(parent), ROOT "/%s", controller[i]);
        make(parent, g->path[i]);
    }
    if (g->path[MEMORY][0] && g->path[TASKS][0] && limit_v1(g, l)) {
        g->version = 1;
        return true;
    }
    sandbox_group_close(g);
    return false;
}

/* ---- both ---- */

void sandbox_group_open(SandboxGroup *g, const SandboxLimits *limit)
{
    *g = (SandboxGroup){ 0 };
    if (!open_v2(g, limit) && !open_v1(g, limit)) *g = (SandboxGroup){ 0 };
}

bool sandbox_group_enter(const SandboxGroup *g, pid_t pid)
{
    for (int i = 0; i < SANDBOX_GROUPS; i++)
        if (g->path[i][0] && !put_number(g->path[i], "cgroup.procs", pid)) return false;
    return true;
}

SandboxCount sandbox_group_count(const SandboxGroup *g)
{
    SandboxCount c = { .cpu = -1 };
    if (g->version == 2) {
        c.memory = number(g->path[0], "memory.events", "oom_kill") > 0;
        c.tasks = number(g->path[0], "pids.events", "max") > 0;
        c.cpu = (double)number(g->path[0], "cpu.stat", "usage_usec") * 1e-6;
    } else if (g->version == 1) {
        c.memory = number(g->path[MEMORY], "memory.oom_control", "oom_kill") > 0;
        c.tasks = number(g->path[TASKS], "pids.events", "max") > 0;
        if (g->path[CPUACCT][0])
            c.cpu = (double)number(g->path[CPUACCT], "cpuacct.usage", "") * 1e-9;
    }
    return c;
}

void sandbox_group_close(SandboxGroup *g)
{
    for (int i = 0; i < SANDBOX_GROUPS; i++)
        if (g->path[i][0]) remove_group(g->path[i]);
    *g = (SandboxGroup){ 0 };
}

const char *sandbox_holder(void)
{
    static const char *const name[] = { "rlimits", "cgroup v1", "cgroup v2" };
    SandboxGroup g;
    SandboxLimits l = { .memory = 1 << 30, .tasks = 8, .cpus = 1 };
    sandbox_group_open(&g, &l);
    int version = g.version;
    sandbox_group_close(&g);
    return name[version];
}
