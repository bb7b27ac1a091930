/* look_inside.c - numbers from the inside of a model: attention by head, hidden units, the stream
 * of residuals, losses of single tokens, logits.
 *
 * All of it on a few positions of the rows that a look runs: eight queries, 64 token states. Shares
 * of units are of these tokens alone, so a unit that is dead in one look may be alive in the next;
 * who judges takes the least of several looks. */
#include <math.h>
#include <stdlib.h>

#include "train/look_inside.h"

enum { QUERIES = 8, STATES = 64, TOKENS_MOST = 4096 };

/* ---- attention */

typedef struct Head {
    double entropy, logit, out2;
    int queries;
} Head;

static float dot(const float *a, const float *b, ptrdiff_t n)
{
    float sum = 0;
    for (ptrdiff_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* Query t of row 0 in head h: logits over what it sees. */
static void see_query(const Look *l, const Node *n, ptrdiff_t t, int h, Head *out)
{
    const Tensor *q = n->in[LOOK_Q], *k = n->in[LOOK_K];
    ptrdiff_t D = q->dim[3], group = q->dim[2] / k->dim[2];
    ptrdiff_t first = n->opt.window > 0 ? MAX(0, t - n->opt.window + 1) : 0;
    const float *query = (const float *)plan_at(l->plan, q) + t * q->stride[1] + h * q->stride[2];
    const float *keys = (const float *)plan_at(l->plan, k) + h / group * k->stride[2];
    const int32_t *doc = l->doc ? plan_at(l->plan, l->doc) : NULL;
    double scale = n->opt.scale != 0 ? (double)n->opt.scale : 1 / sqrt((double)D);
    double high = -HUGE_VAL, sum = 0, weighed = 0; /* a running softmax */
    int seen = 0;
    for (ptrdiff_t s = first; s <= t; s++) {
        if (doc && doc[s] != doc[t]) continue;
        double z = scale * (double)dot(query, keys + s * k->stride[1], D);
        out->logit = fmax(out->logit, fabs(z));
        if (z > high) {
            double shrink = exp(high - z);
            sum *= shrink, weighed *= shrink, high = z;
        }
        sum += exp(z - high);
        weighed += exp(z - high) * z;
        seen++;
    }
    if (seen < 4 || !isfinite(sum)) return;
    out->entropy += (log(sum) + high - weighed / sum) / log(seen);
    out->queries++;
}

static void see_attention(Look *l, int i)
{
    const Node *n = l->attention[i];
    const Tensor *y = n->out[0]; // (rows, T, H, D)
    ptrdiff_t T = l->o.context, D = y->dim[3];
    const float *out = plan_at(l->plan, y);
    for (int h = 0; h < l->o.model->heads; h++) {
        const char *name = l->head_name[i * l->o.model->heads + h];
        Head head = { 0 };
        for (ptrdiff_t k = 0; k < QUERIES; k++) {
            ptrdiff_t t = (k + 1) * T / QUERIES - 1;
            const float *row = out + t * y->stride[1] + h * y->stride[2];
            if (t < 0) continue;
            see_query(l, n, t, h, &head);
            head.out2 += (double)dot(row, row, D) / (double)D;
        }
        if (head.queries > 0) look_say(l, SIG_ENTROPY, name, head.entropy / head.queries);
        look_say(l, SIG_LOGIT, name, head.logit);
        look_say(l, SIG_HEADOUT, name, sqrt(head.out2 / QUERIES));
    }
}

/* ---- hidden units */

static void see_units(Look *l, int i)
{
    const Tensor *x = l->hidden[i]; // (rows, T, F)
    const float *at = plan_at(l->plan, x);
    ptrdiff_t F = tensor_last(x), rows = MIN(tensor_rows(x), 256);
    Arena scratch = *l->home;
    int *moved = NEW(&scratch, int, F), *on = NEW(&scratch, int, F), dead = 0, busy = 0;
    double sum = 0;
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float *row = at + tensor_row_at(x, r);
        sum += (double)dot(row, row, F);
    }
    float least = (float)(1e-3 * sqrt(sum / (double)(rows * F)));
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float *row = at + tensor_row_at(x, r);
        for (ptrdiff_t f = 0; f < F; f++) moved[f] += fabsf(row[f]) > least, on[f] += row[f] > 0;
    }
    for (ptrdiff_t f = 0; f < F; f++) dead += moved[f] == 0, busy += on[f] > 0.95 * (double)rows;
    look_say(l, SIG_DEAD, l->block_name[i], (double)dead / (double)F);
    look_say(l, SIG_BUSY, l->block_name[i], (double)busy / (double)F);
}

