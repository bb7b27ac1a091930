/* Recipes: text there and back, and one clear sentence for each thing that is wrong. */
#include "base/str.h"
#include "tests/test.h"
#include "train/recipe.h"

static Arena arena;

static bool parse(const char *text, Recipe *r, Err *err)
{
    if (!arena.base) arena = arena_reserve(1 << 28);
    return recipe_parse(r, str_of(text), "my.toml", &arena, err);
}

TEST(the_canonical_text_reads_back_as_the_same_recipe)
{
    Recipe a, b;
    Err err = { 0 };
    Buf text = { 0 };
    EXPECT(parse("[model]\nmlp = \"relu2\"\ndepth = 3\n[optim]\nlr = 0.00123\nname = \"muon\"\n"
                 "[optim.muon]\nnesterov = false\n[data]\nsources = \"a b\\\"c\"\n",
                 &a, &err));
    recipe_text(&a, false, &text);
    EXPECT_MSG(parse(text.at, &b, &err), "%s\n%s", err.msg, text.at);
    EXPECT(strcmp(a.sha256, b.sha256) == 0);
    const char *names[4];
    EXPECT(recipe_diff(&a, &b, names, 4) == 0);
    buf_clear(&text);
    recipe_text(&a, true, &text);
    EXPECT_MSG(strstr(text.at, "depth = 3") && !strstr(text.at, "width"), "%s", text.at);
    EXPECT_MSG(parse(text.at, &b, &err), "%s", err.msg);
    EXPECT(strcmp(a.sha256, b.sha256) == 0);
    buf_free(&text);
}

TEST(every_table_is_opened_once)
{
    Recipe a;
    Buf text = { 0 };
    if (!arena.base) arena = arena_reserve(1 << 28);
    recipe_default(&a, &arena);
    recipe_text(&a, false, &text);
    for (const char *at = text.at; (at = strstr(at, "\n[")) != NULL; at++) {
        char header[64];
        snprintf(header, sizeof(header), "%.*s", (int)strcspn(at + 1, "\n") + 2, at);
        EXPECT_MSG(strstr(at + 1, header) == NULL, "opened twice:%s", header);
    }
    buf_free(&text);
}

TEST(a_name_depends_on_every_knob)
{
    Recipe a, b;
    Err err = { 0 };
    EXPECT(parse("", &a, &err) && parse("[model]\ndepth = 5\n", &b, &err));
    EXPECT(strcmp(a.sha256, b.sha256) != 0);
    const char *names[4];
    EXPECT(recipe_diff(&a, &b, names, 4) == 1 && strcmp(names[0], "model.depth") == 0);
    EXPECT(recipe_override(&a, "model.depth=5", "-s", &err) && strcmp(a.sha256, b.sha256) == 0);
    recipe_copy(&b, &a, &arena);
    EXPECT(recipe_override(&b, "model.depth=6", "-s", &err) && strcmp(a.sha256, b.sha256) != 0);
    EXPECT(knobs_whole(&a.knobs, "model.depth") == 5);
}

TEST(what_is_wrong_is_said_with_file_line_and_what_would_do)
{
    static const char *const wrong[][4] = {
        { "[model]\n\ndepht = 4\n", "my.toml:3", "depht", "model.depth" },
        { "[model]\ndepth = \"4\"\n", "my.toml:2", "model.depth", "whole number" },
        { "[model]\ndepth = 2.5\n", "my.toml:2", "model.depth", "whole number" },
        { "[model]\ndepth = 0\n", "my.toml:2", "model.depth", "from 1 to" },
        { "[model]\nnorm = \"batch\"\n", "my.toml:2", "model.norm", "rmsnorm" },
        { "[model]\ntied = 1\n", "my.toml:2", "model.tied", "true or false" },
        { "[model]\nmlp = true\n", "my.toml:2", "model.mlp", "choices" },
        { "[model]\nwidth = 100\nheads = 7\n", "my.toml", "model.heads", "model.width" },
        { "[model]\nheads = 4\nwidth = 64\nkv_heads = 3\n", "my.toml", "model.kv_heads",
          "divisor" },
        { "[budget]\nflops = 0\n", "my.toml", "budget.flops", "train.steps" },
        { "[model\n", "my.toml:1", "", "" },
    };
    for (int i = 0; i < (int)COUNT(wrong); i++) {
        Recipe r;
        Err err = { 0 };
        EXPECT_MSG(!parse(wrong[i][0], &r, &err), "accepted: %s", wrong[i][0]);
        EXPECT(err.code == ERR_CONFIG);
        for (int j = 1; j < 4; j++)
            EXPECT_MSG(strstr(err.msg, wrong[i][j]) != NULL, "\"%s\" does not say %s", err.msg,
                       wrong[i][j]);
    }
}

TEST(an_assignment_without_a_knob_or_a_value_is_refused)
{
    Recipe r;
    Err err = { 0 };
    EXPECT(parse("", &r, &err));
    EXPECT(!recipe_override(&r, "model.depth", "-s", &err) && strstr(err.msg, "knob=value"));
    EXPECT(!recipe_override(&r, "=3", "-s", &err) && strstr(err.msg, "knob=value"));
    EXPECT(!recipe_override(&r, "optim.lrr=3", "-s", &err) && strstr(err.msg, "optim.lr"));
    EXPECT(err.code == ERR_CONFIG);
}

TEST(a_missing_file_is_named)
{
    Recipe r;
    Err err = { 0 };
    if (!arena.base) arena = arena_reserve(1 << 28);
    EXPECT(!recipe_read(&r, "/nowhere/at/all.toml", &arena, &err));
    EXPECT(strstr(err.msg, "/nowhere/at/all.toml"));
}

TEST(every_knob_is_documented_and_its_fallback_is_in_its_own_range)
{
    Recipe r;
    if (!arena.base) arena = arena_reserve(1 << 28);
    recipe_default(&r, &arena);
    EXPECT(r.knobs.count > 40);
    for (int i = 0; i < r.knobs.count; i++) {
        const Knob *k = r.knobs.knob[i];
        Err err = { 0 };
        Recipe copy;
        recipe_copy(&copy, &r, &arena);
        EXPECT_MSG(k->doc && strlen(k->doc) > 10, "%s says too little", k->name);
        EXPECT_MSG(k->type == KNOB_TEXT ||
                       knobs_set_number(&copy.knobs, k->name, k->fallback, &err),
                   "%s", err.msg);
        knobs_active(&r.knobs, i); // a condition that names no knob is a bug and says so
    }
    Err err = { 0 };
    EXPECT_MSG(recipe_check(&r, &err), "%s", err.msg);
}
