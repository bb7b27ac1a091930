/* cmd_plan.c - `lathe plan`: what to train with so many hours or FLOPs, as a recipe. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "cli/table.h"
#include "lab/forecast.h"

static const CmdOpt opts[] = {
    { "hours", 0, "H", "what may be spent, at the speed of this lab's newest runs" },
    { "flops", 0, "F", "what may be spent, in FLOPs of matrix products" },
    { "law", 0, "FILE", "a table N D loss to fit the law to, instead of the lab's ladder" },
    { "recipe", 0, "FILE", "plan for this recipe instead of the champion" },
    { "output", 'o', "FILE", "write the recipe there (LAB/recipes/plan.toml)" },
    { 0 },
};

static bool read_law(Cmd *c, ForecastAsk *ask, Err *err)
{
    const char *path = cmd_value(c, "law", NULL);
    Table t;
    int N, D, loss;
    if (!path) return true;
    if (!table_read(&t, path, c->arena, err) || !table_need(&t, "N", &N, err) ||
        !table_need(&t, "D", &D, err) || !table_need(&t, "loss", &loss, err))
        return false;
    LawPoint *p = NEW(c->arena, LawPoint, FORECAST_POINTS);
    for (int i = 0; i < MIN(t.rows, FORECAST_POINTS); i++, ask->points++)
        if (!table_number(&t, i, N, &p[i].N, err) || !table_number(&t, i, D, &p[i].D, err) ||
            !table_number(&t, i, loss, &p[i].loss, err))
            return false;
    ask->law = p;
    return true;
}

static bool read_base(Cmd *c, Lab *lab, Recipe *base, Err *err)
{
    const char *path = cmd_value(c, "recipe", NULL), *from;
    if (path ? !recipe_read(base, path, c->arena, err) : !lab_champion(lab, base, &from, err))
        return false;
    if (!recipe_ours(base, "lathe plan", err)) return false;
    recipe_seal(base);
    return true;
}

static bool read_budget(const Cmd *c, ForecastAsk *ask, Err *err)
{
    if (cmd_has(c, "hours") == cmd_has(c, "flops"))
        return err_set(err, ERR_CONFIG, "give either --hours or --flops");
    return cmd_number(c, "hours", 0, 1e-4, 1e6, &ask->hours, err) &&
           cmd_number(c, "flops", 0, 1e6, 1e30, &ask->flops, err);
}

/* ---- saying it ---- */

static void print_loss(const Forecast *f)
{
    if (!f->has_law)
        printf(
            "  loss       not foretold: by the rule of %.0f tokens for each of N, since this lab "
            "has no law of its own; `lathe scale` makes one, --law FILE brings one\n",
            forecast_thumb);
    else if (!forecast_known(f))
        printf("  loss       unknown: more than eight times the largest size that was measured\n");
    else
        printf("  loss       %.4f, 95 %% of runs within %.4f to %.4f, by a law of %d runs\n",
               f->mean.value, f->run.low, f->run.high, f->points);
}

static void print_text(const Forecast *f, const char *path)
{
    const KnobSet *k = &f->made.knobs;
    char tokens[32], time[32];
    printf("%.3g FLOPs: N %.4g (FLOPs of a token over six), %s tokens, %.1f epochs of the text\n",
           f->flops, f->N, str_count(tokens, f->D), f->epochs);
    printf("  model      %lld blocks, width %lld, %lld heads\n",
           (long long)knobs_whole(k, "model.depth"), (long long)knobs_whole(k, "model.width"),
           (long long)knobs_whole(k, "model.heads"));
    printf("  batch      %.0f rows of %lld tokens, rate %.4g\n", f->batch,
           (long long)knobs_whole(k, "model.context"), knobs_number(k, "optim.lr"));
    if (f->speed > 0)
        printf("  time       %s at %.3g FLOPs a second, the speed of this lab's newest runs\n",
               str_seconds(time, f->flops / f->speed), f->speed);
    print_loss(f);
    if (f->epochs > 4)
        printf("  ! beyond four epochs repeats lose their worth; more text would do more than more "
               "hours\n");
    printf("  recipe     %s; lathe train %s\n", path, path);
}

static bool write_recipe(Lab *lab, const Forecast *f, const char *path, Err *err)
{
    Buf text = { 0 };
    recipe_text(&f->made, true, &text);
    bool ok = file_make_dirs(lab_path(lab, "recipes"), err) &&
              file_write_whole(path, buf_view(&text), err);
    buf_free(&text);
    return ok;
}

static bool plan(Cmd *c, Lab *lab, Err *err)
{
    Recipe base;
    Forecast *f = NEW(c->arena, Forecast, 1);
    ForecastAsk ask = { .base = &base };
    if (!read_base(c, lab, &base, err) || !read_budget(c, &ask, err) || !read_law(c, &ask, err) ||
        !forecast(lab, &ask, f, c->arena, err))
        return false;
    if (f->no_law[0]) fprintf(stderr, "no law: %s\n", f->no_law);
    const char *path = cmd_value(c, "output", lab_path(lab, "recipes/plan.toml"));
    if (!write_recipe(lab, f, path, err)) return false;
    if (!c->json) {
        print_text(f, path);
        return true;
    }
    json_t *o = forecast_json(f);
    json_object_set_new(o, "recipe", json_text(str_of(path)));
    cmd_print_json(o);
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
