/* model.c - the transformer, as calls that record ops.
 *
 *     x = embed(tokens) (+ position table)
 *     for each block:  x += proj(attention(norm(x)));  x += down(act(up(norm(x))))
 *     logits = head(norm(x))
 *
 * (Vaswani et al. 2017 in the pre-norm form of GPT-2, Radford et al. 2019.)
 *
 * Queries, keys and values are one product: one large matrix keeps the processor
 * busier than three small ones.  For Muon, which orthogonalises matrices, it says that
 * it is three (ParamSpec.pieces).  With fewer kv heads the three differ in size, so
 * queries get a matrix of their own and keys and values share one.
 *
 * Value embeddings (modded-nanogpt 2024; value residuals, Zhou et al. 2024, arXiv:2410.17897):
 * in every second block the token itself, through a table of its own and a gate per key head
 * computed from the first channels of the stream, is added to the values.  Layer scalars: each
 * block reads a x + b x0, so that depth may amplify the stream or bring the token back.  Both as
 * nanochat has them.
 *
 * Dropout stands where GPT-2 has it, behind the embedding and on what each block adds to the
 * stream, but not on attention's probabilities: those never exist whole.
 *
 * Under muP (Yang et al. 2022, arXiv:2203.03466, table 8) logits shrink with width too.  Its rule
 * for attention, q.k / D instead of q.k / sqrt(D), is about heads that grow; here width brings more
 * heads of one size, and attn_scale says the rest.
 *
 * Initial values follow the recipe's rule in init_of(); draws depend on the weight's
 * name alone, so that adding a part leaves the others as they were and paired seeds
 * stay paired. */
#include "model/model.h"

#include <math.h>

/* Standard deviation of a product's initial weights before any special treatment.  Under muP
 * the variance falls with width; the fan_in rule does so by itself. */
static double matrix_std(const Model *m, ptrdiff_t fan_in)
{
    if (m->init == MODEL_INIT_FAN_IN) return m->init_gain / sqrt((double)fan_in);
    return m->init_std / sqrt(m->width_ratio);
}

static Init normal(double std)
{
    return std > 0 ? (Init){ INIT_NORMAL, std } : (Init){ INIT_ZERO, 0 };
}

static Init residual_init(const Model *m, ptrdiff_t fan_in)
{
    if (m->proj == MODEL_PROJ_ZERO) return (Init){ INIT_ZERO, 0 };
    double std = matrix_std(m, fan_in);
    return normal(m->proj == MODEL_PROJ_SCALED ? std / sqrt(2.0 * m->depth) : std);
}

/* A tied table is read as a head too: N(0, 1) there would begin with logits of size sqrt(C). */
static Init embed_init(const Model *m)
{
    if (m->embed_std > 0) return normal(m->embed_std);
    if (m->init == MODEL_INIT_GPT2) return normal(m->init_std);
    return normal(m->tied ? 1 / sqrt((double)m->width) : 1);
}

static Init head_init(const Model *m)
{
    if (m->head_std > 0) return normal(m->head_std);
    if (m->init == MODEL_INIT_GPT2) return normal(m->init_std);
    return normal(m->init_gain / sqrt((double)m->width));
}

static Tensor *vector(Graph *g, const char *name, ptrdiff_t n, double value)
{
    return t_param(g, (ParamSpec){ .name = name,
                                   .rank = 1,
                                   .dim = { n },
                                   .role = ROLE_VECTOR,
                                   .fan_in = 1,
                                   .fan_out = (double)n,
                                   .pieces = 1,
                                   .init = { value == 0 ? INIT_ZERO : INIT_CONST, value } });
}

static Tensor *table(Graph *g, const Model *m, const char *name, ptrdiff_t rows, Role role,
                     Init init)
{
    graph_push(g, "%s", name);
    Tensor *w = t_param(g, (ParamSpec){ .name = "weight",
                                        .rank = 2,
                                        .dim = { rows, m->width },
                                        .role = role,
                                        .fan_in = m->width,
                                        .fan_out = (double)rows,
                                        .pieces = 1,
                                        .init = init });
    graph_pop(g);
    return w;
}

