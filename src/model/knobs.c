/* knobs.c - the form of a model, declared once.
 *
 * The fallbacks are GPT-2's own form (Radford et al. 2019: learned positions,
 * LayerNorm with bias, GELU in its tanh form, a tied head, N(0, 0.02) weights with
 * residual projections scaled by 1/sqrt(2 L)) at a size that two cores train in a
 * minute.  It is the fair old baseline from which research starts: the newer parts
 * (RoPE, RMSNorm, ReLU^2, QK-norm, untied zero-initialised heads...) are one knob
 * each, so that an experiment changes one of them.
 *
 * Widths are not searched as "heads x head size": a person says width and heads,
 * and a relation that does not hold is refused by name in model_of(). */
#include "model/model.h"

#include <string.h>

static const char *const norms[] = { "rmsnorm", "layernorm", NULL };
static const char *const positions[] = { "rope", "learned", NULL };
static const char *const mlps[] = { "gelu", "relu2", "swiglu", NULL };
static const char *const inits[] = { "gpt2", "fan_in", NULL };
static const char *const projs[] = { "scaled", "zero", "plain", NULL };
static const char *const windows[] = { "L", "SL", "SSL", "SSSL", "SSSSSL", NULL };
static const char *const scalings[] = { "standard", "mup", NULL };

#define WHOLE(n, f, lo, hi, ...)                                                                   \
    {                                                                                              \
        .name = "model." n, .type = KNOB_WHOLE, .fallback = (f), .min = (lo), .max = (hi),         \
        __VA_ARGS__                                                                                \
    }
#define NUMBER(n, f, lo, hi, ...)                                                                  \
    {                                                                                              \
        .name = "model." n, .type = KNOB_NUMBER, .fallback = (f), .min = (lo), .max = (hi),        \
        __VA_ARGS__                                                                                \
    }
#define FLAG(n, f, ...)                                                                            \
    {                                                                                              \
        .name = "model." n, .type = KNOB_FLAG, .fallback = (f), .min = 0, .max = 1, __VA_ARGS__    \
    }
#define CHOICE(n, list, f, ...)                                                                    \
    {                                                                                              \
        .name = "model." n, .type = KNOB_CHOICE, .fallback = (f), .min = 0,                        \
        .max = (double)(COUNT(list) - 2), .choices = (list), __VA_ARGS__                           \
    }

