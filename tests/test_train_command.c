/* test_train_command.c - somebody else's trainer: what it declares, how it is called, how it fails.
 *
 * The trainers here are shell scripts of a few lines; each ends in another of the ways in which
 * scripts end.  Whatever they do, this program has to go on and nothing of them may be left. */
#include "train/command.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "tests/test.h"

static Arena arena;
static Err err;

static const char *path_of(const char *name)
{
    static char path[4][300];
    static int turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof(path[0]), "%s/%s", test_folder(), name);
    return p;
}

static void put(const char *name, const char *text)
{
    EXPECT_MSG(file_write_whole(path_of(name), str_of(text), &err), "%s", err.msg);
}

static const char plain[] = "command = \"sh train.sh\"\nlimit = 20\n"
                            "[knob.lr]\nvalue = 0.01\nmin = 1e-4\nmax = 1\nscale = \"log\"\n"
                            "doc = \"rate; of AdamW\"\n";

/* What every script begins with: $out is the folder for its output. */
#define OUT "out=$(sed -n 's/.*\"out\": \"\\(.*\\)\",*/\\1/p' \"$1\")\n"

static bool read_recipe(Recipe *r, const char *declaration, const char *recipe)
{
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 30);
    put("trainer.toml", declaration);
    put("recipe.toml", recipe);
    err = (Err){ 0 };
    return recipe_read(r, path_of("recipe.toml"), &arena, &err);
}

static bool train(const char *script, const char *declaration, TrainResult *t, CommandResult *told,
                  bool (*stop)(void *))
{
    Recipe r;
    put("train.sh", script);
    EXPECT_MSG(read_recipe(&r, declaration, "trainer = \"command\"\n"), "%s", err.msg);
    CommandJob job = { .lab = test_folder(),
                       .run = "r1",
                       .dir = path_of("runs/r1"),
                       .recipe = &r,
                       .seed = 3,
                       .sink = { .stop = stop } };
    return command_train(&job, t, told, &err);
}

static bool fails_with(const char *script, const char *words)
{
    TrainResult t;
    CommandResult told;
    bool ok = train(script, plain, &t, &told, NULL);
    if (!ok || t.finite || !isnan(told.score) || !strstr(told.why, words))
        printf("# %d %s: \"%s\", and not \"%s\"\n", ok, err.msg, told.why, words);
    return ok && !t.finite && isnan(told.score) && strstr(told.why, words);
}

TEST(a_trainer_is_called_with_its_job_and_its_result_is_taken)
{
    TrainResult t;
    CommandResult told;
    EXPECT_MSG(train(OUT "grep -q '\"seed\": 3' \"$1\" && grep -q '\"lr\": 0.01' \"$1\" || exit 9\n"
                         "printf 'step\\tloss\\ttokens\\n1\\t4\\t10\\n2\\t2\\t20\\n' "
                         ">\"$out/metrics.tsv\"\n"
                         "echo '{\"val_bpb\": 1.25, \"tokens\": 20}' >\"$out/result.json\"\n",
                     plain, &t, &told, NULL),
               "%s", err.msg);
    EXPECT_MSG(t.finite && told.score == 1.25, "%s", told.why);
    EXPECT(t.steps == 2 && t.tokens == 20 && t.train_loss == 2);
}

TEST(however_a_trainer_fails_it_is_a_failed_run_with_its_reason)
{
    EXPECT(fails_with("exit 0\n", "without a result.json"));
    EXPECT(fails_with("echo CUDA out of memory >&2\nexit 3\n", "status 3: CUDA out of memory"));
    EXPECT(fails_with("kill -SEGV $$\n", "signal 11"));
    EXPECT(fails_with(OUT "echo '{\"val_bpb\": NaN}' >$out/result.json\n", "number that is none"));
    EXPECT(fails_with(OUT "echo '{\"val_bpb\": -1}' >$out/result.json\n", "must be above 0"));
    EXPECT(fails_with(OUT "echo '{\"val_bpb\": \"1.2\"}' >$out/result.json\n", "is no number"));
    EXPECT(fails_with(OUT "echo '{\"val_loss\": 1.2}' >$out/result.json\n", "has no val_bpb"));
    EXPECT(fails_with(OUT "echo '[1.2]' >$out/result.json\n", "no JSON object"));
    EXPECT(fails_with(OUT "echo '{\"val_b' >$out/result.json\n", "result.json"));
    EXPECT(fails_with(OUT "head -c 2000000 /dev/zero >$out/result.json\n", "over a megabyte"));
}

