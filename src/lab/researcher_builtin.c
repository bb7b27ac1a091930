/* researcher_builtin.c - the researcher that needs no network.
 *
 * Two sources of proposals compete by one number, the expected findable gain
 * in sigma, E[max(g - 1/2, 0)] (a gain below half a sigma is never found):
 *
 *   - the playbook (playbook.c): a prior per hypothesis, moved by what verdicts
 *     said about its family: the mean of measured minus foretold, shrunk by
 *     n / (n + 1);
 *   - a model-based search over pairs of knobs (science/search.h), which has an
 *     opinion once a few recipes have been measured: a Gaussian process where
 *     both knobs are numbers, the Parzen estimator where one is a choice.
 *
 * The number is divided by what a run costs over the champion's.  Under a budget of FLOPs that is
 * one; under a budget of tokens a larger model costs more.  FLOPs and not seconds, so that a
 * session that was killed proposes what one that was not does; shards that a tokenizer or a context
 * must prepare first are paid once and left out.  Of a trainer that is not ours the playbook knows
 * nothing; declared.c stands in for it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rand.h"
#include "lab/declared.h"
#include "lab/playbook.h"
#include "lab/researcher.h"
#include "lab/scale.h"
#include "lab/space.h"
#include "science/stats.h"
#include "train/command.h"

enum { PAIRS = 16, DRAWS = 32, SEEN_MAX = 512, SEARCH_FROM = 6 };
static const double FAILED = -5; /* percent: what a recipe counts as whose runs failed */

/* What a run of the recipe costs over one of the champion. */
static double cost_of(const Asking *a, const Recipe *recipe)
{
    double own = 1, N = 1;
    Err none = { 0 };
    const KnobSet *k = &a->champion->knobs;
    if (command_is(a->champion) || strcmp(knobs_choice(k, "budget.frame"), "tokens") != 0) return 1;
    if (!scale_size(a->champion, &own, &none) || !scale_size(recipe, &N, &none)) return 1;
    return N / own;
}

/* ---- the playbook ---- */

static bool holds(const KnobSet *k, const char *condition)
{
    if (!condition) return true;
    Str rest = str_of(condition), name;
    str_cut(&rest, '=', &name);
    char knob[64], value[EDIT_TEXT];
    snprintf(knob, sizeof(knob), "%.*s", (int)name.len, name.at);
    edit_value(k, knobs_find(k, knob), value);
    return str_eq(str_of(value), rest);
}

static double choice_index(const Knob *k, const char *word)
{
    for (int i = 0; k->choices[i]; i++)
        if (strcmp(k->choices[i], word) == 0) return i;
    CHECK(false, "knob %s has no choice %s", k->name, word);
}

/* The edits of a play on this champion; false if it does not apply. */
static bool play_edits(const Play *play, const Recipe *champion, Proposal *p)
{
    if (!holds(&champion->knobs, play->when)) return false;
    for (int i = 0; i < 4 && play->edit[i].how != PLAY_END; i++) {
        const PlayEdit *e = &play->edit[i];
        int k = knobs_find(&champion->knobs, e->knob);
        CHECK(k >= 0, "the playbook's knob %s does not exist", e->knob);
        if (!knobs_active(&champion->knobs, k)) return false;
        double at = champion->knobs.value[k], to = e->value;
        if (e->how == PLAY_TIMES) to = at * e->value;
        if (e->how == PLAY_WORD) to = choice_index(champion->knobs.knob[k], e->word);
        if (e->how == PLAY_TIMES && champion->knobs.knob[k]->type == KNOB_WHOLE &&
            (to < 1 || at == 0))
            return false;
        if (!proposal_add(p, champion, e->knob, to)) return false;
    }
    return p->edits > 0;
}

static bool same_edits(const Proposal *p, const json_t *edits)
{
    if (json_array_size(edits) != (size_t)p->edits) return false;
    for (int i = 0; i < p->edits; i++) {
        const json_t *e = json_array_get(edits, (size_t)i);
        if (strcmp(json_str(e, "knob", ""), p->edit[i].knob) != 0 ||
            strcmp(json_str(e, "to", ""), p->edit[i].to) != 0)
            return false;
    }
    return true;
}

