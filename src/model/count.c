/* count.c - sizes of a model by formula, without recording it.
 *
 * Used where a size must be known before there is a plan: to say what a recipe is, to
 * choose a model for a budget.  What a run is charged comes from its plan's products, not
 * from here; a test holds the two against each other. */
#include "model/model.h"

static int64_t vectors_per_norm(const Model *m)
{
    int64_t gain = m->norm_gain, bias = m->norm == MODEL_LAYERNORM && m->bias;
    return (gain + bias) * m->width;
}

/* Of block l: its value gate, which is a product, and its value embeddings, which are not. */
static int64_t value_gate(const Model *m, int l)
{
    return model_has_values(m, l) ? (int64_t)m->kv_heads * MIN(MODEL_GATE_CHANNELS, m->width) : 0;
}

static int64_t value_tables(const Model *m)
{
    int64_t n = 0;
    for (int l = 0; l < m->depth; l++)
        n += model_has_values(m, l) ? (int64_t)m->vocab * m->kv_heads * m->head_size : 0;
    return n;
}

/* Weights of all blocks that stand in a product. */
static int64_t block_matrices(const Model *m)
{
    int64_t C = m->width, HD = (int64_t)m->heads * m->head_size;
    int64_t KD = (int64_t)m->kv_heads * m->head_size, F = m->hidden;
    int64_t up = m->mlp == MODEL_SWIGLU ? 2 * F : F;
    int64_t n = m->depth * (C * (HD + 2 * KD) + HD * C + C * up + F * C);
    for (int l = 0; l < m->depth; l++) n += value_gate(m, l);
    return n;
}

static int64_t block_biases(const Model *m)
{
    if (!m->bias) return 0;
    int64_t HD = (int64_t)m->heads * m->head_size, KD = (int64_t)m->kv_heads * m->head_size;
    int64_t up = (m->mlp == MODEL_SWIGLU ? 2 : 1) * (int64_t)m->hidden;
    return HD + 2 * KD + m->width + up + m->width;
}

int64_t model_params(const Model *m)
{
    int64_t C = m->width, n = (int64_t)m->vocab * C;
    if (!m->tied) n += (int64_t)m->vocab * C;
    if (m->position == MODEL_LEARNED) n += (int64_t)m->context * C;
    n += vectors_per_norm(m) * (1 + (m->embed_norm ? 1 : 0));
    n += value_tables(m) + block_matrices(m);
    return n + m->depth * (block_biases(m) + 2 * vectors_per_norm(m) + (m->layer_scalars ? 2 : 0));
}

int64_t model_matrices(const Model *m)
{
    return block_matrices(m) + (int64_t)m->vocab * m->width;
}

int64_t model_flops_per_token(const Model *m)
{
    int64_t mixing = 12 * (int64_t)m->heads * m->head_size * m->context;
    return 6 * model_matrices(m) + m->depth * mixing;
}
