/* clinic.c - planting faults, training, asking, counting.
 *
 * A fault is an edit of the recipe or hands that reach into a step (stepper.h), at a severity and
 * from a step on that are drawn from the seed; the form of the model and its rate are drawn too,
 * for sick and healthy runs alike.  The doctor gets the chart and nothing else.
 *
 * A fault is found if one of its names is among the findings that are worse than a note.  A name
 * that belongs to another fault and not to this one is a false naming; so is any name in a healthy
 * run.  Names that belong to no fault here (a loss that diverges, say) are consequences, and count
 * against the doctor in healthy runs alone.  The yardstick beside it is six plain deviations above
 * the mean of the last 128 values, of loss or gradient norm: OLMo-core's rule, and the z-score that
 * llm.c prints. */
#include "lab/clinic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/rand.h"
#include "doctor/doctor.h"
#include "lab/signals.h"
#include "science/stats.h"
#include "train/train.h"

enum { STEPS = 400, NAMES = 8, FINDINGS_MAX = 64, SIGMA_WINDOW = 128, RUNS_MOST = 1000 };

typedef struct Patient {
    Rand rand;
    double severity; /* 0..1 */
    int64_t onset;   /* step from which on it is sick */
    char edit[3][64];
    int edits;
    float *kept; /* by hands that put something back */
} Patient;

static void edit(Patient *p, const char *knob, double value)
{
    snprintf(p->edit[p->edits++], sizeof p->edit[0], "%s=%.4g", knob, value);
}

/* ---- faults */

static void large_epsilon(Patient *p)
{
    edit(p, "optim.eps", pow(10, -3 + p->severity));
}
static void high_rate(Patient *p)
{
    edit(p, "optim.lr", 0.06 * pow(5, p->severity));
}
static void large_init(Patient *p)
{
    edit(p, "model.embed_std", 0.6 + 1.4 * p->severity);
}
static void low_rate(Patient *p)
{
    edit(p, "optim.lr", 3e-4 * pow(0.3, p->severity));
}
static void rectified(Patient *p)
{
    snprintf(p->edit[p->edits++], 64, "model.mlp=relu2");
}
static void two_micro(Patient *p)
{
    edit(p, "train.accumulate", 2);
}

/* Some of the first batches again and again. */
static int64_t read_again(void *self, int64_t index)
{
    const Patient *p = self;
    int64_t shard = 4 + (int64_t)(30 * p->severity);
    return index < p->onset ? index : index % shard;
}

static int64_t read_twins(void *self, int64_t index)
{
    const Patient *p = self;
    return index < 2 * p->onset ? index : index / 2 * 2;
}

static void show_answers(void *self, int64_t index, int32_t *tokens, int32_t *targets, int rows,
                         int length)
{
    (void)self;
    (void)index;
    memcpy(targets, tokens, (size_t)rows * (size_t)length * sizeof *targets);
}

/* Targets out of order for a few steps. */
static void poison(void *self, int64_t index, int32_t *tokens, int32_t *targets, int rows,
                   int length)
{
    const Patient *p = self;
    int64_t since = index + 1 - p->onset, n = (int64_t)rows * length;
    (void)tokens;
    if (since < 0 || since >= 4 + (int64_t)(8 * p->severity)) return;
    for (int64_t i = 0; i < n; i++) targets[i] = (int32_t)((i * 7919 + index * 31) % 512);
}

static void to_bf16(void *self, int64_t step, const Store *s)
{
    (void)self;
    (void)step;
    for (int i = 0; i < store_count(s); i++) {
        const StoreItem *item = store_item(s, i);
        for (ptrdiff_t k = 0; item->life == LIFE_PARAM && k < item->count; k++) {
            uint32_t bits;
            memcpy(&bits, &item->at[k], 4);
            bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
            memcpy(&item->at[k], &bits, 4);
        }
    }
}

