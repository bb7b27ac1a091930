/* sandbox_filter.c - the system calls that are answered with "no".
 *
 * A list of what is forbidden, not of what is allowed: a compiler, make, a shell and a trainer run
 * inside, over several versions of libc, and a list of allowed calls that fits them all allows
 * nearly everything.  What stands here are calls that reach around the other walls (new
 * namespaces, mounts, other processes, keys), that open large and young parts of the kernel
 * (io_uring, bpf, perf, userfaultfd), or that change the machine (clock, modules, swap).  There is
 * no network namespace to leave, but no socket is made either: a namespace without interfaces
 * still has abstract addresses and a kernel full of protocols.
 *
 * clone3 hides its flags behind a pointer that a filter cannot follow; it is answered with ENOSYS,
 * and libc falls back to clone, whose flags are looked at.
 *
 * libseccomp compiles the list (and refuses foreign calling conventions, such as int 0x80 on
 * amd64); it is opened by name, as libcurl is. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/library.h"
#include "sandbox/sandbox_private.h"

static struct {
    __typeof__(seccomp_init) *init;
    __typeof__(seccomp_rule_add_array) *add;
    __typeof__(seccomp_export_bpf) *export_bpf;
    __typeof__(seccomp_release) *release;
} lib;
static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    void *so = dlopen("libseccomp.so.2", RTLD_NOW | RTLD_LOCAL);
    loaded = so && library_find(so, "seccomp_init", &lib.init) &&
             library_find(so, "seccomp_rule_add_array", &lib.add) &&
             library_find(so, "seccomp_export_bpf", &lib.export_bpf) &&
             library_find(so, "seccomp_release", &lib.release);
}

static const int forbidden[] = {
    /* other processes */
    SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise), SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp), SCMP_SYS(move_pages),
    SCMP_SYS(migrate_pages),
    /* namespaces and mounts */
    SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
    SCMP_SYS(chroot), SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen),
    SCMP_SYS(fsmount), SCMP_SYS(fsconfig), SCMP_SYS(fspick), SCMP_SYS(mount_setattr),
    SCMP_SYS(name_to_handle_at), SCMP_SYS(open_by_handle_at), SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    /* sockets */
    SCMP_SYS(socket),
    /* large, young parts of the kernel */
    SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register), SCMP_SYS(fanotify_init),
    SCMP_SYS(lookup_dcookie), SCMP_SYS(vmsplice),
    /* memory that no process needs to have mapped: only a control group counts it */
    SCMP_SYS(memfd_create), SCMP_SYS(memfd_secret), SCMP_SYS(shmget),
    /* keys */
    SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key),
    /* the machine */
    SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex),
    SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff),
    SCMP_SYS(syslog), SCMP_SYS(acct), SCMP_SYS(quotactl), SCMP_SYS(nfsservctl), SCMP_SYS(vhangup),
    SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(personality), SCMP_SYS(sched_setaffinity),
    SCMP_SYS(setpriority), SCMP_SYS(ioprio_set), SCMP_SYS(sched_setscheduler),
    SCMP_SYS(sched_setattr)
};

static const struct {
    int call;
    struct scmp_arg_cmp arg;
} forbidden_if[] = {
    /* clone's flags come second on s390 only, where this program was never tried */
    { SCMP_SYS(clone), { 0, SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER } },
    { SCMP_SYS(clone), { 0, SCMP_CMP_MASKED_EQ, CLONE_NEWNS, CLONE_NEWNS } },
    { SCMP_SYS(clone), { 0, SCMP_CMP_MASKED_EQ, CLONE_NEWNET, CLONE_NEWNET } },
    { SCMP_SYS(clone), { 0, SCMP_CMP_MASKED_EQ, CLONE_NEWPID, CLONE_NEWPID } },
    { SCMP_SYS(ioctl), { 1, SCMP_CMP_MASKED_EQ, 0xffffffff, TIOCSTI } },
    { SCMP_SYS(ioctl), { 1, SCMP_CMP_MASKED_EQ, 0xffffffff, TIOCLINUX } },
};

/* A call that this kernel's headers know and libseccomp has no number for (-EDOM: it does not
 * exist on this processor) needs no rule. */
static bool add(scmp_filter_ctx c, uint32_t action, int call, unsigned n,
                const struct scmp_arg_cmp *arg)
{
    int r = lib.add(c, action, call, n, arg);
    return r == 0 || r == -EDOM || r == -EEXIST;
}

static bool fill(scmp_filter_ctx c)
{
    bool ok = true;
    for (ptrdiff_t i = 0; ok && i < COUNT(forbidden); i++)
        ok = add(c, SCMP_ACT_ERRNO(EPERM), forbidden[i], 0, NULL);
    for (ptrdiff_t i = 0; ok && i < COUNT(forbidden_if); i++)
        ok = add(c, SCMP_ACT_ERRNO(EPERM), forbidden_if[i].call, 1, &forbidden_if[i].arg);
    return ok && add(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
}

bool sandbox_filter(int *fd, Err *err)
{
    pthread_once(&once, load);
    if (!loaded)
        return err_set(err, ERR_DEVICE,
                       "the library libseccomp.so.2 is missing, so no filter of system calls can "
                       "be made: install libseccomp2");
    scmp_filter_ctx c = lib.init(SCMP_ACT_ALLOW);
    *fd = memfd_create("filter", MFD_CLOEXEC);
    bool ok =
        c && *fd >= 0 && fill(c) && lib.export_bpf(c, *fd) == 0 && lseek(*fd, 0, SEEK_SET) == 0;
    if (c) lib.release(c);
    if (ok) return true;
    if (*fd >= 0) close(*fd);
    return err_set(err, ERR_DEVICE, "the filter of system calls could not be made");
}
