/* sandbox.c - bubblewrap's command line, and the watch over what runs behind it.
 *
 * The walls are made by bubblewrap (the program behind Flatpak): new namespaces of users,
 * processes, networks, mounts, host names and message queues, a file system of read-only parts, no
 * capability, no new privileges.  Rejected: Landlock alone, which leaves processes, sockets of
 * older kernels and /proc as they are; containers with a daemon, which want rights that the lab has
 * no business having; our own calls of clone and pivot_root, which others have got wrong before us.
 *
 * Memory, tasks and processor time are held by a control group where one can be made
 * (sandbox_group.c), and by resource limits always.  The wall clock, the space in the writable
 * folder and the output are held here, by whoever waits: twenty times a second.  A writer that
 * fills the disk within that time is bounded by the size of one file and by the clock.
 *
 * The group is entered between fork and exec, so that nothing ever runs outside of it.  When
 * bubblewrap dies the kernel kills all of its process namespace, daemons included; and bubblewrap
 * dies with the thread that started it. */
#include "sandbox/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "sandbox/sandbox_private.h"

enum { ARGS = 160, WALK_DEPTH = 16, OWN_TASKS = 3, OWN_FDS = 2 };
static const double LOOK_EVERY = 0.05;

struct Sandbox {
    SandboxLimits limit;
    SandboxGroup group;
    const char *folder; /* the writable one, outside; NULL: none */
    Arena *out;
    pid_t pid;
    int says; /* what it says, to be read */
    int info; /* what bubblewrap tells, to be read: the number of the first process inside */
    bool running;
    double begun, looked, cpu; /* cpu: seen below it, where no group counts */
    Buf text;
    SandboxEnd end;
};

static SandboxLimits with_defaults(SandboxLimits l)
{
    const SandboxLimits d = { .memory = (int64_t)2 << 30,
                              .disk = 1 << 30,
                              .files = 10000,
                              .output = 64 << 10,
                              .tasks = 32,
                              .cpus = 2,
                              .cpu = 600,
                              .wall = 600 };
    return (SandboxLimits){ .memory = l.memory ? l.memory : d.memory,
                            .disk = l.disk ? l.disk : d.disk,
                            .files = l.files ? l.files : d.files,
                            .output = l.output ? l.output : d.output,
                            .tasks = l.tasks ? l.tasks : d.tasks,
                            .cpus = l.cpus ? l.cpus : d.cpus,
                            .cpu = l.cpu > 0 ? l.cpu : d.cpu,
                            .wall = l.wall > 0 ? l.wall : d.wall };
}

/* ---- the command line ---- */

typedef struct Args {
    const char *at[ARGS];
    int n;
} Args;

static void add(Args *a, const char *word, const char *second, const char *third)
{
    const char *words[3] = { word, second, third };
    CHECK(a->n + 4 < ARGS, "too many words for bubblewrap");
    for (int i = 0; i < 3 && words[i]; i++) a->at[a->n++] = words[i];
}

/* Programs and libraries: /usr, and what stands beside it or points into it. */
static void add_system(Args *a, Arena *out)
{
    static const char *const beside[] = { "/bin", "/sbin", "/lib", "/lib32", "/lib64" };
    add(a, "--ro-bind", "/usr", "/usr");
    for (ptrdiff_t i = 0; i < COUNT(beside); i++) {
        char to[PATH_MAX];
        ssize_t n = readlink(beside[i], to, sizeof(to));
        if (n > 0)
            add(a, "--symlink", arena_str(out, (Str){ to, n }), beside[i]);
        else if (access(beside[i], F_OK) == 0)
            add(a, "--ro-bind", beside[i], beside[i]);
    }
    add(a, "--ro-bind-try", "/etc/alternatives", "/etc/alternatives"); /* what `cc` points to */
    add(a, "--proc", "/proc", NULL);
    /* Root outside owns /proc/sys whatever it is called inside: core_pattern is a program's name.
     */
    add(a, "--remount-ro", "/proc", NULL);
    add(a, "--dev", "/dev", NULL);
    add(a, "--remount-ro", "/dev", NULL);
    add(a, "--size", "67108864", NULL);
    add(a, "--tmpfs", "/tmp", NULL);
}

