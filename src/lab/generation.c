/* generation.c - from a finished run to a parent.
 *
 * The weights are kept by a second name of the same file: checkpoints are written whole and never
 * changed, so a link costs nothing, and the run's folder may be cleaned without the family losing a
 * member.
 *
 * Reads of the audit and the locked tier stand in the ledger before the text is opened.  A call
 * that was killed before it wrote its scores down reads again, and that is another read.
 *
 * FLOPs of a generation are those of its run, and once more with all that its ancestors have cost:
 * the dearest way to look at it.  What a parent costs each child when it has several is for who
 * compares them to say (docs/generations.md). */
#include "lab/generation.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "judge/judge.h"
#include "train/parent.h"

/* ---- reading */

static void from_body(const json_t *b, Generation *g)
{
    *g = (Generation){ .params = json_int(b, "params", 0),
                       .tokens = json_int(b, "tokens", 0),
                       .flops = json_int(b, "flops", 0),
                       .flops_with_parents = json_num(b, "flops_with_parents", (double)NAN),
                       .seconds = json_num(b, "seconds", (double)NAN) };
    snprintf(g->id, sizeof(g->id), "%s", json_str(b, "id", ""));
    snprintf(g->run, sizeof(g->run), "%s", json_str(b, "run", ""));
    snprintf(g->parent, sizeof(g->parent), "%s", json_str(b, "parent", ""));
    snprintf(g->weights, sizeof(g->weights), "%s", json_str(b, "weights_sha256", ""));
    snprintf(g->recipe, sizeof(g->recipe), "%s", json_str(b, "recipe", ""));
    snprintf(g->took, sizeof(g->took), "%s", json_str(b, "took", ""));
    const json_t *bpb = json_object_get(b, "bpb");
    for (int i = 0; i < TIER_COUNT; i++) g->bpb[i] = json_num(bpb, tier_name[i], (double)NAN);
}

typedef struct Gather {
    Lab *lab;
    Generation *list;
    int n, cap;
} Gather;

static bool gather(void *self, const Entry *e)
{
    Gather *g = self;
    if (g->n == g->cap) {
        Generation *more = NEW(g->lab->arena, Generation, MAX(16, 2 * g->cap));
        if (g->n > 0) memcpy(more, g->list, (size_t)g->n * sizeof(*more));
        g->list = more;
        g->cap = MAX(16, 2 * g->cap);
    }
    from_body(e->body, &g->list[g->n++]);
    return true;
}

bool generation_all(Lab *lab, Generation **out, int *count, Err *err)
{
    Gather g = { .lab = lab };
    bool ok = ledger_each(lab->ledger, "generation", 0, gather, &g, err);
    *out = g.list;
    *count = g.n;
    return ok;
}

/* The one for which `is` holds; *found false if there is none. */
static bool find_by(Lab *lab, bool (*is)(const Generation *g, const char *key), const char *key,
                    Generation *out, bool *found, Err *err)
{
    Generation *all;
    int n;
    *found = false;
    if (!generation_all(lab, &all, &n, err)) return false;
    for (int i = 0; i < n && !*found; i++) {
        *found = is(&all[i], key);
        if (*found) *out = all[i];
    }
    return true;
}

static bool is_id(const Generation *g, const char *id)
{
    return strcmp(g->id, id) == 0;
}

static bool is_of_run(const Generation *g, const char *run)
{
    return strcmp(g->run, run) == 0;
}

static bool has_weights(const Generation *g, const char *weights)
{
    return strcmp(g->weights, weights) == 0;
}

bool generation_find(Lab *lab, const char *id, Generation *out, Err *err)
{
    bool found;
    if (!find_by(lab, is_id, id, out, &found, err)) return false;
    if (found) return true;
    return err_set(
        err, ERR_CONFIG,
        "there is no generation %s in this lab; `lathe generation list` shows those that "
        "there are",
        id);
}

/* ---- making one */

typedef struct Newest {
    char run[24];
    const char *purpose;
} Newest;

static bool newest_run(void *self, const Entry *e)
{
    Newest *n = self;
    if (strcmp(json_str(e->body, "purpose", ""), n->purpose) == 0)
        snprintf(n->run, sizeof(n->run), "%s", e->id);
    return true;
}

