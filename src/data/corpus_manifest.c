/* corpus_manifest.c - what a data set says about itself (docs/formats/data.md).
 *
 * One entry for each addition, so that the state after any of them can be named: an addition
 * only appends to the training text, and an entry has the documents, bytes and hash as they
 * were then.  No time and no machine stand in it: the same files give the same manifest. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/corpus_private.h"

enum { FORMAT = 1 };

static json_t *docs_entry(const Docs *d)
{
    return json_pack("{s:I,s:I,s:s}", "documents", (json_int_t)d->count, "bytes",
                     (json_int_t)d->bytes, "sha256", d->sha256);
}

/* "books.jsonl document 17": the raw document by the file that it came from. */
static json_t *document_name(const json_t *report, int64_t number)
{
    size_t i;
    json_t *file;
    int64_t first = 0;
    json_array_foreach(json_object_get(report, "files"), i, file)
    {
        int64_t count = json_int(file, "documents", 0);
        if (number < first + count)
            return json_sprintf("%s document %lld", json_str(file, "path", "?"),
                                (long long)(number - first + 1));
        first += count;
    }
    return json_sprintf("document %lld", (long long)(number + 1));
}

static json_t *scrub_entry(const CorpusBuild *b)
{
    const CorpusScrub *s = &b->scrub;
    json_t *names = json_array();
    for (int64_t i = 0; i < MIN(s->documents, (int64_t)COUNT(s->named)); i++)
        json_array_append_new(names, document_name(b->report, s->named[i]));
    return json_pack("{s:i,s:O,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "words", DEDUP_GRAM, "against",
                     b->held.names, "near_duplicates", (json_int_t)b->near_held, "documents",
                     (json_int_t)s->documents, "dropped", (json_int_t)s->dropped, "passages",
                     (json_int_t)s->passages, "forms_let_be", (json_int_t)s->common, "bytes",
                     (json_int_t)s->bytes, "names", names);
}

static json_t *addition_entry(const CorpusBuild *b)
{
    const CorpusIntake *in = &b->intake;
    return json_pack("{s:O,s:O,s:I,s:I,s:{s:I,s:I,s:I,s:I},s:o,s:o}", "files",
                     json_object_get(b->report, "files"), "skipped",
                     json_object_get(b->report, "skipped"), "documents", (json_int_t)in->kept,
                     "bytes", (json_int_t)in->bytes, "duplicates", "exact", (json_int_t)in->exact,
                     "near", (json_int_t)b->plan.near_documents, "near_groups",
                     (json_int_t)b->plan.near_groups, "blank", (json_int_t)in->blank,
                     "decontaminated", scrub_entry(b), "train", docs_entry(&b->train));
}

static json_t *tier_entry(const CorpusBuild *b, int tier)
{
    json_t *entry = docs_entry(&b->tier[tier]);
    double error = tiers_error(&b->tier[tier], &b->train);
    json_object_set_new(entry, "sampling_error", json_num_of(error));
    return entry;
}

static json_t *tier_entries(const CorpusBuild *b)
{
    json_t *tiers = json_object();
    for (int i = 0; i < TIER_COUNT; i++) json_object_set_new(tiers, tier_name[i], tier_entry(b, i));
    return tiers;
}

static int64_t gap_bytes(const CorpusBuild *b)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < b->plan.count; i++)
        if (b->plan.span[i].where == TIER_GAP) sum += b->plan.span[i].end - b->plan.span[i].begin;
    return sum;
}

static json_t *cutting_entry(const CorpusBuild *b)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I}", "documents_over", (json_int_t)b->plan.cut_over,
                     "piece_bytes", (json_int_t)b->plan.piece, "gap_bytes_each",
                     (json_int_t)b->plan.gap, "gap_bytes", (json_int_t)gap_bytes(b), "given_back",
                     (json_int_t)b->elsewhere);
}

/* Sums over the additions, and the names of the whole. */
static void put_totals(json_t *m, const CorpusBuild *b)
{
    size_t i;
    json_t *one;
    int64_t documents = 0, bytes = 0;
    json_array_foreach(json_object_get(m, "additions"), i, one)
    {
        documents += json_int(one, "documents", 0);
        bytes += json_int(one, "bytes", 0);
    }
    json_object_set_new(m, "documents", json_integer(documents));
    json_object_set_new(m, "bytes", json_integer(bytes));
    json_object_set_new(m, "train", docs_entry(&b->train));

    Sha256 sha;
    char hex[65];
    sha256_begin(&sha);
    sha256_add(&sha, b->train.sha256, 64);
    for (int t = 0; t < TIER_COUNT; t++) {
        const json_t *tier = json_object_get(json_object_get(m, "tiers"), tier_name[t]);
        sha256_add(&sha, json_str(tier, "sha256", ""), 64);
    }
    sha256_end_hex(&sha, hex);
    json_object_set_new(m, "sha256", json_string(hex));
}

json_t *corpus_manifest_make(const CorpusBuild *b, const json_t *before)
{
    json_t *m = before
                    ? json_deep_copy(before)
                    : json_pack("{s:i,s:s,s:[],s:o,s:o}", "format", FORMAT, "name", b->store.name,
                                "additions", "tiers", tier_entries(b), "cutting", cutting_entry(b));
    json_array_append_new(json_object_get(m, "additions"), addition_entry(b));
    put_totals(m, b);
    return m;
}
