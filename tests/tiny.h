/* tiny.h - a small transformer with its training step, for tests of plans: two blocks, RoPE,
 * softcap, tied head, AdamW with clipping, gradients over two micro-steps.  train_tiny() trains it
 * and says where the weights arrived, as one number that must not change with the weather. */
#ifndef TESTS_TINY_H
#define TESTS_TINY_H

#include "base/hash.h"
#include "tensor/ops.h"
#include "tensor/plan.h"
#include "tests/test.h"

enum { TINY_B = 2, TINY_T = 40, TINY_C = 32, TINY_H = 2, TINY_V = 29, TINY_L = 2 };

typedef struct Tiny {
    Graph *g;
    Tensor *tokens, *pos, *target, *weight, *loss, *nll;
} Tiny;

static inline Tensor *tiny_weight(Graph *g, const char *name, ptrdiff_t out, ptrdiff_t in)
{
    return t_param(g, (ParamSpec){ .name = name,
                                   .rank = 2,
                                   .dim = { out, in },
                                   .role = ROLE_MATRIX,
                                   .init = { INIT_NORMAL, 0.15 } });
}

static inline Tensor *tiny_gain(Graph *g, const char *name, ptrdiff_t n)
{
    return t_param(g,
                   (ParamSpec){ .name = name, .rank = 1, .dim = { n }, .init = { INIT_CONST, 1 } });
}

static inline Tensor *tiny_block(Graph *g, Tensor *x, Tensor *pos)
{
    enum { B = TINY_B, T = TINY_T, C = TINY_C, H = TINY_H };
    Tensor *h = t_rmsnorm(g, x, tiny_gain(g, "norm1", C), 1e-5F);
    Tensor *y = t_linear(g, h, tiny_weight(g, "qkv", 3 * C, C), NULL);
    y = t_view(g, y, 4, (ptrdiff_t[]){ B, T, 3 * H, C / H });
    Tensor *q = t_rope(g, t_slice(g, y, 2, 0, H), pos, 1e4F, 0);
    Tensor *k = t_rope(g, t_slice(g, y, 2, H, 2 * H), pos, 1e4F, 0);
    y = t_attention(g, q, k, t_slice(g, y, 2, 2 * H, 3 * H), NULL, (AttentionOpt){ 0 });
    y = t_view(g, y, 3, (ptrdiff_t[]){ B, T, C });
    x = t_tap(g, t_add(g, x, t_linear(g, y, tiny_weight(g, "proj", C, C), NULL)), "resid");
    h = t_rmsnorm(g, x, tiny_gain(g, "norm2", C), 1e-5F);
    h = t_linear(g, h, tiny_weight(g, "up", 8 * C, C), tiny_gain(g, "up_bias", 8 * C));
    h = t_mul(g, t_silu(g, t_slice(g, h, 2, 0, 4 * C)), t_slice(g, h, 2, 4 * C, 8 * C));
    return t_add(g, x, t_linear(g, h, tiny_weight(g, "down", C, 4 * C), NULL));
}

static inline Tiny tiny_record(Arena *home, bool train)
{
    ptrdiff_t bt[2] = { TINY_B, TINY_T }, n = TINY_B * TINY_T, one = 1;
    Tiny t = { .g = graph_new(home) };
    t.tokens = t_input(t.g, "tokens", I32, 2, bt);
    t.pos = t_input(t.g, "pos", I32, 2, bt);
    t.target = t_input(t.g, "target", I32, 1, &n);
    t.weight = t_input(t.g, "weight", F32, 1, &one);
    Tensor *table = tiny_weight(t.g, "embed", TINY_V, TINY_C);
    Tensor *x = t_embed(t.g, t.tokens, table);
    for (int l = 0; l < TINY_L; l++) {
        graph_push(t.g, "block.%d", l);
        x = tiny_block(t.g, x, t.pos);
        graph_pop(t.g);
    }
    x = t_rmsnorm(t.g, x, tiny_gain(t.g, "norm", TINY_C), 1e-5F);
    x = t_view(t.g, x, 2, (ptrdiff_t[]){ n, TINY_C });
    HeadLoss h = t_head_loss(t.g, x, table, t.target, t.weight, 15);
    t.loss = h.loss, t.nll = h.nll;
    if (train) graph_grad(t.g, t.loss);
    return t;
}

