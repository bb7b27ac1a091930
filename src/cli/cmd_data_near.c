/* cmd_data_near.c - which documents of the training text are nearly the same, cluster by cluster.
 *
 * A document over 64 kB is compared in pieces of about 8 kB, cut where its words say so
 * (tiers_cut.c): two volumes and the book that holds both overlap by half as wholes, and piece by
 * piece they are the same.  A document of which enough lies in pieces that an earlier one has is a
 * copy.
 *
 * Nothing is removed here: near-copies go by a list that a recipe names (data.drop), so that
 * whether their removal helps can be tried.  What is shown is training text alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "data/corpus.h"
#include "data/dedup.h"
#include "data/docs.h"
#include "data/drop.h"
#include "data/origin.h"
#include "data/tiers.h"

static const CmdOpt opts[] = {
    { "bands", 0, "BxR", "bands by rows of MinHash (14x8)" },
    { "jaccard", 0, "X", "overlap of 5-word shingles from which texts are nearly the same (.7)" },
    { "n", 'n', "N", "how many clusters to show, the largest first (5)" },
    { "write", 0, NULL, "write a list for data.drop: documents that earlier ones hold go" },
    { 0 },
};

enum { CUT_OVER = 64 << 10, PIECE = 8 << 10 };

typedef struct Near {
    Cmd *c;
    Docs docs;
    Str *text;                     /* (units): documents and pieces of long ones */
    int64_t *doc, units;           /* (units) */
    int64_t *group, *size, *order; /* (units); order: of the firsts, by size */
    int64_t *copied;               /* (documents): bytes in units that an earlier one has */
    int64_t clusters, copies, bytes;
    Buf origins;
    json_t *manifest;
    DedupNear how;
    char list[17];
} Near;

static bool read_shape(Cmd *c, DedupNear *how, Err *err)
{
    const char *text = cmd_value(c, "bands", "14x8");
    Str bands, rows = str_of(text);
    int64_t b = 0, r = 0;
    if (!str_cut(&rows, 'x', &bands) || !str_to_i64(bands, &b) || !str_to_i64(rows, &r) || b < 1 ||
        r < 1 || b > DEDUP_HASHES_MAX || r > DEDUP_HASHES_MAX)
        return err_set(err, ERR_CONFIG, "--bands %s: say it as 14x8, bands by rows", text);
    how->bands = (int)b;
    how->rows = (int)r;
    return cmd_number(c, "jaccard", 0.7, 0.05, 1, &how->same, err);
}

static int by_size(const void *a, const void *b, void *near)
{
    const Near *n = near;
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    if (n->size[x] != n->size[y]) return n->size[x] < n->size[y] ? 1 : -1;
    return (x > y) - (x < y);
}

static void cut_units(Near *n)
{
    Buf units = { 0 }, ends = { 0 };
    for (int64_t i = 0; i < n->docs.count; i++) {
        Str doc = docs_get(&n->docs, i);
        int64_t begin = 0, end = doc.len;
        buf_clear(&ends);
        if (doc.len > CUT_OVER)
            tiers_cut(doc, PIECE, &ends);
        else
            buf_put(&ends, &end, sizeof(end));
        for (ptrdiff_t at = 0; at < ends.len; at += (ptrdiff_t)sizeof(end), begin = end) {
            memcpy(&end, ends.at + at, sizeof(end));
            Str unit = { doc.at + begin, (ptrdiff_t)(end - begin) };
            buf_put(&units, &unit, sizeof(unit));
        }
    }
    n->units = units.len / (int64_t)sizeof(Str);
    n->text = NEW(n->c->arena, Str, n->units);
    n->doc = NEW(n->c->arena, int64_t, n->units);
    if (n->units > 0) memcpy(n->text, units.at, (size_t)units.len);
    for (int64_t u = 0, i = 0; u < n->units; u++) {
        while (n->text[u].at >= docs_get(&n->docs, i).at + docs_get(&n->docs, i).len) i++;
        n->doc[u] = i;
    }
    buf_free(&units);
    buf_free(&ends);
}

static bool is_copy(const Near *n, int64_t doc)
{
    return (double)n->copied[doc] >= n->how.same * (double)docs_get(&n->docs, doc).len &&
           n->copied[doc] > 0;
}

