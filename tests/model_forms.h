/* model_forms.h - forms of the model that differ from the fallbacks, and what tests need to record,
 * bind and run one. */
#ifndef TESTS_MODEL_FORMS_H
#define TESTS_MODEL_FORMS_H

#include "base/rand.h"
#include "base/str.h"
#include "model/model.h"
#include "tensor/plan.h"
#include "tests/test.h"

enum { V = 13, FORMS = 18, SETS = 8 };

/* Knobs that differ from the fallbacks, one form a line. */
static const char *const forms[FORMS][SETS] = {
    { NULL },
    { "norm=rmsnorm", "position=rope", "mlp=relu2", "bias=false", "tied=false", "qk_norm=true" },
    { "norm=rmsnorm", "position=rope", "mlp=swiglu", "bias=false", "kv_heads=1",
      "norm_gain=false" },
    { "norm=layernorm", "bias=false", "mlp=swiglu", "softcap=3", "tied=false", "embed_norm=true" },
    { "position=rope", "rope_fraction=0.5", "rope_base=100", "kv_heads=2", "softcap=2",
      "attn_scale=2" },
    { "doc_mask=true", "head_size=6", "heads=2", "qk_norm=true", "init=fan_in" },
    { "norm=rmsnorm", "bias=true", "tied=false", "init=fan_in", "proj_init=plain", "scaling=mup" },
    { "heads=1", "depth=1", "mlp_ratio=1", "mlp=relu2" },
    { "kv_heads=4", "mlp=swiglu", "bias=true", "qk_norm=true", "position=rope" },
    { "kv_heads=1", "position=learned", "bias=true", "embed_norm=true", "norm=rmsnorm" },
    { "norm_gain=false", "norm=layernorm", "bias=false", "softcap=1" },
    { "position=rope", "doc_mask=true", "tied=false", "head_std=0.5", "embed_std=0.5" },
    { "value_embed=true", "value_gate=2", "kv_heads=2", "position=rope", "depth=3" },
    { "layer_scalars=true", "resid_init=1.15", "skip_init=0.2", "norm=rmsnorm", "embed_norm=true" },
    { "window=SSL", "window_size=2", "depth=4", "width=8", "heads=2", "position=rope" },
    { "dropout=0.25", "qk_norm=true", "qk_gain=1.2", "window=SL", "doc_mask=true" },
    { "z_loss=0.05", "softcap=4", "up_init=0.4", "mlp=relu2", "tied=false" },
    { "heads=3", "kv_heads=1", "width=24", "head_size=8", "window=SL", "value_embed=true",
      "layer_scalars=true" },
};

/* "name=value" of a knob of the model. */
static bool set_one(KnobSet *k, const char *one)
{
    Err err = { 0 };
    char name[64];
    const char *eq = strchr(one, '=');
    snprintf(name, sizeof(name), "model.%.*s", (int)(eq - one), one);
    bool ok = knobs_set(k, name, str_of(eq + 1), "test", &err);
    if (!ok) printf("# %s\n", err.msg);
    return ok;
}

static bool form_of(const char *const *set, Arena *a, Model *m)
{
    Err err = { 0 };
    const Knob *tables[] = { model_knobs, NULL };
    KnobSet k = knobs_new(a, tables);
    const char *base[] = { "depth=2", "width=16", "heads=4", "context=8" };
    for (int i = 0; i < (int)COUNT(base); i++)
        if (!set_one(&k, base[i])) return false;
    for (int i = 0; i < SETS && set[i]; i++)
        if (!set_one(&k, set[i])) return false;
    bool ok = model_of(&k, V, m, &err);
    if (!ok) printf("# %s\n", err.msg);
    return ok;
}

typedef struct Rig {
    Arena arena;
    Dev dev;
    Store *store;
    Model model;
} Rig;

static void rig_open(Rig *r, const char *const *set, CpuLevel level)
{
    Err err = { 0 };
    r->arena = arena_reserve(1 << 28);
    EXPECT(form_of(set, &r->arena, &r->model));
    EXPECT_MSG(dev_open(&r->dev, "cpu", 2, &err), "%s", err.msg);
    r->store = store_new(&r->dev, level, &r->arena);
}

static void rig_close(Rig *r)
{
    store_free(r->store);
    dev_close(&r->dev);
    arena_release(&r->arena);
}

static Plan *rig_plan(Rig *r, Graph *g, Tensor *const *roots, int n, CpuLevel level)
{
    Err err = { 0 };
    Plan *p = plan_new(g, roots, n, &r->dev, (PlanOpt){ .level = level }, &r->arena, &err);
    EXPECT_MSG(p && plan_bind(p, r->store, &err), "%s", err.msg);
    return p;
}

/* Weights far from their small beginnings, so that no slope is hidden by a zero. */
static void scatter(Rig *r)
{
    for (int i = 0; i < store_count(r->store); i++) {
        const StoreItem *it = store_item(r->store, i);
        if (it->life != LIFE_PARAM) continue;
        bool gain = strstr(it->name, "gain") != NULL;
        for (ptrdiff_t j = 0; j < it->count; j++) {
            double x = 0.4 * rand_normal_at(7, rand_name(it->name), (uint64_t)j) + (gain ? 1 : 0);
            if (it->at64)
                it->at64[j] = x;
            else
                it->at[j] = (float)x;
        }
    }
}

typedef struct Feed {
    Plan *plan;
    Tensor *tokens, *pos, *rows, *logits;
    int batch, length;
} Feed;

static void feed_plan(Rig *r, Feed *f, int batch, int length, bool cache)
{
    Graph *g = graph_new(&r->arena);
    ptrdiff_t bt[] = { batch, length };
    *f = (Feed){ .batch = batch, .length = length };
    f->tokens = t_input(g, "tokens", I32, 2, bt);
    f->pos = t_input(g, "pos", I32, 2, bt);
    f->rows = t_input(g, "rows", I32, 1, (ptrdiff_t[]){ length });
    Tensor *x =
        model_hidden(g, &r->model, (ModelIn){ .tokens = f->tokens, .pos = f->pos, .cache = cache });
    f->logits = model_logits(g, &r->model, x, f->rows);
    f->plan = rig_plan(r, g, &f->logits, 1, cpu_level());
}

/* Row `row` of the batch holds the text from position `from` on; the others hold another. */
static const float *feed_run(const Feed *f, int row, int from)
{
    int32_t *tokens = plan_at(f->plan, f->tokens), *pos = plan_at(f->plan, f->pos);
    for (int i = 0; i < f->batch * f->length; i++) {
        int at = from + i % f->length;
        tokens[i] = (i / f->length == row ? at * 5 + 3 : at * 7 + i / f->length) % V;
        pos[i] = at;
    }
    for (int i = 0; i < f->length; i++)
        ((int32_t *)plan_at(f->plan, f->rows))[i] = row * f->length + i;
    plan_run(f->plan, &(StepIn){ .step = 1 });
    return plan_at(f->plan, f->logits);
}

#endif
