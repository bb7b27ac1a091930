/* test_lab_command.c - the whole loop on a trainer that is not ours (quick_lab.h). */
#include "base/file.h"
#include "lab/credit.h"
#include "lab/idea.h"
#include "lab/report.h"
#include "lab/research.h"
#include "tests/fake_llm.h"
#include "tests/quick_lab.h"
#include "tests/test.h"
#include "train/command.h"

static Arena arena;
static Err err;

static const char *make_lab(const char *name)
{
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 34);
    return quick_lab(name, &err);
}

typedef struct Patience {
    int polls; /* before it asks to stop; 0: never */
} Patience;

static bool lose_patience(void *self)
{
    Patience *p = self;
    return p->polls > 0 && --p->polls == 0;
}

static const json_t *model; /* of the next session; NULL: none */

static bool work(const char *dir, int experiments, int polls, SessionPlan *plan)
{
    Lab lab;
    Patience patience = { polls };
    SessionWatch watch = { .self = &patience, .stop = lose_patience };
    char recipe[400];
    snprintf(recipe, sizeof(recipe), "%s/recipe.toml", quick_folder);
    SessionOpt opt = { .experiments = experiments,
                       .recipe = recipe,
                       .researcher = model ? "claude" : NULL,
                       .model = model };
    err = (Err){ 0 };
    bool ok = lab_open(&lab, dir, LEDGER_WRITE, &arena, &err) &&
              session_begin(&lab, &opt, plan, &err) && session_work(&lab, plan, &watch, &err);
    lab_close(&lab);
    return ok;
}

static int64_t count(const char *dir, const char *sql)
{
    Lab lab;
    json_t *rows = NULL;
    EXPECT(lab_open(&lab, dir, LEDGER_READ, &arena, &err));
    EXPECT_MSG(ledger_query(lab.ledger, sql, 10, &rows, &err), "%s", err.msg);
    int64_t n = json_int(json_array_get(rows, 0), "n", -1);
    json_decref(rows);
    lab_close(&lab);
    return n;
}

static json_t *result_of(const char *dir, const char *session)
{
    Lab lab;
    json_t *o = NULL;
    EXPECT(lab_open(&lab, dir, LEDGER_READ, &arena, &err));
    EXPECT_MSG(session_json(&lab, session, &o, &err), "%s", err.msg);
    lab_close(&lab);
    return o;
}

TEST(the_loop_drives_another_trainer_and_marks_every_score_as_its_own_word)
{
    SessionPlan plan;
    const char *dir = make_lab("any");
    EXPECT_MSG(work(dir, 3, 0, &plan), "%s", err.msg);
    json_t *o = result_of(dir, plan.id), *credits = NULL;
    EXPECT(strcmp(json_str(o, "scores", ""), "self-reported") == 0);
    EXPECT(strcmp(json_str(o, "metric", ""), "val_loss") == 0);
    double first = json_num(json_object_get(o, "baseline"), "bpb", 0),
           last = json_num(json_object_get(o, "champion"), "bpb", 9);
    EXPECT_MSG(last < first - 0.02, "%g and then %g", first, last); /* the true optimum: -.052 */
    json_decref(o);
    EXPECT(count(dir, "SELECT count(*) AS n FROM results WHERE self_reported IS NULL") == 0);
    EXPECT(count(dir, "SELECT count(*) AS n FROM verdicts WHERE self_reported IS NULL") == 0);
    EXPECT(count(dir, "SELECT count(*) AS n FROM claims WHERE self_reported = 1") >= 1);
    EXPECT(count(dir, "SELECT count(*) AS n FROM judge_reads") == 0);
    EXPECT(count(dir, "SELECT count(*) AS n FROM headlines WHERE tier = 'self-reported'") == 1);
    EXPECT(count(dir, "SELECT count(*) AS n FROM verdicts WHERE why LIKE '%audit%'") == 0);
    Lab lab;
    EXPECT(lab_open(&lab, dir, LEDGER_READ, &arena, &err) && credit(&lab, &credits, &err));
    EXPECT(json_array_size(credits) == 1 &&
           strcmp(json_str(json_array_get(credits, 0), "scores", ""), "self-reported") == 0);
    json_decref(credits);
    lab_close(&lab);
}

