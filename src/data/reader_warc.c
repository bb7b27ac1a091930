/* reader_warc.c - web archives (ISO 28500): the text of WET files, the pages of WARC files.
 *
 * A record is headers, a blank line, so many bytes, two line ends.  `conversion` records are text
 * that somebody extracted (Common Crawl's WET) and come through as they are; `response` records are
 * what a server sent: of those with status 200 and a page in them the visible text, or the text
 * itself.  Requests, metadata and the archive's own description hold no text and are passed over.
 * A response that is packed or in another kind is counted with the bad ones.  Archives come packed
 * record by record, which reader_stream.c does not notice; a document's place is that of its
 * record in the unpacked bytes. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "data/reader.h"
#include "data/reader_html.h"

enum { LONGEST_LINE = 1 << 16, LARGEST_PAGE = 1 << 26 };

typedef enum Kind { OTHER, CONVERSION, RESPONSE } Kind;

typedef struct Warc {
    ReaderStream *in;
    ReaderFile *file;
    Str chunk; /* what is unread of it */
    Buf line, body, text;
    Kind kind; /* of the record in progress */
    int64_t length, offset, number;
} Warc;

/* Something to read in w->chunk; *ended if there is nothing more. */
static bool more(Warc *w, bool *ended, Err *err)
{
    *ended = false;
    if (w->chunk.len > 0) return true;
    if (!readerstream_next(w->in, &w->chunk, err)) return false;
    *ended = w->chunk.len == 0;
    return true;
}

static bool cut_short(const Warc *w, Err *err)
{
    return err_set(err, ERR_FORMAT,
                   "%s is cut short: it ends inside record %" PRId64 "; copy it again", w->in->path,
                   w->number);
}

static bool no_warc(const Warc *w, Err *err)
{
    return err_set(err, ERR_FORMAT,
                   "%s is no web archive, or is corrupted: no record begins at byte %" PRId64,
                   w->in->path, w->offset);
}

/* One line without its end; *ended if the file ended before it. */
static bool read_line(Warc *w, bool *ended, Err *err)
{
    buf_clear(&w->line);
    for (;;) {
        if (!more(w, ended, err)) return false;
        if (*ended) return str_trim(buf_view(&w->line)).len == 0 || cut_short(w, err);
        const char *newline = memchr(w->chunk.at, '\n', (size_t)w->chunk.len);
        ptrdiff_t n = newline ? newline - w->chunk.at + 1 : w->chunk.len;
        buf_put(&w->line, w->chunk.at, n);
        w->chunk = (Str){ w->chunk.at + n, w->chunk.len - n };
        if (newline) return true;
        if (w->line.len > LONGEST_LINE) return no_warc(w, err);
    }
}

/* "Name: value", the name in any case. */
static bool header(Str line, const char *name, Str *value)
{
    ptrdiff_t n = (ptrdiff_t)strlen(name);
    if (line.len <= n || line.at[n] != ':' || strncasecmp(line.at, name, (size_t)n) != 0)
        return false;
    *value = str_trim((Str){ line.at + n + 1, line.len - n - 1 });
    return true;
}

static bool read_headers(Warc *w, Err *err)
{
    w->kind = OTHER;
    w->length = -1;
    for (bool ended;;) {
        Str value, line;
        if (!read_line(w, &ended, err)) return false;
        if (ended) return cut_short(w, err);
        line = str_trim(buf_view(&w->line));
        if (line.len == 0) break;
        if (header(line, "WARC-Type", &value))
            w->kind = str_eq(value, STR("conversion")) ? CONVERSION
                      : str_eq(value, STR("response")) ? RESPONSE
                                                       : OTHER;
        if (header(line, "Content-Length", &value) && !str_to_i64(value, &w->length)) break;
    }
    return w->length >= 0 ||
           err_set(err, ERR_FORMAT, "%s: record %" PRId64 " says no length; the file is corrupted",
                   w->in->path, w->number);
}

/* ---- bodies ---- */

