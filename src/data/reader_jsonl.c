/* reader_jsonl.c - one JSON object a line, the document in one of its fields.
 *
 * A line that is not JSON, or has no text in the field, is left out, counted and named by its
 * number: one broken line must not cost a night's download, and a file whose every line is
 * bad is a wrong field name and is refused with the names that are there.  Only one line is
 * held in memory; a line of 100 MB is therefore 100 MB and not an error, one over a gigabyte is a
 * bad line and is not held at all.  A line with broken UTF-8 is a bad line, as JSON says. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/reader.h"
#include "data/reader_json.h"

static const ptrdiff_t LONGEST = (ptrdiff_t)1 << 30; /* bytes of a line */
enum { LOOK = 1 << 20 };                             /* of a bad line, to name its fields */

typedef struct Lines {
    ReaderFile *file;
    int64_t number, offset; /* of the line, and its first byte */
    char first_bad[200];    /* the names in the first bad line */
    Buf gathered, text;
    bool too_long; /* the line in progress */
} Lines;

/* "id, source, body": what the line does have, for the complaint. */
static void names_in(Str line, char *out, ptrdiff_t cap)
{
    json_error_t why;
    json_t *object =
        line.len > LOOK ? NULL : json_loadb(line.at, (size_t)line.len, JSON_ALLOW_NUL, &why);
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

static bool take_line(Lines *lines, Str line, Err *err)
{
    ReaderFile *file = lines->file;
    lines->number++;
    if (str_trim(line).len == 0 && !lines->too_long) return true;
    if (!lines->too_long && readerjson_find(line, file->field, &lines->text) == READERJSON_TEXT)
        return readerfile_document(file, lines->offset, buf_view(&lines->text), err);
    if (file->bad_lines == 0) names_in(line, lines->first_bad, COUNT(lines->first_bad));
    readerfile_bad(file, lines->number);
    return true;
}

static void gather(Lines *lines, Str part)
{
    lines->too_long = lines->too_long || lines->gathered.len + part.len > LONGEST;
    if (lines->too_long)
        buf_free(&lines->gathered);
    else
        buf_put(&lines->gathered, part.at, part.len);
}

/* Whole lines are taken where they lie; only one that crosses a chunk's end is gathered. */
static bool take_chunk(Lines *lines, Str chunk, int64_t offset, Err *err)
{
    for (ptrdiff_t at = 0; at < chunk.len;) {
        const char *newline = memchr(chunk.at + at, '\n', (size_t)(chunk.len - at));
        Str line = { chunk.at + at, (newline ? newline - chunk.at : chunk.len) - at };
        bool fresh = lines->gathered.len == 0 && !lines->too_long;
        if (fresh) lines->offset = offset + at;
        at += line.len + (newline != NULL);
        if (!fresh || !newline) {
            gather(lines, line);
            line = buf_view(&lines->gathered);
        }
        if (!newline) continue;
        if (!take_line(lines, line, err)) return false;
        buf_clear(&lines->gathered);
        lines->too_long = false;
    }
    return true;
}

static bool read_all_lines(ReaderStream *in, Lines *lines, Err *err)
{
    for (Str chunk;;) {
        if (!readerstream_next(in, &chunk, err)) return false;
        if (chunk.len == 0) break;
        if (!take_chunk(lines, chunk, in->out_bytes - chunk.len, err)) return false;
    }
    return (lines->gathered.len == 0 && !lines->too_long) ||
           take_line(lines, buf_view(&lines->gathered), err);
}

static bool read_jsonl(ReaderStream *in, ReaderFile *file, Err *err)
{
    Lines lines = { .file = file };
    bool ok = read_all_lines(in, &lines, err);
    buf_free(&lines.gathered);
    buf_free(&lines.text);
    if (ok && file->documents == 0 && file->bad_lines > 0)
        return err_set(err, ERR_CONFIG,
                       "%s: none of its %" PRId64 " lines has text in the field \"%s\" (the first "
                       "has: %s); name the right one with --field",
                       in->path, file->bad_lines, file->field, lines.first_bad);
    return ok;
}

static bool is_jsonl(Str head)
{
    Str text = str_trim(head);
    return text.len > 0 && text.at[0] == '{' && !memchr(head.at, 0, (size_t)head.len);
}

static const char *const suffixes[] = { ".jsonl", ".ndjson", NULL };

const ReaderDef reader_jsonl = {
    .name = "jsonl",
    .suffixes = suffixes,
    .doc = "one JSON object a line, the text in the field \"text\" or --field",
    .is = is_jsonl,
    .read = read_jsonl,
};
