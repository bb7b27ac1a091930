/* Whole sessions, small: real text, real training, real verdicts, and kills in between. */
#include <signal.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/progress.h"
#include "base/rand.h"
#include "data/corpus.h"
#include "lab/research.h"
#include "lab/worker.h"
#include "tests/test.h"

static Arena arena;
static Err err;

/* Sentences from a small grammar: enough structure to learn, enough text for three tiers. */
static void write_text(const char *path)
{
    static const char *const who[] = { "the cat",     "a dog",  "one bird",
                                       "the old man", "a girl", "my friend" };
    static const char *const does[] = { "sees", "hears", "likes", "finds", "draws", "follows" };
    static const char *const end[] = { "at night", "in the rain", "near the river", "every day",
                                       "once" };
    Buf text = { 0 };
    Rand r = rand_stream(7, "test text");
    for (int i = 0; i < 9000; i++) {
        buf_printf(&text, "%s %s %s %s %d.", who[rand_below(&r, 6)], does[rand_below(&r, 6)],
                   who[rand_below(&r, 6)], end[rand_below(&r, 5)], (int)rand_below(&r, 1000));
        buf_str(&text, i % 8 == 7 ? STR("\n\n") : STR(" "));
    }
    EXPECT_MSG(file_write_whole(path, buf_view(&text), &err), "%s", err.msg);
    buf_free(&text);
}

static const char *make_lab(const char *name)
{
    static char dir[2][160];
    static int turn;
    char *at = dir[turn ^= 1], path[200];
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 34);
    progress_quiet(true);
    snprintf(at, sizeof(dir[0]), "%s/%s", test_folder(), name);
    snprintf(path, sizeof(path), "%s/text.txt", test_folder());
    write_text(path);
    EXPECT_MSG(lab_init(at, &err), "%s", err.msg);
    const char *paths[] = { path };
    CorpusAdd add = { .lab = at, .name = "text", .paths = paths, .n_paths = 1 };
    json_t *manifest = NULL;
    EXPECT_MSG(corpus_add(&add, &manifest, &err), "%s", err.msg);
    json_decref(manifest);
    return at;
}

static const char *const small[] = {
    "model.depth=1",       "model.width=16",       "model.heads=2",
    "model.context=32",    "tokenizer.kind=bytes", "train.batch=8",
    "budget.frame=tokens", "budget.tokens=20000",  "train.checkpoint_every=20",
};

static bool begin(Lab *lab, const char *dir, const char *researcher, int experiments,
                  SessionPlan *plan)
{
    SessionOpt opt = { .researcher = researcher,
                       .experiments = experiments,
                       .overrides = small,
                       .n_overrides = (int)COUNT(small),
                       .threads = 1 };
    if (!lab_open(lab, dir, LEDGER_WRITE, &arena, &err)) return false;
    return session_begin(lab, &opt, plan, &err);
}

/* The weights of the champion trained in full: what a night's work comes to. */
static void last_weights(Lab *lab, char out[65])
{
    json_t *rows = NULL;
    EXPECT_MSG(
        ledger_query(
            lab->ledger,
            "SELECT json_extract(x.body, '$.weights_sha256') AS w FROM entries x JOIN entries r "
            "ON r.kind = 'run' AND r.id = x.id AND json_extract(r.body, '$.purpose') = 'champion' "
            "WHERE x.kind = 'result'",
            10, &rows, &err),
        "%s", err.msg);
    snprintf(out, 65, "%s", json_str(json_array_get(rows, 0), "w", "none"));
    json_decref(rows);
}

