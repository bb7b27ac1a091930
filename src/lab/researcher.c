/* researcher.c - the list of researchers, and what all of them need. */
#include "lab/researcher.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "science/stats.h"

#define RESEARCHER(name) extern const ResearcherDef researcher_##name;
#include "lab/researcher_list.h"
#undef RESEARCHER

static const ResearcherDef *const researchers[] = {
#define RESEARCHER(name) &researcher_##name,
#include "lab/researcher_list.h"
#undef RESEARCHER
};

const ResearcherDef *const *researcher_all(int *count)
{
    *count = (int)COUNT(researchers);
    return researchers;
}

const ResearcherDef *researcher_find(const char *spec, const char **rest)
{
    size_t len = strcspn(spec, ":");
    *rest = spec[len] ? spec + len + 1 : "";
    for (ptrdiff_t i = 0; i < COUNT(researchers); i++)
        if (strlen(researchers[i]->name) == len && memcmp(researchers[i]->name, spec, len) == 0)
            return researchers[i];
    return NULL;
}

/* What a run may spend is the question's: a recipe that spends more than the champion would win by
 * that alone. */
static bool spends(const char *knob)
{
    return strncmp(knob, "budget.", 7) == 0 || strcmp(knob, "train.steps") == 0;
}

/* Whose program is run, and how, is for people to say. */
static bool calls(const char *knob)
{
    return strcmp(knob, "trainer") == 0 || strncmp(knob, "command.", 8) == 0;
}

bool proposal_recipe(const Asking *a, const Proposal *p, Recipe *out, Err *err)
{
    recipe_copy(out, a->champion, a->arena);
    for (int i = 0; i < p->edits; i++) {
        if (spends(p->edit[i].knob) && !p->planted)
            return err_set(err, ERR_CONFIG,
                           "%s is what every run of a question may spend and no part of a "
                           "proposal; open a question with `lathe research -s %s=...`",
                           p->edit[i].knob, p->edit[i].knob);
        if (calls(p->edit[i].knob))
            return err_set(err, ERR_CONFIG,
                           "%s says which program trains, and is no part of a proposal",
                           p->edit[i].knob);
        if (!knobs_set(&out->knobs, p->edit[i].knob, str_of(p->edit[i].to), p->title, err))
            return false;
    }
    if (!recipe_check(out, err)) return false;
    recipe_seal(out);
    return true;
}

bool proposal_known(const Asking *a, const Recipe *recipe)
{
    if (strcmp(recipe->sha256, a->champion->sha256) == 0) return true;
    for (int i = 0; i < a->history->exps; i++)
        if (strcmp(a->history->exp[i].recipe, recipe->sha256) == 0) return true;
    return false;
}

double proposal_findable(double mean, double sd)
{
    static const double LEAST = 0.5;
    double z = (mean - LEAST) / sd;
    double density = exp(-0.5 * z * z) * 0.3989422804014327;
    return (mean - LEAST) * stat_normal_cdf(z) + sd * density;
}

void edit_value(const KnobSet *knobs, int index, char out[EDIT_TEXT])
{
    const Knob *k = knobs->knob[index];
    if (k->type == KNOB_CHOICE)
        snprintf(out, EDIT_TEXT, "%s", k->choices[(int)knobs->value[index]]);
    else if (k->type == KNOB_TEXT)
        snprintf(out, EDIT_TEXT, "%s", knobs->text[index]);
    else
        knobs_print_value(knobs, index, out, EDIT_TEXT);
}

bool proposal_add(Proposal *p, const Recipe *champion, const char *knob, double value)
{
    int i = knobs_find(&champion->knobs, knob);
    CHECK(i >= 0 && p->edits < EDITS_MAX, "edit %d of knob %s", p->edits, knob);
    const Knob *k = champion->knobs.knob[i];
    if (k->type == KNOB_NUMBER || k->type == KNOB_WHOLE) value = MIN(MAX(value, k->min), k->max);
    Edit *e = &p->edit[p->edits];
    e->knob = k->name;
    if (k->type == KNOB_CHOICE) {
        snprintf(e->to, sizeof(e->to), "%s", k->choices[(int)value]);
    } else if (k->type == KNOB_FLAG) {
        snprintf(e->to, sizeof(e->to), "%s", value != 0 ? "true" : "false");
    } else {
        if (k->type == KNOB_WHOLE) value = (double)(int64_t)(value + (value < 0 ? -0.5 : 0.5));
        if (k->type == KNOB_NUMBER && value != 0) { /* three digits are all that is meant */
            char short_form[32];
            snprintf(short_form, sizeof(short_form), "%.3g", value);
            if (!str_to_double(str_of(short_form), &value)) return false;
        }
        knobs_print_number(value, e->to, (ptrdiff_t)sizeof(e->to));
    }
    if (value == champion->knobs.value[i]) return false;
    p->edits++;
    return true;
}
