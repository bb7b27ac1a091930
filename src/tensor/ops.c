/* ops.c - the recorders of ops.h: each puts its arguments where the op's file looks for them.
 * What an option means is said there; here are the defaults. */
#include "tensor/ops.h"

#include "base/rand.h"

static Tensor *record(Graph *g, const char *op, Tensor *const in[], OpOpt opt)
{
    return op_record(g, op, in, opt)->out[0];
}

#define IN(...) ((Tensor *const[OP_MAX]){ __VA_ARGS__ })
#define OPT(...) ((OpOpt){ __VA_ARGS__ })
#define NO_OPT ((OpOpt){ 0 })

Tensor *t_add(Graph *g, Tensor *x, Tensor *y)
{
    return record(g, "add", IN(x, y), NO_OPT);
}

Tensor *t_sub(Graph *g, Tensor *x, Tensor *y)
{
    return record(g, "sub", IN(x, y), NO_OPT);
}

Tensor *t_mul(Graph *g, Tensor *x, Tensor *y)
{
    return record(g, "mul", IN(x, y), NO_OPT);
}

Tensor *t_scale(Graph *g, Tensor *x, float scale)
{
    return record(g, "scale", IN(x), OPT(.scale = scale));
}

Tensor *t_gelu(Graph *g, Tensor *x)
{
    return record(g, "gelu", IN(x), NO_OPT);
}

Tensor *t_relu2(Graph *g, Tensor *x)
{
    return record(g, "relu2", IN(x), NO_OPT);
}

Tensor *t_silu(Graph *g, Tensor *x)
{
    return record(g, "silu", IN(x), NO_OPT);
}

Tensor *t_softcap(Graph *g, Tensor *x, float cap)
{
    return record(g, "softcap", IN(x), OPT(.cap = cap));
}

Tensor *t_dropout(Graph *g, Tensor *x, float p)
{
    uint64_t place = rand_name(g->scope);
    return record(g, "dropout", IN(x),
                  OPT(.p = p, .a = (int)(uint32_t)place, .b = (int)(uint32_t)(place >> 32)));
}

Tensor *t_rmsnorm(Graph *g, Tensor *x, Tensor *gain, float eps)
{
    return record(g, "rmsnorm", IN(x, gain), OPT(.eps = eps));
}

Tensor *t_layernorm(Graph *g, Tensor *x, Tensor *gain, Tensor *bias, float eps)
{
    return record(g, "layernorm", IN(x, gain, bias), OPT(.eps = eps));
}

Tensor *t_softmax(Graph *g, Tensor *x)
{
    return record(g, "softmax", IN(x), NO_OPT);
}

Tensor *t_gate(Graph *g, Tensor *x, Tensor *z, float scale)
{
    return record(g, "gate", IN(x, z), OPT(.scale = scale));
}

Tensor *t_linear(Graph *g, Tensor *x, Tensor *w, Tensor *bias)
{
    return record(g, "linear", IN(x, w, bias), NO_OPT);
}

Tensor *t_matmul(Graph *g, Tensor *a, Tensor *b, bool transpose_a, bool transpose_b)
{
    return record(g, "matmul", IN(a, b), OPT(.a = transpose_a, .b = transpose_b));
}

Tensor *t_embed(Graph *g, Tensor *tokens, Tensor *table)
{
    return record(g, "embed", IN(tokens, table), NO_OPT);
}

Tensor *t_rows(Graph *g, Tensor *x, Tensor *index)
{
    return record(g, "rows", IN(x, index), NO_OPT);
}

Tensor *t_rope(Graph *g, Tensor *x, Tensor *pos, float base, int rotary)
{
    return record(g, "rope", IN(x, pos), OPT(.base = base, .rotary = rotary));
}

Tensor *t_attention(Graph *g, Tensor *q, Tensor *k, Tensor *v, Tensor *doc, AttentionOpt o)
{
    return record(g, "attention", IN(q, k, v, o.pos, doc),
                  OPT(.scale = o.scale, .cap = o.cap, .window = o.window));
}

