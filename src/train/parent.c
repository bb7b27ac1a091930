/* parent.c - an earlier model at work in a run.
 *
 * The parent is asked about each micro-batch as it comes, by two plans over a Store of its own:
 * one to the last hidden values, one from those to probabilities, some rows at a time, because
 * logits of a whole micro-batch would be the largest thing in memory.  Its answers go into the
 * run's plan as inputs; so the run's graph knows nothing of the parent, and bits stay a function of
 * recipe, seed and data.
 *
 * Of each distribution the top_k likeliest tokens are kept, with shares made to sum to one (Hinton
 * et al. 2015, arXiv:1503.02531, with the tail left out).  The parent's weight fades linearly to
 * zero at `teach_until` of the run: a child that only imitates ends as good as its parent.  From
 * there on the parent is not asked any more, nor charged.
 *
 * Optimizer states are not taken over.  A moment of the parent's last steps belongs to a rate
 * that had gone to zero; the child warms up like any other run. */
#include "train/parent.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "model/grow.h"
#include "train/checkpoint.h"
#include "train/recipe.h"

enum { LOGITS_MOST = 4 << 20, TOP_MOST = 256 };

static const char *const starts[] = { "none", "grow", "embeddings", NULL };

const Knob parent_knobs[] = {
    { .name = "parent.weights",
      .type = KNOB_TEXT,
      .text = "",
      .doc = "SHA-256 of the weights of the generation that is put to work; empty: none",
      .fixed = true },
    { .name = "parent.start",
      .type = KNOB_CHOICE,
      .max = (double)(COUNT(starts) - 2),
      .choices = starts,
      .doc = "begin as the parent's function in a larger model, with its embeddings, or anew",
      .fixed = true },
    { .name = "parent.teach",
      .type = KNOB_NUMBER,
      .max = 1,
      .doc = "weight of the parent's predictions in the loss, at the beginning",
      .fixed = true },
    { .name = "parent.teach_until",
      .type = KNOB_NUMBER,
      .fallback = 0.5,
      .max = 1,
      .unit = "of the run",
      .doc = "where that weight has faded to zero",
      .fixed = true },
    { .name = "parent.temperature",
      .type = KNOB_NUMBER,
      .fallback = 1,
      .min = 0.25,
      .max = 16,
      .scale = SCALE_LOG,
      .doc = "of parent and child where the one is compared with the other",
      .fixed = true },
    { .name = "parent.top_k",
      .type = KNOB_WHOLE,
      .fallback = 32,
      .min = 1,
      .max = TOP_MOST,
      .scale = SCALE_LOG,
      .unit = "tokens",
      .doc = "of the parent's predictions that are kept",
      .fixed = true },
    { .name = "parent.select",
      .type = KNOB_NUMBER,
      .fallback = 1,
      .min = 0.01,
      .max = 1,
      .unit = "of the tokens",
      .doc = "learned from: those whose loss is most above the parent's; 1: all",
      .fixed = true },
    { .name = NULL },
};

/* ---- what is asked of it */

bool parent_teaches(const ParentWant *w)
{
    return w->teach > 0 && w->until > 0;
}

bool parent_selects(const ParentWant *w)
{
    return w->select < 1;
}

bool parent_want(const KnobSet *k, ParentWant *out, Err *err)
{
    *out = (ParentWant){ .weights = "" };
    if (knobs_find(k, "parent.weights") < 0) return true; /* another trainer's recipe: no parents */
    *out = (ParentWant){ .weights = knobs_text(k, "parent.weights"),
                         .start = (ParentStart)k->value[knobs_find(k, "parent.start")],
                         .teach = knobs_number(k, "parent.teach"),
                         .until = knobs_number(k, "parent.teach_until"),
                         .heat = knobs_number(k, "parent.temperature"),
                         .select = knobs_number(k, "parent.select"),
                         .top_k = (int)knobs_whole(k, "parent.top_k") };
    out->used = out->start != PARENT_NONE || parent_teaches(out) || parent_selects(out);
    if (out->used && !out->weights[0])
        return err_set(err, ERR_CONFIG,
                       "parent.%s is set and parent.weights is not: name the generation, as "
                       "`lathe generation list` shows it",
                       out->start != PARENT_NONE ? "start"
                       : parent_teaches(out)     ? "teach"
                                                 : "select");
    return true;
}