static bool choose_run(Lab *lab, const char *run, char out[24], Err *err)
{
    Newest n = { .purpose = "champion" };
    if (run) return snprintf(out, 24, "%s", run) > 0;
    if (!ledger_each(lab->ledger, "run", 0, newest_run, &n, err)) return false;
    memcpy(out, n.run, 24);
    if (out[0]) return true;
    return err_set(
        err, ERR_CONFIG,
        "no champion has been trained in full in this lab: `lathe research` ends with one, "
        "or name a run of `lathe train`");
}

static bool usable(Lab *lab, const char *run, RunResult *r, Err *err)
{
    bool found;
    if (!lab_result(lab, run, r, &found, err)) return false;
    if (!found)
        return err_set(err, ERR_CONFIG,
                       "there is no finished run %s; `lathe log --kind result` lists them", run);
    if (r->failed) return err_set(err, ERR_CONFIG, "run %s failed: it has nothing to hand on", run);
    if (r->self_reported)
        return err_set(
            err, ERR_CONFIG,
            "run %s is another trainer's: its score is its own word, and its weights are "
            "not here",
            run);
    return true;
}

/* Another name for the checkpoint's file; a copy where the file system has no links. */
static bool keep_file(const char *from, const char *to, Err *err)
{
    if (link(from, to) == 0 || errno == EEXIST) return true;
    Arena a = arena_reserve((ptrdiff_t)1 << 38);
    Str whole;
    bool ok = file_read_arena(from, &a, &whole, err) && file_write_whole(to, whole, err);
    arena_release(&a);
    return ok;
}

static bool keep_weights(Lab *lab, const char *run, const char *id, Err *err)
{
    char **names;
    int n;
    const char *from = lab_run_dir(lab, run), *to = lab_path(lab, "generations/%s", id);
    if (!file_make_dirs(to, err) || !file_list(from, false, lab->arena, &names, &n, err))
        return false;
    for (int i = 0; i < n; i++) {
        if (!str_ends(str_of(names[i]), STR(".ckpt"))) continue;
        if (!keep_file(arena_printf(lab->arena, "%s/%s", from, names[i]),
                       arena_printf(lab->arena, "%s/%s", to, names[i]), err))
            return false;
    }
    return true;
}

/* Whose held-out text judges it: that of its question, of the run, or of its recipe. */
static bool judging(Lab *lab, const char *run, const Recipe *recipe, const char *source[], int *n,
                    Err *err)
{
    json_t *body = NULL, *question = NULL;
    if (!ledger_last(lab->ledger, "run", run, &body, err)) return false;
    const char *q = json_str(body, "question", "");
    bool ok = !q[0] || ledger_last(lab->ledger, "question", q, &question, err);
    const json_t *names =
        json_object_get(question ? question : body, question ? "sources" : "judged_on");
    *n = 0;
    for (size_t i = 0; ok && i < json_array_size(names) && *n < MIXTURE_MAX; i++)
        source[(*n)++] = arena_str(lab->arena, str_of(json_string_value(json_array_get(names, i))));
    json_decref(body);
    json_decref(question);
    if (!ok || *n > 0) return ok;
    Mixture m = { 0 };
    if (!mixture_open(&m, lab->dir, &recipe->knobs, lab->arena, err)) return false;
    for (; *n < m.count; ++*n) source[*n] = arena_str(lab->arena, str_of(m.source[*n].name));
    mixture_close(&m);
    return true;
}

/* A read is in the ledger before the text is opened. */
static bool score(Lab *lab, Generation *g, const Recipe *recipe, Err *err)
{
    const char *source[MIXTURE_MAX];
    int n;
    if (!judging(lab, g->run, recipe, source, &n, err)) return false;
    for (int tier = TIER_AUDIT; tier < TIER_COUNT; tier++) {
        JudgeScore s;
        json_t *names = json_array();
        for (int i = 0; i < n; i++) json_array_append_new(names, json_string(source[i]));
        if (!ledger_append(lab->ledger, "judge_read", g->run,
                           json_pack("{s:s, s:s, s:s, s:o}", "tier", tier_name[tier], "reason",
                                     "generation", "run", g->run, "sources", names),
                           err) ||
            !lab_run_score(lab, g->run, tier, source, n, &s, err))
            return false;
        g->bpb[tier] = s.bpb;
    }
    return true;
}

/* What it took, in words. */
static void say_took(const ParentWant *w, char *out, size_t cap)
{
    static const char *const start[] = { "", "begins as it", "has its embeddings" };
    int n = snprintf(out, cap, "%s", start[w->start]);
    if (parent_teaches(w))
        n += snprintf(out + n, cap - (size_t)n, "%sis taught (%g until %g)", n ? ", " : "",
                      w->teach, w->until);
    if (parent_selects(w))
        snprintf(out + n, cap - (size_t)n, "%slearns from %g of the tokens", n ? ", " : "",
                 w->select);
}

