/* tool_curve.c - a run's dynamics, small enough to read; and runs side by side.
 *
 * A curve of ten thousand steps becomes two dozen columns.  A column says the mean of its steps
 * and the lowest and highest loss in it, so that a spike of one step is still seen; of gradient
 * norms the largest. */
#include <math.h>
#include <string.h>

#include "lab/tool_private.h"

enum { RUNS_MAX = 4, MARKS = 8 };

typedef struct Curve {
    StepRow *row;
    int n;
} Curve;

static bool read_curve(ToolCall *c, const char *run, Curve *out, Err *err)
{
    json_t *body = NULL;
    if (!tool_body(c, "run", run, &body, err)) return false;
    json_decref(body);
    return ledger_steps(c->lab->ledger, run, c->lab->arena, &out->row, &out->n, err);
}

/* ---- one curve ---- */

typedef struct Column {
    double loss, low, high, grad_norm, lr, hidden, clipped;
    int n;
} Column;

static Column column_of(const StepRow *row, int n)
{
    Column k = { .low = HUGE_VAL, .high = -HUGE_VAL, .grad_norm = (double)NAN };
    for (int i = 0; i < n; i++) {
        k.loss += row[i].loss / n;
        k.low = fmin(k.low, row[i].loss);
        k.high = fmax(k.high, row[i].loss);
        k.grad_norm = fmax(k.grad_norm, row[i].grad_norm);
        k.clipped += (row[i].clipped < 1) * (1.0 / n);
        k.hidden += row[i].update_ratio[0] / n;
    }
    k.lr = row[n - 1].lr;
    k.n = n;
    return k;
}

static void put(json_t *columns, const char *name, double x)
{
    json_t *list = json_object_get(columns, name);
    if (!list) json_object_set_new(columns, name, list = json_array());
    json_array_append_new(list, json_num_of(x));
}

static json_t *columns_json(const Curve *v, int points)
{
    json_t *o = json_object();
    int m = MIN(points, v->n);
    for (int i = 0; i < m; i++) {
        int from = (int)((int64_t)v->n * i / m), to = (int)((int64_t)v->n * (i + 1) / m);
        Column k = column_of(v->row + from, to - from);
        put(o, "step", (double)v->row[to - 1].step);
        put(o, "loss_mean", k.loss);
        put(o, "loss_low", k.low);
        put(o, "loss_high", k.high);
        put(o, "grad_norm_max", k.grad_norm);
        put(o, "lr", k.lr);
        put(o, "clipped_share", k.clipped);
        put(o, "update_to_weight_hidden", k.hidden);
    }
    return o;
}

/* What the columns cannot say: where the extremes are, and whether it was still falling. */
static json_t *summary_json(const Curve *v)
{
    int low = 0, spike = 0, fifth = MAX(v->n / 5, 1), bad = 0;
    double jump = 0;
    for (int i = 0; i < v->n; i++) {
        bad += !isfinite(v->row[i].loss);
        if (v->row[i].loss < v->row[low].loss) low = i;
        double up = i > 0 ? v->row[i].loss - v->row[i - 1].loss : 0;
        if (up > jump) jump = up, spike = i;
    }
    Column last = column_of(v->row + v->n - fifth, fifth);
    Column before = column_of(v->row + MAX(v->n - 2 * fifth, 0), fifth);
    return json_pack("{s:o, s:o, s:I, s:o, s:I, s:o, s:i}", "loss_first",
                     json_num_of(v->row[0].loss), "loss_lowest", json_num_of(v->row[low].loss),
                     "lowest_at_step", (json_int_t)v->row[low].step, "largest_jump_up",
                     json_num_of(jump), "jump_at_step", (json_int_t)v->row[spike].step,
                     "fall_in_last_fifth", json_num_of(before.loss - last.loss),
                     "steps_without_a_number", bad);
}

static bool run_json(ToolCall *c, const char *id, json_t **out, Err *err)
{
    json_t *rows =
        tool_rows(c, 1, err,
                  "SELECT r.run, r.purpose, r.experiment, r.seed, substr(r.recipe, 1, 12) AS "
                  "recipe, x.failed, x.bpb, x.error AS bpb_error, x.train_loss, x.steps, x.tokens, "
                  "x.flops, x.seconds, x.tokens_per_s FROM runs r LEFT JOIN results x ON x.run = "
                  "r.run WHERE r.run = %s",
                  tool_quoted(c, id));
    if (!rows) return false;
    *out = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    return true;
}

