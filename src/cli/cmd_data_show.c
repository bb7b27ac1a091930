/* cmd_data_show.c - what data the lab has: `data list`, `data show`, `data sample`.
 *
 * Samples come from the training text alone.  Held-out text is the judge's: whoever reads it
 * to choose the next experiment has used it up. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/rand.h"
#include "cli/cmd.h"
#include "cli/data_text.h"
#include "cli/filter_text.h"
#include "data/corpus.h"
#include "data/docs.h"
#include "data/filter_table.h"
#include "data/origin.h"

static bool run_list(Cmd *c, Err *err)
{
    char **names;
    int count;
    if (!corpus_list(c->lab, c->arena, &names, &count, err)) return false;
    json_t *all = json_array();
    Buf text = { 0 };
    bool ok = true;
    for (int i = 0; ok && i < count; i++) {
        json_t *manifest;
        ok = corpus_manifest(c->lab, names[i], &manifest, err);
        if (!ok) break;
        data_text_line(manifest, &text);
        json_array_append_new(all, manifest);
    }
    if (ok && c->json)
        cmd_print_json(json_incref(all));
    else if (ok && count > 0)
        fwrite(text.at, 1, (size_t)text.len, stdout);
    else if (ok)
        fprintf(stderr, "no data yet: lathe data add NAME PATH..., or lathe data synth NAME\n");
    buf_free(&text);
    json_decref(all);
    return ok;
}

const CmdDef cmd_data_list = {
    .name = "data list",
    .doc = "the data sets of this lab",
    .needs_lab = true,
    .json = true,
    .run = run_list,
};

static const CmdOpt show_opts[] = {
    { "filters", 0, "TEXT", "other thresholds, as the knob data.filters has them" },
    { "examples", 0, "N", "documents shown for each rule (1)" },
    { 0 },
};

static bool run_show(Cmd *c, Err *err)
{
    json_t *manifest, *table;
    double examples;
    const char *name = c->arg[0], *filters = cmd_value(c, "filters", "");
    if (!cmd_number(c, "examples", 1, 0, 3, &examples, err) ||
        !corpus_manifest(c->lab, name, &manifest, err))
        return false;
    if (!filter_table(c->lab, name, filters, &table, err)) {
        json_decref(manifest);
        return false;
    }
    if (c->json) {
        json_object_set_new(manifest, "filters", table);
        cmd_print_json(manifest);
        return true;
    }
    Buf text = { 0 };
    data_text(manifest, &text);
    filter_text(table, (int)examples, &text);
    fwrite(text.at, 1, (size_t)text.len, stdout);
    buf_free(&text);
    json_decref(table);
    json_decref(manifest);
    return true;
}

const CmdDef cmd_data_show = {
    .name = "data show",
    .args = "NAME",
    .doc = "where the text of a data set went, and what each filter would leave out",
    .more = "Training, held-out tiers, and what was left out and why; then a table of the filters "
            "that a recipe may use (`lathe data filters`): what share of the documents each rule "
            "would leave out, by the file that they came from, with an example. Nothing is left "
            "out but by a recipe that says so. Of more than 64 MB a sample is judged.",
    .opts = show_opts,
    .min_args = 1,
    .max_args = 1,
    .needs_lab = true,
    .json = true,
    .run = run_show,
};

/* ---- sample ---- */

static const CmdOpt sample_opts[] = {
    { "n", 'n', "N", "how many documents (5)" },
    { "bytes", 0, "N", "of each at most so many bytes (2000)" },
    { "seed", 0, "S", "another choice (1)" },
    { "document", 'd', "N", "this one, and no choice" },
    { 0 },
};

/* A terminal obeys what it is shown: control characters of the text are shown as dots there. */
static void print_text(Str text)
{
    bool terminal = isatty(STDOUT_FILENO);
    for (ptrdiff_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        bool control = (byte < 32 && byte != '\n' && byte != '\t') || byte == 127;
        putchar(terminal && control ? '.' : byte);
    }
    if (text.len == 0 || text.at[text.len - 1] != '\n') putchar('\n');
}

/* Not in the middle of a character. */
static Str cut(Str text, ptrdiff_t bytes)
{
    if (text.len <= bytes) return text;
    while (bytes > 0 && ((unsigned char)text.at[bytes] & 0xc0) == 0x80) bytes--;
    return (Str){ text.at, bytes };
}

/* The files of all additions, end to end: what Origin.file counts. */
static json_t *files_of(const json_t *manifest)
{
    size_t i;
    json_t *addition, *all = json_array();
    json_array_foreach(json_object_get(manifest, "additions"), i, addition)
        json_array_extend(all, json_object_get(addition, "files"));
    return all;
}

typedef struct Sample {
    Docs docs;
    Buf origins;
    json_t *files, *all; /* of the manifest; what is shown */
    ptrdiff_t bytes;
} Sample;

