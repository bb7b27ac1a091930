/* gpt2_plain.h - GPT-2 as its paper and its published weights have it (Radford et al. 2019; Vaswani
 * et al. 2017; pre-norm, learned positions, GELU in its tanh form, tied head), forward and
 * backward, in double and in plain loops: one value after another, nothing fused, every derivative
 * derived by hand.  It shares no code with what it judges, but the names of the weights.
 *
 * N rows are B sequences of T; all activations of all layers are kept. */
#ifndef TESTS_GPT2_PLAIN_H
#define TESTS_GPT2_PLAIN_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Gpt2Size {
    int layers, width, heads, vocab, context, batch, length;
} Gpt2Size;

typedef struct Gpt2Weight {
    char name[64];
    int count;
    double *w, *d; /* value and gradient */
} Gpt2Weight;

enum { GPT2_WEIGHTS = 64 };

typedef struct Gpt2Block { /* (N, ...) each */
    double *in, *norm1, *stat1, *qkv, *p, *mix, *middle, *norm2, *stat2, *up, *act;
} Gpt2Block;

typedef struct Gpt2 {
    Gpt2Size s;
    Gpt2Weight weight[GPT2_WEIGHTS];
    int weights;
    const int *tokens, *targets; /* (N); a target below 0 is not counted */
    Gpt2Block block[8];
    double *last, *norm, *stat, *logits; /* (N, C), (N, C), (N, 2), (N, V) */
    double loss;                         /* the mean over all N rows, counted or not */
} Gpt2;

static inline double *gpt2_zeros(int n)
{
    double *x = calloc((size_t)n, sizeof(*x));
    if (!x) abort();
    return x;
}

static inline void gpt2_add_weight(Gpt2 *m, const char *name, int count)
{
    Gpt2Weight *w = &m->weight[m->weights++];
    snprintf(w->name, sizeof(w->name), "%s", name);
    w->count = count, w->w = gpt2_zeros(count), w->d = gpt2_zeros(count);
}

static inline void gpt2_open(Gpt2 *m, Gpt2Size s)
{
    static const char *const name[] = { "norm1.gain",    "norm1.bias",       "attn.qkv.weight",
                                        "attn.qkv.bias", "attn.proj.weight", "attn.proj.bias",
                                        "norm2.gain",    "norm2.bias",       "mlp.up.weight",
                                        "mlp.up.bias",   "mlp.down.weight",  "mlp.down.bias" };
    int C = s.width,
        size[] = { C, C, 3 * C * C, 3 * C, C * C, C, C, C, 4 * C * C, 4 * C, 4 * C * C, C };
    *m = (Gpt2){ .s = s };
    gpt2_add_weight(m, "embed.weight", s.vocab * C);
    gpt2_add_weight(m, "position.weight", s.context * C);
    for (int l = 0; l < s.layers; l++)
        for (int i = 0; i < 12; i++) {
            char full[64];
            snprintf(full, sizeof(full), "block.%d.%s", l, name[i]);
            gpt2_add_weight(m, full, size[i]);
        }
    gpt2_add_weight(m, "norm.gain", C);
    gpt2_add_weight(m, "norm.bias", C);
}

static inline Gpt2Weight *gpt2_weight(Gpt2 *m, const char *name)
{
    for (int i = 0; i < m->weights; i++)
        if (!strcmp(m->weight[i].name, name)) return &m->weight[i];
    return NULL;
}

/* The weight "block.l.name", or "name" where l < 0. */
static inline Gpt2Weight *gpt2_at(Gpt2 *m, int l, const char *name)
{
    char full[64];
    if (l < 0) return gpt2_weight(m, name);
    snprintf(full, sizeof(full), "block.%d.%s", l, name);
    return gpt2_weight(m, full);
}

static inline int gpt2_rows(const Gpt2 *m)
{
    return m->s.batch * m->s.length;
}

/* ---- parts, forward and backward ---- */

/* y (n, out) = x (n, in) w^T + b */
static inline void gpt2_linear(double *y, const double *x, const Gpt2Weight *w, const Gpt2Weight *b,
                               int n, int in, int out)
{
    for (int i = 0; i < n; i++)
        for (int o = 0; o < out; o++) {
            double sum = b ? b->w[o] : 0;
            for (int k = 0; k < in; k++) sum += x[i * in + k] * w->w[o * in + k];
            y[i * out + o] = sum;
        }
}

