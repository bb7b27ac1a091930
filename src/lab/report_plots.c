/* report_plots.c - the report's drawings but the learning curves. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/report_private.h"
#include "science/stats.h"

void report_both(Report *r, ReportPlot *plot)
{
    buf_printf(r->out, "<div class=\"wide\">");
    plot(r, 860);
    buf_printf(r->out, "</div><div class=\"narrow\">");
    plot(r, 360);
    buf_printf(r->out, "</div>\n");
}

static SvgShape shape_of(const ReportRow *row)
{
    return row->x->decision == EXP_KEEP        ? SVG_DOT
           : row->x->decision == EXP_UNDECIDED ? SVG_DIAMOND
                                               : SVG_RING;
}

static const char *tip_of(Report *r, const ReportRow *row)
{
    return arena_printf(r->arena, "%s: %s: %s, %s [%s, %s]", row->x->id, row->x->title,
                        report_verdict(row), report_percent(r, row->effect, row->base),
                        report_percent(r, row->low, row->base),
                        report_percent(r, row->high, row->base));
}

/* ---- all experiments in order, and the champion's staircase ---- */

/* From well below the best to as far above the baseline as the gains reach below it: worse
 * candidates stand at the upper edge. */
static Axis bpb_axis(const Report *r)
{
    double low = fmin(r->baseline, r->champion), high = r->baseline, s = isfinite(r->s) ? r->s : 0;
    for (int i = 0; i < r->rows; i++) {
        const ReportRow *row = &r->row[i];
        if (!isfinite(row->D)) continue;
        low = fmin(low, row->base - row->effect);
        if (row->x->decision == EXP_KEEP) low = fmin(low, row->base - row->high);
    }
    if (!isfinite(low)) return (Axis){ .low = 0, .high = 1, .ticks = 5 };
    high += fmax(fmax(0.2 * (high - low), 5 * s), 1e-3);
    low -= fmax(0.13 * (high - low), s);
    return (Axis){ .low = low,
                   .high = high,
                   .ticks = 6,
                   .label = arena_printf(r->arena, "%s, %s", r->unit, r->tier) };
}

static void put_stairs(Report *r, Plot *p)
{
    int n = 0;
    double *x = NEW(r->arena, double, 2 * r->rows + 2), *y = NEW(r->arena, double, 2 * r->rows + 2);
    for (int i = 0; i <= r->rows; i++) {
        double level = i < r->rows ? r->row[i].base : r->champion;
        x[n] = i == 0 ? 0 : i + 0.5;
        y[n++] = level;
        x[n] = i == r->rows ? i + 1 : i + 1.5;
        y[n++] = level;
    }
    svg_curve(p, x, y, n, "stair", "the champion's mean, step by step");
}

static void put_experiment(Report *r, Plot *p, int i)
{
    const ReportRow *row = &r->row[i];
    if (!isfinite(row->D)) {
        bool failed = row->x->decision == EXP_DROP;
        svg_mark(p, failed ? SVG_CROSS : SVG_RING, i + 1, failed ? p->y.high : row->base,
                 failed ? "failed" : report_class(row), tip_of(r, row));
        return;
    }
    double at = row->base - row->effect;
    if (at > p->y.high) {
        svg_mark(p, SVG_UP, i + 1, p->y.high, report_class(row), tip_of(r, row));
        return;
    }
    buf_printf(r->out, "<g class=\"%s\">", report_class(row));
    svg_line(p, (double[2]){ i + 1, row->base - row->low },
             (double[2]){ i + 1, row->base - row->high }, "whisker", NULL);
    buf_printf(r->out, "</g>");
    svg_mark(p, shape_of(row), i + 1, at, report_class(row), tip_of(r, row));
}

static char *short_title(Report *r, const char *title, int most)
{
    const char *end = title + strlen(title), *s = title;
    for (int count = 0; s < end && count < most; count++) s += MAX(1, utf8_len(s, end));
    return arena_printf(r->arena, "%.*s%s", (int)(s - title), title, s < end ? "\xE2\x80\xA6" : "");
}

/* Names of what was kept stand below the staircase, where nothing else is, unless they would
 * cover a mark or another name; then they move, and if nothing helps only the id is written. */
typedef struct Box {
    double x0, y0, x1, y1;
} Box;

static bool is_free(const Plot *p, const Box *box, int boxes, const Box *b)
{
    if (b->x0 < p->left || b->x1 > p->width || b->y1 > p->height - p->bottom) return false;
    for (int i = 0; i < boxes; i++)
        if (b->x0 < box[i].x1 && box[i].x0 < b->x1 && b->y0 < box[i].y1 && box[i].y0 < b->y1)
            return false;
    return true;
}

