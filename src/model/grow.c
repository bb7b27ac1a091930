/* grow.c - a larger model that computes what a smaller one computes.
 *
 * Net2Net (Chen et al. 2016, arXiv:1511.05641) repeats units and shares out what reads them.
 * Norms, which it did not have, decide what may be done to the residual stream of width C: over a
 * stream that is repeated whole, mean and mean square are what they were, over one that is
 * padded or partly repeated they are not (Gong et al. 2019 and Shen et al. 2022, arXiv:2203.06211,
 * met the same).  So the stream (x) becomes (x, x, ..): who writes to it writes each copy, who
 * reads it reads each copy with a part of its weights.
 *
 * The parts differ from copy to copy by draws that sum to zero.  With equal parts all copies
 * would have the same gradient for ever, and the model would be no wider than before.
 *
 * Inside a block nothing is normed across heads or neurons (norms of queries and keys are within
 * a head), so heads and neurons are simply added, with the weights they would have had in a new
 * model, and with zeros where they write to the stream.  An added block is one whose two outputs
 * are zero.  It is put where window and value embeddings of the old blocks stay as they are, as
 * evenly as that allows.
 *
 * Rejected: heads that grow (rotation angles depend on the head size); widths that are no multiple
 * (there is no such stream); approximate beginnings followed by healing steps (what was lost
 * could not be told from what training did). */
#include "model/grow.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rand.h"
#include "base/str.h"

/* ---- whether there is such a beginning */

typedef struct Same {
    const char *knob;
    double from, to;
} Same;

static bool all_same(const Model *a, const Model *b, Err *err)
{
    const Same list[] = {
        { "model.norm", a->norm, b->norm },
        { "model.position", a->position, b->position },
        { "model.mlp", a->mlp, b->mlp },
        { "model.norm_gain", a->norm_gain, b->norm_gain },
        { "model.embed_norm", a->embed_norm, b->embed_norm },
        { "model.qk_norm", a->qk_norm, b->qk_norm },
        { "model.qk_gain", a->qk_norm ? (double)a->qk_gain : 0,
          b->qk_norm ? (double)b->qk_gain : 0 },
        { "model.tied", a->tied, b->tied },
        { "model.bias", a->bias, b->bias },
        { "model.value_embed", a->value_embed, b->value_embed },
        { "model.value_gate", a->value_embed ? (double)a->value_gate : 0,
          b->value_embed ? (double)b->value_gate : 0 },
        { "model.layer_scalars", a->layer_scalars, b->layer_scalars },
        { "model.attn_scale", (double)a->attn_scale, (double)b->attn_scale },
        { "model.softcap", (double)a->softcap, (double)b->softcap },
        { "model.rope_base", (double)a->rope_base, (double)b->rope_base },
        { "model.rope_fraction", a->rotary, b->rotary },
    };
    for (int i = 0; i < COUNT(list); i++)
        if (list[i].from != list[i].to)
            return err_set(err, ERR_CONFIG,
                           "%s differs from the parent's, and a model of another form cannot begin "
                           "as the same function: keep it, or begin with parent.start = \"none\"",
                           list[i].knob);
    return true;
}

static bool sizes_fit(const Model *a, const Model *b, Err *err)
{
    if (a->vocab != b->vocab)
        return err_set(err, ERR_CONFIG,
                       "the parent has %d tokens and this recipe %d: growing needs the parent's "
                       "tokenizer",
                       a->vocab, b->vocab);
    if (b->width % a->width != 0)
        return err_set(err, ERR_CONFIG,
                       "model.width = %d is no multiple of the parent's %d: only a stream that is "
                       "repeated whole keeps its norms; take %d",
                       b->width, a->width, MAX(1, (b->width + a->width / 2) / a->width) * a->width);
    if (b->head_size != a->head_size)
        return err_set(err, ERR_CONFIG,
                       "heads have size %d here and %d in the parent: set model.head_size = %d, or "
                       "model.heads so that it comes out",
                       b->head_size, a->head_size, a->head_size);
    if (b->kv_heads < a->kv_heads || b->heads * a->kv_heads != a->heads * b->kv_heads)
        return err_set(err, ERR_CONFIG,
                       "%d query heads share %d key heads here, %d share %d in the parent: keep as "
                       "many to one, and no fewer of them",
                       b->heads, b->kv_heads, a->heads, a->kv_heads);
    if (b->hidden < a->hidden)
        return err_set(err, ERR_CONFIG,
                       "the MLP has %d neurons here and %d in the parent: raise model.mlp_ratio",
                       b->hidden, a->hidden);
    if (b->context < a->context)
        return err_set(err, ERR_CONFIG, "model.context = %d is below the parent's %d: raise it",
                       b->context, a->context);
    return true;
}

/* A tied table cannot be repeated as input and shared out as output; the norm in front of the head
 * can make up for it, where it has a gain. */
