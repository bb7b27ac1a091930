/* cmd_scale.c - `lathe scale`: a ladder of sizes, the law through it, and a prediction that is
 * written down before it is tried.
 *
 * The prediction of a larger size goes into the ledger as a note, with its interval, before the run
 * that scores it begins; so a ladder cannot be right afterwards. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/progress.h"
#include "cli/cmd.h"
#include "lab/scale.h"
#include "lab/svg.h"

enum { BOOT = 200 };

static const CmdOpt opts[] = {
    { "sizes", 0, "LIST", "sizes of the ladder as factors of the recipe's (0.125,0.25,0.5,1)" },
    { "lengths", 0, "LIST", "tokens for each of N (5,10,20)" },
    { "tokens", 0, "LIST", "tokens of the runs, the same for every size, instead of --lengths" },
    { "target", 0, "X", "the size to foretell, as a factor of the recipe's (2)" },
    { "target-length", 0, "X", "its tokens for each of N (10)" },
    { "target-tokens", 0, "N", "its tokens, instead of --target-length" },
    { "check", 0, NULL, "train the target too, and score the prediction" },
    { "recipe", 0, "FILE", "scale this recipe instead of the champion" },
    { "set", 's', "KNOB=VALUE", "a knob of it; may be repeated" },
    { "threads", 0, "N", "0: all cores (0)" },
    { "svg", 0, "FILE", "draw the ladder, the law and the held-out size there" },
    { 0 },
};

typedef struct Ladder {
    Recipe base;
    double own; /* its N */
    ScaleRung rung[SCALE_RUNS], target;
    int rungs, threads;
    LawPoint p[4 * SCALE_RUNS];
    int n;
    LawFit fit;
    Law *boot;
    LawRange mean, run;
    double largest; /* N of the largest size measured */
} Ladder;

static bool read_list(const Cmd *c, const char *opt, const char *fallback, double *out, int *n,
                      Err *err)
{
    Str rest = str_of(cmd_value(c, opt, fallback)), piece;
    *n = 0;
    while (str_cut(&rest, ',', &piece)) {
        if (*n == SCALE_LIST || !str_to_double(str_trim(piece), &out[*n]) || !(out[*n] > 0))
            return err_set(err, ERR_CONFIG, "--%s: up to %d positive numbers with commas", opt,
                           SCALE_LIST);
        ++*n;
    }
    return true;
}

static bool read_base(Cmd *c, Lab *lab, Recipe *r, Err *err)
{
    const char *path = cmd_value(c, "recipe", NULL), *from;
    if (path ? !recipe_read(r, path, c->arena, err) : !lab_champion(lab, r, &from, err))
        return false;
    for (int i = 0; cmd_nth(c, "set", i); i++)
        if (!recipe_override(r, cmd_nth(c, "set", i), "-s", err)) return false;
    if (!recipe_ours(r, "lathe scale", err) || !recipe_check(r, err)) return false;
    recipe_seal(r);
    return true;
}

static bool read_grid(const Cmd *c, ScaleGrid *g, Err *err)
{
    g->tokens = cmd_has(c, "tokens");
    return read_list(c, "sizes", "0.125,0.25,0.5,1", g->size, &g->sizes, err) &&
           read_list(c, g->tokens ? "tokens" : "lengths", "5,10,20", g->length, &g->lengths, err);
}

static bool plan(Cmd *c, Lab *lab, Ladder *l, Err *err)
{
    ScaleGrid grid;
    double target, length, tokens, threads;
    if (!read_base(c, lab, &l->base, err) || !scale_size(&l->base, &l->own, err) ||
        !read_grid(c, &grid, err) || !cmd_number(c, "target", 2, 1e-3, 1e6, &target, err) ||
        !cmd_number(c, "target-length", 10, 1e-3, 1e6, &length, err) ||
        !cmd_number(c, "target-tokens", 0, 1, 1e15, &tokens, err) ||
        !cmd_number(c, "threads", 0, 0, 4096, &threads, err))
        return false;
    l->threads = (int)threads;
    if (!scale_plan(&l->base, &grid, l->rung, &l->rungs, c->arena, err) ||
        !scale_recipe(&l->base, target * l->own, 1e6, &l->target.recipe, &l->target.N, c->arena,
                      err))
        return false;
    l->target.tokens = tokens > 0 ? tokens : floor(length * l->target.N);
    return scale_recipe(&l->base, l->target.N, l->target.tokens, &l->target.recipe, &l->target.N,
                        c->arena, err);
}

