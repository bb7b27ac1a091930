/* score.c - bits per byte of any predictor on held-out text.
 *
 * A document of n tokens becomes the sequence end-of-text, t1 ... tn and is cut into rows of
 * `context` targets: row k predicts t(kC+1) ... t(kC+C) and sees from its own first token on, so
 * the first target of a later row has one token before it.  Overlapping windows would give every
 * token at least half a context and a bpb some percent lower, for twice the work; since every
 * arm is measured alike and scoring is paid on every run, rows do not overlap.  What it costs is
 * that a longer context gains a little more here than it would with a sliding window.
 *
 * Every row holds text of one document only and is padded with targets of -1: nothing depends on
 * which documents are neighbours.
 *
 * A token's bits belong to the block where its first byte lies.  The text of all sources, end to
 * end in the order they were named, is cut into blocks of equal length in bytes; their borders
 * come from the length alone and are the same for every model and tokenizer.  256 blocks where
 * each has 256 bytes or more; smaller blocks would be little more than words, whose errors go
 * together, and the jackknife would promise too much.
 *
 * Sums are made token by token in the order of the text, in double, so the number of rows given
 * to the model at once changes no bit. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "judge/judge.h"
#include "science/stats.h"

enum { BLOCKS = 256, BLOCK_BYTES = 256, TOKENS_AT_ONCE = 4096 };

int judge_blocks(int64_t bytes)
{
    return (int)MAX(1, MIN(BLOCKS, bytes / BLOCK_BYTES));
}

/* The smallest byte x with x * n / bytes == b. */
int64_t judge_block_start(int64_t bytes, int n, int b)
{
    return (b * bytes + n - 1) / n;
}

typedef struct Scorer {
    const Predictor *p;
    JudgeScore *score;
    double *source_bits;       /* of the source that is being read */
    int rows, used;            /* room in the batch; rows filled */
    int column;                /* targets in the row that is being filled */
    int32_t *tokens, *targets; /* (rows, context) */
    int64_t *place;            /* (rows, context): first byte of the target in the whole text */
    double *nll;               /* (rows, context) */
    Buf ids;
} Scorer;

static void scorer_open(Scorer *s, const Predictor *p, JudgeScore *score, Arena *out)
{
    int most = MAX(1, TOKENS_AT_ONCE / p->context);
    *s = (Scorer){ .p = p, .score = score, .rows = p->rows > 0 ? p->rows : most };
    ptrdiff_t cells = (ptrdiff_t)s->rows * p->context;
    s->tokens = NEW(out, int32_t, cells);
    s->targets = NEW(out, int32_t, cells);
    s->place = NEW(out, int64_t, cells);
    s->nll = NEW(out, double, cells);
}

static void count_bits(Scorer *s, double bits, int64_t place)
{
    JudgeScore *score = s->score;
    score->bits[place * score->blocks / score->bytes] += bits;
    *s->source_bits += bits;
    score->tokens++;
}

static bool flush(Scorer *s, Err *err)
{
    const double ln2 = 0.693147180559945309417232121458;
    int C = s->p->context, rows = s->used + (s->column > 0);
    if (rows == 0) return true;
    if (stop_asked()) return err_set(err, ERR_STOPPED, "stopped while judging");
    if (!s->p->nll(s->p->self, s->tokens, s->targets, rows, C, s->nll, err)) return false;
    for (ptrdiff_t i = 0; i < (ptrdiff_t)rows * C; i++)
        if (s->targets[i] >= 0) count_bits(s, s->nll[i] / ln2, s->place[i]);
    s->used = s->column = 0;
    return true;
}

static void pad_row(Scorer *s)
{
    int C = s->p->context;
    for (int i = 0; i < C; i++) {
        s->tokens[(ptrdiff_t)s->used * C + i] = tokenizer_end(s->p->tokenizer);
        s->targets[(ptrdiff_t)s->used * C + i] = -1;
    }
}

/* The row is complete, or its document is. */
static bool end_row(Scorer *s, Err *err)
{
    if (s->column == 0) return true;
    s->used++;
    s->column = 0;
    return s->used < s->rows || flush(s, err);
}