double parent_share(const ParentWant *w, int64_t step, int64_t steps)
{
    double done = (double)(step - 1) / (double)steps;
    return parent_teaches(w) && done < w->until ? w->teach * (1 - done / w->until) : 0;
}

int64_t parent_asked(const ParentWant *w, int64_t step, int64_t steps)
{
    if (parent_selects(w)) return step;
    int64_t last = 0; /* shares fall, so those above zero come first */
    for (int64_t high = step; last < high;) {
        int64_t middle = last + (high - last + 1) / 2;
        if (parent_share(w, middle, steps) > 0)
            last = middle;
        else
            high = middle - 1;
    }
    return last;
}

/* ---- opening */

const char *parent_folder(const char *lab, const char *weights, Arena *out, Err *err)
{
    char **names;
    int count;
    const char *all = arena_printf(out, "%s/generations", lab);
    if (file_exists(all) && !file_list(all, true, out, &names, &count, err)) return NULL;
    for (int i = 0; file_exists(all) && i < count; i++) {
        const char *slash = strrchr(names[i], '/');
        if (!slash || !str_ends(str_of(names[i]), STR(".ckpt"))) continue;
        char *dir = arena_printf(out, "%s/%.*s", all, (int)(slash - names[i]), names[i]);
        Checkpoint c;
        const char *path;
        Buf note = { 0 };
        bool ok = checkpoint_find(dir, out, &c, &path, &note, err);
        buf_free(&note);
        if (!ok) return NULL;
        if (path && strcmp(c.weights_sha256, weights) == 0) return dir;
    }
    err_set(
        err, ERR_CONFIG,
        "parent.weights = %.12s is no generation of this lab: `lathe generation list` shows those "
        "that there are",
        weights);
    return NULL;
}

static bool read_parent(Parent *p, const char *lab, const char **path, Arena *out, Err *err)
{
    Checkpoint c;
    Recipe recipe;
    Buf note = { 0 };
    const char *dir = parent_folder(lab, p->want.weights, out, err);
    bool ok = dir && checkpoint_find(dir, out, &c, path, &note, err);
    buf_free(&note);
    if (!ok) return false;
    p->tokenizer = tokenizer_parse(c.tokenizer, *path, out, err);
    return p->tokenizer && recipe_parse(&recipe, c.recipe, *path, out, err) &&
           model_of(&recipe.knobs, tokenizer_vocab(p->tokenizer), &p->model, err);
}

static bool same_tokens(const Parent *p, Err *err)
{
    const char *what = p->want.start == PARENT_GROW ? "start = \"grow\""
                       : parent_teaches(&p->want)   ? "teach"
                       : parent_selects(&p->want)   ? "select"
                                                    : NULL;
    if (!what || strcmp(tokenizer_sha256(p->tokenizer), tokenizer_sha256(p->own)) == 0) return true;
    return err_set(
        err, ERR_CONFIG,
        "the parent has another tokenizer than this recipe, and parent.%s needs the same: "
        "parent.start = \"embeddings\" takes over the tokens that both have, and `lathe "
        "data score` scores documents with any model",
        what);
}

static bool sees_enough(const Parent *p, ParentShape s, Err *err)
{
    if (p->model.context >= s.context) return true;
    return err_set(err, ERR_CONFIG,
                   "the parent's context is %d tokens and model.context = %d: lower it, or let the "
                   "parent be the beginning only",
                   p->model.context, s.context);
}

static bool plan_body(Parent *p, ParentShape s, Dev *d, Arena *out, Err *err)
{
    Graph *g = graph_new(out);
    ptrdiff_t bt[2] = { s.batch, s.context };
    p->tokens = t_input(g, "tokens", I32, 2, bt);
    p->pos = t_input(g, "pos", I32, 2, bt);
    p->doc = s.doc ? t_input(g, "doc", I32, 2, bt) : NULL;
    ModelIn in = { .tokens = p->tokens, .pos = p->pos, .doc = p->doc };
    p->x = model_hidden(g, &p->model, in); // (B, T, C)
    p->body = plan_new(g, &p->x, 1, d, (PlanOpt){ .level = cpu_level() }, out, err);
    return p->body != NULL;
}