static void freeze(void *self, int64_t step, const Store *s)
{
    static const char *const names[] = { "block.0.mlp.up.weight", "block.1.attn.qkv.weight",
                                         "block.1.mlp.down.weight", "block.0.attn.proj.weight" };
    Patient *p = self;
    const StoreItem *item = store_find(s, names[(int)(3.999 * p->severity)]);
    size_t bytes = (size_t)item->count * sizeof(float);
    if (step == 1) {
        p->kept = malloc(bytes);
        CHECK(p->kept, "no memory for a weight");
        memcpy(p->kept, item->at, bytes);
    }
    memcpy(item->at, p->kept, bytes);
}

static void kill_units(void *self, int64_t step, const Store *s)
{
    const Patient *p = self;
    const StoreItem *w = store_find(s, "block.1.mlp.up.weight"),
                    *bias = store_find(s, "block.1.mlp.up.bias");
    ptrdiff_t dead = (ptrdiff_t)((0.15 + 0.5 * p->severity) * (double)w->dim[0]);
    (void)step;
    memset(w->at, 0, (size_t)(dead * w->dim[1]) * sizeof(float));
    for (ptrdiff_t i = 0; bias && i < dead; i++) bias->at[i] = -1;
}

static void break_weight(void *self, int64_t step, const Store *s)
{
    const Patient *p = self;
    if (step == p->onset) store_find(s, "embed.weight")->at[0] = NAN;
}

typedef struct Fault {
    const char *name;
    const char *is[NAMES];   /* findings that name it */
    const char *also[NAMES]; /* what follows from it: neither right nor wrong */
    bool late;               /* begins at a step that is drawn */
    void (*edits)(Patient *p);
    StepHands hands;
} Fault;

static const Fault faults[] = {
    { "epsilon too large", { "epsilon" }, { 0 }, false, large_epsilon, { 0 } },
    { "rate too high",
      { "diverged", "rate_too_high", "spike", "attention_logits", "attention_collapse",
        "state_collapse", "update_ratio", "explodes" },
      { "dead_units", "norm_burst" },
      false,
      high_rate,
      { 0 } },
    { "initial weights too large",
      { "init_loss" },
      { "dead_units", "state_collapse", "explodes", "attention_logits", "attention_collapse",
        "diverged", "spike" },
      false,
      large_init,
      { 0 } },
    { "one shard again and again",
      { "repeated_batches" },
      { 0 },
      true,
      NULL,
      { .index = read_again } },
    { "workers that read the same",
      { "twin_batches" },
      { 0 },
      true,
      two_micro,
      { .index = read_twins } },
    { "answers in the input", { "leak" }, { 0 }, false, NULL, { .batch = show_answers } },
    { "a few poisoned batches",
      { "spike", "norm_burst" },
      { "explodes", "diverged" },
      true,
      NULL,
      { .batch = poison } },
    { "updates lost in bf16",
      { "lost_updates" },
      { "state_collapse" },
      false,
      low_rate,
      { .weights = to_bf16 } },
    { "a weight left out", { "frozen_weight" }, { 0 }, false, NULL, { .weights = freeze } },
    { "dead units", { "dead_units" }, { 0 }, false, rectified, { .weights = kill_units } },
    { "not a number", { "not_a_number" }, { 0 }, true, NULL, { .weights = break_weight } },
};

/* ---- a run */

typedef struct Bedside {
    Chart chart;
    json_t *looks;
} Bedside;

static void on_sights(void *self, int64_t step, const Sight *sight, int n)
{
    Bedside *b = self;
    signals_add(&b->looks, &b->chart, step, sight, n);
}

static bool on_rows(void *self, const StepRow *row, int n, Err *err)
{
    Bedside *b = self;
    (void)err;
    for (int i = 0; i < n; i++) {
        double step = (double)row[i].step - 1;
        (void)chart_add(&b->chart, SIG_LOSS, step, row[i].loss);
        (void)chart_add(&b->chart, SIG_NORM, step, row[i].grad_norm);
        (void)chart_add(&b->chart, SIG_RATE, step, row[i].lr);
        if (isfinite(row[i].update_ratio[0]))
            (void)chart_add(&b->chart, SIG_RATIO, step, row[i].update_ratio[0]);
    }
    return true;
}

