/* cmd_fit.c - the law of loss in N and D, from any table of finished runs.
 *
 * What comes out is meant to be doubted: each number has two intervals that fail differently
 * (science/law_interval.c), an answer that 2 % of the points decide is said to be one, parabolas
 * are shown with their own bias, and a point beyond what was measured says how far beyond. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/table.h"
#include "lab/svg.h"
#include "science/law.h"

enum { BOOT = 200, PREDICTIONS = 32, PROFILES = 64 };
static const double same_budget = 0.1; /* FLOPs within 10 % are one isoFLOP profile */

static const CmdOpt opts[] = {
    { "predict", 0, "N,D", "the loss of N parameters on D tokens; may be repeated" },
    { "flops", 0, "C", "the best split of C FLOPs (6 N D)" },
    { "svg", 0, "FILE", "draw the points and the law there" },
    { 0 },
};

typedef struct Wanted {
    double N, D;
    LawRange mean, run, profile;
    double beyond; /* its FLOPs over the most that was measured */
} Wanted;

typedef struct Fitted {
    LawPoint *p;
    int *line, n;
    LawFit fit, without;
    Law *boot;
    int hangs[LAW_FEW], few;
    LawRange E, a, b, N_exponent, a_profile, b_profile;
    LawProfile profile[PROFILES];
    int profiles;
    double slope, bias, most_flops;
    Wanted wanted[PREDICTIONS];
    int n_wanted;
} Fitted;

/* ---- reading ---- */

static int find_any(const Table *t, const char *const *names)
{
    for (; *names; names++) {
        int column = table_find(t, *names);
        if (column >= 0) return column;
    }
    return -1;
}

static bool read_points(const Table *t, Fitted *f, Arena *arena, Err *err)
{
    static const char *const N_names[] = { "N", "params", "parameters", "model size", NULL };
    static const char *const D_names[] = { "D", "tokens", NULL };
    static const char *const C_names[] = { "C", "flops", "flop", "training flop", NULL };
    int N = find_any(t, N_names), D = find_any(t, D_names), C = find_any(t, C_names), loss;
    if (N < 0 && !table_need(t, "N", &N, err)) return false;
    if (D < 0 && C < 0 && !table_need(t, "D", &D, err)) return false;
    if (!table_need(t, "loss", &loss, err)) return false;
    f->p = NEW(arena, LawPoint, t->rows + 1);
    f->line = t->line;
    for (int i = 0; i < t->rows; i++) {
        LawPoint *p = &f->p[i];
        double other;
        if (!table_number(t, i, N, &p->N, err) || !table_number(t, i, loss, &p->loss, err) ||
            !table_number(t, i, D >= 0 ? D : C, &other, err))
            return false;
        p->D = D >= 0 ? other : other / 6 / p->N;
        if (!(p->N > 0 && p->D > 0 && p->loss > 0) || !isfinite(p->N * p->D * p->loss))
            return err_set(err, ERR_FORMAT, "%s:%d: N, D and loss must be positive numbers",
                           t->path, t->line[i]);
        f->most_flops = fmax(f->most_flops, 6 * p->N * p->D);
    }
    f->n = t->rows;
    return true;
}

static bool read_wanted(const Cmd *c, Fitted *f, Err *err)
{
    const char *text;
    double flops;
    for (int i = 0; (text = cmd_nth(c, "predict", i)); i++) {
        Wanted *w = &f->wanted[f->n_wanted];
        Str rest = str_of(text), piece;
        bool good = f->n_wanted < PREDICTIONS && str_cut(&rest, ',', &piece) &&
                    str_to_double(str_trim(piece), &w->N) && str_to_double(str_trim(rest), &w->D) &&
                    w->N > 0 && w->D > 0;
        if (!good)
            return err_set(err, ERR_CONFIG,
                           "--predict %.60s: two positive numbers with a comma are wanted, at most "
                           "%d times",
                           text, PREDICTIONS - 1);
        f->n_wanted++;
    }
    if (!cmd_has(c, "flops")) return true;
    if (!cmd_number(c, "flops", 0, 1, 1e40, &flops, err)) return false;
    LawOptimum best = law_optimum(&f->fit.law, flops);
    f->wanted[f->n_wanted++] = (Wanted){ .N = best.N, .D = best.D };
    return true;
}

