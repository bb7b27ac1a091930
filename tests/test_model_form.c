/* The model's forms: sizes by formula, derivatives against finite differences in double
 * precision, and one text giving the same bits however it is cut up. */
#include "tests/model_forms.h"

TEST(sizes_by_formula_are_the_sizes_of_what_is_recorded)
{
    for (int f = 0; f < FORMS; f++) {
        Arena a = arena_reserve(1 << 28);
        Model m;
        EXPECT(form_of(forms[f], &a, &m));
        Graph *g = graph_new(&a);
        ptrdiff_t bt[] = { 2, m.context };
        Tensor *tokens = t_input(g, "tokens", I32, 2, bt), *pos = t_input(g, "pos", I32, 2, bt);
        Tensor *x = model_hidden(g, &m, (ModelIn){ .tokens = tokens, .pos = pos });
        model_logits(g, &m, x, t_input(g, "rows", I32, 1, bt));
        int64_t n = 0;
        for (int i = 0; i < g->tensors; i++)
            if (g->tensor[i]->life == LIFE_PARAM && !g->tensor[i]->base)
                n += tensor_count(g->tensor[i]);
        EXPECT_MSG(n == model_params(&m), "form %d: %lld by formula, %lld recorded", f,
                   (long long)model_params(&m), (long long)n);
        arena_release(&a);
    }
}

TEST(gpt2_has_its_published_size)
{
    Arena a = arena_reserve(1 << 20);
    Err err = { 0 };
    const Knob *tables[] = { model_knobs, NULL };
    KnobSet k = knobs_new(&a, tables);
    Model m;
    EXPECT(knobs_set_number(&k, "model.depth", 12, &err) &&
           knobs_set_number(&k, "model.width", 768, &err) &&
           knobs_set_number(&k, "model.heads", 12, &err) &&
           knobs_set_number(&k, "model.context", 1024, &err) && model_of(&k, 50257, &m, &err));
    EXPECT(model_params(&m) == 124439808);
    arena_release(&a);
}

TEST(windows_follow_their_pattern_and_the_last_block_sees_all)
{
    static const struct {
        const char *set[SETS], *want;
    } table[] = {
        { { "window=SSSL", "depth=8" }, "sssLsssL" }, { { "window=SSSL", "depth=6" }, "sssLsL" },
        { { "window=SL", "depth=1" }, "L" },          { { "depth=3" }, "LLL" },
        { { "window=SSL", "depth=4" }, "ssLL" },      { { "window=SL", "window_size=8" }, "LL" },
    };
    for (int i = 0; i < (int)COUNT(table); i++) {
        Arena a = arena_reserve(1 << 20);
        Model m;
        EXPECT(form_of(table[i].set, &a, &m) && m.depth == (int)strlen(table[i].want));
        for (int l = 0; l < m.depth; l++) // a quarter of the context of 8
            EXPECT_MSG(model_window(&m, l) == (table[i].want[l] == 's' ? 2 : 0),
                       "pattern %d: block %d sees %d", i, l, model_window(&m, l));
        arena_release(&a);
    }
}

TEST(relations_that_do_not_hold_are_refused_by_name)
{
    const char *wrong[][3] = { { "heads", "5", "model.heads" },
                               { "kv_heads", "3", "model.kv_heads" } };
    for (int i = 0; i < (int)COUNT(wrong); i++) {
        Arena a = arena_reserve(1 << 20);
        Err err = { 0 };
        const Knob *tables[] = { model_knobs, NULL };
        KnobSet k = knobs_new(&a, tables);
        Model m;
        char name[64];
        snprintf(name, sizeof(name), "model.%s", wrong[i][0]);
        EXPECT(knobs_set_number(&k, "model.heads", 4, &err));
        EXPECT(knobs_set(&k, name, str_of(wrong[i][1]), "test", &err));
        EXPECT(!model_of(&k, V, &m, &err));
        EXPECT(err.code == ERR_CONFIG && strstr(err.msg, wrong[i][2]));
        arena_release(&a);
    }
    Arena a = arena_reserve(1 << 20);
    Model m;
    EXPECT(!form_of((const char *const[SETS]){ "position=rope", "head_size=5" }, &a, &m));
    arena_release(&a);
}

/* ---- derivatives */

typedef struct LossRig {
    Plan *plan;
    Tensor *tokens, *targets, *pos, *doc, *weight, *loss;
} LossRig;

enum { B = 2, T = 5 };

