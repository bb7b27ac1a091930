/* cmd_data_filters.c - `data filters`: every rule there is, with its number and where that is from.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "data/filter.h"

static const char *short_name(const Knob *k)
{
    return strrchr(k->name, '.') + 1;
}

static json_t *filter_json(const FilterDef *def)
{
    json_t *knobs = json_array();
    for (const Knob *k = def->knobs; k->name; k++) {
        json_t *value = k->type == KNOB_TEXT ? json_string(k->text) : json_num_of(k->fallback);
        json_array_append_new(knobs, json_pack("{s:s,s:o,s:s}", "knob", short_name(k), "default",
                                               value, "doc", k->doc));
    }
    return json_pack("{s:s,s:s,s:s,s:i,s:o}", "filter", def->name, "doc", def->doc, "source",
                     def->source, "version", def->version, "knobs", knobs);
}

static void print_filter(const FilterDef *def)
{
    char number[32];
    printf("%s: %s\n  (%s)\n", def->name, def->doc, def->source);
    for (const Knob *k = def->knobs; k->name; k++)
        printf("    %-18s %10s  %s\n", short_name(k),
               k->type == KNOB_TEXT ? "\"\"" : str_number(number, k->fallback), k->doc);
}

static bool run(Cmd *c, Err *err)
{
    (void)err;
    int count;
    const FilterDef *const *all = filter_all(&count);
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        if (c->json)
            json_array_append_new(list, filter_json(all[i]));
        else
            print_filter(all[i]);
    }
    if (c->json)
        cmd_print_json(list);
    else
        json_decref(list);
    return true;
}

const CmdDef cmd_data_filters = {
    .name = "data filters",
    .doc = "the rules that a recipe may lay on its training text, their thresholds and sources",
    .more =
        "A recipe names them in the knob data.filters: \"encoding gopher_quality(letters=0.6 "
        "stop_words=0); books: -gopher_quality\". What stands before the first ; is for all "
        "data sets, what follows NAME: comes on top for that one. They are applied in the order "
        "listed here, to tokens of training text alone: the data set stays as it was read. "
        "`lathe data show NAME` says what each would leave out.",
    .json = true,
    .run = run,
};