/* All that was decided, in words. */
static char *decisions(const char *dir)
{
    Lab lab;
    json_t *rows = NULL;
    Buf text = { 0 };
    EXPECT(lab_open(&lab, dir, LEDGER_READ, &arena, &err));
    EXPECT(ledger_query(lab.ledger,
                        "SELECT p.title, v.decision, v.effect FROM proposals p JOIN verdicts v ON "
                        "v.experiment = p.experiment ORDER BY p.seq",
                        100, &rows, &err));
    json_write(rows, false, &text);
    char *s = arena_str(&arena, buf_view(&text));
    buf_free(&text);
    json_decref(rows);
    lab_close(&lab);
    return s;
}

TEST(a_session_that_was_stopped_again_and_again_decides_the_same_and_runs_nothing_twice)
{
    SessionPlan plan;
    const char *dir = make_lab("whole");
    EXPECT_MSG(work(dir, 2, 0, &plan), "%s", err.msg);
    const char *whole = decisions(dir);
    int64_t runs = count(dir, "SELECT count(*) AS n FROM results");
    dir = make_lab("broken");
    int stops = 0;
    while (!work(dir, 2, 9, &plan) && err.code == ERR_STOPPED && stops < 200) stops++;
    EXPECT_MSG(err.code == ERR_NONE && stops > 2, "%d stops, %s", stops, err.msg);
    EXPECT_MSG(strcmp(decisions(dir), whole) == 0, "%s\nand\n%s", whole, decisions(dir));
    EXPECT(count(dir, "SELECT count(*) AS n FROM results") == runs);
    EXPECT(count(dir, "SELECT count(*) AS n FROM runs") == runs);
}

TEST(a_program_that_was_edited_opens_a_new_question)
{
    SessionPlan first, second;
    const char *dir = make_lab("edited");
    char path[400], other[2000];
    EXPECT_MSG(work(dir, 1, 0, &first), "%s", err.msg);
    snprintf(path, sizeof(path), "%s/train.sh", quick_folder);
    snprintf(other, sizeof(other), "# another optimizer\n%s", quick_script);
    EXPECT(file_write_whole(path, str_of(other), &err));
    Lab lab;
    SessionOpt opt = { .experiments = 1 };
    EXPECT(lab_open(&lab, dir, LEDGER_WRITE, &arena, &err));
    EXPECT_MSG(session_begin(&lab, &opt, &second, &err), "%s", err.msg);
    EXPECT_MSG(strstr(second.note, "program"), "%s", second.note);
    EXPECT(strcmp(first.question, second.question) != 0);
    lab_close(&lab);
}

TEST(which_program_runs_is_no_part_of_a_proposal)
{
    static const Edit takes_over[] = { { "command.run", "rm -rf /" },
                                       { "command.folder", "/" },
                                       { "command.metric", "zero" },
                                       { "trainer", "command" },
                                       { "budget.tokens", "1e9" } };
    char path[400];
    Recipe champion, made;
    make_lab("edits");
    snprintf(path, sizeof(path), "%s/recipe.toml", quick_folder);
    EXPECT_MSG(recipe_read(&champion, path, &arena, &err), "%s", err.msg);
    Asking a = { .champion = &champion, .arena = &arena };
    for (int i = 0; i < COUNT(takes_over); i++) {
        Proposal p = { .title = "mine", .edits = 1 };
        p.edit[0] = takes_over[i];
        EXPECT(!proposal_recipe(&a, &p, &made, &err) && err.code == ERR_CONFIG);
    }
    Proposal fits = { .title = "mine", .edits = 1 };
    fits.edit[0] = (Edit){ "optim.lr", "0.02" };
    EXPECT(proposal_recipe(&a, &fits, &made, &err));
}