static Tensor *norm(Graph *g, const Model *m, Tensor *x, const char *name)
{
    graph_push(g, "%s", name);
    Tensor *gain = m->norm_gain ? vector(g, "gain", m->width, 1) : NULL;
    Tensor *y;
    if (m->norm == MODEL_RMSNORM) {
        y = t_rmsnorm(g, x, gain, MODEL_NORM_EPS);
    } else {
        Tensor *bias = m->bias ? vector(g, "bias", m->width, 0) : NULL;
        y = t_layernorm(g, x, gain, bias, MODEL_NORM_EPS);
    }
    graph_pop(g);
    return y;
}

/* x (B, T, I) -> (B, T, out); the weight is (out, I). */
static Tensor *product(Graph *g, const Model *m, Tensor *x, const char *name, ptrdiff_t out,
                       int pieces, Init init)
{
    ptrdiff_t in = tensor_last(x);
    graph_push(g, "%s", name);
    Tensor *w = t_param(g, (ParamSpec){ .name = "weight",
                                        .rank = 2,
                                        .dim = { out, in },
                                        .role = ROLE_MATRIX,
                                        .fan_in = (double)in,
                                        .fan_out = (double)(out / pieces),
                                        .pieces = pieces,
                                        .init = init });
    Tensor *y = t_linear(g, x, w, m->bias ? vector(g, "bias", out, 0) : NULL);
    graph_pop(g);
    return y;
}

/* The (B, T, n, D) part of y (B, T, all, D) that begins at head `from`. */
static Tensor *heads_of(Graph *g, Tensor *y, ptrdiff_t from, ptrdiff_t n)
{
    return t_slice(g, y, 2, from, from + n);
}

typedef struct Qkv {
    Tensor *q, *k, *v; /* (B, T, H, D), (B, T, K, D), (B, T, K, D) */
} Qkv;

static Qkv project_qkv(Graph *g, const Model *m, Tensor *x)
{
    ptrdiff_t B = x->dim[0], T = x->dim[1], H = m->heads, K = m->kv_heads, D = m->head_size;
    Init init = normal(matrix_std(m, m->width));
    if (K == H) {
        Tensor *y = product(g, m, x, "qkv", 3 * H * D, 3, init);
        y = t_view(g, y, 4, (ptrdiff_t[]){ B, T, 3 * H, D });
        return (Qkv){ heads_of(g, y, 0, H), heads_of(g, y, H, H), heads_of(g, y, 2 * H, H) };
    }
    Tensor *q = t_view(g, product(g, m, x, "q", H * D, 1, init), 4, (ptrdiff_t[]){ B, T, H, D });
    Tensor *y = product(g, m, x, "kv", 2 * K * D, 2, init);
    y = t_view(g, y, 4, (ptrdiff_t[]){ B, T, 2 * K, D });
    return (Qkv){ q, heads_of(g, y, 0, K), heads_of(g, y, K, K) };
}

/* x (B, T, K, D): this text's keys or values so far, (B, S, K, D), where there is a cache. */
static Tensor *through_cache(Graph *g, const Model *m, ModelIn in, const char *name, Tensor *x)
{
    if (!in.cache) return x;
    ptrdiff_t dim[4] = { x->dim[0], m->context, x->dim[2], x->dim[3] };
    return t_cache(g, t_state(g, name, 4, dim), x, in.pos);
}

