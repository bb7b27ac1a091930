/* show_experiment.c - a proposal with all that speaks for and against it; and a claim, which is
 * a kept one. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/show.h"
#include "lab/entry_text.h"

#define RUN_COLUMNS                                                                                \
    "r.run, r.purpose, r.seed, x.bpb, x.failed, x.seconds, x.metric, x.why FROM runs r LEFT JOIN " \
    "results x ON "                                                                                \
    "x.run = r.run"

/* The champion's runs it was compared with: those of its base recipe that make a bank. */
static bool gather_runs(Lab *lab, const char *id, const json_t *proposal, json_t *doc, Err *err)
{
    return show_rows(lab, doc, "runs", err,
                     "SELECT " RUN_COLUMNS " WHERE r.experiment='%s' ORDER BY r.seq", id) &&
           show_rows(lab, doc, "bank", err,
                     "SELECT " RUN_COLUMNS " WHERE r.recipe='%s' AND r.question='%s' AND r.purpose "
                     "IN ('bank','confirm') ORDER BY r.seq",
                     json_str(proposal, "base_recipe", ""), json_str(proposal, "question", ""));
}

static bool gather_experiment(Lab *lab, const char *id, json_t **out, Err *err)
{
    json_t *proposal = NULL, *verdict = NULL;
    if (!show_body(lab, "proposal", id, &proposal, err)) return false;
    json_t *doc = json_pack("{s:s, s:o}", "id", id, "proposal", proposal);
    bool ok = ledger_last(lab->ledger, "verdict", id, &verdict, err);
    if (ok) json_object_set_new(doc, "verdict", verdict ? verdict : json_null());
    ok = ok && gather_runs(lab, id, proposal, doc, err);
    if (ok) *out = doc;
    if (!ok) json_decref(doc);
    return ok;
}

static void print_edits(const json_t *edits)
{
    size_t i;
    json_t *e;
    json_array_foreach(edits, i, e)
    {
        Buf b = { 0 };
        buf_printf(&b, "           %s: %s -> %s", json_str(e, "knob", ""), json_str(e, "from", ""),
                   json_str(e, "to", ""));
        entry_text_plain(&b);
        printf("%s\n", b.at);
        buf_free(&b);
    }
}

static void print_arm(const char *label, const json_t *rows)
{
    size_t i;
    json_t *row;
    printf("%s\n", label);
    json_array_foreach(rows, i, row)
    {
        double bpb = json_num(row, "bpb", (double)NAN);
        bool failed = json_is_true(json_object_get(row, "failed")) || json_int(row, "failed", 0);
        printf("  %-6s %-8s seed %-6lld ", json_str(row, "run", ""), json_str(row, "purpose", ""),
               (long long)json_int(row, "seed", 0));
        if (isfinite(bpb))
            printf("%.4f %.60s%s\n", bpb, json_str(row, "metric", "bpb"),
                   failed ? " (failed)" : "");
        else
            printf("%s%s%.400s\n", failed ? "failed" : "not finished",
                   json_str(row, "why", "")[0] ? ": " : "", json_str(row, "why", ""));
    }
}

static void print_number(const char *label, const json_t *v, const char *key, const char *doc)
{
    double x = json_num(v, key, (double)NAN);
    if (isfinite(x)) printf("  %-6s %-10.4g %s\n", label, x, doc);
}

static void print_verdict(const json_t *v)
{
    if (!json_is_object(v)) {
        printf("verdict    none yet\n");
        return;
    }
    Buf b = { 0 };
    entry_text_verdict(v, &b);
    show_print_text("verdict", b.at);
    show_print_text("because", json_str(v, "why", ""));
    buf_free(&b);
    printf("evidence\n");
    print_number("D", v, "D", "between the means, before shrinking");
    print_number("s", v, "s", "noise of a single run");
    if (!json_is_true(json_object_get(v, "self_reported")))
        print_number("e", v, "e", "error of the held-out text for this pair");
    print_number("B", v, "B", "evidence for a gain against none");
    print_number("P", v, "P", "probability that the gain is real");
}

/* A person may leave out either. */
static void print_prediction(const json_t *p)
{
    double gain = json_num(p, "predicted", (double)NAN);
    double confidence = json_num(p, "confidence", (double)NAN);
    if (isfinite(gain)) printf("predicted  %+.4f gain\n", gain);
    if (isfinite(confidence)) printf("confidence %.2f\n", confidence);
}

static void print_experiment(const json_t *doc, Arena scratch)
{
    (void)scratch;
    const json_t *p = json_object_get(doc, "proposal");
    char title[96];
    snprintf(title, sizeof(title), "experiment %s:", json_str(doc, "id", ""));
    show_print_text(title, json_str(p, "title", ""));
    show_print_text("by", json_str(p, "author", ""));
    show_print_text("why", json_str(p, "why", ""));
    show_print_text("refuted by", json_str(p, "refute", ""));
    print_prediction(p);
    printf("edits\n");
    print_edits(json_object_get(p, "edits"));
    print_verdict(json_object_get(doc, "verdict"));
    print_arm("runs", json_object_get(doc, "runs"));
    print_arm("against the champion's", json_object_get(doc, "bank"));
}

const ShowDef show_experiment = { 'e', "experiment", gather_experiment, print_experiment };

/* ---- a claim ---- */

static bool gather_claim(Lab *lab, const char *id, json_t **out, Err *err)
{
    json_t *claim = NULL, *experiment = NULL;
    if (!show_body(lab, "claim", id, &claim, err)) return false;
    if (!gather_experiment(lab, json_str(claim, "experiment", ""), &experiment, err)) {
        json_decref(claim);
        return false;
    }
    *out = json_pack("{s:s, s:o, s:o}", "id", id, "claim", claim, "experiment", experiment);
    return true;
}

static void print_claim(const json_t *doc, Arena scratch)
{
    const json_t *c = json_object_get(doc, "claim");
    bool reported = json_is_true(json_object_get(c, "self_reported"));
    printf("claim %s of %s: gain %.4f%s (%.4f to %.4f)\n\n", json_str(doc, "id", ""),
           json_str(c, "question", ""), json_num(c, "effect", (double)NAN),
           reported ? ", self-reported" : " bpb", json_num(c, "low", (double)NAN),
           json_num(c, "high", (double)NAN));
    print_experiment(json_object_get(doc, "experiment"), scratch);
}

const ShowDef show_claim = { 'c', "claim", gather_claim, print_claim };
