/* source.c - git and make, asked by name.
 *
 * Trees name source.  Two proposals that come to the same source are one engine, a recipe that
 * names a tree says all of it, and what git holds cannot be changed under a run.
 *
 * A patch is applied to an index, not to a folder: nothing is checked out that does not apply.  The
 * one warm worktree is switched from tree to tree, by which git writes only the files that differ,
 * so make rebuilds only what hangs on them.  Where the repository's own build is of the same
 * commit, its objects are taken over, and even the first build is short.  A worktree for each
 * proposal, with new times on all files, would rebuild everything each time.
 *
 * git runs outside of the sandbox, on files whose names patch.c has read; hooks and configuration
 * of the user are left out. */
#include "code/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "sandbox/sandbox.h"

enum { WORDS = 24, SAYS = 2000 };

/* ---- other programs, outside ---- */

typedef struct Call {
    const char *word[WORDS];
    const char *index; /* GIT_INDEX_FILE; NULL: git's own */
    Str in;            /* standard input */
} Call;

static void become(const Call *c, int in, int out)
{
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    setenv("GIT_AUTHOR_NAME", "Lathe", 1);
    setenv("GIT_AUTHOR_EMAIL", "lathe@localhost", 1);
    setenv("GIT_COMMITTER_NAME", "Lathe", 1);
    setenv("GIT_COMMITTER_EMAIL", "lathe@localhost", 1);
    unsetenv("GIT_DIR");
    unsetenv("GIT_WORK_TREE");
    unsetenv("MAKEFLAGS");
    if (c->index) setenv("GIT_INDEX_FILE", c->index, 1);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(126);
    execvp(c->word[0], (char *const *)c->word);
    _exit(127);
}

static bool write_input(int fd, Str in)
{
    while (in.len > 0) {
        ssize_t n = write(fd, in.at, (size_t)in.len);
        if (n <= 0) return false;
        in.at += n;
        in.len -= n;
    }
    return true;
}

/* Its output without the last line's end.  Input comes from a file without a name, so that neither
 * side waits for the other. */
