/* tool_recipe.c - the champion's recipe, and the knobs that a proposal may turn. */
#include <math.h>
#include <string.h>

#include "lab/researcher.h"
#include "lab/tool_private.h"

/* ---- champion ---- */

static json_t *given_json(const Recipe *r, bool all)
{
    json_t *o = json_object();
    for (int i = 0; i < r->knobs.count; i++) {
        char value[EDIT_TEXT];
        if (!knobs_active(&r->knobs, i) || (!all && !r->knobs.given[i])) continue;
        edit_value(&r->knobs, i, value);
        json_object_set_new(o, r->knobs.knob[i]->name, json_text(str_of(value)));
    }
    return o;
}

/* What changed from the first recipe to the champion: {"knob": "from -> to"}. */
static json_t *changes_json(const Recipe *from, const Recipe *to)
{
    const char *names[256];
    int n = recipe_diff(from, to, names, 256);
    json_t *edits = json_array();
    for (int i = 0; i < MIN(n, 256); i++) {
        char a[EDIT_TEXT], b[EDIT_TEXT];
        edit_value(&from->knobs, knobs_find(&from->knobs, names[i]), a);
        edit_value(&to->knobs, knobs_find(&to->knobs, names[i]), b);
        json_array_append_new(edits, json_pack("{s:s, s:o, s:o}", "knob", names[i], "from",
                                               json_text(str_of(a)), "to", json_text(str_of(b))));
    }
    json_t *o = tool_edits(edits);
    json_decref(edits);
    return o;
}

static json_t *bank_json(const History *h, const char *recipe)
{
    int index[VERDICT_RUNS], n = history_bank(h, recipe, index, VERDICT_RUNS);
    json_t *runs = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(
            runs, json_pack("{s:s, s:f}", "run", h->run[index[i]].id, "bpb", h->run[index[i]].bpb));
    return runs;
}

/* Before anything was measured: the recipe that research will begin with. */
static bool unmeasured(ToolCall *c, json_t **out, Err *err)
{
    Recipe r;
    const char *from;
    if (!lab_champion(c->lab, &r, &from, err)) return false;
    recipe_seal(&r);
    *out =
        json_pack("{s:s, s:n, s:s, s:s, s:o}", "recipe", r.sha256, "bpb", "from", from, "made_by",
                  "the first recipe, not measured yet", "knobs", given_json(&r, true));
    return true;
}

static bool champion(ToolCall *c, json_t **out, Err *err)
{
    History h;
    Recipe first, now;
    int n = 0;
    if (!history_open(&h, c->lab, err)) return false;
    bool measured = h.question[0] != 0;
    bool ok = !measured ? unmeasured(c, out, err)
                        : lab_recipe(c->lab, h.baseline, &first, err) &&
                              lab_recipe(c->lab, h.champion, &now, err);
    if (ok && measured)
        *out = json_pack("{s:s, s:o, s:s, s:o, s:o, s:o}", "recipe", h.champion, "bpb",
                         json_num_of(history_bank_mean(&h, h.champion, &n)), "made_by",
                         h.champion_exp < 0 ? "the first recipe" : h.exp[h.champion_exp].id,
                         "changed_from_first", changes_json(&first, &now), "knobs",
                         given_json(&now, true), "runs", bank_json(&h, h.champion));
    history_close(&h);
    return ok;
}

const ToolDef tool_champion = {
    .name = "champion",
    .doc = "The best recipe so far: every knob that has an effect in it, what changed since the "
           "first recipe, and the runs that it is judged by. Proposals are edits of this recipe.",
    .call = champion,
};

/* ---- knobs ---- */

static json_t *knob_json(const KnobSet *s, int i)
{
    static const char *const type[] = {
        [KNOB_NUMBER] = "number", [KNOB_WHOLE] = "whole", [KNOB_CHOICE] = "choice",
        [KNOB_FLAG] = "flag",     [KNOB_TEXT] = "text",
    };
    const Knob *k = s->knob[i];
    char value[EDIT_TEXT];
    edit_value(s, i, value);
    json_t *o = json_pack("{s:s, s:s, s:o}", "name", k->name, "type", type[k->type], "value",
                          json_text(str_of(value)));
    if (k->type == KNOB_NUMBER || k->type == KNOB_WHOLE)
        json_object_set_new(o, "range",
                            json_pack("[o, o]", json_num_of(k->min), json_num_of(k->max)));
    if (k->scale == SCALE_LOG) json_object_set_new(o, "scale", json_string("log"));
    if (k->type == KNOB_CHOICE) {
        json_t *list = json_array();
        for (const char *const *w = k->choices; *w; w++)
            json_array_append_new(list, json_string(*w));
        json_object_set_new(o, "choices", list);
    }
    if (k->unit) json_object_set_new(o, "unit", json_string(k->unit));
    if (k->only) json_object_set_new(o, "only", json_string(k->only));
    if (!knobs_active(s, i)) json_object_set_new(o, "no_effect_now", json_true());
    json_object_set_new(o, "doc", json_string(k->doc));
    return o;
}

static bool knobs(ToolCall *c, json_t **out, Err *err)
{
    Recipe r;
    const char *from, *about = json_str(c->args, "about", "");
    if (!lab_champion(c->lab, &r, &from, err)) return false;
    json_t *list = json_array();
    for (int i = 0; i < r.knobs.count; i++) {
        const Knob *k = r.knobs.knob[i];
        if (strncmp(k->name, "budget.", 7) == 0 || strcmp(k->name, "train.steps") == 0 ||
            strncmp(k->name, "command.", 8) == 0 || strcmp(k->name, "trainer") == 0)
            continue;
        if (about[0] && !strcasestr(k->name, about) && !strcasestr(k->doc, about)) continue;
        json_array_append_new(list, knob_json(&r.knobs, i));
    }
    *out = json_pack("{s:s, s:i, s:o}", "values_of", from, "count", (int)json_array_size(list),
                     "knobs", list);
    return true;
}

static const ToolArg knobs_args[] = {
    ARG_TEXT("about", 60,
             "only knobs with this in their name or description, such as optim, schedule, "
             "tokenizer, data"),
    ARG_END,
};

const ToolDef tool_knobs = {
    .name = "knobs",
    .doc = "What a proposal may edit: each knob with its type, range or choices, and the "
           "champion's value. What a run may spend is not among them: all runs of a question cost "
           "the same.",
    .args = knobs_args,
    .call = knobs,
};