/* v (B, T, K, D) plus the gated embedding of each token; x (B, T, C), what the block reads. */
static Tensor *with_token_values(Graph *g, const Model *m, Tensor *v, Tensor *x, ModelIn in)
{
    ptrdiff_t KD = (ptrdiff_t)m->kv_heads * m->head_size,
              channels = MIN(MODEL_GATE_CHANNELS, m->width);
    graph_push(g, "value");
    Tensor *w = t_param(g, (ParamSpec){ .name = "weight",
                                        .rank = 2,
                                        .dim = { m->vocab, KD },
                                        .role = ROLE_EMBEDDING,
                                        .fan_in = (double)KD,
                                        .fan_out = m->vocab,
                                        .pieces = 1,
                                        .init = normal(matrix_std(m, m->width)) });
    Tensor *own = t_view(g, t_embed(g, in.tokens, w), 4, v->dim); // (B, T, K, D)
    graph_pop(g);
    graph_push(g, "value_gate");
    w = t_param(g, (ParamSpec){ .name = "weight",
                                .rank = 2,
                                .dim = { m->kv_heads, channels },
                                .role = ROLE_MATRIX,
                                .fan_in = (double)channels,
                                .fan_out = m->kv_heads,
                                .pieces = 1,
                                .init = { INIT_ZERO, 0 } });
    Tensor *z = t_linear(g, t_slice(g, x, 2, 0, channels), w, NULL); // (B, T, K)
    graph_pop(g);
    return t_add(g, v, t_gate(g, own, z, m->value_gate));
}

static Tensor *attention(Graph *g, const Model *m, Tensor *x, ModelIn in, int l)
{
    ptrdiff_t B = x->dim[0], T = x->dim[1], HD = (ptrdiff_t)m->heads * m->head_size;
    graph_push(g, "attn");
    Qkv a = project_qkv(g, m, x);
    if (model_has_values(m, l)) a.v = with_token_values(g, m, a.v, x, in);
    if (m->qk_norm) {
        a.q = t_rmsnorm(g, a.q, NULL, MODEL_NORM_EPS);
        a.k = t_rmsnorm(g, a.k, NULL, MODEL_NORM_EPS);
    }
    if (m->position == MODEL_ROPE) {
        a.q = t_rope(g, a.q, in.pos, m->rope_base, m->rotary);
        a.k = t_rope(g, a.k, in.pos, m->rope_base, m->rotary);
    }
    a.k = through_cache(g, m, in, "cache_k", a.k);
    a.v = through_cache(g, m, in, "cache_v", a.v);
    float gain = m->qk_norm ? m->qk_gain * m->qk_gain : 1;
    AttentionOpt o = { .scale = gain * m->attn_scale / sqrtf((float)m->head_size),
                       .window = model_window(m, l),
                       .pos = in.cache ? in.pos : NULL };
    Tensor *y = t_attention(g, a.q, a.k, a.v, in.doc, o);
    y = t_view(g, y, 3, (ptrdiff_t[]){ B, T, HD });
    y = product(g, m, y, "proj", m->width, 1, residual_init(m, HD));
    graph_pop(g);
    return y;
}

/* The gate and the other half of a swiglu come from one product (B, T, 2 F). */
static Tensor *swiglu(Graph *g, Tensor *y)
{
    ptrdiff_t F = y->dim[2] / 2;
    Tensor *gate = t_slice(g, y, 2, 0, F), *up = t_slice(g, y, 2, F, 2 * F);
    return t_mul(g, t_silu(g, gate), up);
}

static Tensor *mlp(Graph *g, const Model *m, Tensor *x)
{
    bool gated = m->mlp == MODEL_SWIGLU;
    graph_push(g, "mlp");
    Tensor *y = product(g, m, x, "up", m->hidden * (gated ? 2 : 1), gated ? 2 : 1,
                        normal(m->up_init * matrix_std(m, m->width)));
    switch (m->mlp) {
    case MODEL_GELU: y = t_gelu(g, y); break;
    case MODEL_RELU2: y = t_relu2(g, y); break;
    case MODEL_SWIGLU: y = swiglu(g, y); break;
    }
    y = product(g, m, y, "down", m->width, 1, residual_init(m, m->hidden));
    graph_pop(g);
    return y;
}

static Tensor *dropped(Graph *g, const Model *m, Tensor *x, const char *place)
{
    if (m->dropout == 0) return x;
    graph_push(g, "%s", place);
    x = t_dropout(g, x, m->dropout);
    graph_pop(g);
    return x;
}

static Tensor *number(Graph *g, const char *name, double value)
{
    return t_param(g, (ParamSpec){ .name = name,
                                   .rank = 1,
                                   .dim = { 1 },
                                   .role = ROLE_SCALAR,
                                   .fan_in = 1,
                                   .fan_out = 1,
                                   .pieces = 1,
                                   .init = { value == 0 ? INIT_ZERO : INIT_CONST, value } });
}