TEST(a_result_of_an_earlier_try_is_not_taken_for_a_new_one)
{
    TrainResult t;
    CommandResult told;
    EXPECT(train(OUT "echo '{\"val_bpb\": 1.5}' >$out/result.json\n", plain, &t, &told, NULL));
    EXPECT(t.finite);
    EXPECT(fails_with("exit 0\n", "without a result.json"));
}

TEST(nonsense_on_its_output_and_in_its_metrics_harms_nobody)
{
    TrainResult t;
    CommandResult told;
    EXPECT(train(OUT
                 "head -c 3000000 /dev/urandom\n"
                 "{ printf 'step\\tloss\\n1\\tnan\\nwords\\n\\n2\\t3\\t4\\t5\\n2\\t1\\n-5\\t1\\n'\n"
                 "head -c 300000 /dev/urandom; printf '\\n3\\t2.5\\n4\\tcut'; } "
                 ">$out/metrics.tsv\n"
                 "echo '{\"val_bpb\": 1.5}' >$out/result.json\n",
                 plain, &t, &told, NULL));
    EXPECT_MSG(t.finite && told.score == 1.5, "%s", told.why);
    EXPECT(file_size(path_of("runs/r1/log.txt")) <= 1 << 20);
}

/* Is any process still running with this in its command line? */
static bool is_left(const char *mark)
{
    char command[200];
    snprintf(command, sizeof(command), "grep -lsa '%s' /proc/[0-9]*/cmdline | grep -qv self", mark);
    for (int i = 0; i < 20; i++) {
        if (system(command) != 0) return false;
        usleep(50000);
    }
    return true;
}

TEST(what_a_trainer_leaves_behind_is_gone_with_it)
{
    TrainResult t;
    CommandResult told;
    EXPECT(train(OUT "sleep 1000.125 &\n(setsid sleep 1000.126 &)\n"
                     "echo '{\"val_bpb\": 1.5}' >$out/result.json\n",
                 plain, &t, &told, NULL));
    EXPECT(t.finite);
    EXPECT(!is_left("1000[.]12[56]"));
}

TEST(a_trainer_that_takes_too_long_is_stopped_with_all_its_children)
{
    TrainResult t;
    CommandResult told;
    char declaration[400];
    snprintf(declaration, sizeof(declaration), "limit = 0.4\n%s", strstr(plain, "[knob"));
    snprintf(declaration, sizeof(declaration), "command = \"sh train.sh\"\nlimit = 0.4\n%s",
             strstr(plain, "[knob"));
    double begun = clock_now();
    EXPECT(train("(setsid sleep 1000.225 &)\nsleep 1000.226\n", declaration, &t, &told, NULL));
    EXPECT_MSG(!t.finite && strstr(told.why, "longer than its limit"), "%s", told.why);
    EXPECT(clock_now() - begun < 30);
    EXPECT(!is_left("1000[.]22[56]"));
}

static bool at_once(void *self)
{
    (void)self;
    return true;
}

TEST(a_run_can_be_stopped)
{
    TrainResult t;
    CommandResult told;
    EXPECT(!train("exec sleep 1000.325\n", plain, &t, &told, at_once) && err.code == ERR_STOPPED);
    EXPECT(!is_left("1000[.]325"));
}

TEST(when_this_program_is_killed_its_trainer_dies_too)
{
    pid_t child = fork();
    if (child == 0) {
        TrainResult t;
        CommandResult told;
        _exit(train("(setsid sleep 1000.425 &)\nsleep 1000.426\n", plain, &t, &told, NULL));
    }
    for (int i = 0; i < 200 && system("grep -qsa '1000[.]425' /proc/[0-9]*/cmdline") != 0; i++)
        usleep(20000);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    for (int i = 0; i < 60 && is_left("1000[.]42[56]"); i++) {
    }
    EXPECT(!is_left("1000[.]42[56]"));
}

