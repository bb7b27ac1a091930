/* report_findings.c - what was found beside the verdicts: in the text, in the curves, in the bill;
 * and what people said meanwhile. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "lab/credit.h"
#include "lab/entry_text.h"
#include "lab/people.h"
#include "lab/report_private.h"
#include "lab/spend.h"

/* ---- the text ---- */

/* Was this finding settled by training?  The last settlement of its kind in its data set. */
static json_t *settlement(Report *r, const char *name, const char *kind)
{
    char sql[400];
    json_t *rows = NULL, *row;
    Err err = { 0 };
    if (strpbrk(name, "'\"") || strpbrk(kind, "'\"")) return NULL;
    snprintf(sql, sizeof(sql),
             "SELECT seq, settle, decision, effect, low, high, runs FROM settlements WHERE data = "
             "'%s' AND kind = '%s' ORDER BY seq DESC LIMIT 1",
             name, kind);
    if (!ledger_query(r->lab.ledger, sql, 1, &rows, &err)) return NULL;
    row = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    return row;
}

static void put_settled(Report *r, const json_t *s)
{
    if (!s) {
        buf_printf(r->out, "<td class=\"full soft\">not settled by training</td></tr>\n");
        return;
    }
    buf_printf(
        r->out,
        "<td class=\"full\"><span class=\"tag %s\">%s</span><small>its remedy gains %+.4f "
        "(%+.4f to %+.4f) bits per byte over forgetting as much at random, %lld runs</small>",
        json_str(s, "decision", ""), json_str(s, "decision", ""), json_num(s, "effect", 0),
        json_num(s, "low", 0), json_num(s, "high", 0), (long long)json_int(s, "runs", 0));
    report_rows(r, json_str(s, "settle", "a1"), json_int(s, "seq", 0));
    buf_printf(r->out, "</td></tr>\n");
}

static void put_issue(Report *r, const char *name, const json_t *f)
{
    char bytes[32], documents[32];
    json_t *settled = settlement(r, name, json_str(f, "kind", ""));
    buf_printf(r->out, "<tr><td class=\"full\"><b>");
    report_text(r, json_str(f, "kind", ""));
    buf_printf(r->out, "</b> in ");
    report_text(r, name);
    buf_printf(r->out, "<small>");
    report_text(r, json_str(f, "what", ""));
    buf_printf(r->out,
               "</small></td><td class=\"n\" data-l=\"documents\">%s</td><td class=\"n\" "
               "data-l=\"size\">%s"
               "</td><td class=\"n\" data-l=\"confidence\">%.0f&nbsp;%%</td>",
               str_count(documents, json_num(f, "documents", 0)),
               str_bytes(bytes, json_num(f, "bytes", 0)), 100 * json_num(f, "confidence", 0));
    put_settled(r, settled);
    json_decref(settled);
}

/* The findings of the last audit; NULL where there was none. */
static json_t *audit_of(Report *r, const char *name)
{
    Err err = { 0 };
    const char *path = lab_path(&r->lab, "data/%s/audit.json", name);
    return file_exists(path) ? json_read_file(path, &err) : NULL;
}

void report_data(Report *r)
{
    const json_t *sources = json_object_get(r->h.body, "sources");
    int audited = 0, found = 0;
    for (size_t i = 0; i < json_array_size(sources); i++) {
        const char *name = json_string_value(json_array_get(sources, i));
        json_t *audit = audit_of(r, name), *f;
        size_t k;
        audited += audit != NULL;
        json_array_foreach(json_object_get(audit, "findings"), k, f)
        {
            if (found++ == 0) {
                report_open(r, "data", "What was found in the text",
                            "By the last audit of each data set; no text is quoted here.");
                buf_printf(r->out,
                           "<table class=\"stack\"><thead><tr><th>finding</th><th class=\"n\">"
                           "documents</th><th class=\"n\">size</th><th class=\"n\">confidence"
                           "</th><th>settled</th></tr></thead><tbody>\n");
            }
            put_issue(r, name, f);
        }
        json_decref(audit);
    }
    if (found > 0) buf_printf(r->out, "</tbody></table>\n");
    if (found == 0 && json_array_size(sources) > 0) {
        report_open(r, "data", "What was found in the text", NULL);
        buf_printf(r->out, audited > 0
                               ? "<p>The audit found nothing to object to.</p>\n"
                               : "<p class=\"soft\">It was not audited: <code>lathe data "
                                 "audit NAME</code> looks for what is wrong with it.</p>\n");
    }
    if (found > 0 || json_array_size(sources) > 0) report_close(r);
}

/* ---- the curves ---- */

