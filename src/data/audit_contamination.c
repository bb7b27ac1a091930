/* audit_contamination.c - evaluation sets in the training text (`--against FILE`).
 *
 * Thirteen words in a row that stand in an evaluation set too (Brown et al. 2020, appendix C), as
 * `data add` searches for held-out text.  Of a .jsonl every string of 13 words and more counts, in
 * whatever field it stands, so that no format has to be known; of another file all of it.  Runs
 * that stand in more than ten training documents are let be where they are short: forms, mottoes,
 * the preamble of a constitution.  What is named is the passage, not the document, and the
 * remedy cuts its lines. */
#include <string.h>

#include "base/file.h"
#include "data/audit_inside.h"
#include "data/dedup.h"

enum { FORM_WORDS = 50 };

static void add_strings(const json_t *value, DedupGrams *grams)
{
    size_t i;
    const char *key;
    json_t *one;
    if (json_is_string(value))
        dedup_grams_add(grams,
                        (Str){ json_string_value(value), (ptrdiff_t)json_string_length(value) });
    json_array_foreach(value, i, one) add_strings(one, grams);
    if (!json_is_object(value)) return;
    json_object_foreach((json_t *)value, key, one) add_strings(one, grams);
}

/* A set that a machine wrote and a person cut may have a bad line; it holds no item. */
static void add_lines(Str text, const char *path, DedupGrams *grams)
{
    Str line;
    while (text.len > 0 && str_cut(&text, '\n', &line)) {
        Err bad = { 0 };
        json_t *item = str_trim(line).len ? json_read(line, path, &bad) : NULL;
        if (item) add_strings(item, grams);
        json_decref(item);
    }
}

static bool read_sets(const Audit *a, DedupGrams *grams, Err *err)
{
    for (int i = 0; i < a->job->n_against; i++) {
        const char *path = a->job->against[i];
        Buf text = { 0 };
        if (!file_read(path, &text, err)) return false;
        if (str_ends(str_of(path), STR(".jsonl")))
            add_lines(buf_view(&text), path, grams);
        else
            dedup_grams_add(grams, buf_view(&text));
        buf_free(&text);
    }
    return true;
}

/* The lines of which the passage takes half or more. */
static void cut_lines(AuditFind *f, Str doc, Str passage)
{
    const char *end = passage.at + passage.len, *at = passage.at;
    while (at > doc.at && at[-1] != '\n') at--;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(doc.at + doc.len - at));
        if (!stop) stop = doc.at + doc.len;
        ptrdiff_t inside = MIN(stop, end) - MAX(at, passage.at);
        if (2 * inside >= stop - at && stop > at) droplist_line(&f->drop, (Str){ at, stop - at });
        at = stop + 1;
    }
}

static int64_t name_passages(Audit *a, AuditFind *f, const DedupGrams *grams, int64_t doc)
{
    Str text = audit_doc(a, doc);
    AuditHit hit = { .doc = doc };
    int64_t passages = 0;
    ptrdiff_t from = 0;
    for (DedupPassage p; dedup_grams_find(grams, text, &from, &p);) {
        if (p.common && p.words <= FORM_WORDS) continue;
        passages++;
        hit.bytes += p.at.len;
        cut_lines(f, text, p.at);
        if ((double)p.words <= hit.score) continue;
        hit.score = (double)p.words;
        hit.at = p.at.at - text.at;
        hit.len = p.at.len;
    }
    if (passages > 0) audit_hit(f, hit);
    a->measure[a->detector][doc] = (double)hit.bytes / (double)MAX(text.len, (ptrdiff_t)1);
    return passages;
}

static bool look(Audit *a, Err *err)
{
    AuditFind f = { .remedy = "the lines of the passages go, the rest of the documents stays" };
    DedupGrams grams = { 0 };
    int64_t passages = 0;
    if (a->job->n_against == 0) return audit_not_asked(a, "--against FILE names evaluation sets");
    audit_measure(a);
    bool ok = read_sets(a, &grams, err);
    for (int64_t i = 0; ok && i < a->docs.count; i++) dedup_grams_count(&grams, audit_doc(a, i), i);
    for (int64_t i = 0; ok && i < a->docs.count; i++) passages += name_passages(a, &f, &grams, i);
    dedup_grams_free(&grams);
    f.what = arena_printf(a->arena,
                          "%lld passages of 13 words and more that stand in an evaluation set too",
                          (long long)passages);
    f.detail = json_pack("{s:I,s:i}", "passages", (json_int_t)passages, "sets", a->job->n_against);
    return ok ? audit_find(a, &f, err) : (audit_free(&f), false);
}

const AuditDef audit_contamination = {
    .kind = "contamination",
    .doc = "passages of evaluation sets (--against)",
    .look = look,
};
