/* Files are whole or absent, locks exclude, folders come sorted. */
#include "base/file.h"
#include "tests/test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *in_folder(const char *name)
{
    static char path[4][256];
    static int turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof(path[0]), "%s/%s", test_folder(), name);
    return p;
}

static bool holds(const char *path, const char *text)
{
    Buf b = { 0 };
    Err err = { 0 };
    bool same = file_read(path, &b, &err) && str_eq(buf_view(&b), str_of(text));
    buf_free(&b);
    return same;
}

TEST(what_is_written_whole_is_read_whole)
{
    Err err = { 0 };
    Arena a = arena_reserve(1 << 24);
    Str odd = { "a\0\xff\n", 4 }, back;
    EXPECT(file_write_whole(in_folder("odd"), odd, &err));
    EXPECT(file_read_arena(in_folder("odd"), &a, &back, &err) && str_eq(odd, back) &&
           back.at[4] == 0);
    EXPECT(file_write_whole(in_folder("empty"), STR(""), &err));
    EXPECT(file_read_arena(in_folder("empty"), &a, &back, &err) && back.len == 0);
    EXPECT(file_size(in_folder("odd")) == 4 && file_size(in_folder("absent")) == -1);
    EXPECT(!file_exists(in_folder("odd.tmp")));
    arena_release(&a);
}

TEST(a_pipe_is_read_though_its_size_is_unknown)
{
    Err err = { 0 };
    Buf b = { 0 };
    EXPECT(mkfifo(in_folder("pipe"), 0600) == 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(in_folder("pipe"), O_WRONLY);
        char block[1000];
        memset(block, 'x', sizeof(block));
        for (int i = 0; i < 500; i++)
            if (write(fd, block, sizeof(block)) != (ssize_t)sizeof(block)) _exit(1);
        _exit(0);
    }
    EXPECT(file_read(in_folder("pipe"), &b, &err) && b.len == 500000);
    waitpid(pid, NULL, 0);
    buf_free(&b);
}

TEST(a_missing_file_and_a_folder_are_refused_by_name)
{
    Err err = { 0 };
    Buf b = { 0 };
    EXPECT(!file_read(in_folder("absent"), &b, &err));
    EXPECT_MSG(strstr(err.msg, "absent") && strstr(err.msg, "check the name"), "%s", err.msg);
    EXPECT(!file_read(test_folder(), &b, &err) && strstr(err.msg, "folder"));
    EXPECT(!file_write_whole(test_folder(), STR("x"), &err) && strstr(err.msg, "folder"));
    EXPECT(!file_write_whole(in_folder("no/such/file"), STR("x"), &err));
    EXPECT(err.code == ERR_IO);
    buf_free(&b);
}

TEST(a_write_that_fails_in_the_middle_leaves_the_old_file)
{
    Err err = { 0 };
    EXPECT(file_write_whole(in_folder("kept"), STR("old"), &err));
    struct rlimit was, small;
    getrlimit(RLIMIT_FSIZE, &was);
    small = was;
    small.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    FileOut f;
    bool ok = fileout_open(&f, in_folder("kept"), &err);
    for (int i = 0; ok && i < 1000; i++) ok = fileout_write(&f, "0123456789abcdef", 16, &err);
    if (ok) ok = fileout_commit(&f, &err);
    setrlimit(RLIMIT_FSIZE, &was);
    EXPECT_MSG(!ok && strstr(err.msg, "kept"), "%s", err.msg);
    fileout_drop(&f);
    EXPECT(holds(in_folder("kept"), "old") && !file_exists(in_folder("kept.tmp")));
}

TEST(a_writer_killed_before_its_commit_leaves_the_old_file_and_bars_nobody)
{
    Err err = { 0 };
    EXPECT(file_write_whole(in_folder("survivor"), STR("old"), &err));
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        FileOut f;
        if (fileout_open(&f, in_folder("survivor"), &err) &&
            fileout_write(&f, "half of the new, longer than what follows", 41, &err))
            fflush(f.stream);
        raise(SIGKILL);
    }
    waitpid(pid, NULL, 0);
    EXPECT(holds(in_folder("survivor"), "old") && file_exists(in_folder("survivor.tmp")));
    EXPECT(file_write_whole(in_folder("survivor"), STR("new"), &err));
    EXPECT(holds(in_folder("survivor"), "new") && !file_exists(in_folder("survivor.tmp")));
}

TEST(a_pipe_or_a_device_is_not_replaced_by_a_file)
{
    Err err = { 0 };
    struct stat st;
    const char *pipe_path = in_folder("a pipe");
    EXPECT(mkfifo(pipe_path, 0600) == 0);
    EXPECT(!file_write_whole(pipe_path, STR("x"), &err));
    EXPECT_MSG(err.code == ERR_CONFIG && strstr(err.msg, "a pipe"), "%s", err.msg);
    EXPECT(stat(pipe_path, &st) == 0 && S_ISFIFO(st.st_mode));
}

