/* report.c - one page that a person can read in the morning and send to a colleague.
 *
 * Everything on it is read from the ledger when it is written, so a report can be made again from
 * the ledger at any time, and says the same.  (Only the sizes of the held-out tiers come from the
 * manifests of the data.)  The page is one file: style and plots inside, no script, nothing from
 * the network. It holds numbers, recipes and the researchers' own words, never text of a data set.
 *
 * What stands in a ledger was written by others: all of it is escaped (svg_escape). */
#include "lab/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "lab/report_private.h"
#include "science/stats.h"

/* ---- words and numbers ---- */

const char *report_class(const ReportRow *row)
{
    static const char *const name[] = { "running", "keep", "drop", "undecided", "vetoed" };
    return name[row->x->decision];
}

const char *report_verdict(const ReportRow *row)
{
    if (row->x->moved) return "confirmed anew";
    if (row->x->ablates < 0) return report_class(row);
    return row->x->decision == EXP_KEEP   ? "taken out"
           : row->x->decision == EXP_DROP ? "stays in"
                                          : report_class(row);
}

char *report_percent(const Report *r, double bpb, double of)
{
    double share = 100 * bpb / of, size = fabs(share);
    if (!isfinite(share)) return arena_str(r->arena, STR("\xE2\x80\x93"));
    const char *sign = share < 0 ? "\xE2\x88\x92" : "+";
    return arena_printf(r->arena, "%s%.*f\xC2\xA0%%", sign,
                        size >= 99.5   ? 0
                        : size >= 9.95 ? 1
                                       : 2,
                        size);
}

char *report_bpb(const Report *r, double bpb)
{
    if (!isfinite(bpb)) return arena_str(r->arena, STR("\xE2\x80\x93"));
    return arena_printf(r->arena, "%.4f", bpb);
}

void report_text(Report *r, const char *text)
{
    svg_escape(r->out, text);
}

void report_open(Report *r, const char *id, const char *heading, const char *lead)
{
    buf_printf(r->out, "<section id=\"%s\"><h2>%s</h2>\n", id, heading);
    if (lead) buf_printf(r->out, "<p class=\"soft\">%s</p>\n", lead);
}

void report_close(Report *r)
{
    buf_printf(r->out, "</section>\n");
}

/* ---- reading ---- */

static double bank_mean(const Report *r, const char *recipe)
{
    int index[VERDICT_RUNS], n = history_bank(&r->h, recipe, index, VERDICT_RUNS);
    double x[VERDICT_RUNS];
    for (int i = 0; i < n; i++) x[i] = r->h.run[index[i]].bpb;
    return n > 0 ? stat_huber_mean(x, n, r->s) : history_mean(&r->h, recipe, &n);
}

/* The last body of a kind; it lives until the report is closed. */
static bool body_of(Report *r, const char *kind, const char *id, json_t **body, Err *err)
{
    *body = NULL;
    return ledger_last(r->lab.ledger, kind, id, body, err);
}

static bool read_row(Report *r, const HistExp *x, ReportRow *row, Err *err)
{
    double nan = (double)NAN;
    *row = (ReportRow){ .x = x, .D = nan, .s = r->s, .effect = nan, .low = nan, .high = nan };
    row->base = bank_mean(r, x->base);
    if (!body_of(r, "proposal", x->id, &row->proposal, err) ||
        !body_of(r, "verdict", x->id, &row->verdict, err))
        return false;
    if (row->verdict) {
        row->D = json_num(row->verdict, "D", nan);
        row->s = json_num(row->verdict, "s", row->s);
        row->low = json_num(row->verdict, "low", nan);
        row->high = json_num(row->verdict, "high", nan);
        row->n = (int)json_int(row->verdict, "n", 0);
        row->fresh = (int)json_int(row->verdict, "fresh", 0);
        bool keep = x->decision == EXP_KEEP;
        row->effect = keep ? json_num(row->verdict, "effect", row->D) : row->D;
    }
    return true;
}

static bool read_rows(Report *r, Err *err)
{
    r->row = NEW(r->arena, ReportRow, MAX(r->h.exps, 1));
    for (int i = 0; i < r->h.exps; i++)
        if (!read_row(r, &r->h.exp[i], &r->row[r->rows++], err)) return false;
    return true;
}

/* A metric's name stands in markup and in drawings: nothing of it may be markup. */
static const char *plain_name(const Report *r, const char *name)
{
    char *plain = arena_str(r->arena, str_of(name));
    for (char *c = plain; *c; c++)
        if (strchr("<>&\"'", *c) || (unsigned char)*c < ' ') *c = '_';
    return plain;
}

static bool read_all(Report *r, Err *err)
{
    if (!history_open(&r->h, &r->lab, err) || !body_of(r, "session", NULL, &r->session, err))
        return false;
    if (!r->session || !r->h.question[0])
        return err_set(err, ERR_CONFIG,
                       "nothing has been researched in this lab yet; `lathe research` begins");
    const char *id = json_str(r->session, "id", "");
    if (!body_of(r, "closing", id, &r->closing, err) ||
        !body_of(r, "session_end", id, &r->end, err) ||
        !body_of(r, "headline", id, &r->headline, err))
        return false;
    r->reported = history_reported(&r->h);
    r->unit = r->reported ? plain_name(r, history_metric(&r->h)) : "bits per byte";
    r->tier = r->reported ? "self-reported" : "search tier";
    r->noise = history_noise(&r->h, NULL);
    r->s = r->noise.nu > 0 ? noise_s_used(&r->noise) : (double)NAN;
    r->baseline = bank_mean(r, r->h.baseline);
    r->champion = bank_mean(r, r->h.champion);
    return read_rows(r, err);
}

static void drop_bodies(Report *r)
{
    json_t *const body[] = { r->session, r->closing, r->end, r->headline };
    for (int i = 0; i < COUNT(body); i++) json_decref(body[i]);
    for (int i = 0; i < r->rows; i++) {
        json_decref(r->row[i].verdict);
        json_decref(r->row[i].proposal);
    }
}

/* ---- the page ---- */

static void put_page(Report *r)
{
    buf_printf(r->out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                       "<meta name=\"generator\" content=\"Lathe\">\n<title>Lathe report ");
    report_text(r, json_str(r->session, "id", ""));
    buf_printf(r->out, "</title>\n<style>%s</style></head>\n<body><main>\n", report_style);
    static void (*const parts[])(Report * r) = {
        report_head,      report_question,    report_writer,      report_learned, report_unworked,
        report_undecided, report_experiments, report_recipe,      report_data,    report_learning,
        report_dynamics,  report_noise,       report_predictions, report_cost,    report_people,
        report_sessions,  report_next,        report_held_out,    report_record,  report_log,
    };
    for (int i = 0; i < COUNT(parts); i++) parts[i](r);
    buf_printf(r->out, "</main></body></html>\n");
}

bool report_write(Ledger *l, const char *lab, const char *path, Err *err)
{
    Arena arena = arena_reserve((ptrdiff_t)1 << 32);
    Buf page = { 0 };
    Report r = { .lab = { lab, l, &arena }, .out = &page, .arena = &arena };
    bool ok = read_all(&r, err);
    if (ok) put_page(&r);
    ok = ok && file_write_whole(path, buf_view(&page), err);
    drop_bodies(&r);
    history_close(&r.h);
    buf_free(&page);
    arena_release(&arena);
    return ok;
}
