/* The family: a run becomes a generation once, children name it, costs add up, and nobody is judged
 * on text that a parent may have read. */
#include "lab/generation.h"

#include "tests/small_lab.h"

static bool train(Lab *lab, const char *const *more, RunResult *out)
{
    Recipe r;
    recipe_default(&r, &arena);
    for (int i = 0; i < (int)COUNT(small_knobs); i++)
        EXPECT_MSG(recipe_override(&r, small_knobs[i], "test", &err), "%s", err.msg);
    for (; more && *more; more++)
        EXPECT_MSG(recipe_override(&r, *more, "test", &err), "%s", err.msg);
    RunJob job = { .recipe = &r, .seed = 1, .purpose = "train", .threads = 1 };
    return lab_run(lab, &job, out, &err);
}

static int count_reads(Lab *lab)
{
    json_t *rows = NULL;
    EXPECT_MSG(ledger_query(lab->ledger, "SELECT tier FROM judge_reads", 100, &rows, &err), "%s",
               err.msg);
    int n = (int)json_array_size(rows);
    json_decref(rows);
    return n;
}

static const char *named(const char *weights)
{
    return arena_printf(&arena, "parent.weights=%s", weights);
}

TEST(a_run_becomes_a_generation_once_and_its_children_add_up)
{
    Lab lab;
    RunResult r1, r2;
    Generation g1, again, g2, *all;
    int n;
    EXPECT_MSG(lab_open(&lab, make_lab("family"), LEDGER_WRITE, &arena, &err), "%s", err.msg);
    EXPECT_MSG(train(&lab, NULL, &r1), "%s", err.msg);
    EXPECT_MSG(generation_new(&lab, r1.id, (RunWatch){ 0 }, &g1, &err), "%s", err.msg);
    EXPECT(strcmp(g1.id, "g1") == 0 && strcmp(g1.weights, r1.weights_sha256) == 0);
    EXPECT(g1.bpb[TIER_SEARCH] == r1.bpb && g1.bpb[TIER_AUDIT] > 0 && g1.bpb[TIER_LOCKED] > 0);
    EXPECT(count_reads(&lab) == 2);
    EXPECT(generation_new(&lab, r1.id, (RunWatch){ 0 }, &again, &err));
    EXPECT(strcmp(again.id, "g1") == 0 && count_reads(&lab) == 2);

    const char *child[] = { named(g1.weights), "parent.start=grow", "model.depth=2",
                            "parent.teach=0.5", NULL };
    EXPECT_MSG(train(&lab, child, &r2), "%s", err.msg);
    EXPECT_MSG(generation_new(&lab, r2.id, (RunWatch){ 0 }, &g2, &err), "%s", err.msg);
    EXPECT(strcmp(g2.parent, "g1") == 0 && strstr(g2.took, "begins as it, is taught (0.5"));
    EXPECT(g2.flops_with_parents == (double)(g1.flops + g2.flops) && g2.params > g1.params);
    EXPECT(generation_all(&lab, &all, &n, &err) && n == 2 && strcmp(all[1].id, "g2") == 0);
    lab_close(&lab);
}

TEST(what_cannot_be_a_generation_says_why)
{
    Lab lab;
    Generation g;
    EXPECT_MSG(lab_open(&lab, make_lab("none"), LEDGER_WRITE, &arena, &err), "%s", err.msg);
    EXPECT(!generation_new(&lab, NULL, (RunWatch){ 0 }, &g, &err) &&
           strstr(err.msg, "no champion"));
    EXPECT(!generation_new(&lab, "r9", (RunWatch){ 0 }, &g, &err) && strstr(err.msg, "r9"));
    EXPECT(!generation_find(&lab, "g3", &g, &err) && strstr(err.msg, "no generation g3"));
    lab_close(&lab);
}

/* A data set that was brought in by hand: neither it nor the parent's text was searched for the
 * other. */
TEST(a_child_is_not_judged_on_text_that_its_parent_was_never_kept_clean_of)
{
    Lab lab;
    RunResult r1, r2;
    Generation g1;
    Buf text = { 0 };
    const char *dir = make_lab("clean"), *other = arena_printf(&arena, "%s/other", test_folder());
    const char *path = arena_printf(&arena, "%s/foreign.txt", test_folder()), *paths[] = { path };
    EXPECT_MSG(lab_init(other, &err), "%s", err.msg);
    for (int i = 0; i < 4000; i++)
        buf_printf(&text, "Number %d is followed by %d.%s", i, i + 1, i % 9 ? " " : "\n\n");
    EXPECT_MSG(file_write_whole(path, buf_view(&text), &err), "%s", err.msg);
    buf_free(&text);
    CorpusAdd add = { .lab = other, .name = "foreign", .paths = paths, .n_paths = 1 };
    json_t *manifest = NULL;
    EXPECT_MSG(corpus_add(&add, &manifest, &err), "%s", err.msg);
    json_decref(manifest);
    EXPECT(system(arena_printf(
               &arena, "cp -r %s/data/foreign %s/data/ && cp -r %s/judge/foreign* %s/judge/", other,
               dir, other, dir)) == 0);

    EXPECT_MSG(lab_open(&lab, dir, LEDGER_WRITE, &arena, &err), "%s", err.msg);
    const char *parent[] = { "data.sources=text", NULL };
    EXPECT_MSG(train(&lab, parent, &r1), "%s", err.msg);
    EXPECT_MSG(generation_new(&lab, r1.id, (RunWatch){ 0 }, &g1, &err), "%s", err.msg);
    const char *alone[] = { "data.sources=foreign", NULL };
    EXPECT_MSG(train(&lab, alone, &r2), "%s", err.msg);
    const char *child[] = { named(g1.weights), "parent.teach=0.5", "data.sources=foreign", NULL };
    EXPECT(!train(&lab, child, &r2));
    EXPECT_MSG(strstr(err.msg, "parent g1") && strstr(err.msg, "text"), "%s", err.msg);
    lab_close(&lab);
}
