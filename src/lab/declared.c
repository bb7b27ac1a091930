/* declared.c - hypotheses from a knob's declaration alone.
 *
 * The playbook knows what a learning rate does; of a knob that somebody else's trainer declares
 * only its type, range and scale are known.  So each is moved one step either way: by a factor of
 * two where its scale is a logarithm, by an eighth of its range where it is not, to every other
 * choice.  Beforehand a step is as likely to help as to harm, by about a percent.  Verdicts move
 * that: the measured gains of steps the same way count in full, of steps the other way by half with
 * the sign turned, and both shrink what is still to be expected of the knob.  After six recipes the
 * search over pairs (researcher_builtin.c) competes with it. */
#include "lab/declared.h"

#include <math.h>
#include <string.h>

#include "science/stats.h"

static const double SD = 1.0;      /* percent of the score: of a step of which nothing is known */
static const double FAILED = -5.0; /* percent: what a recipe counts as whose runs failed */

typedef struct Step {
    int knob;
    double to;
    int way; /* 1 up, -1 down; of a choice 2 + its index */
} Step;

static int way_of(const Knob *k, double from, double to)
{
    if (k->type == KNOB_CHOICE) return 2 + (int)to;
    return to > from ? 1 : -1;
}

/* What an earlier experiment did to this knob alone; 0 if it did nothing of the kind. */
static int way_of_edits(const Knob *k, const json_t *edits)
{
    const json_t *e = json_array_get(edits, 0);
    double from, to;
    if (json_array_size(edits) != 1 || strcmp(json_str(e, "knob", ""), k->name) != 0) return 0;
    const char *word = json_str(e, "to", "");
    if (k->type == KNOB_FLAG) return strcmp(word, "true") == 0 ? 1 : -1;
    if (k->type == KNOB_CHOICE) {
        for (int i = 0; k->choices[i]; i++)
            if (strcmp(k->choices[i], word) == 0) return 2 + i;
        return 0;
    }
    if (!str_to_double(str_of(json_str(e, "from", "")), &from) || !str_to_double(str_of(word), &to))
        return 0;
    return to > from ? 1 : -1;
}

/* Mean of what was measured of steps this way, in percent, and by how many of them. */
static double said_before(const Asking *a, const Knob *k, int way, double *weight)
{
    double sum = 0;
    *weight = 0;
    for (int i = 0; i < a->history->exps; i++) {
        const HistExp *x = &a->history->exp[i];
        int then = way_of_edits(k, x->edits), runs = 0;
        if (then == 0 || x->decision == EXP_OPEN || x->ablates >= 0) continue;
        bool against = then == -way && then < 2 && then > -2;
        if (then != way && !against) continue;
        double base = history_mean(a->history, x->base, &runs),
               bpb = history_mean(a->history, x->recipe, &runs);
        if (runs == 0 && x->runs == 0) continue;
        double gain = isfinite(bpb) ? 100 * (base - bpb) / base : FAILED;
        double w = against ? 0.5 : 1;
        sum += w * (against ? -gain : gain);
        *weight += w;
    }
    return *weight > 0 ? sum / *weight : 0;
}

static const char *title_of(const Asking *a, const Knob *k, const Proposal *p)
{
    char from[EDIT_TEXT];
    edit_value(&a->champion->knobs, knobs_find(&a->champion->knobs, k->name), from);
    return arena_printf(a->arena, "%s %s instead of %s", k->name, p->edit[0].to, from);
}

static void weigh_step(const Asking *a, const Step *s, Proposal *best)
{
    const Knob *k = a->champion->knobs.knob[s->knob];
    Proposal p = { 0 };
    Recipe recipe;
    Err refused = { 0 };
    double weight, mean = said_before(a, k, s->way, &weight);
    mean *= weight / (weight + 1);
    double sd = SD / sqrt(1 + weight), percent = a->s / a->bpb * 100;
    p.worth = proposal_findable(mean / percent, sd / percent);
    if (p.worth <= best->worth || !proposal_add(&p, a->champion, k->name, s->to) ||
        !proposal_recipe(a, &p, &recipe, &refused) || proposal_known(a, &recipe))
        return;
    p.title = title_of(a, k, &p);
    p.why = weight > 0 ? "a step in this knob, as far as verdicts on steps in it speak for it"
                       : "a step in a knob that was not tried yet";
    p.refute = "no gain: the champion's value is as good";
    p.predicted = mean / 100 * a->bpb;
    p.confidence = stat_normal_cdf((mean / percent - 1) / (sd / percent)); /* of a sigma or more */
    *best = p;
}

/* One step either way, kept within the range. */
static double step_to(const Knob *k, double at, int way)
{
    if (k->type == KNOB_FLAG) return at > 0 ? 0 : 1;
    if (k->scale == SCALE_LOG) return way > 0 ? at * 2 : at / 2;
    double span = (k->max - k->min) / 8;
    return at + way * (k->type == KNOB_WHOLE ? fmax(1, nearbyint(span)) : span);
}

void declared_best(const Asking *a, Proposal *best)
{
    const KnobSet *knobs = &a->champion->knobs;
    for (int i = 0; i < knobs->count; i++) {
        const Knob *k = knobs->knob[i];
        if (k->fixed || k->type == KNOB_TEXT) continue;
        if (k->type == KNOB_CHOICE) {
            for (int c = 0; k->choices[c]; c++)
                if (c != (int)knobs->value[i])
                    weigh_step(a, &(Step){ i, c, way_of(k, 0, c) }, best);
            continue;
        }
        for (int way = 1; way >= -1; way -= 2) {
            double to = step_to(k, knobs->value[i], way);
            weigh_step(a, &(Step){ i, to, way_of(k, knobs->value[i], to) }, best);
        }
    }
}