/* What it will take, before anything is run. */
static bool say_cost(Lab *lab, const Ladder *l, bool check, Err *err)
{
    double flops = 0, speed;
    char time[64] = "unknown, nothing has run in this lab yet";
    for (int i = 0; i < l->rungs; i++) flops += 6 * l->rung[i].N * l->rung[i].tokens;
    double last = 6 * l->target.N * l->target.tokens;
    if (!scale_speed(lab, &speed, err)) return false;
    if (speed > 0) str_seconds(time, (flops + (check ? last : 0)) / speed);
    fprintf(stderr, "%d runs, %.3g FLOPs in all%s; at the speed of this lab's newest runs: %s\n",
            l->rungs, flops + (check ? last : 0), check ? " with the check" : "", time);
    return true;
}

static bool on_stop(void *self)
{
    (void)self;
    return stop_asked();
}

static bool climb(Lab *lab, Ladder *l, Err *err)
{
    for (int i = 0; i < l->rungs; i++) {
        ScaleRung *g = &l->rung[i];
        RunWatch watch = { .stop = on_stop };
        if (!scale_run(lab, &l->base, g, l->threads, watch, err)) return false;
        l->largest = fmax(l->largest, g->N);
        fprintf(stderr, "%-5s N %-9.4g D %-9.4g %s%.4f bpb\n", g->result.id, g->N, g->tokens,
                g->failed ? "failed, " : "", g->result.bpb);
    }
    return true;
}

static bool fit(Cmd *c, Lab *lab, Ladder *l, Err *err)
{
    int all;
    LawPoint *p = NEW(c->arena, LawPoint, 4 * SCALE_RUNS);
    if (!scale_points(lab, &l->base, p, 4 * SCALE_RUNS, &all, err)) return false;
    for (int i = 0; i < all; i++) /* a target that was trained before is no rung */
        if (p[i].N <= l->largest * 1.001) l->p[l->n++] = p[i];
    if (!law_fit(l->p, l->n, &l->fit, err)) return false;
    l->boot = law_bootstrap(l->p, l->n, &l->fit, BOOT, 1, c->arena);
    double N = l->target.N, D = l->target.tokens;
    LawRange profile = law_profile_loss(l->p, l->n, &l->fit, N, D);
    l->mean = law_predict(&l->fit, l->boot, BOOT, N, D, 0);
    l->run =
        law_predict(&l->fit, l->boot, BOOT, N, D, l->fit.spread * sqrt(l->n / (l->n - 5.0 + 1e-9)));
    /* The wider of two answers that fail differently; one run scatters about either. */
    double noise = 2 * l->fit.spread * l->mean.value;
    if (isfinite(profile.low)) l->run.low = fmin(l->run.low, profile.low - noise);
    if (isfinite(profile.high)) l->run.high = fmax(l->run.high, profile.high + noise);
    return true;
}

static bool write_prediction(Lab *lab, const Ladder *l, Err *err)
{
    char text[240];
    snprintf(text, sizeof(text),
             "ladder of %.12s: %.6f bpb foretold (%.6f to %.6f) for N %.6g, D %.6g, from %d runs",
             l->base.sha256, l->mean.value, l->run.low, l->run.high, l->target.N, l->target.tokens,
             l->n);
    return ledger_append(lab->ledger, "note", NULL,
                         json_pack("{s:s, s:s}", "author", "lathe", "text", text), err);
}

static const char *trust(const Ladder *l)
{
    double far = l->target.N / l->largest;
    return far > 8          ? "unknown: more than eight times the largest size measured"
           : l->fit.at_edge ? "unknown: the points do not determine the law"
           : l->n <= 8      ? "a law with hardly more points than unknowns"
                            : "within eight times of what was measured";
}

static void print_text(const Ladder *l, bool checked)
{
    const Law *w = &l->fit.law;
    printf("L = %.4f + %.4g / N^%.4f + %.4g / D^%.4f bpb, %d runs, a run scatters by %.2f %%\n",
           w->E, w->A, w->a, w->B, w->b, l->n, 100 * l->fit.spread);
    printf("N %.4g, D %.4g: %.4f bpb foretold, 95 %% of runs within %.4f to %.4f (%.1f %% either "
           "way); %s\n",
           l->target.N, l->target.tokens, l->mean.value, l->run.low, l->run.high,
           50 * (l->run.high - l->run.low) / l->mean.value, trust(l));
    if (!checked) return;
    double seen = l->target.result.bpb;
    printf("%s: %.4f bpb measured, %+.2f %% from the prediction: %s the interval\n",
           l->target.result.id, seen, 100 * (seen / l->mean.value - 1),
           seen >= l->run.low && seen <= l->run.high ? "inside" : "OUTSIDE");
}

