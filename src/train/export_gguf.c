/* export_gguf.c - a model as one GGUF file, for llama.cpp and what is built on it.
 *
 * llama.cpp computes the architectures that it knows.  Two of them are ours: `gpt2` (learned
 * positions, LayerNorm, GELU) and `llama` (RoPE, RMSNorm, SwiGLU, grouped heads).  What both forms
 * leave out is refused by the knob's name rather than dropped: a file that loads and computes
 * something else is worse than none.  What a form can say in another way is said so: a norm
 * without gain has a gain of one, a product without bias a bias of zero in gpt2; an attention
 * scale is multiplied into the queries, a muP factor into the head.
 *
 * Rows of q and k are put into ggml's order for llama, whose rotation pairs neighbours where
 * ours pairs halves.  Tokens are written in GPT-2's alphabet with their merges; a tokenizer of
 * bytes is one without merges.  Training begins each document with the end of text, so the file
 * asks for it in front of a prompt.
 *
 * Weights are fp32: quantising is llama.cpp's own trade. */
#include <stdio.h>
#include <string.h>

#include "train/export.h"
#include "train/export_ggufout.h"

/* ---- what the two forms can say ---- */

typedef struct Need {
    const char *knob;
    bool met;
} Need;

enum { NEEDS = 11 };

static int unmet(const Need *need)
{
    int n = 0;
    for (int i = 0; i < NEEDS; i++) n += !need[i].met;
    return n;
}

static bool sees_all(const Model *m)
{
    for (int l = 0; l < m->depth; l++)
        if (model_window(m, l) > 0) return false;
    return true;
}

static void needs_of_gpt2(const Model *m, Need need[NEEDS])
{
    const Need list[NEEDS] = {
        { "model.norm", m->norm == MODEL_LAYERNORM },
        { "model.position", m->position == MODEL_LEARNED },
        { "model.mlp", m->mlp == MODEL_GELU },
        { "model.kv_heads", m->kv_heads == m->heads },
        { "model.head_size", m->head_size * m->heads == m->width },
        { "model.qk_norm", !m->qk_norm },
        { "model.embed_norm", !m->embed_norm },
        { "model.softcap", m->softcap <= 0 },
        { "model.window", sees_all(m) },
        { "model.value_embed", !m->value_embed },
        { "model.layer_scalars", !m->layer_scalars },
    };
    memcpy(need, list, sizeof(list));
}

static void needs_of_llama(const Model *m, Need need[NEEDS])
{
    const Need list[NEEDS] = {
        { "model.norm", m->norm == MODEL_RMSNORM },
        { "model.position", m->position == MODEL_ROPE },
        { "model.mlp", m->mlp == MODEL_SWIGLU },
        { "model.head_size", !m->bias || m->head_size * m->heads == m->width },
        { "model.rope_fraction", m->position != MODEL_ROPE || m->rotary == m->head_size },
        { "model.qk_norm", !m->qk_norm },
        { "model.embed_norm", !m->embed_norm },
        { "model.softcap", m->softcap <= 0 },
        { "model.window", sees_all(m) },
        { "model.value_embed", !m->value_embed },
        { "model.layer_scalars", !m->layer_scalars },
    };
    memcpy(need, list, sizeof(list));
}

static bool refuse(const ExportIn *in, const Need *need, const char *form, Err *err)
{
    const KnobSet *knobs = &trained_recipe(in->trained)->knobs;
    Buf list = { 0 };
    for (int i = 0; i < NEEDS; i++) {
        char value[64];
        if (need[i].met) continue;
        knobs_print_value(knobs, knobs_find(knobs, need[i].knob), value, sizeof(value));
        buf_printf(&list, "%s%s = %s", list.len ? ", " : "", need[i].knob, value);
    }
    err_set(err, ERR_CONFIG,
            "GGUF's nearest form, %s, has no %s; train with the knobs of GPT-2's form (layernorm, "
            "learned, gelu) or Llama's (rmsnorm, rope, swiglu)",
            form, list.at);
    buf_free(&list);
    return false;
}

/* ---- values ---- */

static void put_u32(GgufOut *g, const char *form, const char *key, int value)
{
    char full[96];
    snprintf(full, sizeof(full), "%s.%s", form, key);
    ggufout_u32(g, full, (uint32_t)value);
}

static void put_f32(GgufOut *g, const char *form, const char *key, float value)
{
    char full[96];
    snprintf(full, sizeof(full), "%s.%s", form, key);
    ggufout_f32(g, full, value);
}

