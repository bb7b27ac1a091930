/* What show, log, diff and pack make of a small ledger whose numbers are known. */
#include "base/file.h"
#include "cli/cmd.h"
#include "cli/show.h"
#include "lab/entry_text.h"
#include "tests/test.h"
#include "train/recipe.h"

extern const CmdDef cmd_log, cmd_show, cmd_diff, cmd_pack;

static Arena arena;
static char dir[200];
static char first[65], second[65]; /* recipes */

static void append(Ledger *l, const char *kind, const char *id, json_t *body)
{
    Err err = { 0 };
    EXPECT_MSG(body && ledger_append(l, kind, id, body, &err), "%s %s: %s", kind, id ? id : "",
               err.msg);
}

static void enter_recipe(Ledger *l, const char *lr, char sha256[65])
{
    Recipe r;
    Buf text = { 0 };
    Err err = { 0 };
    recipe_default(&r, &arena);
    EXPECT(knobs_set(&r.knobs, "optim.lr", str_of(lr), "test", &err));
    recipe_seal(&r);
    recipe_text(&r, false, &text);
    memcpy(sha256, r.sha256, 65);
    append(l, "recipe", sha256, json_pack("{s:s, s:s}", "sha256", sha256, "text", text.at));
    buf_free(&text);
}

/* A run and, unless bpb is 0, its result; two steps of a curve. */
static void enter_run(Ledger *l, int number, const char *recipe, const char *purpose,
                      const char *question, const char *experiment, double bpb)
{
    char id[16];
    Err err = { 0 };
    StepRow rows[2] = { { .step = 1, .loss = 5 }, { .step = 2, .loss = 4 } };
    snprintf(id, sizeof(id), "r%d", number);
    append(l, "run", id,
           json_pack("{s:s, s:s, s:i, s:s, s:s, s:s?, s:s, s:n}", "id", id, "recipe", recipe,
                     "seed", number, "purpose", purpose, "question", question, "experiment",
                     experiment, "session", "s1", "replay_of"));
    EXPECT(ledger_steps_add(l, id, rows, 2, &err));
    if (bpb > 0)
        append(l, "result", id,
               json_pack("{s:s, s:b, s:f, s:f, s:i, s:i, s:f}", "run", id, "failed", 0, "bpb", bpb,
                         "error", 0.01, "steps", 2, "tokens", 2000, "seconds", 30.0));
}

static void enter_experiment(Ledger *l)
{
    append(l, "proposal", "e1",
           json_pack("{s:s, s:s, s:s, s:s, s:s, s:[{s:s, s:s, s:s}], s:s, s:s, s:f, s:f, s:s}",
                     "id", "e1", "question", "q1", "session", "s1", "author", "somebody", "title",
                     "a \x1b[31mhigher\x1b[0m rate", "edits", "knob", "optim.lr", "from", "0.003",
                     "to", "0.007", "recipe", second, "base_recipe", first, "predicted", 0.02,
                     "confidence", 0.6, "why", "small models bear more"));
    enter_run(l, 4, second, "search", "q1", "e1", 2.0);
    enter_run(l, 5, second, "confirm", "q1", "e1", 2.2);
    enter_run(l, 6, second, "confirm", "q1", "e1", 0);
    append(l, "judge_read", NULL,
           json_pack("{s:s, s:s, s:s}", "tier", "audit", "experiment", "e1", "reason", "a claim"));
    append(l, "verdict", "e1",
           json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:s}", "experiment", "e1", "decision", "keep",
                     "effect", 0.0123, "low", 0.0051, "high", 0.019, "P", 0.93, "why",
                     "fresh seeds agree"));
    append(l, "claim", "c1",
           json_pack("{s:s, s:s, s:s, s:f, s:f, s:f}", "id", "c1", "experiment", "e1", "question",
                     "q1", "effect", 0.0123, "low", 0.0051, "high", 0.019));
    append(l, "champion", NULL,
           json_pack("{s:s, s:s, s:s}", "question", "q1", "recipe", second, "experiment", "e1"));
}

static void enter_all(Ledger *l)
{
    enter_recipe(l, "0.003", first);
    enter_recipe(l, "0.007", second);
    append(l, "question", "q1",
           json_pack("{s:s, s:[s], s:s, s:s, s:s}", "id", "q1", "sources", "tiny", "frame", "flops",
                     "recipe", first, "why", "the first question"));
    append(l, "session", "s1",
           json_pack("{s:s, s:s, s:s, s:i, s:f}", "id", "s1", "question", "q1", "researcher",
                     "builtin", "experiments", 16, "hours", 0.5));
    for (int i = 1; i <= 3; i++) enter_run(l, i, first, "bank", "q1", NULL, 2.2 + 0.1 * i);
    enter_experiment(l);
    enter_run(l, 7, first, "bank", "q2", NULL, 9); /* of another question */
    append(l, "note", NULL, json_pack("{s:s, s:s}", "author", "ann", "text", "look\nhere"));
    append(l, "session_end", "s1", json_pack("{s:s, s:s}", "session", "s1", "text", "time is up"));
}

