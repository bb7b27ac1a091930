/* test_lab_scale.c - sizes of a recipe: what grows, what stays, and that rungs are what was asked.
 * Nothing is trained here. */
#include "lab/scale.h"

#include "tests/test.h"

static Arena arena;

static void base_recipe(Recipe *r, const char *const *sets)
{
    Err err = { 0 };
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 30);
    recipe_default(r, &arena);
    EXPECT(recipe_override(r, "tokenizer.kind=bytes", "test", &err));
    for (; *sets; sets++) EXPECT_MSG(recipe_override(r, *sets, "test", &err), "%s", err.msg);
    recipe_seal(r);
}

static const char *const wide[] = { "model.width=128", "model.heads=8", "model.depth=4", NULL };

TEST(sizes_grow_in_width_and_depth_and_keep_heads_and_rates)
{
    Recipe base, r;
    Err err = { 0 };
    double own, N, before = 0;
    base_recipe(&base, wide);
    EXPECT(scale_size(&base, &own, &err));
    for (double factor = 0.1; factor < 20; factor *= 2.5) {
        EXPECT_MSG(scale_recipe(&base, factor * own, 12345, &r, &N, &arena, &err), "%s", err.msg);
        const KnobSet *k = &r.knobs;
        double width = (double)knobs_whole(k, "model.width");
        EXPECT_MSG(N > before && N / (factor * own) < 2 && N / (factor * own) > 0.5, "%g: %g",
                   factor, N / own);
        EXPECT(width / (double)knobs_whole(k, "model.heads") == 16);
        EXPECT(strcmp(knobs_choice(k, "model.scaling"), "mup") == 0);
        EXPECT(knobs_whole(k, "model.mup_base") == 128);
        EXPECT(knobs_number(k, "optim.lr") == knobs_number(&base.knobs, "optim.lr"));
        EXPECT(strcmp(recipe_budget(&r), "budget.tokens") == 0);
        EXPECT(knobs_number(k, "budget.tokens") == 12345);
        before = N;
    }
}

TEST(the_own_size_is_the_recipe_itself_but_for_the_name_of_the_rule)
{
    Recipe base, r;
    Err err = { 0 };
    double own = 0, N = -1;
    const char *names[8];
    base_recipe(&base, wide);
    EXPECT(scale_size(&base, &own, &err) && scale_recipe(&base, own, 1e6, &r, &N, &arena, &err));
    EXPECT(N == own);
    int n = recipe_diff(&base, &r, names, 8);
    for (int i = 0; i < n; i++)
        EXPECT_MSG(strncmp(names[i], "budget.", 7) == 0 ||
                       strncmp(names[i], "model.scaling", 13) == 0 ||
                       strncmp(names[i], "model.mup_base", 14) == 0,
                   "%s differs", names[i]);
}

TEST(a_recipe_that_follows_the_dial_is_turned_by_it)
{
    static const char *const dial[] = { "depth=4", NULL };
    Recipe base, r;
    Err err = { 0 };
    double own = 0, N = -1;
    base_recipe(&base, dial);
    EXPECT(scale_size(&base, &own, &err) &&
           scale_recipe(&base, 6 * own, 1e6, &r, &N, &arena, &err));
    EXPECT(knobs_whole(&r.knobs, "depth") > 4 && N > 3 * own && N < 12 * own);
    EXPECT(strcmp(knobs_choice(&r.knobs, "model.scaling"), "mup") != 0);
}

TEST(a_ladder_is_sizes_times_lengths_and_no_size_twice)
{
    static ScaleRung rung[SCALE_RUNS];
    ScaleGrid grid = {
        .size = { 0.25, 0.26, 1, 4 }, .length = { 5, 20 }, .sizes = 4, .lengths = 2
    };
    Recipe base;
    Err err = { 0 };
    int n;
    base_recipe(&base, wide);
    EXPECT_MSG(scale_plan(&base, &grid, rung, &n, &arena, &err), "%s", err.msg);
    EXPECT_MSG(n == 6, "%d rungs", n);
    for (int i = 0; i < n; i++) {
        EXPECT(fabs(rung[i].tokens / rung[i].N / grid.length[i % 2] - 1) < 1e-3);
        for (int k = 0; k < i; k++)
            EXPECT(strcmp(rung[i].recipe.sha256, rung[k].recipe.sha256) != 0);
    }
    grid.tokens = true;
    grid.length[1] = 3e5;
    EXPECT(scale_plan(&base, &grid, rung, &n, &arena, &err) && n == 6);
    for (int i = 1; i < n; i += 2) EXPECT(rung[i].tokens == 3e5);
}
