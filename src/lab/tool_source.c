/* tool_source.c - the source that this program was built from.
 *
 * Who wonders what a knob does exactly should read it, and read what runs, not what some checkout
 * says.  So the text of the modules that decide how a model trains is in the program: the Makefile
 * strings the files together, each behind a line "@@ PATH", and the assembler takes the result in.
 * The judge is not among them: who proposes has no use for its source, and guessing at it should
 * not be made comfortable. */
#include <stdio.h>
#include <string.h>

#include "lab/tool_private.h"

enum { LINES_MAX = 400, HITS_MAX = 60, HIT_BYTES = 160 };

extern const char source_text[], source_text_end[];
__asm__(".section .rodata\n"
        "source_text:\n"
        ".incbin \"" SOURCE_TEXT "\"\n"
        "source_text_end:\n"
        ".byte 0\n"
        ".text\n");

typedef struct SourceFile {
    Str path, text;
} SourceFile;

/* Cuts the next file off *rest; false at the end. */
static bool next_file(Str *rest, SourceFile *out)
{
    static const char mark[] = "\n@@ src/";
    if (!str_starts(*rest, STR("@@ "))) return false;
    Str line;
    str_cut(rest, '\n', &line);
    const char *end = memmem(rest->at, (size_t)rest->len, mark, sizeof mark - 1);
    ptrdiff_t len = end ? end + 1 - rest->at : rest->len;
    *out = (SourceFile){ { line.at + 3, line.len - 3 }, { rest->at, len } };
    *rest = (Str){ rest->at + len, rest->len - len };
    return true;
}

static Str all_files(void)
{
    return (Str){ source_text, source_text_end - source_text };
}

static int count_lines(Str text)
{
    int n = 0;
    for (ptrdiff_t i = 0; i < text.len; i++) n += text.at[i] == '\n';
    return n;
}

/* "the square of the rectifier": what a file's essay begins with, behind its name. */
static Str headline(Str text)
{
    Str line;
    str_cut(&text, '\n', &line);
    const char *dash = line.len ? memmem(line.at, (size_t)line.len, " - ", 3) : NULL;
    if (dash) line = (Str){ dash + 3, line.at + line.len - dash - 3 };
    if (str_ends(line, STR(" */"))) line.len -= 3;
    return (Str){ line.at, MIN(line.len, 100) };
}

static json_t *file_line(const SourceFile *f)
{
    Buf b = { 0 };
    Str about = headline(f->text);
    buf_printf(&b, "%.*s, %d lines: %.*s", (int)f->path.len, f->path.at, count_lines(f->text),
               (int)about.len, about.at);
    json_t *line = json_text(buf_view(&b));
    buf_free(&b);
    return line;
}

/* Of each folder how many files and lines, where no folder is named. */
static json_t *list_folders(void)
{
    json_t *folders = json_object(), *list = json_array(), *n;
    const char *path;
    SourceFile f;
    for (Str rest = all_files(); next_file(&rest, &f);) {
        char folder[100];
        const char *slash = memrchr(f.path.at, '/', (size_t)f.path.len);
        snprintf(folder, sizeof(folder), "%.*s", (int)(slash - f.path.at), f.path.at);
        json_int_t files = json_int(folders, folder, 0) + 1;
        json_object_set_new(folders, folder, json_integer(files));
    }
    json_object_foreach(folders, path, n)
        json_array_append_new(list, json_pack("{s:s, s:O}", "folder", path, "files", n));
    json_decref(folders);
    return json_pack("{s:o}", "folders", list);
}

static json_t *list_files(const char *under)
{
    json_t *list = json_array();
    SourceFile f;
    for (Str rest = all_files(); next_file(&rest, &f);)
        if (str_starts(f.path, str_of(under))) json_array_append_new(list, file_line(&f));
    return json_pack("{s:o}", "files", list);
}

static json_t *read_lines(const SourceFile *f, int from, int want)
{
    Buf b = { 0 };
    Str rest = f->text, line;
    int at = 1, last = from + want - 1;
    for (; rest.len > 0 && at <= last && str_cut(&rest, '\n', &line); at++)
        if (at >= from) buf_printf(&b, "%.*s\n", (int)line.len, line.at);
    json_t *o = json_pack("{s:o, s:i, s:i, s:o}", "file", json_text(f->path), "from", from, "lines",
                          count_lines(f->text), "text", json_text(buf_view(&b)));
    buf_free(&b);
    return o;
}

static bool find_in(const SourceFile *f, const char *words, json_t *hits)
{
    Str rest = f->text, line;
    for (int at = 1; str_cut(&rest, '\n', &line); at++) {
        if (!line.len || !memmem(line.at, (size_t)line.len, words, strlen(words))) continue;
        if (json_array_size(hits) == HITS_MAX) return false;
        char where[200];
        snprintf(where, sizeof(where), "%.*s:%d", (int)f->path.len, f->path.at, at);
        Str seen = str_trim(line);
        json_array_append_new(hits,
                              json_pack("{s:s, s:o}", "at", where, "line",
                                        json_text((Str){ seen.at, MIN(seen.len, HIT_BYTES) })));
    }
    return true;
}

static json_t *find_words(const char *under, const char *words)
{
    json_t *hits = json_array();
    bool all = true;
    SourceFile f;
    for (Str rest = all_files(); all && next_file(&rest, &f);)
        if (str_starts(f.path, str_of(under))) all = find_in(&f, words, hits);
    return json_pack("{s:o, s:b}", "found", hits, "more", !all);
}

static bool source(ToolCall *c, json_t **out, Err *err)
{
    const char *path = json_str(c->args, "file", ""), *words = json_str(c->args, "find", "");
    int from = (int)json_int(c->args, "from", 1), lines = (int)json_int(c->args, "lines", 200);
    SourceFile f;
    for (Str rest = all_files(); !words[0] && next_file(&rest, &f);) {
        if (!str_eq(f.path, str_of(path))) continue;
        *out = read_lines(&f, from, lines);
        return true;
    }
    *out = words[0] ? find_words(path, words) : path[0] ? list_files(path) : list_folders();
    if (words[0] || !path[0] || json_array_size(json_object_get(*out, "files"))) return true;
    json_decref(*out);
    *out = NULL;
    return err_set(err, ERR_CONFIG,
                   "there is no source file or folder %.80s; without file, source "
                   "lists the folders",
                   path);
}

static const ToolArg source_args[] = {
    ARG_TEXT("file", 100, "a file to read, such as src/optim/muon.c, or a folder to list"),
    ARG_TEXT("find", 100, "instead: the lines with these words, in that folder or everywhere"),
    ARG_WHOLE("from", 1, 1, 100000, "first line"),
    ARG_WHOLE("lines", 200, 1, LINES_MAX, "how many"),
    ARG_END,
};

const ToolDef tool_source = {
    .name = "source",
    .doc = "Read the source that this program was built from: models, optimizers, training, "
           "operations, the decision rule, the doctor. Without arguments the folders, with a "
           "folder its "
           "files. What a knob does exactly is found with find.",
    .args = source_args,
    .call = source,
};