/* A form and a rate as healthy runs have them; then the fault's own edits. */
static bool recipe_for(const Fault *f, Patient *p, Recipe *r, Arena *out, Err *err)
{
    static const char *const base[] = { "model.depth=2",       "model.width=32", "model.heads=2",
                                        "model.context=32",    "train.batch=8",  "train.steps=400",
                                        "tokenizer.vocab=512", "optim.decay=0.1" };
    static const char *const mlp[] = { "model.mlp=gelu", "model.mlp=relu2", "model.mlp=swiglu" };
    bool ok = true;
    recipe_default(r, out);
    for (int i = 0; ok && i < COUNT(base); i++) ok = recipe_override(r, base[i], "clinic", err);
    char lr[40];
    snprintf(lr, sizeof lr, "optim.lr=%.4g", 1e-3 * pow(5, rand_uniform(&p->rand)));
    ok = ok && recipe_override(r, lr, "clinic", err) &&
         recipe_override(r, mlp[rand_below(&p->rand, 3)], "clinic", err) &&
         recipe_override(r, rand_below(&p->rand, 2) ? "model.qk_norm=true" : "model.qk_norm=false",
                         "clinic", err);
    p->severity = rand_uniform(&p->rand);
    p->onset = f && f->late ? 150 + (int64_t)rand_below(&p->rand, 200) : 0;
    if (f && f->edits) f->edits(p);
    for (int i = 0; ok && i < p->edits; i++) ok = recipe_override(r, p->edit[i], "clinic", err);
    if (ok) recipe_seal(r);
    return ok;
}

static bool train_one(Lab *lab, const ClinicOpt *o, const Fault *f, uint64_t seed, Bedside *b,
                      double *onset, Err *err)
{
    Patient p = { .rand = rand_stream(seed, "clinic") };
    Arena mark = *lab->arena;
    Recipe r;
    TrainResult ignored;
    *b = (Bedside){ .chart = { .vocab = 512, .clip = 1, .planned_steps = STEPS - 1 } };
    const char *dir = lab_path(lab, "runs/clinic-%llu", (unsigned long long)seed);
    StepHands hands = f ? f->hands : (StepHands){ 0 };
    hands.self = &p;
    TrainJob job = { .lab = lab->dir,
                     .dir = dir,
                     .recipe = &r,
                     .seed = seed,
                     .threads = o->threads,
                     .sink = { .self = b, .rows = on_rows, .sights = on_sights },
                     .hands = f ? &hands : NULL };
    bool ok = recipe_for(f, &p, &r, lab->arena, err) && train_run(&job, &ignored, err);
    ok = file_remove_tree(dir, ok ? err : &(Err){ 0 }) && ok;
    signals_drop(&b->looks);
    free(p.kept);
    *onset = (double)p.onset;
    arena_rewind(lab->arena, mark);
    return ok;
}

/* ---- what was said of it */

static bool among(const char *const *list, const char *finding)
{
    for (int i = 0; i < NAMES && list[i]; i++)
        if (strcmp(list[i], finding) == 0) return true;
    return false;
}

static bool names_any(const char *finding)
{
    for (int i = 0; i < COUNT(faults); i++)
        if (among(faults[i].is, finding)) return true;
    return false;
}

typedef struct Said {
    bool right, wrong;
    char what[200]; /* the first wrong name */
} Said;

static Said ask(const Chart *c, const Fault *f)
{
    Diagnosis found[FINDINGS_MAX];
    const FindDef *unknown[FINDINGS_MAX];
    int n, m;
    Said said = { 0 };
    doctor_look(c, found, &n, unknown, &m);
    for (int i = 0; i < n; i++) {
        const char *name = found[i].def->name;
        if (found[i].finding.harm == HARM_NOTE) continue;
        bool right = f && among(f->is, name), follows = f && among(f->also, name);
        bool wrong = f ? !right && !follows && names_any(name) : true;
        said.right = said.right || right;
        if (wrong && !said.wrong) snprintf(said.what, sizeof said.what, "%s", name);
        said.wrong = said.wrong || wrong;
    }
    return said;
}

