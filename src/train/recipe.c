/* recipe.c - the knobs of all modules as one file of text.
 *
 * A recipe's name is the SHA-256 of its canonical text: every knob at its value, in the
 * order of the tables, with nothing left to a default.  So a default that changes in a
 * later version changes the name, and an old run stays what it was.
 *
 * The text is written table by table ([model], [optim], [optim.muon]): all knobs whose
 * names share a prefix stand under one header, where that prefix first occurs, because
 * TOML allows a table to be opened once. */
#include "train/recipe.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/toml.h"
#include "data/mixture.h"
#include "model/model.h"
#include "optim/optim.h"
#include "train/command.h"
#include "train/dial.h"
#include "train/knobs.h"
#include "train/parent.h"

enum { TABLES_MAX = 32 };

void recipe_default(Recipe *r, Arena *out)
{
    const Knob *tables[TABLES_MAX] = { dial_knobs, data_knobs, model_knobs, optim_knobs };
    int n = 4 + optim_tables(tables + 4, TABLES_MAX - 8);
    tables[n++] = schedule_knobs;
    tables[n++] = train_knobs;
    tables[n++] = parent_knobs;
    tables[n] = NULL;
    r->knobs = knobs_new(out, tables);
    recipe_seal(r);
}

void recipe_copy(Recipe *to, const Recipe *from, Arena *out)
{
    Recipe copy = *from;
    copy.knobs = knobs_copy(out, &from->knobs);
    *to = copy;
}

static const char *kind_word(TomlType t)
{
    switch (t) {
    case TOML_STRING: return "a string";
    case TOML_INTEGER:
    case TOML_FLOAT: return "a number";
    case TOML_BOOL: return "true or false";
    case TOML_ARRAY: break;
    }
    return "a list";
}

static bool type_fits(KnobType k, TomlType t)
{
    switch (k) {
    case KNOB_NUMBER:
    case KNOB_WHOLE: return t == TOML_INTEGER || t == TOML_FLOAT;
    case KNOB_FLAG: return t == TOML_BOOL;
    case KNOB_CHOICE: return t == TOML_STRING;
    case KNOB_TEXT: break;
    }
    return t == TOML_STRING || t == TOML_ARRAY;
}

static const char *wanted_word(KnobType k)
{
    switch (k) {
    case KNOB_NUMBER: return "a number";
    case KNOB_WHOLE: return "a whole number";
    case KNOB_FLAG: return "true or false, without quotes";
    case KNOB_CHOICE: return "one of its choices, in quotes";
    case KNOB_TEXT: break;
    }
    return "a text in quotes";
}

/* A list of strings stands for its items with commas between. */
static Str item_text(const TomlItem *item, Arena *out)
{
    if (item->type != TOML_ARRAY) return item->text;
    Buf b = { 0 };
    for (int i = 0; i < item->count; i++) {
        if (i > 0) buf_str(&b, STR(","));
        buf_str(&b, item->items[i].text);
    }
    Str joined = { arena_str(out, buf_view(&b)), b.len };
    buf_free(&b);
    return joined;
}

static bool set_item(Recipe *r, const TomlItem *item, const char *path, Arena *out, Err *err)
{
    char where[300];
    snprintf(where, sizeof(where), "%s:%d", path, item->line);
    int i = knobs_find(&r->knobs, item->name);
    if (i >= 0 && !type_fits(r->knobs.knob[i]->type, item->type))
        return err_set(err, ERR_CONFIG, "%s: %s is %s, and must be %s", where, item->name,
                       kind_word(item->type), wanted_word(r->knobs.knob[i]->type));
    return knobs_set(&r->knobs, item->name, item_text(item, out), where, err);
}

/* Whose trainer it is decides which knobs there are. */
static bool begin_recipe(Recipe *r, const TomlItem *items, int count, const char *path, Arena *out,
                         Err *err)
{
    const TomlItem *who = NULL;
    for (int i = 0; i < count && !who; i++)
        if (strcmp(items[i].name, "trainer") == 0) who = &items[i];
    if (!who || str_eq(who->text, STR("lathe"))) {
        recipe_default(r, out);
        return true;
    }
    if (str_eq(who->text, STR("command")))
        return command_declare(items, count, path, out, &r->knobs, err);
    return err_set(err, ERR_CONFIG, "%s:%d: trainer is \"%.40s\", and must be lathe or command",
                   path, who->line, who->text.at);
}

static bool taken(const TomlItem *item)
{
    static const char *const names[] = { "trainer", "command.folder", "command.declares" };
    for (int i = 0; i < COUNT(names); i++)
        if (strcmp(item->name, names[i]) == 0) return true;
    return false;
}

bool recipe_parse(Recipe *r, Str text, const char *path, Arena *out, Err *err)
{
    TomlItem *items;
    int count;
    if (!toml_parse(text, path, out, &items, &count, err) ||
        !begin_recipe(r, items, count, path, out, err))
        return false;
    for (int i = 0; i < count; i++) {
        if (!taken(&items[i]) && !set_item(r, &items[i], path, out, err)) return false;
    }
    recipe_seal(r);
    return recipe_check(r, err) || err_wrap(err, "%s", path);
}

bool recipe_read(Recipe *r, const char *path, Arena *out, Err *err)
{
    Str text;
    return file_read_arena(path, out, &text, err) && recipe_parse(r, text, path, out, err);
}