static void put_shape(GgufOut *g, const ExportIn *in, const char *form)
{
    const Model *m = in->model;
    enum { ALL_F32 = 0 };
    ggufout_text(g, "general.architecture", str_of(form));
    ggufout_text(g, "general.name", str_of(in->name));
    ggufout_u32(g, "general.alignment", 32);
    ggufout_u32(g, "general.file_type", ALL_F32);
    put_u32(g, form, "vocab_size", m->vocab);
    put_u32(g, form, "context_length", m->context);
    put_u32(g, form, "embedding_length", m->width);
    put_u32(g, form, "block_count", m->depth);
    put_u32(g, form, "feed_forward_length", m->hidden);
    put_u32(g, form, "attention.head_count", m->heads);
    if (m->norm == MODEL_LAYERNORM) {
        put_f32(g, form, "attention.layer_norm_epsilon", MODEL_NORM_EPS);
        return;
    }
    put_f32(g, form, "attention.layer_norm_rms_epsilon", MODEL_NORM_EPS);
    put_u32(g, form, "attention.head_count_kv", m->kv_heads);
    put_u32(g, form, "attention.key_length", m->head_size);
    put_u32(g, form, "attention.value_length", m->head_size);
    put_u32(g, form, "rope.dimension_count", m->rotary);
    put_f32(g, form, "rope.freq_base", m->rope_base);
}

/* GPT-2's alphabet: printable bytes stand for themselves, the others in order for U+0100 on. */
static void put_letters(Buf *out, Str bytes)
{
    for (ptrdiff_t i = 0; i < bytes.len; i++) {
        unsigned b = (unsigned char)bytes.at[i], c = b;
        if (b <= 32)
            c = 256 + b;
        else if (b >= 127 && b <= 160)
            c = 256 + 33 + (b - 127);
        else if (b == 173)
            c = 256 + 33 + 34;
        if (c >= 0x80) buf_char(out, (char)(0xC0 | c >> 6));
        buf_char(out, (char)(c < 0x80 ? c : 0x80 | (c & 0x3F)));
    }
}

/* The special token with this id, or NULL. */
static const TokenizerSpecial *special_of(const Tokenizer *t, int id)
{
    int n;
    const TokenizerSpecial *all = tokenizer_special(t, &n);
    for (int i = 0; i < n; i++)
        if (all[i].id == id) return &all[i];
    return NULL;
}

static void put_tokens(GgufOut *g, const Tokenizer *t)
{
    int V = tokenizer_vocab(t);
    Buf word = { 0 };
    ggufout_texts(g, "tokenizer.ggml.tokens", (uint64_t)V);
    for (int id = 0; id < V; id++) {
        const TokenizerSpecial *s = special_of(t, id);
        buf_clear(&word);
        put_letters(&word, tokenizer_bytes_of(t, id));
        if (word.len == 0) buf_printf(&word, "[unused %d]", id);
        ggufout_text_item(g, s ? s->text : buf_view(&word));
    }
    enum { NORMAL = 1, CONTROL = 3, UNUSED = 5 };
    ggufout_i32s(g, "tokenizer.ggml.token_type", (uint64_t)V);
    for (int id = 0; id < V; id++) {
        bool plain = tokenizer_bytes_of(t, id).len > 0;
        ggufout_i32_item(g, special_of(t, id) ? CONTROL : plain ? NORMAL : UNUSED);
    }
    buf_free(&word);
}

static void put_merges(GgufOut *g, const Tokenizer *t)
{
    int left, right, merges = tokenizer_merges(t);
    Buf pair = { 0 };
    ggufout_texts(g, "tokenizer.ggml.merges", (uint64_t)merges);
    for (int i = 0; i < merges && tokenizer_merge(t, i, &left, &right); i++) {
        buf_clear(&pair);
        put_letters(&pair, tokenizer_bytes_of(t, left));
        buf_char(&pair, ' ');
        put_letters(&pair, tokenizer_bytes_of(t, right));
        ggufout_text_item(g, buf_view(&pair));
    }
    buf_free(&pair);
}

static void put_tokenizer(GgufOut *g, const Tokenizer *t)
{
    uint32_t end = (uint32_t)tokenizer_end(t);
    ggufout_text(g, "tokenizer.ggml.model", STR("gpt2"));
    /* DBRX cuts words as GPT-4 does. */
    ggufout_text(g, "tokenizer.ggml.pre",
                 tokenizer_words(t) == WORDS_GPT4 ? STR("dbrx") : STR("gpt-2"));
    put_tokens(g, t);
    put_merges(g, t);
    ggufout_u32(g, "tokenizer.ggml.bos_token_id", end);
    ggufout_u32(g, "tokenizer.ggml.eos_token_id", end);
    ggufout_flag(g, "tokenizer.ggml.add_bos_token", true);
}

