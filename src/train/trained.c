/* trained.c - a checkpoint brought back to life, without gradients or optimizer.
 *
 * Three recordings over one Store: a scoring plan of whole rows, and two plans with a
 * cache, one for a stretch of a prompt and one for a single token.  On a CPU all three
 * give the same bits for the same text (E3), so it does not matter which of them a text
 * went through.
 *
 * Documents are fed one to a row, so no mask between documents is needed here, whatever
 * the model was trained with. */
#include "train/trained.h"

#include <string.h>

#include "data/mixture.h"
#include "model/model.h"
#include "train/checkpoint.h"

enum { SCORE_TOKENS = 4096, STRETCH = 16 };

/* One token or a stretch of them, on top of a cache. */
typedef struct FeedPlan {
    Plan *plan;
    Tensor *tokens, *pos, *rows, *logits;
    int length;
} FeedPlan;

struct Trained {
    Recipe recipe;
    Tokenizer *tokenizer;
    Model model;
    Dev dev;
    Store *store;
    int64_t step;
    int rows; /* of the scoring plan */
    Plan *score;
    Tensor *tokens, *targets, *pos, *weight, *nll;
    struct {
        Plan *plan;
        Tensor *tokens, *pos, *rows, *logits;
        int n; /* rows */
    } whole;
    FeedPlan stretch, single;
    int32_t *past; /* (context) tokens that the cache holds */
    int filled;
};

static bool plan_score(Trained *t, Arena *out, Err *err)
{
    Graph *g = graph_new(out);
    t->rows = MAX(1, SCORE_TOKENS / t->model.context);
    ptrdiff_t shape[2] = { t->rows, t->model.context };
    t->tokens = t_input(g, "tokens", I32, 2, shape);
    t->targets = t_input(g, "targets", I32, 2, shape);
    t->pos = t_input(g, "pos", I32, 2, shape);
    t->weight = t_input(g, "weight", F32, 1, (ptrdiff_t[]){ 1 });
    Tensor *x = model_hidden(g, &t->model, (ModelIn){ .tokens = t->tokens, .pos = t->pos });
    HeadLoss loss = model_loss(g, &t->model, x, t->targets, t->weight);
    Tensor *roots[2] = { loss.nll, loss.loss };
    t->nll = loss.nll;
    t->score = plan_new(g, roots, 2, &t->dev, (PlanOpt){ .level = cpu_level() }, out, err);
    return t->score != NULL;
}

static bool plan_feed(Trained *t, FeedPlan *f, int length, Arena *out, Err *err)
{
    Graph *g = graph_new(out);
    ptrdiff_t shape[2] = { 1, length };
    f->length = length;
    f->tokens = t_input(g, "tokens", I32, 2, shape);
    f->pos = t_input(g, "pos", I32, 2, shape);
    f->rows = t_input(g, "rows", I32, 1, (ptrdiff_t[]){ 1 });
    Tensor *x =
        model_hidden(g, &t->model, (ModelIn){ .tokens = f->tokens, .pos = f->pos, .cache = true });
    f->logits = model_logits(g, &t->model, x, f->rows); // (1, V)
    f->plan = plan_new(g, &f->logits, 1, &t->dev, (PlanOpt){ .level = cpu_level() }, out, err);
    return f->plan != NULL;
}

static bool make_plans(Trained *t, Arena *out, Err *err)
{
    if (!plan_score(t, out, err) || !plan_feed(t, &t->single, 1, out, err) ||
        !plan_feed(t, &t->stretch, MIN(STRETCH, t->model.context), out, err))
        return false;
    t->store = store_new(&t->dev, cpu_level(), out);
    t->past = NEW(out, int32_t, t->model.context);
    return plan_bind(t->score, t->store, err) && plan_bind(t->single.plan, t->store, err) &&
           plan_bind(t->stretch.plan, t->store, err);
}

