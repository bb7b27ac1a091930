/* dial.c - one depth, a whole recipe: nanochat's rules (github.com/karpathy/nanochat, gpt.py and
 * scripts/base_train.py), tuned there at depth 12 and carried to other depths.
 *
 *     width    64 depth, rounded up to whole heads of 128
 *     tokens   D = 12 (weights in products, the head among them)
 *     batch    B = 2^19 (D / D_12)^0.383 tokens, to the nearest power of 2  (Power Lines,
 *              Bergsma et al. 2025, arXiv:2505.13738)
 *     rates    times sqrt(B / 2^19); AdamW's also times sqrt(768 / width); Muon's not: its update
 *              has one spectral size at every width
 *     decay    0.28 sqrt(B / 2^19) D_12 / D, which keeps the memory of the weights, counted in
 *              epochs, the same (Wang and Aitchison 2024, arXiv:2405.13698)
 *
 * and the form of the model that goes with them.  D_12 is D of depth 12 with the same vocabulary.
 * Context, vocabulary and data are the lab's own, and explicit knobs win over the dial, including
 * where it computes from them: a given width gives other heads, tokens and rates.
 *
 * What differs from nanochat, because a recipe of ours has one knob where it has several: all
 * embeddings share a rate, all scalars share that of its residual scalars, AdamW has one pair of
 * betas, and Muon's momentum is not lowered again at the end.  Far below depth 12 the rules are
 * an extrapolation; `lathe research` begins where they end. */
#include "train/dial.h"

#include <math.h>
#include <string.h>

#include "model/model.h"
#include "optim/optim.h"

const Knob dial_knobs[] = {
    { .name = "depth",
      .type = KNOB_WHOLE,
      .max = 128,
      .unit = "blocks",
      .doc = "sets the form, size, batch, rates and length of a run by nanochat's rules, but for "
             "knobs that are given; 0: nothing",
      .fixed = true },
    { .name = NULL },
};

/* A knob that the dial governs, at x or, with the dial off, at its fallback. */
static void put(KnobSet *k, bool on, const char *name, double x)
{
    int i = knobs_find(k, name);
    CHECK(i >= 0, "no knob is called %s", name);
    const Knob *knob = k->knob[i];
    if (k->given[i]) return;
    k->value[i] = on ? MIN(MAX(x, knob->min), knob->max) : knob->fallback;
}

static void put_word(KnobSet *k, bool on, const char *name, const char *word)
{
    const char *const *choice = k->knob[knobs_find(k, name)]->choices;
    int c = 0;
    while (choice[c] && strcmp(choice[c], word) != 0) c++;
    CHECK(choice[c], "%s cannot be %s", name, word);
    put(k, on, name, c);
}

static void put_size(KnobSet *k, bool on, double depth)
{
    enum { ASPECT = 64, HEAD = 128 };
    put(k, on, "model.depth", depth);
    put(k, on, "model.head_size", HEAD);
    double head = on ? MAX(1, (double)knobs_whole(k, "model.head_size")) : HEAD;
    put(k, on, "model.width", ceil(depth * ASPECT / head) * head);
    put(k, on, "model.heads", floor((double)knobs_whole(k, "model.width") / head));
}

static void put_form(KnobSet *k, bool on)
{
    put_word(k, on, "model.norm", "rmsnorm");
    put_word(k, on, "model.position", "rope");
    put_word(k, on, "model.mlp", "relu2");
    put_word(k, on, "model.window", "SSSL");
    put_word(k, on, "model.init", "fan_in");
    put_word(k, on, "model.proj_init", "zero");
    static const struct {
        const char *name;
        double x;
    } rest[] = {
        { "model.norm_gain", 0 },     { "model.rope_base", 1e5 }, { "model.qk_norm", 1 },
        { "model.qk_gain", 1.2 },     { "model.value_embed", 1 }, { "model.layer_scalars", 1 },
        { "model.resid_init", 1.15 }, { "model.skip_init", 0.2 }, { "model.tied", 0 },
        { "model.softcap", 15 },      { "model.bias", 0 },        { "model.embed_norm", 1 },
        { "model.init_gain", 1 },     { "model.up_init", 0.4 },   { "model.embed_std", 0.8 },
        { "model.head_std", 0.001 },
    };
    for (int i = 0; i < (int)COUNT(rest); i++) put(k, on, rest[i].name, rest[i].x);
}

