/* A lab's clone of a source, on a repository of two files that stands for Lathe's: patches become
 * trees, trees become engines, and the repository that was cloned stays as it is. */
#include <sys/wait.h>

#include "base/file.h"
#include "code/source.h"
#include "sandbox/sandbox.h"
#include "tests/test.h"

static Arena arena;
static Err err;
static const char *from, *lab;

static bool run(const char *command)
{
    fflush(stdout);
    return system(command) == 0;
}

static bool write_file(const char *name, const char *text)
{
    return file_write_whole(arena_printf(&arena, "%s/%s", from, name), str_of(text), &err);
}

/* A program that prints a number, and a test of "operations" that fails where it is 13. */
static bool make_repository(void)
{
    static const char makefile[] = "build/release/%: src/model/model.c\n"
                                   "\t@mkdir -p build/release\n\t@$(CC) -o $@ $<\n";
    if (from) return true;
    arena = arena_reserve(1 << 28);
    if (!sandbox_available(arena, &err)) {
        printf("# skipped: %s\n", err.msg);
        return false;
    }
    from = arena_printf(&arena, "%s/from", test_folder());
    lab = arena_printf(&arena, "%s/lab", test_folder());
    EXPECT(file_make_dirs(arena_printf(&arena, "%s/src/model", from), &err));
    EXPECT(write_file("Makefile", makefile) && write_file(".gitignore", "build\n"));
    EXPECT(write_file("src/model/model.c", "#include <stdio.h>\nint main(void)\n{\n"
                                           "    int n = 7;\n    printf(\"%d\\n\", n);\n"
                                           "    return n == 13;\n}\n"));
    return run(arena_printf(&arena,
                            "cd '%s' && git init -q -b main && git add -A && git -c user.name=t -c "
                            "user.email=t@localhost commit -q -m first",
                            from));
}

/* The patch that makes the number another text. */
static Str patch_to(const char *number)
{
    return str_of(arena_printf(&arena,
                               "--- a/src/model/model.c\n+++ b/src/model/model.c\n"
                               "@@ -3,3 +3,3 @@\n {\n-    int n = 7;\n+    int n = %s;\n"
                               "     printf(\"%%d\\n\", n);\n",
                               number));
}

static bool open_source(Source *s)
{
    err = (Err){ 0 };
    bool ok = make_repository() && source_open(s, lab, from, "/nowhere/lathe", &arena, &err);
    EXPECT_MSG(ok || !from, "%s", err.msg);
    return ok;
}

static int answer(const char *program)
{
    int n = -1;
    FILE *f = popen(program, "r");
    if (!f || fscanf(f, "%d", &n) != 1) n = -1;
    if (f) pclose(f);
    return n;
}

TEST(a_patch_becomes_an_engine_once)
{
    Source s;
    SourceBuilt b;
    char tree[41], again[41];
    if (!open_source(&s)) return;
    EXPECT_MSG(source_apply(&s, "", patch_to("8"), tree, &err), "%s", err.msg);
    EXPECT_MSG(source_build(&s, tree, false, &b, &err), "%s", err.msg);
    EXPECT_MSG(b.program && !b.known && answer(b.program) == 8, "%s", b.says ? b.says : "");
    EXPECT(source_apply(&s, "", patch_to("8"), again, &err) && strcmp(tree, again) == 0);
    EXPECT(source_build(&s, again, false, &b, &err) && b.known);
}

/* The worktree is the one that was just switched to another tree. */
TEST(engines_of_two_patches_do_not_mix)
{
    Source s;
    SourceBuilt b;
    char one[41], two[41];
    if (!open_source(&s)) return;
    EXPECT(source_apply(&s, "", patch_to("1"), one, &err));
    EXPECT(source_apply(&s, "", patch_to("2"), two, &err));
    EXPECT(source_build(&s, two, false, &b, &err) && b.program && answer(b.program) == 2);
    EXPECT(source_build(&s, one, false, &b, &err) && b.program && answer(b.program) == 1);
}

TEST(what_does_not_build_is_answered_in_the_compilers_words)
{
    Source s;
    SourceBuilt b;
    char tree[41];
    if (!open_source(&s)) return;
    EXPECT(source_apply(&s, "", patch_to("nonsense"), tree, &err));
    EXPECT_MSG(source_build(&s, tree, false, &b, &err), "%s", err.msg);
    EXPECT(!b.program && b.says && strstr(b.says, "nonsense"));
}

TEST(a_new_operation_must_pass_the_tests_of_operations)
{
    Source s;
    SourceBuilt b;
    char tree[41];
    if (!open_source(&s)) return;
    EXPECT(source_apply(&s, "", patch_to("13"), tree, &err));
    EXPECT_MSG(source_build(&s, tree, true, &b, &err), "%s", err.msg);
    EXPECT(!b.program && b.says && strstr(b.says, "exit status 1"));
}

TEST(a_patch_that_does_not_fit_is_refused)
{
    Source s;
    char tree[41];
    if (!open_source(&s)) return;
    EXPECT(!source_apply(&s, "",
                         STR("--- a/src/model/model.c\n+++ b/src/model/model.c\n"
                             "@@ -1,1 +1,1 @@\n-something else\n+x\n"),
                         tree, &err));
    EXPECT_MSG(strstr(err.msg, "does not fit") != NULL, "%s", err.msg);
}

TEST(what_is_kept_is_a_commit_of_the_labs_clone_and_of_no_other)
{
    Source s;
    char tree[41];
    if (!open_source(&s)) return;
    EXPECT(source_apply(&s, "", patch_to("9"), tree, &err));
    EXPECT_MSG(source_keep(&s, tree, "nine\n\nit gains\n", &err), "%s", err.msg);
    EXPECT(source_keep(&s, tree, "nine\n\nit gains\n", &err)); /* said twice, done once */
    EXPECT(run(arena_printf(&arena, "[ $(git -C '%s' rev-list --count lab) = 2 ]", s.repo)));
    EXPECT(
        run(arena_printf(&arena, "git -C '%s' log -1 --format=%%s lab | grep -qx nine", s.repo)));
    EXPECT(run(arena_printf(&arena, "[ $(git -C '%s' rev-list --all --count) = 1 ]", from)));
    EXPECT(run(arena_printf(&arena, "[ -z \"$(git -C '%s' status --porcelain)\" ]", from)));
    Buf text = { 0 };
    EXPECT(source_read(&s, "", "src/model/model.c", &text, &err) && strstr(text.at, "n = 9"));
    buf_free(&text);
}

TEST(a_lab_without_a_source_says_how_to_name_one)
{
    Source s;
    if (!make_repository()) return;
    const char *bare = arena_printf(&arena, "%s/bare", test_folder());
    EXPECT(!source_open(&s, bare, NULL, "/nowhere/lathe", &arena, &err));
    EXPECT_MSG(strstr(err.msg, "--source") != NULL, "%s", err.msg);
    EXPECT(!source_open(&s, bare, "/usr", "/nowhere/lathe", &arena, &err));
}
