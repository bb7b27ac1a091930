/* ops.h - the recorders: one call, one node.  Shapes: B sequences, T positions, C width,
 * H heads, K kv heads, D head size, V vocabulary; "..." any leading dims.  Optional inputs
 * are NULL.  Unless said otherwise the output has the shape of x. */
#ifndef TENSOR_OPS_H
#define TENSOR_OPS_H

#include "tensor/op.h"

C_BEGIN

/* MAP: y broadcasts to x where its dims are a suffix of x's, or it is one element. */
Tensor *t_add(Graph *g, Tensor *x, Tensor *y);
Tensor *t_sub(Graph *g, Tensor *x, Tensor *y);
Tensor *t_mul(Graph *g, Tensor *x, Tensor *y);
Tensor *t_scale(Graph *g, Tensor *x, float scale);
Tensor *t_gelu(Graph *g, Tensor *x);  /* tanh form, as GPT-2 has it */
Tensor *t_relu2(Graph *g, Tensor *x); /* max(x, 0)^2 */
Tensor *t_silu(Graph *g, Tensor *x);
Tensor *t_softcap(Graph *g, Tensor *x, float cap); /* cap tanh(x / cap) */
/* In training 0 with probability p, else x / (1 - p); draws are named by the scopes open. */
Tensor *t_dropout(Graph *g, Tensor *x, float p);

/* ROW, over the last dim. */
Tensor *t_rmsnorm(Graph *g, Tensor *x, Tensor *gain, float eps); /* gain (C) or NULL */
Tensor *t_layernorm(Graph *g, Tensor *x, Tensor *gain, Tensor *bias, float eps); /* (C) or NULL */
Tensor *t_softmax(Graph *g, Tensor *x);
Tensor *t_gate(Graph *g, Tensor *x, Tensor *z, float scale); /* scale sigmoid(z) x; z: a row each */

/* MATMUL.  linear: x (..., I), w (O, I), bias (O) or NULL -> (..., O).
 * matmul: a (..., M, K) or transposed, b (..., K, N) or transposed -> (..., M, N); leading dims
 * equal. */
Tensor *t_linear(Graph *g, Tensor *x, Tensor *w, Tensor *bias);
Tensor *t_matmul(Graph *g, Tensor *a, Tensor *b, bool transpose_a, bool transpose_b);

/* MOVE.  embed: tokens (B, T) I32, table (V, C) -> (B, T, C).  rows: x (..., C), index (R) I32 ->
 * (R, C). */
Tensor *t_embed(Graph *g, Tensor *tokens, Tensor *table);
Tensor *t_rows(Graph *g, Tensor *x, Tensor *index);

/* TIME.  rope: x (B, T, H, D), pos (B, T) I32; rotates the first `rotary` (0: all) of D as two
 * halves, angle pos * base^(-2i/rotary).  (Su et al. 2021, arXiv:2104.09864.)
 * attention: q (B, T, H, D), k and v (B, S, K, D), doc (B, S) I32 or NULL -> (B, T, H, D).
 * Causal; softmax(scale q k + mask) v; positions of other documents masked where doc is given.
 * Query t sees keys 0..t (S = T); with o.pos (B, T) I32, for caches, keys 0..pos[t] of S;
 * window > 0 keeps the last `window` positions; cap > 0 softcaps the logits.  Composite. */
Tensor *t_rope(Graph *g, Tensor *x, Tensor *pos, float base, int rotary);
typedef struct AttentionOpt {
    float scale, cap; /* scale 0: 1/sqrt(D) */
    int window;
    Tensor *pos; /* (B, T) I32: the row of the cache that each query stands at; NULL: no cache */
} AttentionOpt;
Tensor *t_attention(Graph *g, Tensor *q, Tensor *k, Tensor *v, Tensor *doc, AttentionOpt o);

/* LOSS.  x (N, C), w (V, C), target (N) I32 (negative: not counted), weight (1): the loss is
 * weight[0] * sum of -ln p(target) over counted rows; logits softcapped where cap > 0 and
 * computed in chunks, never all at once.  nll (N): -ln p per row, 0 where not counted.  With a
 * z-loss of p, p (ln sum e^logit)^2 of each counted row is in the loss, and not in nll. */
typedef struct HeadLoss {
    Tensor *loss, *nll; /* (1), (N) */
} HeadLoss;
HeadLoss t_head_loss(Graph *g, Tensor *x, Tensor *w, Tensor *target, Tensor *weight, float cap);
HeadLoss t_head_loss_z(Graph *g, Tensor *x, Tensor *w, Tensor *target, Tensor *weight,
                       OpOpt o); /* o.cap and o.p */

