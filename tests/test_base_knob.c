/* Knobs and the TOML reader: what a recipe is made of. */
#include "base/knob.h"
#include "base/toml.h"
#include "tests/test.h"

static const char *const names[] = { "adamw", "muon", NULL };
static const Knob table_a[] = {
    { .name = "model.depth",
      .type = KNOB_WHOLE,
      .fallback = 4,
      .min = 1,
      .max = 64,
      .doc = "layers" },
    { .name = "optim.lr",
      .type = KNOB_NUMBER,
      .fallback = 0.003,
      .min = 0,
      .max = 1,
      .doc = "rate" },
    { 0 },
};
static const Knob table_b[] = {
    { .name = "optim.name", .type = KNOB_CHOICE, .fallback = 1, .choices = names, .doc = "rule" },
    { .name = "optim.momentum",
      .type = KNOB_NUMBER,
      .fallback = 0.95,
      .max = 1,
      .only = "optim.name=muon" },
    { .name = "optim.nesterov", .type = KNOB_FLAG, .fallback = 1, .only = "optim.name=muon" },
    { .name = "optim.depth_of_it",
      .type = KNOB_WHOLE,
      .min = -9,
      .max = HUGE_VAL,
      .only = "optim.nesterov=true" },
    { .name = "note", .type = KNOB_TEXT, .text = "none" },
    { 0 },
};
static const Knob *const tables[] = { table_a, table_b, NULL };

static bool set(KnobSet *s, const char *name, const char *value, Err *err)
{
    return knobs_set(s, name, str_of(value), "r.toml:3", err);
}

TEST(knobs_begin_at_their_fallbacks_and_take_values)
{
    Arena a = arena_reserve(1 << 20);
    Err err = { 0 };
    KnobSet s = knobs_new(&a, tables);
    EXPECT(s.count == 7 && knobs_whole(&s, "model.depth") == 4 &&
           knobs_number(&s, "optim.lr") == 0.003);
    EXPECT(strcmp(knobs_choice(&s, "optim.name"), "muon") == 0 && knobs_flag(&s, "optim.nesterov"));
    EXPECT(strcmp(knobs_text(&s, "note"), "none") == 0 && !s.given[0]);
    EXPECT(set(&s, "model.depth", "12", &err) && set(&s, "optim.lr", "1e-3", &err));
    EXPECT(set(&s, "optim.name", "adamw", &err) && set(&s, "optim.nesterov", "false", &err));
    EXPECT(set(&s, "note", "a \"b\"", &err) && s.given[0]);
    EXPECT(knobs_whole(&s, "model.depth") == 12 && knobs_number(&s, "optim.lr") == 1e-3);
    EXPECT(strcmp(knobs_choice(&s, "optim.name"), "adamw") == 0 &&
           !knobs_flag(&s, "optim.nesterov"));
    char text[64];
    knobs_print_value(&s, knobs_find(&s, "note"), text, sizeof(text));
    EXPECT_MSG(strcmp(text, "\"a \\\"b\\\"\"") == 0, "%s", text);
    knobs_print_value(&s, knobs_find(&s, "optim.name"), text, sizeof(text));
    EXPECT(strcmp(text, "\"adamw\"") == 0);
    arena_release(&a);
}

TEST(a_wrong_knob_is_told_what_would_be_right)
{
    static const struct {
        const char *name, *value, *words;
    } wrong[] = {
        { "optim.rl", "1", "r.toml:3: no knob is called optim.rl; the nearest is optim.lr" },
        { "model.depth", "65", "model.depth is 65, and must be a whole number from 1 to 64" },
        { "model.depth", "2.5", "whole number" },
        { "model.depth", "four", "whole number" },
        { "optim.lr", "-1", "a number from 0 to 1" },
        { "optim.lr", "nan", "a number from 0 to 1" },
        { "optim.name", "adam", "must be adamw or muon" },
        { "optim.nesterov", "yes", "must be true or false" },
        { "optim.depth_of_it", "-10", "a whole number of at least -9" },
        { "optim.depth_of_it", "1e300", "whole number" },
    };
    Arena a = arena_reserve(1 << 20);
    Err err = { 0 };
    KnobSet s = knobs_new(&a, tables);
    for (int i = 0; i < COUNT(wrong); i++) {
        bool ok = set(&s, wrong[i].name, wrong[i].value, &err);
        EXPECT_MSG(!ok && err.code == ERR_CONFIG && strstr(err.msg, wrong[i].words), "%s = %s: %s",
                   wrong[i].name, wrong[i].value, err.msg);
    }
    for (int i = 0; i < s.count; i++) EXPECT(s.value[i] == s.knob[i]->fallback && !s.given[i]);
    arena_release(&a);
}