static bool find_clusters(Near *n, Err *err)
{
    cut_units(n);
    n->group = NEW(n->c->arena, int64_t, n->units);
    n->size = NEW(n->c->arena, int64_t, n->units);
    n->order = NEW(n->c->arena, int64_t, n->units);
    n->copied = NEW(n->c->arena, int64_t, n->docs.count);
    if (!dedup_near_with(&n->how, n->text, n->units, n->group, err)) return false;
    for (int64_t u = 0; u < n->units; u++) {
        int64_t first = n->group[u];
        n->size[first]++;
        if (first == u) continue;
        if (n->size[first] == 2) n->order[n->clusters++] = first;
        if (n->doc[first] != n->doc[u]) n->copied[n->doc[u]] += n->text[u].len;
    }
    for (int64_t i = 0; i < n->docs.count; i++) {
        n->copies += is_copy(n, i);
        n->bytes += is_copy(n, i) ? docs_get(&n->docs, i).len : 0;
    }
    qsort_r(n->order, (size_t)n->clusters, sizeof(*n->order), by_size, n);
    return true;
}

/* Is there the same document, to the byte, before this one? */
static bool is_exact(const Near *n, int64_t unit)
{
    int64_t doc = n->doc[unit], first = n->doc[n->group[unit]];
    return first < doc && str_eq(docs_get(&n->docs, first), docs_get(&n->docs, doc));
}

static bool write_list(Near *n, Err *err)
{
    DropList list = { 0 };
    for (int64_t u = 0; u < n->units; u++) {
        int64_t doc = n->doc[u];
        if ((u == 0 || n->doc[u - 1] != doc) && is_copy(n, doc))
            droplist_document(&list, dedup_key(docs_get(&n->docs, doc)), is_exact(n, u));
    }
    bool ok = droplist_write(&list, n->c->lab, n->c->arg[0], n->list, err);
    droplist_free(&list);
    return ok;
}

/* The path of file number `file` over all additions. */
static const char *file_name(const Near *n, int64_t file)
{
    size_t i;
    json_t *addition;
    json_array_foreach(json_object_get(n->manifest, "additions"), i, addition)
    {
        const json_t *files = json_object_get(addition, "files");
        int64_t count = (int64_t)json_array_size(files);
        if (file >= 0 && file < count)
            return json_str(json_array_get(files, (size_t)file), "path", "?");
        file -= count;
    }
    return NULL;
}

static json_t *member(const Near *n, int64_t u)
{
    Origin o = origin_get(buf_view(&n->origins), n->doc[u]);
    Str doc = docs_get(&n->docs, n->doc[u]);
    Str front = { n->text[u].at, MIN(n->text[u].len, (ptrdiff_t)100) };
    while (front.len > 0 && front.len < n->text[u].len &&
           ((unsigned char)front.at[front.len] & 0xC0) == 0x80)
        front.len--;
    return json_pack("{s:I,s:I,s:I,s:s?,s:I,s:f,s:o}", "document", (json_int_t)n->doc[u], "begin",
                     (json_int_t)(n->text[u].at - doc.at), "bytes", (json_int_t)n->text[u].len,
                     "path", file_name(n, o.file), "offset", (json_int_t)o.offset, "jaccard",
                     dedup_jaccard(n->text[n->group[u]], n->text[u]), "text", json_text(front));
}

static json_t *cluster(const Near *n, int64_t first)
{
    enum { MEMBERS = 8 };
    json_t *members = json_array();
    for (int64_t i = first; i < n->units && json_array_size(members) < MEMBERS; i++)
        if (n->group[i] == first) json_array_append_new(members, member(n, i));
    return json_pack("{s:I,s:o}", "members", (json_int_t)n->size[first], "first", members);
}

static json_t *curve(const DedupNear *how)
{
    json_t *all = json_array();
    for (int percent = 50; percent <= 95; percent += 5)
        json_array_append_new(all, json_pack("{s:f,s:f}", "jaccard", percent / 100.0, "found",
                                             dedup_near_chance(how, percent / 100.0)));
    return all;
}