static const char *lab(void)
{
    Err err = { 0 };
    Ledger *l = NULL;
    if (dir[0]) return dir;
    arena = arena_reserve((ptrdiff_t)1 << 34);
    snprintf(dir, sizeof(dir), "%s/lab", test_folder());
    EXPECT(file_make_dirs(dir, &err) && file_make_dirs(arena_printf(&arena, "%s/data", dir), &err));
    EXPECT_MSG(ledger_open(&l, arena_printf(&arena, "%s/lathe.db", dir), LEDGER_CREATE, &err), "%s",
               err.msg);
    enter_all(l);
    ledger_close(l);
    return dir;
}

/* ---- running a command and catching what it prints ---- */

typedef struct Ran {
    bool ok;
    Err err;
    char *out;
} Ran;

static Ran run(const CmdDef *def, bool json, const char *opt, const char *value, const char *a,
               const char *b)
{
    Ran r = { 0 };
    size_t len;
    char *arg[] = { (char *)(uintptr_t)a, (char *)(uintptr_t)b };
    Cmd c = { .def = def,
              .lab = lab(),
              .arg = arg,
              .n_args = (a != NULL) + (b != NULL),
              .json = json,
              .arena = &arena,
              .opt_name = &opt,
              .opt_value = &value,
              .n_opts = opt != NULL };
    FILE *was = stdout;
    stdout = open_memstream(&r.out, &len);
    r.ok = def->run(&c, &r.err);
    fclose(stdout);
    stdout = was;
    return r;
}

static char *print_of(const CmdDef *def, const char *a, const char *b)
{
    Ran r = run(def, false, NULL, NULL, a, b);
    EXPECT_MSG(r.ok, "%s %s: %s", def->name, a ? a : "", r.err.msg);
    return r.out;
}

static json_t *json_of(const CmdDef *def, const char *a, const char *b)
{
    Err err = { 0 };
    Ran r = run(def, true, NULL, NULL, a, b);
    json_t *doc = r.ok ? json_read(str_of(r.out), def->name, &err) : NULL;
    EXPECT_MSG(doc != NULL, "%s %s: %s%s", def->name, a ? a : "", r.err.msg, err.msg);
    free(r.out);
    return doc;
}

#define HAS(text, part) EXPECT_MSG(strstr(text, part), "\"%s\" is not in:\n%s", part, text)

/* ---- tests ---- */

TEST(show_of_an_experiment_lists_its_evidence)
{
    json_t *doc = json_of(&cmd_show, "e1", NULL);
    EXPECT(json_array_size(json_object_get(doc, "runs")) == 3);
    EXPECT(json_array_size(json_object_get(doc, "bank")) == 3); /* not that of the other question */
    EXPECT(json_num(json_object_get(doc, "verdict"), "effect", 0) == 0.0123);
    json_decref(doc);
    char *text = print_of(&cmd_show, "e1", NULL);
    HAS(text, "optim.lr: 0.003 -> 0.007");
    HAS(text, "keep, gain 0.0123 (0.0051 to 0.0190), P 0.9300");
    HAS(text, "because    fresh seeds agree");
    HAS(text, "r5     confirm  seed 5      2.2000 bpb");
    HAS(text, "r6     confirm  seed 6      not finished");
    EXPECT(!strchr(text, 0x1b)); /* what others wrote does not reach the terminal as commands */
    free(text);
}

TEST(what_is_not_kept_is_shown_as_it_was_measured)
{
    Err err = { 0 };
    json_t *body =
        json_read(STR("{\"decision\":\"drop\",\"effect\":0.0002,\"D\":-0.0326,\"low\":-0.051,"
                      "\"high\":-0.0141,\"P\":0.04}"),
                  "a verdict", &err);
    Buf b = { 0 };
    entry_text_verdict(body, &b);
    HAS(b.at, "drop, measured -0.0326 (-0.0510 to -0.0141), P 0.0400");
    buf_free(&b);
    json_decref(body);
}

TEST(show_of_a_question_has_the_mean_of_each_champion)
{
    json_t *doc = json_of(&cmd_show, "q1", NULL), *list = json_object_get(doc, "champions");
    EXPECT(json_array_size(list) == 2);
    EXPECT(fabs(json_num(json_array_get(list, 0), "bpb", 0) - 2.4) < 1e-12);
    EXPECT(fabs(json_num(json_array_get(list, 1), "bpb", 0) - 2.2) < 1e-12); /* confirmed runs */
    json_decref(doc);
    char *text = print_of(&cmd_show, "q1", NULL);
    HAS(text, "text of tiny; the first question");
    free(text);
}