/* Hands the record's bytes on, or passes over them. */
static bool pass_body(Warc *w, bool send, Err *err)
{
    for (int64_t left = w->length; left > 0;) {
        bool ended;
        if (!more(w, &ended, err)) return false;
        if (ended) return cut_short(w, err);
        ptrdiff_t n = (ptrdiff_t)MIN(left, (int64_t)w->chunk.len);
        if (send && !readerfile_part(w->file, (Str){ w->chunk.at, n }, err)) return false;
        w->chunk = (Str){ w->chunk.at + n, w->chunk.len - n };
        left -= n;
    }
    return true;
}

static bool gather_body(Warc *w, Err *err)
{
    buf_clear(&w->body);
    while (w->body.len < w->length) {
        bool ended;
        if (!more(w, &ended, err)) return false;
        if (ended) return cut_short(w, err);
        ptrdiff_t n = (ptrdiff_t)MIN(w->length - w->body.len, (int64_t)w->chunk.len);
        buf_put(&w->body, w->chunk.at, n);
        w->chunk = (Str){ w->chunk.at + n, w->chunk.len - n };
    }
    return true;
}

typedef struct Answer {
    bool found, html, plain, packed;
} Answer;

/* Cuts the headers of HTTP off the front of *body. */
static Answer read_answer(Str *body)
{
    Str line, value;
    Answer a = { 0 };
    if (!str_cut(body, '\n', &line) || !str_starts(line, STR("HTTP/"))) return a;
    a.found = memmem(line.at, (size_t)line.len, " 200", 4) != NULL;
    while (str_cut(body, '\n', &line)) {
        line = str_trim(line);
        if (line.len == 0) break;
        if (header(line, "Content-Type", &value)) {
            a.html = memmem(value.at, (size_t)value.len, "html", 4) != NULL;
            a.plain = str_starts(value, STR("text/plain"));
        }
        a.packed = a.packed || header(line, "Content-Encoding", &value) ||
                   (header(line, "Transfer-Encoding", &value) && !str_eq(value, STR("identity")));
    }
    return a;
}

static bool take_response(Warc *w, Err *err)
{
    if (w->length > LARGEST_PAGE) {
        readerfile_bad(w->file, w->number);
        return pass_body(w, false, err);
    }
    if (!gather_body(w, err)) return false;
    Str body = buf_view(&w->body);
    Answer a = read_answer(&body);
    if (!a.found) return true;
    if (a.packed || !(a.html || a.plain)) {
        readerfile_bad(w->file, w->number);
        return true;
    }
    buf_clear(&w->text);
    if (a.html)
        reader_html_page(body, &w->text);
    else
        buf_str(&w->text, body);
    return readerfile_document(w->file, w->offset, buf_view(&w->text), err);
}

static bool take_record(Warc *w, Err *err)
{
    if (!read_headers(w, err)) return false;
    if (w->kind == RESPONSE) return take_response(w, err);
    if (w->kind == OTHER) return pass_body(w, false, err);
    readerfile_begin(w->file, w->offset);
    return pass_body(w, true, err) && readerfile_end(w->file, err);
}

/* Blank lines stand between records. */
static bool take_records(Warc *w, Err *err)
{
    for (bool ended;;) {
        if (!more(w, &ended, err)) return false;
        w->offset = w->in->out_bytes - w->chunk.len;
        if (!read_line(w, &ended, err)) return false;
        if (ended) return true;
        Str line = str_trim(buf_view(&w->line));
        if (line.len == 0) continue;
        if (!str_starts(line, STR("WARC/"))) return no_warc(w, err);
        w->number++;
        if (!take_record(w, err)) return false;
    }
}

static bool read_warc(ReaderStream *in, ReaderFile *file, Err *err)
{
    Warc w = { .in = in, .file = file };
    bool ok = take_records(&w, err);
    buf_free(&w.line);
    buf_free(&w.body);
    buf_free(&w.text);
    return ok;
}

static bool is_warc(Str head)
{
    return str_starts(head, STR("WARC/"));
}

static const char *const suffixes[] = { ".wet", ".warc", NULL };

const ReaderDef reader_warc = {
    .name = "warc",
    .suffixes = suffixes,
    .doc = "a web archive: the text of WET, the visible text of the pages of WARC",
    .framed = true,
    .is = is_warc,
    .read = read_warc,
};
