/* report_record.c - what the findings rest on: noise, predictions, held-out text, the ledger. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/corpus.h"
#include "lab/report_private.h"

/* ---- noise ---- */

void report_noise(Report *r)
{
    if (!(r->noise.nu > 0)) return;
    const json_t *planned = json_object_get(r->session, "planned");
    double sigma = noise_s(&r->noise), told = json_num(planned, "detectable_sigma", 0);
    report_open(r, "noise", "The noise, and what can be seen through it", NULL);
    buf_printf(r->out,
               "<p>The same recipe on another seed ends elsewhere: one sigma is %s %s, "
               "<b>%s</b>, from %.0f runs beyond the first of their recipe. Every verdict above "
               "weighs its gain against this.",
               report_bpb(r, sigma), r->unit, report_percent(r, sigma, r->champion) + 1,
               r->noise.nu);
    if (told > 0)
        buf_printf(r->out,
                   " A session like this one finds a gain of <b>%s</b> (%.1f sigma) four times in "
                   "five, and smaller ones less often.",
                   report_percent(r, told * sigma, r->champion) + 1, told);
    buf_printf(r->out, "</p>\n<figure>");
    report_both(r, plot_noise);
    buf_printf(r->out, "</figure>\n");
    report_close(r);
}

/* ---- predictions, by author ---- */

typedef struct Author {
    const char *name;
    int proposals, kept, scored;
    double gain, seconds, confidence, score; /* gain: sum of kept effects, % */
} Author;

enum { AUTHORS = 12 };

static void count_row(Author *a, const ReportRow *row)
{
    const HistExp *x = row->x;
    a->proposals++;
    a->seconds += x->seconds;
    if (x->decision == EXP_KEEP) {
        a->kept++;
        a->gain += 100 * row->effect / row->base;
    }
    bool decided = x->decision == EXP_KEEP || x->decision == EXP_DROP;
    if (!decided || !isfinite(x->confidence)) return;
    double p = fmax(0.001, fmin(0.999, x->confidence));
    a->scored++;
    a->confidence += p;
    a->score += log2(x->decision == EXP_KEEP ? p : 1 - p);
}

static int count_authors(const Report *r, Author author[AUTHORS])
{
    int n = 0;
    for (int i = 0; i < r->rows; i++) {
        const HistExp *x = r->row[i].x;
        int k = 0;
        if (!history_is_idea(x)) continue;
        while (k < n && strcmp(author[k].name, x->author) != 0) k++;
        if (k == AUTHORS) continue;
        if (k == n) author[n++] = (Author){ .name = x->author };
        count_row(&author[k], &r->row[i]);
    }
    return n;
}

static void put_author(Report *r, const Author *a)
{
    char time[32];
    buf_printf(r->out, "<tr><td class=\"full\"><b>");
    report_text(r, a->name[0] ? a->name : "unknown");
    buf_printf(
        r->out,
        "</b></td><td class=\"n\" data-l=\"kept\">%d of %d</td><td class=\"n\" data-l=\"sum of "
        "kept gains\">%+.2f&nbsp;%%</td><td class=\"n\" data-l=\"time of candidates\">%s</td>",
        a->kept, a->proposals, a->gain, str_seconds(time, a->seconds));
    if (a->scored > 0)
        buf_printf(r->out,
                   "<td class=\"n\" data-l=\"mean confidence\">%.0f&nbsp;%%</td><td class=\"n\" "
                   "data-l=\"log score\">%.2f&nbsp;bit</td></tr>\n",
                   100 * a->confidence / a->scored, a->score / a->scored);
    else
        buf_printf(r->out,
                   "<td class=\"n\">\xE2\x80\x93</td><td class=\"n\">\xE2\x80\x93</td></tr>\n");
}

void report_predictions(Report *r)
{
    Author author[AUTHORS];
    int n = count_authors(r, author);
    if (n == 0) return;
    report_open(
        r, "predictions", "Predictions",
        "Who proposes says beforehand what to expect. It plays no part in the verdict; it shows "
        "who can be believed. The log score is the mean of log2 of the probability "
        "given to what happened: 0 is perfect, &minus;1 is tossing a coin.");
    buf_printf(r->out, "<figure>");
    report_both(r, plot_predictions);
    buf_printf(r->out,
               "</figure>\n<table class=\"stack\"><thead><tr><th>researcher</th><th "
               "class=\"n\">kept</th><th class=\"n\">sum of kept gains</th><th class=\"n\">time of "
               "candidates</th><th class=\"n\">mean confidence</th><th class=\"n\">log score</th>"
               "</tr></thead><tbody>\n");
    for (int i = 0; i < n; i++) put_author(r, &author[i]);
    buf_printf(r->out, "</tbody></table>\n");
    report_close(r);
}