HeadLoss t_head_loss(Graph *g, Tensor *x, Tensor *w, Tensor *target, Tensor *weight, float cap)
{
    return t_head_loss_z(g, x, w, target, weight, OPT(.cap = cap));
}

HeadLoss t_head_loss_z(Graph *g, Tensor *x, Tensor *w, Tensor *target, Tensor *weight, OpOpt o)
{
    Node *n = op_record(g, "head_loss", IN(x, w, target, weight), o);
    return (HeadLoss){ n->out[0], n->out[1] };
}

HeadLoss t_head_loss_taught(Graph *g, Tensor *x, Tensor *w, Tensor *target, Tensor *weight, OpOpt o,
                            const HeadTeacher *by)
{
    if (!by) return t_head_loss_z(g, x, w, target, weight, o);
    o.x = by->heat;
    o.y = by->share;
    Tensor *in[] = { x, w, target, weight, by->token, by->soft, by->ref };
    Node *n = op_record(g, "head_loss", in, o);
    return (HeadLoss){ n->out[0], n->out[1] };
}

Tensor *t_sum_squares(Graph *g, Tensor *x)
{
    return record(g, "sum_squares", IN(x), NO_OPT);
}

Tensor *t_clip_factor(Graph *g, Tensor *sum_squares, int limit)
{
    return record(g, "clip_factor", IN(sum_squares), OPT(.a = limit));
}

Tensor *t_adamw(Graph *g, Tensor *w, Tensor *d_w, Tensor *m, Tensor *v, Tensor *clip, AdamwOpt o)
{
    return record(g, "adamw", IN(w, d_w, m, v, clip),
                  OPT(.x = o.b1, .y = o.b2, .eps = o.eps, .a = o.rate, .b = o.cautious));
}

Tensor *t_lion(Graph *g, Tensor *w, Tensor *d_w, Tensor *m, Tensor *clip, AdamwOpt o)
{
    return record(g, "lion", IN(w, d_w, m, clip),
                  OPT(.x = o.b1, .y = o.b2, .a = o.rate, .b = o.cautious));
}

Tensor *t_momentum(Graph *g, Tensor *m, Tensor *d_w, Tensor *clip, int mu, bool nesterov)
{
    return record(g, "momentum", IN(m, d_w, clip), OPT(.a = mu, .b = nesterov));
}

Tensor *t_apply(Graph *g, Tensor *w, Tensor *update, ApplyOpt o)
{
    return record(g, "apply", IN(w, update), OPT(.scale = o.scale, .a = o.rate, .b = o.cautious));
}

Tensor *t_average(Graph *g, Tensor *s, Tensor *x, int share)
{
    return record(g, "average", IN(s, x), OPT(.a = share));
}

Tensor *t_row_variance(Graph *g, Tensor *v, Tensor *u, float b2)
{
    return record(g, "row_variance", IN(v, u), OPT(.x = b2));
}

Tensor *t_adam_direction(Graph *g, Tensor *v, Tensor *grad, Tensor *m, AdamwOpt o)
{
    return record(g, "adam_direction", IN(v, grad, m), OPT(.x = o.b1, .y = o.b2, .eps = o.eps));
}

Tensor *t_eigenbasis(Graph *g, Tensor *q, Tensor *s, int every)
{
    return record(g, "eigenbasis", IN(q, s), OPT(.a = every));
}

Tensor *t_newton_schulz(Graph *g, Tensor *x, NewtonOpt o)
{
    return record(g, "newton_schulz", IN(x),
                  OPT(.a = o.steps, .b = (int)o.kind, .p = o.bounded ? 1 : 0));
}

Tensor *t_cache(Graph *g, Tensor *cache, Tensor *k, Tensor *pos)
{
    return cache ? record(g, "cache", IN(cache, k, pos), NO_OPT) : k;
}