static bool place_name(Plot *p, Box *box, int *boxes, double x, double y, const char *name)
{
    double width = 6.9 * (double)strlen(name);
    for (int down = 0; down < 5; down++) {
        for (int right = 0; right < 2; right++) {
            double at = right ? x + 9 : x - 9, base = y + 4 + 13 * down + (right ? 7 : 0);
            double begin = right ? at : at - width;
            Box b = { begin, base - 11, begin + width, base + 3 };
            if (!is_free(p, box, *boxes, &b)) continue;
            box[(*boxes)++] = b;
            svg_text(p, at, base, right ? "start" : "end", "name", name);
            return true;
        }
    }
    return false;
}

static void name_kept(Report *r, Plot *p)
{
    Box *box = NEW(r->arena, Box, 3 * r->rows + 1);
    int boxes = 0;
    for (int i = 0; i < r->rows; i++) {
        double x = svg_x(p, i + 1), y = svg_y(p, r->row[i].base - r->row[i].effect);
        double left = svg_x(p, i + 0.5), right = svg_x(p, i + 1.5),
               stair = svg_y(p, r->row[i].base);
        if (isfinite(r->row[i].D)) box[boxes++] = (Box){ x - 6, y - 7, x + 6, y + 7 };
        box[boxes++] = (Box){ left - 2, stair - 1, right + 2, stair + 1 };
    }
    for (int i = 0; i < r->rows; i++) {
        const ReportRow *row = &r->row[i];
        if (row->x->decision != EXP_KEEP || !isfinite(row->D)) continue;
        double x = svg_x(p, i + 1), y = svg_y(p, row->base - row->effect);
        char *name = arena_printf(r->arena, "%s %s", row->x->id, short_title(r, row->x->title, 32));
        if (p->width < 500 || !place_name(p, box, &boxes, x, y, name))
            (void)place_name(p, box, &boxes, x, y, row->x->id);
    }
}

void plot_experiments(Report *r, double width)
{
    Plot p = { .out = r->out, .width = width, .height = width > 500 ? 420 : 330, .y = bpb_axis(r) };
    int ticks = width > 500 ? 12 : 6;
    p.x = (Axis){ .low = 0.3, .high = r->rows + 0.7, .label = "experiment" };
    p.x.ticks = MIN(ticks, r->rows);
    svg_begin(&p, "Experiments in order",
              "Each experiment's candidate in bits per byte with its 90 percent interval, and the "
              "champion's mean as a staircase. Lower is better.");
    put_stairs(r, &p);
    for (int i = 0; i < r->rows; i++) put_experiment(r, &p, i);
    name_kept(r, &p);
    svg_end(&p);
}

/* ---- one interval, a line of the table ---- */

void plot_interval(Report *r, const ReportRow *row, Axis axis)
{
    if (!isfinite(row->D)) return;
    Plot p = {
        .out = r->out, .width = 150, .height = 26, .left = 6, .right = 6, .top = 3, .bottom = 3
    };
    p.x = axis;
    p.y = (Axis){ .low = -1, .high = 1 };
    double base = row->base / 100, predicted = row->x->predicted / base;
    svg_begin(&p, tip_of(r, row),
              "gain in percent; the dashed line is none, the bar the prediction");
    svg_line(&p, (double[2]){ 0, -1 }, (double[2]){ 0, 1 }, "zero", NULL);
    if (isfinite(predicted))
        svg_line(&p, (double[2]){ predicted, -0.6 }, (double[2]){ predicted, 0.6 }, "guess", NULL);
    buf_printf(r->out, "<g class=\"%s\">", report_class(row));
    svg_line(&p, (double[2]){ row->low / base, 0 }, (double[2]){ row->high / base, 0 }, "whisker",
             NULL);
    buf_printf(r->out, "</g>");
    SvgShape shape = row->effect / base < axis.low ? SVG_LEFT : shape_of(row);
    svg_mark(&p, shape, row->effect / base, 0, report_class(row), NULL);
    svg_end(&p);
}

/* ---- noise: runs of one recipe about their mean ---- */

enum { STRIPS = 8 };

typedef struct Strip {
    const char *recipe, *name;
    int index[VERDICT_RUNS], n;
    double mean;
} Strip;

static void add_strip(Report *r, Strip *strip, int *strips, const char *recipe, const char *name)
{
    Strip *s = &strip[*strips];
    for (int i = 0; i < *strips; i++)
        if (strcmp(strip[i].recipe, recipe) == 0) return;
    *s = (Strip){ .recipe = recipe, .name = name };
    double x[VERDICT_RUNS];
    for (int i = 0; i < r->h.runs && s->n < VERDICT_RUNS; i++) {
        const HistRun *run = &r->h.run[i];
        if (!run->done || run->failed || strcmp(run->purpose, "champion") == 0 ||
            strcmp(run->recipe, recipe) != 0)
            continue;
        x[s->n] = run->bpb;
        s->index[s->n++] = i;
    }
    s->mean = stat_mean(x, s->n);
    *strips += s->n > 1;
}