static json_t *origin_entry(const Sample *s, int64_t number)
{
    char sha[65];
    Origin o = origin_get(buf_view(&s->origins), number);
    const json_t *file = o.file < 0 ? NULL : json_array_get(s->files, (size_t)o.file);
    if (!file) return json_null();
    for (int i = 0; i < 32; i++) snprintf(sha + 2 * i, 3, "%02x", o.sha256[i]);
    return json_pack("{s:O,s:I,s:I,s:s}", "path", json_object_get(file, "path"), "offset",
                     (json_int_t)o.offset, "begin", (json_int_t)o.begin, "sha256", sha);
}

static void show_document(Sample *s, int64_t number)
{
    Str doc = docs_get(&s->docs, number), shown = cut(doc, s->bytes);
    json_array_append_new(s->all,
                          json_pack("{s:I,s:I,s:b,s:o,s:o}", "document", (json_int_t)number,
                                    "bytes", (json_int_t)doc.len, "whole", shown.len == doc.len,
                                    "from", origin_entry(s, number), "text", json_text(shown)));
}

/* "notes.jsonl at byte 9213, from its byte 400 on" */
static void print_origin(const json_t *from)
{
    int64_t begin = json_int(from, "begin", 0);
    if (!json_is_object(from)) return;
    printf("--- from %s at byte %lld", json_str(from, "path", "?"),
           (long long)json_int(from, "offset", 0));
    if (begin > 0) printf(", from byte %lld of the document on", (long long)begin);
    printf(", SHA-256 %.16s... ---\n", json_str(from, "sha256", ""));
}

static void print_documents(const json_t *all)
{
    size_t i;
    json_t *doc;
    json_array_foreach(all, i, doc)
    {
        const json_t *text = json_object_get(doc, "text");
        Str shown = { json_string_value(text), (ptrdiff_t)json_string_length(text) };
        int64_t bytes = json_int(doc, "bytes", 0);
        printf("%s--- document %lld, %lld bytes%s ---\n", i ? "\n" : "",
               (long long)json_int(doc, "document", 0), (long long)bytes,
               json_is_true(json_object_get(doc, "whole")) ? "" : ", from the beginning");
        print_origin(json_object_get(doc, "from"));
        print_text(shown);
    }
}

static bool open_sample(Cmd *c, Sample *s, Err *err)
{
    json_t *manifest;
    if (!corpus_manifest(c->lab, c->arg[0], &manifest, err)) return false;
    s->files = files_of(manifest);
    s->all = json_array();
    json_decref(manifest);
    const char *stem = corpus_train_stem(c->lab, c->arg[0], c->arena);
    return docs_open(&s->docs, stem, err) && origin_read(stem, s->docs.count, &s->origins, err);
}

static void close_sample(Sample *s)
{
    docs_close(&s->docs);
    buf_free(&s->origins);
    json_decref(s->files);
    json_decref(s->all);
}

static bool choose_documents(Cmd *c, Sample *s, Err *err)
{
    double n, seed, one;
    if (!cmd_number(c, "n", 5, 1, 1e6, &n, err) ||
        !cmd_number(c, "seed", 1, 0, 9007199254740992.0, &seed, err) ||
        !cmd_number(c, "document", 0, 0, (double)MAX(s->docs.count - 1, (int64_t)0), &one, err))
        return false;
    if (cmd_has(c, "document")) {
        if (s->docs.count > 0) show_document(s, (int64_t)one);
        return true;
    }
    for (int64_t i = 0; i < MIN((int64_t)n, s->docs.count); i++)
        show_document(s,
                      (int64_t)rand_permute((uint64_t)i, (uint64_t)s->docs.count, (uint64_t)seed));
    return true;
}

static bool run_sample(Cmd *c, Err *err)
{
    double bytes;
    Sample s = { 0 };
    if (!cmd_number(c, "bytes", 2000, 1, 1e9, &bytes, err)) return false;
    s.bytes = (ptrdiff_t)bytes;
    bool ok = open_sample(c, &s, err) && choose_documents(c, &s, err);
    if (ok && c->json)
        cmd_print_json(json_incref(s.all));
    else if (ok)
        print_documents(s.all);
    close_sample(&s);
    return ok;
}

const CmdDef cmd_data_sample = {
    .name = "data sample",
    .args = "NAME",
    .doc = "a few documents of the training text, and where each came from",
    .more = "The place is the file, the byte at which the document's line or record begins in it "
            "(unpacked; of Parquet the row), and the hash of the document as it was read. What was "
            "cut because a passage is held out begins later in its document.",
    .opts = sample_opts,
    .min_args = 1,
    .max_args = 1,
    .needs_lab = true,
    .json = true,
    .run = run_sample,
};