/* The first step at which the fault had its name, looked for as a run that goes on is. */
static double detected(const Chart *c, const Fault *f, Arena scratch)
{
    double last = chart_last(c);
    for (double step = 50; step < last; step = step * 1.1 + 10) {
        Arena room = scratch;
        Chart cut = chart_until(c, step, &room);
        if (ask(&cut, f).right) return step;
    }
    return last;
}

static bool six_sigma(const Series *s)
{
    for (int i = SIGMA_WINDOW; i < s->n; i++) {
        double sum = 0, squares = 0;
        for (int k = i - SIGMA_WINDOW; k < i; k++) sum += s->x[k], squares += s->x[k] * s->x[k];
        double mean = sum / SIGMA_WINDOW, var = squares / SIGMA_WINDOW - mean * mean;
        if (!(s->x[i] <= mean + 6 * sqrt(fmax(var, 0)))) return true; /* a NaN is an alarm too */
    }
    return false;
}

static bool sigma_alarm(const Chart *c)
{
    return six_sigma(&c->of[SIG_LOSS]) || six_sigma(&c->of[SIG_NORM]);
}

/* ---- the clinic */

typedef struct Tally {
    int runs, found, wrong, sigma;
    double delay[RUNS_MOST];
} Tally;

static bool one_patient(Lab *lab, const ClinicOpt *o, const Fault *f, uint64_t seed, Tally *t,
                        Err *err)
{
    Bedside b;
    double onset;
    if (!train_one(lab, o, f, seed, &b, &onset, err)) {
        chart_free(&b.chart);
        return err_wrap(err, "a run with %s", f ? f->name : "no fault");
    }
    Said said = ask(&b.chart, f);
    if (said.right) t->delay[t->found] = fmax(0, detected(&b.chart, f, *lab->arena) - onset);
    t->runs++;
    t->found += said.right;
    t->wrong += said.wrong;
    t->sigma += sigma_alarm(&b.chart);
    char sentence[300];
    snprintf(sentence, sizeof sentence, "%s, seed %llu: %s%s%s", f ? f->name : "healthy",
             (unsigned long long)seed,
             said.right ? "found"
             : f        ? "missed"
                        : "",
             said.wrong ? " and falsely named " : "", said.what);
    if (o->say && (said.wrong || (f && !said.right))) o->say(o->self, sentence);
    chart_free(&b.chart);
    return true;
}

static double share(int part, int all)
{
    return all > 0 ? (double)part / all : (double)NAN;
}

bool clinic_run(Lab *lab, const ClinicOpt *o, json_t **out, Err *err)
{
    Tally all = { 0 }, *t = calloc(1, sizeof *t);
    json_t *rows = json_array();
    bool ok = true;
    CHECK(t, "no memory for a tally");
    for (int i = 0; ok && i < COUNT(faults); i++) {
        *t = (Tally){ 0 };
        for (int s = 0; ok && s < o->seeds; s++)
            ok = one_patient(lab, o, &faults[i], o->seed + 10000u * (unsigned)(i + 1) + (unsigned)s,
                             t, err);
        json_array_append_new(
            rows, json_pack("{s:s, s:i, s:i, s:o, s:o, s:o, s:i}", "fault", faults[i].name, "runs",
                            t->runs, "found", t->found, "precision",
                            json_num_of(share(t->found, t->found + t->wrong)), "recall",
                            json_num_of(share(t->found, t->runs)), "delay",
                            json_num_of(stat_median(t->delay, t->found)), "sigma", t->sigma));
        all.runs += t->runs, all.found += t->found, all.wrong += t->wrong;
    }
    *t = (Tally){ 0 };
    for (int s = 0; ok && s < o->healthy; s++)
        ok = one_patient(lab, o, NULL, o->seed + (unsigned)s, t, err);
    *out = json_pack("{s:o, s:i, s:i, s:i, s:o, s:o}", "faults", rows, "healthy", t->runs,
                     "false_alarms", t->wrong, "sigma_alarms", t->sigma, "precision",
                     json_num_of(share(all.found, all.found + all.wrong + t->wrong)), "recall",
                     json_num_of(share(all.found, all.runs)));
    free(t);
    return ok;
}
