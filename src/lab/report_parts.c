/* report_parts.c - what was found: headline, experiments, recipe, learning curves. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/toml.h"
#include "lab/report_private.h"
#include "lab/session.h"
#include "science/stats.h"

static const char dash[] = "\xE2\x80\x93";

/* ---- headline ---- */

typedef struct Tally {
    int decided, kept, open;
} Tally;

static Tally tally(const Report *r)
{
    Tally t = { 0 };
    for (int i = 0; i < r->rows; i++) {
        const HistExp *x = r->row[i].x;
        if (!history_is_idea(x)) continue;
        t.kept += x->decision == EXP_KEEP;
        t.open += x->decision == EXP_OPEN;
        t.decided += x->decision != EXP_OPEN && x->decision != EXP_VETOED;
    }
    return t;
}

static const char *plural(int n)
{
    return n == 1 ? "" : "s";
}

/* The gain of the whole stack: what fresh seeds say on the audit tier if they were asked. */
typedef struct Gain {
    double gain, low, high, of;
    bool audited;
} Gain;

double report_headline_first(const json_t *headline, double otherwise)
{
    const json_t *first = json_object_get(headline, "bpb_first");
    double sum = 0;
    size_t n = json_array_size(first);
    for (size_t i = 0; i < n; i++) sum += json_number_value(json_array_get(first, i));
    return n > 0 ? sum / (double)n : otherwise;
}

static Gain whole_gain(const Report *r)
{
    double nan = (double)NAN;
    Gain g = { r->baseline - r->champion, nan, nan, r->baseline, false };
    if (!r->headline) return g;
    g.of = report_headline_first(r->headline, r->baseline);
    g.gain = json_num(r->headline, "gain", nan);
    g.low = json_num(r->headline, "low", nan);
    g.high = json_num(r->headline, "high", nan);
    g.audited = true;
    return g;
}

static void put_mark(Report *r)
{
    char date[32];
    const char *name = strrchr(r->lab.dir, '/');
    clock_stamp(date, clock_date());
    buf_printf(r->out, "<div class=\"mark\"><span><b>LATHE</b> research report</span><span>lab ");
    report_text(r, name && name[1] ? name + 1 : r->lab.dir);
    buf_printf(r->out, " &middot; question %s &middot; session ", r->h.question);
    report_text(r, json_str(r->session, "id", ""));
    buf_printf(r->out, " &middot; <time datetime=\"%s\">%.10s %.5s UTC</time></span></div>\n", date,
               date, date + 11);
}

static void put_title(Report *r, const Tally *t, const Gain *g)
{
    if (t->kept > 0)
        buf_printf(r->out, "<h1>%d of %d proposal%s held. The champion %s <em>%s</em> %s.</h1>\n",
                   t->kept, t->decided, plural(t->decided), r->reported ? "reports" : "needs",
                   report_percent(r, g->gain, g->of) + 1, r->reported ? "less" : "fewer bits");
    else if (t->decided > 0)
        buf_printf(r->out, "<h1>None of %d proposal%s beat the baseline.</h1>\n", t->decided,
                   plural(t->decided));
    else
        buf_printf(r->out, "<h1>Nothing has been decided yet.</h1>\n");
}

static void put_lead(Report *r, const Tally *t, const Gain *g)
{
    buf_printf(r->out, "<p class=\"lead\">");
    if (t->kept > 0 && g->audited)
        buf_printf(
            r->out,
            "From %s to %s %s, measured anew at the end: %lld unused seeds for each recipe%s. "
            "90&nbsp;%% interval %s to %s.",
            report_bpb(r, g->of), report_bpb(r, g->of - g->gain), r->unit,
            (long long)json_int(r->headline, "seeds", 4),
            r->reported ? ", as the trainer reports it: no judge has seen its models"
                        : ", on the audit tier, which no proposal was tuned on",
            report_percent(r, g->low, g->of), report_percent(r, g->high, g->of));
    else if (t->kept > 0)
        buf_printf(
            r->out,
            "From %s to %s %s on the runs that chose the proposals; the unbiased reading on unused "
            "seeds comes at the end of a session.",
            report_bpb(r, r->baseline), report_bpb(r, r->champion), r->unit);
    else if (isfinite(r->s) && t->decided > 0)
        buf_printf(
            r->out, "That is a result: a gain of %s or more would most likely have been found.",
            report_percent(
                r, json_num(json_object_get(r->session, "planned"), "detectable_sigma", 2) * r->s,
                r->baseline) +
                1);
    buf_printf(r->out, "</p>\n");
}