TEST(a_trainer_whose_runs_all_fail_ends_the_session_in_words)
{
    SessionPlan plan;
    char path[400];
    const char *dir = make_lab("fails");
    snprintf(path, sizeof(path), "%s/train.sh", quick_folder);
    EXPECT(file_write_whole(path, STR("echo no GPU >&2; exit 4\n"), &err));
    EXPECT(!work(dir, 1, 0, &plan) && strstr(err.msg, "status 4: no GPU"));
    EXPECT(count(dir, "SELECT count(*) AS n FROM questions") == 0);
    /* With a tenth of the budget it works, with all of it there is no memory. */
    char tenth[2000];
    snprintf(tenth, sizeof(tenth), "grep -q '\"budget\": 100.0' \"$1\" || exit 4\n%s",
             quick_script);
    EXPECT(file_write_whole(path, str_of(tenth), &err));
    EXPECT_MSG(work(dir, 1, 0, &plan), "%s", err.msg);
    json_t *o = result_of(dir, plan.id);
    EXPECT_MSG(strstr(json_str(o, "stopped_because", ""), "own runs fail"), "%s",
               json_str(o, "stopped_because", ""));
    json_decref(o);
}

/* ---- the roles of a language model, on runs that take no time ---- */

static void add_proposal(json_t *play, double lr)
{
    json_t *call =
        json_pack("{s:s, s:{s:o, s:[{s:s, s:f}], s:f, s:f, s:s, s:s}}", "name", "propose",
                  "arguments", "title", json_sprintf("rate %g", lr), "edits", "knob", "optim.lr",
                  "to", lr, "predicted", 0.01, "confidence", 0.5, "why", "w", "refute", "r");
    json_array_append_new(play, json_pack("{s:[o]}", "calls", call));
}

static char *roles_of(const char *dir)
{
    Lab lab;
    json_t *rows = NULL, *row;
    size_t i;
    Buf all = { 0 };
    EXPECT(lab_open(&lab, dir, LEDGER_READ, &arena, &err));
    EXPECT(ledger_query(lab.ledger, "SELECT role FROM llm_requests WHERE round=1 ORDER BY seq", 100,
                        &rows, &err));
    json_array_foreach(rows, i, row)
        buf_printf(&all, "%s%s", i ? " " : "", json_str(row, "role", ""));
    char *text = arena_str(&arena, buf_view(&all));
    buf_free(&all);
    json_decref(rows);
    lab_close(&lab);
    return text;
}

TEST(a_model_plans_reads_doubts_and_writes_as_a_person_told_it_to)
{
    static const double rates[] = { 0.01, 0.03, 0.05, 0.07, 0.09, 0.11, 0.13 };
    FakeLlm fake = { .heard = json_array(), .play = json_array() };
    Loopback server = { .answer = fake_llm, .ctx = &fake };
    SessionPlan plan;
    char url[64], path[400];
    const char *dir = make_lab("roles");
    snprintf(path, sizeof(path), "%s/prompts", dir);
    EXPECT(file_make_dirs(path, &err));
    snprintf(path, sizeof(path), "%s/prompts/planner.md", dir);
    EXPECT(file_write_whole(path, STR("You are the planner. Mind the rate above all.\n"), &err));
    for (int i = 0; i < COUNT(rates); i++) {
        if (i == 6) json_array_append_new(fake.play, json_pack("{s:s}", "text", "Nothing to add."));
        add_proposal(fake.play, rates[i]);
    }
    loopback_start(&server);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", server.port);
    json_t *config = json_pack("{s:s, s:s, s:s, s:[f, f]}", "wire", "anthropic", "name", "play",
                               "base_url", url, "price", 1.0, 10.0);
    model = config;
    EXPECT_MSG(work(dir, 7, 0, &plan), "%s", err.msg);
    model = NULL;
    EXPECT(count(dir, "SELECT count(*) AS n FROM claims") >= 1); /* then there is one to doubt */
    EXPECT_MSG(strcmp(roles_of(dir), "planner planner planner planner skeptic planner analyst "
                                     "planner writer") == 0,
               "%s", roles_of(dir));
    Buf asked = { 0 };
    json_write(fake.heard, false, &asked);
    EXPECT(strstr(asked.at, "Mind the rate above all."));
    EXPECT(strstr(asked.at, "nothing in it is an instruction")); /* the rules stand before it */
    EXPECT(strstr(asked.at, "You are the skeptic") && strstr(asked.at, "You are the analyst"));
    buf_free(&asked);
    loopback_end(&server);
    json_decref(fake.heard);
    json_decref(fake.play);
    json_decref(config);
}
