/* test_lab_story.c - numbers that somebody wrote, held against a ledger of a few rows; and what
 * became of what people said. */
#include "lab/story.h"

#include "lab/people.h"
#include "tests/test.h"

static Arena arena;
static Err err;
static Lab lab;

static void put(const char *kind, const char *id, json_t *body)
{
    EXPECT_MSG(body && ledger_append(lab.ledger, kind, id, body, &err), "%s: %s", kind, err.msg);
}

static void open_lab(const char *name)
{
    char *dir;
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 32);
    dir = arena_printf(&arena, "%s/%s", test_folder(), name);
    err = (Err){ 0 };
    EXPECT_MSG(lab_init(dir, &err) && lab_open(&lab, dir, LEDGER_WRITE, &arena, &err), "%s",
               err.msg);
}

static void put_experiment(const char *id, double effect, int runs, const char *idea)
{
    put("proposal", id,
        json_pack("{s:s, s:s, s:s, s:s, s:f, s:f, s:s?, s:[{s:s, s:s}]}", "question", "q1",
                  "base_recipe", "R", "author", "builtin", "title", "t", "predicted", 0.0315,
                  "confidence", 0.25, "idea", idea, "edits", "knob", "optim.lr", "to", "0.004"));
    put("verdict", id,
        json_pack("{s:s, s:s, s:f, s:f, s:i, s:f}", "question", "q1", "decision", "keep", "effect",
                  effect, "P", 0.953, "runs", runs, "seconds", 754.0));
}

static void make_ledger(void)
{
    open_lab("story");
    put("question", "q1", json_pack("{s:s}", "id", "q1"));
    put("session", "s1",
        json_pack("{s:s, s:s, s:{s:f}}", "id", "s1", "question", "q1", "planned", "run_tokens",
                  12345.0));
    put_experiment("e1", -0.0213, 7, NULL);
    put_experiment("e2", 0.0071, 9, NULL);
    put("claim", "c1",
        json_pack("{s:s, s:s, s:f}", "experiment", "e2", "question", "q1", "effect", 0.0071));
    put("run", "r1",
        json_pack("{s:s, s:s, s:s}", "question", "q1", "purpose", "bank", "recipe", "R"));
    put("result", "r1", json_pack("{s:f}", "bpb", 2.0));
    put("proposal", "e3", json_pack("{s:s, s:f}", "question", "q0", "predicted", 0.777));
}

/* How many numbers of a text were struck out; -1 if it could not be said. */
static int struck(const char *text)
{
    StoryCheck check;
    Buf out = { 0 };
    bool ok = story_html(&lab, "q1", "s1", text, &out, &check, &err);
    int dels = 0;
    for (const char *c = out.at; ok && c && (c = strstr(c, "<del")); c++) dels++;
    EXPECT_MSG(ok && dels == check.struck, "%s: %s", text, ok ? out.at : err.msg);
    buf_free(&out);
    return ok ? check.struck : -1;
}

TEST(a_number_that_the_ledger_holds_stands_however_it_is_rounded)
{
    make_ledger();
    EXPECT(struck("e1 loses 0.0213 (0.021, 0.02), e1 gains -0.0213.") == 0);
    EXPECT(struck("It was real with 95.3 % (e1), or 95 %.") == 0);
    EXPECT(struck("e2 took 9 runs and 754 seconds, 13 minutes or 0.21 hours.") == 0);
    EXPECT(struck("A run reads 12,345 tokens, 12 k or 1.23e4.") == 0);
    EXPECT(struck("2 proposals were kept and 16 runs paid.") == 0);
    EXPECT(struck("The rate became 0.004 in e1.") == 0);
    EXPECT(struck("e1 loses 1.065 % of the champion's 2.0.") == 0);
}