TEST(two_writers_of_one_file_take_turns)
{
    Err err = { 0 };
    char mine[5000];
    fflush(stdout);
    pid_t child[4];
    for (int c = 0; c < 4; c++) {
        child[c] = fork();
        if (child[c]) continue;
        memset(mine, 'a' + c, sizeof(mine));
        Str text = { mine, (ptrdiff_t)sizeof(mine) };
        bool ok = true;
        for (int i = 0; i < 20; i++) ok = ok && file_write_whole(in_folder("shared"), text, &err);
        _exit(!ok);
    }
    for (int c = 0; c < 4; c++) {
        int status = 1;
        waitpid(child[c], &status, 0);
        EXPECT(status == 0);
    }
    Buf b = { 0 };
    EXPECT(file_read(in_folder("shared"), &b, &err) && b.len == 5000);
    for (ptrdiff_t i = 0; i < b.len; i++)
        if (b.at[i] != b.at[0]) EXPECT_MSG(false, "two writers are mixed at byte %td", i);
    buf_free(&b);
}

TEST(dropping_a_file_leaves_no_trace)
{
    Err err = { 0 };
    FileOut f;
    EXPECT(fileout_open(&f, in_folder("dropped"), &err) && fileout_write(&f, "x", 1, &err));
    fileout_drop(&f);
    fileout_drop(&f);
    EXPECT(!file_exists(in_folder("dropped")) && !file_exists(in_folder("dropped.tmp")));
}

TEST(folders_are_made_listed_in_byte_order_and_removed)
{
    Err err = { 0 };
    Arena a = arena_reserve(1 << 24);
    EXPECT(file_make_dirs(in_folder("tree/b/c"), &err) &&
           file_make_dirs(in_folder("tree/b/c/"), &err));
    EXPECT(file_write_whole(in_folder("tree/b/z"), STR("1"), &err));
    EXPECT(file_write_whole(in_folder("tree/b/c/a"), STR("1"), &err));
    EXPECT(file_write_whole(in_folder("tree/Z"), STR("1"), &err));
    EXPECT(symlink("..", in_folder("tree/b/up")) == 0 && symlink("b", in_folder("tree/link")) == 0);
    EXPECT(symlink("Z", in_folder("tree/same")) == 0);
    char **names;
    int n = 0;
    EXPECT(file_list(in_folder("tree"), true, &a, &names, &n, &err));
    const char *deep[] = { "Z", "b/c/a", "b/z", "same" };
    EXPECT(n == 4);
    for (int i = 0; i < MIN(n, 4); i++) EXPECT_MSG(strcmp(names[i], deep[i]) == 0, "%s", names[i]);
    EXPECT(file_list(in_folder("tree"), false, &a, &names, &n, &err) && n == 4 &&
           strcmp(names[1], "b") == 0);
    EXPECT(!file_make_dirs(in_folder("tree/Z/under"), &err) && strstr(err.msg, "Z"));
    EXPECT(file_remove_tree(in_folder("tree"), &err) && !file_exists(in_folder("tree")));
    EXPECT(file_remove_tree(in_folder("tree"), &err));
    EXPECT(!file_list(in_folder("tree"), true, &a, &names, &n, &err) && strstr(err.msg, "tree"));
    arena_release(&a);
}

TEST(removing_a_tree_does_not_follow_links_out_of_it)
{
    Err err = { 0 };
    EXPECT(file_make_dirs(in_folder("outside"), &err) && file_make_dirs(in_folder("inside"), &err));
    EXPECT(file_write_whole(in_folder("outside/precious"), STR("1"), &err));
    EXPECT(symlink("../outside", in_folder("inside/link")) == 0);
    EXPECT(file_remove_tree(in_folder("inside"), &err));
    EXPECT(file_exists(in_folder("outside/precious")));
}

TEST(a_lock_excludes_and_ends_with_its_process)
{
    Err err = { 0 };
    int fd = -1, second = -1;
    EXPECT(file_lock(in_folder("lock"), &fd, &err));
    EXPECT(!file_lock(in_folder("lock"), &second, &err) && err.code == ERR_BUSY && second == -1);
    file_unlock(fd);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (!file_lock(in_folder("lock"), &fd, &err)) _exit(1);
        raise(SIGKILL);
    }
    waitpid(pid, NULL, 0);
    EXPECT_MSG(file_lock(in_folder("lock"), &fd, &err), "%s", err.msg);
    file_unlock(fd);
}