/* Recipe, tokenizer and the path of the weights. */
static bool read_checkpoint(Trained *t, const char *dir, const char **path, Arena *out, Err *err)
{
    Buf note = { 0 };
    Checkpoint c;
    bool ok = checkpoint_find(dir, out, &c, path, &note, err);
    if (ok && !*path) {
        Str first = buf_view(&note), line = { 0 };
        str_cut(&first, '\n', &line);
        ok = note.len > 0
                 ? err_set(err, ERR_FORMAT, "%.*s; train the run again", (int)line.len, line.at)
                 : err_set(err, ERR_IO, "%s holds no checkpoint: the run was not trained yet", dir);
    }
    buf_free(&note);
    if (!ok) return false;
    t->step = c.step;
    t->tokenizer = tokenizer_parse(c.tokenizer, *path, out, err);
    return t->tokenizer && recipe_parse(&t->recipe, c.recipe, *path, out, err) &&
           model_of(&t->recipe.knobs, tokenizer_vocab(t->tokenizer), &t->model, err);
}

/* Weights that another engine made mean something else in this one, often without any sign. */
static bool own_engine(const Trained *t, const char *path, Err *err)
{
    return !knobs_text(&t->recipe.knobs, "code")[0] ||
           err_set(err, ERR_CONFIG,
                   "the model of %s has an engine of its own, which a patch made, and only a judge "
                   "may ask it: `lathe eval`; take the patch into this program to use the model",
                   path);
}

static Trained *open_with(const char *dir, int threads, bool any, Arena *out, Err *err)
{
    const char *path;
    Trained *t = NEW(out, Trained, 1);
    if (!read_checkpoint(t, dir, &path, out, err) || (!any && !own_engine(t, path, err)) ||
        !dev_open(&t->dev, "cpu", threads, err))
        return NULL;
    if (make_plans(t, out, err)) {
        store_init(t->store, 0);
        if (checkpoint_load(path, t->store, false, err)) return t;
    }
    trained_close(t);
    return NULL;
}

Trained *trained_open(const char *dir, int threads, Arena *out, Err *err)
{
    return open_with(dir, threads, false, out, err);
}

Trained *trained_open_inside(const char *dir, int threads, Arena *out, Err *err)
{
    return open_with(dir, threads, true, out, err);
}

void trained_close(Trained *t)
{
    if (t->store) store_free(t->store);
    dev_close(&t->dev);
}

const Recipe *trained_recipe(const Trained *t)
{
    return &t->recipe;
}

const Tokenizer *trained_tokenizer(const Trained *t)
{
    return t->tokenizer;
}

const Store *trained_store(const Trained *t)
{
    return t->store;
}

int trained_context(const Trained *t)
{
    return t->model.context;
}

int64_t trained_step(const Trained *t)
{
    return t->step;
}

/* ---- scoring */

/* Puts `n` rows of `length` into the plan's inputs; the rest counts for nothing. */
static void fill_score(Trained *t, const int32_t *tokens, const int32_t *targets, int n, int length)
{
    int T = t->model.context;
    int32_t *to = plan_at(t->score, t->tokens), *want = plan_at(t->score, t->targets);
    int32_t *pos = plan_at(t->score, t->pos);
    for (int i = 0; i < t->rows * T; i++) {
        bool real = i / T < n && i % T < length;
        ptrdiff_t from = (ptrdiff_t)(i / T) * length + i % T;
        to[i] = real ? tokens[from] : 0;
        want[i] = real ? targets[from] : -1;
        pos[i] = i % T;
    }
}

bool trained_nll(Trained *t, const int32_t *tokens, const int32_t *targets, int rows, int length,
                 double *nll, Err *err)
{
    int T = t->model.context;
    if (length < 1 || length > T)
        return err_set(err, ERR_CONFIG, "a row of %d tokens does not fit the model's context of %d",
                       length, T);
    *(float *)plan_at(t->score, t->weight) = 1;
    for (int row = 0; row < rows; row += t->rows) {
        int n = MIN(t->rows, rows - row);
        ptrdiff_t from = (ptrdiff_t)row * length;
        fill_score(t, tokens + from, targets + from, n, length);
        plan_run(t->score, &(StepIn){ .step = 1 });
        const float *got = plan_at(t->score, t->nll); // (rows T)
        for (int i = 0; i < n * length; i++)
            nll[from + i] = (double)got[(ptrdiff_t)(i / length) * T + i % length];
    }
    return true;
}

