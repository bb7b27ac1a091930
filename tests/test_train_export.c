/* Exported files are read by a reader of this test's own and computed in double by the rules of the
 * program that they are for: gpt2 and llama as llama.cpp computes them, rotation of neighbours
 * included.  What comes out must be what the model itself says. */
#include "base/file.h"
#include "base/str.h"
#include "tests/train_lab.h"
#include "train/export.h"

static Arena arena;

static Trained *train(const char *name, const char *const *more)
{
    Recipe recipe;
    TrainResult out;
    Err err = { 0 };
    if (!arena.base) {
        arena = arena_reserve((ptrdiff_t)1 << 30);
        train_lab_make(test_folder());
    }
    train_lab_recipe(&recipe, &arena, more);
    const char *dir = arena_printf(&arena, "%s/runs/%s", test_folder(), name);
    TrainJob job = { .lab = test_folder(), .dir = dir, .recipe = &recipe, .seed = 1 };
    EXPECT_MSG(train_run(&job, &out, &err), "%s", err.msg);
    Trained *t = trained_open(dir, 1, &arena, &err);
    EXPECT_MSG(t != NULL, "%s", err.msg);
    return t;
}

/* ---- a reader of GGUF ---- */

typedef struct Value {
    Str key;
    uint32_t type, of; /* of: type of an array's items */
    uint64_t count;
    const char *at; /* the value, or the first item */
} Value;

typedef struct Found {
    Str name;
    uint64_t dim[2];
    const float *at;
} Found;

typedef struct Gguf {
    Str file;
    const char *at;
    Value value[64];
    Found tensor[128];
    uint64_t values, tensors;
} Gguf;

static uint64_t take(Gguf *g, int bytes)
{
    uint64_t x = 0;
    for (int i = 0; i < bytes; i++) x |= (uint64_t)(unsigned char)*g->at++ << (8 * i);
    return x;
}

static Str take_text(Gguf *g)
{
    Str s = { NULL, (ptrdiff_t)take(g, 8) };
    s.at = g->at;
    g->at += s.len;
    return s;
}

static void skip_value(Gguf *g, uint32_t type)
{
    if (type == 8)
        take_text(g);
    else
        g->at += type == 7 ? 1 : 4;
}

static void take_value(Gguf *g, Value *v)
{
    v->key = take_text(g);
    v->type = (uint32_t)take(g, 4);
    v->of = v->type == 9 ? (uint32_t)take(g, 4) : v->type;
    v->count = v->type == 9 ? take(g, 8) : 1;
    v->at = g->at;
    for (uint64_t i = 0; i < v->count; i++) skip_value(g, v->of);
}

static Gguf *read_gguf(const char *path)
{
    Gguf *g = NEW(&arena, Gguf, 1);
    Err err = { 0 };
    EXPECT_MSG(file_read_arena(path, &arena, &g->file, &err), "%s", err.msg);
    g->at = g->file.at;
    EXPECT(memcmp(g->at, "GGUF\3\0\0\0", 8) == 0);
    g->at += 8;
    g->tensors = take(g, 8);
    g->values = take(g, 8);
    EXPECT(g->values <= 64 && g->tensors <= 128);
    for (uint64_t i = 0; i < g->values; i++) take_value(g, &g->value[i]);
    uint64_t offset[128];
    for (uint64_t i = 0; i < g->tensors; i++) {
        Found *t = &g->tensor[i];
        t->name = take_text(g);
        uint64_t rank = take(g, 4);
        for (uint64_t d = 0; d < rank; d++) t->dim[d] = take(g, 8);
        EXPECT(rank >= 1 && rank <= 2 && take(g, 4) == 0); /* fp32 */
        offset[i] = take(g, 8);
        EXPECT(offset[i] % 32 == 0);
    }
    ptrdiff_t data = (g->at - g->file.at + 31) / 32 * 32;
    for (uint64_t i = 0; i < g->tensors; i++) {
        ptrdiff_t at = data + (ptrdiff_t)offset[i];
        uint64_t count = g->tensor[i].dim[0] * (g->tensor[i].dim[1] ? g->tensor[i].dim[1] : 1);
        float *copy = NEW(&arena, float, (ptrdiff_t)count);
        EXPECT(at + (ptrdiff_t)count * 4 <= g->file.len);
        memcpy(copy, g->file.at + at, count * 4);
        g->tensor[i].at = copy;
    }
    return g;
}

static const Value *value_of(const Gguf *g, const char *key)
{
    for (uint64_t i = 0; i < g->values; i++)
        if (str_eq(g->value[i].key, str_of(key))) return &g->value[i];
    EXPECT_MSG(false, "no value %s", key);
    return &g->value[0];
}

static uint32_t u32_of(const Gguf *g, const char *key)
{
    uint32_t x = 0;
    memcpy(&x, value_of(g, key)->at, 4);
    return x;
}