/* Rows are R at a time, whatever their number: one alone has the bits it has in company (E3). */
static bool plan_head(Parent *p, Dev *d, Arena *out, Err *err)
{
    Graph *g = graph_new(out);
    ptrdiff_t r = p->at_once;
    Tensor *roots[3];
    int n = 0;
    p->part = t_input(g, "part", F32, 3, (ptrdiff_t[]){ 1, r, p->model.width });
    if (parent_teaches(&p->want)) {
        p->rows = t_input(g, "rows", I32, 1, &r);
        Tensor *z = model_logits(g, &p->model, p->part, p->rows); // (R, V)
        roots[n++] = p->p = t_softmax(g, t_scale(g, z, (float)(1 / p->want.heat)));
    }
    if (parent_selects(&p->want)) {
        p->target = t_input(g, "target", I32, 1, &r);
        p->weight = t_input(g, "weight", F32, 1, (ptrdiff_t[]){ 1 });
        HeadLoss loss = model_loss(g, &p->model, p->part, p->target, p->weight);
        roots[n++] = p->nll = loss.nll;
        roots[n++] = loss.loss;
    }
    p->head = plan_new(g, roots, n, d, (PlanOpt){ .level = cpu_level() }, out, err);
    return p->head != NULL;
}

static bool plan_asking(Parent *p, ParentShape s, Dev *d, Arena *out, Err *err)
{
    p->n = s.batch * s.context;
    p->vocab = p->model.vocab;
    p->k = MIN(p->want.top_k, p->vocab);
    p->at_once = MAX(1, MIN(p->n, LOGITS_MOST / p->vocab));
    if (!plan_body(p, s, d, out, err) || !plan_head(p, d, out, err) ||
        !plan_bind(p->body, p->store, err) || !plan_bind(p->head, p->store, err))
        return false;
    p->hidden = NEW(out, float, (ptrdiff_t)p->n * p->model.width);
    for (int i = 0; p->rows && i < p->at_once; i++) ((int32_t *)plan_at(p->head, p->rows))[i] = i;
    if (p->weight) *(float *)plan_at(p->head, p->weight) = 1;
    return true;
}

/* Where it is only a beginning, its weights come by the names of a plan that never runs. */
static bool plan_naming(Parent *p, Dev *d, Arena *out, Err *err)
{
    Graph *g = graph_new(out);
    ptrdiff_t one[2] = { 1, 1 };
    Tensor *tokens = t_input(g, "tokens", I32, 2, one), *pos = t_input(g, "pos", I32, 2, one);
    Tensor *x = model_hidden(g, &p->model, (ModelIn){ .tokens = tokens, .pos = pos });
    Tensor *z = model_logits(g, &p->model, x, t_input(g, "rows", I32, 1, one));
    Plan *plan = plan_new(g, &z, 1, d, (PlanOpt){ .level = cpu_level() }, out, err);
    return plan && plan_bind(plan, p->store, err);
}

bool parent_open(Parent *p, const char *lab, const KnobSet *knobs, const Tokenizer *own,
                 ParentShape shape, Dev *d, Arena *out, Err *err)
{
    const char *path;
    *p = (Parent){ .own = own };
    if (!parent_want(knobs, &p->want, err)) return false;
    if (!p->want.used) return true;
    if (!read_parent(p, lab, &path, out, err) || !same_tokens(p, err)) return false;
    bool asked = parent_teaches(&p->want) || parent_selects(&p->want);
    p->store = store_new(d, cpu_level(), out);
    bool ok = asked ? sees_enough(p, shape, err) && plan_asking(p, shape, d, out, err)
                    : plan_naming(p, d, out, err);
    return ok && checkpoint_load(path, p->store, false, err);
}

void parent_close(Parent *p)
{
    if (p->store) store_free(p->store);
    p->store = NULL;
}

PlanCost parent_cost(const Parent *p)
{
    if (!p->body) return (PlanCost){ 0 };
    PlanCost body = plan_cost(p->body), head = plan_cost(p->head);
    int64_t heads = (p->n + p->at_once - 1) / p->at_once;
    return (PlanCost){ .params = MAX(body.params, head.params),
                       .step = MAX(body.step, head.step),
                       .inputs = body.inputs + head.inputs +
                                 (ptrdiff_t)p->n * p->model.width * (ptrdiff_t)sizeof(float),
                       .scratch = MAX(body.scratch, head.scratch),
                       .flops = body.flops + heads * head.flops,
                       .matmul_flops = body.matmul_flops + heads * head.matmul_flops,
                       .nodes = body.nodes + head.nodes };
}

/* ---- a beginning */

