/* What is taken for a patch of the open part, and what is not. */
#include "code/patch.h"
#include "tests/test.h"

static Err err;

static bool reads(const char *diff, Patch *p)
{
    err = (Err){ 0 };
    return patch_read(str_of(diff), p, &err);
}

static void refused(const char *diff, const char *says)
{
    Patch p;
    EXPECT_MSG(!reads(diff, &p), "taken: %s", diff);
    EXPECT_MSG(strstr(err.msg, says) != NULL, "'%s' does not say '%s'", err.msg, says);
}

#define ONE "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"

TEST(files_and_lines_of_a_patch_are_counted)
{
    Patch p;
    EXPECT(
        reads("diff --git a/src/model/model.c b/src/model/model.c\nindex 1..2 100644\n"
              "--- a/src/model/model.c\n+++ b/src/model/model.c\n" ONE
              "--- a/src/optim/lion.c\n+++ b/src/optim/lion.c\n@@ -5 +5,3 @@ static\n-x\n+y\n+z\n"
              "+w\n\\ No newline at end of file\n",
              &p));
    EXPECT(p.files == 2 && p.added == 4 && p.deleted == 2 && !p.op);
    EXPECT(strcmp(p.file[1], "src/optim/lion.c") == 0 && !p.made[1]);
}

TEST(a_new_operation_is_noticed_and_an_old_one_is_closed)
{
    Patch p;
    EXPECT(reads("diff --git a/src/tensor/op/cube.c b/src/tensor/op/cube.c\n"
                 "new file mode 100644\n--- /dev/null\n+++ b/src/tensor/op/cube.c\n"
                 "@@ -0,0 +1,1 @@\n+x\n",
                 &p));
    EXPECT(p.op && p.made[0]);
    refused("--- a/src/tensor/op/gelu.c\n+++ b/src/tensor/op/gelu.c\n" ONE, "open part");
}

TEST(nothing_leaves_the_open_part)
{
    static const char *const closed[] = { "src/judge/arm.c",
                                          "src/sandbox/sandbox.c",
                                          "Makefile",
                                          "src/train/train.c",
                                          "tests/test.h",
                                          "src/model/../judge/arm.c",
                                          "src/model/deep/er.c",
                                          "src/model/x.sh",
                                          "src/model/.c",
                                          "src/model/../../../etc/x.c",
                                          ".git/hooks/post-checkout",
                                          "src/tensor/plan.c" };
    for (ptrdiff_t i = 0; i < COUNT(closed); i++) {
        char diff[400];
        snprintf(diff, sizeof(diff), "--- a/%s\n+++ b/%s\n" ONE, closed[i], closed[i]);
        refused(diff, "open part");
    }
}

TEST(links_modes_renames_and_binaries_are_refused)
{
    refused("diff --git a/src/model/a.c b/src/model/a.c\nnew file mode 120000\n", "plain unified");
    refused("diff --git a/src/model/a.c b/src/model/a.c\nold mode 100644\n", "plain unified");
    refused("rename from src/judge/arm.c\n", "plain unified");
    refused("GIT binary patch\n", "plain unified");
    refused("--- a/src/model/a.c\n+++ b/src/model/b.c\n" ONE, "renames");
    refused("--- a/src/model/a.c\nfoo\n", "names no file");
}

/* A hunk that says it is longer than it is would hide a header that git reads. */
TEST(a_hunk_is_as_long_as_it_says)
{
    refused("--- a/src/model/a.c\n+++ b/src/model/a.c\n@@ -1,9 +1,9 @@\n a\n-b\n+c\n", "cut off");
    refused("--- a/src/model/a.c\n+++ b/src/model/a.c\n" ONE "+d\n", "plain unified");
    refused("--- a/src/model/a.c\n+++ b/src/model/a.c\n" ONE
            "--- a/src/judge/arm.c\n+++ b/src/judge/arm.c\n" ONE,
            "open part");
    refused("", "no unified diff");
    refused("@@ -1 +1 @@\n-a\n+b\n", "no hunk");
}
