/* cmd_plan.c - `lathe plan`: what to train with so many hours or FLOPs, as a recipe.
 *
 * Size and length come from a law: of this lab's ladder (`lathe scale`), or of a table of runs.
 * Without one the rule of thumb is 20 tokens for each of N, and no loss is foretold.  Where the
 * text is shorter than the run, repeats are worth less (Muennighoff et al. 2023), and the best
 * split moves to larger models and fewer epochs; the worth of repeats is theirs, the law is ours.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "cli/table.h"
#include "data/mixture.h"
#include "lab/scale.h"
#include "science/minimize.h"

enum { BOOT = 200, POINTS = 512 };
static const double thumb = 20, batch_power = 0.383; /* of tokens: Bergsma et al. 2025 */

static const CmdOpt opts[] = {
    { "hours", 0, "H", "what may be spent, at the speed of this lab's newest runs" },
    { "flops", 0, "F", "what may be spent, in FLOPs of matrix products" },
    { "law", 0, "FILE", "a table N D loss to fit the law to, instead of the lab's ladder" },
    { "recipe", 0, "FILE", "plan for this recipe instead of the champion" },
    { "output", 'o', "FILE", "write the recipe there (LAB/recipes/plan.toml)" },
    { 0 },
};

typedef struct Plan {
    Recipe base, made;
    double flops, speed, unique; /* unique: tokens of the text */
    LawPoint p[POINTS];
    int n;
    bool has_law;
    LawFit fit;
    Law *boot;
    double N, D, epochs, largest;
    LawRange mean, run;
    double batch;
} Plan;

static bool read_law(Cmd *c, Lab *lab, Plan *p, Err *err)
{
    const char *path = cmd_value(c, "law", NULL);
    if (!path) return scale_points(lab, &p->base, p->p, POINTS, &p->n, err);
    Table t;
    int N, D, loss;
    if (!table_read(&t, path, c->arena, err) || !table_need(&t, "N", &N, err) ||
        !table_need(&t, "D", &D, err) || !table_need(&t, "loss", &loss, err))
        return false;
    for (int i = 0; i < t.rows && p->n < POINTS; i++, p->n++)
        if (!table_number(&t, i, N, &p->p[i].N, err) || !table_number(&t, i, D, &p->p[i].D, err) ||
            !table_number(&t, i, loss, &p->p[i].loss, err))
            return false;
    return true;
}

static bool read_base(Cmd *c, Lab *lab, Plan *p, Err *err)
{
    const char *path = cmd_value(c, "recipe", NULL), *from;
    Mixture m = { 0 };
    if (path ? !recipe_read(&p->base, path, c->arena, err)
             : !lab_champion(lab, &p->base, &from, err))
        return false;
    recipe_seal(&p->base);
    if (!mixture_open(&m, lab->dir, &p->base.knobs, c->arena, err)) return false;
    p->unique = (double)m.tokens;
    mixture_close(&m);
    return true;
}

static bool read_budget(Cmd *c, Lab *lab, Plan *p, Err *err)
{
    double hours;
    if (cmd_has(c, "hours") == cmd_has(c, "flops"))
        return err_set(err, ERR_CONFIG, "give either --hours or --flops");
    if (!cmd_number(c, "hours", 0, 1e-4, 1e6, &hours, err) ||
        !cmd_number(c, "flops", 0, 1e6, 1e30, &p->flops, err) || !scale_speed(lab, &p->speed, err))
        return false;
    if (cmd_has(c, "flops")) return true;
    if (p->speed <= 0)
        return err_set(err, ERR_CONFIG,
                       "nothing has run in this lab yet, so that hours cannot be counted in FLOPs: "
                       "train something first, or give --flops");
    p->flops = hours * 3600 * p->speed;
    return true;
}

/* ---- the best split ---- */