/* ---- other sessions of this lab: random search beside the researcher, if it was run ---- */

typedef struct Sessions {
    Report *r;
    int count;
    bool put;
} Sessions;

static bool see_session(void *self, const Entry *e)
{
    Sessions *s = self;
    Report *r = s->r;
    s->count++;
    if (!s->put) return true;
    Err err = { 0 };
    json_t *headline = NULL, *end = NULL;
    if (!ledger_last(r->lab.ledger, "headline", e->id, &headline, &err)) headline = NULL;
    if (!ledger_last(r->lab.ledger, "session_end", e->id, &end, &err)) end = NULL;
    buf_printf(r->out, "<tr><td data-l=\"session\"><b>");
    report_text(r, e->id);
    buf_printf(r->out, "</b></td><td data-l=\"researcher\">");
    report_text(r, json_str(e->body, "researcher", ""));
    buf_printf(r->out, "</td><td data-l=\"question\">");
    report_text(r, json_str(e->body, "question", ""));
    double nan = (double)NAN, gain = json_num(headline, "gain", nan);
    double of = report_headline_first(headline, r->baseline);
    buf_printf(r->out, "</td><td class=\"n\" data-l=\"gain, audit tier\">%s",
               report_percent(r, gain, of));
    if (isfinite(gain))
        buf_printf(r->out, "<small>%s to %s</small>",
                   report_percent(r, json_num(headline, "low", nan), of),
                   report_percent(r, json_num(headline, "high", nan), of));
    buf_printf(r->out, "</td><td class=\"full soft\">");
    /* The page of a session is written before its last entry. */
    bool mine = strcmp(e->id, json_str(r->closing, "session", "")) == 0;
    report_text(r,
                json_str(end, "text", json_str(mine ? r->closing : NULL, "reason", "not ended")));
    buf_printf(r->out, "</td></tr>\n");
    json_decref(headline);
    json_decref(end);
    return true;
}

/* Two walks: a heading only where there is something to compare. */
void report_sessions(Report *r)
{
    Sessions s = { .r = r };
    Err err = { 0 };
    if (!ledger_each(r->lab.ledger, "session", 0, see_session, &s, &err) || s.count < 2) return;
    report_open(
        r, "sessions", "Sessions of this lab",
        "Champion against first recipe at the end of each session, on unused seeds. A session with "
        "the researcher <i>random</i> is the yardstick of the others.");
    buf_printf(r->out,
               "<table class=\"stack\"><thead><tr><th>session</th><th>researcher</th><th>question"
               "</th><th class=\"n\">gain, audit tier</th><th>ended because</th></tr></thead>"
               "<tbody>\n");
    s.put = true;
    if (!ledger_each(r->lab.ledger, "session", 0, see_session, &s, &err))
        buf_printf(r->out,
                   "<tr><td class=\"full\">the list could not be read to its end</td></tr>");
    buf_printf(r->out, "</tbody></table>\n");
    report_close(r);
}

/* ---- held-out text ---- */

static void put_tier(Report *r, const char *source, const char *tier, const json_t *t)
{
    char bytes[32], count[32];
    double error = json_num(t, "sampling_error", (double)NAN);
    buf_printf(r->out, "<tr><td class=\"full\"><b>");
    report_text(r, source);
    buf_printf(r->out,
               "</b> %s</td><td class=\"n\" data-l=\"documents\">%s</td><td class=\"n\" "
               "data-l=\"size\">%s</td><td class=\"n\" data-l=\"sampling error\">",
               tier, str_count(count, json_num(t, "documents", 0)),
               str_bytes(bytes, json_num(t, "bytes", 0)));
    if (isfinite(error))
        buf_printf(r->out, "%.2f&nbsp;%%</td></tr>\n", 100 * error);
    else
        buf_printf(r->out, "\xE2\x80\x93</td></tr>\n");
}