static bool curve(ToolCall *c, json_t **out, Err *err)
{
    Curve v;
    json_t *o = NULL;
    const char *id = json_str(c->args, "run", "");
    if (!read_curve(c, id, &v, err) || !run_json(c, id, &o, err)) return false;
    json_object_set_new(o, "steps_done", json_integer(v.n ? v.row[v.n - 1].step : 0));
    if (v.n > 0) {
        json_object_set_new(o, "summary", summary_json(&v));
        json_object_set_new(o, "columns", columns_json(&v, (int)json_int(c->args, "points", 24)));
    }
    *out = o;
    return true;
}

static const ToolArg curve_args[] = {
    ARG_NEED("run", 24, "a run, such as r12"),
    ARG_WHOLE("points", 24, 2, 120, "columns that the curve is cut into"),
    ARG_END,
};

const ToolDef tool_curve = {
    .name = "curve",
    .doc = "A run's result and training dynamics: loss (nats per token) with its lowest and "
           "highest in each column, gradient norm, rate, share of clipped steps, and the update "
           "relative to the weights of hidden matrices.",
    .args = curve_args,
    .call = curve,
};

/* ---- side by side ---- */

typedef struct Side {
    const char *id;
    Curve curve;
    Recipe recipe;
} Side;

static bool open_side(ToolCall *c, const char *id, Side *s, json_t *list, Err *err)
{
    json_t *body = NULL, *row = NULL;
    s->id = id;
    if (!read_curve(c, id, &s->curve, err) || !tool_body(c, "run", id, &body, err)) return false;
    bool ok = lab_recipe(c->lab, json_str(body, "recipe", ""), &s->recipe, err) &&
              run_json(c, id, &row, err);
    json_decref(body);
    if (ok) json_array_append_new(list, row);
    return ok;
}

static bool differs(const Side *side, int n, int knob, char value[RUNS_MAX][512])
{
    bool other = false;
    for (int i = 0; i < n; i++) {
        const KnobSet *k = &side[i].recipe.knobs;
        int at = knobs_find(k, side[0].recipe.knobs.knob[knob]->name);
        if (at < 0) return false; /* another trainer's run: it has no such knob */
        knobs_print_value(k, at, value[i], 512);
        other = other || strcmp(value[i], value[0]) != 0;
    }
    return other;
}

static json_t *different_knobs(const Side *side, int n)
{
    json_t *o = json_object();
    char value[RUNS_MAX][512];
    for (int k = 0; k < side[0].recipe.knobs.count; k++) {
        if (!differs(side, n, k, value)) continue;
        json_t *list = json_array();
        for (int i = 0; i < n; i++) json_array_append_new(list, json_text(str_of(value[i])));
        json_object_set_new(o, side[0].recipe.knobs.knob[k]->name, list);
    }
    return o;
}

/* Mean loss of the steps about a share of the run's cost: curves of runs with other batches or
 * vocabularies have other steps, but all runs of a question cost the same. */
static double loss_at(const Curve *v, double share)
{
    int at = (int)(share * (v->n - 1)), half = MAX(v->n / (4 * MARKS), 0);
    int from = MAX(at - half, 0), to = MIN(at + half + 1, v->n);
    return v->n > 0 ? column_of(v->row + from, to - from).loss : (double)NAN;
}

static json_t *marks_json(const Side *side, int n)
{
    json_t *o = json_object();
    for (int m = 1; m <= MARKS; m++) put(o, "share_of_run", (double)m / MARKS);
    for (int i = 0; i < n; i++)
        for (int m = 1; m <= MARKS; m++)
            put(o, side[i].id, loss_at(&side[i].curve, (double)m / MARKS));
    return o;
}

static bool compare(ToolCall *c, json_t **out, Err *err)
{
    const json_t *ids = json_object_get(c->args, "runs");
    Side *side = NEW(c->lab->arena, Side, RUNS_MAX);
    int n = (int)json_array_size(ids);
    if (n < 2) return err_set(err, ERR_CONFIG, "compare needs at least two runs");
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        const char *id = json_string_value(json_array_get(ids, (size_t)i));
        if (open_side(c, id, &side[i], list, err)) continue;
        json_decref(list);
        return false;
    }
    *out = json_pack("{s:o, s:o, s:o, s:s}", "runs", list, "knobs_that_differ",
                     different_knobs(side, n), "training_loss", marks_json(side, n), "note",
                     "one run each is no verdict: seeds alone differ by sigma, which status tells; "
                     "training losses of different vocabularies are not comparable, bpb are");
    return true;
}

static const ToolArg compare_args[] = {
    { .knob = { .name = "runs", .type = KNOB_TEXT, .max = 24, .doc = "two to four runs: r5, r12" },
      .required = true,
      .most = RUNS_MAX },
    ARG_END,
};

const ToolDef tool_compare = {
    .name = "compare",
    .doc = "Runs side by side: results, the knobs in which their recipes differ, and training loss "
           "at the same shares of their cost.",
    .args = compare_args,
    .call = compare,
};
