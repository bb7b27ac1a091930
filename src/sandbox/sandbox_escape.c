/* sandbox_escape.c - ways out, tried from inside.
 *
 * Each attempt does what a hostile patch would do and says whether it worked: 0 for "held".  Where
 * the wall is a limit, the attempt goes on until it is killed, and the killing is what is looked
 * at.  The list is the threat model: who can think of another way adds a line. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "sandbox/sandbox_private.h"

extern char **environ;

static int got(const char *what)
{
    printf("%s\n", what);
    return 1;
}

/* ---- reading and writing ---- */

static int read_files(void)
{
    static const char *const secret[] = { "/etc/passwd", "/etc/shadow", "/root",
                                          "/home",       "/var",        "/proc/1/root/etc/passwd",
                                          "/sys/kernel" };
    for (ptrdiff_t i = 0; i < COUNT(secret); i++) {
        DIR *d = opendir(secret[i]);
        if (access(secret[i], R_OK) == 0 || d) return got(secret[i]);
    }
    return 0;
}

static int write_files(void)
{
    static const char *const place[] = { "/usr/bin/lathe-was-here", "/lathe-was-here",
                                         "/etc/alternatives/lathe-was-here",
                                         "/dev/lathe-was-here" };
    static const char *const knob[] = { "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger",
                                        "/proc/sys/kernel/hostname", "/proc/1/oom_score_adj" };
    for (ptrdiff_t i = 0; i < COUNT(place); i++)
        if (open(place[i], O_WRONLY | O_CREAT, 0644) >= 0) return got(place[i]);
    for (ptrdiff_t i = 0; i < COUNT(knob); i++) /* opened only: to write there would be done */
        if (open(knob[i], O_WRONLY) >= 0) return got(knob[i]);
    return 0;
}

static int see_environment(void)
{
    for (char **e = environ; *e; e++)
        if (strncmp(*e, "PATH=", 5) != 0 && strncmp(*e, "LANG=", 5) != 0 &&
            strncmp(*e, "HOME=", 5) != 0 && strncmp(*e, "PWD=", 4) != 0)
            return got(*e);
    return 0;
}

static int use_descriptors(void)
{
    for (int fd = 3; fd < 256; fd++)
        if (fcntl(fd, F_GETFD) >= 0) return got("a descriptor of the parent's is open");
    return 0;
}

/* ---- the network ---- */

static int make_sockets(void)
{
    static const int family[] = { AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET, AF_VSOCK };
    for (ptrdiff_t i = 0; i < COUNT(family); i++) {
        if (socket(family[i], SOCK_STREAM, 0) >= 0 || socket(family[i], SOCK_DGRAM, 0) >= 0)
            return got("a socket was made");
    }
    return 0;
}

/* ---- other processes ---- */

static int see_processes(void)
{
    char exe[64], at[64];
    for (int pid = 3; pid < 100000; pid++) {
        snprintf(exe, sizeof(exe), "/proc/%d/stat", pid);
        if (pid != getpid() && access(exe, F_OK) == 0) return got("a process outside is seen");
    }
    return kill(getppid() > 1 ? getppid() : 2, 0) == 0 && readlink("/proc/1/exe", at, 64) > 0 &&
                   ptrace(PTRACE_ATTACH, 1, 0, 0) == 0
               ? got("the parent can be traced")
               : 0;
}

static int read_memory(void)
{
    char byte;
    struct iovec mine = { &byte, 1 }, other = { (void *)0x400000, 1 };
    int fd = open("/proc/1/mem", O_RDONLY);
    if (fd >= 0 && pread(fd, &byte, 1, 0x400000) == 1) return got("/proc/1/mem was read");
    if (process_vm_readv(1, &mine, 1, &other, 1, 0) == 1) return got("process_vm_readv worked");
    return ptrace(PTRACE_TRACEME, 0, 0, 0) == 0 ? got("ptrace worked") : 0;
}

/* ---- more rights ---- */

static int gain_rights(void)
{
    gid_t group = 0;
    if (setuid(0) == 0 && geteuid() == 0 && getuid() == 0) return got("uid 0");
    if (setgroups(1, &group) == 0) return got("group 0");
    if (mknod("/tmp/disk", S_IFBLK | 0600, 0x800) == 0) return got("a disk's device was made");
    char status[4096];
    int fd = open("/proc/self/status", O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, status, sizeof(status) - 1) : 0;
    status[MAX(n, 0)] = 0;
    if (!strstr(status, "CapEff:\t0000000000000000")) return got("a capability is left");
    if (!strstr(status, "NoNewPrivs:\t1")) return got("new privileges are possible");
    return strstr(status, "Seccomp:\t2") ? 0 : got("there is no filter of system calls");
}