/* The baseline, then every champion, newest kept in if there are many. */
static int find_strips(Report *r, Strip strip[STRIPS])
{
    int strips = 0, kept = 0, skip;
    for (int i = 0; i < r->rows; i++) kept += r->row[i].x->decision == EXP_KEEP;
    skip = MAX(0, kept - (STRIPS - 1));
    add_strip(r, strip, &strips, r->h.baseline, "baseline");
    for (int i = 0; i < r->rows && strips < STRIPS; i++) {
        const HistExp *x = r->row[i].x;
        if (x->decision != EXP_KEEP || skip-- > 0) continue;
        add_strip(r, strip, &strips, x->recipe, x->id);
    }
    return strips;
}

void plot_noise(Report *r, double width)
{
    Strip strip[STRIPS + 1];
    int strips = find_strips(r, strip);
    double mean = r->champion / 100, s = noise_s(&r->noise) / mean, most = 2.4 * s;
    for (int k = 0; k < strips; k++)
        for (int i = 0; i < strip[k].n; i++)
            most = fmax(most, fabs(r->h.run[strip[k].index[i]].bpb - strip[k].mean) / mean * 1.08);
    if (!(most > 0)) return;
    Plot p = { .out = r->out, .width = width, .height = 66 + 26.0 * strips, .left = 76, .top = 12 };
    p.x = (Axis){ .low = -most,
                  .high = most,
                  .ticks = width > 500 ? 8 : 4,
                  .label = "difference from the recipe's own mean, %" };
    p.y = (Axis){ .low = 0, .high = strips };
    svg_begin(&p, "Noise", "Runs of the same recipe on different seeds; the band is one sigma.");
    svg_band(&p, (double[2]){ -s, 0 }, (double[2]){ s, strips }, "band", "one sigma");
    for (int k = 0; k < strips; k++) {
        double y = strips - k - 0.5;
        svg_text(&p, p.left - 10, svg_y(&p, y) + 4, "end", "tick", strip[k].name);
        for (int i = 0; i < strip[k].n; i++) {
            const HistRun *run = &r->h.run[strip[k].index[i]];
            svg_mark(&p, SVG_DOT, (run->bpb - strip[k].mean) / mean, y, k ? "champ" : "base",
                     arena_printf(r->arena, "%s, seed %llu: %.4f", run->id,
                                  (unsigned long long)run->seed, run->bpb));
        }
    }
    svg_end(&p);
}

/* ---- what was predicted against what was found ---- */

static bool foretold(const ReportRow *row)
{
    return isfinite(row->D) && isfinite(row->x->predicted);
}

/* Disasters must not hide the rest: the scale goes down by at most three quarters of what it goes
 * up; what lies below stands at the edge as a triangle. */
static void prediction_axes(const Report *r, Axis *x, Axis *y)
{
    double most = 0, least = 0, bold = 0, shy = 0;
    for (int i = 0; i < r->rows; i++) {
        const ReportRow *row = &r->row[i];
        if (!foretold(row)) continue;
        most = fmax(most, 100 * row->D / row->base);
        least = fmin(least, 100 * row->D / row->base);
        bold = fmax(bold, 100 * row->x->predicted / row->base);
        shy = fmin(shy, 100 * row->x->predicted / row->base);
    }
    double top = fmax(fmax(most, 0.5 * bold), 0.05) * 1.1;
    *y = (Axis){ .low = fmax(1.15 * least, -0.75 * top) - 0.04 * top, .high = top, .ticks = 6 };
    *x = (Axis){ .low = 1.1 * shy, .high = fmax(bold, 0.05) * 1.08, .ticks = 6 };
    y->label = "found, %";
    x->label = "predicted, %";
}

void plot_predictions(Report *r, double width)
{
    Plot p = { .out = r->out, .width = width, .height = width > 500 ? 360 : 320 };
    prediction_axes(r, &p.x, &p.y);
    double low = fmax(p.x.low, p.y.low), high = fmin(p.x.high, p.y.high);
    svg_begin(
        &p, "Predictions",
        "Predicted against measured gain of each experiment; the diagonal is a prediction come "
        "true, the level line no gain.");
    svg_line(&p, (double[2]){ p.x.low, 0 }, (double[2]){ p.x.high, 0 }, "zero", NULL);
    svg_line(&p, (double[2]){ low, low }, (double[2]){ high, high }, "zero", NULL);
    for (int i = 0; i < r->rows; i++) {
        const ReportRow *row = &r->row[i];
        if (!foretold(row)) continue;
        double found = 100 * row->D / row->base;
        svg_mark(&p, found < p.y.low ? SVG_DOWN : shape_of(row),
                 100 * row->x->predicted / row->base, found, report_class(row), tip_of(r, row));
    }
    svg_end(&p);
}
