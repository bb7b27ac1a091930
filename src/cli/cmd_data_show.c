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
#include "data/corpus.h"
#include "data/docs.h"

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

static bool run_show(Cmd *c, Err *err)
{
    json_t *manifest;
    if (!corpus_manifest(c->lab, c->arg[0], &manifest, err)) return false;
    if (c->json) {
        cmd_print_json(manifest);
        return true;
    }
    Buf text = { 0 };
    data_text(manifest, &text);
    fwrite(text.at, 1, (size_t)text.len, stdout);
    buf_free(&text);
    json_decref(manifest);
    return true;
}

const CmdDef cmd_data_show = {
    .name = "data show",
    .args = "NAME",
    .doc = "where the text of a data set went: training, held-out tiers, left out and why",
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

static void show_document(int64_t number, Str doc, ptrdiff_t bytes, json_t *all)
{
    Str shown = cut(doc, bytes);
    json_array_append_new(all, json_pack("{s:I,s:I,s:b,s:o}", "document", (json_int_t)number,
                                         "bytes", (json_int_t)doc.len, "whole",
                                         shown.len == doc.len, "text", json_text(shown)));
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
        print_text(shown);
    }
}

static bool run_sample(Cmd *c, Err *err)
{
    double n, bytes, seed;
    json_t *manifest;
    if (!cmd_number(c, "n", 5, 1, 1e6, &n, err) ||
        !cmd_number(c, "bytes", 2000, 1, 1e9, &bytes, err) ||
        !cmd_number(c, "seed", 1, 0, 9007199254740992.0, &seed, err) ||
        !corpus_manifest(c->lab, c->arg[0], &manifest, err))
        return false;
    json_decref(manifest);
    Docs docs;
    if (!docs_open(&docs, corpus_train_stem(c->lab, c->arg[0], c->arena), err)) return false;
    json_t *all = json_array();
    for (int64_t i = 0; i < MIN((int64_t)n, docs.count); i++) {
        int64_t at = (int64_t)rand_permute((uint64_t)i, (uint64_t)docs.count, (uint64_t)seed);
        show_document(at, docs_get(&docs, at), (ptrdiff_t)bytes, all);
    }
    if (c->json)
        cmd_print_json(json_incref(all));
    else
        print_documents(all);
    json_decref(all);
    docs_close(&docs);
    return true;
}

const CmdDef cmd_data_sample = {
    .name = "data sample",
    .args = "NAME",
    .doc = "a few documents of the training text",
    .opts = sample_opts,
    .min_args = 1,
    .max_args = 1,
    .needs_lab = true,
    .json = true,
    .run = run_sample,
};
