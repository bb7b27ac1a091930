/* filter_table.c - what each rule would leave out of a data set, file by file, with examples.
 *
 * The thresholds of the literature were found on web pages and do not port: one reading of "word"
 * drops a quarter of all textbooks, one rule about line ends drops hard-wrapped books and passes
 * raw OCR.  So before anything is left out it is shown, for each rule alone and for each file that
 * the text came from, with documents to look at.  An example is the first document by a hash of its
 * number, so that examples are of all parts of a file and the same each time.
 *
 * Judging costs about as much as reading did, so of more than 64 MB a sample of documents is
 * judged, and the result is kept under the hash of all that it depends on. */
#include "data/filter_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/progress.h"
#include "data/corpus.h"
#include "data/docs.h"
#include "data/filter.h"
#include "data/origin.h"

enum { SOURCES = 6, EXAMPLES = 3, EXCERPT = 160, VERSION = 2 };
static const int64_t MOST = 64 << 20; /* bytes that are judged */

typedef struct Example {
    int64_t document;
    uint64_t order;
    double value;
} Example;

typedef struct Cell {
    int64_t documents;
    double places;
} Cell;

typedef struct Row {
    Cell cell[SOURCES + 1]; /* the last: all other files */
    Example example[EXAMPLES];
    int examples;
} Row;

typedef struct Source {
    int64_t file, documents, bytes; /* file: -1 of what has none */
    int64_t judged;                 /* documents */
} Source;

typedef struct Table {
    const char *lab, *name;
    Docs docs;
    Buf origins;
    json_t *files;
    Source source[SOURCES + 1];
    int sources;
    int64_t step, documents, bytes; /* each so many documents is judged; judged so far */
    FilterPlan plan;
    Row total[FILTER_MAX], rule[FILTER_MAX][FILTER_RULES];
} Table;

/* ---- sources ---- */

static int by_bytes(const void *a, const void *b)
{
    const Source *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
    return x->file < y->file ? -1 : x->file > y->file;
}

static void find_sources(Table *t)
{
    int64_t files = (int64_t)json_array_size(t->files);
    Source *all = calloc((size_t)files + 1, sizeof(*all));
    CHECK(all, "no memory for %lld files", (long long)files);
    for (int64_t i = 0; i <= files; i++) all[i].file = i < files ? i : -1;
    for (int64_t i = 0; i < t->docs.count; i++) {
        int64_t file = origin_get(buf_view(&t->origins), i).file;
        Source *s = &all[file >= 0 && file < files ? file : files];
        s->documents++;
        s->bytes += docs_get(&t->docs, i).len;
    }
    qsort(all, (size_t)files + 1, sizeof(*all), by_bytes);
    for (int64_t i = 0; i <= files && all[i].documents > 0; i++) {
        Source *s = &t->source[MIN(i, (int64_t)SOURCES)];
        if (i < SOURCES) s->file = all[i].file;
        s->documents += all[i].documents;
        s->bytes += all[i].bytes;
        t->sources = (int)MIN(i, (int64_t)SOURCES) + 1;
    }
    free(all);
}

static int source_of(const Table *t, int64_t document)
{
    int64_t file = origin_get(buf_view(&t->origins), document).file;
    for (int i = 0; i < MIN(t->sources, SOURCES); i++)
        if (t->source[i].file == file) return i;
    return t->sources - 1;
}

/* ---- judging ---- */

static void keep_example(Row *row, int64_t document, double value)
{
    Example e = { document, hash64(&document, sizeof(document), 11), value };
    int at = row->examples;
    if (at < EXAMPLES)
        row->examples++;
    else if (e.order >= row->example[--at].order)
        return;
    for (; at > 0 && row->example[at - 1].order > e.order; at--)
        row->example[at] = row->example[at - 1];
    row->example[at] = e;
}

static void note(Table *t, int f, const FilterVerdict *v, int64_t document)
{
    const FilterDef *def = t->plan.def[f];
    int source = source_of(t, document);
    if (v->failed) t->total[f].cell[source].documents++;
    for (int r = 0; r < def->n_rules; r++) {
        Row *row = &t->rule[f][r];
        bool edits = def->rules[r].sense == FILTER_EDIT;
        if (edits ? v->value[r] <= 0 : !(v->failed >> r & 1)) continue;
        row->cell[source].documents++;
        if (edits) row->cell[source].places += v->value[r];
        keep_example(row, document, v->value[r]);
    }
}

static bool judge_all(Table *t, Err *err)
{
    Progress p = progress_begin("judging", "bytes", (double)MIN(t->docs.bytes, MOST));
    bool ok = true;
    t->step = (t->docs.bytes + MOST - 1) / MOST;
    for (int64_t i = 0; ok && i < t->docs.count; i++) {
        if (t->step > 1 && hash64(&i, sizeof(i), 3) % (uint64_t)t->step != 0) continue;
        Str doc = docs_get(&t->docs, i);
        FilterDoc d;
        filter_read(doc, &t->plan.room[0], &d);
        for (int f = 0; f < t->plan.count; f++) {
            FilterVerdict v;
            filter_judge(t->plan.def[f], t->plan.knob[f], &t->plan.words[f], &d, &t->plan.room[1],
                         &t->plan.text[0], &v);
            note(t, f, &v, i);
        }
        t->source[source_of(t, i)].judged++;
        t->documents++;
        t->bytes += doc.len;
        progress_tick(&p, (double)t->bytes, "");
        if (stop_asked()) ok = err_set(err, ERR_STOPPED, "stopped while judging documents");
    }
    progress_end(&p);
    return ok;
}

/* ---- as JSON ---- */