static void add_walls(Args *a)
{
    add(a, "bwrap", "--unshare-user", "--unshare-pid");
    add(a, "--unshare-net", "--unshare-ipc", "--unshare-uts");
    add(a, "--unshare-cgroup-try", NULL, NULL);
    add(a, "--uid", "65534", NULL);
    add(a, "--gid", "65534", NULL);
    add(a, "--hostname", "sandbox", NULL);
    add(a, "--die-with-parent", "--new-session", NULL);
    add(a, "--cap-drop", "ALL", NULL);
}

/* ---- the child, between fork and exec: only calls that are safe there ---- */

typedef struct Birth {
    const Args *args;
    const int *fd; /* those to hand over: 3, 4, ..., then the filter, then what bwrap tells */
    int fds, says, go;
    const SandboxLimits *limit;
    int most_tasks; /* of the user, where no group counts; 0: a group does */
} Birth;

static void set_limit(int what, int64_t most)
{
    struct rlimit r = { (rlim_t)most, (rlim_t)most };
    (void)setrlimit(what, &r);
}

static void set_limits(const SandboxLimits *l, int most_tasks)
{
    set_limit(RLIMIT_CORE, 0);
    set_limit(RLIMIT_FSIZE, l->disk);
    set_limit(RLIMIT_NOFILE, 256);
    set_limit(RLIMIT_CPU, (int64_t)l->cpu + 1);
    set_limit(RLIMIT_MEMLOCK, 1 << 20);
    set_limit(RLIMIT_MSGQUEUE, 0);
    if (most_tasks > 0) set_limit(RLIMIT_NPROC, most_tasks);
}

NORETURN static void become(const Birth *b)
{
    static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", lang[] = "LANG=C.UTF-8",
                home[] = "HOME=/tmp";
    static char *env[] = { path, lang, home, NULL };
    char byte;
    int high = 3 + b->fds + 2;
    /* First out of the way of one another, then into place. */
    int moved[SANDBOX_PASS + OWN_FDS];
    for (int i = 0; i < b->fds; i++) moved[i] = fcntl(b->fd[i], F_DUPFD_CLOEXEC, 64);
    int says = fcntl(b->says, F_DUPFD_CLOEXEC, 64), go = fcntl(b->go, F_DUPFD_CLOEXEC, 64);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (says < 0 || go < 0 || null < 0 || read(go, &byte, 1) != 1) _exit(126);
    if (dup2(null, 0) < 0 || dup2(says, 1) < 0 || dup2(says, 2) < 0) _exit(126);
    for (int i = 0; i < b->fds; i++)
        if (moved[i] < 0 || dup2(moved[i], 3 + i) < 0) _exit(126);
    syscall(SYS_close_range, (unsigned)(3 + b->fds), (unsigned)(high - 1), 0);
    for (int fd = 3 + b->fds; fd < 1024; fd++) close(fd);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    set_limits(b->limit, b->most_tasks);
    execvpe("bwrap", (char *const *)b->args->at, env);
    static const char missing[] = "the program bwrap is missing: install bubblewrap\n";
    if (write(2, missing, sizeof(missing) - 1) < 0) _exit(125);
    _exit(127);
}

/* ---- starting ---- */

static bool fork_into(Sandbox *s, Birth *b, int go, Err *err)
{
    s->pid = fork();
    if (s->pid < 0) return err_errno(err, "start a sandbox");
    if (s->pid == 0) become(b);
    s->running = true;
    s->begun = clock_now();
    if (s->group.version > 0 && !sandbox_group_enter(&s->group, s->pid)) {
        sandbox_end(s);
        return err_set(err, ERR_DEVICE, "the sandbox's control group could not be entered");
    }
    if (write(go, "g", 1) == 1) return true;
    sandbox_end(s);
    return err_errno(err, "start a sandbox");
}