static void loss_rig(Rig *r, LossRig *l)
{
    Graph *g = graph_new(&r->arena);
    ptrdiff_t bt[] = { B, T };
    l->tokens = t_input(g, "tokens", I32, 2, bt);
    l->targets = t_input(g, "targets", I32, 2, bt);
    l->pos = t_input(g, "pos", I32, 2, bt);
    l->doc = r->model.doc_mask ? t_input(g, "doc", I32, 2, bt) : NULL;
    l->weight = t_input(g, "weight", F32, 1, (ptrdiff_t[]){ 1 });
    Tensor *x =
        model_hidden(g, &r->model, (ModelIn){ .tokens = l->tokens, .pos = l->pos, .doc = l->doc });
    l->loss = model_loss(g, &r->model, x, l->targets, l->weight).loss;
    graph_grad(g, l->loss);
    l->plan = rig_plan(r, g, &l->loss, 1, LEVEL_REF);
    store_init(r->store, 1);
    scatter(r);
    for (int i = 0; i < B * T; i++) {
        ((int32_t *)plan_at(l->plan, l->tokens))[i] = (i * 5 + 2) % V;
        ((int32_t *)plan_at(l->plan, l->targets))[i] = i == 3 ? -1 : (i * 7 + 1) % V;
        ((int32_t *)plan_at(l->plan, l->pos))[i] = i % T;
        if (l->doc) ((int32_t *)plan_at(l->plan, l->doc))[i] = i % T > 2;
    }
    *(double *)plan_at(l->plan, l->weight) = 0.1;
}

static double loss_now(const LossRig *l)
{
    plan_run(l->plan, &(StepIn){ .step = 1, .train = true });
    return *(const double *)plan_at(l->plan, l->loss);
}

/* Slope along a random direction of one weight, by gradient and by central differences. */
static void check_direction(Rig *r, const LossRig *l, const StoreItem *w, int form)
{
    char name[300];
    snprintf(name, sizeof(name), "%s.grad", w->name);
    const StoreItem *d = store_find(r->store, name);
    EXPECT_MSG(d != NULL, "form %d: %s has no gradient", form, w->name);
    if (!d) return;
    const double h = 1e-6;
    double by_gradient = 0, size = 0, side[2];
    loss_now(l);
    for (ptrdiff_t j = 0; j < w->count; j++) {
        double v = rand_normal_at(3, rand_name(w->name), (uint64_t)j);
        by_gradient += d->at64[j] * v;
        size += fabs(d->at64[j] * v);
    }
    for (int s = 0; s < 2; s++) {
        for (ptrdiff_t j = 0; j < w->count; j++)
            w->at64[j] +=
                (s == 0 ? h : -2 * h) * rand_normal_at(3, rand_name(w->name), (uint64_t)j);
        side[s] = loss_now(l);
    }
    for (ptrdiff_t j = 0; j < w->count; j++)
        w->at64[j] += h * rand_normal_at(3, rand_name(w->name), (uint64_t)j);
    double by_difference = (side[0] - side[1]) / (2 * h);
    EXPECT_MSG(size > 0, "form %d: %s has no influence", form, w->name);
    EXPECT_MSG(fabs(by_gradient - by_difference) <= 1e-6 * (1e-3 + size),
               "form %d: slope along %s is %.12g, by differences %.12g", form, w->name, by_gradient,
               by_difference);
}

TEST(every_weight_of_every_form_has_the_slope_of_finite_differences)
{
    for (int f = 0; f < FORMS; f++) {
        Rig r;
        LossRig l;
        rig_open(&r, forms[f], LEVEL_REF);
        loss_rig(&r, &l);
        for (int i = 0; i < store_count(r.store); i++) {
            const StoreItem *w = store_item(r.store, i);
            if (w->life == LIFE_PARAM) check_direction(&r, &l, w, f);
        }
        rig_close(&r);
    }
}

TEST(the_formula_for_flops_is_what_a_plan_is_charged)
{
    for (int f = 0; f < FORMS; f++) {
        Rig r;
        LossRig l;
        rig_open(&r, forms[f], LEVEL_REF);
        r.model.context = T; // the formula's T is the context's
        loss_rig(&r, &l);
        int64_t charged = plan_cost(l.plan).matmul_flops;
        EXPECT_MSG(charged == B * T * model_flops_per_token(&r.model),
                   "form %d: %lld charged, %lld by formula", f, (long long)charged,
                   (long long)(B * T * model_flops_per_token(&r.model)));
        rig_close(&r);
    }
}

/* ---- one text, however it is cut */

static void expect_rows(const float *got, const float *want, int rows, int form, const char *how)
{
    EXPECT_MSG(memcmp(got, want, (size_t)rows * V * sizeof(float)) == 0,
               "form %d: logits %s differ from those of the whole row", form, how);
}