static inline void gpt2_linear_back(double *d_x, const double *d_y, const double *x, Gpt2Weight *w,
                                    Gpt2Weight *b, int n, int in, int out)
{
    for (int i = 0; i < n; i++)
        for (int o = 0; o < out; o++) {
            double d = d_y[i * out + o];
            if (b) b->d[o] += d;
            for (int k = 0; k < in; k++) {
                w->d[o * in + k] += d * x[i * in + k];
                d_x[i * in + k] += d * w->w[o * in + k];
            }
        }
}

/* stat: mean and 1 / sqrt(variance + 1e-5) of each row */
static inline void gpt2_norm(double *y, double *stat, const double *x, const Gpt2Weight *gain,
                             const Gpt2Weight *bias, int n, int C)
{
    for (int i = 0; i < n; i++, x += C, y += C, stat += 2) {
        double mean = 0, var = 0;
        for (int c = 0; c < C; c++) mean += x[c] / C;
        for (int c = 0; c < C; c++) var += (x[c] - mean) * (x[c] - mean) / C;
        stat[0] = mean, stat[1] = 1 / sqrt(var + 1e-5);
        for (int c = 0; c < C; c++) y[c] = (x[c] - mean) * stat[1] * gain->w[c] + bias->w[c];
    }
}

static inline void gpt2_norm_back(double *d_x, const double *d_y, const double *x,
                                  const double *stat, Gpt2Weight *gain, Gpt2Weight *bias, int n,
                                  int C)
{
    for (int i = 0; i < n; i++, x += C, d_x += C, d_y += C, stat += 2) {
        double sum = 0, along = 0;
        for (int c = 0; c < C; c++) {
            double h = (x[c] - stat[0]) * stat[1], g = d_y[c] * gain->w[c];
            gain->d[c] += d_y[c] * h;
            bias->d[c] += d_y[c];
            sum += g / C, along += g * h / C;
        }
        for (int c = 0; c < C; c++) {
            double h = (x[c] - stat[0]) * stat[1], g = d_y[c] * gain->w[c];
            d_x[c] += stat[1] * (g - sum - h * along);
        }
    }
}