/* D, and D of depth 12; 0 where the knobs make no model. */
static double tokens_wanted(const KnobSet *k, double *at_12)
{
    Model m;
    Err err = { 0 };
    int vocab = (int)knobs_whole(k, "tokenizer.vocab");
    if (strcmp(knobs_choice(k, "tokenizer.kind"), "bytes") == 0) vocab = 257;
    if (!model_of(k, vocab, &m, &err)) return 0;
    Model ref = m;
    ref.depth = 12, ref.width = 768, ref.heads = ref.kv_heads = 6, ref.head_size = 128;
    ref.hidden = (int)((double)m.hidden / m.width * 768 + 0.5);
    *at_12 = 12 * (double)model_matrices(&ref);
    return 12 * (double)model_matrices(&m);
}

static void put_budget(KnobSet *k, bool on, double tokens, double batch)
{
    double rows = MAX(1, floor(batch / (double)knobs_whole(k, "model.context")));
    put_word(k, on, "budget.frame", "tokens");
    put(k, on, "budget.tokens", tokens);
    put(k, on, "train.batch", MIN(rows, 16));
    put(k, on, "train.accumulate", MAX(1, floor(rows / (double)knobs_whole(k, "train.batch"))));
    put_word(k, on, "schedule.name", "wsd");
    put(k, on, "schedule.warmup", MIN(0.1, 40 * batch / MAX(tokens, 1)));
    put(k, on, "schedule.decay", 0.65);
    put(k, on, "schedule.final", 0.05);
    put_word(k, on, "data.packing", "bestfit");
}

/* scale: sqrt(B / 2^19); adam: that of AdamW's rates; decay: of Muon's matrices. */
static void put_rates(KnobSet *k, bool on, double scale, double adam, double decay)
{
    put_word(k, on, "optim.name", "muon");
    put_word(k, on, "optim.muon.polynomial", "polar");
    const struct {
        const char *name;
        double x;
    } rest[] = {
        { "optim.lr", 0.008 * adam },
        { "optim.embed_mult", 0.3 / 0.008 },
        { "optim.head_mult", 1 },
        { "optim.vector_mult", 0.005 * scale / (0.008 * MAX(adam, 1e-9)) },
        { "optim.beta1", 0.8 },
        { "optim.beta2", 0.96 },
        { "optim.eps", 1e-10 },
        { "optim.decay", 0.01 },
        { "optim.clip", 0 },
        { "optim.cautious", 1 },
        { "optim.muon.lr", 0.02 * scale },
        { "optim.muon.momentum", 0.97 },
        { "optim.muon.momentum_warmup", 400 },
        { "optim.muon.equilibrate", 1 },
        { "optim.muon.renorm", 1 },
        { "optim.muon.variance", 0.9 },
        { "optim.muon.decay", decay },
    };
    for (int i = 0; i < (int)COUNT(rest); i++) put(k, on, rest[i].name, rest[i].x);
}

void dial_turn(KnobSet *k)
{
    const double full = 524288; /* B of depth 12 */
    double depth = (double)knobs_whole(k, "depth"), at_12 = 1, batch = full;
    bool on = depth > 0;
    put_size(k, on, depth);
    put_form(k, on);
    double tokens = on ? tokens_wanted(k, &at_12) : 0;
    if (tokens > 0) batch = full * exp2(round(0.383 * log2(tokens / at_12)));
    double scale = sqrt(batch / full);
    put_budget(k, on, tokens, batch);
    put_rates(k, on, scale, scale * sqrt(768 / (double)knobs_whole(k, "model.width")),
              tokens > 0 ? 0.28 * scale * at_12 / tokens : 0);
}
