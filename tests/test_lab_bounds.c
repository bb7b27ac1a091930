/* What a lab does not let happen: a gain that was bought, a proposal that blocks the session. */
#include "base/file.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/rand.h"
#include "data/corpus.h"
#include "lab/research.h"
#include "lab/researcher.h"
#include "tests/test.h"

static Arena arena;
static Err err;

static const char *make_lab(const char *name)
{
    static char dir[160], path[200];
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 34);
    progress_quiet(true);
    Buf text = { 0 };
    Rand r = rand_stream(5, "bounds");
    for (int i = 0; i < 40000; i++)
        buf_printf(&text, "%s%s",
                   (const char *[]){ "sea", "sky", "sun", "salt" }[rand_below(&r, 4)],
                   i % 60 == 59 ? ".\n\n" : " ");
    snprintf(dir, sizeof(dir), "%s/%s", test_folder(), name);
    snprintf(path, sizeof(path), "%s/%s.txt", test_folder(), name);
    EXPECT_MSG(file_write_whole(path, buf_view(&text), &err), "%s", err.msg);
    buf_free(&text);
    EXPECT_MSG(lab_init(dir, &err), "%s", err.msg);
    const char *paths[] = { path };
    CorpusAdd add = { .lab = dir, .name = "text", .paths = paths, .n_paths = 1 };
    json_t *manifest = NULL;
    EXPECT_MSG(corpus_add(&add, &manifest, &err), "%s", err.msg);
    json_decref(manifest);
    return dir;
}

static bool begin(Lab *lab, const char *dir, SessionPlan *plan)
{
    static const char *const small[] = {
        "model.depth=1",        "model.width=16",      "model.heads=2", "model.context=32",
        "tokenizer.kind=bytes", "budget.frame=tokens", "train.batch=8", "budget.tokens=3000",
    };
    SessionOpt opt = { .researcher = "builtin",
                       .experiments = 1,
                       .overrides = small,
                       .n_overrides = (int)COUNT(small),
                       .threads = 1 };
    return lab_open(lab, dir, LEDGER_WRITE, &arena, &err) && session_begin(lab, &opt, plan, &err);
}

TEST(what_a_run_may_spend_is_no_part_of_a_proposal)
{
    static const Edit buys[] = { { "budget.flops", "1e15" },
                                 { "budget.tokens", "1e15" },
                                 { "budget.frame", "tokens" },
                                 { "train.steps", "100000" } };
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 34);
    Recipe champion, made;
    recipe_default(&champion, &arena);
    recipe_seal(&champion);
    Asking a = { .champion = &champion, .baseline = &champion, .arena = &arena };
    for (int i = 0; i < (int)COUNT(buys); i++) {
        Proposal p = { .edits = 1, .edit = { buys[i] }, .title = "more of it" };
        err = (Err){ 0 };
        EXPECT_MSG(!proposal_recipe(&a, &p, &made, &err), "%s was taken", buys[i].knob);
        EXPECT_MSG(err.code == ERR_CONFIG && strstr(err.msg, buys[i].knob), "%s", err.msg);
    }
    Proposal p = { .edits = 1, .edit = { { "optim.lr", "0.001" } }, .title = "slower" };
    EXPECT_MSG(proposal_recipe(&a, &p, &made, &err), "%s", err.msg);
}

/* An open experiment whose first run was entered when the worker was killed. */
static void enter_interrupted(Lab *lab, const SessionPlan *plan, const char *const *sets)
{
    History h;
    Recipe r;
    EXPECT_MSG(history_open(&h, lab, &err), "%s", err.msg);
    EXPECT_MSG(lab_recipe(lab, h.champion, &r, &err), "%s", err.msg);
    for (; *sets; sets++) EXPECT_MSG(recipe_override(&r, *sets, "test", &err), "%s", err.msg);
    recipe_seal(&r);
    EXPECT_MSG(lab_recipe_keep(lab, &r, &err), "%s", err.msg);
    json_t *proposal = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[{s:s, s:s, s:s}]}", "id",
                                 "e1", "question", h.question, "session", plan->id, "recipe",
                                 r.sha256, "base_recipe", h.champion, "title", "t", "author", "a",
                                 "edits", "knob", "optim.lr", "from", "1", "to", "2");
    EXPECT_MSG(ledger_append(lab->ledger, "proposal", "e1", proposal, &err), "%s", err.msg);
    json_t *run = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s}", "id", "r900", "recipe", r.sha256,
                            "seed", 1, "purpose", "search", "question", h.question, "experiment",
                            "e1", "data_sha256", "of no matter");
    EXPECT_MSG(ledger_append(lab->ledger, "run", "r900", run, &err), "%s", err.msg);
    history_close(&h);
}