/* ---- fitting ---- */

static bool compute(Cmd *c, Fitted *f, Err *err)
{
    if (!law_fit(f->p, f->n, &f->fit, err) || !read_wanted(c, f, err)) return false;
    f->boot = law_bootstrap(f->p, f->n, &f->fit, BOOT, 1, c->arena);
    f->few = law_hangs_on(f->p, f->n, &f->fit, f->hangs, &f->without);
    f->E = law_range(&f->fit, f->boot, BOOT, LAW_E);
    f->a = law_range(&f->fit, f->boot, BOOT, LAW_A_EXPONENT);
    f->b = law_range(&f->fit, f->boot, BOOT, LAW_B_EXPONENT);
    f->N_exponent = law_range(&f->fit, f->boot, BOOT, LAW_N_EXPONENT);
    f->a_profile = law_profile_exponent(f->p, f->n, &f->fit, LAW_A_EXPONENT);
    f->b_profile = law_profile_exponent(f->p, f->n, &f->fit, LAW_B_EXPONENT);
    f->profiles = law_profiles(f->p, f->n, same_budget, f->profile, PROFILES);
    f->slope = law_profile_slope(f->profile, f->profiles);
    f->bias = law_profile_bias(f->p, f->n, same_budget, &f->fit.law);
    for (int i = 0; i < f->n_wanted; i++) {
        Wanted *w = &f->wanted[i];
        w->mean = law_predict(&f->fit, f->boot, BOOT, w->N, w->D, 0);
        w->run = law_predict(&f->fit, f->boot, BOOT, w->N, w->D, f->fit.spread);
        w->profile = law_profile_loss(f->p, f->n, &f->fit, w->N, w->D);
        w->beyond = 6 * w->N * w->D / f->most_flops;
    }
    return true;
}

/* Why the answer is not to be believed, or NULL. */
static const char *doubt(const Fitted *f)
{
    double a = f->a_profile.high - f->a_profile.low, b = f->b_profile.high - f->b_profile.low;
    if (f->fit.at_edge)
        return "an exponent or E ran to the end of its range: these points do not determine the "
               "law";
    if (!isfinite(a) || !isfinite(b) || a > f->fit.law.a || b > f->fit.law.b)
        return "an exponent is known to no better than its own size: more sizes and lengths, "
               "further apart, would pin it down";
    return NULL;
}

/* ---- saying it ---- */

static void print_range(const char *name, LawRange r, const LawRange *profile)
{
    printf("  %-12s %10.5g   bootstrap %.4g to %.4g", name, r.value, r.low, r.high);
    if (profile) printf("   profile %.4g to %.4g", profile->low, profile->high);
    printf("\n");
}

static void print_hanging(const Fitted *f)
{
    if (f->few == 0) return;
    printf("  ! the answer hangs on %d of %d points (lines", f->few, f->n);
    for (int i = 0; i < f->few; i++) printf(" %d", f->line[f->hangs[i]]);
    printf("): without them E %.4f, a %.4f, b %.4f, objective %.9g\n", f->without.law.E,
           f->without.law.a, f->without.law.b, f->without.objective);
}

static void print_profiles(const Fitted *f)
{
    int inside = 0;
    for (int i = 0; i < f->profiles; i++) inside += f->profile[i].inside;
    if (inside < 2) return;
    printf(
        "  isoFLOP      N ~ C^%.4f from %d parabolas with their lowest point inside; without any "
        "noise such parabolas are off by %+.4f on this law and these sizes\n",
        f->slope, inside, f->bias);
}