static json_t *diagnoses(Report *r)
{
    char sql[700];
    json_t *rows = NULL;
    Err err = { 0 };
    snprintf(
        sql, sizeof(sql),
        "SELECT d.finding AS finding, d.harm AS harm, count(DISTINCT d.run) AS runs, min(d.run) "
        "AS first, max(d.seq) AS seq, d.run AS run, d.evidence AS evidence, (SELECT count(*) "
        "FROM runs a JOIN results b ON b.run = a.run WHERE a.question = '%s') AS of FROM "
        "diagnoses d JOIN runs r ON r.run = d.run WHERE r.question = '%s' GROUP BY d.finding "
        "ORDER BY d.harm <> 'dead', d.harm <> 'ill', runs DESC LIMIT 12",
        r->h.question, r->h.question);
    return ledger_query(r->lab.ledger, sql, 12, &rows, &err) ? rows : NULL;
}

void report_dynamics(Report *r)
{
    json_t *rows = diagnoses(r), *row;
    size_t i;
    report_open(r, "dynamics", "What the curves showed", NULL);
    if (json_array_size(rows) == 0)
        buf_printf(r->out,
                   "<p>The doctor read the curve of every run and found nothing worse than a "
                   "note.</p>\n");
    else
        buf_printf(r->out,
                   "<p class=\"soft\">What the doctor found in the curves of finished runs; "
                   "<code>lathe doctor RUN</code> says more.</p>\n<ul class=\"plain\">\n");
    json_array_foreach(rows, i, row)
    {
        const char *harm = json_str(row, "harm", "");
        buf_printf(r->out, "<li><span class=\"tag %s\">%s</span> <b>",
                   strcmp(harm, "warning") == 0 ? "undecided" : "failed", harm);
        for (const char *c = json_str(row, "finding", ""); *c; c++)
            buf_char(r->out, *c == '_' ? ' ' : *c);
        buf_printf(r->out, "</b> in %lld of %lld runs: ", (long long)json_int(row, "runs", 0),
                   (long long)json_int(row, "of", 0));
        report_text(r, json_str(row, "evidence", ""));
        buf_char(r->out, ' ');
        report_rows(r, json_str(row, "run", ""), json_int(row, "seq", 0));
        buf_printf(r->out, "</li>\n");
    }
    if (json_array_size(rows) > 0) buf_printf(r->out, "</ul>\n");
    json_decref(rows);
    report_close(r);
}

/* ---- the bill ---- */

static void put_number(Report *r, const json_t *row, const char *key, const char *label,
                       const char *form)
{
    double x = json_num(row, key, (double)NAN);
    buf_printf(r->out, "<td class=\"n\" data-l=\"%s\">", label);
    if (isfinite(x))
        buf_printf(r->out, strcmp(form, "$") == 0 ? "$%.2f" : "%.0f", x);
    else
        buf_printf(r->out, "unknown");
    buf_printf(r->out, "</td>");
}

static void put_payer(Report *r, const json_t *row)
{
    char time[32], tokens[32];
    double each = json_num(row, "seconds_per_gain", (double)NAN);
    double spent = json_num(row, "tokens", (double)NAN),
           brier = json_num(row, "brier", (double)NAN);
    bool reported = strcmp(json_str(row, "scores", ""), "self-reported") == 0;
    buf_printf(r->out, "<tr><td class=\"full\"><b>");
    report_text(r, json_str(row, "author", ""));
    buf_printf(r->out, "</b>%s</td>", reported ? "<small>self-reported scores</small>" : "");
    buf_printf(r->out, "<td class=\"n\" data-l=\"kept\">%lld of %lld</td>",
               (long long)json_int(row, "kept", 0), (long long)json_int(row, "decided", 0));
    buf_printf(r->out, "<td class=\"n\" data-l=\"time\">%s</td>",
               str_seconds(time, json_num(row, "seconds", 0)));
    buf_printf(r->out, "<td class=\"n\" data-l=\"tokens\">%s</td>",
               isfinite(spent) ? str_count(tokens, spent) : "unknown");
    put_number(r, row, "usd", "dollars", "$");
    buf_printf(r->out, "<td class=\"n\" data-l=\"each kept gain\">%s",
               isfinite(each) ? str_seconds(time, each) : "\xE2\x80\x93");
    if (json_num(row, "usd_per_gain", 0) > 0)
        buf_printf(r->out, "<small>$%.2f</small>", json_num(row, "usd_per_gain", 0));
    buf_printf(r->out, "</td>");
    if (isfinite(brier))
        buf_printf(r->out, "<td class=\"n\" data-l=\"Brier score\">%.2f</td></tr>\n", brier);
    else
        buf_printf(r->out, "<td class=\"n\">\xE2\x80\x93</td></tr>\n");
}

