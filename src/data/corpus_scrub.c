/* corpus_scrub.c - no held-out text in training text.
 *
 * Training text is searched for whole held-out documents and for any thirteen words in a row
 * that stand in held-out text, of this data set and of all others in the lab.  A passage that
 * is found goes, with 200 bytes on either side, and the document falls into two, as Brown et
 * al. (2020, appendix C) did for GPT-3: to drop the whole document would cost a book for one
 * quoted line.  What is left of a document must be half of it, or all of it goes. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "data/corpus_private.h"

enum { MARGIN = 200, SHORTEST = 200 };

/* ---- the held-out text of the lab ---- */

static bool open_tiers(CorpusHeld *h, const char *lab, const char *name, Arena *out, Err *err)
{
    for (int tier = 0; tier < TIER_COUNT; tier++) {
        if (!docs_open(&h->docs[h->n_docs], corpus_tier_stem(lab, name, tier, out), err))
            return false;
        h->count += h->docs[h->n_docs++].count;
    }
    json_array_append_new(h->names, json_string(name));
    return true;
}

static void collect_texts(CorpusHeld *h, Arena *out)
{
    int64_t n = 0;
    h->text = NEW(out, Str, h->count);
    h->tier = NEW(out, int, h->count);
    for (int d = 0; d < h->n_docs; d++)
        for (int64_t i = 0; i < h->docs[d].count; i++, n++) {
            h->text[n] = docs_get(&h->docs[d], i);
            h->tier[n] = d % TIER_COUNT;
        }
}

bool corpusheld_open(CorpusHeld *h, const CorpusStore *store, bool own, Arena *out, Err *err)
{
    *h = (CorpusHeld){ .names = json_array() };
    char **names;
    int count;
    if (!corpus_list(store->lab, out, &names, &count, err)) return false;
    h->docs = NEW(out, Docs, (ptrdiff_t)count * TIER_COUNT);
    for (int i = 0; i < count; i++)
        if ((own || strcmp(names[i], store->name) != 0) &&
            !open_tiers(h, store->lab, names[i], out, err))
            return false;
    collect_texts(h, out);
    return true;
}

void corpusheld_close(CorpusHeld *h)
{
    for (int i = 0; i < h->n_docs; i++) docs_close(&h->docs[i]);
    json_decref(h->names);
    h->names = NULL;
    h->n_docs = 0;
}

/* ---- the search ---- */

void corpusscrub_hold(CorpusScrub *s, Str held)
{
    dedup_set_add(&s->exact, dedup_key(held));
    dedup_grams_add(&s->grams, held);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* The passage with its margins, out to the next white space if there is any nearby. */
static void widen(Str doc, Str passage, ptrdiff_t *begin, ptrdiff_t *end)
{
    *begin = MAX(passage.at - doc.at - MARGIN, (ptrdiff_t)0);
    *end = MIN(passage.at - doc.at + passage.len + MARGIN, doc.len);
    for (int i = 0; i<MARGIN && * begin> 0 && !is_space(doc.at[*begin - 1]); i++) --*begin;
    for (int i = 0; i < MARGIN && *end < doc.len && !is_space(doc.at[*end]); i++) ++*end;
}

/* Stretches that may stay, ptrdiff_t begin and end each; the number of passages. */
static int64_t find_passages(const CorpusScrub *s, Str doc, Buf *stay, ptrdiff_t *left)
{
    int64_t passages = 0;
    ptrdiff_t from = 0, done = 0, span[2];
    for (Str passage; dedup_grams_find(&s->grams, doc, &from, &passage); passages++) {
        ptrdiff_t begin, end;
        widen(doc, passage, &begin, &end);
        span[0] = done, span[1] = begin;
        if (begin - done >= SHORTEST) buf_put(stay, span, sizeof(span)), *left += begin - done;
        done = MAX(done, end);
    }
    span[0] = done, span[1] = doc.len;
    if (passages > 0 && doc.len - done >= SHORTEST)
        buf_put(stay, span, sizeof(span)), *left += doc.len - done;
    return passages;
}

static bool put(CorpusScrub *s, Str doc, int64_t number, DocsOut *out, Err *err)
{
    buf_put(&s->source, &number, sizeof(number));
    return docsout_add(out, doc, err);
}

bool corpusscrub_write(CorpusScrub *s, Str doc, int64_t number, DocsOut *out, Err *err)
{
    Buf stay = { 0 };
    ptrdiff_t left = 0;
    bool exact = dedup_set_has(&s->exact, dedup_key(doc)), ok = true;
    int64_t passages = exact ? 1 : find_passages(s, doc, &stay, &left);
    if (passages == 0) return put(s, doc, number, out, err);

    if (s->documents < COUNT(s->named)) s->named[s->documents] = number;
    s->documents++;
    s->passages += passages;
    bool drop = 2 * left < doc.len;
    s->dropped += drop;
    s->bytes += doc.len - (drop ? 0 : left);
    for (ptrdiff_t at = 0; ok && !drop && at < stay.len;) {
        ptrdiff_t span[2];
        memcpy(span, stay.at + at, sizeof(span));
        at += (ptrdiff_t)sizeof(span);
        ok = put(s, (Str){ doc.at + span[0], span[1] - span[0] }, number, out, err);
    }
    buf_free(&stay);
    return ok;
}

void corpusscrub_free(CorpusScrub *s)
{
    dedup_grams_free(&s->grams);
    dedup_set_free(&s->exact);
    buf_free(&s->source);
}