static void print_text(const Fitted *f)
{
    const Law *l = &f->fit.law;
    const char *why = doubt(f);
    printf(
        "L = %.5g + %.5g / N^%.5g + %.5g / D^%.5g   on %d points, objective %.9g, a point scatters "
        "by %.2f %%\n",
        l->E, l->A, l->a, l->B, l->b, f->n, f->fit.objective, 100 * f->fit.spread);
    print_range("E", f->E, NULL);
    print_range("a", f->a, &f->a_profile);
    print_range("b", f->b, &f->b_profile);
    print_range("N ~ C^", f->N_exponent, NULL);
    if (why) printf("  ! %s\n", why);
    print_hanging(f);
    print_profiles(f);
    LawOptimum best = law_optimum(l, f->most_flops);
    printf("  optimum      at the most FLOPs measured, %.3g: N %.4g, D %.4g (%.3g tokens for each "
           "parameter), loss %.4f\n",
           f->most_flops, best.N, best.D, best.D / best.N, best.loss);
    for (int i = 0; i < f->n_wanted; i++) {
        const Wanted *w = &f->wanted[i];
        printf(
            "  N %-9.4g D %-9.4g loss %.4f   mean: bootstrap %.4f to %.4f, profile %.4f to %.4f;   "
            "a run: %.4f to %.4f",
            w->N, w->D, w->mean.value, w->mean.low, w->mean.high, w->profile.low, w->profile.high,
            w->run.low, w->run.high);
        if (w->beyond > 1) printf("   (%.1f times the most FLOPs measured)", w->beyond);
        printf("\n");
    }
}

static json_t *range_json(LawRange r)
{
    return json_pack("{s:o, s:o, s:o}", "value", json_num_of(r.value), "low", json_num_of(r.low),
                     "high", json_num_of(r.high));
}

static json_t *law_json(const LawFit *fit)
{
    const Law *l = &fit->law;
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "E", l->E, "A", l->A, "B", l->B, "a", l->a,
                     "b", l->b, "objective", fit->objective);
}

static json_t *wanted_json(const Fitted *f)
{
    json_t *all = json_array();
    for (int i = 0; i < f->n_wanted; i++) {
        const Wanted *w = &f->wanted[i];
        json_array_append_new(all, json_pack("{s:f, s:f, s:o, s:o, s:o, s:f}", "N", w->N, "D", w->D,
                                             "mean", range_json(w->mean), "profile",
                                             range_json(w->profile), "run", range_json(w->run),
                                             "times_the_most_flops", w->beyond));
    }
    return all;
}

static json_t *fit_json(const Fitted *f)
{
    const char *why = doubt(f);
    json_t *o = law_json(&f->fit), *lines = json_array(), *profiles = json_array();
    for (int i = 0; i < f->few; i++)
        json_array_append_new(lines, json_integer(f->line[f->hangs[i]]));
    for (int i = 0; i < f->profiles; i++)
        json_array_append_new(profiles,
                              json_pack("{s:f, s:f, s:f, s:i, s:b}", "flops", f->profile[i].flops,
                                        "N", f->profile[i].N, "loss", f->profile[i].loss, "points",
                                        f->profile[i].points, "inside", f->profile[i].inside));
    const struct {
        const char *key;
        json_t *value;
    } member[] = { { "points", json_integer(f->n) },
                   { "spread", json_real(f->fit.spread) },
                   { "bootstrap_E", range_json(f->E) },
                   { "bootstrap_a", range_json(f->a) },
                   { "bootstrap_b", range_json(f->b) },
                   { "profile_a", range_json(f->a_profile) },
                   { "profile_b", range_json(f->b_profile) },
                   { "N_exponent", range_json(f->N_exponent) },
                   { "doubt", why ? json_string(why) : json_null() },
                   { "hangs_on_lines", lines },
                   { "without_them", f->few ? law_json(&f->without) : json_null() },
                   { "isoflop", profiles },
                   { "isoflop_exponent", json_num_of(f->slope) },
                   { "isoflop_bias", json_num_of(f->bias) },
                   { "predictions", wanted_json(f) } };
    for (int i = 0; i < COUNT(member); i++) json_object_set_new(o, member[i].key, member[i].value);
    return o;
}

/* ---- the drawing: loss against FLOPs, and the best that the law allows ---- */

