/* corpus_scrub.c - no held-out text in training text.
 *
 * Training text is searched for whole held-out documents and for any thirteen words in a row
 * that stand in held-out text, of this data set and of all others in the lab.  A passage that
 * is found goes, with 200 bytes on either side, and the document falls into two, as Brown et
 * al. (2020, appendix C) did for GPT-3: to drop the whole document would cost a book for one
 * quoted line.  What is left of a document must be half of it, or all of it goes.
 *
 * Forms repeat themselves: "Land use - agricultural land: arable land:" stands in every entry
 * of a yearbook and says nothing about the one that is held out.  As they did, a run that
 * stands in more than ten training documents is let be, but only in a passage of at most 50
 * words: a longer one is a copy, however often it was made. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "data/corpus_private.h"

enum { MARGIN = 200, SHORTEST = 200, FORM_WORDS = 50 };

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

typedef struct Found {
    int64_t passages, common;
    Buf stay; /* stretches: ptrdiff_t begin and end each */
    ptrdiff_t left, done;
} Found;

static void let_stay(Found *f, ptrdiff_t end)
{
    ptrdiff_t span[2] = { f->done, end };
    if (end - f->done < SHORTEST) return;
    buf_put(&f->stay, span, sizeof(span));
    f->left += end - f->done;
}

static void find_passages(const CorpusScrub *s, Str doc, Found *f)
{
    ptrdiff_t from = 0, begin, end;
    for (DedupPassage p; dedup_grams_find(&s->grams, doc, &from, &p);) {
        bool form = p.common && p.words <= FORM_WORDS;
        f->common += form;
        if (form) continue;
        f->passages++;
        widen(doc, p.at, &begin, &end);
        let_stay(f, begin);
        f->done = MAX(f->done, end);
    }
    if (f->passages > 0) let_stay(f, doc.len);
}

/* `doc` lies in the raw document, and that says where it begins. */
static bool put(CorpusScrub *s, Str doc, int64_t number, DocsOut *out, Err *err)
{
    Origin origin = origin_get(s->raw_origins, number);
    origin.begin = doc.at - docs_get(s->raw, number).at;
    origin_put(&s->origins, &origin);
    buf_put(&s->source, &number, sizeof(number));
    return docsout_add(out, doc, err);
}

static bool write_rest(CorpusScrub *s, Str doc, int64_t number, const Found *f, DocsOut *out,
                       Err *err)
{
    for (ptrdiff_t at = 0; at < f->stay.len; at += 2 * (ptrdiff_t)sizeof(ptrdiff_t)) {
        ptrdiff_t span[2];
        memcpy(span, f->stay.at + at, sizeof(span));
        if (!put(s, (Str){ doc.at + span[0], span[1] - span[0] }, number, out, err)) return false;
    }
    return true;
}

static void note_document(CorpusScrub *s, int64_t number)
{
    int named = (int)MIN(s->documents, (int64_t)COUNT(s->named));
    if (number == s->last) return;
    if (named < COUNT(s->named)) s->named[named] = number;
    s->documents++;
    s->last = number;
}

bool corpusscrub_write(CorpusScrub *s, Str doc, int64_t number, DocsOut *out, Err *err)
{
    Found f = { .passages = dedup_set_has(&s->exact, dedup_key(doc)) };
    if (f.passages == 0) find_passages(s, doc, &f);
    s->common += f.common;
    if (f.passages == 0) return put(s, doc, number, out, err);
    bool drop = 2 * f.left < doc.len;
    note_document(s, number);
    s->passages += f.passages;
    s->dropped += drop;
    s->bytes += doc.len - (drop ? 0 : f.left);
    bool ok = drop || write_rest(s, doc, number, &f, out, err);
    buf_free(&f.stay);
    return ok;
}

void corpusscrub_free(CorpusScrub *s)
{
    dedup_grams_free(&s->grams);
    dedup_set_free(&s->exact);
    buf_free(&s->source);
    buf_free(&s->origins);
}