static bool score_document(Scorer *s, Str doc, int64_t begin, Err *err)
{
    const Tokenizer *t = s->p->tokenizer;
    int C = s->p->context;
    buf_clear(&s->ids);
    tokenizer_encode(t, doc, &s->ids);
    ptrdiff_t n = s->ids.len / (ptrdiff_t)sizeof(int32_t);
    int32_t last = tokenizer_end(t), id;
    int64_t place = begin;
    for (ptrdiff_t i = 0; i < n; i++) {
        memcpy(&id, s->ids.at + i * (ptrdiff_t)sizeof(id), sizeof(id));
        if (s->column == 0) pad_row(s);
        ptrdiff_t cell = (ptrdiff_t)s->used * C + s->column++;
        s->tokens[cell] = last;
        s->targets[cell] = id;
        s->place[cell] = place;
        place += tokenizer_bytes_of(t, id).len;
        last = id;
        if (s->column == C && !end_row(s, err)) return false;
    }
    CHECK(place == begin + doc.len, "the tokenizer lost bytes of a document");
    return end_row(s, err);
}

static bool score_source(Scorer *s, const Docs *docs, int64_t begin, double *bits, Err *err)
{
    *bits = 0;
    s->source_bits = bits;
    for (int64_t i = 0; i < docs->count; i++) {
        Str doc = docs_get(docs, i);
        if (!score_document(s, doc, begin, err)) return false;
        begin += doc.len;
    }
    return flush(s, err); /* before the next source: its bits are its own */
}

/* ---- the text ---- */

typedef struct Tier {
    Docs docs[MIXTURE_MAX];
    int n;
} Tier;

static void tier_close(Tier *t)
{
    for (int i = 0; i < t->n; i++) docs_close(&t->docs[i]);
}

/* The text is compared with its hash each time: a score on altered text is no score. */
static bool tier_open(Tier *t, const JudgeText *text, Arena scratch, Err *err)
{
    CHECK(text->n_sources > 0 && text->n_sources <= MIXTURE_MAX, "%d sources", text->n_sources);
    for (t->n = 0; t->n < text->n_sources; t->n++) {
        char *stem = corpus_tier_stem(text->lab, text->sources[t->n], text->tier, &scratch);
        Docs *d = &t->docs[t->n];
        bool open = docs_open(d, stem, err);
        if (open && docs_check(d, stem, err)) continue;
        if (open) docs_close(d);
        tier_close(t);
        return err_wrap(err, "the %s tier of %s", tier_name[text->tier], text->sources[t->n]);
    }
    return true;
}

static void measure(const Tier *t, JudgeScore *score, Arena *out)
{
    Sha256 sha;
    sha256_begin(&sha);
    score->n_sources = t->n;
    for (int i = 0; i < t->n; i++) {
        score->bytes += t->docs[i].bytes;
        score->documents += t->docs[i].count;
        sha256_add(&sha, t->docs[i].sha256, 64);
        sha256_add(&sha, "\n", 1);
    }
    sha256_end_hex(&sha, score->text_sha256);
    score->blocks = judge_blocks(score->bytes);
    score->bits = NEW(out, double, score->blocks);
    score->block_bytes = NEW(out, double, score->blocks);
    for (int b = 0; b < score->blocks; b++)
        score->block_bytes[b] = (double)(judge_block_start(score->bytes, score->blocks, b + 1) -
                                         judge_block_start(score->bytes, score->blocks, b));
}

static bool score_tier(const Tier *t, Scorer *s, Err *err)
{
    JudgeScore *score = s->score;
    double bits[MIXTURE_MAX], all = 0;
    int64_t begin = 0;
    for (int i = 0; i < t->n; i++) {
        if (!score_source(s, &t->docs[i], begin, &bits[i], err)) return false;
        begin += t->docs[i].bytes;
        score->source_bpb[i] = t->docs[i].bytes ? bits[i] / (double)t->docs[i].bytes : (double)NAN;
        all += bits[i];
    }
    score->bpb = all / (double)score->bytes;
    score->error = stat_jackknife(score->bits, score->block_bytes, score->blocks);
    return true;
}

bool judge_score_with(const JudgeText *text, const Predictor *p, Arena *out, JudgeScore *score,
                      Err *err)
{
    Tier tier = { 0 };
    *score = (JudgeScore){ 0 };
    if (!tier_open(&tier, text, *out, err)) return false;
    measure(&tier, score, out);
    Arena mark = *out;
    bool ok = score->bytes > 0;
    if (!ok)
        err_set(err, ERR_CONFIG,
                "the %s tier of %s%s holds no text: add more text with `lathe data add`",
                tier_name[text->tier], text->sources[0], text->n_sources > 1 ? " and others" : "");
    Scorer s;
    scorer_open(&s, p, score, out);
    if (ok) ok = score_tier(&tier, &s, err);
    buf_free(&s.ids);
    arena_rewind(out, mark);
    tier_close(&tier);
    return ok;
}