/* ---- the stream */

static void see_stream(Look *l, int i)
{
    const Tensor *x = l->stream[i]; // (rows, T, C)
    const float *at = plan_at(l->plan, x);
    double sum = 0;
    float most = 0;
    ptrdiff_t C = tensor_last(x), rows = MIN(tensor_rows(x), 256);
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float *row = at + tensor_row_at(x, r);
        sum += (double)dot(row, row, C);
        for (ptrdiff_t c = 0; c < C; c++) most = MAX(most, fabsf(row[c]));
    }
    look_say(l, SIG_STREAM, l->block_name[i], sqrt(sum / (double)(rows * C)));
    look_say(l, SIG_EXTREME, l->block_name[i], (double)most);
}

/* Likeness and rank of token states behind the last block. */
static void see_states(Look *l)
{
    const Tensor *x = l->stream[l->o.model->depth - 1];
    const float *at = plan_at(l->plan, x);
    ptrdiff_t C = tensor_last(x);
    int n = (int)MIN(STATES, tensor_rows(x));
    double sum = 0, squares = 0, norm[STATES];
    for (int i = 0; i < n; i++) {
        const float *row = at + tensor_row_at(x, i);
        norm[i] = sqrt((double)dot(row, row, C));
    }
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++) {
            double c = (double)dot(at + tensor_row_at(x, i), at + tensor_row_at(x, k), C);
            c /= norm[i] * norm[k];
            sum += c;
            squares += c * c;
        }
    }
    if (n < 2 || !isfinite(sum)) return;
    look_say(l, SIG_COSINE, "", 2 * sum / ((double)n * (n - 1)));
    look_say(l, SIG_RANK, "", (double)n * n / (n + 2 * squares) / (double)MIN(n, C));
}

/* ---- the output */

static int rising(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void see_losses(Look *l)
{
    const float *nll = plan_at(l->plan, l->nll);
    int T = l->o.context, n = MIN(l->rows * T, TOKENS_MOST);
    Arena scratch = *l->home;
    float *sorted = NEW(&scratch, float, n);
    double early = 0, late = 0;
    int earlies = 0, lates = 0;
    for (int i = 0; i < n; i++) {
        sorted[i] = nll[i];
        if (i % T < MAX(T / 8, 1)) early += (double)nll[i], earlies++;
        if (i % T >= T / 2) late += (double)nll[i], lates++;
    }
    qsort(sorted, (size_t)n, sizeof *sorted, rising);
    look_say(l, SIG_MEDIAN, "", (double)sorted[n / 2]);
    look_say(l, SIG_TAIL, "", (double)sorted[n * 19 / 20]);
    look_say(l, SIG_EARLY, "", early / earlies);
    if (lates > 0) look_say(l, SIG_LATE, "", late / lates);
}

static void see_logits(Look *l)
{
    const float *z = plan_at(l->plan, l->logits); // (picks, V)
    ptrdiff_t V = tensor_last(l->logits);
    double mean = 0;
    for (int r = 0; r < l->picks; r++, z += V) {
        double high = (double)z[0], sum = 0;
        for (ptrdiff_t v = 1; v < V; v++) high = fmax(high, (double)z[v]);
        for (ptrdiff_t v = 0; v < V; v++) sum += (double)expf((float)((double)z[v] - high));
        mean += (high + log(sum)) / l->picks;
    }
    look_say(l, SIG_LOGZ, "", mean);
}

void look_inside(Look *l)
{
    for (int i = 0; i < l->attentions; i++) see_attention(l, i);
    for (int i = 0; i < l->hiddens; i++) see_units(l, i);
    for (int i = 0; i < l->o.model->depth; i++) see_stream(l, i);
    see_states(l);
    see_losses(l);
    see_logits(l);
}