static void expect_answered(const char *name, const char *const *sets, const char *words)
{
    Lab lab;
    SessionPlan plan;
    SessionWatch watch = { 0 };
    json_t *verdict = NULL;
    EXPECT_MSG(begin(&lab, make_lab(name), &plan), "%s", err.msg);
    enter_interrupted(&lab, &plan, sets);
    EXPECT_MSG(session_work(&lab, &plan, &watch, &err), "%s", err.msg);
    EXPECT(ledger_last(lab.ledger, "verdict", "e1", &verdict, &err) && verdict);
    EXPECT_MSG(json_int(verdict, "runs", -1) == 0 && strstr(json_str(verdict, "why", ""), words),
               "%s", json_str(verdict, "why", "no reason"));
    json_decref(verdict);
    lab_close(&lab);
}

TEST(a_recipe_that_cannot_run_is_answered_also_when_its_run_was_interrupted)
{
    expect_answered("context", (const char *const[]){ "model.context=1000000", NULL },
                    "longer than the data set");
    expect_answered("tokenizer", (const char *const[]){ "tokenizer.path=nowhere.json", NULL },
                    "nowhere.json");
}

TEST(a_step_that_the_budget_cannot_pay_for_is_refused)
{
    expect_answered("step", (const char *const[]){ "train.batch=3000", NULL },
                    "does not pay for one step");
}

TEST(a_lab_whose_text_is_gone_does_not_blame_the_proposal)
{
    Lab lab;
    SessionPlan plan;
    SessionWatch watch = { 0 };
    json_t *verdict = NULL;
    EXPECT_MSG(begin(&lab, make_lab("gone"), &plan), "%s", err.msg);
    enter_interrupted(&lab, &plan, (const char *const[]){ "optim.lr=0.01", NULL });
    EXPECT(rename(lab_path(&lab, "data/text"), lab_path(&lab, "elsewhere")) == 0);
    EXPECT(!session_work(&lab, &plan, &watch, &err));
    EXPECT_MSG(strstr(err.msg, "text"), "%s", err.msg);
    EXPECT(ledger_last(lab.ledger, "verdict", "e1", &verdict, &err) && !verdict);
    EXPECT(rename(lab_path(&lab, "elsewhere"), lab_path(&lab, "data/text")) == 0);
    EXPECT_MSG(session_work(&lab, &plan, &watch, &err), "%s", err.msg);
    lab_close(&lab);
}

static void add_text(const char *dir, const char *words)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/more.txt", test_folder());
    Buf text = { 0 };
    for (int i = 0; i < 900; i++) buf_printf(&text, "%s %d%s", words, i, i % 9 ? " " : ".\n\n");
    EXPECT(file_write_whole(path, buf_view(&text), &err));
    buf_free(&text);
    const char *paths[] = { path };
    CorpusAdd add = { .lab = dir, .name = "text", .paths = paths, .n_paths = 1 };
    json_t *manifest = NULL;
    EXPECT_MSG(corpus_add(&add, &manifest, &err), "%s", err.msg);
    json_decref(manifest);
}

TEST(a_session_whose_text_has_changed_decides_nothing_more_and_ends)
{
    Lab lab;
    SessionPlan plan;
    SessionWatch watch = { 0 };
    json_t *verdict = NULL, *end = NULL;
    EXPECT_MSG(begin(&lab, make_lab("changed"), &plan), "%s", err.msg);
    enter_interrupted(&lab, &plan, (const char *const[]){ "optim.lr=0.01", NULL });
    add_text(lab.dir, "another ocean");
    EXPECT_MSG(session_work(&lab, &plan, &watch, &err), "%s", err.msg);
    EXPECT(ledger_last(lab.ledger, "verdict", "e1", &verdict, &err) && verdict);
    EXPECT_MSG(json_int(verdict, "runs", -1) == 0 &&
                   strstr(json_str(verdict, "why", ""), "text has changed"),
               "%s", json_str(verdict, "why", ""));
    EXPECT(ledger_last(lab.ledger, "session_end", plan.id, &end, &err) && end);
    EXPECT_MSG(strstr(json_str(end, "text", ""), "text has changed"), "%s",
               json_str(end, "text", ""));
    json_decref(verdict);
    json_decref(end);
    lab_close(&lab);
}