TEST(logits_are_the_same_bits_with_a_cache_in_chunks_and_in_other_batches)
{
    for (int f = 0; f < FORMS; f++) {
        Rig r;
        Feed whole, batch, chunk, one, tail;
        float want[8 * V];
        rig_open(&r, forms[f], cpu_level());
        feed_plan(&r, &whole, 1, 8, false);
        feed_plan(&r, &batch, 3, 8, false);
        feed_plan(&r, &tail, 1, 5, false);
        feed_plan(&r, &chunk, 1, 3, true);
        feed_plan(&r, &one, 1, 1, true);
        store_init(r.store, 1);
        scatter(&r);
        memcpy(want, feed_run(&whole, 0, 0), sizeof(want));
        EXPECT(isfinite(want[0]) && want[0] != want[1]);
        expect_rows(feed_run(&batch, 1, 0), want, 8, f, "in a batch");
        expect_rows(feed_run(&tail, 0, 0), want, 5, f, "of a shorter row");
        for (int at = 0; at < 8; at++)
            expect_rows(feed_run(&one, 0, at), want + at * V, 1, f, "one by one");
        expect_rows(feed_run(&chunk, 0, 0), want, 3, f, "of a first chunk");
        expect_rows(feed_run(&chunk, 0, 3), want + 3 * V, 3, f, "of a second chunk");
        expect_rows(feed_run(&one, 0, 6), want + 6 * V, 1, f, "behind chunks");
        rig_close(&r);
    }
}

TEST(initial_values_follow_the_recipe)
{
    Rig r;
    Feed f;
    rig_open(&r,
             (const char *const[SETS]){ "width=64", "init=fan_in", "init_gain=1", "tied=false",
                                        "proj_init=zero" },
             cpu_level());
    feed_plan(&r, &f, 1, 4, false);
    store_init(r.store, 5);
    const char *name[] = { "block.0.attn.qkv.weight", "block.1.mlp.up.weight",    "embed.weight",
                           "block.0.mlp.down.weight", "block.1.attn.proj.weight", "norm.gain" };
    const double std[] = { 0.125, 0.125, 1, 0, 0, 1 }; // 1 / sqrt(64); the gain is a constant
    for (int i = 0; i < (int)COUNT(name); i++) {
        const StoreItem *w = store_find(r.store, name[i]);
        double squares = 0;
        EXPECT_MSG(w != NULL, "there is no %s", name[i]);
        for (ptrdiff_t j = 0; w && j < w->count; j++)
            squares += (double)w->at[j] * (double)w->at[j];
        double got = w ? sqrt(squares / (double)w->count) : -1;
        EXPECT_MSG(fabs(got - std[i]) <= 0.1 * std[i], "%s has %g, not %g", name[i], got, std[i]);
    }
    rig_close(&r);
}

/* Loss per row of a text of 8 tokens, the last five of them a second document. */
static void nll_with(const char *const *set, int changed, float out[8])
{
    Rig r;
    rig_open(&r, set, cpu_level());
    Graph *g = graph_new(&r.arena);
    ptrdiff_t bt[] = { 1, 8 };
    Tensor *tokens = t_input(g, "tokens", I32, 2, bt), *targets = t_input(g, "targets", I32, 2, bt);
    Tensor *pos = t_input(g, "pos", I32, 2, bt), *doc = t_input(g, "doc", I32, 2, bt);
    Tensor *weight = t_input(g, "weight", F32, 1, (ptrdiff_t[]){ 1 });
    Tensor *x = model_hidden(
        g, &r.model,
        (ModelIn){ .tokens = tokens, .pos = pos, .doc = r.model.doc_mask ? doc : NULL });
    HeadLoss loss = model_loss(g, &r.model, x, targets, weight);
    Plan *p = rig_plan(&r, g, &loss.nll, 1, cpu_level());
    store_init(r.store, 1);
    scatter(&r);
    for (int i = 0; i < 8; i++) {
        ((int32_t *)plan_at(p, tokens))[i] = (i * 5 + (i == changed)) % V;
        ((int32_t *)plan_at(p, targets))[i] = i;
        ((int32_t *)plan_at(p, pos))[i] = i;
        if (r.model.doc_mask) ((int32_t *)plan_at(p, doc))[i] = i >= 3;
    }
    *(float *)plan_at(p, weight) = 1;
    plan_run(p, &(StepIn){ .step = 1 });
    memcpy(out, plan_at(p, loss.nll), 8 * sizeof(float));
    rig_close(&r);
}

TEST(a_token_reaches_what_comes_after_it_inside_its_document_and_nothing_else)
{
    const char *const masks[2][SETS] = { { "doc_mask=false" }, { "doc_mask=true" } };
    for (int mask = 0; mask < 2; mask++) {
        float base[8], now[8];
        nll_with(masks[mask], -1, base);
        for (int changed = 0; changed < 8; changed++) {
            nll_with(masks[mask], changed, now);
            for (int i = 0; i < 8; i++) {
                bool reached = i >= changed && (!mask || (i >= 3) == (changed >= 3));
                EXPECT_MSG((now[i] != base[i]) == reached, "mask %d: token %d %s position %d", mask,
                           changed, reached ? "does not reach" : "reaches", i);
            }
        }
    }
}