static json_t *result(const Near *n, int64_t shown)
{
    json_t *clusters = json_array();
    for (int64_t k = 0; k < MIN(shown, n->clusters); k++)
        json_array_append_new(clusters, cluster(n, n->order[k]));
    return json_pack("{s:i,s:i,s:f,s:o,s:I,s:I,s:I,s:I,s:o,s:s?}", "bands", n->how.bands, "rows",
                     n->how.rows, "jaccard", n->how.same, "curve", curve(&n->how), "documents",
                     (json_int_t)n->docs.count, "clusters", (json_int_t)n->clusters, "copies",
                     (json_int_t)n->copies, "copy_bytes", (json_int_t)n->bytes, "largest", clusters,
                     "list", n->list[0] ? n->list : NULL);
}

/* One line of the text, without what a terminal obeys. */
static void print_front(const char *text)
{
    for (; *text; text++) putchar((unsigned char)*text < 32 || *text == 127 ? ' ' : *text);
    putchar('\n');
}

static void print_result(const Near *n, const json_t *doc)
{
    size_t i, k;
    json_t *one, *m;
    char bytes[32];
    printf("MinHash of %d bands by %d rows finds of pairs that overlap by", n->how.bands,
           n->how.rows);
    json_array_foreach(json_object_get(doc, "curve"), i, one)
        printf("%s %.2f: %.0f %%", i ? "," : "", json_num(one, "jaccard", 0),
               100 * json_num(one, "found", 0));
    printf("\n%lld clusters; %lld of %lld documents (%s) are in earlier ones to %.0f %% and more\n",
           (long long)n->clusters, (long long)n->copies, (long long)n->docs.count,
           str_bytes(bytes, (double)n->bytes), 100 * n->how.same);
    json_array_foreach(json_object_get(doc, "largest"), i, one)
    {
        printf("\n%lld times\n", (long long)json_int(one, "members", 0));
        json_array_foreach(json_object_get(one, "first"), k, m)
        {
            printf("  %.2f  document %lld from byte %lld, %lld bytes (%s byte %lld): ",
                   json_num(m, "jaccard", 0), (long long)json_int(m, "document", 0),
                   (long long)json_int(m, "begin", 0), (long long)json_int(m, "bytes", 0),
                   json_str(m, "path", "?"), (long long)json_int(m, "offset", 0));
            print_front(json_str(m, "text", ""));
        }
    }
    if (n->list[0])
        printf("\nto train without the copies: data.drop = \"%s:%s\"\n", n->c->arg[0], n->list);
}

static bool look(Near *n, Err *err)
{
    double shown;
    const char *stem = corpus_train_stem(n->c->lab, n->c->arg[0], n->c->arena);
    if (!read_shape(n->c, &n->how, err) || !cmd_number(n->c, "n", 5, 0, 1e6, &shown, err) ||
        !corpus_manifest(n->c->lab, n->c->arg[0], &n->manifest, err) ||
        !docs_open(&n->docs, stem, err) || !origin_read(stem, n->docs.count, &n->origins, err) ||
        !find_clusters(n, err) || (cmd_has(n->c, "write") && n->copies > 0 && !write_list(n, err)))
        return false;
    json_t *doc = result(n, (int64_t)shown);
    if (n->c->json)
        cmd_print_json(json_incref(doc));
    else
        print_result(n, doc);
    json_decref(doc);
    return true;
}

static bool run(Cmd *c, Err *err)
{
    Near n = { .c = c };
    bool ok = look(&n, err);
    docs_close(&n.docs);
    buf_free(&n.origins);
    json_decref(n.manifest);
    return ok;
}

const CmdDef cmd_data_near = {
    .name = "data near",
    .args = "NAME",
    .doc = "clusters of documents that are nearly the same, and a list to train without the copies",
    .more = "Candidates are found by MinHash of 5-word shingles, and their true overlap decides; "
            "documents over 64 kB are compared in pieces. "
            "With --write, documents that earlier ones hold go into a list that a recipe can name "
            "as data.drop. More bands find more of the pairs, more rows fewer strangers to "
            "compare; what is found of each overlap is shown.",
    .opts = opts,
    .min_args = 1,
    .max_args = 1,
    .needs_lab = true,
    .json = true,
    .run = run,
};
