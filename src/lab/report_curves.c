/* report_curves.c - the champion's training beside the baseline's, in small multiples.
 *
 * One run of each, on a common seed where there is one.  The axis is the share of the run's own
 * budget: recipes may differ in batch and so in steps, and budgets in FLOPs may differ in tokens.
 * Rows are averaged into buckets, in the logarithm where the scale is one. */
#include <math.h>
#include <string.h>

#include "lab/report_private.h"

enum { BUCKETS = 80 };

typedef struct Panel {
    const char *title, *style;
    bool log;
    double (*of)(const StepRow *row);
} Panel;

static double loss_of(const StepRow *row)
{
    return row->loss;
}

static double norm_of(const StepRow *row)
{
    return row->grad_norm;
}

static double rate_of(const StepRow *row)
{
    return row->lr;
}

static double update_of(const StepRow *row)
{
    return row->update_ratio[0];
}

static const Panel panels[] = {
    { "training loss, nats per token", "loss", false, loss_of },
    { "gradient norm before clipping", "norm", true, norm_of },
    { "learning rate", "rate", false, rate_of },
    { "update over weights, hidden matrices", "update", true, update_of },
};

typedef struct Curve {
    const HistRun *run;
    StepRow *row;
    int n;
} Curve;

static bool counts(const HistRun *run, const char *recipe)
{
    return run->done && !run->failed && strcmp(run->recipe, recipe) == 0 &&
           strcmp(run->purpose, "champion") != 0;
}

/* Runs of the two recipes on one seed, else the first of each; NULL if there is none. */
static void choose_runs(const Report *r, Curve pair[2])
{
    const History *h = &r->h;
    for (int i = 0; i < h->runs; i++) {
        if (!counts(&h->run[i], h->baseline)) continue;
        if (!pair[0].run) pair[0].run = &h->run[i];
        for (int k = 0; k < h->runs; k++) {
            if (!counts(&h->run[k], h->champion)) continue;
            if (!pair[1].run) pair[1].run = &h->run[k];
            if (h->run[i].seed != h->run[k].seed) continue;
            pair[0].run = &h->run[i];
            pair[1].run = &h->run[k];
            return;
        }
    }
}

static int read_curves(Report *r, Curve pair[2])
{
    memset(pair, 0, 2 * sizeof(*pair));
    choose_runs(r, pair);
    int read = 0;
    for (int i = 0; i < 2; i++) {
        Err err = { 0 };
        bool same = i == 1 && strcmp(r->h.baseline, r->h.champion) == 0;
        if (!pair[i].run || same) continue;
        if (!ledger_steps(r->lab.ledger, pair[i].run->id, r->arena, &pair[i].row, &pair[i].n, &err))
            pair[i].n =
                0; /* a curve that cannot be read is left out; the verdicts do not need it */
        read += pair[i].n > 1;
    }
    return read;
}

bool report_has_curves(Report *r)
{
    Curve pair[2];
    return read_curves(r, pair) > 0;
}

/* Buckets of equal share of the run; NaN where nothing fell. */
static void average(const Curve *c, const Panel *panel, double x[BUCKETS], double y[BUCKETS])
{
    double sum[BUCKETS] = { 0 };
    int count[BUCKETS] = { 0 };
    double last = c->n > 0 ? (double)c->row[c->n - 1].step : 1;
    for (int i = 0; i < c->n; i++) {
        double v = panel->of(&c->row[i]);
        int b = (int)fmin(BUCKETS - 1, BUCKETS * (double)c->row[i].step / (last + 1));
        if (!isfinite(v) || (panel->log && !(v > 0))) continue;
        sum[b] += panel->log ? log(v) : v;
        count[b]++;
    }
    int n = 0;
    for (int b = 0; b < BUCKETS; b++) {
        if (!count[b]) continue;
        double mean = sum[b] / count[b];
        x[n] = 100 * (b + 0.5) / BUCKETS;
        y[n++] = panel->log ? exp(mean) : mean;
    }
    for (; n < BUCKETS; n++) x[n] = y[n] = (double)NAN;
}

/* A loss falls from its start so fast that the rest would lie flat: the first twentieth may leave.
 */
static Axis value_axis(const Panel *panel, double y[2][BUCKETS])
{
    double low = (double)INFINITY, high = -low;
    for (int k = 0; k < 2; k++)
        for (int b = panel->of == loss_of ? BUCKETS / 20 : 0; b < BUCKETS; b++) {
            if (!isfinite(y[k][b])) continue;
            low = fmin(low, y[k][b]);
            high = fmax(high, y[k][b]);
        }
    if (!(low <= high)) return (Axis){ .low = 0, .high = 0 };
    if (panel->log)
        return (Axis){ .low = low / 1.15, .high = high * 1.15, .log = true, .ticks = 4 };
    double margin = fmax(0.06 * (high - low), 1e-9 + 1e-3 * fabs(high));
    return (
        Axis){ .low = panel->of == rate_of ? 0 : low - margin, .high = high + margin, .ticks = 5 };
}

static void put_panel(Report *r, const Panel *panel, const Curve pair[2], double width)
{
    static const char *const style[2] = { "base", "champ" };
    double x[2][BUCKETS], y[2][BUCKETS];
    for (int k = 0; k < 2; k++) average(&pair[k], panel, x[k], y[k]);
    Plot p = { .out = r->out, .width = width, .height = 220, .top = 14, .bottom = 44 };
    p.x = (Axis){ .low = 0, .high = 100, .ticks = 5, .label = "% of the run" };
    p.y = value_axis(panel, y);
    if (!(p.y.low < p.y.high)) return;
    for (int k = 0; k < 2; k++)
        for (int b = 0; b < BUCKETS; b++)
            if (y[k][b] > p.y.high) y[k][b] = (double)NAN;
    buf_printf(r->out, "<div><h3>%s</h3>", panel->title);
    svg_begin(&p, panel->title, "the baseline's run in grey, the champion's in colour");
    for (int k = 0; k < 2; k++) {
        if (pair[k].n < 2) continue;
        buf_printf(r->out, "<g class=\"%s\">", style[k]);
        svg_curve(&p, x[k], y[k], BUCKETS, "line", k ? "champion" : "baseline");
        buf_printf(r->out, "</g>");
    }
    svg_end(&p);
    buf_printf(r->out, "</div>");
}

void plot_curves(Report *r, double width)
{
    Curve pair[2];
    if (!read_curves(r, pair)) return;
    bool wide = width > 500;
    buf_printf(r->out, "<div class=\"panels\">");
    for (int i = 0; i < COUNT(panels); i++)
        put_panel(r, &panels[i], pair, wide ? width / 2 - 10 : width);
    buf_printf(r->out, "</div><figcaption>Baseline: run %s", pair[0].run ? pair[0].run->id : "");
    if (pair[1].n > 1) buf_printf(r->out, "; champion: run %s", pair[1].run->id);
    buf_printf(r->out, ". Averaged over %d stretches of each run.%s</figcaption>", BUCKETS,
               report_same_tokens(r) ? ""
                                     : " Their tokenizers differ, so losses per token cannot be "
                                       "compared; bits per byte can.");
}