TEST(numbers_set_by_a_search_are_checked_too)
{
    Arena a = arena_reserve(1 << 20);
    Err err = { 0 };
    KnobSet s = knobs_new(&a, tables);
    EXPECT(knobs_set_number(&s, "optim.lr", 0.5, &err) && knobs_number(&s, "optim.lr") == 0.5);
    EXPECT(knobs_set_number(&s, "optim.name", 0, &err));
    EXPECT(!knobs_set_number(&s, "optim.name", 2, &err) &&
           !knobs_set_number(&s, "optim.name", 0.5, &err));
    EXPECT(!knobs_set_number(&s, "optim.lr", 2, &err) && strstr(err.msg, "from 0 to 1"));
    EXPECT(!knobs_set_number(&s, "optim.lr", (double)NAN, &err));
    EXPECT(!knobs_set_number(&s, "note", 1, &err) && !knobs_set_number(&s, "nope", 1, &err));
    arena_release(&a);
}

TEST(a_knob_is_active_while_what_it_hangs_on_is_so)
{
    Arena a = arena_reserve(1 << 20);
    Err err = { 0 };
    KnobSet s = knobs_new(&a, tables);
    int momentum = knobs_find(&s, "optim.momentum"), deep = knobs_find(&s, "optim.depth_of_it");
    EXPECT(knobs_active(&s, 0) && knobs_active(&s, momentum) && knobs_active(&s, deep));
    EXPECT(set(&s, "optim.nesterov", "false", &err) && !knobs_active(&s, deep));
    EXPECT(set(&s, "optim.nesterov", "true", &err) && set(&s, "optim.name", "adamw", &err));
    EXPECT(!knobs_active(&s, momentum) && !knobs_active(&s, deep));
    arena_release(&a);
}

TEST(a_copy_of_knobs_stands_alone)
{
    Arena a = arena_reserve(1 << 20), b = arena_reserve(1 << 20);
    Err err = { 0 };
    KnobSet s = knobs_new(&a, tables);
    EXPECT(set(&s, "note", "kept", &err));
    KnobSet copy = knobs_copy(&b, &s);
    EXPECT(set(&s, "optim.lr", "1", &err) && knobs_number(&copy, "optim.lr") == 0.003);
    arena_release(&a);
    EXPECT(strcmp(knobs_text(&copy, "note"), "kept") == 0 && copy.given[knobs_find(&copy, "note")]);
    arena_release(&b);
}

typedef struct Parsed {
    Arena arena;
    TomlItem *items;
    int count;
    Err err;
    bool ok;
} Parsed;

static Parsed parse(const char *text)
{
    Parsed p = { .arena = arena_reserve(1 << 22) };
    p.ok = toml_parse(str_of(text), "r.toml", &p.arena, &p.items, &p.count, &p.err);
    return p;
}

