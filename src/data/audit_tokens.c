/* audit_tokens.c - what a tokenizer makes of the text (`--tokenizer FILE`).
 *
 * Two pathologies.  A document that costs more than twice as many tokens a byte as the median is
 * text that the vocabulary was not made for: it eats context and budget, whatever else it is.  And
 * ids that never occur are rows of the embedding that are never trained; a vocabulary of which a
 * tenth is unused is too large for this text.  Both are so by definition; what they cost is for the
 * experiment, or for a smaller vocabulary. */
#include <stdlib.h>

#include "data/audit_inside.h"

enum { FEWEST = 400 }; /* bytes to judge a document by */
static const double times = 2, unused_share = 0.1;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Tokens a byte of each document, 0 of short ones; counts how often each id occurs. */
static void encode_all(const Audit *a, double *rate, int64_t *uses)
{
    Buf ids = { 0 };
    for (int64_t i = 0; i < a->docs.count; i++) {
        Str doc = audit_doc(a, i);
        buf_clear(&ids);
        tokenizer_encode(a->job->tokenizer, doc, &ids);
        const int32_t *id = (const int32_t *)(const void *)ids.at;
        ptrdiff_t n = ids.len / (ptrdiff_t)sizeof(*id);
        for (ptrdiff_t k = 0; k < n; k++) uses[id[k]]++;
        rate[i] = doc.len < FEWEST ? 0 : (double)n / (double)doc.len;
    }
    buf_free(&ids);
}

static bool find_dear(Audit *a, const double *rate, Err *err)
{
    AuditFind f = { .remedy = "the documents go" };
    double *sorted = NEW(a->arena, double, a->docs.count), *measure = audit_measure(a);
    int64_t n = 0;
    for (int64_t i = 0; i < a->docs.count; i++)
        if (rate[i] > 0) sorted[n++] = rate[i];
    if (n == 0) return true;
    qsort(sorted, (size_t)n, sizeof(*sorted), by_value);
    double median = sorted[n / 2];
    for (int64_t i = 0; i < a->docs.count; i++) {
        Str doc = audit_doc(a, i);
        measure[i] = rate[i] / median;
        if (measure[i] > times)
            audit_hit(&f, (AuditHit){ i, measure[i], doc.len / 2, 200, doc.len });
    }
    f.what = arena_printf(a->arena,
                          "documents that take more than twice the tokens a byte of the "
                          "others, which have %.2f bytes a token",
                          1 / median);
    f.detail = json_pack("{s:f}", "bytes_per_token", 1 / median);
    return audit_find(a, &f, err);
}

static bool find_unused(Audit *a, const int64_t *uses, Err *err)
{
    int vocab = tokenizer_vocab(a->job->tokenizer), unused = 0;
    for (int id = 0; id < vocab; id++)
        unused += uses[id] == 0 && id != tokenizer_end(a->job->tokenizer) &&
                  tokenizer_bytes_of(a->job->tokenizer, id).len > 1;
    if (unused < unused_share * vocab) return true;
    AuditFind f = { .kind = "vocabulary",
                    .advice = true,
                    .remedy = "a smaller tokenizer.vocab, or a tokenizer trained on this text",
                    .detail = json_pack("{s:i,s:i}", "unused", unused, "vocabulary", vocab) };
    for (int64_t i = 0; i < MIN(a->docs.count, (int64_t)1); i++)
        audit_hit(&f, (AuditHit){ i, 1, 0, 160, a->docs.bytes });
    f.what =
        arena_printf(a->arena, "%d of the %d tokens of the vocabulary never occur", unused, vocab);
    return audit_find(a, &f, err);
}

static bool look(Audit *a, Err *err)
{
    if (!a->job->tokenizer) return audit_not_asked(a, "--tokenizer FILE names one");
    double *rate = NEW(a->arena, double, a->docs.count);
    int64_t *uses = NEW(a->arena, int64_t, tokenizer_vocab(a->job->tokenizer));
    encode_all(a, rate, uses);
    return find_dear(a, rate, err) && find_unused(a, uses, err);
}

const AuditDef audit_tokens = {
    .kind = "tokens",
    .doc = "text that takes many tokens, ids that never occur (--tokenizer)",
    .look = look,
};
