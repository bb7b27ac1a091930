/* report_private.h - what the files of the report share. */
#ifndef LAB_REPORT_PRIVATE_H
#define LAB_REPORT_PRIVATE_H

#include "lab/history.h"
#include "lab/researcher.h"
#include "lab/svg.h"

/* One experiment as the page shows it.  bpb; gains are positive. */
typedef struct ReportRow {
    const HistExp *x;
    json_t *verdict, *proposal; /* bodies; verdict NULL while it is open */
    double base;                /* mean of the bank that it was compared with */
    double D, s;                /* measured gain, noise in use; NaN if nothing ran */
    double effect, low, high;   /* what is reported: shrunken for a keep, measured otherwise */
    int n, fresh;
} ReportRow;

typedef struct Report {
    Lab lab;
    History h;
    Buf *out;
    Arena *arena;
    json_t *session, *closing, *end, *headline; /* bodies; NULL where there is none */
    ReportRow *row;
    int rows;
    bool reported;             /* no judge has seen the scores */
    const char *unit;          /* "bits per byte", or what another trainer calls its score */
    const char *tier;          /* whose they are: "search tier" or "self-reported" */
    double baseline, champion; /* means of the banks, search tier */
    Noise noise;
    double s; /* in use; NaN before any is known */
} Report;

/* Parts of the page (report_parts.c, report_story.c, report_findings.c, report_record.c); their
 * order is in report.c. */
void report_head(Report *r);
void report_question(Report *r);
void report_writer(Report *r);
void report_learned(Report *r);
void report_unworked(Report *r);
void report_undecided(Report *r);
void report_next(Report *r);
void report_data(Report *r);
void report_dynamics(Report *r);
void report_cost(Report *r);
void report_people(Report *r);
void report_experiments(Report *r);
void report_recipe(Report *r);
void report_learning(Report *r);
void report_noise(Report *r);
void report_predictions(Report *r);
void report_sessions(Report *r);
void report_held_out(Report *r);
void report_record(Report *r);
void report_log(Report *r);

/* Plots (report_plots.c).  `width` is 860 for a screen or 360 for a phone: a plot is drawn for
 * both, and the style sheet shows the one that fits. */
typedef void ReportPlot(Report *r, double width);
void report_both(Report *r, ReportPlot *plot);
void plot_experiments(Report *r, double width);
void plot_noise(Report *r, double width);
void plot_predictions(Report *r, double width);
void plot_interval(Report *r, const ReportRow *row, Axis axis); /* one line of the table */
Axis report_interval_axis(const Report *r);                     /* the scale of those, in percent */
/* Learning curves of baseline and champion (report_curves.c); false if there are none. */
bool report_has_curves(Report *r);
bool report_same_tokens(Report *r); /* do their tokenizers agree? (report_parts.c) */
void plot_curves(Report *r, double width);

/* Words and numbers (report.c). */
const char *report_class(const ReportRow *row); /* keep, drop, undecided, running, vetoed */
const char *report_verdict(const ReportRow *row);
char *report_percent(const Report *r, double bpb, double of); /* "+1.23 %"; "–" for NaN */
char *report_bpb(const Report *r, double bpb);
void report_text(Report *r, const char *text); /* escaped */
/* Where a statement comes from: the row of a table on the page, and the entry of the ledger (0:
 * none). */
void report_rows(Report *r, const char *id, int64_t seq);
double report_headline_first(const json_t *headline, double otherwise); /* the first recipe's bpb */
void report_open(Report *r, const char *id, const char *heading, const char *lead);
void report_close(Report *r);

extern const char report_style[];

#endif
