/* diagnose.c - from the ledger's curve to the doctor's chart, and back into the ledger.
 *
 * While a run goes on, news is only told: what is true of half a curve may not be true of the
 * whole. What is entered is the diagnosis of the finished curve, in the transaction of its result.
 */
#include "lab/diagnose.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "train/command.h"
#include "train/train.h"

/* Of our own trainer a number that is none is evidence; another one (`reported`) may not have told
 * norms and rates at all. */
static void add_steps(Chart *c, const StepRow *row, int n, bool reported)
{
    for (int i = 0; i < n; i++) {
        double step = (double)row[i].step - 1; /* the first loss is that before any update */
        (void)chart_add(c, SIG_LOSS, step, row[i].loss);
        if (!reported || isfinite(row[i].grad_norm))
            (void)chart_add(c, SIG_NORM, step, row[i].grad_norm);
        if (!reported || isfinite(row[i].lr)) (void)chart_add(c, SIG_RATE, step, row[i].lr);
        if (isfinite(row[i].update_ratio[0]))
            (void)chart_add(c, SIG_RATIO, step, row[i].update_ratio[0]);
        double seconds = i > 0 ? row[i].seconds - row[i - 1].seconds : 0;
        if (seconds > 0) (void)chart_add(c, SIG_SECONDS, step, seconds);
    }
}

static void add_recipe(Chart *c, const char *lab, const Recipe *r)
{
    TrainSize size;
    Err ignored = { 0 };
    if (command_is(r)) return; /* what its knobs mean is not known here */
    bool given = knobs_text(&r->knobs, "tokenizer.path")[0] != '\0';
    bool bytes = strcmp(knobs_choice(&r->knobs, "tokenizer.kind"), "bytes") == 0;
    c->vocab = given ? 0 : bytes ? 257 : (double)knobs_whole(&r->knobs, "tokenizer.vocab");
    c->clip = knobs_number(&r->knobs, "optim.clip");
    c->beta2 = knobs_number(&r->knobs, "optim.beta2");
    c->decay = knobs_number(&r->knobs, "optim.decay");
    if (!train_size(lab, r, &size, &ignored)) return;
    c->planned_steps = (double)size.steps - 1;
    c->batch = (double)size.tokens_per_step;
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
    if (!signals_recall(lab, run, out, err)) return false;
    if (n == 0)
        return err_set(err, ERR_CONFIG, "run %s has no steps yet; ask again when it is training",
                       run);
    add_steps(out, rows, n, command_is(&recipe));
    add_recipe(out, lab->dir, &recipe);
    return true;
}

/* ---- at the bedside ---- */

enum { FINDINGS_MAX = 64, FIRST_LOOK = 50 };

void health_begin(Health *h, Lab *lab, const Recipe *recipe)
{
    *h = (Health){ .next = FIRST_LOOK, .reported = command_is(recipe) };
    add_recipe(&h->chart, lab->dir, recipe);
}

void health_rows(Health *h, const StepRow *rows, int n)
{
    add_steps(&h->chart, rows, n, h->reported);
}

void health_sights(Health *h, int64_t step, const Sight *sight, int n)
{
    signals_add(&h->looks, &h->chart, step, sight, n);
}

bool health_keep(Health *h, Lab *lab, const char *run, Err *err)
{
    return signals_keep(&h->looks, lab, run, err);
}

bool health_news(Health *h, char out[400])
{
    double last = chart_last(&h->chart);
    if (last < h->next) return false;
    int all, n, m;
    const FindDef *const *def = doctor_all(&all);
    Diagnosis found[FINDINGS_MAX];
    const FindDef *unknown[FINDINGS_MAX];
    doctor_look(&h->chart, found, &n, unknown, &m);
    for (int i = 0; i < n; i++) {
        int index = 0;
        while (def[index] != found[i].def) index++;
        if (found[i].finding.harm == HARM_NOTE || h->told >> index & 1) continue;
        h->told |= (uint64_t)1 << index;
        snprintf(out, 400, "%s: %s", found[i].def->doc, found[i].finding.said);
        return true; /* the rest when it is looked at again, at once */
    }
    h->next = last * 1.1 + 10;
    return false;
}

void health_end(Health *h)
{
    chart_free(&h->chart);
    signals_drop(&h->looks);
}

bool diagnose_run(Lab *lab, const char *run, Err *err)
{
    Chart chart;
    Diagnosis found[FINDINGS_MAX];
    const FindDef *unknown[FINDINGS_MAX];
    int n = 0, m;
    bool ok = lab_chart(lab, run, &chart, err);
    if (ok) doctor_look(&chart, found, &n, unknown, &m);
    for (int i = 0; ok && i < n; i++) {
        const Finding *f = &found[i].finding;
        if (f->harm == HARM_NOTE) continue;
        ok = ledger_append(lab->ledger, "diagnosis", run,
                           json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:s}", "run", run, "finding",
                                     found[i].def->name, "harm", harm_name(f->harm), "first_step",
                                     f->first, "last_step", f->last, "confidence", f->confidence,
                                     "evidence", f->said),
                           err);
    }
    chart_free(&chart);
    return ok;
}

/* ---- for programs ---- */

static json_t *steps_and_values(const Series *s)
{
    json_t *steps = json_array(), *values = json_array();
    for (int i = 0; i < s->n; i++) {
        json_array_append_new(steps, json_num_of(s->step[i]));
        json_array_append_new(values, json_num_of(s->x[i]));
    }
    return json_pack("{s:o, s:o}", "step", steps, "value", values);
}

static json_t *finding_json(const Diagnosis *d, const Chart *c, bool curves)
{
    const Finding *f = &d->finding;
    json_t *causes = json_array();
    for (int i = 0; i < COUNT(d->def->causes) && d->def->causes[i]; i++)
        json_array_append_new(causes, json_string(d->def->causes[i]));
    json_t *out = json_pack("{s:s, s:s, s:f, s:f, s:f, s:s, s:o, s:s, s:s, s:s, s:s}", "finding",
                            d->def->name, "harm", harm_name(f->harm), "confidence", f->confidence,
                            "first_step", f->first, "last_step", f->last, "evidence", f->said,
                            "causes", causes, "remedy", d->def->remedy, "settle", d->def->settle,
                            "source", d->def->source, "signal", signal_name(d->def->signal));
    if (d->def->edit) json_object_set_new(out, "edit", json_string(d->def->edit));
    if (curves) json_object_set_new(out, "curve", steps_and_values(&c->of[d->def->signal]));
    return out;
}

json_t *diagnose_json(const char *what, const Chart *c, bool curves)
{
    Diagnosis found[FINDINGS_MAX];
    const FindDef *unknown[FINDINGS_MAX];
    int n, m;
    json_t *findings = json_array(), *names = json_array();
    doctor_look(c, found, &n, unknown, &m);
    for (int i = 0; i < n; i++) json_array_append_new(findings, finding_json(&found[i], c, curves));
    for (int i = 0; i < m; i++) json_array_append_new(names, json_string(unknown[i]->name));
    return json_pack("{s:s, s:f, s:o, s:o}", "of", what, "last_step", chart_last(c), "findings",
                     findings, "not_enough_evidence", names);
}