static bool logits_keep(const Growth *g, Err *err)
{
    if (g->after == 1 || !g->to->tied || g->to->norm_gain) return true;
    return err_set(
        err, ERR_CONFIG,
        "a wider model with model.tied = true and without model.norm_gain would have "
        "logits %g times too large: grow in depth only, or train a parent that is not tied",
        1 / g->after);
}

/* Can block l of `to` begin as block p of `from`? */
static bool alike(const Growth *g, int p, int l)
{
    return model_window(g->from, p) == model_window(g->to, l) &&
           model_has_values(g->from, p) == model_has_values(g->to, l);
}

/* Each old block gets a place, in order, as near as can be to an even spread: cost[p][l] is the
 * least sum of squared distances when block p stands at l. */
static bool place_blocks(Growth *g, Arena *home, Err *err)
{
    int P = g->from->depth, L = g->to->depth;
    g->origin = NEW(home, int, L);
    double *cost = NEW(home, double, (ptrdiff_t)P *L);
    int *before = NEW(home, int, (ptrdiff_t)P *L);
    for (int p = 0; p < P; p++) {
        double even = P > 1 ? (double)p * (L - 1) / (P - 1) : L - 1, least = p > 0 ? HUGE_VAL : 0;
        int at = -1;
        for (int l = 0; l < L; l++) {
            if (p > 0 && l > 0 && cost[(p - 1) * L + l - 1] < least)
                least = cost[(p - 1) * L + l - 1], at = l - 1;
            cost[p * L + l] = alike(g, p, l) ? least + (l - even) * (l - even) : HUGE_VAL;
            before[p * L + l] = at;
        }
    }
    int best = 0;
    for (int l = 0; l < L; l++) {
        g->origin[l] = -1;
        if (cost[(P - 1) * L + l] < cost[(P - 1) * L + best]) best = l;
    }
    if (!isfinite(cost[(P - 1) * L + best]))
        return err_set(err, ERR_CONFIG,
                       "the parent's %d blocks find no places among %d with the same windows and "
                       "value embeddings: change model.depth, model.window or model.window_size",
                       P, L);
    for (int p = P - 1, l = best; p >= 0; l = before[p * L + l], p--) g->origin[l] = p;
    return true;
}

bool grow_plan(const Model *from, const Model *to, Growth *out, Arena *home, Err *err)
{
    *out = (Growth){ .from = from, .to = to };
    if (!sizes_fit(from, to, err) || !all_same(from, to, err)) return false;
    out->copies = to->width / from->width;
    out->after = to->width_ratio / (from->width_ratio * out->copies);
    return logits_keep(out, err) && place_blocks(out, home, err);
}

/* ---- weights */

/* What an index along one side of a weight means. */
typedef enum Side {
    SAME,   /* the same in both models; what only the larger has keeps its draws */
    WRITES, /* a channel of the stream, written: each copy alike */
    READS,  /* a channel of the stream, read: each copy with a part */
    INSIDE, /* heads or neurons, perhaps in pieces; what is added keeps its draws */
    SILENT, /* heads or neurons, read; what is added is zero */
} Side;

typedef struct Form {
    const char *ends; /* of the name */
    Side row, col;    /* a vector has rows only */
} Form;

static const Form forms[] = {
    { "embed.weight", SAME, WRITES },   { "position.weight", SAME, WRITES },
    { "head.weight", SAME, READS },     { "qkv.weight", INSIDE, READS },
    { "attn.q.weight", INSIDE, READS }, { "kv.weight", INSIDE, READS },
    { "qkv.bias", INSIDE, SAME },       { "attn.q.bias", INSIDE, SAME },
    { "kv.bias", INSIDE, SAME },        { "proj.weight", WRITES, SILENT },
    { "value.weight", SAME, INSIDE },   { "value_gate.weight", INSIDE, SILENT },
    { "up.weight", INSIDE, READS },     { "up.bias", INSIDE, SAME },
    { "down.weight", WRITES, SILENT },  { "proj.bias", WRITES, SAME },
    { "down.bias", WRITES, SAME },      { ".gain", WRITES, SAME },
    { "norm1.bias", WRITES, SAME },     { "norm2.bias", WRITES, SAME },
    { "norm.bias", WRITES, SAME },      { "resid_scale", SAME, SAME },
    { "skip_scale", SAME, SAME },
};

static const Form *form_of(const char *name)
{
    for (int i = 0; i < COUNT(forms); i++)
        if (str_ends(str_of(name), str_of(forms[i].ends))) return &forms[i];
    CHECK(false, "%s: grow.c does not know how it grows", name);
    return NULL;
}

/* One side of a weight: n_old and n_new long, in so many pieces. */
typedef struct Map {
    Side side;
    ptrdiff_t n_old, n_new;
    int pieces;
} Map;

