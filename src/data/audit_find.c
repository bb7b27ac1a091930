/* audit_find.c - what a finding consists of, whatever the kind.
 *
 * Confidence is the share of named documents that have the fault.  It is not asked of the detector,
 * which would have to guess, but follows from the share of *clean* documents that it names: if it
 * names 2 in 1,000 of those, then 40 of 10,000 named are 20 too many, and what is left is half
 * sure.  So a finding on clean text falls below SURE and is not reported.
 *
 * Examples are the worst, then others spread over the data set, so that one bad file does not
 * stand for all. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "data/audit_inside.h"

static const double SURE = 0.5;
enum { EXAMPLES = 5, WORST = 3, SHOWN = 240 };

void audit_hit(AuditFind *f, AuditHit hit)
{
    buf_put(&f->hits, &hit, sizeof(hit));
}

static int by_score(const void *a, const void *b)
{
    const AuditHit *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return (x->doc > y->doc) - (x->doc < y->doc);
}

/* ---- examples ---- */

/* Whole characters, as far as they are any. */
static Str shown(Str doc, ptrdiff_t at, ptrdiff_t len)
{
    at = MAX(MIN(at, doc.len), (ptrdiff_t)0);
    ptrdiff_t end = MIN(at + MIN(MAX(len, (ptrdiff_t)80), (ptrdiff_t)SHOWN), doc.len);
    while (at > 0 && ((unsigned char)doc.at[at] & 0xc0) == 0x80) at--;
    while (end < doc.len && end > at && ((unsigned char)doc.at[end] & 0xc0) == 0x80) end--;
    return (Str){ doc.at + at, end - at };
}

static json_t *hex_of(DedupKey key)
{
    char hex[2 * sizeof(key) + 1];
    for (int i = 0; i < (int)sizeof(key); i++) snprintf(hex + 2 * i, 3, "%02x", key.byte[i]);
    return json_string(hex);
}

static json_t *example(const Audit *a, const AuditHit *hit)
{
    Str text = shown(audit_doc(a, hit->doc), hit->at, hit->len);
    Origin o = origin_get(buf_view(&a->origins), hit->doc);
    json_t *one = json_pack(
        "{s:o,s:I,s:I,s:I,s:o,s:o}", "file", json_sprintf("data/%s/train.txt", a->job->name),
        "offset", (json_int_t)(text.at - a->docs.text), "bytes", (json_int_t)text.len, "document",
        (json_int_t)hit->doc, "sha256", hex_of(a->key[hit->doc]), "text", json_text(text));
    if (o.file >= 0)
        json_object_set_new(one, "origin",
                            json_pack("{s:s?,s:I,s:I}", "file", audit_file(a, o.file), "offset",
                                      (json_int_t)o.offset, "begin", (json_int_t)o.begin));
    return one;
}

static json_t *examples(const Audit *a, const AuditHit *hit, int64_t n)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < MIN(n, (int64_t)WORST); i++)
        json_array_append_new(list, example(a, &hit[i]));
    for (int64_t i = WORST; i < MIN(n, (int64_t)EXAMPLES); i++) { /* from the milder ones */
        int64_t rest = n - WORST, place = WORST + (i - WORST + 1) * rest / (EXAMPLES - WORST + 1);
        json_array_append_new(list, example(a, &hit[MAX(i, place)]));
    }
    return list;
}

/* ---- the remedy and the experiment ---- */

static void drop_hits(Audit *a, AuditFind *f)
{
    const AuditHit *hit = (const AuditHit *)(const void *)f->hits.at;
    int64_t n = f->hits.len / (int64_t)sizeof(*hit);
    for (int64_t i = 0; i < n; i++) droplist_document(&f->drop, a->key[hit[i].doc], false);
}

/* What the list removes, counted by doing it. */
static bool count_remedy(Audit *a, const char *id, int64_t *documents, int64_t *bytes, Err *err)
{
    Drop drop = { 0 };
    Buf room = { 0 };
    Str left;
    if (!drop_add(&drop, a->job->lab, a->job->name, str_of(id), err)) return false;
    drop_begin(&drop);
    for (int64_t i = 0; i < a->docs.count; i++) {
        Str doc = audit_doc(a, i);
        bool stays = drop_next(&drop, doc, &room, &left);
        int64_t gone = stays ? doc.len - left.len : doc.len;
        *documents += gone > 0;
        *bytes += gone;
    }
    buf_free(&room);
    drop_free(&drop);
    return true;
}