/* What another model says of the rows (head_loss.c); a part that is NULL is absent. */
typedef struct HeadTeacher {
    Tensor *token, *soft; /* (N, k): tokens, and shares that sum to the teacher's weight */
    float heat;           /* temperature at which they are compared; 0: 1 */
    Tensor *ref;          /* (N): its losses */
    float share;          /* of the rows, those most above ref: learned from */
} HeadTeacher;
HeadLoss t_head_loss_taught(Graph *g, Tensor *x, Tensor *w, Tensor *target, Tensor *weight, OpOpt o,
                            const HeadTeacher *by);

/* Statistics and updates; no derivatives.  All sums in double, in blocks, in written order. */
Tensor *t_sum_squares(Graph *g, Tensor *x); /* (1) */
Tensor *t_clip_factor(Graph *g, Tensor *sum_squares,
                      int limit); /* (2): {min(1, limit/norm), norm}; scalar[limit] <= 0: 1 */

/* STATE: w is written in place; returns stats (2): {sum of update^2, sum of w^2 before}.
 * adamw: m, v like w.  scalar[rate], scalar[rate+1] = decay; betas and eps are options.
 *   g = clip[0] d_w; m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2
 *   w -= rate (m / (1-b1^t) / (sqrt(v / (1-b2^t)) + eps) + decay w)      (arXiv:1711.05101, alg. 2)
 * momentum: m = mu m + (1-mu) g; out = nesterov ? (1-mu) g + mu m : m.  scalar[mu] = mu.
 * apply: w -= rate (scale update + decay w).
 * lion: u = sign(b1 m + (1-b1) g); m = b2 m + (1-b2) g; w -= rate (u + decay w).
 * Cautious: decay only where it goes the way of the update. */
typedef struct AdamwOpt {
    float b1, b2, eps;
    int rate;
    bool cautious;
} AdamwOpt;
Tensor *t_adamw(Graph *g, Tensor *w, Tensor *d_w, Tensor *m, Tensor *v, Tensor *clip, AdamwOpt o);
Tensor *t_momentum(Graph *g, Tensor *m, Tensor *d_w, Tensor *clip, int mu, bool nesterov);
typedef struct ApplyOpt {
    float scale;
    int rate;
    bool cautious;
} ApplyOpt;
Tensor *t_apply(Graph *g, Tensor *w, Tensor *update, ApplyOpt o);
Tensor *t_lion(Graph *g, Tensor *w, Tensor *d_w, Tensor *m, Tensor *clip, AdamwOpt o);

/* Parts of update rules, states first.
 * average: s = (1-c) s + c x with c = scalar[share]; returns s.
 * row_variance: NorMuon's second moments v (P, max(M, N)) of u (P, M, N); returns u, evened out.
 * adam_direction: v = b2 v + (1-b2) g^2; returns m / (1-b1^t) / (sqrt(v / (1-b2^t)) + eps).
 * eigenbasis: q (P, N, N), rows near the eigenvectors of s (P, N, N); moved every `every` steps;
 * returns q. */
Tensor *t_average(Graph *g, Tensor *s, Tensor *x, int share);
Tensor *t_row_variance(Graph *g, Tensor *v, Tensor *u, float b2);
Tensor *t_adam_direction(Graph *g, Tensor *v, Tensor *grad, Tensor *m, AdamwOpt o);
Tensor *t_eigenbasis(Graph *g, Tensor *q, Tensor *s, int every);

/* Orthogonalises each (M, N) matrix of x (P, M, N): x / ||x||_F, then `steps` times
 * X <- p X + (q A + r A A) X, A = X X^T (on the smaller side).  Composite over matmul. */
typedef enum NewtonKind { NEWTON_JORDAN, NEWTON_POLAR, NEWTON_EXACT } NewtonKind;
typedef struct NewtonOpt {
    NewtonKind kind;
    int steps;
    bool bounded; /* no singular value of x is above 1: it is not divided by its norm */
} NewtonOpt;
Tensor *t_newton_schulz(Graph *g, Tensor *x, NewtonOpt o);

/* Caches for sampling: returns k when cache is NULL; else writes k (B, T, K, D) into cache
 * (B, S, K, D) from row pos[0] on and returns the cache. */
Tensor *t_cache(Graph *g, Tensor *cache, Tensor *k, Tensor *pos);

C_END
#endif