TEST(a_session_decides_all_its_proposals_and_leaves_a_champion_and_a_report)
{
    const char *dir = make_lab("whole");
    Lab lab;
    SessionPlan plan;
    SessionWatch watch = { 0 };
    EXPECT_MSG(begin(&lab, dir, "builtin", 3, &plan), "%s", err.msg);
    EXPECT_MSG(session_work(&lab, &plan, &watch, &err), "%s", err.msg);
    History h;
    EXPECT(history_open(&h, &lab, &err));
    int tried = 0, exps = h.exps;
    for (int i = 0; i < h.exps; i++) {
        EXPECT(h.exp[i].decision != EXP_OPEN && h.exp[i].why[0]);
        tried += !h.exp[i].refused;
        if (h.exp[i].refused) EXPECT(h.exp[i].runs == 0);
        for (int k = 0; k < i; k++)
            EXPECT_MSG(!h.exp[i].refused || !h.exp[k].refused ||
                           !json_equal(h.exp[i].edits, h.exp[k].edits),
                       "%s was refused before", h.exp[i].title);
    }
    /* One asks for a vocabulary that the text does not support: it counts nowhere. */
    EXPECT_MSG(tried == 3 && h.decided == 3, "%d tried, %d decided", tried, h.decided);
    history_close(&h);
    EXPECT(file_exists(lab_path(&lab, "recipes/champion.toml")));
    EXPECT(file_exists(lab_path(&lab, "reports/%s.html", plan.id)));
    EXPECT_MSG(ledger_verify(lab.ledger, &err), "%s", err.msg);
    json_t *unseen = NULL, *result = NULL;
    EXPECT_MSG(ledger_query(lab.ledger,
                            "SELECT DISTINCT kind FROM entries WHERE NOT EXISTS (SELECT 1 FROM "
                            "sqlite_master WHERE type='view' AND instr(sql, quote(kind)))",
                            10, &unseen, &err),
               "%s", err.msg);
    EXPECT_MSG(json_array_size(unseen) == 0, "no view shows %s",
               json_str(json_array_get(unseen, 0), "kind", ""));
    json_decref(unseen);
    EXPECT(session_json(&lab, plan.id, &result, &err));
    EXPECT((int)json_array_size(json_object_get(result, "experiments")) == exps);
    json_decref(result);
    lab_close(&lab);
}

TEST(a_champion_is_trained_in_full_also_where_a_run_has_the_same_budget)
{
    const char *dir = make_lab("full");
    Lab lab;
    SessionPlan plan;
    SessionWatch watch = { 0 };
    char weights[65];
    EXPECT_MSG(begin(&lab, dir, "aa", 1, &plan), "%s", err.msg);
    plan.champion_flops = plan.run_flops;
    EXPECT_MSG(session_work(&lab, &plan, &watch, &err), "%s", err.msg);
    last_weights(&lab, weights);
    EXPECT_MSG(strlen(weights) == 64, "weights %s", weights);
    lab_close(&lab);
}

/* A child that works the session and dies of SIGKILL after a random while. */
static bool work_and_die(const char *dir, int milliseconds)
{
    pid_t child = fork();
    if (child == 0) {
        Lab lab;
        SessionPlan plan;
        bool found;
        SessionWatch watch = { 0 };
        arena = arena_reserve((ptrdiff_t)1 << 34);
        if (!lab_open(&lab, dir, LEDGER_WRITE, &arena, &err) ||
            !session_unfinished(&lab, &plan, &found, &err) ||
            (found && !session_work(&lab, &plan, &watch, &err))) { /* else killed behind its end */
            printf("# child: %s\n", err.msg);
            fflush(stdout);
            _exit(1);
        }
        _exit(0);
    }
    int status = 0;
    pid_t ended = 0;
    for (int waited = 0; waited < milliseconds && !ended; waited += 5) {
        usleep(5000);
        ended = waitpid(child, &status, WNOHANG);
    }
    if (!ended) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
    }
    EXPECT_MSG(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "the child failed");
    return WIFEXITED(status);
}

TEST(a_session_killed_ten_times_reaches_the_same_weights)
{
    char calm[65], killed[65];
    Lab lab;
    SessionPlan plan;
    SessionWatch watch = { 0 };
    const char *dir = make_lab("calm");
    EXPECT_MSG(begin(&lab, dir, "builtin", 2, &plan), "%s", err.msg);
    EXPECT_MSG(session_work(&lab, &plan, &watch, &err), "%s", err.msg);
    last_weights(&lab, calm);
    int64_t runs = ledger_count(lab.ledger, "run"), verdicts = ledger_count(lab.ledger, "verdict");
    lab_close(&lab);

    dir = make_lab("killed");
    EXPECT_MSG(begin(&lab, dir, "builtin", 2, &plan), "%s", err.msg);
    lab_close(&lab);
    Rand r = rand_stream(3, "moments");
    int kills = 0;
    while (kills < 10 && !work_and_die(dir, 20 + (int)rand_below(&r, 400))) kills++;
    while (!work_and_die(dir, 60000)) {
    }
    EXPECT_MSG(kills > 2, "only %d kills", kills);
    EXPECT(lab_open(&lab, dir, LEDGER_WRITE, &arena, &err));
    last_weights(&lab, killed);
    EXPECT_MSG(strcmp(calm, killed) == 0, "%s against %s", calm, killed);
    EXPECT_MSG(
        ledger_count(lab.ledger, "run") == runs && ledger_count(lab.ledger, "verdict") == verdicts,
        "%lld runs instead of %lld", (long long)ledger_count(lab.ledger, "run"), (long long)runs);
    EXPECT_MSG(ledger_verify(lab.ledger, &err), "%s", err.msg);
    lab_close(&lab);
}

