/* report_story.c - what a reader wants first: the question, what was learned, what was not, what
 * comes next.
 *
 * Each statement is a sentence made from one row, and names it: the id leads to the row of the
 * table of experiments, the number behind it to the entry of the ledger in the appendix. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/report_private.h"
#include "lab/story.h"

void report_rows(Report *r, const char *id, int64_t seq)
{
    buf_printf(r->out, "<span class=\"rows\"><a href=\"#%s\">%s</a>", id, id);
    if (seq > 0)
        buf_printf(r->out, " &middot; <a href=\"#n%lld\">ledger&nbsp;%lld</a>", (long long)seq,
                   (long long)seq);
    buf_printf(r->out, "</span>");
}

/* ---- the question ---- */

static void put_sources(Report *r)
{
    const json_t *sources = json_object_get(r->h.body, "sources");
    size_t n = json_array_size(sources);
    for (size_t i = 0; i < n; i++) {
        buf_printf(r->out, "%s<b>", i == 0 ? " on " : i + 1 == n ? " and " : ", ");
        report_text(r, json_string_value(json_array_get(sources, i)));
        buf_printf(r->out, "</b>");
    }
}

static void put_terms(Report *r)
{
    char a[32], b[32];
    const json_t *planned = json_object_get(r->session, "planned");
    double params = json_num(planned, "params", 0), tokens = json_num(planned, "run_tokens", 0);
    buf_printf(r->out, "<p>Every run may spend the same");
    if (params > 0) buf_printf(r->out, ": a model of <b>%s</b> parameters", str_count(a, params));
    if (tokens > 0) buf_printf(r->out, ", about <b>%s</b> tokens", str_count(a, tokens));
    put_sources(r);
    buf_printf(r->out, ", %s each. ", str_seconds(b, json_num(planned, "seconds_per_run", 0)));
    buf_printf(r->out, "The researcher was <b>");
    report_text(r, json_str(r->session, "researcher", "builtin"));
    buf_printf(r->out, "</b>. What counts is %s%s.</p>\n", r->unit,
               r->reported ? ", as the trainer itself reports it: no judge has seen its models"
                           : " on held-out text, lower is better");
}

void report_question(Report *r)
{
    const char *goal = json_str(r->session, "goal", ""), *why = json_str(r->h.body, "why", "");
    report_open(r, "question", "The question", NULL);
    if (goal[0]) {
        buf_printf(r->out, "<p class=\"goal\">");
        report_text(r, goal);
        buf_printf(r->out, "</p>\n");
    }
    put_terms(r);
    if (why[0]) {
        buf_printf(r->out, "<p class=\"soft\">Opened because: ");
        report_text(r, why);
        buf_printf(r->out, ".</p>\n");
    }
    report_close(r);
}

/* ---- what a language model made of it ---- */

void report_writer(Report *r)
{
    const char *text, *author;
    StoryCheck check;
    Err err = { 0 };
    Buf page = { 0 };
    const char *session = json_str(r->session, "id", "");
    if (!story_text(&r->lab, session, &text, &author, &err) || !text) return;
    if (story_html(&r->lab, r->h.question, session, text, &page, &check, &err)) {
        report_open(r, "story", "In the writer's words", NULL);
        buf_printf(r->out, "<div class=\"story\">%s</div>\n<p class=\"soft\">Written by ", page.at);
        report_text(r, author);
        buf_printf(r->out,
                   ". Each of its %d numbers and ids was held against the ledger; <b>%d</b> %s not "
                   "there and %s struck out. All else on this page was made without it.</p>\n",
                   check.numbers, check.struck, check.struck == 1 ? "was" : "were",
                   check.struck == 1 ? "is" : "are");
        report_close(r);
    }
    buf_free(&page);
}

/* ---- what was learned ---- */

/* The row that later took the claim out again and how that ended; NULL if none did. */
static const ReportRow *taken_out(const Report *r, const ReportRow *row)
{
    const ReportRow *last = NULL;
    for (int i = 0; i < r->rows; i++)
        if (r->row[i].x->ablates >= 0 && &r->h.exp[r->row[i].x->ablates] == row->x)
            last = &r->row[i];
    return last;
}