static const char *path_of(const Table *t, int64_t file)
{
    return file < 0 ? t->name : json_str(json_array_get(t->files, (size_t)file), "path", "?");
}

static json_t *source_list(const Table *t)
{
    json_t *all = json_array();
    for (int i = 0; i < t->sources; i++) {
        const Source *s = &t->source[i];
        json_t *name =
            i == SOURCES ? json_string("other files") : json_text(str_of(path_of(t, s->file)));
        json_array_append_new(
            all, json_pack("{s:o,s:I,s:I,s:I}", "name", name, "documents", (json_int_t)s->documents,
                           "bytes", (json_int_t)s->bytes, "judged", (json_int_t)s->judged));
    }
    return all;
}

static json_t *counts(const Table *t, const Row *row, bool places)
{
    json_t *all = json_array();
    for (int i = 0; i < t->sources; i++)
        json_array_append_new(
            all, json_integer(places ? (json_int_t)row->cell[i].places : row->cell[i].documents));
    return all;
}

static json_t *example_list(const Table *t, const Row *row)
{
    json_t *all = json_array();
    for (int i = 0; i < row->examples; i++) {
        const Example *e = &row->example[i];
        Origin o = origin_get(buf_view(&t->origins), e->document);
        Str text = docs_get(&t->docs, e->document);
        text.len = MIN(text.len, (ptrdiff_t)EXCERPT);
        json_array_append_new(
            all, json_pack("{s:I,s:o,s:I,s:f,s:o}", "document", (json_int_t)e->document, "path",
                           json_text(str_of(path_of(t, o.file))), "offset", (json_int_t)o.offset,
                           "value", e->value, "text", json_text(text)));
    }
    return all;
}

static json_t *rule_entry(const Table *t, int f, int r)
{
    static const char *const sense[] = { "<", ">", "edit" };
    const FilterRule *rule = &t->plan.def[f]->rules[r];
    const Row *row = &t->rule[f][r];
    json_t *entry = json_pack("{s:s,s:s,s:f,s:o,s:o}", "rule", rule->name, "sense",
                              sense[rule->sense], "threshold", t->plan.knob[f][rule->knob],
                              "documents", counts(t, row, false), "examples", example_list(t, row));
    if (rule->sense == FILTER_EDIT) json_object_set_new(entry, "places", counts(t, row, true));
    return entry;
}

static json_t *table_json(const Table *t)
{
    json_t *filters = json_array();
    for (int f = 0; f < t->plan.count; f++) {
        const FilterDef *def = t->plan.def[f];
        json_t *rules = json_array();
        for (int r = 0; r < def->n_rules; r++) json_array_append_new(rules, rule_entry(t, f, r));
        json_array_append_new(filters, json_pack("{s:s,s:s,s:o,s:o}", "filter", def->name, "source",
                                                 def->source, "documents",
                                                 counts(t, &t->total[f], false), "rules", rules));
    }
    return json_pack("{s:I,s:I,s:{s:I,s:I},s:o,s:o}", "documents", (json_int_t)t->docs.count,
                     "bytes", (json_int_t)t->docs.bytes, "judged", "documents",
                     (json_int_t)t->documents, "bytes", (json_int_t)t->bytes, "sources",
                     source_list(t), "filters", filters);
}

/* ---- kept ---- */

static void key_path(const Table *t, char out[1100])
{
    char hex[65];
    Buf what = { 0 };
    buf_printf(&what, "filters %d %s %s", VERSION, t->docs.sha256, t->plan.key.at);
    sha256_hex(what.at, what.len, hex);
    buf_free(&what);
    snprintf(out, 1100, "%s/data/%s/filters/%.16s.json", t->lab, t->name, hex);
}

/* A lab that cannot be written is still looked at. */
static void keep(const Table *t, const char *path, const json_t *table)
{
    char folder[900];
    Err ignored = { 0 };
    snprintf(folder, sizeof(folder), "%s/data/%s/filters", t->lab, t->name);
    if (file_make_dirs(folder, &ignored) && json_write_file(path, table, &ignored)) return;
}

static bool open_table(Table *t, const char *filters, Err *err)
{
    Arena arena = arena_reserve(1 << 16);
    json_t *manifest, *addition;
    size_t i;
    bool ok = corpus_manifest(t->lab, t->name, &manifest, err);
    if (ok) {
        t->files = json_array();
        json_array_foreach(json_object_get(manifest, "additions"), i, addition)
            json_array_extend(t->files, json_object_get(addition, "files"));
        json_decref(manifest);
        const char *stem = corpus_train_stem(t->lab, t->name, &arena);
        ok = docs_open(&t->docs, stem, err) && origin_read(stem, t->docs.count, &t->origins, err) &&
             filterplan_make(&t->plan, t->lab, filters, t->name, true, err);
    }
    arena_release(&arena);
    return ok;
}

static bool make_table(Table *t, const char *filters, json_t **table, Err *err)
{
    char path[1100];
    Err ignored = { 0 };
    if (!open_table(t, filters, err)) return false;
    key_path(t, path);
    if (file_exists(path) && (*table = json_read_file(path, &ignored))) return true;
    find_sources(t);
    if (!judge_all(t, err)) return false;
    *table = table_json(t);
    keep(t, path, *table);
    return true;
}

bool filter_table(const char *lab, const char *name, const char *filters, json_t **table, Err *err)
{
    Table *t = calloc(1, sizeof(*t));
    CHECK(t, "no memory");
    t->lab = lab, t->name = name;
    *table = NULL;
    bool ok = make_table(t, filters, table, err);
    docs_close(&t->docs);
    buf_free(&t->origins);
    json_decref(t->files);
    filterplan_free(&t->plan);
    free(t);
    return ok;
}