bool recipe_override(Recipe *r, const char *assignment, const char *where, Err *err)
{
    const char *equals = strchr(assignment, '=');
    char name[128];
    if (!equals || equals == assignment || equals - assignment >= (ptrdiff_t)sizeof(name))
        return err_set(err, ERR_CONFIG, "%s: \"%s\" is not of the form knob=value", where,
                       assignment);
    snprintf(name, sizeof(name), "%.*s", (int)(equals - assignment), assignment);
    if (!knobs_set(&r->knobs, name, str_of(equals + 1), where, err)) return false;
    recipe_seal(r);
    return true;
}

bool recipe_ours(const Recipe *r, const char *who, Err *err)
{
    return !command_is(r) ||
           err_set(err, ERR_CONFIG,
                   "%s is about Lathe's own trainer, and this recipe drives another: give a recipe "
                   "without trainer = \"command\"",
                   who);
}

bool recipe_check(const Recipe *r, Err *err)
{
    Model m;
    const char *budget = recipe_budget(r);
    if (command_is(r)) {
        if (knobs_number(&r->knobs, budget) > 0) return true;
        return err_set(err, ERR_CONFIG, "%s is 0: what may a run spend?", budget);
    }
    ParentWant parent;
    if (!model_of(&r->knobs, 257, &m, err) || !parent_want(&r->knobs, &parent, err)) return false;
    if (knobs_whole(&r->knobs, "train.steps") <= 0 && knobs_number(&r->knobs, budget) <= 0)
        return err_set(err, ERR_CONFIG, "%s is 0 and so is train.steps: give one of them", budget);
    if (knobs_text(&r->knobs, "code")[0] && strcmp(budget, "budget.flops") == 0)
        return err_set(err, ERR_CONFIG,
                       "a changed engine counts its own FLOPs, so its budget cannot be in them: "
                       "open a question with `lathe research -s budget.frame=tokens`");
    return true;
}

const char *recipe_budget(const Recipe *r)
{
    const char *frame = knobs_choice(&r->knobs, "budget.frame");
    return strcmp(frame, "tokens") == 0 ? "budget.tokens"
           : strcmp(frame, "time") == 0 ? "budget.time"
                                        : "budget.flops";
}

bool recipe_spend(Recipe *r, double budget, Err *err)
{
    if (!command_is(r) && !knobs_set_number(&r->knobs, "train.steps", 0, err)) return false;
    if (!knobs_set_number(&r->knobs, recipe_budget(r), budget, err)) return false;
    recipe_seal(r);
    return true;
}

/* Length of the table's name in front of the last dot. */
static ptrdiff_t prefix_len(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot - name : 0;
}

static bool same_table(const char *a, const char *b)
{
    ptrdiff_t n = prefix_len(a);
    return n == prefix_len(b) && memcmp(a, b, (size_t)n) == 0;
}

static bool written(const Recipe *r, int i, bool only_given)
{
    return !only_given || r->knobs.given[i];
}

static void put_value(const Recipe *r, int i, Buf *out)
{
    char value[128];
    if (r->knobs.knob[i]->type == KNOB_TEXT) {
        toml_put_string(out, str_of(r->knobs.text[i]));
    } else {
        knobs_print_value(&r->knobs, i, value, sizeof(value));
        buf_str(out, str_of(value));
    }
}

/* The lines of the table that knob `first` is the first of. */
static void put_table(const Recipe *r, int first, bool only_given, Buf *out)
{
    const char *name = r->knobs.knob[first]->name;
    bool opened = false;
    for (int i = first; i < r->knobs.count; i++) {
        const Knob *k = r->knobs.knob[i];
        if (!same_table(name, k->name) || !written(r, i, only_given)) continue;
        if (!opened && prefix_len(name) > 0)
            buf_printf(out, "%s[%.*s]\n", out->len ? "\n" : "", (int)prefix_len(name), name);
        opened = true;
        buf_printf(out, "%s = ", k->name + (prefix_len(name) > 0 ? prefix_len(name) + 1 : 0));
        put_value(r, i, out);
        buf_str(out, STR("\n"));
    }
}

void recipe_text(const Recipe *r, bool only_given, Buf *out)
{
    for (int i = 0; i < r->knobs.count; i++) {
        bool first = true;
        for (int j = 0; j < i && first; j++)
            first = !same_table(r->knobs.knob[j]->name, r->knobs.knob[i]->name);
        if (first) put_table(r, i, only_given, out);
    }
}

void recipe_seal(Recipe *r)
{
    Buf text = { 0 };
    if (!command_is(r)) dial_turn(&r->knobs);
    recipe_text(r, false, &text);
    sha256_hex(text.at, text.len, r->sha256);
    buf_free(&text);
}

int recipe_diff(const Recipe *a, const Recipe *b, const char **names, int cap)
{
    int n = 0;
    for (int i = 0; i < a->knobs.count && n < cap; i++) {
        int k = i < b->knobs.count && b->knobs.knob[i] == a->knobs.knob[i]
                    ? i
                    : knobs_find(&b->knobs, a->knobs.knob[i]->name);
        if (k < 0 || b->knobs.knob[k]->type != a->knobs.knob[i]->type) continue;
        bool same = a->knobs.knob[i]->type == KNOB_TEXT
                        ? str_eq(str_of(a->knobs.text[i]), str_of(b->knobs.text[k]))
                        : a->knobs.value[i] == b->knobs.value[k];
        if (!same) names[n++] = a->knobs.knob[i]->name;
    }
    return n;
}