static void put_cost(Report *r)
{
    double seconds = 0;
    int runs = 0;
    char time[32];
    for (int i = 0; i < r->h.runs; i++) {
        if (!r->h.run[i].done) continue;
        seconds += r->h.run[i].seconds;
        runs++;
    }
    buf_printf(r->out,
               "<div><dt>Cost</dt><dd>%s<small>%d runs of this question</small></dd></div>\n",
               str_seconds(time, seconds), runs);
}

/* What the session can say of what it did not find. */
static void put_left(Report *r)
{
    Buf words = { 0 };
    session_left_words(r->closing, &words);
    if (words.len > 0) {
        buf_printf(r->out,
                   "</small></dd></div>\n<div class=\"long\"><dt>What may be left above the "
                   "noise</dt><dd><small style=\"font-size:15px;color:inherit\">");
        report_text(r, words.at);
    }
    buf_free(&words);
}

static void put_cards(Report *r, const Gain *g)
{
    buf_printf(r->out,
               "<dl class=\"cards\"><div><dt>Baseline</dt><dd>%s<small>%s, %s</small></dd></div>\n"
               "<div><dt>Champion</dt><dd>%s<small>%s, %s</small></dd></div>\n",
               report_bpb(r, r->baseline), r->unit, r->tier, report_bpb(r, r->champion), r->unit,
               r->tier);
    buf_printf(r->out, "<div><dt>Gain</dt><dd>%s<small>", report_percent(r, g->gain, g->of));
    if (g->audited)
        buf_printf(
            r->out,
            r->reported ? "on unused seeds; on those before %s" : "audit tier; search tier %s",
            report_percent(r, json_num(r->headline, "gain_search", (double)NAN), r->baseline));
    else
        buf_printf(r->out, "%s", r->tier);
    buf_printf(r->out,
               "</small></dd></div>\n<div><dt>Noise, one sigma</dt><dd>%s<small>of one run, "
               "over seeds</small></dd></div>\n",
               report_percent(r, noise_s(&r->noise), r->champion) + (r->noise.nu > 0));
    put_cost(r);
    const char *why = json_str(r->end, "text", json_str(r->closing, "reason", "it has not ended"));
    buf_printf(r->out,
               "<div class=\"long\"><dt>Ended because</dt><dd><small style=\"font-size:15px;"
               "color:inherit\">");
    report_text(r, why);
    put_left(r);
    buf_printf(r->out, "</small></dd></div></dl>\n");
}

/* The model that was trained in full, if there is one. */
static void put_model(Report *r)
{
    const HistRun *run = NULL;
    char time[32];
    for (int i = 0; i < r->h.runs; i++)
        if (r->h.run[i].done && !r->h.run[i].failed && strcmp(r->h.run[i].purpose, "champion") == 0)
            run = &r->h.run[i];
    if (!run) return;
    buf_printf(r->out, "<p>The champion was then trained in full: run %s, %s %s after %s.", run->id,
               report_bpb(r, run->bpb), r->unit, str_seconds(time, run->seconds));
    if (!r->reported) buf_printf(r->out, " <code>lathe chat %s</code> speaks with it.", run->id);
    buf_printf(r->out, "</p>\n");
}

void report_head(Report *r)
{
    Tally t = tally(r);
    Gain g = whole_gain(r);
    buf_printf(r->out, "<header>");
    put_mark(r);
    put_title(r, &t, &g);
    put_lead(r, &t, &g);
    buf_printf(r->out, "</header>\n");
    put_cards(r, &g);
    put_model(r);
}

/* ---- experiments ---- */

static void put_legend(Report *r)
{
    static const struct {
        const char *style, *shape, *word;
    } legend[] = {
        { "dot keep", "M7 2.5a4.5 4.5 0 1 0 .01 0z", "keep" },
        { "ring drop", "M7 2.5a4.5 4.5 0 1 0 .01 0z", "drop" },
        { "dot undecided", "M7 1l6 6l-6 6l-6-6z", "undecided" },
        { "ring drop", "M7 2l5 9h-10z", "beyond the edge" },
        { "stair", "M0 4h7v6h7", "the champion" },
    };
    buf_printf(r->out, "<div class=\"legend\">");
    for (int i = 0; i < COUNT(legend); i++)
        buf_printf(r->out,
                   "<span><svg viewBox=\"0 0 14 14\" aria-hidden=\"true\"><path class=\"%s\" "
                   "d=\"%s\"/></svg>%s</span>",
                   legend[i].style, legend[i].shape, legend[i].word);
    buf_printf(r->out, "</div>");
}

