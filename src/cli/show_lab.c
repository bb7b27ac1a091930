/* show_lab.c - questions, sessions and the lab at a glance. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/show.h"
#include "data/corpus.h"
#include "lab/entry_text.h"

#define EXPERIMENT_COLUMNS                                                                         \
    "e.experiment, e.title, e.author, e.verdict, e.effect, v.D AS measured, e.low, e.high, e.P, "  \
    "e.runs, e.seconds FROM experiments e LEFT JOIN verdicts v ON v.experiment = e.experiment"

static void print_entry(const char *label, const char *kind, const json_t *body)
{
    if (!json_is_object(body)) return;
    Buf b = { 0 };
    entry_text(kind, body, &b);
    show_print_text(label, b.at ? b.at : "");
    buf_free(&b);
}

/* ---- a question ---- */

/* The first recipe and the champions after it; the mean of its bank says where each stands. */
static bool gather_champions(Lab *lab, const char *id, json_t *doc, Err *err)
{
    return show_rows(
        lab, doc, "champions", err,
        "SELECT c.recipe, c.experiment, (SELECT avg(x.bpb) FROM runs r JOIN results x ON x.run = "
        "r.run WHERE r.recipe = c.recipe AND r.question = '%s' AND r.purpose IN ('bank','confirm') "
        "AND x.bpb IS NOT NULL) AS bpb FROM (SELECT seq, recipe, NULL AS experiment FROM questions "
        "WHERE question = '%s' UNION ALL SELECT seq, recipe, experiment FROM champions WHERE "
        "question = '%s') c ORDER BY c.seq",
        id, id, id);
}

static bool gather_question(Lab *lab, const char *id, json_t **out, Err *err)
{
    json_t *body = NULL;
    if (!show_body(lab, "question", id, &body, err)) return false;
    json_t *doc = json_pack("{s:s, s:o}", "id", id, "question", body);
    bool ok = gather_champions(lab, id, doc, err) &&
              show_rows(lab, doc, "experiments", err,
                        "SELECT " EXPERIMENT_COLUMNS " WHERE e.question='%s' ORDER BY e.seq", id);
    if (ok) *out = doc;
    if (!ok) json_decref(doc);
    return ok;
}

static void print_champions(const json_t *rows)
{
    size_t i, n = json_array_size(rows);
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        const char *by = json_str(row, "experiment", "");
        double bpb = json_num(row, "bpb", (double)NAN);
        printf("%-10s %.12s",
               i + 1 == n ? "champion"
               : i == 0   ? "first"
                          : "then",
               json_str(row, "recipe", ""));
        if (by[0]) printf(" by %s", by);
        if (isfinite(bpb)) printf(", %.4f bpb", bpb);
        printf("\n");
    }
}

static void print_question(const json_t *doc, Arena scratch)
{
    (void)scratch;
    printf("question %s\n", json_str(doc, "id", ""));
    print_entry("about", "question", json_object_get(doc, "question"));
    print_champions(json_object_get(doc, "champions"));
    show_print_experiments(json_object_get(doc, "experiments"));
}

const ShowDef show_question = { 'q', "question", gather_question, print_question };

/* ---- a session ---- */

static bool gather_session(Lab *lab, const char *id, json_t **out, Err *err)
{
    json_t *body = NULL, *end = NULL, *headline = NULL;
    if (!show_body(lab, "session", id, &body, err)) return false;
    json_t *doc = json_pack("{s:s, s:o}", "id", id, "session", body);
    bool ok = ledger_last(lab->ledger, "session_end", id, &end, err) &&
              ledger_last(lab->ledger, "headline", id, &headline, err);
    json_object_set_new(doc, "end", end ? end : json_null());
    json_object_set_new(doc, "headline", headline ? headline : json_null());
    ok = ok && show_rows(lab, doc, "experiments", err,
                         "SELECT " EXPERIMENT_COLUMNS " WHERE e.session='%s' ORDER BY e.seq", id);
    if (ok) *out = doc;
    if (!ok) json_decref(doc);
    return ok;
}

static void print_session(const json_t *doc, Arena scratch)
{
    (void)scratch;
    printf("session %s\n", json_str(doc, "id", ""));
    print_entry("plan", "session", json_object_get(doc, "session"));
    show_print_experiments(json_object_get(doc, "experiments"));
    print_entry("headline", "headline", json_object_get(doc, "headline"));
    if (json_is_object(json_object_get(doc, "end")))
        print_entry("ended", "session_end", json_object_get(doc, "end"));
    else
        printf("ended      not yet\n");
}

const ShowDef show_session = { 's', "session", gather_session, print_session };

/* ---- the lab ---- */

