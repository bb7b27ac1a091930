/* Growth: whatever the form, the larger model gives the logits of the smaller one before its first
 * step, its copies of the stream do not stay copies, and where no such beginning exists the knob
 * in the way is named. */
#include "model/grow.h"

#include "tests/model_forms.h"

enum { LENGTH = 7 };

/* Factors by which a model grows. */
typedef struct Factors {
    int depth, width, heads, hidden, context;
} Factors;

static const Factors ways[] = {
    { 2, 1, 1, 1, 1 }, { 1, 2, 2, 2, 1 }, { 1, 3, 3, 3, 2 }, { 1, 1, 2, 1, 1 },
    { 1, 1, 1, 2, 1 }, { 3, 2, 2, 2, 1 }, { 2, 2, 4, 3, 2 },
};

static Model grown(const Model *m, Factors w)
{
    Model g = *m;
    g.depth *= w.depth;
    g.width *= w.width;
    g.heads *= w.heads;
    g.kv_heads *= w.heads;
    g.hidden *= w.hidden;
    g.context *= w.context;
    if (m->window >= m->context) g.window = g.context;
    if (m->width_ratio != 1) g.width_ratio *= w.width;
    return g;
}

typedef struct Pair {
    Rig small, large;
    Growth g;
    Feed from, to;
} Pair;

static bool pair_open(Pair *p, const char *const *form, Factors w, Err *err)
{
    rig_open(&p->small, form, cpu_level());
    rig_open(&p->large, form, cpu_level());
    p->large.model = grown(&p->small.model, w);
    feed_plan(&p->small, &p->from, 1, LENGTH, false);
    feed_plan(&p->large, &p->to, 1, LENGTH, false);
    store_init(p->small.store, 1);
    store_init(p->large.store, 2);
    scatter(&p->small);
    if (!grow_plan(&p->small.model, &p->large.model, &p->g, &p->large.arena, err)) return false;
    grow_fill(&p->g, p->small.store, p->large.store, 3);
    return true;
}

static void pair_close(Pair *p)
{
    rig_close(&p->small);
    rig_close(&p->large);
}

/* The largest difference of logits over their root mean square. */
static double distance(Pair *p)
{
    const float *want = feed_run(&p->from, 0, 0), *got = feed_run(&p->to, 0, 0);
    double most = 0, square = 0;
    for (int i = 0; i < LENGTH * V; i++) {
        most = fmax(most, fabs((double)got[i] - (double)want[i]));
        square += (double)want[i] * (double)want[i];
    }
    return most / sqrt(square / (LENGTH * V));
}

/* There is no such beginning for a tied model without gains whose width grows, except under muP. */
static bool impossible(const Model *m, Factors w)
{
    return w.width > 1 && m->tied && !m->norm_gain && m->width_ratio == 1;
}

TEST(every_form_grown_in_every_way_gives_the_logits_it_gave)
{
    for (int f = 0; f < FORMS; f++) {
        for (int i = 0; i < (int)COUNT(ways); i++) {
            Pair p;
            Err err = { 0 };
            bool ok = pair_open(&p, forms[f], ways[i], &err);
            EXPECT_MSG(ok != impossible(&p.small.model, ways[i]), "form %d, way %d: %s", f, i,
                       ok ? "grew" : err.msg);
            if (ok)
                EXPECT_MSG(distance(&p) < 1e-5, "form %d, way %d: logits differ by %.3g", f, i,
                           distance(&p));
            pair_close(&p);
        }
    }
}

/* What the test above would see if a weight were not where it belongs. */
TEST(a_weight_out_of_place_is_seen)
{
    Pair p;
    Err err = { 0 };
    EXPECT(pair_open(&p, forms[1], ways[1], &err));
    StoreItem *w = (StoreItem *)store_find(p.large.store, "block.1.mlp.up.weight");
    w->at[3] += 0.01f;
    EXPECT(distance(&p) > 1e-5);
    pair_close(&p);
}

TEST(copies_of_the_stream_are_read_with_different_weights)
{
    Pair p;
    Err err = { 0 };
    EXPECT(pair_open(&p, forms[1], ways[1], &err));
    const StoreItem *w = store_find(p.large.store, "block.0.attn.qkv.weight");
    ptrdiff_t half = w->dim[1] / 2;
    int alike = 0;
    for (ptrdiff_t i = 0; i < half; i++) alike += w->at[i] == w->at[half + i];
    EXPECT(alike == 0);
    pair_close(&p);
}

TEST(old_blocks_stand_where_windows_and_value_embeddings_stay)
{
    Arena a = arena_reserve(1 << 20);
    Err err = { 0 };
    Model m, big;
    Growth g;
    EXPECT(form_of((const char *const[SETS]){ "window=SSL", "window_size=2", "depth=4" }, &a, &m));
    big = m; // ssLL among ssLssLsL
    big.depth = 8;
    EXPECT_MSG(grow_plan(&m, &big, &g, &a, &err), "%s", err.msg);
    int want[4] = { 0 }, n = 0;
    for (int l = 0; l < 8; l++)
        if (g.origin[l] >= 0 && n < 4) want[n++] = l;
    EXPECT_MSG(n == 4 && want[0] == 0 && want[1] == 3 && want[2] == 5 && want[3] == 7,
               "%d blocks: %d %d %d %d", n, want[0], want[1], want[2], want[3]);
    arena_release(&a);
}

TEST(where_there_is_no_such_beginning_the_knob_in_the_way_is_named)
{
    static const struct {
        const char *set[SETS], *want;
    } table[] = {
        { { "width=24", "heads=6" }, "model.width = 24 is no multiple of the parent's 16" },
        { { "width=32" }, "model.head_size = 4" },
        { { "depth=1" }, "4 blocks find no places" },
        { { "mlp=relu2" }, "model.mlp differs" },
        { { "kv_heads=2" }, "key heads" },
        { { "mlp_ratio=1" }, "model.mlp_ratio" },
        { { "context=4" }, "model.context = 4 is below" },
        { { "softcap=3" }, "model.softcap" },
        { { "tied=false" }, "model.tied" },
    };
    for (int i = 0; i < (int)COUNT(table); i++) {
        Arena a = arena_reserve(1 << 20);
        Err err = { 0 };
        Model m, other;
        Growth g;
        EXPECT(form_of((const char *const[SETS]){ "depth=4" }, &a, &m));
        EXPECT(form_of(table[i].set, &a, &other));
        if (i != 2) other.depth = m.depth;
        EXPECT_MSG(!grow_plan(&m, &other, &g, &a, &err) && strstr(err.msg, table[i].want), "%d: %s",
                   i, err.msg);
        arena_release(&a);
    }
}
