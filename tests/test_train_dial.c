/* One depth sets a recipe; the numbers are nanochat's own for depths 12 and 24. */
#include "base/str.h"
#include "tests/test.h"
#include "train/recipe.h"

static Arena arena;

static bool parse(const char *text, Recipe *r)
{
    Err err = { 0 };
    if (!arena.base) arena = arena_reserve(1 << 28);
    bool ok = recipe_parse(r, str_of(text), "dial.toml", &arena, &err);
    EXPECT_MSG(ok, "%s", err.msg);
    return ok;
}

static double number(const Recipe *r, const char *knob)
{
    return r->knobs.value[knobs_find(&r->knobs, knob)];
}

static void expect_number(const Recipe *r, const char *knob, double want)
{
    double got = number(r, knob);
    EXPECT_MSG(fabs(got - want) <= 1e-6 * fabs(want), "%s is %.9g, not %.9g", knob, got, want);
}

static double tokens_per_step(const Recipe *r)
{
    return number(r, "train.batch") * number(r, "train.accumulate") * number(r, "model.context");
}

#define HUGE_TEXT "[tokenizer]\nvocab = 32768\n[model]\ncontext = 2048\n"

TEST(depth_12_is_where_nanochat_tuned_its_rates)
{
    Recipe r;
    parse("depth = 12\n" HUGE_TEXT, &r);
    expect_number(&r, "model.width", 768);
    expect_number(&r, "model.heads", 6);
    expect_number(&r, "optim.muon.lr", 0.02);
    expect_number(&r, "optim.lr", 0.008);
    expect_number(&r, "optim.embed_mult", 37.5);
    expect_number(&r, "optim.muon.decay", 0.28);
    EXPECT(tokens_per_step(&r) == 524288);
    /* 12 blocks of 12 x 768^2 and a head of 32768 x 768, a value gate of 6 x 12 in every second */
    expect_number(&r, "budget.tokens", 12.0 * (144 * 768 * 768 + 32768 * 768 + 6 * 72));
    EXPECT(strcmp(knobs_choice(&r.knobs, "model.window"), "SSSL") == 0);
    EXPECT(strcmp(knobs_choice(&r.knobs, "optim.name"), "muon") == 0);
}

TEST(depth_24_has_the_batch_and_the_decay_of_nanochats_speedrun)
{
    Recipe r;
    parse("depth = 24\n" HUGE_TEXT, &r);
    expect_number(&r, "model.width", 1536);
    EXPECT(tokens_per_step(&r) == 1048576); /* "auto-computed optimal batch size: 1,048,576" */
    expect_number(&r, "optim.muon.lr", 0.02 * sqrt(2));
    expect_number(&r, "optim.lr", 0.008 * sqrt(2) * sqrt(0.5));
    double d24 = 288.0 * 1536 * 1536 + 32768 * 1536 + 12 * 144,
           d12 = 144.0 * 768 * 768 + 32768 * 768 + 6 * 72;
    expect_number(&r, "optim.muon.decay", 0.28 * sqrt(2) * d12 / d24);
}

TEST(explicit_knobs_win_and_the_rest_follows_from_them)
{
    Recipe r, plain;
    parse("depth = 6\n[model]\nwidth = 96\nhead_size = 32\nmlp = \"gelu\"\n[optim]\nlr = 0.004\n",
          &r);
    expect_number(&r, "model.width", 96);
    expect_number(&r, "model.heads", 3);
    expect_number(&r, "optim.lr", 0.004);
    EXPECT(strcmp(knobs_choice(&r.knobs, "model.mlp"), "gelu") == 0);
    EXPECT(strcmp(knobs_choice(&r.knobs, "model.norm"), "rmsnorm") == 0);
    parse("depth = 6\n[model]\nhead_size = 32\n", &plain);
    EXPECT(number(&plain, "budget.tokens") > 10 * number(&r, "budget.tokens"));
    EXPECT(tokens_per_step(&plain) > tokens_per_step(&r));
}

TEST(turned_back_the_dial_leaves_nothing_behind)
{
    Recipe r, plain;
    Err err = { 0 };
    parse("", &plain);
    parse("[optim]\nlr = 0.004\n", &r);
    EXPECT(recipe_override(&r, "depth=5", "-s", &err));
    EXPECT(strcmp(r.sha256, plain.sha256) != 0 && number(&r, "optim.lr") == 0.004);
    EXPECT(recipe_override(&r, "depth=0", "-s", &err));
    EXPECT(recipe_override(&plain, "optim.lr=0.004", "-s", &err));
    const char *names[8];
    int n = recipe_diff(&r, &plain, names, 8);
    EXPECT_MSG(n == 0, "%s is left", n ? names[0] : "");
    EXPECT(strcmp(r.sha256, plain.sha256) == 0);
}

TEST(the_canonical_text_of_a_dialled_recipe_needs_no_dial)
{
    Recipe r, again;
    Buf text = { 0 };
    parse("depth = 4\n", &r);
    recipe_text(&r, false, &text);
    parse(text.at, &again);
    EXPECT(strcmp(r.sha256, again.sha256) == 0);
    Buf given = { 0 };
    recipe_text(&r, true, &given);
    EXPECT_MSG(str_eq(str_trim(buf_view(&given)), STR("depth = 4")), "%s", given.at);
    buf_free(&text), buf_free(&given);
}