/* Does the edit go as far as the refused one, or further the same way, from where that began? */
static bool goes_as_far(const KnobSet *champion, const Edit *edit, const json_t *refused)
{
    double from, to, asked;
    char now[EDIT_TEXT];
    if (strcmp(json_str(refused, "knob", ""), edit->knob) != 0) return false;
    edit_value(champion, knobs_find(champion, edit->knob), now);
    if (strcmp(now, json_str(refused, "from", "")) != 0) return false;
    if (strcmp(edit->to, json_str(refused, "to", "")) == 0) return true;
    return str_to_double(str_of(now), &from) && str_to_double(str_of(edit->to), &asked) &&
           str_to_double(str_of(json_str(refused, "to", "")), &to) &&
           (to > from ? asked >= to : asked <= to);
}

/* What this lab cannot run (a vocabulary larger than its text supports) it cannot run on another
 * champion either, nor more of it, alone or among other edits, until the champion has moved. */
static bool refused_before(const Asking *a, const Proposal *p)
{
    for (int i = 0; i < a->history->exps; i++) {
        const HistExp *x = &a->history->exp[i];
        if (!x->refused) continue;
        if (same_edits(p, x->edits)) return true;
        if (json_array_size(x->edits) != 1) continue; /* which of several it was is not known */
        for (int k = 0; k < p->edits; k++)
            if (goes_as_far(&a->champion->knobs, &p->edit[k], json_array_get(x->edits, 0)))
                return true;
    }
    return false;
}

static bool has_applicable(const Asking *a, const Play *play, Proposal *p, Recipe *recipe)
{
    Err refused = { 0 };
    return play_edits(play, a->champion, p) && !refused_before(a, p) &&
           proposal_recipe(a, p, recipe, &refused) && !proposal_known(a, recipe);
}

static const Play *play_titled(const char *title)
{
    for (const Play *p = playbook; p->name; p++)
        if (strcmp(p->title, title) == 0) return p;
    return NULL;
}

/* What verdicts said about the family: mean of (measured - foretold) in percent, and how many. What
 * could not be run, or was vetoed before it ran, says nothing; what only failed says much. */
static double family_surprise(const Asking *a, const char *family, int *n)
{
    double sum = 0;
    *n = 0;
    for (int i = 0; i < a->history->exps; i++) {
        const HistExp *x = &a->history->exp[i];
        const Play *play = play_titled(x->title);
        int runs = 0;
        double bpb = history_mean(a->history, x->recipe, &runs);
        if (!play || x->decision == EXP_OPEN || strcmp(play->family, family) != 0) continue;
        if (runs == 0 && x->runs == 0) continue;
        double base = history_mean(a->history, x->base, &runs);
        double measured = isfinite(bpb) ? 100 * (base - bpb) / base : FAILED;
        sum += measured - play->effect;
        ++*n;
    }
    return *n ? sum / *n : 0;
}

static void weigh_play(const Asking *a, const Play *play, Proposal *p)
{
    int n = 0;
    double surprise = family_surprise(a, play->family, &n);
    double mean = play->effect + surprise * n / (n + 1.0), sd = play->sd / sqrt(1.0 + n);
    double percent = a->s / a->bpb * 100; /* one sigma */
    p->title = play->title;
    p->why = arena_printf(a->arena, "%s (%s)", play->why, play->source);
    p->refute = play->refute;
    p->predicted = mean / 100 * a->bpb;
    p->confidence = stat_normal_cdf(mean / sd);
    p->worth = proposal_findable(mean / percent, sd / percent);
}

static void best_play(const Asking *a, Proposal *best)
{
    for (const Play *play = playbook; play->name; play++) {
        Proposal p = { 0 };
        Recipe recipe;
        if (!has_applicable(a, play, &p, &recipe)) continue;
        weigh_play(a, play, &p);
        p.worth /= cost_of(a, &recipe);
        if (p.worth > best->worth) *best = p;
    }
}

/* ---- the search ---- */

typedef struct Seen {
    double x[SEEN_MAX][SPACE_MAX], gain[SEEN_MAX], weight[SEEN_MAX], cost[SEEN_MAX];
    bool pending[SEEN_MAX];
    int n;
} Seen;

/* All that was measured or is being: the first recipe, and every experiment's, one of which the
 * champion is. */