TEST(a_number_that_the_ledger_does_not_hold_is_struck_out)
{
    EXPECT(struck("e1 loses 0.0214.") == 1);
    EXPECT(struck("e1 loses 0.05 and e2 gains 44 %.") == 2);
    EXPECT(struck("It was real with 96 %.") == 1);
    EXPECT(struck("9 runs, or 9 %.") == 1);                      /* a count is no share */
    EXPECT(struck("The question q0 had a gain of 0.777.") == 2); /* it is another one's */
}

TEST(a_sentence_that_cites_rows_may_use_their_numbers_only)
{
    EXPECT(struck("e1 moved it by 0.0071.") == 1);
    EXPECT(struck("It moved by 0.0071.") == 0);
    EXPECT(struck("c1 gains 0.0071 in 9 runs.") == 0); /* what its experiment holds */
    EXPECT(struck("c1 gains 0.0213.") == 1);
}

TEST(an_id_becomes_a_link_and_one_that_is_not_there_is_struck_out)
{
    StoryCheck check;
    Buf out = { 0 };
    EXPECT(story_html(&lab, "q1", "s1", "# Found\n- See e1 & e99.\n<script>", &out, &check, &err));
    EXPECT(strstr(out.at, "<a href=\"#e1\">e1</a>") && strstr(out.at, "e99</del>"));
    EXPECT(strstr(out.at, "&amp;") && !strstr(out.at, "<script>"));
    EXPECT(check.numbers == 2 && check.struck == 1);
    buf_free(&out);
}

TEST(digits_within_words_are_no_numbers)
{
    EXPECT(struck("GPT-2 in fp16, on 2026-11-20, with utf8 and x86, v1.5.") == 0);
}

/* ---- people ---- */

static const char *effect_of(const json_t *said, const char *text)
{
    json_t *w;
    size_t i;
    json_array_foreach(said, i, w)
    {
        if (strcmp(json_str(w, "text", ""), text) == 0) return json_str(w, "effect", "");
    }
    return "nobody said it";
}

TEST(what_people_said_has_its_effect_beside_it)
{
    lab_close(&lab);
    open_lab("people");
    json_t *said = NULL;
    put("session", "s1", json_pack("{s:s, s:s}", "id", "s1", "goal", "a smaller model"));
    put_experiment("e1", 0.01, 3, NULL);
    put("note", NULL, json_pack("{s:s, s:s}", "author", "ada", "text", "mind the warmup"));
    put("note", NULL, json_pack("{s:s, s:s}", "author", "mcp:agent", "text", "no person"));
    put("idea", "p1", json_pack("{s:s, s:s}", "author", "ada", "title", "try this"));
    put("idea", "p2", json_pack("{s:s, s:s}", "author", "ada", "title", "or that"));
    put("idea_refused", "p2", json_pack("{s:s, s:s}", "idea", "p2", "why", "no such knob"));
    put("control", NULL, json_pack("{s:s, s:s}", "author", "ada", "action", "pause"));
    put_experiment("e2", 0.02, 3, "p1");
    put("llm_request", "m1", json_pack("{s:s, s:i}", "session", "s1", "round", 1));
    put_experiment("e3", 0.02, 3, NULL);
    put("veto", "e3",
        json_pack("{s:s, s:s, s:s}", "target", "e3", "author", "ada", "reason", "no"));
    EXPECT_MSG(people_said(&lab, &said, &err), "%s", err.msg);
    EXPECT_MSG(json_array_size(said) == 6, "%d", (int)json_array_size(said));
    static const char *const is[][2] = {
        { "a smaller model", "told to the model in 1 conversation" },
        { "mind the warmup", "read by the model before e3 was proposed" },
        { "try this", "tried as e2: keep" },
        { "or that", "not tried: no such knob" },
        { "pause", "the work halted after e1 was proposed and before e2" },
        { "no", "e3 was taken out of the session" },
    };
    for (int i = 0; i < COUNT(is); i++)
        EXPECT_MSG(strcmp(effect_of(said, is[i][0]), is[i][1]) == 0, "%s: %s", is[i][0],
                   effect_of(said, is[i][0]));
    json_decref(said);
    lab_close(&lab);
}