TEST(words_of_any_length_and_alphabet_do_not_stop_a_worker)
{
    const char *dir = make_lab("words");
    Lab lab;
    SessionPlan plan;
    WorkerState state;
    bool found = false;
    Buf title = { 0 };
    buf_char(&title, 'a'); /* the cut of the worker's sentence falls within a character */
    for (int i = 0; i < 300; i++) buf_str(&title, STR("\xC3\xA4"));
    SessionOpt opt = { .researcher = "aa",
                       .goal = "no UTF-8: \xE4",
                       .experiments = 1,
                       .overrides = small,
                       .n_overrides = (int)COUNT(small),
                       .threads = 1 };
    EXPECT(lab_open(&lab, dir, LEDGER_WRITE, &arena, &err));
    EXPECT(ledger_append(lab.ledger, "idea", "p1",
                         json_pack("{s:s, s:s, s:s, s:[{s:s, s:s}]}", "id", "p1", "author", "ann",
                                   "title", title.at, "edits", "knob", "optim.beta1", "to", "0.87"),
                         &err));
    EXPECT_MSG(session_begin(&lab, &opt, &plan, &err), "%s", err.msg);
    EXPECT_MSG(worker_main(&lab, &err), "%s", err.msg);
    EXPECT_MSG(worker_state(dir, &state, &found, &err) && found && state.ended, "%s", err.msg);
    EXPECT(!state.error[0]);
    History h;
    EXPECT(history_open(&h, &lab, &err));
    EXPECT_MSG(h.exps == 1 && strcmp(h.exp[0].title, title.at) == 0, "the idea was not tried");
    history_close(&h);
    buf_free(&title);
    lab_close(&lab);
}

TEST(two_who_begin_at_once_work_on_one_session)
{
    const char *dir = make_lab("two");
    Lab lab;
    SessionPlan plan = { 0 };
    char session[2][24] = { "", "" };
    int ready[2];
    EXPECT(pipe(ready) == 0);
    pid_t child = fork();
    if (child == 0) {
        arena = arena_reserve((ptrdiff_t)1 << 34);
        bool ok = begin(&lab, dir, "aa", 1, &plan);
        if (ok) snprintf(session[0], sizeof(session[0]), "%s", plan.id);
        _exit(write(ready[1], session[0], sizeof(session[0])) > 0 && ok ? 0 : 1);
    }
    EXPECT_MSG(begin(&lab, dir, "aa", 1, &plan), "%s", err.msg);
    snprintf(session[1], sizeof(session[1]), "%s", plan.id);
    EXPECT(read(ready[0], session[0], sizeof(session[0])) > 0);
    waitpid(child, NULL, 0);
    EXPECT_MSG(session[0][0] && strcmp(session[0], session[1]) == 0, "%s and %s", session[0],
               session[1]);
    EXPECT(ledger_count(lab.ledger, "session") == 1);
    lab_close(&lab);
}

static bool stop_soon(void *self)
{
    int *polls = self;
    return --*polls < 0;
}

TEST(a_stopped_session_is_unfinished_and_goes_on)
{
    const char *dir = make_lab("stopped");
    Lab lab;
    SessionPlan plan, again;
    int polls = 30;
    bool found = false;
    SessionWatch watch = { .self = &polls, .stop = stop_soon };
    EXPECT_MSG(begin(&lab, dir, "random", 1, &plan), "%s", err.msg);
    EXPECT(!session_work(&lab, &plan, &watch, &err) && err.code == ERR_STOPPED);
    EXPECT(session_unfinished(&lab, &again, &found, &err) && found);
    lab_close(&lab);
    EXPECT_MSG(begin(&lab, dir, "builtin", 9, &again) && again.resumed &&
                   strcmp(again.id, plan.id) == 0,
               "a new session instead of %s", plan.id);
    lab_close(&lab);
}
