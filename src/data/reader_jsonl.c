/* reader_jsonl.c - one JSON object a line, the document in one of its fields.
 *
 * A line that is not JSON, or has no text in the field, is left out, counted and named by its
 * number: one broken line must not cost a night's download, and a file whose every line is
 * bad is a wrong field name and is refused with the names that are there.  Only one line is
 * held in memory; a line of 100 MB is therefore 100 MB and not an error.  Strings decode by
 * JSON's rules (jansson; \u0000 is a NUL byte), so a line with broken UTF-8 is a bad line. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/reader.h"

static json_t *field_of(json_t *object, const char *field)
{
    Str rest = str_of(field), name;
    while (object && str_cut(&rest, '.', &name)) {
        char key[128];
        snprintf(key, sizeof(key), "%.*s", (int)name.len, name.at);
        object = json_object_get(object, key);
    }
    return json_is_string(object) ? object : NULL;
}

/* Sends one line's document on; *good says whether there was one. */
static bool read_line(Str line, ReaderFile *file, bool *good, Err *err)
{
    *good = false;
    json_error_t why;
    json_t *object = json_loadb(line.at, (size_t)line.len, JSON_ALLOW_NUL, &why);
    json_t *text = field_of(object, file->field);
    bool ok = true;
    if (text) {
        *good = true;
        Str bytes = { json_string_value(text), (ptrdiff_t)json_string_length(text) };
        ok = file->sink.part(file->sink.self, bytes, err) && file->sink.end(file->sink.self, err);
        file->documents++;
    }
    json_decref(object);
    return ok;
}

/* "id, source, body": what the line does have, for the complaint. */
static void names_in(Str line, char *out, ptrdiff_t cap)
{
    json_error_t why;
    json_t *object = json_loadb(line.at, (size_t)line.len, JSON_ALLOW_NUL, &why);
    const char *key;
    json_t *value;
    ptrdiff_t n = 0;
    out[0] = 0;
    if (!object) snprintf(out, (size_t)cap, "%s", "no JSON object");
    json_object_foreach(object, key, value)
    {
        if (n < cap - 1) n += snprintf(out + n, (size_t)(cap - n), "%s%s", n ? ", " : "", key);
    }
    json_decref(object);
}

typedef struct Lines {
    ReaderFile *file;
    int64_t number;
    char first_bad[200]; /* the names in the first bad line */
} Lines;

static bool take_line(Lines *lines, Str line, Err *err)
{
    ReaderFile *file = lines->file;
    lines->number++;
    if (str_trim(line).len == 0) return true;
    bool good;
    if (!read_line(line, file, &good, err)) return false;
    if (good) return true;
    if (file->bad_lines == 0) names_in(line, lines->first_bad, COUNT(lines->first_bad));
    if (file->bad_lines < READER_NAMED) file->bad_line[file->bad_lines] = lines->number;
    file->bad_lines++;
    return true;
}

/* Whole lines are taken where they lie; only one that crosses a chunk's end is gathered. */
static bool take_chunk(Lines *lines, Buf *gathered, Str chunk, Err *err)
{
    while (chunk.len > 0) {
        const char *newline = memchr(chunk.at, '\n', (size_t)chunk.len);
        ptrdiff_t len = newline ? newline - chunk.at : chunk.len;
        Str line = { chunk.at, len };
        if (gathered->len > 0 || !newline) {
            buf_put(gathered, chunk.at, len);
            line = buf_view(gathered);
        }
        if (newline && !take_line(lines, line, err)) return false;
        if (newline) buf_clear(gathered);
        len += newline != NULL;
        chunk = (Str){ chunk.at + len, chunk.len - len };
    }
    return true;
}

static bool read_all_lines(ReaderStream *in, Lines *lines, Buf *gathered, Err *err)
{
    for (Str chunk;;) {
        if (!readerstream_next(in, &chunk, err)) return false;
        if (chunk.len == 0) break;
        if (!take_chunk(lines, gathered, chunk, err)) return false;
    }
    return gathered->len == 0 || take_line(lines, buf_view(gathered), err);
}

static bool read_jsonl(ReaderStream *in, ReaderFile *file, Err *err)
{
    Lines lines = { .file = file };
    Buf gathered = { 0 };
    bool ok = read_all_lines(in, &lines, &gathered, err);
    buf_free(&gathered);
    if (ok && file->documents == 0 && file->bad_lines > 0)
        return err_set(err, ERR_CONFIG,
                       "%s: none of its %" PRId64 " lines has text in the field \"%s\" (the first "
                       "has: %s); name the right one with --field",
                       in->path, file->bad_lines, file->field, lines.first_bad);
    return ok;
}

static const char *const suffixes[] = { ".jsonl", ".ndjson", NULL };

const ReaderDef reader_jsonl = {
    .name = "jsonl",
    .suffixes = suffixes,
    .doc = "one JSON object a line, the text in the field \"text\" or --field",
    .read = read_jsonl,
};