static float f32_of(const Gguf *g, const char *key)
{
    float x = 0;
    memcpy(&x, value_of(g, key)->at, 4);
    return x;
}

/* NULL where there is none. */
static const float *weight(const Gguf *g, int layer, const char *name)
{
    char full[96];
    if (layer >= 0)
        snprintf(full, sizeof(full), "blk.%d.%s", layer, name);
    else
        snprintf(full, sizeof(full), "%s", name);
    for (uint64_t i = 0; i < g->tensors; i++)
        if (str_eq(g->tensor[i].name, str_of(full))) return g->tensor[i].at;
    return NULL;
}

/* ---- the two architectures ---- */

enum { C_MAX = 64, F_MAX = 256, T_MAX = 24, V_MAX = 400 };

typedef struct Net {
    const Gguf *g;
    bool llama;
    int C, L, H, K, D, F, V;
    double eps, base;
    double k[8][T_MAX][C_MAX], v[8][T_MAX][C_MAX];
} Net;

static void product(const float *w, const float *b, const double *x, int n, int m, double *y)
{
    for (int i = 0; i < n; i++) {
        double sum = b ? (double)b[i] : 0;
        for (int j = 0; j < m; j++) sum += (double)w[i * m + j] * x[j];
        y[i] = sum;
    }
}

static void norm(const Net *n, int layer, const char *name, const double *x, double *y)
{
    char key[2][64];
    snprintf(key[0], sizeof(key[0]), "%s.weight", name);
    snprintf(key[1], sizeof(key[1]), "%s.bias", name);
    const float *gain = weight(n->g, layer, key[0]), *bias = weight(n->g, layer, key[1]);
    double mean = 0, square = 0;
    for (int i = 0; i < n->C && !n->llama; i++) mean += x[i] / n->C;
    for (int i = 0; i < n->C; i++) square += (x[i] - mean) * (x[i] - mean) / n->C;
    for (int i = 0; i < n->C; i++)
        y[i] =
            (x[i] - mean) / sqrt(square + n->eps) * (double)gain[i] + (bias ? (double)bias[i] : 0);
}

/* Neighbours are turned. */
static void rotate(const Net *n, double *x, int heads, int pos)
{
    for (int h = 0; h < heads; h++) {
        for (int i = 0; i < n->D / 2; i++) {
            double angle = pos * pow(n->base, -2.0 * i / n->D), c = cos(angle), s = sin(angle);
            double *p = x + h * n->D + 2 * i, a = p[0], b = p[1];
            p[0] = a * c - b * s;
            p[1] = a * s + b * c;
        }
    }
}

static void project(Net *n, int layer, const double *x, double *q, double *k, double *v)
{
    int HD = n->H * n->D, KD = n->K * n->D;
    const Gguf *g = n->g;
    if (n->llama) {
        product(weight(g, layer, "attn_q.weight"), weight(g, layer, "attn_q.bias"), x, HD, n->C, q);
        product(weight(g, layer, "attn_k.weight"), weight(g, layer, "attn_k.bias"), x, KD, n->C, k);
        product(weight(g, layer, "attn_v.weight"), weight(g, layer, "attn_v.bias"), x, KD, n->C, v);
        return;
    }
    double all[3 * C_MAX];
    product(weight(g, layer, "attn_qkv.weight"), weight(g, layer, "attn_qkv.bias"), x, 3 * HD, n->C,
            all);
    memcpy(q, all, sizeof(*q) * (size_t)HD);
    memcpy(k, all + HD, sizeof(*k) * (size_t)HD);
    memcpy(v, all + 2 * HD, sizeof(*v) * (size_t)HD);
}

static void attend(Net *n, int layer, int pos, const double *x, double *out)
{
    double q[C_MAX], y[C_MAX] = { 0 };
    project(n, layer, x, q, n->k[layer][pos], n->v[layer][pos]);
    if (n->llama) rotate(n, q, n->H, pos), rotate(n, n->k[layer][pos], n->K, pos);
    for (int h = 0; h < n->H; h++) {
        int from = h / (n->H / n->K) * n->D;
        double score[T_MAX], sum = 0;
        for (int t = 0; t <= pos; t++) {
            double dot = 0;
            for (int i = 0; i < n->D; i++) dot += q[h * n->D + i] * n->k[layer][t][from + i];
            sum += score[t] = exp(dot / sqrt(n->D));
        }
        for (int t = 0; t <= pos; t++)
            for (int i = 0; i < n->D; i++)
                y[h * n->D + i] += score[t] / sum * n->v[layer][t][from + i];
    }
    product(weight(n->g, layer, "attn_output.weight"), weight(n->g, layer, "attn_output.bias"), y,
            n->C, n->H * n->D, out);
}

