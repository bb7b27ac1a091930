/* show_run.c - a run with its curve; a recipe by the beginning of its hash. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/show.h"
#include "lab/entry_text.h"

/* ---- a run ---- */

typedef double Column(const StepRow *row);

static double loss_of(const StepRow *r)
{
    return r->loss;
}
static double grad_norm_of(const StepRow *r)
{
    return r->grad_norm;
}
static double lr_of(const StepRow *r)
{
    return r->lr;
}
static double step_of(const StepRow *r)
{
    return (double)r->step;
}

static const struct {
    const char *name;
    Column *of;
} columns[] = {
    { "loss", loss_of }, { "grad_norm", grad_norm_of }, { "lr", lr_of }, { "step", step_of }
};

static bool gather_curve(Lab *lab, const char *id, json_t *doc, Err *err)
{
    StepRow *rows = NULL;
    int n = 0;
    if (!ledger_steps(lab->ledger, id, lab->arena, &rows, &n, err)) return false;
    json_t *curve = json_object();
    for (int k = 0; k < COUNT(columns); k++) {
        json_t *values = json_array();
        for (int i = 0; i < n; i++)
            json_array_append_new(values, json_num_of(columns[k].of(&rows[i])));
        json_object_set_new(curve, columns[k].name, values);
    }
    json_object_set_new(doc, "curve", curve);
    json_object_set_new(doc, "steps_done", json_integer(n ? rows[n - 1].step : 0));
    return true;
}

static bool gather_run(Lab *lab, const char *id, json_t **out, Err *err)
{
    json_t *body = NULL, *result = NULL;
    if (!show_body(lab, "run", id, &body, err)) return false;
    json_t *doc = json_pack("{s:s, s:o}", "id", id, "run", body);
    bool ok = ledger_last(lab->ledger, "result", id, &result, err);
    if (ok) json_object_set_new(doc, "result", result ? result : json_null());
    ok = ok && gather_curve(lab, id, doc, err);
    if (ok) *out = doc;
    if (!ok) json_decref(doc);
    return ok;
}

static void print_curve(const json_t *curve, Arena scratch)
{
    Buf line = { 0 };
    for (int k = 0; k < 3; k++) {
        const json_t *list = json_object_get(curve, columns[k].name);
        int n = (int)json_array_size(list);
        Arena mark = scratch;
        double *values = NEW(&scratch, double, n + 1);
        for (int i = 0; i < n; i++) {
            const json_t *v = json_array_get(list, (size_t)i);
            values[i] = json_is_number(v) ? json_number_value(v) : (double)NAN;
        }
        entry_text_curve(columns[k].name, values, n, &line);
        arena_rewind(&scratch, mark);
    }
    if (line.len) printf("%s", line.at);
    buf_free(&line);
}

/* "books 0.31 times, gov 1.20 times" */
static void print_reads(const json_t *reads)
{
    size_t i;
    json_t *one;
    if (json_array_size(reads) == 0) return;
    printf("read      ");
    json_array_foreach(reads, i, one) printf(
        "%s %s %.3g times", i ? "," : "", json_str(one, "source", "?"), json_num(one, "epochs", 0));
    printf("\n");
}

static void print_result(const json_t *doc)
{
    const json_t *r = json_object_get(doc, "result");
    char a[32], b[32], c[32];
    if (!json_is_object(r)) {
        printf("not finished: %lld steps are in the ledger\n",
               (long long)json_int(doc, "steps_done", 0));
        return;
    }
    bool reported = json_is_true(json_object_get(r, "self_reported"));
    const char *why = json_str(r, "why", "its loss was no number");
    if (json_is_true(json_object_get(r, "failed")))
        show_print_text("failed", why);
    else if (reported)
        printf("score      %.6g %.60s, self-reported: no judge has seen it\n",
               json_num(r, "bpb", (double)NAN), json_str(r, "metric", ""));
    else
        printf("bpb        %.4f on the search tier (error of the tier %.4f)\n",
               json_num(r, "bpb", (double)NAN), json_num(r, "error", (double)NAN));
    printf("length     %s steps, %s tokens, %.3g FLOPs\n", str_count(a, json_num(r, "steps", 0)),
           str_count(b, json_num(r, "tokens", 0)), json_num(r, "flops", 0));
    print_reads(json_object_get(r, "read"));
    printf("time       %s, %s tokens/s\n", str_seconds(a, json_num(r, "seconds", 0)),
           str_count(b, floor(json_num(r, "tokens_per_s", 0))));
    if (reported) return;
    printf("memory     %s planned\n", str_bytes(c, json_num(r, "planned_bytes", 0)));
    printf("train loss %.4f nats per token\n", json_num(r, "train_loss", (double)NAN));
    printf("weights    %s\n", json_str(r, "weights_sha256", ""));
}

static void print_run(const json_t *doc, Arena scratch)
{
    const json_t *r = json_object_get(doc, "run");
    printf("run %s: %s, seed %lld\n", json_str(doc, "id", ""), json_str(r, "purpose", ""),
           (long long)json_int(r, "seed", 0));
    printf("recipe     %s\n", json_str(r, "recipe", ""));
    show_print_text("question", json_str(r, "question", ""));
    show_print_text("experiment", json_str(r, "experiment", ""));
    show_print_text("session", json_str(r, "session", ""));
    show_print_text("again", json_str(r, "replay_of", ""));
    print_result(doc);
    print_curve(json_object_get(doc, "curve"), scratch);
}

const ShowDef show_run = { 'r', "run", gather_run, print_run };

/* ---- a recipe ---- */

static bool gather_recipe(Lab *lab, const char *id, json_t **out, Err *err)
{
    json_t *doc = json_object();
    bool ok = show_rows(lab, doc, "found", err,
                        "SELECT id AS sha256, json_extract(body,'$.text') AS text FROM entries "
                        "WHERE kind='recipe' AND id GLOB '%s*' LIMIT 2",
                        id);
    const json_t *found = json_object_get(doc, "found");
    size_t n = json_array_size(found);
    if (ok && n != 1)
        ok = err_set(
            err, ERR_CONFIG,
            n ? "more than one recipe begins with %s; give more digits"
              : "no recipe of this lab begins with %s; `lathe log --kind recipe` lists them",
            id);
    if (ok) *out = json_incref(json_array_get(found, 0));
    json_decref(doc);
    return ok;
}

static void print_recipe(const json_t *doc, Arena scratch)
{
    (void)scratch;
    printf("# %s\n%s", json_str(doc, "sha256", ""), json_str(doc, "text", ""));
}

const ShowDef show_recipe = { 0, "recipe", gather_recipe, print_recipe };