const Knob model_knobs[] = {
    WHOLE("depth", 4, 1, 256, .scale = SCALE_LOG, .unit = "blocks",
          .doc = "blocks of attention and MLP, L"),
    WHOLE("width", 96, 8, 32768, .scale = SCALE_LOG, .unit = "channels",
          .doc = "size of the residual stream, C"),
    WHOLE("heads", 3, 1, 256, .scale = SCALE_LOG, .unit = "heads",
          .doc = "attention heads, H; they divide the width unless head_size is given"),
    WHOLE("kv_heads", 0, 0, 256, .scale = SCALE_LINEAR, .unit = "heads",
          .doc = "heads of keys and values, K, shared by H/K query heads each (GQA, Ainslie et al. "
                 "2023); 0: as many as heads"),
    WHOLE("head_size", 0, 0, 1024, .scale = SCALE_LINEAR, .unit = "channels",
          .doc = "channels of one head, D; 0: width / heads", .fixed = true),
    WHOLE("context", 128, 2, 1048576, .scale = SCALE_LOG, .unit = "tokens",
          .doc = "longest text the model sees at once, T"),
    CHOICE("norm", norms, MODEL_LAYERNORM,
           .doc = "before attention, before the MLP and at the end: rmsnorm x / rms(x) (Zhang and "
                  "Sennrich 2019) or layernorm"),
    FLAG("norm_gain", 1, .doc = "norms have a learned gain per channel"),
    CHOICE("position", positions, MODEL_LEARNED,
           .doc =
               "rope rotates queries and keys by their position (Su et al. 2021), learned adds a "
               "table to the embedding (GPT-2)"),
    NUMBER("rope_base", 10000, 10, 1e8, .scale = SCALE_LOG, .only = "model.position=rope",
           .doc = "the slowest rotation has a wavelength of about 2 pi times this many positions"),
    NUMBER("rope_fraction", 1, 0.05, 1, .scale = SCALE_LINEAR, .only = "model.position=rope",
           .doc = "share of each head that is rotated"),
    FLAG("qk_norm", 0,
         .doc = "queries and keys are divided by their rms per head (Henry et al. 2020), so that "
                "attention logits cannot grow"),
    NUMBER("attn_scale", 1, 0.1, 10, .scale = SCALE_LOG,
           .doc = "attention logits are this times q.k / sqrt(D)"),
    NUMBER("qk_gain", 1, 0.1, 10, .scale = SCALE_LOG, .only = "model.qk_norm=true",
           .doc = "queries and keys are this times their normed selves, which sharpens attention "
                  "(nanochat: 1.2)"),
    CHOICE("window", windows, 0,
           .doc =
               "which blocks see all (L) and which the last window_size tokens (S), in turn; the "
               "last block is L (nanochat: SSSL; Gemma 3: SSSSSL)"),
    WHOLE("window_size", 0, 0, 1048576, .scale = SCALE_LINEAR, .unit = "tokens",
          .doc = "what an S sees, itself included; 0: a quarter of the context"),
    FLAG("value_embed", 0,
         .doc = "every second block, the last one among them, adds a gated embedding of the token "
                "to its values (modded-nanogpt; after Zhou et al. 2024)"),
    NUMBER("value_gate", 3, 0.1, 10, .scale = SCALE_LOG, .only = "model.value_embed=true",
           .doc = "where the gate on a value embedding is fully open; it begins at half of it"),
    FLAG("layer_scalars", 0,
         .doc = "each block reads a x + b x0, x0 the embedded token, a and b learned numbers "
                "(modded-nanogpt, nanochat)"),
    NUMBER("resid_init", 1.15, 0, 4, .scale = SCALE_LINEAR, .only = "model.layer_scalars=true",
           .doc = "a of the first block at the beginning; towards the last block a third of the "
                  "way from 1 is left (nanochat's)"),
    NUMBER("skip_init", 0.2, 0, 4, .scale = SCALE_LINEAR, .only = "model.layer_scalars=true",
           .doc = "b of the first block at the beginning; towards the last block a quarter of it "
                  "is left (nanochat's)"),
    NUMBER("dropout", 0, 0, 0.9, .scale = SCALE_LINEAR,
           .doc = "share of the embedding and of each block's contributions that is dropped in "
                  "training (Srivastava et al. 2014); 0: none"),
    CHOICE("mlp", mlps, MODEL_GELU,
           .doc = "gelu (tanh form), relu2 max(x, 0)^2 (So et al. 2021), swiglu silu(gate) * up "
                  "(Shazeer 2020; two thirds as wide, so that sizes compare)"),
    NUMBER("mlp_ratio", 4, 0.25, 16, .scale = SCALE_LOG, .unit = "x width",
           .doc = "inner width of the MLP"),
    FLAG("tied", 1, .doc = "the head is the embedding table"),
    NUMBER("softcap", 0, 0, 100, .scale = SCALE_LOG,
           .doc = "logits become cap tanh(x / cap) (Gemma 2, 2024); 0: as they are"),
    NUMBER("z_loss", 0, 0, 1, .scale = SCALE_LOG,
           .doc = "times the square of log sum e^logit is added to the loss, so that logits do not "
                  "drift (PaLM: 1e-4); 0: none"),
    FLAG("bias", 1, .doc = "products and layernorms have a bias"),
    FLAG("embed_norm", 0, .doc = "a norm right behind the embedding"),
    FLAG("doc_mask", 0,
         .doc =
             "attention does not look past the start of a document that shares a row with others"),
    CHOICE(
        "init", inits, MODEL_INIT_GPT2,
        .doc =
            "gpt2: every weight N(0, init_std); fan_in: products N(0, init_gain / sqrt(fan in)), "
            "embedding N(0, 1)"),
    NUMBER("init_std", 0.02, 0.001, 1, .scale = SCALE_LOG, .only = "model.init=gpt2",
           .doc = "standard deviation of initial weights"),
    NUMBER("init_gain", 0.57, 0.01, 10, .scale = SCALE_LOG, .only = "model.init=fan_in",
           .doc = "times 1 / sqrt(fan in)"),
    NUMBER("up_init", 1, 0, 10, .scale = SCALE_LOG,
           .doc = "the MLP's first product begins this times as large as other products (nanochat, "
                  "for relu2: 0.4)"),
    NUMBER("embed_std", 0, 0, 4, .scale = SCALE_LOG,
           .doc = "of the initial embedding; 0: what init says"),
    NUMBER("head_std", 0, 0, 1, .scale = SCALE_LOG, .only = "model.tied=false",
           .doc = "of the initial head; 0: what init says"),
    CHOICE("proj_init", projs, MODEL_PROJ_SCALED,
           .doc =
               "initial output projections of attention and MLP: scaled by 1 / sqrt(2 L) (GPT-2), "
               "zero (each block begins as the identity), or plain"),
    CHOICE(
        "scaling", scalings, 0,
        .doc =
            "standard, or mup (Yang et al. 2022): rates found at width mup_base are good at "
            "every width, because initial weights, elementwise rates of matrices and logits scale "
            "with width; heads grow in number; orthogonalised updates (muon) keep their rate",
        .fixed = true),
    WHOLE("mup_base", 64, 0, 32768, .scale = SCALE_LINEAR, .unit = "channels",
          .only = "model.scaling=mup",
          .doc = "width at which the rates were tuned; 0: the model's own", .fixed = true),
    { .name = NULL },
};

/* The lists above stand in the order of the enums. */
static int choice(const KnobSet *k, const char *name)
{
    return (int)k->value[knobs_find(k, name)];
}

