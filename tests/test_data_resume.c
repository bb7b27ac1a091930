/* An addition killed again and again, at whatever moment, ends in the state of one undisturbed
 * run, and goes on instead of beginning anew. */
#include <sys/wait.h>

#include "base/file.h"
#include "base/progress.h"
#include "base/rand.h"
#include "data/corpus_private.h"
#include "tests/test.h"

enum { FILES = 3, LINES = 400 };

/* JSON lines of random sentences in three files, some of them twice. */
static const char *text_folder(void)
{
    static char folder[128];
    Err err = { 0 };
    Rand r = rand_stream(11, "resume");
    snprintf(folder, sizeof(folder), "%s/text", test_folder());
    EXPECT(file_make_dirs(folder, &err));
    for (int f = 0; f < FILES; f++) {
        Buf lines = { 0 };
        char path[160];
        for (int i = 0; i < LINES; i++) {
            uint64_t story = rand_below(&r, 900);
            Rand s = rand_stream(story, "story");
            buf_printf(&lines, "{\"text\": \"Story %d.", (int)story);
            for (int w = 0; w < 120; w++) buf_printf(&lines, " w%d", (int)rand_below(&s, 3000));
            buf_printf(&lines, "\"}\n");
        }
        snprintf(path, sizeof(path), "%s/%d.jsonl", folder, f);
        EXPECT(file_write_whole(path, buf_view(&lines), &err));
        buf_free(&lines);
    }
    return folder;
}

static bool add(const char *lab, const char *folder, char sha[65], int64_t *resumed)
{
    Err err = { 0 };
    json_t *manifest = NULL;
    CorpusAdd what = { .lab = lab, .name = "a", .paths = &folder, .n_paths = 1 };
    what.resumed = resumed;
    bool ok = corpus_add(&what, &manifest, &err);
    if (!ok) printf("# %s\n", err.msg);
    if (ok) {
        Buf all = { 0 };
        json_write(manifest, false, &all);
        sha256_hex(all.at, all.len, sha);
        buf_free(&all);
    }
    json_decref(manifest);
    return ok;
}

/* In a child that kills itself at the n-th change; true if it was killed. */
static bool add_killed(const char *lab, const char *folder, int n)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char sha[65];
        corpusstore_kill_at = n;
        _exit(add(lab, folder, sha, NULL) ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static char *lab_at(const char *name, char path[128])
{
    Err err = { 0 };
    snprintf(path, 128, "%s/%s", test_folder(), name);
    EXPECT(file_make_dirs(path, &err));
    return path;
}

TEST(five_kills_in_the_middle_of_files_reach_the_manifest_of_an_undisturbed_addition)
{
    char plain[128], killed[128], want[65] = "", have[65] = "";
    int64_t resumed = 0;
    progress_quiet(true);
    corpusjournal_every = 20000;
    const char *folder = text_folder();
    EXPECT(add(lab_at("plain", plain), folder, want, &resumed) && resumed == 0);
    lab_at("killed", killed);
    int kills = 0;
    for (int i = 0; i < 5; i++) kills += add_killed(killed, folder, 6 + 2 * i + i % 2);
    EXPECT_MSG(kills == 5, "%d kills", kills);
    EXPECT(add(killed, folder, have, &resumed));
    EXPECT_MSG(resumed > 200, "went on with %lld documents", (long long)resumed);
    EXPECT_MSG(strcmp(want, have) == 0, "%s, not %s", have, want);
    char path[160];
    snprintf(path, sizeof(path), "%s/data/a.part", killed);
    EXPECT(!file_exists(path));
}

TEST(a_kill_at_any_change_leaves_what_the_same_command_finishes)
{
    char plain[128], killed[128], want[65] = "", have[65] = "";
    progress_quiet(true);
    corpusjournal_every = 200000;
    const char *folder = text_folder();
    EXPECT(add(lab_at("plain2", plain), folder, want, NULL));
    bool more = true;
    int n = 1;
    for (; more && n < 60; n++) {
        char name[32];
        snprintf(name, sizeof(name), "killed%d", n);
        more = add_killed(lab_at(name, killed), folder, n);
        EXPECT(add(killed, folder, have, NULL));
        EXPECT_MSG(strcmp(want, have) == 0, "after change %d", n);
    }
    EXPECT_MSG(!more && n > 8, "%d changes", n);
}

TEST(files_that_change_in_between_are_noticed_and_read_anew)
{
    char lab[128], have[65] = "", path[160];
    Err err = { 0 };
    int64_t resumed = -1;
    progress_quiet(true);
    corpusjournal_every = 20000;
    const char *folder = text_folder();
    EXPECT(add_killed(lab_at("changed", lab), folder, 15));
    snprintf(path, sizeof(path), "%s/0.jsonl", folder);
    Buf text = { 0 };
    EXPECT(file_read(path, &text, &err));
    Buf longer = { 0 };
    buf_str(&longer, STR("{\"text\": \"A line that was not there before the addition.\"}\n"));
    buf_str(&longer, buf_view(&text));
    EXPECT(file_write_whole(path, buf_view(&longer), &err));
    EXPECT(!add(lab, folder, have, NULL));
    EXPECT(add(lab, folder, have, &resumed) && resumed == 0);
    buf_free(&text);
    buf_free(&longer);
}