static bool start_with(Sandbox *s, const SandboxJob *job, int filter, const Args *args, Err *err)
{
    enum { GO, SAYS, INFO, PIPES };
    int pipe[PIPES][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } }, fd[SANDBOX_PASS + OWN_FDS];
    bool ok = true;
    for (int i = 0; ok && i < PIPES; i++)
        ok = pipe2(pipe[i], O_CLOEXEC | (i == GO ? 0 : O_NONBLOCK)) == 0;
    for (int i = 0; i < job->passes; i++) fd[i] = job->pass[i];
    fd[job->passes] = filter;
    fd[job->passes + 1] = pipe[INFO][1];
    s->says = pipe[SAYS][0];
    s->info = pipe[INFO][0];
    Birth b = { .args = args,
                .fd = fd,
                .fds = job->passes + OWN_FDS,
                .says = pipe[SAYS][1],
                .go = pipe[GO][0],
                .limit = &s->limit };
    if (s->group.version == 0) b.most_tasks = sandbox_tasks_of_user() + s->limit.tasks;
    ok = ok ? fork_into(s, &b, pipe[GO][1], err) : err_errno(err, "start a sandbox");
    const int mine[] = { pipe[GO][0], pipe[GO][1], pipe[SAYS][1], pipe[INFO][1] };
    for (ptrdiff_t i = 0; i < COUNT(mine); i++)
        if (mine[i] >= 0) close(mine[i]);
    if (!ok) sandbox_end(s);
    return ok;
}

static void add_job(Args *a, Sandbox *s, const SandboxJob *job, Arena *out)
{
    for (int i = 0; i < job->mounts; i++) {
        const SandboxMount *m = &job->mount[i];
        if (m->write) s->folder = arena_str(out, str_of(m->from));
        add(a, m->write ? "--bind" : "--ro-bind", m->from, m->to);
    }
    add(a, "--remount-ro", "/", NULL);
    add(a, "--chdir", job->dir ? job->dir : "/", NULL);
    add(a, "--seccomp", arena_printf(out, "%d", 3 + job->passes), NULL);
    add(a, "--info-fd", arena_printf(out, "%d", 4 + job->passes), NULL);
    add(a, "--", NULL, NULL);
    for (const char *const *word = job->argv; *word; word++) add(a, *word, NULL, NULL);
    a->at[a->n] = NULL;
}

Sandbox *sandbox_start(const SandboxJob *job, Arena *out, Err *err)
{
    Sandbox *s = NEW(out, Sandbox, 1);
    Args *a = NEW(out, Args, 1);
    int filter = -1;
    s->out = out;
    s->says = s->info = -1;
    s->limit = with_defaults(job->limit);
    s->limit.tasks += OWN_TASKS;
    if (!sandbox_filter(&filter, err)) return NULL;
    sandbox_group_open(&s->group, &s->limit);
    add_walls(a);
    add_system(a, out);
    add_job(a, s, job, out);
    bool ok = start_with(s, job, filter, a, err);
    close(filter);
    if (!ok) sandbox_group_close(&s->group);
    return ok ? s : NULL;
}

/* ---- watching ---- */

typedef struct Space {
    int64_t bytes, files;
    int depth;
} Space;

/* Not through links; what is too deep to follow counts as too much. */
static void count_space(int dir, Space *space, const SandboxLimits *l)
{
    DIR *d = dir >= 0 ? fdopendir(dir) : NULL;
    struct dirent *e;
    if (++space->depth > WALK_DEPTH) space->files = l->files + 1;
    while (d && (e = readdir(d)) && space->files <= l->files) {
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        space->files++;
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
        space->bytes += (int64_t)st.st_blocks * 512;
        if (S_ISDIR(st.st_mode))
            count_space(
                openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), space,
                l);
    }
    space->depth--;
    if (d) closedir(d);
}

