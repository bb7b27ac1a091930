/* documents.c - per-token losses of training text, for whoever chooses among it.
 *
 * Rows of one document each are gathered until a batch is full, as score.c does for held-out text,
 * and asked at once; but every loss is kept, because the use is to compare: a document with the
 * rest of its data set, or one checkpoint with another on the same tokens. */
#include "judge/documents.h"

#include <string.h>

#include "base/clock.h"
#include "base/progress.h"
#include "data/scores.h"

enum { TOKENS_AT_ONCE = 4096 };

typedef struct Asking {
    const Predictor *p;
    int rows, used;            /* room in the batch; rows filled */
    int32_t *tokens, *targets; /* (rows, context) */
    double *nll;               /* (rows, context) */
    Buf losses;                /* float32 of the document at work */
} Asking;

static bool flush(Asking *a, Err *err)
{
    int C = a->p->context;
    if (a->used == 0) return true;
    if (stop_asked()) return err_set(err, ERR_STOPPED, "stopped while scoring documents");
    if (!a->p->nll(a->p->self, a->tokens, a->targets, a->used, C, a->nll, err)) return false;
    for (ptrdiff_t i = 0; i < (ptrdiff_t)a->used * C; i++) {
        float loss = (float)a->nll[i];
        if (a->targets[i] >= 0) buf_put(&a->losses, &loss, sizeof(loss));
    }
    a->used = 0;
    return true;
}

/* Targets ids[from...] of one row; before the first stands `before`. */
static void fill_row(Asking *a, const int32_t *ids, ptrdiff_t n, ptrdiff_t from, int32_t before)
{
    int C = a->p->context;
    int32_t *x = a->tokens + (ptrdiff_t)a->used * C, *y = a->targets + (ptrdiff_t)a->used * C;
    for (ptrdiff_t i = 0; i < C; i++) {
        bool there = from + i < n;
        x[i] = there ? (from + i > 0 ? ids[from + i - 1] : before) : before;
        y[i] = there ? ids[from + i] : -1;
    }
    a->used++;
}

static bool score_one(Asking *a, Str doc, Buf *ids, Err *err)
{
    int32_t end = tokenizer_end(a->p->tokenizer);
    buf_clear(ids);
    buf_clear(&a->losses);
    tokenizer_encode(a->p->tokenizer, doc, ids);
    ptrdiff_t n = ids->len / (ptrdiff_t)sizeof(int32_t);
    for (ptrdiff_t from = 0; from < n; from += a->p->context) {
        fill_row(a, (const int32_t *)(const void *)ids->at, n, from, end);
        if (a->used == a->rows && !flush(a, err)) return false;
    }
    return flush(a, err);
}

static bool score_all(const Docs *docs, Asking *a, ScoresOut *out, Err *err)
{
    Progress bar = progress_begin("scoring", "bytes", (double)docs->bytes);
    Buf ids = { 0 };
    int64_t bytes = 0;
    bool ok = true;
    for (int64_t i = 0; ok && i < docs->count; i++) {
        Str doc = docs_get(docs, i);
        ok = score_one(a, doc, &ids, err) &&
             scoresout_add(out, (const float *)(const void *)a->losses.at,
                           a->losses.len / (ptrdiff_t)sizeof(float), err);
        progress_tick(&bar, (double)(bytes += doc.len), "");
    }
    progress_end(&bar);
    buf_free(&ids);
    return ok;
}

bool documents_score(const Docs *docs, const Predictor *p, const char *path, const char *run,
                     Err *err)
{
    int most = MAX(1, TOKENS_AT_ONCE / p->context);
    Asking a = { .p = p, .rows = p->rows > 0 ? p->rows : most };
    ptrdiff_t cells = (ptrdiff_t)a.rows * p->context;
    Arena scratch = arena_reserve(32 * cells + (1 << 16));
    ScoresOut out = { 0 };
    a.tokens = NEW(&scratch, int32_t, cells);
    a.targets = NEW(&scratch, int32_t, cells);
    a.nll = NEW(&scratch, double, cells);
    bool ok = scoresout_open(&out, path, docs->count, err) && score_all(docs, &a, &out, err) &&
              scoresout_commit(&out, docs->sha256, run, err);
    scoresout_drop(&out);
    buf_free(&a.losses);
    arena_release(&scratch);
    return ok;
}

static bool ask_model(void *self, const int32_t *tokens, const int32_t *targets, int rows,
                      int length, double *nll, Err *err)
{
    return trained_nll(self, tokens, targets, rows, length, nll, err);
}

bool documents_score_model(const Docs *docs, Trained *t, const char *path, const char *run,
                           Err *err)
{
    Predictor p = { .self = t,
                    .tokenizer = trained_tokenizer(t),
                    .context = trained_context(t),
                    .nll = ask_model };
    return documents_score(docs, &p, path, run, err);
}