static void feed_forward(const Net *n, int layer, const double *x, double *out)
{
    double up[F_MAX], gate[F_MAX];
    product(weight(n->g, layer, "ffn_up.weight"), weight(n->g, layer, "ffn_up.bias"), x, n->F, n->C,
            up);
    if (n->llama)
        product(weight(n->g, layer, "ffn_gate.weight"), weight(n->g, layer, "ffn_gate.bias"), x,
                n->F, n->C, gate);
    for (int i = 0; i < n->F; i++) {
        double u = up[i];
        up[i] = n->llama ? u * gate[i] / (1 + exp(-gate[i]))
                         : 0.5 * u * (1 + tanh(sqrt(2 / acos(-1)) * (u + 0.044715 * u * u * u)));
    }
    product(weight(n->g, layer, "ffn_down.weight"), weight(n->g, layer, "ffn_down.bias"), up, n->C,
            n->F, out);
}

static void step(Net *n, int32_t id, int pos, double *logits)
{
    double x[C_MAX], y[C_MAX], z[C_MAX];
    const float *place = weight(n->g, -1, "position_embd.weight");
    const float *head = weight(n->g, -1, "output.weight");
    for (int i = 0; i < n->C; i++) {
        x[i] = (double)weight(n->g, -1, "token_embd.weight")[id * n->C + i];
        if (place) x[i] += (double)place[pos * n->C + i];
    }
    for (int l = 0; l < n->L; l++) {
        norm(n, l, "attn_norm", x, y);
        attend(n, l, pos, y, z);
        for (int i = 0; i < n->C; i++) x[i] += z[i];
        norm(n, l, "ffn_norm", x, y);
        feed_forward(n, l, y, z);
        for (int i = 0; i < n->C; i++) x[i] += z[i];
    }
    norm(n, -1, "output_norm", x, y);
    product(head, NULL, y, n->V, n->C, logits);
}

static Net *net_of(const Gguf *g, bool llama)
{
    Net *n = NEW(&arena, Net, 1);
    const char *form = llama ? "llama" : "gpt2";
    n->g = g;
    n->llama = llama;
#define KEY(part) arena_printf(&arena, "%s.%s", form, part)
    n->C = (int)u32_of(g, KEY("embedding_length"));
    n->L = (int)u32_of(g, KEY("block_count"));
    n->H = (int)u32_of(g, KEY("attention.head_count"));
    n->F = (int)u32_of(g, KEY("feed_forward_length"));
    n->V = (int)u32_of(g, KEY("vocab_size"));
    n->K = llama ? (int)u32_of(g, KEY("attention.head_count_kv")) : n->H;
    n->D = llama ? (int)u32_of(g, KEY("attention.key_length")) : n->C / n->H;
    n->eps = (double)f32_of(g, llama ? KEY("attention.layer_norm_rms_epsilon")
                                     : KEY("attention.layer_norm_epsilon"));
    n->base = llama ? (double)f32_of(g, KEY("rope.freq_base")) : 0;
#undef KEY
    EXPECT(n->C <= C_MAX && n->F <= F_MAX && n->L <= 8 && n->V <= V_MAX);
    return n;
}

static Gguf *export_to(Trained *t, const char *name, bool llama)
{
    Err err = { 0 };
    const char *form = "", *path = arena_printf(&arena, "%s/%s.gguf", test_folder(), name);
    const ExportDef *def = export_find("gguf", &err);
    EXPECT_MSG(def && export_write(def, t, name, path, &form, &err), "%s", err.msg);
    EXPECT(strcmp(form, llama ? "llama" : "gpt2") == 0);
    Gguf *g = read_gguf(path);
    const Value *v = value_of(g, "general.architecture");
    EXPECT(v->type == 8 && memcmp(v->at + 8, form, strlen(form)) == 0);
    return g;
}

static void check_form(const char *name, bool llama, const char *const *more)
{
    Trained *t = train(name, more);
    Net *n = net_of(export_to(t, name, llama), llama);
    Err err = { 0 };
    double logits[V_MAX], worst = 0, largest = 0;
    float ours[V_MAX];
    trained_reset(t);
    for (int pos = 0; pos < 20; pos++) {
        int32_t id = pos ? (unsigned char)"the cat sees the moon"[pos - 1] : 256;
        EXPECT(trained_feed(t, &id, 1, ours, &err));
        step(n, id, pos, logits);
        for (int i = 0; i < n->V; i++) {
            worst = fmax(worst, fabs(logits[i] - (double)ours[i]));
            largest = fmax(largest, fabs(logits[i]));
        }
    }
    EXPECT_MSG(worst < 1e-4 && largest > 1, "%s: logits of up to %g differ by %g", name, largest,
               worst);
    trained_close(t);
}