static const char counts_sql[] =
    "SELECT (SELECT count(*) FROM entries) AS entries, (SELECT count(*) FROM runs) AS runs,"
    " (SELECT count(*) FROM results) AS finished,"
    " (SELECT count(*) FROM results WHERE failed) AS failed,"
    " (SELECT coalesce(sum(seconds), 0) FROM results) AS seconds,"
    " (SELECT count(*) FROM experiments) AS experiments,"
    " (SELECT count(*) FROM experiments WHERE verdict='keep') AS kept,"
    " (SELECT count(*) FROM experiments WHERE verdict='drop') AS dropped,"
    " (SELECT count(*) FROM experiments WHERE verdict='undecided') AS undecided,"
    " (SELECT count(*) FROM judge_reads WHERE tier='audit') AS audit_reads,"
    " (SELECT count(*) FROM judge_reads WHERE tier='locked') AS locked_reads";

static bool gather_data(Lab *lab, json_t *doc, Err *err)
{
    char **names = NULL;
    int n = 0;
    json_t *list = json_array();
    bool ok = corpus_list(lab->dir, lab->arena, &names, &n, err);
    for (int i = 0; ok && i < n; i++) json_array_append_new(list, json_string(names[i]));
    json_object_set_new(doc, "data", list);
    return ok;
}

static bool gather_lab(Lab *lab, const char *id, json_t **out, Err *err)
{
    (void)id;
    json_t *doc = json_pack("{s:s}", "lab", lab->dir);
    bool ok = gather_data(lab, doc, err) && show_rows(lab, doc, "counts", err, "%s", counts_sql) &&
              show_rows(lab, doc, "questions", err,
                        "SELECT question FROM questions ORDER BY seq DESC LIMIT 1") &&
              show_rows(lab, doc, "sessions", err,
                        "SELECT s.session, (SELECT e.text FROM session_ends e WHERE e.session = "
                        "s.session ORDER BY e.seq DESC LIMIT 1) AS ended FROM sessions s ORDER BY "
                        "s.seq DESC LIMIT 1") &&
              show_rows(lab, doc, "latest", err,
                        "SELECT * FROM (SELECT e.seq, " EXPERIMENT_COLUMNS
                        " ORDER BY e.seq DESC LIMIT 8) ORDER BY seq");
    const char *question =
        json_str(json_array_get(json_object_get(doc, "questions"), 0), "question", "");
    if (ok && question[0]) ok = gather_champions(lab, question, doc, err);
    if (ok) *out = doc;
    if (!ok) json_decref(doc);
    return ok;
}

static void print_data(const json_t *names)
{
    size_t i;
    json_t *name;
    printf("data       ");
    json_array_foreach(names, i, name) printf("%s%s", i ? ", " : "", json_string_value(name));
    printf("%s\n", json_array_size(names) ? "" : "none yet: lathe data add NAME PATH...");
}

static void print_counts(const json_t *c)
{
    char seconds[32];
    printf("runs       %lld, %lld finished, %lld failed, %s in all\n",
           (long long)json_int(c, "runs", 0), (long long)json_int(c, "finished", 0),
           (long long)json_int(c, "failed", 0), str_seconds(seconds, json_num(c, "seconds", 0)));
    printf("experiments %lld, %lld kept, %lld dropped, %lld undecided\n",
           (long long)json_int(c, "experiments", 0), (long long)json_int(c, "kept", 0),
           (long long)json_int(c, "dropped", 0), (long long)json_int(c, "undecided", 0));
    printf("reads      audit tier %lld, locked tier %lld\n",
           (long long)json_int(c, "audit_reads", 0), (long long)json_int(c, "locked_reads", 0));
    printf("ledger     %lld entries\n", (long long)json_int(c, "entries", 0));
}

static void print_lab(const json_t *doc, Arena scratch)
{
    (void)scratch;
    const json_t *question = json_array_get(json_object_get(doc, "questions"), 0);
    const json_t *session = json_array_get(json_object_get(doc, "sessions"), 0);
    printf("lab        %s\n", json_str(doc, "lab", ""));
    print_data(json_object_get(doc, "data"));
    print_counts(json_array_get(json_object_get(doc, "counts"), 0));
    show_print_text("question", json_str(question, "question", ""));
    print_champions(json_object_get(doc, "champions"));
    if (session)
        printf("session    %s, %s%s\n", json_str(session, "session", ""),
               json_str(session, "ended", "")[0] ? "ended: " : "not ended",
               json_str(session, "ended", ""));
    if (json_array_size(json_object_get(doc, "latest"))) printf("latest experiments\n");
    show_print_experiments(json_object_get(doc, "latest"));
}

const ShowDef show_lab = { 0, "lab", gather_lab, print_lab };
