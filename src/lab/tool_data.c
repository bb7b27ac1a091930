/* tool_data.c - the text that the lab trains on: what there is, documents of it, a search.
 *
 * Only training text is ever opened; the held-out tiers are the judge's.  Documents are shown where
 * a person has granted it (share.h), cut, and fenced: a document that gives orders is data. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rand.h"
#include "data/corpus.h"
#include "data/docs.h"
#include "lab/share.h"
#include "lab/tool_private.h"

enum { DOCUMENTS_MAX = 10, AROUND = 160, HITS_MAX = 20 };

/* ---- what there is ---- */

static bool source_json(ToolCall *c, const char *name, json_t **out, Err *err)
{
    json_t *m = NULL;
    bool samples = false;
    if (!corpus_manifest(c->lab->dir, name, &m, err) || !share_of(c->lab, name, &samples, err)) {
        json_decref(m);
        return false;
    }
    const json_t *train = json_object_get(m, "train"), *tiers = json_object_get(m, "tiers");
    const json_t *search = json_object_get(tiers, "search");
    *out = json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:s}", "name", name, "documents",
                     (json_int_t)json_int(m, "documents", 0), "bytes",
                     (json_int_t)json_int(m, "bytes", 0), "train_documents",
                     (json_int_t)json_int(train, "documents", 0), "train_bytes",
                     (json_int_t)json_int(train, "bytes", 0), "search_tier_sampling_error",
                     json_num_of(json_num(search, "sampling_error", (double)NAN)), "shared",
                     samples ? "text and numbers" : "numbers only");
    json_decref(m);
    return true;
}

static bool data(ToolCall *c, json_t **out, Err *err)
{
    char **names = NULL;
    int n = 0;
    if (!corpus_list(c->lab->dir, c->lab->arena, &names, &n, err)) return false;
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        json_t *one = NULL;
        if (!source_json(c, names[i], &one, err)) {
            json_decref(list);
            return false;
        }
        json_array_append_new(list, one);
    }
    *out = json_pack("{s:o}", "data_sets", list);
    return true;
}

const ToolDef tool_data = {
    .name = "data",
    .doc = "The data sets of the lab: how much text each has, and whether a person has allowed "
           "that its documents are shown.",
    .call = data,
};

/* ---- documents ---- */

static bool open_text(ToolCall *c, const char *name, Docs *d, Err *err)
{
    json_t *manifest = NULL;
    bool samples = false;
    if (!corpus_manifest(c->lab->dir, name, &manifest, err)) return false;
    json_decref(manifest);
    if (!share_of(c->lab, name, &samples, err)) return false;
    if (!samples)
        return err_set(err, ERR_CONFIG,
                       "the text of %s is not shared; a person can allow it with `lathe share %s "
                       "samples`",
                       name, name);
    return docs_open(d, corpus_train_stem(c->lab->dir, name, c->lab->arena), err);
}

static json_t *document_json(const char *source, int64_t number, Str text, ptrdiff_t most)
{
    char label[160];
    ptrdiff_t n = MIN(text.len, most);
    while (n > 0 && n < text.len && ((unsigned char)text.at[n] & 0xc0) == 0x80) n--;
    snprintf(label, sizeof(label), "document %lld of %s", (long long)number, source);
    return json_pack("{s:I, s:I, s:b, s:o}", "document", (json_int_t)number, "bytes",
                     (json_int_t)text.len, "cut", n < text.len, "text",
                     tool_fence((Str){ text.at, n }, label));
}

static bool data_sample(ToolCall *c, json_t **out, Err *err)
{
    Docs d = { 0 };
    const char *name = json_str(c->args, "name", "");
    int n = (int)json_int(c->args, "documents", 3);
    ptrdiff_t most = (ptrdiff_t)json_int(c->args, "bytes", 1500);
    if (!open_text(c, name, &d, err)) return false;
    Rand r = rand_stream((uint64_t)json_int(c->args, "seed", 1), "tool.data_sample");
    json_t *list = json_array();
    for (int i = 0; i < n && d.count > 0; i++) {
        int64_t k = (int64_t)rand_below(&r, (uint64_t)d.count);
        json_array_append_new(list, document_json(name, k, docs_get(&d, k), most));
    }
    *out = json_pack("{s:s, s:I, s:o}", "name", name, "of_documents", (json_int_t)d.count, "sample",
                     list);
    docs_close(&d);
    return true;
}

static const ToolArg sample_args[] = {
    ARG_NEED("name", 100, "of a data set"),
    ARG_WHOLE("documents", 3, 1, DOCUMENTS_MAX, "how many, drawn at random"),
    ARG_WHOLE("bytes", 1500, 100, 8000, "at most so many of each"),
    ARG_WHOLE("seed", 1, 1, 1000000, "other seeds draw other documents"),
    ARG_END,
};

const ToolDef tool_data_sample = {
    .name = "data_sample",
    .doc = "Documents of a data set, drawn at random from the training text.",
    .args = sample_args,
    .call = data_sample,
};

/* ---- a search ---- */

static json_t *hit_json(const char *source, int64_t number, Str text, ptrdiff_t at, ptrdiff_t len)
{
    ptrdiff_t from = MAX(at - AROUND, 0), to = MIN(at + len + AROUND, text.len);
    while (from > 0 && ((unsigned char)text.at[from] & 0xc0) == 0x80) from--;
    while (to < text.len && ((unsigned char)text.at[to] & 0xc0) == 0x80) to++;
    char label[160];
    snprintf(label, sizeof(label), "document %lld of %s", (long long)number, source);
    return json_pack("{s:I, s:I, s:o}", "document", (json_int_t)number, "at", (json_int_t)at,
                     "around", tool_fence((Str){ text.at + from, to - from }, label));
}

static bool data_search(ToolCall *c, json_t **out, Err *err)
{
    Docs d = { 0 };
    const char *name = json_str(c->args, "name", ""), *words = json_str(c->args, "words", "");
    int64_t documents = 0, hits = 0;
    size_t len = strlen(words);
    if (len == 0) return err_set(err, ERR_CONFIG, "data_search needs words to look for");
    if (!open_text(c, name, &d, err)) return false;
    json_t *list = json_array();
    for (int64_t i = 0; i < d.count; i++) {
        Str text = docs_get(&d, i);
        int64_t before = hits;
        const char *at = text.at, *end = text.at + text.len;
        while (at < end && (at = memmem(at, (size_t)(end - at), words, len))) {
            if (hits == before && (int)json_array_size(list) < HITS_MAX)
                json_array_append_new(list, hit_json(name, i, text, at - text.at, (ptrdiff_t)len));
            hits++;
            at += len;
        }
        documents += hits > before;
    }
    *out = json_pack("{s:s, s:I, s:I, s:I, s:o}", "name", name, "of_documents", (json_int_t)d.count,
                     "documents", (json_int_t)documents, "occurrences", (json_int_t)hits, "first",
                     list);
    docs_close(&d);
    return true;
}

static const ToolArg search_args[] = {
    ARG_NEED("name", 100, "of a data set"),
    ARG_NEED("words", 200, "the exact bytes to look for"),
    ARG_END,
};

const ToolDef tool_data_search = {
    .name = "data_search",
    .doc = "How often words stand in the training text of a data set, and the first places.",
    .args = search_args,
    .call = data_search,
};