TEST(a_checkpoint_that_is_gone_is_made_again_to_the_same_weights)
{
    Lab lab;
    SessionPlan plan;
    Recipe r;
    History h;
    RunResult run;
    JudgeScore before = { 0 }, after = { 0 };
    const char *const sources[] = { "text" };
    EXPECT_MSG(begin(&lab, make_lab("room"), &plan), "%s", err.msg);
    EXPECT(history_open(&h, &lab, &err) && lab_recipe(&lab, h.champion, &r, &err));
    RunJob job = { .recipe = &r, .seed = 3, .purpose = "bank", .question = h.question };
    EXPECT_MSG(lab_run(&lab, &job, &run, &err), "%s", err.msg);
    EXPECT_MSG(lab_run_score(&lab, run.id, TIER_AUDIT, sources, 1, &before, &err), "%s", err.msg);
    EXPECT(file_remove_tree(lab_run_dir(&lab, run.id), &err));
    EXPECT(!lab_run_score(&lab, run.id, TIER_AUDIT, sources, 1, &after, &err));
    EXPECT_MSG(lab_run_restore(&lab, run.id, 1, (RunWatch){ 0 }, &err), "%s", err.msg);
    EXPECT_MSG(lab_run_score(&lab, run.id, TIER_AUDIT, sources, 1, &after, &err), "%s", err.msg);
    EXPECT(before.bpb == after.bpb);
    history_close(&h);

    EXPECT(file_remove_tree(lab_run_dir(&lab, run.id), &err));
    add_text(lab.dir, "another ocean");
    EXPECT(!lab_run_restore(&lab, run.id, 1, (RunWatch){ 0 }, &err));
    EXPECT_MSG(strstr(err.msg, "its text or the program has changed"), "%s", err.msg);
    lab_close(&lab);
}

TEST(what_an_interrupted_init_left_is_not_in_the_way)
{
    char dir[160], path[200];
    Lab lab;
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 34);
    snprintf(dir, sizeof(dir), "%s/half", test_folder());
    snprintf(path, sizeof(path), "%s/lathe.db", dir);
    EXPECT(file_make_dirs(dir, &err) && file_write_whole(path, STR(""), &err));
    EXPECT_MSG(lab_init(dir, &err), "%s", err.msg);
    EXPECT_MSG(lab_open(&lab, dir, LEDGER_READ, &arena, &err), "%s", err.msg);
    lab_close(&lab);
    EXPECT(!lab_init(dir, &err));
    EXPECT_MSG(err.code == ERR_CONFIG && strstr(err.msg, "is a lab already"), "%s", err.msg);
}

/* An older program knew fewer knobs, so its canonical text is shorter and has another hash. */
TEST(a_recipe_of_an_older_program_keeps_the_name_that_its_runs_have)
{
    Lab lab;
    Recipe today, read;
    Buf text = { 0 };
    char name[65];
    const char *from;
    const char *dir = make_lab("older");
    EXPECT_MSG(lab_open(&lab, dir, LEDGER_WRITE, &arena, &err), "%s", err.msg);
    recipe_default(&today, &arena);
    recipe_seal(&today);
    recipe_text(&today, false, &text);
    char *line = strstr(text.at, "\nqk_norm"), *rest = strchr(line + 1, '\n');
    memmove(line, rest, strlen(rest) + 1);
    text.len = (ptrdiff_t)strlen(text.at);
    sha256_hex(text.at, text.len, name);
    EXPECT(strcmp(name, today.sha256) != 0);
    EXPECT(ledger_append(lab.ledger, "recipe", name,
                         json_pack("{s:s, s:s}", "sha256", name, "text", text.at), &err));
    EXPECT_MSG(lab_recipe(&lab, name, &read, &err) && strcmp(read.sha256, name) == 0, "%s",
               err.msg);
    EXPECT(file_make_dirs(lab_path(&lab, "recipes"), &err) &&
           file_write_whole(lab_path(&lab, "recipes/champion.toml"), buf_view(&text), &err));
    EXPECT_MSG(lab_champion(&lab, &read, &from, &err) && strcmp(read.sha256, name) == 0, "%s",
               err.msg);
    buf_str(&text, STR("# a person was here\n"));
    EXPECT(file_write_whole(lab_path(&lab, "recipes/champion.toml"), buf_view(&text), &err));
    EXPECT(lab_champion(&lab, &read, &from, &err) && strcmp(read.sha256, today.sha256) == 0);
    buf_free(&text);
    lab_close(&lab);
}