static void put_source(Report *r, const char *source)
{
    json_t *manifest = NULL;
    Err err = { 0 };
    if (!corpus_manifest(r->lab.dir, source, &manifest, &err)) return; /* removed since: no row */
    const json_t *tiers = json_object_get(manifest, "tiers");
    for (int i = 0; i < TIER_COUNT; i++) {
        const json_t *t = json_object_get(tiers, tier_name[i]);
        if (t) put_tier(r, source, tier_name[i], t);
    }
    json_decref(manifest);
}

static bool count_locked(void *self, const Entry *e)
{
    *(int *)self += strcmp(json_str(e->body, "tier", ""), "locked") == 0;
    return true;
}

void report_held_out(Report *r)
{
    const json_t *sources = json_object_get(r->h.body, "sources");
    int locked = 0;
    Err err = { 0 };
    if (r->reported) return; /* its held-out text is the trainer's own affair */
    if (!ledger_each(r->lab.ledger, "judge_read", 0, count_locked, &locked, &err)) locked = -1;
    report_open(r, "held-out", "The held-out text", NULL);
    buf_printf(
        r->out,
        "<p>Cut once from the raw text, never trained on. Every experiment reads <i>search</i>. "
        "<i>Audit</i> was read %d time%s and answers the loop with one bit; it disagreed %d "
        "time%s.",
        r->h.audit_reads, r->h.audit_reads == 1 ? "" : "s", r->h.audit_disagrees,
        r->h.audit_disagrees == 1 ? "" : "s");
    if (locked >= 0)
        buf_printf(r->out, " <i>Locked</i> was read %d time%s.", locked, locked == 1 ? "" : "s");
    buf_printf(r->out,
               " The sampling error is how far the text of a tier may be off from all such text; "
               "most of it cancels where two models are compared on it, and the rest is in every "
               "verdict.</p>\n");
    buf_printf(r->out,
               "<table class=\"stack\"><thead><tr><th>tier</th><th class=\"n\">documents</th><th "
               "class=\"n\">size</th><th class=\"n\">sampling error</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < json_array_size(sources); i++)
        put_source(r, json_string_value(json_array_get(sources, i)));
    buf_printf(r->out, "</tbody></table>\n");
    report_close(r);
}

/* ---- the record ---- */

typedef struct Record {
    int64_t seq;
    char hash[80], machine[160], level[32], version[64];
} Record;

static bool see_entry(void *self, const Entry *e)
{
    Record *record = self;
    record->seq = e->seq;
    snprintf(record->hash, sizeof(record->hash), "%s", e->hash);
    if (strcmp(e->kind, "result") != 0) return true;
    snprintf(record->machine, sizeof(record->machine), "%s", json_str(e->body, "machine", ""));
    snprintf(record->level, sizeof(record->level), "%s", json_str(e->body, "level", ""));
    snprintf(record->version, sizeof(record->version), "%s", json_str(e->body, "version", ""));
    return true;
}

static const char *an_experiment(const Report *r)
{
    for (int i = r->rows - 1; i >= 0; i--)
        if (r->row[i].x->decision == EXP_KEEP) return r->row[i].x->id;
    return r->rows > 0 ? r->row[0].x->id : NULL;
}

void report_record(Report *r)
{
    Record record = { 0 };
    Err err = { 0 };
    bool whole = ledger_each(r->lab.ledger, NULL, 0, see_entry, &record, &err);
    report_open(
        r, "record", "The record",
        "Every number above follows from the ledger of this lab, a chain of entries in which an "
        "edit anywhere shows.");
    if (record.machine[0]) {
        buf_printf(r->out, "<p>Machine: ");
        report_text(r, record.machine);
        buf_printf(r->out, ", kernels ");
        report_text(r, record.level);
        buf_printf(r->out, ". Lathe ");
        report_text(r, record.version);
        buf_printf(r->out, ".</p>\n");
    }
    if (whole)
        buf_printf(r->out, "<p>Last of %lld entries:<br><span class=\"hash\">%s</span></p>\n",
                   (long long)record.seq, record.hash);
    const char *id = an_experiment(r);
    if (id && r->h.runs > 0)
        buf_printf(r->out,
                   "<pre>lathe show %s      the evidence of one verdict\nlathe replay %s   the "
                   "same run again\nlathe log         everything that happened, in order</pre>\n",
                   id, r->h.run[0].id);
    report_close(r);
}