static int nest_namespaces(void)
{
    if (unshare(CLONE_NEWUSER) == 0) return got("a user namespace inside");
    if (syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) > 0) return got("by clone");
    uint64_t args[11] = { CLONE_NEWUSER, [4] = SIGCHLD };
    return syscall(SYS_clone3, args, sizeof(args)) > 0 ? got("by clone3") : 0;
}

static int mount_things(void)
{
    if (mount("none", "/tmp", "tmpfs", 0, "") == 0) return got("a mount");
    if (mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL) == 0) return got("/usr is writable");
    return syscall(SYS_open_tree, -1, "/", 1) >= 0 ? got("open_tree") : 0;
}

static int change_clock(void)
{
    struct timeval t = { 1000000000, 0 };
    struct timespec s = { 1000000000, 0 };
    if (settimeofday(&t, NULL) == 0 || clock_settime(CLOCK_REALTIME, &s) == 0)
        return got("the clock was set");
    return 0;
}

static int use_young_calls(void)
{
    struct perf_event_attr attr = { .size = sizeof(attr) };
    char params[256] = { 0 };
    if (syscall(SYS_bpf, 0, &attr, sizeof(attr)) >= 0) return got("bpf");
    if (syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0) >= 0) return got("perf_event_open");
    if (syscall(SYS_io_uring_setup, 4, params) >= 0) return got("io_uring");
    if (syscall(SYS_userfaultfd, 0) >= 0) return got("userfaultfd");
    return syscall(SYS_keyctl, 0, -3, 0) >= 0 ? got("keyctl") : 0;
}

/* ---- without end ---- */

NORETURN static void rest_forever(void)
{
    for (;;) pause();
}

static int fork_bomb(void)
{
    for (;;) {
        pid_t p = fork();
        if (p == 0) rest_forever();
    }
    return 1;
}

static void *thread_rests(void *unused)
{
    (void)unused;
    rest_forever();
}

static int thread_bomb(void)
{
    for (;;) {
        pthread_t t;
        pthread_create(&t, NULL, thread_rests, NULL);
    }
    return 1;
}

static int take_memory(void)
{
    for (;;) {
        void *p = mmap(NULL, 1 << 24, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p != MAP_FAILED) memset(p, 1, 1 << 24);
    }
    return 1;
}

/* Memory that no process maps is memory too. */
static int take_shared_memory(void)
{
    if (memfd_create("bomb", 0) >= 0) return got("memfd_create");
    if (shmget(IPC_PRIVATE, 1 << 24, IPC_CREAT | 0600) >= 0) return got("shmget");
    return open("/dev/shm/bomb", O_WRONLY | O_CREAT, 0600) >= 0 ? got("/dev/shm") : 0;
}

static int burn(void)
{
    for (volatile uint64_t i = 0;; i++) continue;
    return 1;
}

static int sleep_long(void)
{
    rest_forever();
}

static int fill_disk(void)
{
    static char block[1 << 20];
    for (int file = 0;; file++) {
        char path[64];
        snprintf(path, sizeof(path), "/box/%d", file);
        int fd = open(path, O_WRONLY | O_CREAT, 0644);
        for (int i = 0; i < 16 && fd >= 0; i++)
            if (write(fd, block, sizeof(block)) < 0) break;
        if (fd >= 0) close(fd);
    }
    return 1;
}

static int make_files(void)
{
    for (int file = 0;; file++) {
        char path[64];
        snprintf(path, sizeof(path), "/box/%d", file);
        int fd = open(path, O_WRONLY | O_CREAT, 0644);
        if (fd >= 0) close(fd);
    }
    return 1;
}

static int talk_long(void)
{
    static char words[1 << 16];
    memset(words, 'x', sizeof(words));
    for (int i = 0; i < 2000; i++)
        if (write(1, words, sizeof(words)) < 0) break;
    return 0;
}

/* A daemon outlives its parent, if it can.  It would show by a file that grows later. */
static int leave_daemon(void)
{
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            for (int i = 0; i < 100; i++) {
                usleep(50000);
                int fd = open("/box/daemon", O_WRONLY | O_CREAT | O_APPEND, 0644);
                if (fd >= 0 && write(fd, "x", 1) == 1) close(fd);
            }
        }
        _exit(0);
    }
    return 0;
}

#define SMALL                                                                                      \
    {                                                                                              \
        .memory = 256 << 20, .disk = 32 << 20, .files = 200, .tasks = 16, .cpus = 1, .cpu = 0.5,   \
        .wall = 60                                                                                 \
    }