TEST(toml_values_come_out_with_full_names_in_file_order)
{
    Parsed p = parse(
        "# a recipe\r\ntitle = \"a\\u00e9\\n\"\n[model]\ndepth = 1_000 # deep\nrope.base=1e4\n"
        "\n [ optim . muon ]\n lr = +0.5\n names = [\"a\", 'b\\n', ]\n flag=true");
    static const struct {
        const char *name, *text;
        TomlType type;
        int line;
    } expect[] = {
        { "title", "a\xC3\xA9\n", TOML_STRING, 2 },  { "model.depth", "1000", TOML_INTEGER, 4 },
        { "model.rope.base", "1e4", TOML_FLOAT, 5 }, { "optim.muon.lr", "+0.5", TOML_FLOAT, 8 },
        { "optim.muon.names", "", TOML_ARRAY, 9 },   { "optim.muon.flag", "true", TOML_BOOL, 10 },
    };
    EXPECT_MSG(p.ok && p.count == COUNT(expect), "%s", p.err.msg);
    for (int i = 0; p.ok && i < COUNT(expect); i++) {
        EXPECT_MSG(strcmp(p.items[i].name, expect[i].name) == 0, "%s", p.items[i].name);
        EXPECT(p.items[i].type == expect[i].type && p.items[i].line == expect[i].line);
        EXPECT(str_eq(p.items[i].text, str_of(expect[i].text)));
    }
    EXPECT(p.ok && p.items[4].count == 2 && str_eq(p.items[4].items[1].text, STR("b\\n")));
    arena_release(&p.arena);
}

TEST(toml_refuses_what_it_does_not_know_by_line)
{
    static const char *const bad[] = {
        "a = 1\na = 2",
        "a = 1\na.b = 2",
        "[a]\n[a]",
        "[a]\nb = 1\n[a.b]",
        "a.b = 1\n[a]",
        "[a.b]\n[a]\nb.c = 1",
        "[[a]]",
        "a = 1979-05-27",
        "a = {b = 1}",
        "a = \"\"\"x\"\"\"",
        "a = [1,\n2]",
        "a = [[1]]",
        "a = 0x10",
        "a = inf",
        "a = 01",
        "a = 1.",
        "a = .5",
        "a = 1__0",
        "a = 1_",
        "a = 1e",
        "a = \"x",
        "a = \"\\q\"",
        "a = \"\\ud800\"",
        "a =",
        "= 1",
        "a 1",
        "a = 1 b = 2",
        "[a",
        "[]",
        "a = tru",
        "\"a.b\" = 1",
        "a = \"\x01\"",
        "a = '\xff'",
        "a = 99999999999999999999",
        "a = 1e999",
        "a.. = 1",
        "a = 1\rb = 2",
        "# \x07",
        "a = [1 2]",
    };
    for (int i = 0; i < COUNT(bad); i++) {
        Parsed p = parse(bad[i]);
        EXPECT_MSG(!p.ok, "\"%s\" was accepted", bad[i]);
        EXPECT_MSG(p.err.code == ERR_CONFIG && strncmp(p.err.msg, "r.toml:", 7) == 0, "%s",
                   p.err.msg);
        arena_release(&p.arena);
    }
}

TEST(toml_tables_may_be_defined_above_and_below_each_other)
{
    Parsed p = parse("[a.b]\nx = 1\n[a]\ny = 2\n[a.c]\nd.e = 1\nd.f = 2\n[a.c.d.g]\nh = 1\n");
    EXPECT_MSG(p.ok && p.count == 5 && strcmp(p.items[4].name, "a.c.d.g.h") == 0, "%s", p.err.msg);
    arena_release(&p.arena);
}

TEST(a_string_that_was_put_is_the_string_that_is_read)
{
    char every[128], text[800];
    for (int i = 0; i < 127; i++) every[i] = (char)(i + 1);
    every[127] = 0;
    Buf b = { 0 };
    buf_str(&b, STR("a = "));
    toml_put_string(&b, str_of(every));
    snprintf(text, sizeof(text), "%s", b.at);
    Parsed p = parse(text);
    EXPECT_MSG(p.ok && p.count == 1 && str_eq(p.items[0].text, str_of(every)), "%s", p.err.msg);
    arena_release(&p.arena);
    buf_free(&b);
}

TEST(a_file_that_is_no_recipe_is_refused_quickly)
{
    Arena a = arena_reserve(1 << 24);
    Err err = { 0 };
    TomlItem *items;
    int count;
    Str huge = { calloc(1, 2 << 20), 2 << 20 };
    EXPECT(!toml_parse(huge, "x", &a, &items, &count, &err) && strstr(err.msg, "larger"));
    free((void *)(uintptr_t)huge.at);
    arena_release(&a);
}
