/* scale.c - sizes of a recipe, and the runs that a law is fitted to.
 *
 * One family of shapes: width is a whole number of the base's heads, depth follows width in the
 * base's proportion.  Growing both keeps a ladder on one line; growing one of them would measure
 * that.  Rates are kept by muP, in whose words width_ratio is the width over the base's: at the
 * base's own width the recipe is unchanged but for the name of the rule.
 *
 * Every size runs at several lengths, so that the two terms of the law are told apart: in tokens
 * for each of N, or, where the largest size has to be cheap, the same tokens for every size. */
#include "lab/scale.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/model.h"

enum { MOST_HEADS = 256, MOST_DEPTH = 128 };

static int vocab_of(const KnobSet *k)
{
    bool bytes = strcmp(knobs_choice(k, "tokenizer.kind"), "bytes") == 0;
    return bytes ? 257 : (int)knobs_whole(k, "tokenizer.vocab");
}

bool scale_size(const Recipe *r, double *N, Err *err)
{
    Model m;
    if (!model_of(&r->knobs, vocab_of(&r->knobs), &m, err)) return false;
    *N = (double)model_flops_per_token(&m) / 6;
    return true;
}

/* The recipe with so many heads of the base's size and depth in proportion. */
static bool shape(const Recipe *base, int heads, Recipe *out, Err *err)
{
    const KnobSet *k = &base->knobs;
    double width = (double)knobs_whole(k, "model.width"),
           own = (double)knobs_whole(k, "model.heads");
    double kv = (double)knobs_whole(k, "model.kv_heads"), ratio = heads / own;
    double depth = fmax(1, nearbyint((double)knobs_whole(k, "model.depth") * ratio));
    double groups = kv > 0 ? own / kv : 0;
    if (groups > 0 && fmod(heads, groups) != 0) return err_set(err, ERR_CONFIG, "no such size");
    return knobs_set_number(&out->knobs, "model.width", width * ratio, err) &&
           knobs_set_number(&out->knobs, "model.heads", heads, err) &&
           knobs_set_number(&out->knobs, "model.depth", depth, err) &&
           (groups == 0 || knobs_set_number(&out->knobs, "model.kv_heads", heads / groups, err));
}

static bool scaled_by_rule(const Recipe *base)
{
    return strcmp(knobs_choice(&base->knobs, "model.scaling"), "mup") == 0;
}

static bool sized(const Recipe *base, int size, bool dial, Recipe *out, Err *err)
{
    if (dial) return knobs_set_number(&out->knobs, "depth", size, err);
    double width = (double)knobs_whole(&base->knobs, "model.width");
    bool ok = shape(base, size, out, err);
    if (ok && !scaled_by_rule(base))
        ok = knobs_set(&out->knobs, "model.scaling", STR("mup"), "the ladder", err) &&
             knobs_set_number(&out->knobs, "model.mup_base", width, err);
    return ok;
}

/* N of the base at one size; 0 where there is no such size. */
static double size_at(const Recipe *base, int size, bool dial, Arena scratch)
{
    Recipe r;
    Err none = { 0 };
    double N = 0;
    recipe_copy(&r, base, &scratch);
    if (!sized(base, size, dial, &r, &none)) return 0;
    recipe_seal(&r);
    return scale_size(&r, &N, &none) ? N : 0;
}