static bool look_back(const Asking *a, const Space *space, Seen *seen, Err *err)
{
    Lab lab = *a->history->lab; /* the recipes are looked at once: they go with the asking */
    lab.arena = a->arena;
    for (int i = 0; i <= a->history->exps && seen->n < SEEN_MAX; i++) {
        const char *sha = i < a->history->exps ? a->history->exp[i].recipe : a->baseline->sha256;
        int runs = 0;
        double bpb = history_mean(a->history, sha, &runs);
        Recipe r;
        seen->pending[seen->n] =
            i < a->history->exps && a->history->exp[i].decision == EXP_OPEN && runs == 0;
        if (!lab_recipe(&lab, sha, &r, err)) return false;
        space_point(space, &r, seen->x[seen->n]);
        seen->cost[seen->n] = cost_of(a, &r);
        seen->gain[seen->n] = runs ? (a->bpb - bpb) / a->s : (double)-INFINITY;
        seen->weight[seen->n++] = MAX(runs, 1);
    }
    return true;
}

/* A plane of two knobs: with few runs a space of thirty dimensions cannot be modelled, and a change
 * of thirty knobs could not be explained. */
static double search_pair(const Asking *a, const Space *space, const Seen *seen, uint64_t seed,
                          const int pair[2], bool process, double x[2])
{
    SearchDim dim[2] = { space->dim[pair[0]], space->dim[pair[1]] };
    SearchPoint *points = NEW(a->arena, SearchPoint, seen->n);
    double *place = NEW(a->arena, double, 2 * (ptrdiff_t)seen->n);
    for (int i = 0; i < seen->n; i++) {
        place[2 * i] = seen->x[i][pair[0]];
        place[2 * i + 1] = seen->x[i][pair[1]];
        points[i] = (SearchPoint){ .x = &place[2 * i],
                                   .gain = seen->gain[i],
                                   .weight = seen->weight[i],
                                   .cost = seen->cost[i],
                                   .pending = seen->pending[i] };
    }
    if (process) return search_gp(dim, 2, points, seen->n, seed, DRAWS, x);
    return search_tpe(dim, 2, points, seen->n, seed, DRAWS, x);
}

static bool best_search(const Asking *a, Proposal *best, Err *err)
{
    Space space;
    space_of(&space, a->champion);
    Seen *seen = NEW(a->arena, Seen, 1);
    if (!look_back(a, &space, seen, err)) return false;
    if (seen->n < SEARCH_FROM || space.dims < 2) return true;
    Rand r = rand_stream((uint64_t)a->asked + 1, "researcher.builtin");
    for (int i = 0; i < PAIRS; i++) {
        int pair[2] = { (int)rand_below(&r, (uint64_t)space.dims), 0 };
        pair[1] = (pair[0] + 1 + (int)rand_below(&r, (uint64_t)space.dims - 1)) % space.dims;
        /* Its time grows with the cube of what was seen: a quarter of the pairs. */
        bool process = i % 4 == 0 && !space.dim[pair[0]].choices && !space.dim[pair[1]].choices;
        double x[2];
        double worth = search_pair(a, &space, seen, rand_u64(&r), pair, process, x);
        Proposal p = { 0 };
        Recipe recipe;
        Err refused = { 0 };
        for (int k = 0; k < 2; k++) space_add(&space, pair[k], x[k], a->champion, &p);
        if (worth <= 0 || p.edits == 0 || refused_before(a, &p) ||
            !proposal_recipe(a, &p, &recipe, &refused) || proposal_known(a, &recipe))
            continue;
        double rate =
            process ? worth : worth / cost_of(a, &recipe); /* the process foretells cost */
        if (rate <= best->worth) continue;
        p.title = space_title(&p, a->arena);
        p.why = process
                    ? "the search model (a Gaussian process) expects most here for its cost, from "
                      "all recipes measured so far"
                    : "the search model (TPE) expects most here for its cost, from all recipes "
                      "measured so far";
        p.refute = "no gain: the model is wrong about these knobs";
        p.predicted = worth * a->s;
        p.confidence = 0.25;
        p.worth = rate;
        *best = p;
    }
    return true;
}

static bool propose(const Asking *a, Proposal *out, bool *none, Err *err)
{
    *out = (Proposal){ .worth = 0 };
    if (command_is(a->champion))
        declared_best(a, out);
    else
        best_play(a, out);
    if (!best_search(a, out, err)) return false;
    *none = out->edits == 0;
    return true;
}

const ResearcherDef researcher_builtin = {
    .name = "builtin",
    .doc = "a playbook of hypotheses and a model-based search; needs no network",
    .propose = propose,
};