static bool call(const Call *c, Buf *out, Err *err)
{
    int fd[2] = { -1, -1 }, in = memfd_create("input", MFD_CLOEXEC), status = -1;
    char bytes[4096];
    buf_clear(out);
    if (in < 0 || !write_input(in, c->in) || lseek(in, 0, SEEK_SET) != 0 ||
        pipe2(fd, O_CLOEXEC) != 0)
        return err_errno(err, "start %s", c->word[0]);
    pid_t pid = fork();
    if (pid == 0) become(c, in, fd[1]);
    close(fd[1]);
    close(in);
    for (ssize_t n; (n = read(fd[0], bytes, sizeof(bytes))) > 0;) buf_put(out, bytes, n);
    close(fd[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    while (out->len > 0 && out->at[out->len - 1] == '\n') out->at[--out->len] = 0;
    if (status == 0) return true;
    return err_set(err, ERR_IO, "%s %s: %.*s", c->word[0],
                   strcmp(c->word[1], "-C") == 0 ? c->word[3] : c->word[1], (int)MIN(out->len, 300),
                   out->len ? out->at : "failed");
}

/* `git -C repo WORDS`; one word back. */
static bool git(Source *s, const Call *words, Buf *out, Err *err)
{
    Call c = { .word = { "git", "-C", s->repo }, .index = words->index, .in = words->in };
    for (int i = 0; words->word[i]; i++) c.word[3 + i] = words->word[i];
    return call(&c, out, err);
}

static bool git_name(Source *s, const Call *words, char out[41], Err *err)
{
    Buf b = { 0 };
    bool ok = git(s, words, &b, err);
    if (ok && b.len != 40) ok = err_set(err, ERR_FORMAT, "git %s gave no name", words->word[0]);
    if (ok) memcpy(out, b.at, 41);
    buf_free(&b);
    return ok;
}

static bool git_do(Source *s, const Call *words, Err *err)
{
    Buf b = { 0 };
    bool ok = git(s, words, &b, err);
    buf_free(&b);
    return ok;
}

/* ---- the clone and the warm worktree ---- */

/* build/release/lathe of a repository, upwards to the folder that holds src/model. */
static const char *beside(const char *program, Arena *out)
{
    char *at = arena_str(out, str_of(program));
    for (char *slash; (slash = strrchr(at, '/')) && slash != at;) {
        *slash = 0;
        Arena mark = *out;
        bool found = file_is_dir(arena_printf(out, "%s/src/model", at)) &&
                     file_exists(arena_printf(out, "%s/.git", at));
        arena_rewind(out, mark);
        if (found) return at;
    }
    return NULL;
}

/* Objects that a build of the very same source left: newer than any file of the checkout once they
 * are touched, so make takes them for what they are. */
static bool take_objects(Source *s, const char *from, Err *err)
{
    Buf b = { 0 };
    Err none = { 0 };
    const char *build = arena_printf(s->arena, "%s/build/release", from);
    bool same = call(&(Call){ .word = { "git", "-C", from, "status", "--porcelain", "-uno" } }, &b,
                     &none) &&
                b.len == 0 && file_exists(arena_printf(s->arena, "%s/lathe", build)) &&
                call(&(Call){ .word = { "make", "-q", "-s", "-C", from, "all" } }, &b, &none);
    const char *to = arena_printf(s->arena, "%s/build", s->warm);
    bool ok = file_make_dirs(to, err);
    if (ok && same) ok = call(&(Call){ .word = { "cp", "-r", build, to } }, &b, err);
    buf_free(&b);
    return ok;
}

static bool make_clone(Source *s, const char *from, Err *err)
{
    Buf b = { 0 };
    const char *part = arena_printf(s->arena, "%s.part", s->repo);
    bool ok =
        file_remove_tree(part, err) && file_remove_tree(s->warm, err) &&
        call(&(Call){ .word = { "git", "clone", "-q", "--no-hardlinks", "--no-tags",
                                "--single-branch", from, part } },
             &b, err) &&
        call(&(Call){ .word = { "git", "-C", part, "checkout", "-q", "-B", "lab" } }, &b, err) &&
        call(&(Call){ .word = { "git", "-C", part, "worktree", "add", "-q", "--detach", s->warm,
                                "lab" } },
             &b, err) &&
        take_objects(s, from, err);
    buf_free(&b);
    if (ok && rename(part, s->repo) != 0) ok = err_errno(err, "make %s", s->repo);
    return ok && git_do(s, &(Call){ .word = { "worktree", "repair", s->warm } }, err);
}

bool source_open(Source *s, const char *lab, const char *from, const char *program, Arena *arena,
                 Err *err)
{
    *s = (Source){ .arena = arena,
                   .repo = arena_printf(arena, "%s/code/repo", lab),
                   .warm = arena_printf(arena, "%s/code/warm", lab),
                   .engines = arena_printf(arena, "%s/code/engine", lab) };
    if (!file_is_dir(s->repo)) {
        if (!from) from = beside(program, arena);
        if (!from)
            return err_set(err, ERR_CONFIG,
                           "Lathe's source is not beside this program, and code experiments "
                           "change it: name a clone of its repository with --source DIR");
        if (!file_is_dir(arena_printf(arena, "%s/src/model", from)))
            return err_set(err, ERR_CONFIG, "%s holds no source of Lathe", from);
        if (!file_make_dirs(s->engines, err) || !make_clone(s, from, err)) return false;
    }
    return git_name(s, &(Call){ .word = { "rev-parse", "lab^{tree}" } }, s->head, err);
}

/* ---- patches ---- */

/* A ref of its own keeps the tree from git's garbage collection. */
static bool name_tree(Source *s, const char *tree, char commit[41], Err *err)
{
    const char *ref = arena_printf(s->arena, "refs/lathe/%s", tree);
    return git_name(s, &(Call){ .word = { "commit-tree", tree, "-p", "lab", "-m", "candidate" } },
                    commit, err) &&
           git_do(s, &(Call){ .word = { "update-ref", ref, commit } }, err);
}

bool source_apply(Source *s, const char *base, Str diff, char tree[41], Err *err)
{
    char commit[41];
    const char *index = arena_printf(s->arena, "%s/index.%d", s->engines, (int)getpid());
    Buf b = { 0 };
    bool ok = git_do(
        s, &(Call){ .word = { "read-tree", base[0] ? base : s->head }, .index = index }, err);
    if (ok && !git(s,
                   &(Call){ .word = { "apply", "--cached", "--whitespace=nowarn", "-" },
                            .index = index,
                            .in = diff },
                   &b, err))
        ok = err_set(err, ERR_CONFIG, "the patch does not fit the champion's source: %.*s",
                     (int)MIN(b.len, 300), b.at ? b.at : "");
    ok = ok && git_name(s, &(Call){ .word = { "write-tree" }, .index = index }, tree, err) &&
         name_tree(s, tree, commit, err);
    unlink(index);
    buf_free(&b);
    return ok;
}

bool source_keep(Source *s, const char *tree, const char *message, Err *err)
{
    char commit[41];
    if (strcmp(s->head, tree) == 0) return true;
    if (!git_name(s,
                  &(Call){ .word = { "commit-tree", tree, "-p", "lab", "-F", "-" },
                           .in = str_of(message) },
                  commit, err) ||
        !git_do(s, &(Call){ .word = { "update-ref", "refs/heads/lab", commit } }, err))
        return false;
    memcpy(s->head, tree, 41);
    return true;
}

bool source_read(Source *s, const char *tree, const char *file, Buf *out, Err *err)
{
    const char *from = tree[0] ? tree : s->head;
    if (file)
        return git(s, &(Call){ .word = { "show", arena_printf(s->arena, "%s:%s", from, file) } },
                   out, err);
    return git(s,
               &(Call){ .word = { "ls-tree", "-r", "--name-only", from, "src/model", "src/optim",
                                  "src/tensor/op", "src/tensor/op_list.h", "src/tensor/ops.h",
                                  "src/tensor/ops.c" } },
               out, err);
}

/* ---- building ---- */

/* From the compiler's first complaint on; without colours of any kind and without our paths. */
static const char *shorten(const char *says, Arena *out)
{
    const char *at = strstr(says, "error:");
    while (at && at > says && at[-1] != '\n') at--;
    if (!at) at = strstr(says, "not ok");
    if (!at) at = says + (strlen(says) > SAYS ? strlen(says) - SAYS : 0);
    return arena_printf(out, "%.*s", SAYS, at);
}

static bool boxed(Source *s, const char *const *argv, bool write, SandboxEnd *end, Err *err)
{
    const char *build = arena_printf(s->arena, "%s/build", s->warm);
    const SandboxMount mount[] = { { s->warm, "/source", false },
                                   { build, "/source/build", write } };
    SandboxJob job = { .argv = argv,
                       .mount = mount,
                       .mounts = 2,
                       .dir = "/source",
                       .limit = { .disk = (int64_t)2 << 30,
                                  .files = 20000,
                                  .wall = 1800,
                                  .cpu = 1200,
                                  .output = 256 << 10,
                                  .tasks = 64 } };
    return sandbox_run(&job, s->arena, end, err);
}

static bool check_out(Source *s, const char *tree, Err *err)
{
    Buf b = { 0 };
    char commit[41];
    bool ok = name_tree(s, tree, commit, err) &&
              call(&(Call){ .word = { "git", "-C", s->warm, "checkout", "-q", "--force", "--detach",
                                      commit } },
                   &b, err);
    buf_free(&b);
    return ok;
}

static bool passes(const SandboxEnd *end)
{
    return end->why == SANDBOX_EXITED && end->status == 0;
}

static bool build_and_test(Source *s, bool op, SourceBuilt *out, Err *err)
{
    const char *make[] = { "make",
                           "-s",
                           "-j2",
                           "CC=gcc",
                           "build/release/lathe",
                           op ? "build/release/test_tensor_ops" : NULL,
                           NULL };
    static const char *const test[] = { "build/release/test_tensor_ops", NULL };
    SandboxEnd end;
    SandboxLimits none = { 0 };
    if (!boxed(s, make, true, &end, err)) return false;
    if (passes(&end) && op && !boxed(s, test, false, &end, err)) return false;
    if (!passes(&end)) {
        const char *why = sandbox_why(&end, &none, s->arena);
        out->says = arena_printf(s->arena, "%s\n%s", why, shorten(end.says, s->arena));
    }
    return true;
}

bool source_build(Source *s, const char *tree, bool op, SourceBuilt *out, Err *err)
{
    int lock = -1;
    double begun = clock_now();
    Buf b = { 0 };
    const char *program = arena_printf(s->arena, "%s/%s", s->engines, tree);
    *out = (SourceBuilt){ .program = program, .known = file_exists(program) };
    if (out->known) return true;
    if (!file_lock(arena_printf(s->arena, "%s/lock", s->engines), &lock, err)) return false;
    bool ok = check_out(s, tree, err) && build_and_test(s, op, out, err);
    if (ok && out->says) out->program = NULL;
    if (ok && out->program) {
        const char *built = arena_printf(s->arena, "%s/build/release/lathe", s->warm);
        const char *part = arena_printf(s->arena, "%s.part", program);
        ok = call(&(Call){ .word = { "strip", "-g", "-o", part, built } }, &b, err) &&
             (rename(part, program) == 0 || err_errno(err, "keep %s", program));
    }
    file_unlock(lock);
    buf_free(&b);
    out->seconds = clock_now() - begun;
    return ok;
}

bool source_engine(Source *s, const char *tree, const char **program, Err *err)
{
    SourceBuilt built;
    if (!source_build(s, tree, false, &built, err)) return false;
    *program = built.program;
    return built.program || err_set(err, ERR_FORMAT, "the source %.12s does not build any more: %s",
                                    tree, built.says);
}