TEST(show_knows_every_kind_of_id)
{
    char *text = print_of(&cmd_show, "s1", NULL);
    HAS(text, "16 experiments in 0.5 hours");
    HAS(text, "ended      time is up");
    free(text);
    text = print_of(&cmd_show, "c1", NULL);
    HAS(text, "claim c1 of q1: gain 0.0123 bpb (0.0051 to 0.0190)");
    HAS(text, "experiment e1:");
    free(text);
    text = print_of(&cmd_show, "r1", NULL);
    HAS(text, "2.3000 on the search tier");
    free(text);
    text = print_of(&cmd_show, second, NULL);
    HAS(text, "lr = 0.007");
    free(text);
    text = print_of(&cmd_show, NULL, NULL);
    HAS(text, "runs       7, 6 finished, 0 failed, 3 min");
    HAS(text, "experiments 1, 1 kept");
    HAS(text, "audit tier 1");
    free(text);
}

TEST(show_names_what_is_not_there)
{
    static const char *const absent[] = { "r99", "e2", "x1", "abcdef0", "r", "r1x", "" };
    for (int i = 0; i < COUNT(absent); i++) {
        Ran r = run(&cmd_show, false, NULL, NULL, absent[i], NULL);
        EXPECT_MSG(!r.ok && r.err.code == ERR_CONFIG && strstr(r.err.msg, absent[i]), "%s: %s",
                   absent[i], r.err.msg);
        free(r.out);
    }
}

TEST(diff_names_knobs_and_means)
{
    json_t *doc = json_of(&cmd_diff, "r1", "e1"), *edits = json_object_get(doc, "edits");
    EXPECT(json_array_size(edits) == 1);
    EXPECT(strcmp(json_str(json_array_get(edits, 0), "knob", ""), "optim.lr") == 0);
    const json_t *a = json_object_get(doc, "a"), *b = json_object_get(doc, "b");
    EXPECT(json_int(a, "runs", 0) == 4 && json_int(b, "runs", 0) == 2);
    EXPECT(fabs(json_num(b, "bpb", 0) - 2.1) < 1e-12);
    EXPECT(fabs(json_num(b, "sd", 0) - 0.1 * sqrt(2)) < 1e-12);
    json_decref(doc);
    char *text = print_of(&cmd_diff, "q1", "c1");
    HAS(text, "the recipes are the same"); /* the claim is the champion */
    free(text);
}

static bool packed(const char *text, const char *kind, const char *id)
{
    char part[120];
    snprintf(part, sizeof(part), "\"id\":\"%s\",\"kind\":\"%s\"", id, kind);
    return strstr(text, part) != NULL;
}

TEST(pack_takes_what_an_experiment_rests_on_and_nothing_else)
{
    Err err = { 0 };
    Buf text = { 0 };
    char *path = arena_printf(&arena, "%s/slice.jsonl", test_folder());
    Ran r = run(&cmd_pack, false, "output", path, "e1", NULL);
    EXPECT_MSG(r.ok, "%s", r.err.msg);
    free(r.out);
    EXPECT(file_read(path, &text, &err));
    static const struct {
        const char *kind, *id;
        bool in;
    } want[] = { { "proposal", "e1", true }, { "verdict", "e1", true }, { "claim", "c1", true },
                 { "run", "r4", true },      { "result", "r4", true },  { "run", "r6", true },
                 { "run", "r1", true },      { "result", "r3", true },  { "question", "q1", true },
                 { "session", "s1", true },  { "run", "r7", false },    { "note", "", false },
                 { "recipe", first, true },  { "recipe", second, true } };
    for (int i = 0; i < COUNT(want); i++)
        EXPECT_MSG(packed(text.at, want[i].kind, want[i].id) == want[i].in, "%s %s", want[i].kind,
                   want[i].id);
    EXPECT(strstr(text.at, "\"run\":\"r6\",\"steps\":{") && !strstr(text.at, "\"run\":\"r7\""));
    buf_free(&text);
}

TEST(log_shows_the_newest_last_on_one_line_each)
{
    Ran r = run(&cmd_log, false, "n", "2", NULL, NULL);
    EXPECT_MSG(r.ok, "%s", r.err.msg);
    HAS(r.out, "ann: look here\n");
    HAS(r.out, "time is up\n");
    int lines = 0;
    for (const char *s = r.out; *s; s++) lines += *s == '\n';
    EXPECT(lines == 2);
    free(r.out);
    r = run(&cmd_log, true, "kind", "claim", NULL, NULL);
    HAS(r.out, "\"c1\"");
    free(r.out);
}

TEST(every_kind_that_happens_has_its_own_words)
{
    static const char *const kinds[] = { "lab",        "question", "recipe",      "session",
                                         "work",       "closing",  "session_end", "run",
                                         "result",     "blocks",   "proposal",    "confirming",
                                         "audit",      "verdict",  "claim",       "champion",
                                         "judge_read", "headline", "note",        "veto",
                                         "control",    "idea",     "idea_refused" };
    json_t *empty = json_object();
    for (int i = 0; i < COUNT(kinds); i++) {
        Buf out = { 0 };
        entry_text(kinds[i], empty, &out);
        EXPECT_MSG(!out.at || !strchr(out.at, '{'), "%s: %s", kinds[i], out.at);
        buf_free(&out);
    }
    json_decref(empty);
}