static bool folder_over(const Sandbox *s)
{
    Space space = { 0 };
    if (!s->folder) return false;
    count_space(open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), &space, &s->limit);
    return space.bytes > s->limit.disk || space.files > s->limit.files;
}

static void read_says(Sandbox *s)
{
    char bytes[8192];
    for (;;) {
        ssize_t n = read(s->says, bytes, sizeof(bytes));
        if (n <= 0) return;
        int64_t room = s->limit.output - s->text.len;
        buf_put(&s->text, bytes, MIN(n, room));
        s->end.cut |= n > room;
    }
}

/* The first process of the namespace dies with bubblewrap; where it is dead, or only waits to be
 * buried, so are all the others. */
static void await_namespace(Sandbox *s)
{
    const struct timespec nap = { 0, 1000000 };
    char text[256], path[40];
    ssize_t n = read(s->info, text, sizeof(text) - 1);
    text[MAX(n, 0)] = 0;
    const char *at = strstr(text, "\"child-pid\":");
    int pid = at ? atoi(at + 12) : 0;
    if (pid <= 1) return;
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    for (int i = 0; i < 5000; i++) {
        FILE *f = fopen(path, "re");
        char state = 'Z';
        int parent = 0, read = f ? fscanf(f, "%*d %*s %c %d", &state, &parent) : 0;
        if (f) fclose(f);
        if (read < 2 || state == 'Z' || state == 'X') return;
        nanosleep(&nap, NULL);
    }
}

static void reap(Sandbox *s, int status, const struct rusage *use)
{
    s->running = false;
    await_namespace(s);
    s->end.wall = clock_now() - s->begun;
    SandboxCount c = sandbox_group_count(&s->group);
    double ours = (double)(use->ru_utime.tv_sec + use->ru_stime.tv_sec) +
                  (double)(use->ru_utime.tv_usec + use->ru_stime.tv_usec) * 1e-6;
    s->end.cpu = c.cpu >= 0 ? c.cpu : MAX(ours, s->cpu);
    if (s->end.why != SANDBOX_EXITED) return; /* we killed it, and know why */
    if (WIFSIGNALED(status)) s->end.why = SANDBOX_SIGNALED;
    s->end.status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    /* bubblewrap turns the signal that its child died of into 128 + signal. */
    if (WIFEXITED(status) && s->end.status > 128) {
        s->end.why = SANDBOX_SIGNALED;
        s->end.status -= 128;
    }
    if (c.memory) s->end.why = SANDBOX_MEMORY;
    if (c.tasks) s->end.why = SANDBOX_TASKS;
    if (s->end.why == SANDBOX_SIGNALED && s->end.status == SIGXFSZ) s->end.why = SANDBOX_DISK;
    if (s->end.why == SANDBOX_SIGNALED && s->end.status == SIGXCPU) s->end.why = SANDBOX_CPU;
}

static SandboxCount count(Sandbox *s)
{
    if (s->group.version > 0) return sandbox_group_count(&s->group);
    SandboxTree t = sandbox_tree(s->pid);
    s->cpu = MAX(s->cpu, t.cpu);
    return (SandboxCount){ t.memory > s->limit.memory, t.tasks > s->limit.tasks, t.cpu };
}

/* All of it: bubblewrap is the parent of its process namespace's first process. */
static void kill_for(Sandbox *s, SandboxWhy why)
{
    struct rusage use = { 0 };
    int status = 0;
    s->end.why = why;
    if (s->group.version == 0) (void)count(s);
    kill(s->pid, SIGKILL);
    while (wait4(s->pid, &status, 0, &use) < 0 && errno == EINTR) continue;
    reap(s, status, &use);
}