/* ---- logits of whole rows */

bool trained_plan_logits(Trained *t, int rows, Arena *out, Err *err)
{
    Graph *g = graph_new(out);
    ptrdiff_t shape[2] = { rows, t->model.context }, cells = rows * shape[1];
    t->whole.n = rows;
    t->whole.tokens = t_input(g, "tokens", I32, 2, shape);
    t->whole.pos = t_input(g, "pos", I32, 2, shape);
    t->whole.rows = t_input(g, "rows", I32, 1, &cells);
    ModelIn in = { .tokens = t->whole.tokens, .pos = t->whole.pos };
    t->whole.logits = model_logits(g, &t->model, model_hidden(g, &t->model, in), t->whole.rows);
    t->whole.plan =
        plan_new(g, &t->whole.logits, 1, &t->dev, (PlanOpt){ .level = cpu_level() }, out, err);
    if (!t->whole.plan || !plan_bind(t->whole.plan, t->store, err)) return false;
    int32_t *pos = plan_at(t->whole.plan, t->whole.pos),
            *row = plan_at(t->whole.plan, t->whole.rows);
    for (ptrdiff_t i = 0; i < cells; i++) {
        pos[i] = (int32_t)(i % shape[1]);
        row[i] = (int32_t)i;
    }
    return true;
}

void trained_logits(Trained *t, const int32_t *tokens, int rows, float *logits)
{
    ptrdiff_t T = t->model.context, asked = rows * T;
    int32_t *to = plan_at(t->whole.plan, t->whole.tokens);
    CHECK(rows <= t->whole.n, "%d rows of logits, planned for %d", rows, t->whole.n);
    for (ptrdiff_t i = 0; i < t->whole.n * T; i++) {
        bool known = i < asked && tokens[i] >= 0 && tokens[i] < t->model.vocab;
        to[i] = known ? tokens[i] : 0;
    }
    plan_run(t->whole.plan, &(StepIn){ .step = 1 });
    memcpy(logits, plan_at(t->whole.plan, t->whole.logits),
           (size_t)asked * (size_t)t->model.vocab * sizeof(*logits));
}

/* ---- feeding */

void trained_reset(Trained *t)
{
    t->filled = 0;
}

static void feed(Trained *t, const FeedPlan *f, const int32_t *tokens)
{
    int32_t *to = plan_at(f->plan, f->tokens), *pos = plan_at(f->plan, f->pos);
    for (int i = 0; i < f->length; i++) {
        to[i] = t->past[t->filled] = tokens[i];
        pos[i] = t->filled++;
    }
    *(int32_t *)plan_at(f->plan, f->rows) = f->length - 1;
    plan_run(f->plan, &(StepIn){ .step = 1 });
}

static const FeedPlan *feed_all(Trained *t, const int32_t *tokens, int n)
{
    const FeedPlan *last = NULL;
    while (n > 0) {
        last = n >= t->stretch.length ? &t->stretch : &t->single;
        feed(t, last, tokens);
        tokens += last->length;
        n -= last->length;
    }
    return last;
}

/* The cache is full: the later half of what it holds is read again from its beginning. */
static void slide(Trained *t)
{
    int keep = t->model.context / 2;
    memmove(t->past, t->past + t->filled - keep, (size_t)keep * sizeof(*t->past));
    t->filled = 0;
    feed_all(t, t->past, keep);
}

bool trained_feed(Trained *t, const int32_t *tokens, int n, float *logits, Err *err)
{
    const FeedPlan *last = NULL;
    for (int i = 0; i < n; i++) {
        if (tokens[i] < 0 || tokens[i] >= t->model.vocab)
            return err_set(err, ERR_CONFIG, "token %d is not one of the model's %d", (int)tokens[i],
                           t->model.vocab);
    }
    while (n > 0) {
        if (t->filled == t->model.context) slide(t);
        int fits = MIN(n, t->model.context - t->filled);
        last = feed_all(t, tokens, fits);
        tokens += fits;
        n -= fits;
    }
    CHECK(last, "nothing was fed");
    memcpy(logits, plan_at(last->plan, last->logits), (size_t)t->model.vocab * sizeof(float));
    return true;
}