static inline double gpt2_gelu(double x)
{
    return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

static inline double gpt2_gelu_slope(double x)
{
    double k = sqrt(2 / M_PI), t = tanh(k * (x + 0.044715 * x * x * x));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * k * (1 + 3 * 0.044715 * x * x);
}

/* Head h of row i: q, k or v (which 0, 1, 2) in qkv (N, 3, H, D). */
static inline double *gpt2_head(const Gpt2 *m, double *qkv, int i, int which, int h)
{
    int C = m->s.width;
    return qkv + (i * 3 + which) * C + h * (C / m->s.heads);
}

/* p (N, H, T): probabilities of the keys of the row's own sequence. */
static inline void gpt2_attend(const Gpt2 *m, double *mix, double *p, double *qkv)
{
    int T = m->s.length, H = m->s.heads, D = m->s.width / H;
    for (int i = 0; i < gpt2_rows(m); i++)
        for (int h = 0; h < H; h++) {
            int first = i / T * T, t = i % T;
            double *row = p + (i * H + h) * T, *out = mix + i * m->s.width + h * D, sum = 0;
            for (int j = 0; j <= t; j++) {
                double dot = 0;
                for (int k = 0; k < D; k++)
                    dot += gpt2_head(m, qkv, i, 0, h)[k] * gpt2_head(m, qkv, first + j, 1, h)[k];
                row[j] = exp(dot / sqrt((double)D));
                sum += row[j];
            }
            for (int j = 0; j <= t; j++) {
                row[j] /= sum;
                for (int k = 0; k < D; k++)
                    out[k] += row[j] * gpt2_head(m, qkv, first + j, 2, h)[k];
            }
        }
}

static inline void gpt2_attend_back(const Gpt2 *m, double *d_qkv, const double *d_mix,
                                    const double *p, double *qkv)
{
    int T = m->s.length, H = m->s.heads, D = m->s.width / H;
    double *d_p = gpt2_zeros(T);
    for (int i = 0; i < gpt2_rows(m); i++)
        for (int h = 0; h < H; h++) {
            int first = i / T * T, t = i % T;
            const double *row = p + (i * H + h) * T, *d_out = d_mix + i * m->s.width + h * D;
            double mean = 0;
            for (int j = 0; j <= t; j++) {
                d_p[j] = 0;
                for (int k = 0; k < D; k++) {
                    d_p[j] += d_out[k] * gpt2_head(m, qkv, first + j, 2, h)[k];
                    gpt2_head(m, d_qkv, first + j, 2, h)[k] += row[j] * d_out[k];
                }
                mean += row[j] * d_p[j];
            }
            for (int j = 0; j <= t; j++) {
                double d_z = row[j] * (d_p[j] - mean) / sqrt((double)D);
                for (int k = 0; k < D; k++) {
                    gpt2_head(m, d_qkv, i, 0, h)[k] += d_z * gpt2_head(m, qkv, first + j, 1, h)[k];
                    gpt2_head(m, d_qkv, first + j, 1, h)[k] += d_z * gpt2_head(m, qkv, i, 0, h)[k];
                }
            }
        }
    free(d_p);
}

/* ---- the whole ---- */

static inline void gpt2_block_forward(Gpt2 *m, int l, double *out)
{
    int n = gpt2_rows(m), C = m->s.width;
    Gpt2Block *b = &m->block[l];
    b->norm1 = gpt2_zeros(n * C), b->stat1 = gpt2_zeros(2 * n), b->qkv = gpt2_zeros(3 * n * C);
    b->p = gpt2_zeros(n * m->s.heads * m->s.length), b->mix = gpt2_zeros(n * C);
    b->middle = gpt2_zeros(n * C), b->norm2 = gpt2_zeros(n * C), b->stat2 = gpt2_zeros(2 * n);
    b->up = gpt2_zeros(4 * n * C), b->act = gpt2_zeros(4 * n * C);
    gpt2_norm(b->norm1, b->stat1, b->in, gpt2_at(m, l, "norm1.gain"), gpt2_at(m, l, "norm1.bias"),
              n, C);
    gpt2_linear(b->qkv, b->norm1, gpt2_at(m, l, "attn.qkv.weight"), gpt2_at(m, l, "attn.qkv.bias"),
                n, C, 3 * C);
    gpt2_attend(m, b->mix, b->p, b->qkv);
    gpt2_linear(b->middle, b->mix, gpt2_at(m, l, "attn.proj.weight"),
                gpt2_at(m, l, "attn.proj.bias"), n, C, C);
    for (int i = 0; i < n * C; i++) b->middle[i] += b->in[i];
    gpt2_norm(b->norm2, b->stat2, b->middle, gpt2_at(m, l, "norm2.gain"),
              gpt2_at(m, l, "norm2.bias"), n, C);
    gpt2_linear(b->up, b->norm2, gpt2_at(m, l, "mlp.up.weight"), gpt2_at(m, l, "mlp.up.bias"), n, C,
                4 * C);
    for (int i = 0; i < 4 * n * C; i++) b->act[i] = gpt2_gelu(b->up[i]);
    gpt2_linear(out, b->act, gpt2_at(m, l, "mlp.down.weight"), gpt2_at(m, l, "mlp.down.bias"), n,
                4 * C, C);
    for (int i = 0; i < n * C; i++) out[i] += b->middle[i];
}

/* d holds the gradient of the block's result, and then that of what it read. */
static inline void gpt2_block_backward(Gpt2 *m, int l, double *d)
{
    int n = gpt2_rows(m), C = m->s.width;
    Gpt2Block *b = &m->block[l];
    double *d_up = gpt2_zeros(4 * n * C), *d_norm = gpt2_zeros(n * C), *d_mix = gpt2_zeros(n * C);
    double *d_qkv = gpt2_zeros(3 * n * C);
    gpt2_linear_back(d_up, d, b->act, gpt2_at(m, l, "mlp.down.weight"),
                     gpt2_at(m, l, "mlp.down.bias"), n, 4 * C, C);
    for (int i = 0; i < 4 * n * C; i++) d_up[i] *= gpt2_gelu_slope(b->up[i]);
    gpt2_linear_back(d_norm, d_up, b->norm2, gpt2_at(m, l, "mlp.up.weight"),
                     gpt2_at(m, l, "mlp.up.bias"), n, C, 4 * C);
    gpt2_norm_back(d, d_norm, b->middle, b->stat2, gpt2_at(m, l, "norm2.gain"),
                   gpt2_at(m, l, "norm2.bias"), n, C);
    gpt2_linear_back(d_mix, d, b->mix, gpt2_at(m, l, "attn.proj.weight"),
                     gpt2_at(m, l, "attn.proj.bias"), n, C, C);
    gpt2_attend_back(m, d_qkv, d_mix, b->p, b->qkv);
    memset(d_norm, 0, (size_t)(n * C) * sizeof(double));
    gpt2_linear_back(d_norm, d_qkv, b->norm1, gpt2_at(m, l, "attn.qkv.weight"),
                     gpt2_at(m, l, "attn.qkv.bias"), n, C, 3 * C);
    gpt2_norm_back(d, d_norm, b->in, b->stat1, gpt2_at(m, l, "norm1.gain"),
                   gpt2_at(m, l, "norm1.bias"), n, C);
    free(d_up), free(d_norm), free(d_mix), free(d_qkv);
}

static inline void gpt2_forward(Gpt2 *m)
{
    int n = gpt2_rows(m), C = m->s.width;
    const double *embed = gpt2_weight(m, "embed.weight")->w,
                 *pos = gpt2_weight(m, "position.weight")->w;
    m->block[0].in = gpt2_zeros(n * C);
    for (int i = 0; i < n * C; i++)
        m->block[0].in[i] =
            embed[m->tokens[i / C] * C + i % C] + pos[i / C % m->s.length * C + i % C];
    m->last = gpt2_zeros(n * C);
    for (int l = 0; l < m->s.layers; l++) {
        double *out = l + 1 < m->s.layers ? (m->block[l + 1].in = gpt2_zeros(n * C)) : m->last;
        gpt2_block_forward(m, l, out);
    }
    m->norm = gpt2_zeros(n * C), m->stat = gpt2_zeros(2 * n),
    m->logits = gpt2_zeros(n * m->s.vocab);
    gpt2_norm(m->norm, m->stat, m->last, gpt2_weight(m, "norm.gain"), gpt2_weight(m, "norm.bias"),
              n, C);
    gpt2_linear(m->logits, m->norm, gpt2_weight(m, "embed.weight"), NULL, n, C, m->s.vocab);
}

/* The loss, and into d_logits (N, V) its gradient. */
static inline void gpt2_cross_entropy(Gpt2 *m, double *d_logits)
{
    int n = gpt2_rows(m), V = m->s.vocab;
    for (int i = 0; i < n; i++) {
        double sum = 0, *z = m->logits + i * V, *d = d_logits + i * V;
        if (m->targets[i] < 0) continue;
        for (int v = 0; v < V; v++) sum += exp(z[v]);
        m->loss += (log(sum) - z[m->targets[i]]) / n;
        for (int v = 0; v < V; v++) d[v] = (exp(z[v]) / sum - (v == m->targets[i])) / n;
    }
}

static inline void gpt2_run(Gpt2 *m)
{
    int n = gpt2_rows(m), C = m->s.width;
    gpt2_forward(m);
    double *d_logits = gpt2_zeros(n * m->s.vocab), *d_norm = gpt2_zeros(n * C),
           *d = gpt2_zeros(n * C);
    Gpt2Weight *embed = gpt2_weight(m, "embed.weight");
    gpt2_cross_entropy(m, d_logits);
    gpt2_linear_back(d_norm, d_logits, m->norm, embed, NULL, n, C, m->s.vocab);
    gpt2_norm_back(d, d_norm, m->last, m->stat, gpt2_weight(m, "norm.gain"),
                   gpt2_weight(m, "norm.bias"), n, C);
    for (int l = m->s.layers - 1; l >= 0; l--) gpt2_block_backward(m, l, d);
    for (int i = 0; i < n * C; i++) {
        embed->d[m->tokens[i / C] * C + i % C] += d[i];
        gpt2_weight(m, "position.weight")->d[i / C % m->s.length * C + i % C] += d[i];
    }
    free(d_logits), free(d_norm), free(d);
}

static inline void gpt2_free_values(Gpt2 *m)
{
    for (int l = 0; l < m->s.layers; l++) {
        Gpt2Block *b = &m->block[l];
        double *all[] = { b->in,     b->norm1, b->stat1, b->qkv, b->p,  b->mix,
                          b->middle, b->norm2, b->stat2, b->up,  b->act };
        for (int i = 0; i < (int)(sizeof(all) / sizeof(*all)); i++) free(all[i]);
    }
    free(m->last), free(m->norm), free(m->stat), free(m->logits);
}

static inline void gpt2_close(Gpt2 *m)
{
    for (int i = 0; i < m->weights; i++) free(m->weight[i].w), free(m->weight[i].d);
    gpt2_free_values(m);
}

#endif