static Plot plot_of(const Fitted *f, Buf *out)
{
    double low = 1e300, high = 0, least = 1e300, most = 0;
    for (int i = 0; i < f->n; i++) {
        double flops = 6 * f->p[i].N * f->p[i].D;
        low = fmin(low, flops);
        high = fmax(high, flops);
        least = fmin(least, f->p[i].loss);
        most = fmax(most, f->p[i].loss);
    }
    for (int i = 0; i < f->n_wanted; i++) {
        high = fmax(high, 6 * f->wanted[i].N * f->wanted[i].D);
        least = fmin(least, f->wanted[i].run.low);
        most = fmax(most, f->wanted[i].run.high);
    }
    least = fmin(least, law_optimum(&f->fit.law, high).loss);
    return (Plot){ .out = out,
                   .width = 860,
                   .height = 420,
                   .x = { low / 1.3, high * 1.3, true, 8, "FLOPs (6 N D)" },
                   .y = { least / 1.02, most * 1.02, true, 6,
                          "loss; the line is the best split of each budget" } };
}

static bool draw(Cmd *c, const Fitted *f, const char *path, Err *err)
{
    enum { CURVE = 100 };
    Buf out = { 0 };
    Plot p = plot_of(f, &out);
    double x[CURVE], y[CURVE];
    svg_begin(&p, "Loss against compute", "Runs, the law's best split, and predictions.");
    for (int i = 0; i < CURVE; i++) {
        x[i] = p.x.low * pow(p.x.high / p.x.low, i / (CURVE - 1.0));
        y[i] = law_optimum(&f->fit.law, x[i]).loss;
    }
    svg_curve(&p, x, y, CURVE, "line champ", "the best split of each budget");
    for (int i = 0; i < f->n; i++) {
        const LawPoint *q = &f->p[i];
        bool hangs = false;
        for (int k = 0; k < f->few; k++) hangs = hangs || f->hangs[k] == i;
        svg_mark(&p, hangs ? SVG_CROSS : SVG_DOT, 6 * q->N * q->D, q->loss,
                 hangs ? "failed" : "base",
                 arena_printf(c->arena, "line %d: N %.4g, D %.4g, loss %.4f, the law says %.4f%s",
                              f->line[i], q->N, q->D, q->loss, law_loss(&f->fit.law, q->N, q->D),
                              hangs ? "; the answer hangs on it" : ""));
    }
    for (int i = 0; i < f->n_wanted; i++) {
        const Wanted *w = &f->wanted[i];
        double at = 6 * w->N * w->D;
        buf_printf(&out, "<g class=\"running\">");
        svg_line(&p, (double[2]){ at, w->run.low }, (double[2]){ at, w->run.high }, "whisker",
                 NULL);
        buf_printf(&out, "</g>");
        svg_mark(&p, SVG_DIAMOND, at, w->mean.value, "running",
                 arena_printf(c->arena, "N %.4g, D %.4g: %.4f (%.4f to %.4f)", w->N, w->D,
                              w->mean.value, w->run.low, w->run.high));
    }
    svg_end(&p);
    bool ok = svg_write(path, &out, err);
    buf_free(&out);
    return ok;
}

static bool run(Cmd *c, Err *err)
{
    Table t;
    Fitted *f = NEW(c->arena, Fitted, 1);
    if (!table_read(&t, c->arg[0], c->arena, err) || !read_points(&t, f, c->arena, err) ||
        !compute(c, f, err))
        return false;
    if (c->json)
        cmd_print_json(fit_json(f));
    else
        print_text(f);
    const char *svg = cmd_value(c, "svg", NULL);
    return !svg || draw(c, f, svg, err);
}

const CmdDef cmd_fit = {
    .name = "fit",
    .args = "FILE",
    .doc = "fit the law of loss in parameters and tokens to a table of runs",
    .more =
        "FILE is a table with the columns N, D (or FLOPs) and loss, one finished run to a line. "
        "L = E + A/N^a + B/D^b is fitted by variable projection, Huber's loss 1e-3 on log loss. "
        "Intervals are 95 %: by drawing the points anew 200 times, and by profile likelihood.",
    .opts = opts,
    .min_args = 1,
    .max_args = 1,
    .json = true,
    .run = run,
};
