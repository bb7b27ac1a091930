/* Every known way out of the sandbox is tried from inside by this very program, and by what holds
 * it we see that the attempts are real: outside, most of them work. */
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "sandbox/sandbox.h"
#include "tests/test.h"

/* Inside, this program is called with the name of an attempt, and is nothing else. */
__attribute__((constructor)) static void inside(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--attempt") == 0) {
        int status = sandbox_attempt(argv[2]);
        fflush(stdout);
        _exit(status);
    }
}

static Arena arena;
static Err err;

static bool available(void)
{
    if (!arena.base) arena = arena_reserve(1 << 26);
    err = (Err){ 0 };
    if (sandbox_available(arena, &err)) return true;
    printf("# skipped: %s\n", err.msg);
    return false;
}

static SandboxEnd run(const char *const *argv, SandboxLimits limit)
{
    SandboxJob job = { .argv = argv, .limit = limit };
    SandboxEnd end = { 0 };
    EXPECT_MSG(sandbox_run(&job, &arena, &end, &err), "%s", err.msg);
    return end;
}

TEST(every_escape_is_held)
{
    static const char *const words[] = { "--attempt", NULL };
    char self[256], folder[256];
    if (!available()) return;
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[n < 0 ? 0 : n] = 0;
    snprintf(folder, sizeof(folder), "%s/work", test_folder());
    int count = 0;
    const SandboxEscape *e = sandbox_escapes(&count);
    EXPECT(count >= 20);
    for (int i = 0; i < count; i++) {
        SandboxTried t = { 0 };
        EXPECT_MSG(sandbox_try(&e[i], self, words, folder, &arena, &t, &err), "%s", err.msg);
        EXPECT_MSG(t.held, "%s: %s", e[i].name, t.how);
    }
}

TEST(attempts_are_real_outside)
{
    static const char *const works[] = { "files", "sockets", "shared memory" };
    if (!available()) return;
    fflush(stdout);
    for (ptrdiff_t i = 0; i < COUNT(works); i++) {
        char command[400], self[256];
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        self[n < 0 ? 0 : n] = 0;
        snprintf(command, sizeof(command), "'%s' --attempt '%s' >/dev/null", self, works[i]);
        EXPECT_MSG(system(command) != 0, "%s does nothing outside either", works[i]);
    }
}

TEST(the_exit_status_and_the_words_of_the_command_come_back)
{
    static const char *const argv[] = { "/bin/sh", "-c", "echo one; echo two >&2; exit 7", NULL };
    if (!available()) return;
    SandboxEnd end = run(argv, (SandboxLimits){ 0 });
    EXPECT(end.why == SANDBOX_EXITED && end.status == 7);
    EXPECT_MSG(strcmp(end.says, "one\ntwo\n") == 0, "%s", end.says);
}

TEST(a_descriptor_is_handed_over_as_three_and_no_other_is_open)
{
    static const char *const argv[] = { "/bin/sh", "-c", "echo hello >&3; ls /proc/self/fd", NULL };
    if (!available()) return;
    int fd[2];
    char got[16] = "";
    EXPECT(pipe(fd) == 0);
    SandboxJob job = { .argv = argv, .pass = { fd[1] }, .passes = 1 };
    SandboxEnd end = { 0 };
    EXPECT_MSG(sandbox_run(&job, &arena, &end, &err), "%s", err.msg);
    EXPECT(read(fd[0], got, sizeof(got)) == 6 && strncmp(got, "hello\n", 6) == 0);
    EXPECT_MSG(strcmp(end.says, "0\n1\n2\n3\n4\n") == 0, "%s",
               end.says); /* 4: ls reads the folder */
    close(fd[0]);
    close(fd[1]);
}

TEST(processor_time_is_counted)
{
    static const char *const argv[] = { "/bin/sh", "-c",
                                        "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done", NULL };
    if (!available()) return;
    SandboxEnd end = run(argv, (SandboxLimits){ 0 });
    EXPECT_MSG(end.cpu > 0.01 && end.cpu < end.wall * 2 + 0.2, "%g s in %g s", end.cpu, end.wall);
}

TEST(a_folder_is_written_only_where_it_is_lent)
{
    static const char *const argv[] = { "/bin/sh", "-c", "echo x >/lent/a; echo x >/shown/b",
                                        NULL };
    if (!available()) return;
    char lent[200], shown[200], path[240];
    snprintf(lent, sizeof(lent), "%s/lent", test_folder());
    snprintf(shown, sizeof(shown), "%s/shown", test_folder());
    EXPECT(file_make_dirs(lent, &err) && file_make_dirs(shown, &err));
    const SandboxMount mount[] = { { lent, "/lent", true }, { shown, "/shown", false } };
    SandboxJob job = { .argv = argv, .mount = mount, .mounts = 2 };
    SandboxEnd end = { 0 };
    EXPECT_MSG(sandbox_run(&job, &arena, &end, &err), "%s", err.msg);
    snprintf(path, sizeof(path), "%s/a", lent);
    EXPECT(file_exists(path));
    snprintf(path, sizeof(path), "%s/b", shown);
    EXPECT(!file_exists(path) && end.status != 0);
}

/* No group, no process: what was begun is gone when sandbox_end returns. */
TEST(nothing_is_left_after_the_end)
{
    static const char *const argv[] = { "/bin/sh", "-c", "sleep 4242 & sleep 4242", NULL };
    if (!available()) return;
    SandboxJob job = { .argv = argv };
    Sandbox *s = sandbox_start(&job, &arena, &err);
    EXPECT_MSG(s != NULL, "%s", err.msg);
    if (!s) return;
    sandbox_wait(s, -1, 0.2);
    EXPECT(sandbox_running(s));
    SandboxEnd end = sandbox_end(s);
    EXPECT(end.why == SANDBOX_STOPPED);
    EXPECT(system("grep -qs '^sleep.4242' /proc/[0-9]*/cmdline") != 0);
}
