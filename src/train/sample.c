/* sample.c - from logits to the next token, and so to text.
 *
 * Temperature first, then the top_k most likely, then the smallest set of those whose
 * probability reaches top_p (Holtzman et al. 2019), then one draw.  Ties are broken by the
 * lower id, so that a seed gives the same text everywhere.  No weight depends on these
 * numbers, so libm is allowed here. */
#include <math.h>
#include <stdlib.h>

#include "base/rand.h"
#include "train/trained.h"

typedef struct Choice {
    float logit;
    int32_t id;
} Choice;

static int more_likely(const void *a, const void *b)
{
    const Choice *x = a, *y = b;
    if (x->logit != y->logit) return x->logit > y->logit ? -1 : 1;
    return x->id < y->id ? -1 : 1;
}

/* How many of the n sorted choices stay in the draw; `p` gets their weights. */
static int cut(const Choice *c, int n, SampleOpt o, double *p, double *total)
{
    int k = o.top_k > 0 ? MIN(o.top_k, n) : n;
    double all = 0;
    for (int i = 0; i < k; i++) {
        p[i] = exp((double)(c[i].logit - c[0].logit) / o.temperature);
        all += p[i];
    }
    *total = 0;
    for (int i = 0; i < k; i++) {
        *total += p[i];
        if (o.top_p > 0 && *total >= o.top_p * all) return i + 1;
    }
    return k;
}

static int32_t pick(const float *logits, int n, SampleOpt o, Rand *r, Choice *c, double *p)
{
    for (int i = 0; i < n; i++) c[i] = (Choice){ logits[i], i };
    qsort(c, (size_t)n, sizeof(*c), more_likely);
    if (o.temperature <= 0) return c[0].id;
    double total;
    int kept = cut(c, n, o, p, &total);
    double at = rand_uniform(r) * total;
    for (int i = 0; i < kept - 1; i++) {
        at -= p[i];
        if (at < 0) return c[i].id;
    }
    return c[kept - 1].id;
}

/* The end of text, then the prompt: a text begins where training's documents begin. */
static bool feed_prompt(Trained *t, Str prompt, float *logits, Err *err)
{
    const Tokenizer *tok = trained_tokenizer(t);
    Buf ids = { 0 };
    int32_t end = tokenizer_end(tok);
    buf_put(&ids, &end, sizeof(end));
    tokenizer_encode(tok, prompt, &ids);
    trained_reset(t);
    bool ok =
        trained_feed(t, (const int32_t *)(const void *)ids.at, (int)(ids.len / 4), logits, err);
    buf_free(&ids);
    return ok;
}

typedef struct Scratch {
    float *logits;
    Choice *choice;
    double *p;
} Scratch;

static bool continue_text(Trained *t, SampleOpt o, Scratch s, bool (*emit)(void *, Str), void *self,
                          Err *err)
{
    const Tokenizer *tok = trained_tokenizer(t);
    Rand r = rand_stream(o.seed, "sample");
    for (int i = 0; i < o.tokens; i++) {
        int32_t id = pick(s.logits, tokenizer_vocab(tok), o, &r, s.choice, s.p);
        if (id == tokenizer_end(tok) || !emit(self, tokenizer_bytes_of(tok, id))) return true;
        if (i + 1 < o.tokens && !trained_feed(t, &id, 1, s.logits, err)) return false;
    }
    return true;
}

bool trained_sample(Trained *t, Str prompt, SampleOpt o, bool (*emit)(void *self, Str bytes),
                    void *self, Err *err)
{
    size_t vocab = (size_t)tokenizer_vocab(trained_tokenizer(t));
    Scratch s = { malloc(vocab * sizeof(float)), malloc(vocab * sizeof(Choice)),
                  malloc(vocab * sizeof(double)) };
    CHECK(s.logits && s.choice && s.p, "memory for %zu logits", vocab);
    bool ok = feed_prompt(t, prompt, s.logits, err) && continue_text(t, o, s, emit, self, err);
    free(s.logits);
    free(s.choice);
    free(s.p);
    return ok;
}