/* ---- tensors ---- */

typedef struct Writer {
    GgufOut out;
    const Store *store;
    const Model *model;
    int layer; /* -1 outside the blocks */
} Writer;

/* Rows [from, from + rows) of one of our weights, under ggml's name; the weight is (.., cols). */
typedef struct Part {
    const char *to, *weight;
    ptrdiff_t from, rows, cols;
    float scale;      /* 0: as it is */
    ptrdiff_t scaled; /* so many rows of it; 0: all */
    bool rotated;
    bool vector;
    float absent; /* of a vector that the model does without */
} Part;

static void put_part(Writer *w, Part p)
{
    char to[96], from[96];
    bool block = w->layer >= 0;
    if (block) snprintf(to, sizeof(to), "blk.%d.%s", w->layer, p.to);
    if (block) snprintf(from, sizeof(from), "block.%d.%s", w->layer, p.weight);
    const StoreItem *item = store_find(w->store, block ? from : p.weight);
    CHECK(item || p.vector, "the model has no weight %s", block ? from : p.weight);
    CHECK(!item || (p.from + p.rows) * p.cols <= item->count, "%s is too small", item->name);
    ggufout_tensor(&w->out, block ? to : p.to,
                   (GgufTensor){ .at = item ? item->at + p.from * p.cols : NULL,
                                 .rows = p.rows,
                                 .cols = p.cols,
                                 .vector = p.vector,
                                 .fill = p.absent,
                                 .scale = p.scale,
                                 .scaled = p.scaled ? p.scaled : p.rows,
                                 .head_size = p.rotated ? w->model->head_size : 0 });
}

/* A (rows, cols) matrix, whole. */
static void put_matrix(Writer *w, const char *to, const char *weight, ptrdiff_t rows,
                       ptrdiff_t cols)
{
    put_part(w, (Part){ .to = to, .weight = weight, .rows = rows, .cols = cols });
}

static void put_vector(Writer *w, const char *to, const char *weight, ptrdiff_t n, float absent)
{
    put_part(
        w,
        (Part){
            .to = to, .weight = weight, .rows = n, .cols = 1, .vector = true, .absent = absent });
}

static void put_head(Writer *w)
{
    const Model *m = w->model;
    put_part(w, (Part){ .to = "output.weight",
                        .weight = m->tied ? "embed.weight" : "head.weight",
                        .rows = m->vocab,
                        .cols = m->width,
                        .scale = (float)(1 / m->width_ratio) });
}

/* One matrix holds q, k and v, in our order. */
static void put_gpt2_qkv(Writer *w)
{
    ptrdiff_t C = w->model->width;
    Part qkv = { .to = "attn_qkv.weight",
                 .weight = "attn.qkv.weight",
                 .rows = 3 * C,
                 .cols = C,
                 .scale = w->model->attn_scale,
                 .scaled = C };
    put_part(w, qkv);
    qkv.to = "attn_qkv.bias";
    qkv.weight = "attn.qkv.bias";
    qkv.cols = 1;
    qkv.vector = true;
    put_part(w, qkv);
}

static void put_gpt2_block(Writer *w)
{
    ptrdiff_t C = w->model->width, F = w->model->hidden;
    put_vector(w, "attn_norm.weight", "norm1.gain", C, 1);
    put_vector(w, "attn_norm.bias", "norm1.bias", C, 0);
    put_gpt2_qkv(w);
    put_matrix(w, "attn_output.weight", "attn.proj.weight", C, C);
    put_vector(w, "attn_output.bias", "attn.proj.bias", C, 0);
    put_vector(w, "ffn_norm.weight", "norm2.gain", C, 1);
    put_vector(w, "ffn_norm.bias", "norm2.bias", C, 0);
    put_matrix(w, "ffn_up.weight", "mlp.up.weight", F, C);
    put_vector(w, "ffn_up.bias", "mlp.up.bias", F, 0);
    put_matrix(w, "ffn_down.weight", "mlp.down.weight", C, F);
    put_vector(w, "ffn_down.bias", "mlp.down.bias", C, 0);
}