static double loss_at(double log_N, void *ctx)
{
    const Plan *p = ctx;
    double N = exp(log_N), D = p->flops / 6 / N;
    LawData law = { p->fit.law, law_muennighoff.R_N, law_muennighoff.R_D };
    return law_data_loss(&law, N, D, p->unique);
}

static bool split(Cmd *c, Plan *p, Err *err)
{
    p->has_law = p->n >= 6 && law_fit(p->p, p->n, &p->fit, err) && !p->fit.at_edge;
    if (err->code) fprintf(stderr, "no law: %s\n", err->msg);
    *err = (Err){ 0 };
    p->N = sqrt(p->flops / 6 / thumb);
    if (p->has_law) {
        double at;
        minimize_line(loss_at, p, log(p->N) - 7, log(p->N) + 7, &at);
        p->N = exp(at);
        p->boot = law_bootstrap(p->p, p->n, &p->fit, BOOT, 1, c->arena);
        for (int i = 0; i < p->n; i++) p->largest = fmax(p->largest, p->p[i].N);
    }
    double wish = p->N;
    if (!scale_recipe(&p->base, wish, 1e6, &p->made, &p->N, c->arena, err)) return false;
    p->D = floor(p->flops / 6 / p->N);
    p->epochs = p->D / fmax(p->unique, 1);
    return scale_recipe(&p->base, p->N, p->D, &p->made, &p->N, c->arena, err);
}

static double own_tokens(const Plan *p)
{
    const KnobSet *k = &p->base.knobs;
    double N;
    Err none = { 0 };
    if (strcmp(recipe_budget(&p->base), "budget.tokens") == 0)
        return knobs_number(k, "budget.tokens");
    return scale_size(&p->base, &N, &none) ? knobs_number(k, "budget.flops") / 6 / N : p->D;
}

/* The batch grows with the length of the run; the dial has its own rule. */
static bool set_batch(Plan *p, Err *err)
{
    const KnobSet *k = &p->base.knobs;
    double rows = (double)knobs_whole(k, "train.batch");
    p->batch = rows;
    if (knobs_whole(k, "depth") > 0) return true;
    double want = rows * pow(p->D / fmax(own_tokens(p), 1), batch_power);
    p->batch = fmax(1, pow(2, nearbyint(log2(want))));
    double lr = knobs_number(k, "optim.lr") * sqrt(p->batch / rows);
    if (!knobs_set_number(&p->made.knobs, "train.batch", p->batch, err) ||
        !knobs_set_number(&p->made.knobs, "optim.lr", lr, err) || !recipe_check(&p->made, err))
        return false;
    recipe_seal(&p->made);
    return true;
}

static void foretell(Plan *p)
{
    if (!p->has_law) return;
    /* Repeats: the fresh tokens that they are worth. */
    double D = p->D, fresh = fmin(p->unique, D), R = law_muennighoff.R_D;
    double worth = fresh * (1 + R * (1 - exp(-(D / fresh - 1) / R)));
    p->mean = law_predict(&p->fit, p->boot, BOOT, p->N, worth, 0);
    p->run = law_predict(&p->fit, p->boot, BOOT, p->N, worth, p->fit.spread);
    LawRange profile = law_profile_loss(p->p, p->n, &p->fit, p->N, worth);
    double noise = 2 * p->fit.spread * p->mean.value;
    if (isfinite(profile.low)) p->run.low = fmin(p->run.low, profile.low - noise);
    if (isfinite(profile.high)) p->run.high = fmax(p->run.high, profile.high + noise);
}

/* ---- saying it ---- */

