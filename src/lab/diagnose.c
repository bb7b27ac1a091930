/* diagnose.c - from the ledger's curve to the doctor's chart. */
#include "lab/diagnose.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "train/train.h"

static void add_steps(Chart *c, const StepRow *row, int n)
{
    for (int i = 0; i < n; i++) {
        double step = (double)row[i].step - 1; /* the first loss is that before any update */
        (void)chart_add(c, SIG_LOSS, step, row[i].loss);
        (void)chart_add(c, SIG_NORM, step, row[i].grad_norm);
        (void)chart_add(c, SIG_RATE, step, row[i].lr);
        if (isfinite(row[i].update_ratio[0]))
            (void)chart_add(c, SIG_RATIO, step, row[i].update_ratio[0]);
        double seconds = row[i].seconds - (i > 0 ? row[i - 1].seconds : 0);
        if (seconds > 0) (void)chart_add(c, SIG_SECONDS, step, seconds);
    }
}

static void add_recipe(Chart *c, const char *lab, const Recipe *r)
{
    TrainSize size;
    Err ignored = { 0 };
    bool given = knobs_text(&r->knobs, "tokenizer.path")[0] != '\0';
    bool bytes = strcmp(knobs_choice(&r->knobs, "tokenizer.kind"), "bytes") == 0;
    c->vocab = given ? 0 : bytes ? 257 : (double)knobs_whole(&r->knobs, "tokenizer.vocab");
    c->clip = knobs_number(&r->knobs, "optim.clip");
    if (train_size(lab, r, &size, &ignored)) c->planned_steps = (double)size.steps - 1;
}

bool lab_chart(Lab *lab, const char *run, Chart *out, Err *err)
{
    StepRow *rows = NULL;
    int n = 0;
    json_t *body = NULL;
    Recipe recipe;
    *out = (Chart){ 0 };
    if (!ledger_last(lab->ledger, "run", run, &body, err)) return false;
    if (!body)
        return err_set(err, ERR_CONFIG, "this lab has no run %s; `lathe log --kind run` lists them",
                       run);
    bool ok = lab_recipe(lab, json_str(body, "recipe", ""), &recipe, err) &&
              ledger_steps(lab->ledger, run, lab->arena, &rows, &n, err);
    json_decref(body);
    if (!ok) return false;
    if (n == 0)
        return err_set(err, ERR_CONFIG, "run %s has no steps yet; ask again when it is training",
                       run);
    add_steps(out, rows, n);
    add_recipe(out, lab->dir, &recipe);
    return true;
}
