/* cmd_train.c - one run by hand, in the lab's books like any other.
 *
 * The run itself, its place in the ledger and its score are lab_run()'s; here are only the
 * recipe that was meant and what a person sees meanwhile.  Memory is said before anything
 * is spent. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/progress.h"
#include "cli/cmd.h"
#include "lab/generation.h"

static const CmdOpt opts[] = {
    { "set", 's', "KNOB=VALUE", "a knob that differs from the recipe; may be repeated" },
    { "parent", 0, "ID", "the generation that parent.* puts to work, g1 say" },
    { "seed", 0, "N", "initial weights and order of the data (1)" },
    { "threads", 0, "N", "0: all cores (0); the result does not depend on it" },
    { 0 },
};

enum { CURVE = 512 };

typedef struct Show {
    Progress progress;
    bool begun;
    int64_t planned_bytes;
    double loss[CURVE];
    int losses;
} Show;

static void on_planned(void *self, const char *run, const PlanCost *cost, int64_t steps)
{
    Show *s = self;
    char all[32], weights[32], count[32];
    s->planned_bytes = train_bytes(cost);
    if (s->planned_bytes == 0) return; /* another trainer: how much it takes is its own affair */
    fprintf(stderr, "%s: %s steps, planned memory %s (weights %s)\n", run,
            str_count(count, (double)steps), str_bytes(all, (double)s->planned_bytes),
            str_bytes(weights, (double)cost->params));
    s->progress = progress_begin("training", "steps", (double)steps);
    s->begun = true;
}

/* Keeps every second loss once the curve is full, so that it always spans the run. */
static void add_loss(Show *s, double loss)
{
    if (s->losses == CURVE) {
        for (int i = 0; i < CURVE / 2; i++) s->loss[i] = s->loss[2 * i];
        s->losses = CURVE / 2;
    }
    s->loss[s->losses++] = loss;
}

static void on_live(void *self, const char *run, const StepRow *last, int64_t steps)
{
    Show *s = self;
    char curve[128], note[192];
    (void)run;
    (void)steps;
    add_loss(s, last->loss);
    sparkline(s->loss, s->losses, 24, curve, sizeof(curve));
    snprintf(note, sizeof(note), "loss %.4f %s", last->loss, curve);
    progress_tick(&s->progress, (double)last->step, note);
}

static void on_note(void *self, const char *text)
{
    (void)self;
    fprintf(stderr, "%s\n", text);
}

static bool on_stop(void *self)
{
    (void)self;
    return stop_asked();
}

static bool name_parent(const Cmd *c, Lab *lab, Recipe *r, Err *err)
{
    const char *id = cmd_value(c, "parent", NULL);
    Generation g;
    if (!id) return true;
    if (!generation_find(lab, id, &g, err) ||
        !knobs_set(&r->knobs, "parent.weights", str_of(g.weights), "--parent", err))
        return false;
    recipe_seal(r);
    return true;
}

static bool read_recipe(const Cmd *c, Lab *lab, Recipe *r, const char **from, Err *err)
{
    *from = c->n_args ? c->arg[0] : NULL;
    if (*from ? !recipe_read(r, *from, c->arena, err) : !lab_champion(lab, r, from, err))
        return false;
    for (int i = 0; cmd_nth(c, "set", i); i++) {
        if (!recipe_override(r, cmd_nth(c, "set", i), "-s", err)) return false;
    }
    return name_parent(c, lab, r, err) && recipe_check(r, err);
}

/* start_seconds: from the beginning of the program to the first step. */
static void print_json(const Cmd *c, const RunResult *r, const Recipe *recipe, uint64_t seed)
{
    cmd_print_json(json_pack(
        "{s:s, s:s, s:I, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:s, s:b, s:b, s:b}",
        "run", r->id, "recipe", recipe->sha256, "seed", (json_int_t)seed, "start_seconds",
        r->begun > 0 ? json_num_of(r->begun - c->begun) : json_null(), "bpb", json_num_of(r->bpb),
        "steps", (json_int_t)r->steps, "tokens", (json_int_t)r->tokens, "flops",
        (json_int_t)r->flops, "seconds", json_num_of(r->seconds), "tokens_per_s",
        json_num_of(r->tokens_per_s), "train_loss", json_num_of(r->train_loss), "planned_bytes",
        (json_int_t)r->planned_bytes, "peak_bytes", (json_int_t)r->peak_bytes, "weights_sha256",
        r->weights_sha256, "failed", r->failed, "known", r->known, "self_reported",
        r->self_reported));
}

static void print_text(const RunResult *r)
{
    char seconds[32], tokens[32], rate[32];
    if (r->self_reported && r->failed)
        printf("%s  failed: %s\n", r->id, r->why);
    else if (r->self_reported)
        printf("%s  %.6g, self-reported\n", r->id, r->bpb);
    else if (r->failed)
        printf("%s  failed: the loss stopped being a number at step %lld\n", r->id,
               (long long)r->steps);
    else
        printf("%s  %.4f bits per byte on held-out text\n", r->id, r->bpb);
    printf("    %lld steps, %s tokens, %s, %s tokens/s, training loss %.4f\n", (long long)r->steps,
           str_count(tokens, (double)r->tokens), str_seconds(seconds, r->seconds),
           str_count(rate, floor(r->tokens_per_s)), r->train_loss);
    if (r->known) printf("    it was trained before: the lab remembers it\n");
    if (r->self_reported) return;
    printf("    weights %s\n", r->weights_sha256);
    printf("    next: lathe sample %s, lathe eval %s\n", r->id, r->id);
}

static bool train(Cmd *c, Lab *lab, Err *err)
{
    Recipe recipe;
    RunResult result;
    Show show = { 0 };
    const char *from;
    double seed, threads;
    if (!cmd_number(c, "seed", 1, 0, 1e15, &seed, err) ||
        !cmd_number(c, "threads", 0, 0, 4096, &threads, err) ||
        !read_recipe(c, lab, &recipe, &from, err))
        return false;
    fprintf(stderr, "recipe: %s\n", from);
    RunJob job = { .recipe = &recipe,
                   .seed = (uint64_t)seed,
                   .purpose = "train",
                   .threads = (int)threads,
                   .watch = { .self = &show,
                              .stop = on_stop,
                              .planned = on_planned,
                              .live = on_live,
                              .note = on_note } };
    bool ok = lab_run(lab, &job, &result, err);
    if (show.begun) progress_end(&show.progress);
    if (!ok) return false;
    if (c->json)
        print_json(c, &result, &recipe, job.seed);
    else
        print_text(&result);
    return true;
}

static bool run(Cmd *c, Err *err)
{
    Lab lab;
    if (!lab_open(&lab, c->lab, LEDGER_WRITE, c->arena, err)) return false;
    bool ok = train(c, &lab, err);
    lab_close(&lab);
    return ok;
}

const CmdDef cmd_train = {
    .name = "train",
    .args = "[RECIPE]",
    .doc = "train a model; the same command again goes on where it was stopped",
    .more = "RECIPE is a file of knobs (`lathe knobs` lists them); without it the lab's champion "
            "is taken, "
            "or the plain default in a new lab. The run is named by recipe, seed and data: given "
            "again, a "
            "finished run is told from memory and an interrupted one goes on, to the same bits.",
    .opts = opts,
    .max_args = 1,
    .needs_lab = true,
    .json = true,
    .run = run,
};