static void print_json(const Ladder *l, bool checked)
{
    const Law *w = &l->fit.law;
    json_t *rungs = json_array();
    for (int i = 0; i < l->rungs; i++)
        json_array_append_new(rungs, json_pack("{s:s, s:f, s:f, s:o}", "run", l->rung[i].result.id,
                                               "N", l->rung[i].N, "D", l->rung[i].tokens, "bpb",
                                               json_num_of(l->rung[i].result.bpb)));
    double seen = checked ? l->target.result.bpb : (double)NAN;
    bool inside = seen >= l->run.low && seen <= l->run.high;
    cmd_print_json(json_pack(
        "{s:o, s:{s:f, s:f, s:f, s:f, s:f}, s:f, s:{s:f, s:f, s:f, s:f, s:f, s:s}, s:o, s:o}",
        "rungs", rungs, "law", "E", w->E, "A", w->A, "B", w->B, "a", w->a, "b", w->b, "spread",
        l->fit.spread, "target", "N", l->target.N, "D", l->target.tokens, "bpb", l->mean.value,
        "low", l->run.low, "high", l->run.high, "trust", trust(l), "measured", json_num_of(seen),
        "inside", checked ? json_boolean(inside) : json_null()));
}

/* ---- the drawing ---- */

static void draw_points(Plot *p, const Ladder *l, Arena *arena)
{
    for (int i = 0; i < l->n; i++)
        svg_mark(
            p, SVG_DOT, 6 * l->p[i].N * l->p[i].D, l->p[i].loss, "base",
            arena_printf(arena, "N %.4g, D %.4g: %.4f bpb", l->p[i].N, l->p[i].D, l->p[i].loss));
    for (int i = 0; i < l->rungs; i++) {
        double x[24], y[24], N = l->rung[i].N;
        if (i > 0 && l->rung[i - 1].N == N) continue;
        for (int k = 0; k < 24; k++) {
            double D = N * 2 * pow(30, k / 23.0);
            x[k] = 6 * N * D;
            y[k] = law_loss(&l->fit.law, N, D);
        }
        svg_curve(p, x, y, 24, "line drop", arena_printf(arena, "the law at N %.4g", N));
    }
}

static bool draw(Cmd *c, const Ladder *l, bool checked, const char *path, Err *err)
{
    Buf out = { 0 };
    double low = 1e300, high = 6 * l->target.N * l->target.tokens, least = l->run.low, most = 0;
    for (int i = 0; i < l->n; i++) {
        low = fmin(low, 6 * l->p[i].N * l->p[i].D);
        high = fmax(high, 6 * l->p[i].N * l->p[i].D);
        least = fmin(least, l->p[i].loss);
        most = fmax(most, fmax(l->p[i].loss, l->run.high));
    }
    Plot p = { .out = &out,
               .width = 860,
               .height = 420,
               .x = { low / 1.5, high * 1.5, true, 8, "FLOPs" },
               .y = { least / 1.02, most * 1.02, true, 6, "bits per byte, search tier" } };
    double at = 6 * l->target.N * l->target.tokens;
    svg_begin(&p, "Ladder", "Runs of a ladder, the law through them, and the size held out.");
    draw_points(&p, l, c->arena);
    buf_printf(&out, "<g class=\"running\">");
    svg_line(&p, (double[2]){ at, l->run.low }, (double[2]){ at, l->run.high }, "whisker",
             "95 % of runs");
    buf_printf(&out, "</g>");
    svg_mark(&p, SVG_DIAMOND, at, l->mean.value, "running", "foretold");
    if (checked) svg_mark(&p, SVG_DOT, at, l->target.result.bpb, "keep", "measured");
    svg_end(&p);
    bool ok = svg_write(path, &out, err);
    buf_free(&out);
    return ok;
}

static bool scale(Cmd *c, Lab *lab, Err *err)
{
    Ladder *l = NEW(c->arena, Ladder, 1);
    bool check = cmd_has(c, "check");
    RunWatch watch = { .stop = on_stop };
    progress_quiet(true);
    if (!plan(c, lab, l, err) || !say_cost(lab, l, check, err) || !climb(lab, l, err) ||
        !fit(c, lab, l, err) || !write_prediction(lab, l, err) ||
        (check && !scale_run(lab, &l->base, &l->target, l->threads, watch, err)))
        return false;
    if (c->json)
        print_json(l, check);
    else
        print_text(l, check);
    const char *svg = cmd_value(c, "svg", NULL);
    return !svg || draw(c, l, check, svg, err);
}

static bool run(Cmd *c, Err *err)
{
    Lab lab;
    if (!lab_open(&lab, c->lab, LEDGER_WRITE, c->arena, err)) return false;
    bool ok = scale(c, &lab, err);
    lab_close(&lab);
    return ok;
}

const CmdDef cmd_scale = {
    .name = "scale",
    .args = "",
    .doc = "train a ladder of sizes of the champion, fit its law, foretell a larger size",
    .more =
        "N is the FLOPs of a token over six. Each size is trained at each length; width and depth "
        "grow together and muP keeps the rates, or the recipe's own dial `depth` is turned. The "
        "prediction is written into the ledger before --check trains the size that it is about. "
        "Given again, runs that are finished are told from memory.",
    .opts = opts,
    .max_args = 0,
    .needs_lab = true,
    .json = true,
    .run = run,
};