/* scalar[0], [1]: rate and decay; [2]: limit of the gradient's norm. */
static inline Graph *tiny_update(Arena *home, const Store *s, Tensor **roots, int *n)
{
    Graph *g = graph_new(home);
    Tensor *sum = NULL;
    *n = 0;
    for (int pass = 0; pass < 2; pass++) {
        Tensor *clip = pass ? t_clip_factor(g, sum, 2) : NULL;
        for (int i = 0; i < store_count(s); i++) {
            const StoreItem *w = store_item(s, i);
            if (w->life != LIFE_PARAM) continue;
            ParamSpec spec = *w->spec;
            Tensor *p = t_param(g, spec), *d = t_grad_leaf(g, p);
            if (!pass) {
                Tensor *one = t_sum_squares(g, d);
                sum = sum ? t_add(g, sum, one) : one;
                continue;
            }
            graph_push(g, "%s", w->name);
            Tensor *m = t_state(g, "m", p->rank, p->dim), *v = t_state(g, "v", p->rank, p->dim);
            graph_pop(g);
            roots[(*n)++] =
                t_adamw(g, p, d, m, v, clip, (AdamwOpt){ .b1 = 0.9F, .b2 = 0.95F, .eps = 1e-8F });
        }
    }
    return g;
}

static inline void tiny_put(void *at, CpuLevel level, double value)
{
    if (level == LEVEL_REF)
        *(double *)at = value;
    else
        *(float *)at = (float)value;
}

static inline void tiny_fill(const Plan *p, const Tiny *t, CpuLevel level, int step)
{
    int32_t *tokens = plan_at(p, t->tokens), *pos = plan_at(p, t->pos);
    int32_t *target = plan_at(p, t->target);
    for (int i = 0; i < TINY_B * TINY_T; i++) {
        tokens[i] = (i * i + 3 * (step & 1)) % TINY_V;
        target[i] = ((i + 1) * (i + 1) + 3 * (step & 1)) % TINY_V;
        pos[i] = i % TINY_T;
    }
    tiny_put(plan_at(p, t->weight), level, 1.0 / (2 * TINY_B * TINY_T));
}

typedef struct TinyRun {
    PlanOpt opt;
    int threads, steps;
    bool tap; /* "block.0.resid" is a root too */
} TinyRun;

typedef struct TinyEnd {
    uint64_t hash;    /* of weights, gradients and moments */
    double loss, sum; /* of the last micro-step; of |w| */
    PlanCost cost;
} TinyEnd;

static inline Plan *tiny_plan(Graph *g, Tensor *const *roots, int n, Dev *d, PlanOpt o, Arena *home,
                              Store *s)
{
    Err err = { 0 };
    Plan *p = plan_new(g, roots, n, d, o, home, &err);
    EXPECT_MSG(p != NULL, "%s", err.msg);
    EXPECT_MSG(plan_bind(p, s, &err), "%s", err.msg);
    return p;
}

static inline void tiny_sum(const Store *s, TinyEnd *end)
{
    for (int i = 0; i < store_count(s); i++) {
        const StoreItem *w = store_item(s, i);
        ptrdiff_t size = w->at ? 4 : 8;
        end->hash = hash64(w->at ? (void *)w->at : (void *)w->at64, w->count * size, end->hash);
        for (ptrdiff_t k = 0; k < w->count && w->life == LIFE_PARAM; k++)
            end->sum += fabs(w->at ? (double)w->at[k] : w->at64[k]);
    }
}

static inline TinyEnd train_tiny(TinyRun r)
{
    Arena home = arena_reserve(1 << 28);
    Dev d;
    Err err = { 0 };
    EXPECT_MSG(dev_open(&d, "cpu", r.threads, &err), "%s", err.msg);
    Store *s = store_new(&d, r.opt.level, &home);
    Tiny t = tiny_record(&home, true);
    Tensor *roots[64] = { t.loss, r.tap ? graph_find(t.g, "block.0.resid") : NULL };
    Plan *step = tiny_plan(t.g, roots, r.tap ? 2 : 1, &d, r.opt, &home, s);
    int n = 0;
    Graph *u = tiny_update(&home, s, roots, &n);
    Plan *update = tiny_plan(u, roots, n, &d, r.opt, &home, s);
    store_init(s, 42);
    TinyEnd end = { .cost = plan_cost(step) };
    const float scalar[3] = { 0.01F, 0.1F, 1 };
    for (int i = 1; i <= r.steps; i++) {
        for (int micro = 0; micro < 2; micro++) {
            tiny_fill(step, &t, r.opt.level, 2 * i + micro);
            plan_run(step, &(StepIn){ .step = i, .seed = 42, .later = micro > 0, .train = true });
        }
        const void *loss = plan_at(step, t.loss);
        end.loss = r.opt.level == LEVEL_REF ? *(const double *)loss : (double)*(const float *)loss;
        plan_run(update, &(StepIn){ .step = i, .seed = 42, .train = true, .scalar = scalar });
    }
    tiny_sum(s, &end);
    store_free(s);
    dev_close(&d);
    arena_release(&home);
    return end;
}

#endif