static const SandboxEscape escapes[] = {
    { "files", "reads /etc, /root, /home, /var, /sys", SMALL, .attempt = read_files },
    { "writing", "writes to /, /usr, /etc, /proc/sys, /dev", SMALL, .attempt = write_files },
    { "environment", "looks for variables, where keys stand", SMALL, .attempt = see_environment },
    { "descriptors", "uses files that the parent has open", SMALL, .attempt = use_descriptors },
    { "sockets", "makes a socket of any family", SMALL, .attempt = make_sockets },
    { "processes", "sees or traces a process outside", SMALL, .attempt = see_processes },
    { "memory of others", "reads its parent's memory", SMALL, .attempt = read_memory },
    { "rights", "becomes root, keeps a capability, makes a device", SMALL, .attempt = gain_rights },
    { "namespaces", "makes a namespace of users inside", SMALL, .attempt = nest_namespaces },
    { "mounts", "mounts, or makes /usr writable", SMALL, .attempt = mount_things },
    { "clock", "sets the machine's clock", SMALL, .attempt = change_clock },
    { "kernel", "bpf, perf, io_uring, userfaultfd, keys", SMALL, .attempt = use_young_calls },
    { "fork bomb", "forks without end", SMALL, .why = SANDBOX_TASKS, .attempt = fork_bomb },
    { "threads", "starts threads without end", SMALL, .why = SANDBOX_TASKS,
      .attempt = thread_bomb },
    { "memory", "takes memory without end", SMALL, .why = SANDBOX_MEMORY, .attempt = take_memory },
    { "shared memory", "takes memory that no process maps", SMALL, .attempt = take_shared_memory },
    { "processor", "burns the processor", SMALL, .why = SANDBOX_CPU, .attempt = burn },
    { "sleep", "never ends", { .wall = 1 }, .why = SANDBOX_WALL, .attempt = sleep_long },
    { "disk", "fills the disk", SMALL, .writes = true, .why = SANDBOX_DISK, .attempt = fill_disk },
    { "inodes", "makes files without end", SMALL, .writes = true, .why = SANDBOX_DISK,
      .attempt = make_files },
    { "output", "says 130 MB", SMALL, .attempt = talk_long },
    { "daemon", "leaves a process behind", SMALL, .writes = true, .attempt = leave_daemon },
};

const SandboxEscape *sandbox_escapes(int *count)
{
    *count = (int)COUNT(escapes);
    return escapes;
}

int sandbox_attempt(const char *name)
{
    for (ptrdiff_t i = 0; i < COUNT(escapes); i++)
        if (strcmp(escapes[i].name, name) == 0) return escapes[i].attempt();
    return 2;
}

/* ---- outside ---- */

static bool left_running(const char *folder, Arena *out)
{
    const char *path = arena_printf(out, "%s/daemon", folder);
    const struct timespec nap = { 0, 200000000 };
    int64_t before = file_size(path);
    nanosleep(&nap, NULL);
    return file_size(path) > before;
}

static void weigh(const SandboxEscape *e, const SandboxEnd *end, const char *folder, Arena *out,
                  SandboxTried *tried)
{
    Str says = str_trim(str_of(end->says));
    tried->seconds = end->wall;
    tried->held = end->why == e->why && (e->why != SANDBOX_EXITED || end->status == 0);
    tried->how = sandbox_why(end, &e->limit, out);
    if (end->cut) tried->how = arena_printf(out, "%td bytes of it were kept", strlen(end->says));
    if (e->why == SANDBOX_EXITED && tried->held && !end->cut) tried->how = "refused";
    if (!tried->held && says.len > 0)
        tried->how = arena_printf(out, "%s: %.*s", tried->how, (int)MIN(says.len, 200), says.at);
    if (e->attempt == leave_daemon && tried->held) {
        tried->held = !left_running(folder, out);
        tried->how = tried->held ? "it died with its parent" : "it is still writing";
    }
}

bool sandbox_try(const SandboxEscape *e, const char *program, const char *const *words,
                 const char *folder, Arena *out, SandboxTried *tried, Err *err)
{
    const char *argv[8] = { "/program" };
    int n = 1;
    while (*words && n < 6) argv[n++] = *words++;
    argv[n++] = e->name;
    const SandboxMount mount[] = { { program, "/program", false }, { folder, "/box", true } };
    SandboxJob job = {
        .argv = argv, .mount = mount, .mounts = e->writes ? 2 : 1, .limit = e->limit
    };
    SandboxEnd end;
    if (!file_remove_tree(folder, err) || !file_make_dirs(folder, err) ||
        !sandbox_run(&job, out, &end, err))
        return false;
    weigh(e, &end, folder, out, tried);
    return file_remove_tree(folder, err);
}