static void print_text(const Plan *p, const char *path)
{
    const KnobSet *k = &p->made.knobs;
    char tokens[32], time[32];
    printf("%.3g FLOPs: N %.4g (FLOPs of a token over six), %s tokens, %.1f epochs of the text\n",
           p->flops, p->N, str_count(tokens, p->D), p->epochs);
    printf("  model      %lld blocks, width %lld, %lld heads\n",
           (long long)knobs_whole(k, "model.depth"), (long long)knobs_whole(k, "model.width"),
           (long long)knobs_whole(k, "model.heads"));
    printf("  batch      %.0f rows of %lld tokens, rate %.4g\n", p->batch,
           (long long)knobs_whole(k, "model.context"), knobs_number(k, "optim.lr"));
    if (p->speed > 0)
        printf("  time       %s at %.3g FLOPs a second, the speed of this lab's newest runs\n",
               str_seconds(time, p->flops / p->speed), p->speed);
    if (!p->has_law)
        printf(
            "  loss       not foretold: by the rule of %.0f tokens for each of N, since this lab "
            "has no law of its own; `lathe scale` makes one, --law FILE brings one\n",
            thumb);
    else if (p->N > 8 * p->largest)
        printf("  loss       unknown: more than eight times the largest size that was measured\n");
    else
        printf("  loss       %.4f, 95 %% of runs within %.4f to %.4f, by a law of %d runs\n",
               p->mean.value, p->run.low, p->run.high, p->n);
    if (p->epochs > 4)
        printf("  ! beyond four epochs repeats lose their worth; more text would do more than more "
               "hours\n");
    printf("  recipe     %s; lathe train %s\n", path, path);
}

static void print_json(const Plan *p, const char *path)
{
    const KnobSet *k = &p->made.knobs;
    bool known = p->has_law && p->N <= 8 * p->largest;
    double nan = (double)NAN;
    cmd_print_json(json_pack(
        "{s:f, s:o, s:f, s:f, s:f, s:I, s:I, s:f, s:f, s:o, s:o, s:o, s:b, s:i, s:o}", "flops",
        p->flops, "seconds", json_num_of(p->speed > 0 ? p->flops / p->speed : nan), "N", p->N, "D",
        p->D, "epochs", p->epochs, "depth", (json_int_t)knobs_whole(k, "model.depth"), "width",
        (json_int_t)knobs_whole(k, "model.width"), "batch", p->batch, "lr",
        knobs_number(k, "optim.lr"), "loss", json_num_of(known ? p->mean.value : nan), "low",
        json_num_of(known ? p->run.low : nan), "high", json_num_of(known ? p->run.high : nan),
        "law", p->has_law, "points", p->n, "recipe", json_text(str_of(path))));
}

static bool plan(Cmd *c, Lab *lab, Err *err)
{
    Plan *p = NEW(c->arena, Plan, 1);
    Buf text = { 0 };
    if (!read_base(c, lab, p, err) || !read_budget(c, lab, p, err) || !read_law(c, lab, p, err) ||
        !split(c, p, err) || !set_batch(p, err))
        return false;
    foretell(p);
    const char *path = cmd_value(c, "output", lab_path(lab, "recipes/plan.toml"));
    recipe_text(&p->made, true, &text);
    bool ok = file_make_dirs(lab_path(lab, "recipes"), err) &&
              file_write_whole(path, buf_view(&text), err);
    buf_free(&text);
    if (!ok) return false;
    if (c->json)
        print_json(p, path);
    else
        print_text(p, path);
    return true;
}

static bool run(Cmd *c, Err *err)
{
    Lab lab;
    if (!lab_open(&lab, c->lab, LEDGER_READ, c->arena, err)) return false;
    bool ok = plan(c, &lab, err);
    lab_close(&lab);
    return ok;
}

const CmdDef cmd_plan = {
    .name = "plan",
    .args = "",
    .doc = "the run to make with so many hours or FLOPs, as a recipe, with its expected loss",
    .more = "Size and length are the best split of the budget by the law of this lab's ladder "
            "(`lathe scale`) or of --law; repeats of the text count for what they are worth. The "
            "rate is kept by muP and moves with the square root of the batch.",
    .opts = opts,
    .max_args = 0,
    .needs_lab = true,
    .json = true,
    .run = run,
};