TEST(keys_of_language_models_are_not_shown_to_a_trainer)
{
    TrainResult t;
    CommandResult told;
    setenv("OPENAI_API_KEY", "sk-secret", 1);
    EXPECT(train(OUT "test -n \"$PATH\" && test -z \"$OPENAI_API_KEY\" || exit 5\n"
                     "echo '{\"val_bpb\": 1.5}' >$out/result.json\n",
                 plain, &t, &told, NULL));
    EXPECT_MSG(t.finite, "%s", told.why);
    unsetenv("OPENAI_API_KEY");
}

TEST(a_program_that_is_not_there_is_said_and_not_a_failed_run)
{
    TrainResult t;
    CommandResult told;
    char declaration[400];
    snprintf(declaration, sizeof(declaration), "command = \"no-such-trainer\"\n%s",
             strstr(plain, "[knob"));
    EXPECT(!train("", declaration, &t, &told, NULL) && err.code == ERR_CONFIG);
    EXPECT_MSG(strstr(err.msg, "no-such-trainer"), "%s", err.msg);
}

TEST(a_recipe_holds_what_was_declared_and_is_read_without_the_file)
{
    Recipe r, again;
    EXPECT_MSG(read_recipe(&r, plain, "trainer = \"command\"\nlr = 0.03\n"), "%s", err.msg);
    EXPECT(command_is(&r) && knobs_number(&r.knobs, "lr") == 0.03);
    Buf text = { 0 };
    recipe_text(&r, false, &text);
    unlink(path_of("trainer.toml"));
    EXPECT_MSG(recipe_parse(&again, buf_view(&text), "the ledger", &arena, &err), "%s", err.msg);
    EXPECT(strcmp(r.sha256, again.sha256) == 0);
    EXPECT(!recipe_override(&again, "lr=2", "-s", &err) && strstr(err.msg, "lr"));
    EXPECT(!recipe_ours(&r, "this", &err) && err.code == ERR_CONFIG);
    buf_free(&text);
}

TEST(a_wrong_declaration_is_refused_in_words)
{
    static const char *const wrong[][2] = {
        { "command = \"x\"\n", "declares no knob" },
        { "[knob.lr]\nvalue = 1\n", "command is missing" },
        { "command = \"x\"\nspeed = 3\n[knob.lr]\nvalue = 1\n", "no speed" },
        { "command = \"x\"\n[knob.lr]\nvalue = 5\nmax = 2\n", "a value between them" },
        { "command = \"x\"\n[knob.lr]\nmin = 0\nmax = 2\n", "has no value" },
        { "command = \"x\"\n[knob.lr]\nvalue = 1\nscale = \"log\"\n", "min must be above 0" },
        { "command = \"x\"\n[knob.lr]\nvalue = 1\ntype = \"real\"\n", "must be of type" },
        { "command = \"x\"\n[knob.budget.time]\nvalue = 1\n", "cannot be called" },
        { "command = \"x\"\n[knob.a]\ntype = \"choice\"\nvalue = \"b\"\nchoices = [\"c\", \"d\"]\n",
          "one of them" },
        { "command = \"x\"\n[knob.a]\ntype = \"whole\"\nvalue = 0.5\n", "is whole" },
        { "command = \"x\"\nframe = \"hours\"\n[knob.lr]\nvalue = 1\n", "budget.frame" },
    };
    Recipe r;
    for (int i = 0; i < COUNT(wrong); i++) {
        bool read = read_recipe(&r, wrong[i][0], "trainer = \"command\"\n");
        EXPECT_MSG(!read && strstr(err.msg, wrong[i][1]), "%d: %s", i, err.msg);
    }
    EXPECT(!read_recipe(&r, plain, "trainer = \"pytorch\"\n") &&
           strstr(err.msg, "lathe or command"));
    EXPECT(!read_recipe(&r, plain, "trainer = \"command\"\nlearning_rate = 1\n"));
}