bool scale_recipe(const Recipe *base, double N, double tokens, Recipe *out, double *reached,
                  Arena *arena, Err *err)
{
    bool dial = knobs_whole(&base->knobs, "depth") > 0;
    int best = 0, most = dial ? MOST_DEPTH : MOST_HEADS;
    double off = 1e300;
    for (int size = 1; size <= most; size++) {
        double is = size_at(base, size, dial, *arena);
        if (is > 0 && fabs(log(is / N)) < off) {
            off = fabs(log(is / N));
            best = size;
        }
        if (is > 4 * N) break; /* sizes ascend */
    }
    if (best == 0)
        return err_set(err, ERR_CONFIG, "the recipe has no size near %.3g FLOPs a token", 6 * N);
    recipe_copy(out, base, arena);
    if (!sized(base, best, dial, out, err) ||
        !knobs_set(&out->knobs, "budget.frame", STR("tokens"), "the ladder", err) ||
        !knobs_set_number(&out->knobs, "budget.tokens", floor(tokens), err) ||
        !knobs_set_number(&out->knobs, "train.steps", 0, err) || !recipe_check(out, err))
        return false;
    recipe_seal(out);
    return scale_size(out, reached, err);
}

bool scale_plan(const Recipe *base, const ScaleGrid *grid, ScaleRung *rung, int *count,
                Arena *arena, Err *err)
{
    double own, before = 0;
    *count = 0;
    if (!scale_size(base, &own, err)) return false;
    for (int i = 0; i < grid->sizes; i++) {
        Recipe r;
        double N;
        if (!scale_recipe(base, grid->size[i] * own, 1e6, &r, &N, arena, err)) return false;
        if (N == before) continue; /* two wishes, one size */
        before = N;
        for (int k = 0; k < grid->lengths; k++) {
            ScaleRung *g = &rung[(*count)++];
            *g = (ScaleRung){ .N = N, .tokens = floor(grid->length[k] * (grid->tokens ? 1 : N)) };
            if (!scale_recipe(base, N, g->tokens, &g->recipe, &g->N, arena, err)) return false;
        }
    }
    return true;
}

/* A ladder's name in the ledger: no question has such a one. */
static const char *ladder_of(const Recipe *base, char out[32])
{
    snprintf(out, 32, "ladder-%.12s", base->sha256);
    return out;
}

bool scale_run(Lab *lab, const Recipe *base, ScaleRung *rung, int threads, RunWatch watch, Err *err)
{
    char name[32];
    RunJob job = { .recipe = &rung->recipe,
                   .seed = 1,
                   .purpose = "ladder",
                   .question = ladder_of(base, name),
                   .threads = threads,
                   .watch = watch };
    if (!lab_run(lab, &job, &rung->result, err)) return false;
    rung->done = true;
    rung->failed = rung->result.failed;
    return true;
}

bool scale_points(Lab *lab, const Recipe *base, LawPoint *p, int cap, int *count, Err *err)
{
    char sql[400], name[32];
    json_t *rows = NULL, *row;
    size_t i;
    snprintf(sql, sizeof(sql),
             "SELECT r.recipe, x.bpb, x.tokens FROM runs r JOIN results x ON x.run = r.run WHERE "
             "r.purpose='ladder' AND r.question='%s' AND x.bpb IS NOT NULL AND NOT x.failed ORDER "
             "BY r.seq",
             ladder_of(base, name));
    *count = 0;
    if (!ledger_query(lab->ledger, sql, cap, &rows, err)) return false;
    bool ok = true;
    json_array_foreach(rows, i, row)
    {
        Recipe r;
        ok = ok && lab_recipe(lab, json_str(row, "recipe", ""), &r, err) &&
             scale_size(&r, &p[*count].N, err);
        if (!ok) break;
        p[*count].D = json_num(row, "tokens", 0);
        p[(*count)++].loss = json_num(row, "bpb", 0);
    }
    json_decref(rows);
    return ok;
}

bool scale_speed(Lab *lab, double *flops_per_s, Err *err)
{
    json_t *rows = NULL;
    *flops_per_s = 0;
    if (!ledger_query(lab->ledger,
                      "SELECT sum(flops) / sum(seconds) AS speed FROM (SELECT flops, seconds FROM "
                      "results WHERE seconds > 0 ORDER BY seq DESC LIMIT 12)",
                      1, &rows, err))
        return false;
    *flops_per_s = json_num(json_array_get(rows, 0), "speed", 0);
    json_decref(rows);
    return true;
}
