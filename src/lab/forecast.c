/* forecast.c - splitting a budget between size and length, and foretelling the loss.
 *
 * The batch grows with the length of the run by the power of Bergsma et al. 2025
 * (arXiv:2505.13738), and the rate with the square root of the batch; a recipe that follows the
 * dial `depth` has its own rule for both.  The interval of the loss is the wider of the bootstrap's
 * and the profile likelihood's, which fail differently (science/law_interval.c). */
#include "lab/forecast.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/mixture.h"
#include "science/minimize.h"

enum { BOOT = 200 };
const double forecast_thumb = 20;
static const double batch_power = 0.383, reach = 8; /* sizes over the largest measured one */

typedef struct Split {
    const Recipe *base;
    const LawPoint *p;
    LawFit fit;
    Law *boot;
    Forecast *f;
} Split;

/* ---- the best split ---- */

static double loss_at(double log_N, void *self)
{
    const Split *w = self;
    double N = exp(log_N), D = w->f->flops / 6 / N;
    LawData law = { w->fit.law, law_muennighoff.R_N, law_muennighoff.R_D };
    return law_data_loss(&law, N, D, w->f->unique);
}

static void fit_law(Split *w, Arena *arena)
{
    Err why = { 0 };
    Forecast *f = w->f;
    f->has_law = f->points >= 6 && law_fit(w->p, f->points, &w->fit, &why) && !w->fit.at_edge;
    snprintf(f->no_law, sizeof(f->no_law), "%s", why.msg);
    for (int i = 0; i < f->points; i++) f->largest = fmax(f->largest, w->p[i].N);
    if (f->has_law) w->boot = law_bootstrap(w->p, f->points, &w->fit, BOOT, 1, arena);
}

static bool split(Split *w, Arena *arena, Err *err)
{
    Forecast *f = w->f;
    double wish = sqrt(f->flops / 6 / forecast_thumb);
    if (f->has_law) {
        double at;
        minimize_line(loss_at, w, log(wish) - 7, log(wish) + 7, &at);
        wish = exp(at);
    }
    if (!scale_recipe(w->base, wish, 1e6, &f->made, &f->N, arena, err)) return false;
    f->D = floor(f->flops / 6 / f->N);
    f->epochs = f->D / fmax(f->unique, 1);
    return scale_recipe(w->base, f->N, f->D, &f->made, &f->N, arena, err);
}

static double own_tokens(const Split *w)
{
    const KnobSet *k = &w->base->knobs;
    double N;
    Err none = { 0 };
    if (strcmp(recipe_budget(w->base), "budget.tokens") == 0)
        return knobs_number(k, "budget.tokens");
    return scale_size(w->base, &N, &none) ? knobs_number(k, "budget.flops") / 6 / N : w->f->D;
}

static bool set_batch(const Split *w, Err *err)
{
    Forecast *f = w->f;
    const KnobSet *k = &w->base->knobs;
    double rows = (double)knobs_whole(k, "train.batch");
    f->batch = rows;
    if (knobs_whole(k, "depth") > 0) return true;
    double want = rows * pow(f->D / fmax(own_tokens(w), 1), batch_power);
    f->batch = fmax(1, pow(2, nearbyint(log2(want))));
    double lr = knobs_number(k, "optim.lr") * sqrt(f->batch / rows);
    if (!knobs_set_number(&f->made.knobs, "train.batch", f->batch, err) ||
        !knobs_set_number(&f->made.knobs, "optim.lr", lr, err) || !recipe_check(&f->made, err))
        return false;
    recipe_seal(&f->made);
    return true;
}

static void foretell(const Split *w)
{
    Forecast *f = w->f;
    const LawFit *fit = &w->fit;
    if (!f->has_law) return;
    /* Repeats: the fresh tokens that they are worth. */
    double D = f->D, fresh = fmin(f->unique, D), R = law_muennighoff.R_D;
    double worth = fresh * (1 + R * (1 - exp(-(D / fresh - 1) / R)));
    f->mean = law_predict(fit, w->boot, BOOT, f->N, worth, 0);
    f->run = law_predict(fit, w->boot, BOOT, f->N, worth, fit->spread);
    LawRange profile = law_profile_loss(w->p, f->points, fit, f->N, worth);
    double noise = 2 * fit->spread * f->mean.value;
    if (isfinite(profile.low)) f->run.low = fmin(f->run.low, profile.low - noise);
    if (isfinite(profile.high)) f->run.high = fmax(f->run.high, profile.high + noise);
}

/* ---- what it starts from ---- */

static bool read_budget(Lab *lab, const ForecastAsk *ask, Forecast *f, Err *err)
{
    if ((ask->hours > 0) == (ask->flops > 0))
        return err_set(err, ERR_CONFIG, "give either hours or flops");
    if (!scale_speed(lab, &f->speed, err)) return false;
    f->flops = ask->flops > 0 ? ask->flops : ask->hours * 3600 * f->speed;
    if (f->flops > 0) return true;
    return err_set(err, ERR_CONFIG,
                   "nothing has run in this lab yet, so that hours cannot be counted in FLOPs: "
                   "train something first, or give flops");
}

static bool read_points(Lab *lab, const ForecastAsk *ask, Split *w, Arena *arena, Err *err)
{
    w->p = ask->law;
    w->f->points = ask->points;
    if (w->p) return true;
    LawPoint *own = NEW(arena, LawPoint, FORECAST_POINTS);
    w->p = own;
    return scale_points(lab, ask->base, own, FORECAST_POINTS, &w->f->points, err);
}

static bool read_text(Lab *lab, const Recipe *base, double *tokens, Arena *arena, Err *err)
{
    Mixture m = { 0 };
    if (!mixture_open(&m, lab->dir, &base->knobs, arena, err)) return false;
    *tokens = (double)m.tokens;
    mixture_close(&m);
    return true;
}

bool forecast(Lab *lab, const ForecastAsk *ask, Forecast *out, Arena *arena, Err *err)
{
    Split *w = NEW(arena, Split, 1);
    *out = (Forecast){ 0 };
    *w = (Split){ .base = ask->base, .f = out };
    if (!read_budget(lab, ask, out, err) || !read_text(lab, ask->base, &out->unique, arena, err) ||
        !read_points(lab, ask, w, arena, err))
        return false;
    fit_law(w, arena);
    if (!split(w, arena, err) || !set_batch(w, err)) return false;
    foretell(w);
    return true;
}

/* ---- as numbers ---- */

bool forecast_known(const Forecast *f)
{
    return f->has_law && f->N <= reach * f->largest;
}

json_t *forecast_json(const Forecast *f)
{
    const KnobSet *k = &f->made.knobs;
    double none = (double)NAN;
    bool known = forecast_known(f);
    return json_pack(
        "{s:f, s:o, s:f, s:f, s:f, s:I, s:I, s:f, s:f, s:o, s:o, s:o, s:b, s:i}", "flops", f->flops,
        "seconds", json_num_of(f->speed > 0 ? f->flops / f->speed : none), "N", f->N, "D", f->D,
        "epochs", f->epochs, "depth", (json_int_t)knobs_whole(k, "model.depth"), "width",
        (json_int_t)knobs_whole(k, "model.width"), "batch", f->batch, "lr",
        knobs_number(k, "optim.lr"), "loss", json_num_of(known ? f->mean.value : none), "low",
        json_num_of(known ? f->run.low : none), "high", json_num_of(known ? f->run.high : none),
        "law", f->has_law, "points", f->points);
}