static void put_model_bill(Report *r)
{
    Spend s;
    Err err = { 0 };
    char a[32], b[32], c[32], d[32], e[32];
    if (!spend_of(&r->lab, json_str(r->session, "id", ""), &s, &err) || s.requests == 0) return;
    buf_printf(
        r->out,
        "<p>The language model of this session was asked %d times in %d tries: %s tokens read "
        "anew, %s from its cache, %s written there, %s answered (%s of them thought). ",
        s.requests, s.tries, str_count(a, (double)s.input), str_count(b, (double)s.cache_read),
        str_count(c, (double)s.cache_write), str_count(d, (double)s.output),
        str_count(e, (double)s.thinking));
    if (s.usd_known)
        buf_printf(r->out, "It cost <b>$%.4f</b>.", s.usd);
    else
        buf_printf(r->out, "What that cost is not known in all.");
    if (s.refusals > 0) buf_printf(r->out, " It refused %d times.", s.refusals);
    if (s.unanswered > 0)
        buf_printf(r->out, " %d requests were never answered and may have cost $%.2f more.",
                   s.unanswered, s.worst);
    buf_printf(r->out, "</p>\n");
}

void report_cost(Report *r)
{
    json_t *rows = NULL, *row;
    size_t i;
    Err err = { 0 };
    if (!credit(&r->lab, &rows, &err) || json_array_size(rows) == 0) {
        json_decref(rows);
        return;
    }
    report_open(
        r, "cost", "What it cost, and who earned it",
        "Over all questions of this lab. What an outside agent spent on tokens is unknown, "
        "and never counted as nothing. The Brier score is the mean square of the confidence "
        "given against what came: 0.25 is tossing a coin, less is better.");
    put_model_bill(r);
    buf_printf(r->out,
               "<table class=\"stack\"><thead><tr><th>researcher</th><th class=\"n\">kept</th>"
               "<th class=\"n\">time</th><th class=\"n\">tokens</th><th class=\"n\">dollars"
               "</th><th class=\"n\">each kept gain</th><th class=\"n\">Brier</th></tr></thead>"
               "<tbody>\n");
    json_array_foreach(rows, i, row) put_payer(r, row);
    buf_printf(r->out, "</tbody></table>\n");
    json_decref(rows);
    report_close(r);
}

/* ---- people ---- */

void report_people(Report *r)
{
    json_t *said = NULL, *w;
    size_t i;
    Err err = { 0 };
    if (!people_said(&r->lab, &said, &err) || json_array_size(said) == 0) {
        json_decref(said);
        return;
    }
    report_open(r, "people", "What people said, and what came of it", NULL);
    buf_printf(r->out, "<ul class=\"plain\">\n");
    json_array_foreach(said, i, w)
    {
        bool goal = strcmp(json_str(w, "kind", ""), "session") == 0;
        buf_printf(r->out, "<li><b>%s</b> ", goal ? "goal" : json_str(w, "kind", ""));
        if (!goal) {
            buf_printf(r->out, "of ");
            report_text(r, json_str(w, "author", ""));
        }
        buf_printf(r->out, ": \xE2\x80\x9C");
        report_text(r, json_str(w, "text", ""));
        buf_printf(r->out, "\xE2\x80\x9D. <i>");
        report_text(r, json_str(w, "effect", ""));
        buf_printf(r->out,
                   "</i> <span class=\"rows\"><a href=\"#n%lld\">ledger&nbsp;%lld</a></span>"
                   "</li>\n",
                   (long long)json_int(w, "seq", 0), (long long)json_int(w, "seq", 0));
    }
    buf_printf(r->out, "</ul>\n");
    json_decref(said);
    report_close(r);
}

/* ---- everything that happened ---- */

static bool see_entry(void *self, const Entry *e)
{
    Report *r = self;
    char date[32];
    Buf line = { 0 };
    if (strcmp(e->kind, "blocks") == 0) return true; /* numbers by the thousand: in the ledger */
    entry_text(e->kind, e->body, &line);
    entry_text_plain(&line);
    clock_stamp(date, e->at);
    buf_printf(r->out, "<tr id=\"n%lld\"><td>%lld</td><td>%.8s</td><td>", (long long)e->seq,
               (long long)e->seq, date + 11);
    report_text(r, e->kind);
    buf_printf(r->out, "</td><td>");
    report_text(r, strlen(e->id) > 24 ? "" : e->id);
    buf_printf(r->out, "</td><td>");
    enum { LONGEST = 400 };
    if (line.len > LONGEST) {
        ptrdiff_t cut = LONGEST;
        while (cut > 0 && ((unsigned char)line.at[cut] & 0xc0) == 0x80) cut--;
        line.at[cut] = '\0';
    }
    report_text(r, line.at ? line.at : "");
    buf_printf(r->out, "%s</td></tr>\n", line.len > LONGEST ? " \xE2\x80\xA6" : "");
    buf_free(&line);
    return true;
}

void report_log(Report *r)
{
    Err err = { 0 };
    report_open(r, "log", "Appendix: everything that happened",
                "Every entry of the ledger as one line; the numbers on the left are those that the "
                "statements above lead to.");
    buf_printf(r->out, "<details><summary>show the log</summary><table class=\"log\"><tbody>\n");
    if (!ledger_each(r->lab.ledger, NULL, 0, see_entry, r, &err))
        buf_printf(r->out, "<tr><td>the ledger could not be read to its end</td></tr>\n");
    buf_printf(r->out, "</tbody></table></details>\n");
    report_close(r);
}
