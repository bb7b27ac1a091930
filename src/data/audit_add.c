/* audit_add.c - findings of somebody who read samples: a person, an agent, a language model.
 *
 * They come in the form that ours have, with the documents that they are about:
 *
 *     [{"kind": "advertising", "what": "...", "confidence": 0.7, "documents": [12, "9f3c..."],
 *       "examples": [{"document": 12, "offset": 81234, "text": "..."}], "remedy": "..."}]
 *
 * `documents` are numbers or hashes (the first half of the SHA-256, as the audit prints them).  A
 * reader of samples can be wrong about what is bad, which an experiment settles, but must not be
 * wrong about what is there: each document has to exist, and each example's text has to stand at
 * its byte of train.txt.  Otherwise the whole list is refused, with the first thing that is not
 * there.  Extent and remedy are computed here, not believed. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "data/audit_inside.h"
#include "data/corpus.h"

enum { EXAMPLES = 5 };

typedef struct Adding {
    Docs docs;
    DedupKey *key; /* (documents) */
    bool *named;   /* (documents) by the finding at work */
    const char *lab, *name, *author;
    Arena arena;
} Adding;

static bool wrong(Err *err, size_t number, const char *why)
{
    return err_set(err, ERR_CONFIG, "finding %zu %s; nothing was added", number + 1, why);
}

static void hex_of(DedupKey key, char hex[33])
{
    for (int i = 0; i < (int)sizeof(key); i++) snprintf(hex + 2 * i, 3, "%02x", key.byte[i]);
}

/* By number or hash; -1: there is none. */
static int64_t find_document(const Adding *a, const json_t *which)
{
    char hex[33];
    if (json_is_integer(which)) {
        int64_t i = (int64_t)json_integer_value(which);
        return i >= 0 && i < a->docs.count ? i : -1;
    }
    const char *want = json_string_value(which);
    for (int64_t i = 0; want && strlen(want) >= 32 && i < a->docs.count; i++) {
        hex_of(a->key[i], hex);
        if (strncmp(hex, want, 32) == 0) return i;
    }
    return -1;
}

static bool read_documents(Adding *a, const json_t *f, size_t number, int64_t *count,
                           int64_t *bytes, DropList *list, Err *err)
{
    const json_t *documents = json_object_get(f, "documents"), *one;
    size_t i;
    *count = *bytes = 0;
    memset(a->named, 0, (size_t)a->docs.count * sizeof(*a->named));
    json_array_foreach(documents, i, one)
    {
        int64_t doc = find_document(a, one);
        if (doc < 0) return wrong(err, number, "names a document that does not exist");
        *bytes += a->named[doc] ? 0 : docs_get(&a->docs, doc).len;
        *count += !a->named[doc];
        a->named[doc] = true;
        droplist_document(list, a->key[doc], false);
    }
    return *count > 0 || wrong(err, number, "has no list \"documents\" of numbers or hashes");
}

/* The text as it would have been printed for this place must be the text that was given. */
static bool stands_there(const Adding *a, int64_t doc, int64_t offset, const char *text)
{
    Str whole = docs_get(&a->docs, doc);
    int64_t begin = whole.at - a->docs.text, length = (int64_t)strlen(text);
    if (offset < begin || offset + length > begin + whole.len || length == 0) return false;
    json_t *there = json_text((Str){ a->docs.text + offset, (ptrdiff_t)length });
    bool same = strcmp(json_string_value(there), text) == 0;
    json_decref(there);
    return same;
}

static bool read_examples(const Adding *a, const json_t *f, size_t number, json_t **out, Err *err)
{
    const json_t *examples = json_object_get(f, "examples"), *e;
    size_t i;
    char hex[33];
    *out = json_array();
    json_array_foreach(examples, i, e)
    {
        int64_t doc = find_document(a, json_object_get(e, "document")),
                at = json_int(e, "offset", -1);
        const char *text = json_str(e, "text", "");
        if (doc < 0 || !stands_there(a, doc, at, text))
            return wrong(err, number, "has an example whose text does not stand where it says");
        hex_of(a->key[doc], hex);
        if (i < EXAMPLES)
            json_array_append_new(*out, json_pack("{s:o,s:I,s:I,s:I,s:s,s:s}", "file",
                                                  json_sprintf("data/%s/train.txt", a->name),
                                                  "offset", (json_int_t)at, "bytes",
                                                  (json_int_t)strlen(text), "document",
                                                  (json_int_t)doc, "sha256", hex, "text", text));
    }
    return json_array_size(*out) > 0 || wrong(err, number, "has no example");
}

