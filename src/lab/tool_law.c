/* tool_law.c - the law of loss in size and length, and the run that follows from it.
 *
 * The points are those of the lab's ladder of the champion (`lathe scale`): a law of other recipes'
 * runs would foretell other recipes. */
#include <math.h>
#include <string.h>

#include "lab/forecast.h"
#include "lab/tool_private.h"

enum { BOOT = 200 };

static json_t *range_json(LawRange r)
{
    return json_pack("[o, o, o]", json_num_of(r.value), json_num_of(r.low), json_num_of(r.high));
}

static bool champion_points(ToolCall *c, Recipe *base, LawPoint *p, int *n, Err *err)
{
    const char *from;
    if (!lab_champion(c->lab, base, &from, err) || !recipe_ours(base, "this tool", err))
        return false;
    recipe_seal(base);
    return scale_points(c->lab, base, p, FORECAST_POINTS, n, err);
}

/* ---- fit ---- */

/* Why the law is not to be believed; "" where nothing speaks against it. */
static const char *doubt(const LawFit *fit, LawRange a, LawRange b, int few)
{
    if (fit->at_edge) return "an exponent or E ran to the end of its range: not determined";
    if (a.high - a.low > fit->law.a || b.high - b.low > fit->law.b)
        return "an exponent is known to no better than its own size: more sizes and lengths, "
               "further apart, would pin it down";
    if (few > 0) return "few points decide an exponent";
    return "";
}

static json_t *best_json(const LawFit *fit, const Law *boot, double flops)
{
    if (flops <= 0) return json_null();
    LawOptimum best = law_optimum(&fit->law, flops);
    return json_pack("{s:f, s:f, s:f, s:o}", "flops", flops, "N", best.N, "D", best.D, "loss",
                     range_json(law_predict(fit, boot, BOOT, best.N, best.D, 0)));
}

static json_t *points_json(const LawPoint *p, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < MIN(n, SCALE_RUNS); i++)
        json_array_append_new(list, json_pack("[f, f, f]", p[i].N, p[i].D, p[i].loss));
    return list;
}

static bool fit(ToolCall *c, json_t **out, Err *err)
{
    Recipe *base = NEW(c->lab->arena, Recipe, 1);
    LawPoint *p = NEW(c->lab->arena, LawPoint, FORECAST_POINTS);
    LawFit f, without;
    int n = 0, hangs[LAW_FEW];
    if (!champion_points(c, base, p, &n, err)) return false;
    if (n == 0)
        return err_set(err, ERR_CONFIG,
                       "no ladder of the champion was run: a person makes one with `lathe scale`");
    if (!law_fit(p, n, &f, err)) return false;
    const Law *boot = law_bootstrap(p, n, &f, BOOT, 1, c->lab->arena);
    LawRange a = law_range(&f, boot, BOOT, LAW_A_EXPONENT),
             b = law_range(&f, boot, BOOT, LAW_B_EXPONENT);
    int few = law_hangs_on(p, n, &f, hangs, &without);
    *out = json_pack("{s:o, s:f, s:f, s:o, s:o, s:o, s:f, s:s, s:o, s:o}", "E",
                     range_json(law_range(&f, boot, BOOT, LAW_E)), "A", f.law.A, "B", f.law.B,
                     "alpha", range_json(a), "beta", range_json(b), "N_exponent",
                     range_json(law_range(&f, boot, BOOT, LAW_N_EXPONENT)), "spread", f.spread,
                     "doubt", doubt(&f, a, b, few), "best",
                     best_json(&f, boot, json_num(c->args, "flops", 0)), "points_N_D_loss",
                     points_json(p, n));
    return true;
}

static const ToolArg fit_args[] = {
    { .knob = { .name = "flops",
                .type = KNOB_NUMBER,
                .min = 0,
                .max = 1e30,
                .doc = "also the best split of so many FLOPs, and its loss; 0: none" } },
    ARG_END,
};

const ToolDef tool_fit = {
    .name = "fit",
    .doc = "The law of loss through the ladder of the champion, L = E + A / N^alpha + B / D^beta, "
           "each with a 95 % interval as [value, low, high], what speaks against it (doubt), and "
           "the points. N is a token's FLOPs over six, D tokens, L bits per byte.",
    .args = fit_args,
    .call = fit,
};

/* ---- plan ---- */

static bool plan(ToolCall *c, json_t **out, Err *err)
{
    const char *from;
    Recipe *base = NEW(c->lab->arena, Recipe, 1);
    Forecast *f = NEW(c->lab->arena, Forecast, 1);
    if (!lab_champion(c->lab, base, &from, err) || !recipe_ours(base, "this tool", err))
        return false;
    recipe_seal(base);
    ForecastAsk ask = { .base = base,
                        .hours = json_num(c->args, "hours", 0),
                        .flops = json_num(c->args, "flops", 0) };
    if (!forecast(c->lab, &ask, f, c->lab->arena, err)) return false;
    *out = forecast_json(f);
    json_object_set_new(*out, "text_tokens", json_real(f->unique));
    if (!f->has_law)
        json_object_set_new(*out, "why_no_loss",
                            json_text(str_of(f->no_law[0] ? f->no_law
                                                          : "no law: too few runs of a ladder of "
                                                            "the champion (`lathe scale`); the "
                                                            "split is 20 tokens for each of N")));
    return true;
}

static const ToolArg plan_args[] = {
    { .knob = { .name = "hours",
                .type = KNOB_NUMBER,
                .min = 0,
                .max = 1e6,
                .unit = "hours",
                .doc = "what the run may take at the lab's speed; or give flops" } },
    { .knob = { .name = "flops",
                .type = KNOB_NUMBER,
                .min = 0,
                .max = 1e30,
                .doc = "what the run may cost in FLOPs of matrix products; or give hours" } },
    ARG_END,
};

const ToolDef tool_plan = {
    .name = "plan",
    .doc = "The run to make with a budget: size, length, batch and rate of the champion's recipe "
           "grown to it, how often it sees the text (epochs), and the loss that the lab's law "
           "foretells with the interval of 95 % of runs. Nothing is run.",
    .args = plan_args,
    .call = plan,
};