static void put_gpt2(Writer *w)
{
    ptrdiff_t C = w->model->width;
    put_matrix(w, "token_embd.weight", "embed.weight", w->model->vocab, C);
    put_matrix(w, "position_embd.weight", "position.weight", w->model->context, C);
    put_vector(w, "output_norm.weight", "norm.gain", C, 1);
    put_vector(w, "output_norm.bias", "norm.bias", C, 0);
    put_head(w);
    for (w->layer = 0; w->layer < w->model->depth; w->layer++) put_gpt2_block(w);
}

/* A stretch of a product's rows as a matrix of its own, and of its bias where there is one. */
static void put_rows(Writer *w, const char *to, const char *product, Part p)
{
    char name[2][48], weight[2][48];
    for (int bias = 0; bias <= w->model->bias; bias++) {
        snprintf(name[bias], sizeof(name[bias]), "%s.%s", to, bias ? "bias" : "weight");
        snprintf(weight[bias], sizeof(weight[bias]), "%s.%s", product, bias ? "bias" : "weight");
        p.to = name[bias];
        p.weight = weight[bias];
        if (bias) p.cols = 1, p.vector = true;
        put_part(w, p);
    }
}

/* Queries, keys and values are one product here, or two where keys and values have fewer heads. */
static void put_llama_qkv(Writer *w)
{
    const Model *m = w->model;
    ptrdiff_t C = m->width, HD = (ptrdiff_t)m->heads * m->head_size;
    ptrdiff_t KD = (ptrdiff_t)m->kv_heads * m->head_size;
    bool one = m->kv_heads == m->heads;
    const char *kv = one ? "attn.qkv" : "attn.kv";
    ptrdiff_t k = one ? HD : 0;
    put_rows(w, "attn_q", one ? "attn.qkv" : "attn.q",
             (Part){ .rows = HD, .cols = C, .rotated = true, .scale = m->attn_scale });
    put_rows(w, "attn_k", kv, (Part){ .from = k, .rows = KD, .cols = C, .rotated = true });
    put_rows(w, "attn_v", kv, (Part){ .from = k + KD, .rows = KD, .cols = C });
}

static void put_llama_block(Writer *w)
{
    const Model *m = w->model;
    ptrdiff_t C = m->width, F = m->hidden, HD = (ptrdiff_t)m->heads * m->head_size;
    put_vector(w, "attn_norm.weight", "norm1.gain", C, 1);
    put_llama_qkv(w);
    put_rows(w, "attn_output", "attn.proj", (Part){ .rows = C, .cols = HD });
    put_vector(w, "ffn_norm.weight", "norm2.gain", C, 1);
    put_rows(w, "ffn_gate", "mlp.up", (Part){ .rows = F, .cols = C });
    put_rows(w, "ffn_up", "mlp.up", (Part){ .from = F, .rows = F, .cols = C });
    put_rows(w, "ffn_down", "mlp.down", (Part){ .rows = C, .cols = F });
}

static void put_llama(Writer *w)
{
    const Model *m = w->model;
    put_matrix(w, "token_embd.weight", "embed.weight", m->vocab, m->width);
    put_vector(w, "output_norm.weight", "norm.gain", m->width, 1);
    put_head(w);
    for (w->layer = 0; w->layer < m->depth; w->layer++) put_llama_block(w);
}

/* ---- the whole ---- */

static bool write_gguf(const ExportIn *in, const char *path, const char **form, Err *err)
{
    Need gpt2[NEEDS], llama[NEEDS];
    needs_of_gpt2(in->model, gpt2);
    needs_of_llama(in->model, llama);
    bool is_gpt2 = unmet(gpt2) <= unmet(llama);
    *form = is_gpt2 ? "gpt2" : "llama";
    if (unmet(is_gpt2 ? gpt2 : llama) > 0) return refuse(in, is_gpt2 ? gpt2 : llama, *form, err);
    Writer w = { .store = trained_store(in->trained), .model = in->model, .layer = -1 };
    put_shape(&w.out, in, *form);
    put_tokenizer(&w.out, trained_tokenizer(in->trained));
    if (is_gpt2)
        put_gpt2(&w);
    else
        put_llama(&w);
    bool ok = ggufout_write(&w.out, path, err);
    ggufout_free(&w.out);
    return ok;
}

const ExportDef export_gguf = {
    .name = "gguf",
    .doc = "one file for llama.cpp, Ollama and LM Studio: GPT-2's and Llama's forms, fp32",
    .write = write_gguf,
};