static void look(Sandbox *s)
{
    struct rusage use = { 0 };
    int status = 0;
    if (wait4(s->pid, &status, WNOHANG, &use) == s->pid) {
        reap(s, status, &use);
        return;
    }
    s->looked = clock_now();
    SandboxCount c = count(s);
    if (c.memory)
        kill_for(s, SANDBOX_MEMORY);
    else if (c.tasks)
        kill_for(s, SANDBOX_TASKS);
    else if (c.cpu > s->limit.cpu)
        kill_for(s, SANDBOX_CPU);
    else if (s->looked - s->begun > s->limit.wall)
        kill_for(s, SANDBOX_WALL);
    else if (folder_over(s))
        kill_for(s, SANDBOX_DISK);
}

bool sandbox_running(const Sandbox *s)
{
    return s->running;
}

bool sandbox_wait(Sandbox *s, int fd, double seconds)
{
    double until = clock_now() + seconds;
    while (s->running) {
        struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
                               { .fd = s->says, .events = POLLIN } };
        double left = MIN(until - clock_now(), LOOK_EVERY);
        poll(p, 2, (int)(MAX(left, 0) * 1000) + 1);
        read_says(s);
        if (p[1].revents & POLLHUP) look(s);
        if (s->running && clock_now() - s->looked >= LOOK_EVERY) look(s);
        if (p[0].revents & POLLIN) return true;
        if (clock_now() >= until) return false;
    }
    return false;
}

SandboxEnd sandbox_end(Sandbox *s)
{
    if (s->running) kill_for(s, SANDBOX_STOPPED);
    if (s->says >= 0) {
        read_says(s);
        close(s->says);
        s->says = -1;
        s->end.says = arena_str(s->out, buf_view(&s->text));
        buf_free(&s->text);
        close(s->info);
    }
    sandbox_group_close(&s->group);
    return s->end;
}

bool sandbox_run(const SandboxJob *job, Arena *out, SandboxEnd *end, Err *err)
{
    Sandbox *s = sandbox_start(job, out, err);
    if (!s) return false;
    while (sandbox_running(s) && !stop_asked()) sandbox_wait(s, -1, 0.2);
    bool stopped = sandbox_running(s);
    *end = sandbox_end(s);
    return !stopped || err_set(err, ERR_STOPPED, "stopped");
}

const char *sandbox_why(const SandboxEnd *e, const SandboxLimits *limit, Arena *out)
{
    SandboxLimits l = with_defaults(*limit);
    char bytes[32];
    switch (e->why) {
    case SANDBOX_EXITED: return arena_printf(out, "exit status %d", e->status);
    case SANDBOX_SIGNALED: return arena_printf(out, "%s", strsignal(e->status));
    case SANDBOX_STOPPED: return "stopped";
    case SANDBOX_MEMORY:
        return arena_printf(out, "killed: more than %s of memory",
                            str_bytes(bytes, (double)l.memory));
    case SANDBOX_TASKS:
        return arena_printf(out, "killed: more than %d processes and threads", l.tasks);
    case SANDBOX_CPU: return arena_printf(out, "killed: more than %.0f s of processor time", l.cpu);
    case SANDBOX_WALL: return arena_printf(out, "killed: after %.0f s", l.wall);
    case SANDBOX_DISK:
        return arena_printf(out, "killed: more than %s or %lld files written",
                            str_bytes(bytes, (double)l.disk), (long long)l.files);
    }
    return "";
}

bool sandbox_available(Arena scratch, Err *err)
{
    static const char *const argv[] = { "/usr/bin/true", NULL };
    SandboxJob job = { .argv = argv, .limit = { .wall = 10 } };
    SandboxEnd end;
    if (!sandbox_run(&job, &scratch, &end, err)) return false;
    if (end.why == SANDBOX_EXITED && end.status == 0) return true;
    Str words = str_trim(str_of(end.says));
    return err_set(err, ERR_DEVICE,
                   "no sandbox can be made on this machine, and code is run in nothing less: %.*s",
                   (int)words.len, words.at);
}