/* Its parent, and what both have cost. */
static bool add_parent(Lab *lab, const Recipe *recipe, Generation *g, Err *err)
{
    ParentWant want;
    Generation parent;
    bool found;
    g->flops_with_parents = (double)g->flops;
    if (!parent_want(&recipe->knobs, &want, err) || !want.used) return !want.used;
    if (!find_by(lab, has_weights, want.weights, &parent, &found, err)) return false;
    if (!found)
        return err_set(err, ERR_CONFIG, "the parent of run %s is no generation of this lab",
                       g->run);
    memcpy(g->parent, parent.id, sizeof(g->parent));
    g->flops_with_parents += parent.flops_with_parents;
    say_took(&want, g->took, sizeof(g->took));
    return true;
}

static json_t *body_of(const Generation *g)
{
    json_t *bpb = json_object();
    for (int i = 0; i < TIER_COUNT; i++)
        json_object_set_new(bpb, tier_name[i], json_num_of(g->bpb[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:I, s:I, s:I, s:f, s:f, s:o}", "id", g->id,
                     "run", g->run, "recipe", g->recipe, "weights_sha256", g->weights, "parent",
                     g->parent[0] ? json_string(g->parent) : json_null(), "took", g->took, "params",
                     (json_int_t)g->params, "tokens", (json_int_t)g->tokens, "flops",
                     (json_int_t)g->flops, "flops_with_parents", g->flops_with_parents, "seconds",
                     g->seconds, "bpb", bpb);
}

static bool enter(Lab *lab, Generation *g, Err *err)
{
    if (!ledger_begin(lab->ledger, err)) return false;
    if (ledger_next_id(lab->ledger, 'g', g->id, err) && keep_weights(lab, g->run, g->id, err) &&
        ledger_append(lab->ledger, "generation", g->id, body_of(g), err))
        return ledger_commit(lab->ledger, err);
    ledger_rollback(lab->ledger);
    return false;
}

static bool make(Lab *lab, const RunResult *r, RunWatch watch, Generation *g, Err *err)
{
    json_t *run = NULL;
    Recipe recipe;
    TrainSize size;
    if (!ledger_last(lab->ledger, "run", r->id, &run, err)) return false;
    *g = (Generation){ .tokens = r->tokens, .flops = r->flops, .seconds = r->seconds };
    memcpy(g->run, r->id, sizeof(g->run));
    memcpy(g->weights, r->weights_sha256, sizeof(g->weights));
    snprintf(g->recipe, sizeof(g->recipe), "%s", json_str(run, "recipe", ""));
    json_decref(run);
    g->bpb[TIER_SEARCH] = r->bpb;
    if (!lab_recipe(lab, g->recipe, &recipe, err) || !train_size(lab->dir, &recipe, &size, err) ||
        !add_parent(lab, &recipe, g, err) || !lab_run_restore(lab, r->id, 0, watch, err) ||
        !score(lab, g, &recipe, err))
        return false;
    g->params = size.params;
    return enter(lab, g, err);
}

bool generation_new(Lab *lab, const char *run, RunWatch watch, Generation *out, Err *err)
{
    char id[24];
    RunResult r;
    bool found;
    if (!choose_run(lab, run, id, err) || !usable(lab, id, &r, err) ||
        !find_by(lab, is_of_run, id, out, &found, err))
        return false;
    return found || make(lab, &r, watch, out, err);
}

/* ---- what a child may be judged on */

bool generation_may_judge(Lab *lab, const KnobSet *knobs, const char *const *sources, int n_sources,
                          Err *err)
{
    ParentWant want;
    Recipe parent = { 0 };
    JudgeText text = { .lab = lab->dir, .sources = sources, .n_sources = n_sources };
    if (!parent_want(knobs, &want, err)) return false;
    while (want.used) {
        Generation g;
        bool found;
        if (!find_by(lab, has_weights, want.weights, &g, &found, err)) return false;
        if (!found) return true; /* training says that there is no such parent */
        if (!lab_recipe(lab, g.recipe, &parent, err) ||
            !judge_may_score(&text, &parent.knobs, *lab->arena, err))
            return err_wrap(err, "parent %s", g.id);
        if (!parent_want(&parent.knobs, &want, err)) return false;
    }
    return true;
}