static void put_edits(Report *r, const HistExp *x)
{
    size_t n = json_array_size(x->edits);
    for (size_t i = 0; i < n; i++) {
        const json_t *e = json_array_get(x->edits, i);
        buf_printf(r->out, "<span class=\"edit\">");
        report_text(r, json_str(e, "knob", ""));
        buf_char(r->out, ' ');
        report_text(r, json_str(e, "from", ""));
        buf_printf(r->out, " \xE2\x86\x92 <ins>");
        report_text(r, json_str(e, "to", ""));
        buf_printf(r->out, "</ins></span>");
    }
}

static void put_reasons(Report *r, const ReportRow *row)
{
    const char *why = json_str(row->proposal, "why", ""),
               *refute = json_str(row->proposal, "refute", "");
    if (!why[0] && !refute[0]) return;
    buf_printf(r->out, "<details><summary>hypothesis of ");
    report_text(r, row->x->author[0] ? row->x->author : "somebody");
    buf_printf(r->out, "</summary><small>");
    report_text(r, why);
    if (refute[0]) {
        buf_printf(r->out, "</small><small>Against it would speak: ");
        report_text(r, refute);
    }
    buf_printf(r->out, "</small></details>");
}

/* The scale of the column of intervals, in percent: all that was kept, most of the rest. */
Axis report_interval_axis(const Report *r)
{
    double *reach = NEW(r->arena, double, r->rows + 1), most = 0.05;
    int n = 0;
    for (int i = 0; i < r->rows; i++) {
        const ReportRow *row = &r->row[i];
        if (!isfinite(row->D)) continue;
        if (row->x->decision == EXP_KEEP)
            most = fmax(most, 105 * row->high / row->base);
        else
            reach[n++] = 100 * fmax(fabs(row->low), fabs(row->high)) / row->base;
    }
    double usual = n > 0 ? 1.3 * stat_median(reach, n) : 0;
    return (Axis){ .low = -fmax(usual, 0.2 * most), .high = fmax(usual, most) };
}

static void put_found(Report *r, const ReportRow *row)
{
    buf_printf(r->out, "<td class=\"n wrap\" data-l=\"found\"><b>%s</b>",
               report_percent(r, row->effect, row->base));
    if (isfinite(row->D))
        buf_printf(r->out, "<small>%s to %s</small>", report_percent(r, row->low, row->base),
                   report_percent(r, row->high, row->base));
    buf_printf(r->out, "</td>");
}

static void put_row(Report *r, const ReportRow *row, Axis axis)
{
    const HistExp *x = row->x;
    char time[32];
    buf_printf(r->out, "<tr id=\"%s\"><td class=\"id\"><b>%s</b></td><td class=\"full\"><b>", x->id,
               x->id);
    report_text(r, x->title);
    buf_printf(r->out, "</b>");
    put_edits(r, x);
    put_reasons(r, row);
    buf_printf(r->out, "</td><td class=\"n\" data-l=\"predicted\">%s</td>",
               report_percent(r, x->predicted, row->base));
    put_found(r, row);
    buf_printf(r->out, "<td class=\"i\">");
    plot_interval(r, row, axis);
    buf_printf(r->out, "</td><td class=\"n\" data-l=\"cost\">%d run%s<small>%s</small></td>",
               x->runs, plural(x->runs), x->runs ? str_seconds(time, x->seconds) : dash);
    buf_printf(r->out, "<td class=\"full\"><span class=\"tag %s\">%s</span><small>",
               report_class(row), report_verdict(row));
    report_text(r, x->why);
    buf_printf(r->out, "</small></td></tr>\n");
}

void report_experiments(Report *r)
{
    report_open(
        r, "experiments", "Every experiment, in order",
        "Each mark is a candidate with its 90&nbsp;% interval, lower is better. The line is "
        "the champion that it had to beat.");
    if (r->rows == 0) {
        buf_printf(r->out, "<p>Nothing was proposed yet.</p>");
        report_close(r);
        return;
    }
    buf_printf(r->out, "<figure>");
    put_legend(r);
    report_both(r, plot_experiments);
    buf_printf(r->out,
               "</figure>\n<table class=\"exp stack\"><caption>Gains in percent of the "
               "champion of the time. A kept gain is shrunken by what is known of "
               "lucky winners; the others stand as measured. In the small plots the dashed line is "
               "no gain and the upright bar the prediction.</caption><thead><tr><th>&nbsp;</th>"
               "<th>change</th><th class=\"n\">predicted</th><th class=\"n\">found</th><th></th>"
               "<th class=\"n\">cost</th><th>verdict</th></tr></thead><tbody>\n");
    Axis axis = report_interval_axis(r);
    for (int i = 0; i < r->rows; i++) put_row(r, &r->row[i], axis);
    buf_printf(r->out, "</tbody></table>\n");
    report_close(r);
}