static bool remedy(Audit *a, AuditFind *f, json_t **out, Err *err)
{
    char id[17];
    int64_t documents = 0, bytes = 0;
    *out = json_pack("{s:s}", "text", f->remedy);
    if (f->advice) return true;
    if (f->filter) {
        json_object_set_new(
            *out, "edit",
            json_pack("{s:o}", "data.filters", json_sprintf("; %s: %s", a->job->name, f->filter)));
        return true;
    }
    if (f->drop.rows.len == 0) drop_hits(a, f);
    if (!droplist_write(&f->drop, a->job->lab, a->job->name, id, err) ||
        !count_remedy(a, id, &documents, &bytes, err))
        return false;
    json_object_set_new(*out, "edit",
                        json_pack("{s:o}", "data.drop", json_sprintf("%s:%s", a->job->name, id)));
    json_object_set_new(*out, "documents", json_integer(documents));
    json_object_set_new(*out, "bytes", json_integer(bytes));
    return true;
}

static json_t *experiment(const AuditFind *f)
{
    if (f->advice) return json_null();
    return json_pack("{s:s,s:s,s:s}", "remedy", "train with the edit", "control",
                     "train without as many tokens, drawn at random; same seeds, weights pinned",
                     "judged_on", "held-out text of clean data sets, each counted apart");
}

/* ---- the finding ---- */

/* Of n that were named where so many of clean documents would be. */
static double confidence_of(const Audit *a, const AuditFind *f, int64_t n, double mistakes)
{
    double looked = f->looked > 0 ? (double)f->looked : (double)a->docs.count;
    double by_mistake = mistakes * looked;
    by_mistake += sqrt(by_mistake); /* a handful named where one was expected is no news */
    return n > 0 ? MAX(0.0, MIN(0.99, 1 - by_mistake / (double)n)) : 0;
}

/* The threshold at which most is rightly named, a document named by mistake counting against one
 * that is named rightly: down to it, each further document is more likely to have the fault than
 * not.  *n is cut to the hits above it, which are sorted by score. */
static double choose_step(const Audit *a, const AuditFind *f, const AuditHit *hit, int64_t *n)
{
    double best = 0, chosen = 0;
    int64_t all = *n;
    if (!f->steps) return confidence_of(a, f, all, 0);
    for (const AuditStep *s = f->steps; s->mistakes > 0; s++) {
        int64_t above = 0;
        while (above < all && hit[above].score > s->score) above++;
        double sure = confidence_of(a, f, above, s->mistakes);
        double right = (double)above * (2 * sure - 1);
        if (right <= best) continue;
        best = right;
        chosen = sure;
        *n = above;
    }
    return chosen;
}

static const char *kind_of(const Audit *a, const AuditFind *f)
{
    return f->kind ? f->kind : audit_kinds(&(int){ 0 })[a->detector].kind;
}

static bool put(Audit *a, AuditFind *f, AuditHit *hit, int64_t n, double sure, Err *err)
{
    int64_t bytes = 0;
    json_t *edit = NULL;
    for (int64_t i = 0; i < n; i++) {
        bytes += hit[i].bytes;
        a->flags[hit[i].doc] |= 1u << a->detector;
    }
    if (!remedy(a, f, &edit, err)) {
        json_decref(edit);
        return false;
    }
    json_t *finding =
        json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:f,s:f,s:o,s:o,s:o}", "kind", kind_of(a, f), "author",
                  "audit", "source", f->source ? f->source : a->job->name, "what", f->what,
                  "documents", (json_int_t)n, "bytes", (json_int_t)bytes, "share",
                  (double)bytes / (double)MAX(a->docs.bytes, 1), "confidence", sure, "examples",
                  examples(a, hit, n), "remedy", edit, "experiment", experiment(f));
    CHECK(finding, "a finding that JSON cannot hold");
    if (f->detail) json_object_set(finding, "detail", f->detail);
    json_array_append_new(a->findings, finding);
    return true;
}

void audit_free(AuditFind *f)
{
    buf_free(&f->hits);
    droplist_free(&f->drop);
    json_decref(f->detail);
    f->detail = NULL;
}

bool audit_find(Audit *a, AuditFind *f, Err *err)
{
    AuditHit *hit = (AuditHit *)(void *)f->hits.at;
    int64_t n = f->hits.len / (int64_t)sizeof(*hit);
    bool ok = true;
    if (n > 0) qsort(hit, (size_t)n, sizeof(*hit), by_score);
    double sure = choose_step(a, f, hit, &n);
    if (sure >= SURE) {
        f->hits.len = (ptrdiff_t)n * (ptrdiff_t)sizeof(*hit);
        ok = put(a, f, hit, n, sure, err);
    }
    audit_free(f);
    return ok;
}