TEST(gpt2s_form_computes_what_the_model_computes)
{
    check_form("gpt2", false, NULL);
    check_form("bare", false,
               (const char *const[]){ "model.bias=false", "model.norm_gain=false",
                                      "model.tied=false", "model.attn_scale=1.7",
                                      "model.scaling=mup", "model.mup_base=16", NULL });
}

#define LLAMA "model.position=rope", "model.norm=rmsnorm", "model.mlp=swiglu"

TEST(llamas_form_computes_what_the_model_computes)
{
    check_form("llama", true, (const char *const[]){ LLAMA, "model.bias=false", NULL });
    check_form("grouped", true,
               (const char *const[]){ LLAMA, "model.heads=4", "model.kv_heads=2",
                                      "model.tied=false", "model.attn_scale=0.6",
                                      "model.rope_base=300", NULL });
    check_form("wide", true,
               (const char *const[]){ LLAMA, "model.bias=false", "model.head_size=24",
                                      "model.norm_gain=false", "model.scaling=mup",
                                      "model.mup_base=16", NULL });
}

TEST(a_form_that_gguf_does_not_know_is_refused_by_its_knobs_and_leaves_no_file)
{
    static const struct {
        const char *more[4], *named[3];
    } bad[] = {
        { { "model.mlp=relu2", NULL }, { "model.mlp", "relu2" } },
        { { "model.position=rope", "model.mlp=swiglu", NULL }, { "model.norm", "layernorm" } },
        { { "model.qk_norm=true", "model.softcap=10", NULL },
          { "model.qk_norm", "model.softcap" } },
        { { LLAMA, "model.rope_fraction=0.5" }, { "model.rope_fraction" } },
    };
    for (int i = 0; i < COUNT(bad); i++) {
        const char *more[] = { "train.steps=1", bad[i].more[0], bad[i].more[1], NULL, NULL, NULL };
        for (int k = 0; k < 4 && bad[i].more[k]; k++) more[1 + k] = bad[i].more[k];
        Trained *t = train(arena_printf(&arena, "bad%d", i), more);
        const char *form, *path = arena_printf(&arena, "%s/bad%d.gguf", test_folder(), i);
        Err err = { 0 };
        EXPECT(!export_write(export_find("gguf", &err), t, "bad", path, &form, &err));
        EXPECT(err.code == ERR_CONFIG && !file_exists(path));
        for (int k = 0; k < 3 && bad[i].named[k]; k++)
            EXPECT_MSG(strstr(err.msg, bad[i].named[k]) != NULL, "%s", err.msg);
        trained_close(t);
    }
    Err err = { 0 };
    EXPECT(export_find("onnx", &err) == NULL && strstr(err.msg, "gguf") && err.code == ERR_CONFIG);
}

/* A token as GGUF writes it: GPT-2's letters, known from its published vocabulary. */
static Str item_of(const Value *v, uint64_t i)
{
    Gguf g = { .at = v->at };
    while (i-- > 0) take_text(&g);
    return take_text(&g);
}

TEST(tokens_and_merges_are_written_in_gpt2s_letters)
{
    Trained *t = train("words", (const char *const[]){ "tokenizer.kind=bpe", "tokenizer.vocab=300",
                                                       "train.steps=1", NULL });
    Gguf *g = export_to(t, "words", false);
    const Tokenizer *tok = trained_tokenizer(t);
    const Value *tokens = value_of(g, "tokenizer.ggml.tokens"),
                *merges = value_of(g, "tokenizer.ggml.merges");
    EXPECT(tokens->count == 300 && merges->count == 43);
    static const struct {
        int byte;
        const char *letter;
    } known[] = { { ' ', "\xC4\xA0" },  { '\n', "\xC4\x8A" }, { 'a', "a" },
                  { 0, "\xC4\x80" },    { 0x7F, "\xC4\xA1" }, { 0xA0, "\xC5\x82" },
                  { 0xAD, "\xC5\x83" }, { 0xFF, "\xC3\xBF" } };
    for (int i = 0; i < COUNT(known); i++)
        EXPECT_MSG(str_eq(item_of(tokens, (uint64_t)known[i].byte), str_of(known[i].letter)),
                   "byte %d", known[i].byte);
    EXPECT(str_eq(item_of(tokens, 299), STR("<|endoftext|>")));
    for (int i = 0; i < 43; i++) {
        Str pair = item_of(merges, (uint64_t)i), left, right,
            token = item_of(tokens, 256 + (uint64_t)i);
        EXPECT(str_cut(&pair, ' ', &left) && str_cut(&pair, ' ', &right) && !pair.at);
        Str joint = { left.at, left.len };
        EXPECT(str_starts(token, joint) && str_ends(token, right) &&
               left.len + right.len == token.len);
        EXPECT(tokenizer_bytes_of(tok, 256 + i).len <= token.len);
    }
    trained_close(t);
}