static void put_claim(Report *r, const ReportRow *row, Axis axis)
{
    const HistExp *x = row->x;
    const ReportRow *without = taken_out(r, row);
    buf_printf(r->out, "<li><div class=\"gain\"><b>%s</b>",
               report_percent(r, row->effect, row->base));
    plot_interval(r, row, axis);
    buf_printf(r->out, "</div><div><h3>");
    report_text(r, x->title);
    buf_printf(r->out, "</h3><p>Between <b>%s</b> and <b>%s</b>, 90&nbsp;%%",
               report_percent(r, row->low, row->base), report_percent(r, row->high, row->base));
    if (isfinite(x->predicted))
        buf_printf(r->out, "; %s was foretold", report_percent(r, x->predicted, row->base));
    buf_printf(r->out, ". Decided by %d runs, %d of them on seeds nobody had used", row->n,
               row->fresh);
    if (x->P > 0.995)
        buf_printf(r->out, "; it is real with a probability of over 0.99");
    else if (isfinite(x->P))
        buf_printf(r->out, "; it is real with a probability of %.2f", x->P);
    buf_printf(r->out, ".%s", r->reported ? " Self-reported." : "");
    if (without && without->x->decision == EXP_KEEP)
        buf_printf(r->out,
                   " <b>Taken out again</b> by <a href=\"#%s\">%s</a>: the stack loses nothing "
                   "without it.",
                   without->x->id, without->x->id);
    if (without && without->x->decision == EXP_DROP)
        buf_printf(r->out, " Taken out once more later it was missed (<a href=\"#%s\">%s</a>).",
                   without->x->id, without->x->id);
    buf_printf(r->out, "</p>");
    report_rows(r, x->id, x->at);
    buf_printf(r->out, "</div></li>\n");
}

static int count(const Report *r, Decision d)
{
    int n = 0;
    for (int i = 0; i < r->rows; i++)
        n += r->row[i].x->ablates < 0 && r->row[i].x->decision == d && !r->row[i].x->refused;
    return n;
}

void report_learned(Report *r)
{
    char size[32];
    double params = json_num(json_object_get(r->session, "planned"), "params", 0);
    int kept = count(r, EXP_KEEP);
    report_open(r, "learned", "What was learned", NULL);
    if (kept == 0) {
        buf_printf(r->out, "<p>Nothing that was tried is a gain that fresh seeds confirm.</p>\n");
        report_close(r);
        return;
    }
    buf_printf(r->out,
               "<p class=\"soft\">%d change%s held, each against the champion of its time and each "
               "shrunken for the luck of having been picked.",
               kept, kept == 1 ? "" : "s");
    if (params > 0)
        buf_printf(r->out, " All of it at one size, %s parameters: at others it is not known yet.",
                   str_count(size, params));
    buf_printf(r->out, "</p>\n<ol class=\"claims\">\n");
    Axis axis = report_interval_axis(r);
    for (int i = 0; i < r->rows; i++)
        if (r->row[i].x->ablates < 0 && r->row[i].x->decision == EXP_KEEP)
            put_claim(r, &r->row[i], axis);
    buf_printf(r->out, "</ol>\n");
    report_close(r);
}

/* ---- what did not work ---- */

static void put_plain_row(Report *r, const ReportRow *row)
{
    const HistExp *x = row->x;
    buf_printf(r->out, "<li>");
    report_text(r, x->title);
    if (x->refused) {
        buf_printf(r->out, ": could not be run, ");
        report_text(r, x->why);
    } else if (isfinite(row->D)) {
        buf_printf(r->out, ": <b>%s</b> (%s to %s)", report_percent(r, row->effect, row->base),
                   report_percent(r, row->low, row->base), report_percent(r, row->high, row->base));
    } else {
        buf_printf(r->out, ": its runs failed");
    }
    buf_char(r->out, ' ');
    report_rows(r, x->id, x->at);
    buf_printf(r->out, "</li>\n");
}

void report_unworked(Report *r)
{
    enum { SHOWN = 8 };
    int all = 0, shown = 0;
    for (int i = 0; i < r->rows; i++)
        all += r->row[i].x->ablates < 0 && r->row[i].x->decision == EXP_DROP;
    if (all == 0) return;
    report_open(
        r, "unworked", "What did not work",
        "As measured, without shrinking. A gain below what this session can detect may hide "
        "among them; most of them are none.");
    buf_printf(r->out, "<ul class=\"plain\">\n");
    for (int i = 0; i < r->rows; i++) {
        if (r->row[i].x->ablates >= 0 || r->row[i].x->decision != EXP_DROP) continue;
        if (shown++ == SHOWN)
            buf_printf(r->out, "</ul><details><summary>%d more</summary><ul class=\"plain\">\n",
                       all - SHOWN);
        put_plain_row(r, &r->row[i]);
    }
    buf_printf(r->out, "</ul>%s\n", all > SHOWN ? "</details>" : "");
    report_close(r);
}

