/* cmd_knobs.c - every knob of a recipe, or one of them in full. */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "train/recipe.h"

static const char *const type_name[] = {
    [KNOB_NUMBER] = "number", [KNOB_WHOLE] = "whole number", [KNOB_CHOICE] = "choice",
    [KNOB_FLAG] = "flag",     [KNOB_TEXT] = "text",
};

/* "1..64", "adamw | muon", "true | false", "any text" */
static void put_range(const Knob *k, Buf *out)
{
    char low[32], high[32];
    switch (k->type) {
    case KNOB_NUMBER:
    case KNOB_WHOLE:
        buf_printf(out, "%s..%s", str_number(low, k->min), str_number(high, k->max));
        break;
    case KNOB_CHOICE:
        for (const char *const *c = k->choices; *c; c++)
            buf_printf(out, "%s%s", c == k->choices ? "" : " | ", *c);
        break;
    case KNOB_FLAG: buf_str(out, STR("true | false")); break;
    case KNOB_TEXT: buf_str(out, STR("any text")); break;
    }
}

static json_t *value_json(const KnobSet *s, int i)
{
    const Knob *k = s->knob[i];
    switch (k->type) {
    case KNOB_NUMBER: return json_num_of(s->value[i]);
    case KNOB_WHOLE: return json_integer((json_int_t)s->value[i]);
    case KNOB_CHOICE: return json_string(k->choices[(int)s->value[i]]);
    case KNOB_FLAG: return json_boolean(s->value[i] != 0);
    case KNOB_TEXT: return json_text(str_of(s->text[i]));
    }
    return json_null();
}

static json_t *knob_json(const KnobSet *s, int i)
{
    const Knob *k = s->knob[i];
    json_t *o = json_object();
    json_object_set_new(o, "name", json_string(k->name));
    json_object_set_new(o, "type", json_string(type_name[k->type]));
    json_object_set_new(o, "default", value_json(s, i));
    if (k->type == KNOB_NUMBER || k->type == KNOB_WHOLE) {
        json_object_set_new(o, "min", json_num_of(k->min));
        json_object_set_new(o, "max", json_num_of(k->max));
        json_object_set_new(o, "scale", json_string(k->scale == SCALE_LOG ? "log" : "linear"));
    }
    if (k->type == KNOB_CHOICE) {
        json_t *choices = json_array();
        for (const char *const *c = k->choices; *c; c++)
            json_array_append_new(choices, json_string(*c));
        json_object_set_new(o, "choices", choices);
    }
    if (k->unit) json_object_set_new(o, "unit", json_string(k->unit));
    if (k->only) json_object_set_new(o, "only", json_string(k->only));
    json_object_set_new(o, "searched", json_boolean(!k->fixed));
    json_object_set_new(o, "doc", json_string(k->doc));
    return o;
}

static void print_line(const KnobSet *s, int i)
{
    const Knob *k = s->knob[i];
    char value[300];
    Buf range = { 0 };
    knobs_print_value(s, i, value, sizeof(value));
    put_range(k, &range);
    printf("%-26s %-12s %-28s %s%s%s%s\n", k->name, value, range.at, k->doc, k->unit ? " (" : "",
           k->unit ? k->unit : "", k->unit ? ")" : "");
    buf_free(&range);
}

static void print_one(const KnobSet *s, int i)
{
    const Knob *k = s->knob[i];
    char value[300];
    Buf range = { 0 };
    knobs_print_value(s, i, value, sizeof(value));
    put_range(k, &range);
    printf("%s = %s\n\n%s\n\n  type     %s\n  range    %s\n", k->name, value, k->doc,
           type_name[k->type], range.at);
    if (k->unit) printf("  unit     %s\n", k->unit);
    if (k->only) printf("  only if  %s\n", k->only);
    printf("  search   %s\n", k->fixed                ? "left as it is"
                              : k->scale == SCALE_LOG ? "varied, on a logarithmic scale"
                                                      : "varied");
    buf_free(&range);
}

/* NAME may be a knob or the beginning of several: "optim". */
static bool run(Cmd *c, Err *err)
{
    Recipe r = { 0 };
    recipe_default(&r, c->arena);
    const char *name = c->n_args ? c->arg[0] : "";
    int only = knobs_find(&r.knobs, name), shown = 0;
    json_t *list = json_array();
    for (int i = 0; i < r.knobs.count; i++) {
        if (only >= 0 ? i != only : !str_starts(str_of(r.knobs.knob[i]->name), str_of(name)))
            continue;
        shown++;
        if (c->json)
            json_array_append_new(list, knob_json(&r.knobs, i));
        else if (cmd_has(c, "names"))
            printf("%s\n", r.knobs.knob[i]->name);
        else if (only >= 0)
            print_one(&r.knobs, i);
        else
            print_line(&r.knobs, i);
    }
    if (c->json && shown)
        cmd_print_json(list);
    else
        json_decref(list);
    return shown || err_set(err, ERR_CONFIG, "no knob is called %s; the nearest is %s", name,
                            knobs_nearest(&r.knobs, name));
}

static const CmdOpt opts[] = {
    { "names", 0, NULL, "only the names, one on a line" },
    { 0 },
};

const CmdDef cmd_knobs = {
    .name = "knobs",
    .args = "[NAME]",
    .doc = "what a recipe can say: every knob with its default and range",
    .more = "NAME is a knob, or the beginning of several: `lathe knobs optim`. Knobs are set in a "
            "recipe file or with -s NAME=VALUE.",
    .opts = opts,
    .max_args = 1,
    .json = true,
    .run = run,
};