/* The old index that `i` stems from, or -1. */
static ptrdiff_t origin_of(const Map *m, ptrdiff_t i)
{
    if (m->side == WRITES || m->side == READS) return i % m->n_old;
    ptrdiff_t each_old = m->n_old / m->pieces, each_new = m->n_new / m->pieces;
    ptrdiff_t inside = i % each_new;
    return inside < each_old ? i / each_new * each_old + inside : -1;
}

typedef struct Filling {
    const StoreItem *old, *new;
    Map row, col;
    int copies;
    double scale; /* of what reads the stream, or is the last norm's */
    uint64_t seed, stream;
} Filling;

/* The share of copy j in a weight that reads the stream.  Shares of all copies sum to one: half of
 * each is the same for all, and what is drawn for one is taken from the next. */
static double share(const Filling *f, ptrdiff_t row, ptrdiff_t col)
{
    ptrdiff_t base = col % f->col.n_old, copy = col / f->col.n_old;
    uint64_t at = (uint64_t)((row * f->col.n_old + base) * f->copies);
    double own = rand_uniform_at(f->seed, f->stream, at + (uint64_t)copy);
    double next = rand_uniform_at(f->seed, f->stream, at + (uint64_t)((copy + 1) % f->copies));
    return (1 + 0.5 * (own - next)) / f->copies;
}

static float value_at(const Filling *f, ptrdiff_t row, ptrdiff_t col, float drawn)
{
    ptrdiff_t r = origin_of(&f->row, row), c = origin_of(&f->col, col);
    if (c < 0 && f->col.side == SILENT) return 0;
    if (r < 0 || c < 0) return drawn;
    double part = f->col.side == READS && f->copies > 1 ? share(f, row, col) : 1;
    return (float)(f->scale * part * (double)f->old->at[r * f->col.n_old + c]);
}

static void fill(const Filling *f)
{
    for (ptrdiff_t i = 0; i < f->row.n_new; i++)
        for (ptrdiff_t j = 0; j < f->col.n_new; j++) {
            float *at = &f->new->at[i * f->col.n_new + j];
            *at = value_at(f, i, j, *at);
        }
}

/* A block that is new: it writes nothing, and passes on what it gets. */
static void fill_new(const StoreItem *item)
{
    Str name = str_of(item->name);
    bool silent = str_ends(name, STR("attn.proj.weight")) ||
                  str_ends(name, STR("mlp.down.weight")) || str_ends(name, STR("skip_scale"));
    bool one = str_ends(name, STR("resid_scale"));
    for (ptrdiff_t i = 0; i < item->count && (silent || one); i++) item->at[i] = one ? 1 : 0;
}

/* Of "block.L.rest" the name in the old model; false: the block is new. */
static bool old_name(const Growth *g, const char *name, char *out, size_t cap)
{
    int l = 0, used = 0;
    if (sscanf(name, "block.%d%n", &l, &used) != 1) return snprintf(out, cap, "%s", name) > 0;
    if (g->origin[l] < 0) return false;
    return snprintf(out, cap, "block.%d%s", g->origin[l], name + used) > 0;
}

static Map map_of(Side side, ptrdiff_t n_old, ptrdiff_t n_new, int pieces)
{
    return (Map){ side, n_old, n_new, side == INSIDE ? pieces : 1 };
}

/* Pieces that stand below one another: queries, keys, values; gate and up. */
static int pieces_of(const Growth *g, const char *name)
{
    if (strstr(name, ".qkv.")) return 3;
    if (strstr(name, ".kv.")) return 2;
    return strstr(name, ".up.") && g->to->mlp == MODEL_SWIGLU ? 2 : 1;
}

static double scale_of(const Growth *g, const char *name)
{
    bool head = !strcmp(name, "head.weight");
    bool last = g->to->tied && (!strcmp(name, "norm.gain") || !strcmp(name, "norm.bias"));
    return head ? g->after * g->copies : last ? g->after : 1;
}

void grow_fill(const Growth *g, const Store *old, const Store *new, uint64_t seed)
{
    for (int i = 0; i < store_count(new); i++) {
        const StoreItem *item = store_item(new, i);
        char name[256];
        if (item->life != LIFE_PARAM) continue;
        if (!old_name(g, item->name, name, sizeof(name))) {
            fill_new(item);
            continue;
        }
        const StoreItem *from = store_find(old, name);
        const Form *form = form_of(item->name);
        CHECK(from && from->at && item->at, "%s: the parent has no fp32 weight of that name", name);
        Filling f = { .old = from,
                      .new = item,
                      .row = map_of(form->row, from->dim[0], item->dim[0], pieces_of(g, name)),
                      .col = map_of(form->col, item->rank > 1 ? from->dim[1] : 1,
                                    item->rank > 1 ? item->dim[1] : 1, 1),
                      .copies = g->copies,
                      .scale = scale_of(g, item->name),
                      .seed = seed,
                      .stream = rand_name(item->name) ^ rand_name("grow") };
        fill(&f);
    }
}
