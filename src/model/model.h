/* model.h - a decoder-only transformer whose form is a handful of knobs.
 *
 * One recording serves all uses: training, scoring, sampling with a cache, export.  Another
 * shape or use is another recording over the same Store, since weights go by name:
 *
 *     embed.weight (V, C)   position.weight (S, C)   embed_norm.gain, .bias (C)
 *     block.L.norm1.gain, .bias (C)
 *     block.L.attn.qkv.weight (3 H D, C), .bias      rows: q of all heads, then k, then v
 *     block.L.attn.q.weight (H D, C), block.L.attn.kv.weight (2 K D, C)    where K < H
 *     block.L.attn.proj.weight (C, H D), .bias
 *     block.L.attn.value.weight (V, K D)   block.L.attn.value_gate.weight (K, G)   value_embed
 *     block.L.resid_scale (1)   block.L.skip_scale (1)                             layer_scalars
 *     block.L.norm2.gain, .bias (C)
 *     block.L.mlp.up.weight (F, C), .bias            swiglu: (2 F, C), gate rows first, then up
 *     block.L.mlp.down.weight (C, F), .bias
 *     norm.gain, .bias (C)   head.weight (V, C)      absent where tied
 *
 * Model code names no precision and no device. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "base/knob.h"
#include "tensor/ops.h"

extern const Knob model_knobs[];

#define MODEL_NORM_EPS 1e-5f
enum { MODEL_GATE_CHANNELS = 12 }; /* of the stream, which a value gate reads: nanochat's */

typedef enum ModelNorm { MODEL_RMSNORM, MODEL_LAYERNORM } ModelNorm;
typedef enum ModelPosition { MODEL_ROPE, MODEL_LEARNED } ModelPosition;
typedef enum ModelMlp { MODEL_GELU, MODEL_RELU2, MODEL_SWIGLU } ModelMlp;
typedef enum ModelInit { MODEL_INIT_GPT2, MODEL_INIT_FAN_IN } ModelInit;
typedef enum ModelProj { MODEL_PROJ_SCALED, MODEL_PROJ_ZERO, MODEL_PROJ_PLAIN } ModelProj;

typedef struct Model {
    int vocab, depth, width, heads, kv_heads, head_size, context;
    int hidden; /* F, the inner width of the MLP */
    ModelNorm norm;
    ModelPosition position;
    ModelMlp mlp;
    ModelInit init;
    ModelProj proj; /* initial output projections of attention and MLP */
    bool norm_gain, embed_norm, qk_norm, tied, bias, doc_mask;
    bool value_embed, layer_scalars;
    float rope_base, attn_scale, qk_gain, softcap, z_loss, dropout, value_gate;
    const char *pattern; /* of windows: S and L, block by block; the last block is always L */
    int window;          /* tokens that an S sees */
    double resid_init, skip_init, up_init;
    int rotary; /* of the head size, the part that is rotated */
    double init_std, init_gain, embed_std, head_std;
    double width_ratio; /* width / model.mup_base, 1 where muP is off */
} Model;

/* What block l is: tokens its attention sees (0: all), whether it has value embeddings. */
int model_window(const Model *m, int l);
bool model_has_values(const Model *m, int l);

/* Reads and relates the knobs: heads divide width, kv heads divide heads, ... ERR_CONFIG. */
bool model_of(const KnobSet *knobs, int vocab, Model *out, Err *err) MUST_CHECK;

/* What a recording reads; all are inputs, so masks and positions are data. */
typedef struct ModelIn {
    Tensor *tokens, *pos; /* (B, T) I32; pos: place in the text, below `context` */
    Tensor *doc;          /* (B, T) I32 numbers of documents, or NULL: each row is one text */
    bool cache; /* keys and values of earlier positions live in states, (B, S, K, D) with S =
                   context */
} ModelIn;

Tensor *model_hidden(Graph *g, const Model *m, ModelIn in); /* (B, T, C), after the last norm */

/* x (B, T, C), target (B, T) I32 (negative: not counted), weight (1). */
HeadLoss model_loss(Graph *g, const Model *m, Tensor *x, Tensor *target, Tensor *weight);
/* The same with a teacher, or with NULL. */
HeadLoss model_loss_taught(Graph *g, const Model *m, Tensor *x, Tensor *target, Tensor *weight,
                           const HeadTeacher *by);
/* Of chosen rows: x (B, T, C), rows (R) I32 in 0..B*T-1 -> (R, V), softcapped. */
Tensor *model_logits(Graph *g, const Model *m, Tensor *x, Tensor *rows);

/* By formula, before anything is recorded.  FLOPs of one token's forward and backward at
 * context T: 6 per weight in a product, 12 H D T per layer for attention (training.md 1.2). */
int64_t model_params(const Model *m);
int64_t model_matrices(const Model *m); /* weights that stand in products, the head's among them */
int64_t model_flops_per_token(const Model *m);

#endif