/* ---- what is undecided ---- */

/* How many runs of each arm would tell the measured gain from nothing by 2.5 of its errors. */
static double runs_to_decide(const ReportRow *row)
{
    double ratio = 2.5 * row->s / row->D;
    return isfinite(ratio) ? ceil(2 * ratio * ratio) : (double)INFINITY;
}

static void put_open_row(Report *r, const ReportRow *row, double seconds)
{
    char time[32];
    double each = runs_to_decide(row), more = fmax(2 * each - row->n, 1);
    buf_printf(r->out, "<tr><td class=\"full\"><b>");
    report_text(r, row->x->title);
    buf_printf(r->out, "</b> ");
    report_rows(r, row->x->id, row->x->at);
    buf_printf(r->out, "</td><td class=\"n\" data-l=\"measured\">%s<small>%s to %s</small></td>",
               report_percent(r, row->effect, row->base), report_percent(r, row->low, row->base),
               report_percent(r, row->high, row->base));
    if (each < 500)
        buf_printf(r->out,
                   "<td class=\"n\" data-l=\"to decide it\">about %.0f runs<small>%s</small></td>",
                   more, str_seconds(time, more * seconds));
    else
        buf_printf(r->out, "<td class=\"n\" data-l=\"to decide it\">more than it is worth</td>");
    buf_printf(r->out, "<td class=\"full\"><small>");
    report_text(r, row->x->why);
    buf_printf(r->out, "</small></td></tr>\n");
}

void report_undecided(Report *r)
{
    double seconds = json_num(json_object_get(r->session, "planned"), "seconds_per_run", 0);
    if (count(r, EXP_UNDECIDED) == 0) return;
    report_open(r, "undecided", "What is undecided, and what deciding would cost",
                "If the gain is what was measured, so many runs of candidate and champion together "
                "would put it two and a half errors from nothing.");
    buf_printf(r->out,
               "<table class=\"stack\"><thead><tr><th>change</th><th class=\"n\">measured</th>"
               "<th class=\"n\">to decide it</th><th>left open because</th></tr></thead>"
               "<tbody>\n");
    for (int i = 0; i < r->rows; i++)
        if (r->row[i].x->ablates < 0 && r->row[i].x->decision == EXP_UNDECIDED)
            put_open_row(r, &r->row[i], seconds);
    buf_printf(r->out, "</tbody></table>\n");
    report_close(r);
}

/* ---- the next run ---- */

extern const ResearcherDef researcher_builtin;

/* What the built-in researcher would try now: a function of the ledger like everything here. */
static bool next_idea(Report *r, Proposal *p)
{
    static Recipe champion, baseline;
    Err err = { 0 };
    bool none = false;
    int n = 0;
    if (!isfinite(r->s) || !lab_recipe(&r->lab, r->h.champion, &champion, &err) ||
        !lab_recipe(&r->lab, r->h.baseline, &baseline, &err) || !recipe_check(&champion, &err))
        return false;
    Asking a = { .history = &r->h,
                 .champion = &champion,
                 .baseline = &baseline,
                 .bpb = history_bank_mean(&r->h, r->h.champion, &n),
                 .s = r->s,
                 .asked = r->h.exps,
                 .left = 20,
                 .session = json_str(r->session, "id", ""),
                 .spec = "",
                 .arena = r->arena };
    return n > 0 && researcher_builtin.propose(&a, p, &none, &err) && !none && p->edits > 0;
}

void report_next(Report *r)
{
    static const double RUNS_PER_PROPOSAL = 3.4;
    char time[32];
    double seconds = json_num(json_object_get(r->session, "planned"), "seconds_per_run", 0);
    Proposal p = { 0 };
    if (!next_idea(r, &p)) return;
    report_open(r, "next", "The next run", NULL);
    buf_printf(r->out, "<p>Of all that was not tried the built-in researcher would take <b>");
    report_text(r, p.title);
    buf_printf(r->out,
               "</b>: it expects %s and would pay about %.1f runs, %s.</p><p class=\"soft\">",
               report_percent(r, p.predicted, r->champion), RUNS_PER_PROPOSAL,
               str_seconds(time, RUNS_PER_PROPOSAL * seconds));
    report_text(r, p.why);
    buf_printf(r->out, "</p>\n<pre>lathe research --experiments 10   goes on from the champion");
    if (!r->reported)
        buf_printf(r->out, "\nlathe plan --hours 8              the largest run that is worth its "
                           "hours");
    buf_printf(r->out, "</pre>\n");
    report_close(r);
}