static bool relate_heads(const KnobSet *k, Model *m, Err *err)
{
    if (m->kv_heads == 0) m->kv_heads = m->heads;
    if (m->heads % m->kv_heads != 0)
        return err_set(err, ERR_CONFIG,
                       "model.kv_heads = %d does not divide model.heads = %d: take a divisor of it",
                       m->kv_heads, m->heads);
    if (m->head_size == 0) {
        if (m->width % m->heads != 0)
            return err_set(err, ERR_CONFIG,
                           "model.heads = %d does not divide model.width = %d: change one of them, "
                           "or give model.head_size",
                           m->heads, m->width);
        m->head_size = m->width / m->heads;
    }
    if (m->position != MODEL_ROPE) return true;
    m->rotary = 2 * (int)(knobs_number(k, "model.rope_fraction") * m->head_size / 2);
    if (m->head_size % 2 != 0)
        return err_set(err, ERR_CONFIG,
                       "rope rotates pairs, and the head size is %d: choose model.width and "
                       "model.heads so that it is even",
                       m->head_size);
    if (m->rotary < 2) m->rotary = 2;
    return true;
}

/* Rounded to 8, so that vector code meets no short rows. */
static int inner_width(const Model *m, double ratio)
{
    double f = ratio * m->width * (m->mlp == MODEL_SWIGLU ? 2.0 / 3.0 : 1.0);
    int rounded = 8 * (int)(f / 8 + 0.5);
    return MAX(rounded, 8);
}

static void read_init(const KnobSet *k, Model *m)
{
    m->init = (ModelInit)choice(k, "model.init");
    m->proj = (ModelProj)choice(k, "model.proj_init");
    m->init_std = knobs_number(k, "model.init_std");
    m->init_gain = knobs_number(k, "model.init_gain");
    m->embed_std = knobs_number(k, "model.embed_std");
    m->head_std = knobs_number(k, "model.head_std");
    m->up_init = knobs_number(k, "model.up_init");
    m->resid_init = knobs_number(k, "model.resid_init");
    m->skip_init = knobs_number(k, "model.skip_init");
    bool mup = choice(k, "model.scaling") != 0;
    int64_t base = knobs_whole(k, "model.mup_base");
    m->width_ratio = mup && base > 0 ? (double)m->width / (double)base : 1;
}

static void read_attention(const KnobSet *k, Model *m)
{
    m->qk_norm = knobs_flag(k, "model.qk_norm");
    m->rope_base = (float)knobs_number(k, "model.rope_base");
    m->attn_scale = (float)knobs_number(k, "model.attn_scale");
    m->qk_gain = (float)knobs_number(k, "model.qk_gain");
    m->pattern = knobs_choice(k, "model.window");
    m->window = (int)knobs_whole(k, "model.window_size");
    if (m->window == 0) m->window = (m->context + 3) / 4;
    m->value_embed = knobs_flag(k, "model.value_embed");
    m->value_gate = (float)knobs_number(k, "model.value_gate");
    m->layer_scalars = knobs_flag(k, "model.layer_scalars");
}

int model_window(const Model *m, int l)
{
    bool all = l == m->depth - 1 || m->pattern[(size_t)l % strlen(m->pattern)] == 'L';
    return all || m->window >= m->context ? 0 : m->window;
}

bool model_has_values(const Model *m, int l)
{
    return m->value_embed && l % 2 == (m->depth - 1) % 2;
}

bool model_of(const KnobSet *k, int vocab, Model *out, Err *err)
{
    Model m = {
        .vocab = vocab,
        .depth = (int)knobs_whole(k, "model.depth"),
        .width = (int)knobs_whole(k, "model.width"),
        .heads = (int)knobs_whole(k, "model.heads"),
        .kv_heads = (int)knobs_whole(k, "model.kv_heads"),
        .head_size = (int)knobs_whole(k, "model.head_size"),
        .context = (int)knobs_whole(k, "model.context"),
        .norm = (ModelNorm)choice(k, "model.norm"),
        .position = (ModelPosition)choice(k, "model.position"),
        .mlp = (ModelMlp)choice(k, "model.mlp"),
        .norm_gain = knobs_flag(k, "model.norm_gain"),
        .embed_norm = knobs_flag(k, "model.embed_norm"),
        .tied = knobs_flag(k, "model.tied"),
        .bias = knobs_flag(k, "model.bias"),
        .doc_mask = knobs_flag(k, "model.doc_mask"),
        .softcap = (float)knobs_number(k, "model.softcap"),
        .z_loss = (float)knobs_number(k, "model.z_loss"),
        .dropout = (float)knobs_number(k, "model.dropout"),
    };
    m.hidden = inner_width(&m, knobs_number(k, "model.mlp_ratio"));
    read_init(k, &m);
    read_attention(k, &m);
    if (!relate_heads(k, &m, err)) return false;
    *out = m;
    return true;
}