/* The rows of a table whose tokens both tokenizers have; both tables are (V, C). */
static void copy_rows(const Parent *p, const StoreItem *from, const StoreItem *to)
{
    for (int id = 0; id < (int)to->dim[0]; id++) {
        Str bytes = tokenizer_bytes_of(p->own, id);
        int same = id == tokenizer_end(p->own) ? tokenizer_end(p->tokenizer) : -1;
        for (int k = 0; same < 0 && bytes.len > 0 && k < (int)from->dim[0]; k++)
            if (str_eq(bytes, tokenizer_bytes_of(p->tokenizer, k))) same = k;
        if (same >= 0)
            memcpy(to->at + id * to->dim[1], from->at + same * from->dim[1],
                   (size_t)to->dim[1] * sizeof(float));
    }
}

static bool begin_embeddings(const Parent *p, const Model *model, const Store *s, Err *err)
{
    static const char *const tables[] = { "embed.weight", "head.weight" };
    if (model->width != p->model.width)
        return err_set(err, ERR_CONFIG,
                       "the parent's embeddings are %d wide and model.width = %d: set it to %d, or "
                       "parent.start = \"grow\"",
                       p->model.width, model->width, p->model.width);
    for (int i = 0; i < (int)COUNT(tables); i++) {
        const StoreItem *from = store_find(p->store, tables[i]), *to = store_find(s, tables[i]);
        if (from && to) copy_rows(p, from, to);
    }
    return true;
}

bool parent_begin(const Parent *p, const Model *model, const Store *s, uint64_t seed,
                  Arena *scratch, Err *err)
{
    Growth g;
    switch (p->want.start) {
    case PARENT_NONE: break;
    case PARENT_EMBEDDINGS: return begin_embeddings(p, model, s, err);
    case PARENT_GROW:
        if (!grow_plan(&p->model, model, &g, scratch, err)) return false;
        grow_fill(&g, p->store, s, seed);
        break;
    }
    return true;
}

/* ---- asking */

void parent_top(const float *x, int n, int k, int32_t *index)
{
    int have = 0;
    for (int i = 0; i < n; i++) {
        if (have == k && !(x[i] > x[index[k - 1]])) continue;
        int at = have < k ? have++ : k - 1;
        for (; at > 0 && x[i] > x[index[at - 1]]; at--) index[at] = index[at - 1];
        index[at] = i;
    }
}

/* Shares of the k likeliest, summing to `share`. */
static void put_soft(const Parent *p, const float *likely, double share, int32_t *token,
                     float *soft)
{
    double sum = 0;
    parent_top(likely, p->vocab, p->k, token);
    for (int i = 0; i < p->k; i++) sum += (double)likely[token[i]];
    for (int i = 0; i < p->k; i++) soft[i] = (float)(share * (double)likely[token[i]] / sum);
}

static void ask_head(const Parent *p, const ParentAsk *a, int first, int n)
{
    size_t row = (size_t)p->model.width * sizeof(float);
    memcpy(plan_at(p->head, p->part), p->hidden + (ptrdiff_t)first * p->model.width,
           (size_t)n * row);
    int32_t *target = p->target ? plan_at(p->head, p->target) : NULL;
    for (int i = 0; target && i < p->at_once; i++) target[i] = i < n ? a->targets[first + i] : -1;
    plan_run(p->head, &(StepIn){ .step = 1 });
    const float *likely = p->p ? plan_at(p->head, p->p) : NULL; // (R, V)
    for (int i = 0; likely && a->soft && i < n; i++) {
        ptrdiff_t at = (ptrdiff_t)(first + i) * p->k;
        put_soft(p, likely + (ptrdiff_t)i * p->vocab, a->share, a->token + at, a->soft + at);
    }
    if (p->nll && a->ref)
        memcpy(a->ref + first, plan_at(p->head, p->nll), (size_t)n * sizeof(float));
}

void parent_ask(const Parent *p, const ParentAsk *a)
{
    size_t ids = (size_t)p->n * sizeof(int32_t);
    memcpy(plan_at(p->body, p->tokens), a->tokens, ids);
    memcpy(plan_at(p->body, p->pos), a->pos, ids);
    if (p->doc) memcpy(plan_at(p->body, p->doc), a->doc, ids);
    plan_run(p->body, &(StepIn){ .step = 1 });
    memcpy(p->hidden, plan_at(p->body, p->x),
           (size_t)p->n * (size_t)p->model.width * sizeof(float));
    for (int first = 0; first < p->n; first += p->at_once)
        ask_head(p, a, first, MIN(p->at_once, p->n - first));
}