/* a x + b x0; x and x0 (B, T, C). */
static Tensor *scaled_stream(Graph *g, const Model *m, Tensor *x, Tensor *x0, int l)
{
    double down = m->depth > 1 ? (double)l / (m->depth - 1) : 0; /* 0 in the first block */
    double a = 1 + (m->resid_init - 1) * (1 - down * 2 / 3), b = m->skip_init * (1 - down * 3 / 4);
    x = t_mul(g, x, number(g, "resid_scale", a));
    return t_add(g, x, t_mul(g, x0, number(g, "skip_scale", b)));
}

static Tensor *block(Graph *g, const Model *m, Tensor *x, Tensor *x0, ModelIn in, int l)
{
    graph_push(g, "block.%d", l);
    if (m->layer_scalars) x = scaled_stream(g, m, x, x0, l);
    Tensor *y = attention(g, m, norm(g, m, x, "norm1"), in, l);
    x = t_tap(g, t_add(g, x, dropped(g, m, y, "attn.dropout")), "middle");
    y = mlp(g, m, norm(g, m, x, "norm2"));
    x = t_tap(g, t_add(g, x, dropped(g, m, y, "mlp.dropout")), "resid");
    graph_pop(g);
    return x;
}

Tensor *model_hidden(Graph *g, const Model *m, ModelIn in)
{
    Tensor *x =
        t_embed(g, in.tokens, table(g, m, "embed", m->vocab, ROLE_EMBEDDING, embed_init(m)));
    if (m->position == MODEL_LEARNED) {
        Init init = normal(m->init == MODEL_INIT_GPT2 ? m->init_std : 0.02);
        x = t_add(g, x,
                  t_embed(g, in.pos, table(g, m, "position", m->context, ROLE_EMBEDDING, init)));
    }
    if (m->embed_norm) x = norm(g, m, x, "embed_norm");
    x = dropped(g, m, x, "embed.dropout");
    Tensor *x0 = x;
    for (int l = 0; l < m->depth; l++) x = block(g, m, x, x0, in, l); // (B, T, C)
    return norm(g, m, x, "norm");
}

static Tensor *head_weight(Graph *g, const Model *m)
{
    if (m->tied) return table(g, m, "embed", m->vocab, ROLE_EMBEDDING, embed_init(m));
    return table(g, m, "head", m->vocab, ROLE_HEAD, head_init(m));
}

/* x (N, C); under muP logits shrink with width (Yang et al. 2022, table 8). */
static Tensor *head_input(Graph *g, const Model *m, Tensor *x)
{
    return m->width_ratio == 1 ? x : t_scale(g, x, (float)(1 / m->width_ratio));
}

HeadLoss model_loss_taught(Graph *g, const Model *m, Tensor *x, Tensor *target, Tensor *weight,
                           const HeadTeacher *by)
{
    ptrdiff_t n = x->dim[0] * x->dim[1];
    x = head_input(g, m, t_view(g, x, 2, (ptrdiff_t[]){ n, m->width }));
    target = t_view(g, target, 1, (ptrdiff_t[]){ n });
    OpOpt o = { .cap = m->softcap, .p = m->z_loss };
    return t_head_loss_taught(g, x, head_weight(g, m), target, weight, o, by);
}

HeadLoss model_loss(Graph *g, const Model *m, Tensor *x, Tensor *target, Tensor *weight)
{
    return model_loss_taught(g, m, x, target, weight, NULL);
}

Tensor *model_logits(Graph *g, const Model *m, Tensor *x, Tensor *rows)
{
    ptrdiff_t n = x->dim[0] * x->dim[1];
    x = t_rows(g, t_view(g, x, 2, (ptrdiff_t[]){ n, m->width }), rows);
    Tensor *y = t_linear(g, head_input(g, m, x), head_weight(g, m), NULL); // (R, V)
    return m->softcap > 0 ? t_softcap(g, y, m->softcap) : y;
}