/* ---- the recipe ---- */

static json_t *recipe_body(Report *r, const char *sha256)
{
    json_t *body = NULL;
    Err err = { 0 };
    return ledger_last(r->lab.ledger, "recipe", sha256, &body, &err) ? body : NULL;
}

/* The experiment whose keep brought a knob to its value; NULL if none is known. */
static const HistExp *brought_by(const Report *r, const char *knob)
{
    for (int i = r->rows - 1; i >= 0; i--) {
        const HistExp *x = r->row[i].x;
        if (x->decision != EXP_KEEP) continue;
        for (size_t k = 0; k < json_array_size(x->edits); k++)
            if (strcmp(json_str(json_array_get(x->edits, k), "knob", ""), knob) == 0) return x;
    }
    return NULL;
}

static const char *value_in(Report *r, const TomlItem *item, int n, const char *knob)
{
    for (int i = 0; i < n; i++)
        if (strcmp(item[i].name, knob) == 0) return arena_str(r->arena, item[i].text);
    return dash;
}

static void put_change(Report *r, const char *knob, const char *from, const char *to)
{
    const HistExp *x = brought_by(r, knob);
    buf_printf(r->out, "<tr><td class=\"full\"><code>");
    report_text(r, knob);
    buf_printf(r->out, "</code></td><td data-l=\"baseline\">");
    report_text(r, from);
    buf_printf(r->out, "</td><td data-l=\"champion\"><b>");
    report_text(r, to);
    buf_printf(r->out, "</b></td><td class=\"full soft\">");
    if (x) {
        buf_printf(r->out, "<a href=\"#%s\">%s</a> ", x->id, x->id);
        report_text(r, x->title);
    }
    buf_printf(r->out, "</td></tr>\n");
}

static void put_recipe_diff(Report *r, const char *before, const char *after)
{
    TomlItem *a, *b;
    int n = 0, m = 0;
    Err err = { 0 };
    if (!toml_parse(str_of(before), "baseline", r->arena, &a, &n, &err) ||
        !toml_parse(str_of(after), "champion", r->arena, &b, &m, &err))
        return; /* written by a newer version: the whole text stands below */
    buf_printf(r->out,
               "<table class=\"stack\"><thead><tr><th>knob</th><th>baseline</th><th>champion"
               "</th><th>brought by</th></tr></thead><tbody>\n");
    for (int i = 0; i < m; i++) {
        const char *from = value_in(r, a, n, b[i].name), *to = arena_str(r->arena, b[i].text);
        if (strcmp(from, to) != 0) put_change(r, b[i].name, from, to);
    }
    buf_printf(r->out, "</tbody></table>\n");
}

bool report_same_tokens(Report *r)
{
    json_t *first = recipe_body(r, r->h.baseline), *last = recipe_body(r, r->h.champion);
    TomlItem *a, *b;
    int n = 0, m = 0;
    Err err = { 0 };
    bool same =
        first && last &&
        toml_parse(str_of(json_str(first, "text", "")), "baseline", r->arena, &a, &n, &err) &&
        toml_parse(str_of(json_str(last, "text", "")), "champion", r->arena, &b, &m, &err);
    for (int i = 0; same && i < m; i++)
        if (strncmp(b[i].name, "tokenizer.", 10) == 0)
            same = strcmp(value_in(r, a, n, b[i].name), arena_str(r->arena, b[i].text)) == 0;
    json_decref(first);
    json_decref(last);
    return same;
}

void report_recipe(Report *r)
{
    json_t *first = recipe_body(r, r->h.baseline), *last = recipe_body(r, r->h.champion);
    bool same = strcmp(r->h.baseline, r->h.champion) == 0;
    report_open(r, "recipe", "The recipe",
                same ? "The baseline is still the champion."
                     : "What the champion does otherwise than the baseline.");
    if (first && last && !same)
        put_recipe_diff(r, json_str(first, "text", ""), json_str(last, "text", ""));
    if (last) {
        buf_printf(r->out, "<details><summary>the champion's recipe in full</summary><pre>");
        report_text(r, json_str(last, "text", ""));
        buf_printf(r->out, "</pre></details>\n");
    }
    json_decref(first);
    json_decref(last);
    report_close(r);
}

void report_learning(Report *r)
{
    if (!report_has_curves(r)) return;
    report_open(
        r, "learning", "How they learned",
        "The baseline in grey, the champion in colour, over the share of each run's budget.");
    buf_printf(r->out, "<figure>");
    report_both(r, plot_curves);
    buf_printf(r->out, "</figure>\n");
    report_close(r);
}