static json_t *remedy_of(const Adding *a, const json_t *f, const char *id, int64_t count,
                         int64_t bytes)
{
    return json_pack("{s:s,s:{s:o},s:I,s:I}", "text", json_str(f, "remedy", "the documents go"),
                     "edit", "data.drop", json_sprintf("%s:%s", a->name, id), "documents",
                     (json_int_t)count, "bytes", (json_int_t)bytes);
}

static bool read_finding(Adding *a, const json_t *f, size_t number, json_t *findings, Err *err)
{
    DropList list = { 0 };
    json_t *examples = NULL;
    int64_t count, bytes;
    char id[17];
    double sure = json_num(f, "confidence", -1);
    bool ok = (json_str(f, "kind", "")[0] && json_str(f, "what", "")[0]) ||
              wrong(err, number, "needs a \"kind\" and a sentence \"what\"");
    ok = ok && ((sure >= 0 && sure <= 1) || wrong(err, number, "needs a \"confidence\" of 0 to 1"));
    ok = ok && read_documents(a, f, number, &count, &bytes, &list, err) &&
         read_examples(a, f, number, &examples, err) &&
         droplist_write(&list, a->lab, a->name, id, err);
    if (ok)
        json_array_append_new(
            findings,
            json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:f,s:f,s:O,s:o,s:{s:s,s:s,s:s}}", "kind",
                      json_str(f, "kind", ""), "author", a->author, "source", a->name, "what",
                      json_str(f, "what", ""), "documents", (json_int_t)count, "bytes",
                      (json_int_t)bytes, "share",
                      (double)bytes / (double)MAX(a->docs.bytes, (int64_t)1), "confidence", sure,
                      "examples", examples, "remedy", remedy_of(a, f, id, count, bytes),
                      "experiment", "remedy", "train with the edit", "control",
                      "train without as many tokens, drawn at random; same seeds, weights pinned",
                      "judged_on", "held-out text of clean data sets, each counted apart"));
    droplist_free(&list);
    json_decref(examples);
    return ok;
}

static bool open_adding(Adding *a, Err *err)
{
    if (!docs_open(&a->docs, corpus_train_stem(a->lab, a->name, &a->arena), err)) return false;
    a->key = NEW(&a->arena, DedupKey, a->docs.count);
    a->named = NEW(&a->arena, bool, a->docs.count);
    for (int64_t i = 0; i < a->docs.count; i++) a->key[i] = dedup_key(docs_get(&a->docs, i));
    return true;
}

bool audit_add(const char *lab, const char *name, const json_t *findings, const char *author,
               int *added, Err *err)
{
    Adding *a = &(Adding){ .lab = lab, .name = name, .author = author };
    const json_t *list = json_is_array(findings) ? findings : json_object_get(findings, "findings");
    json_t *report = NULL, *fresh = json_array(), *one;
    size_t i;
    a->arena = arena_reserve((ptrdiff_t)1 << 34);
    bool ok = json_array_size(list) > 0 || err_set(err, ERR_CONFIG, "there is no finding in it");
    ok = ok && audit_read(lab, name, &report, err) && open_adding(a, err);
    if (ok) json_array_foreach(list, i, one) ok = ok && read_finding(a, one, i, fresh, err);
    *added = (int)json_array_size(fresh);
    if (ok) {
        audit_report_add(report, fresh, &a->arena);
        ok = json_write_file(audit_report_path(lab, name, &a->arena), report, err);
    }
    docs_close(&a->docs);
    json_decref(fresh);
    json_decref(report);
    arena_release(&a->arena);
    return ok;
}
