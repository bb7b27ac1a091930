/* reader_parquet.c - the text column of a Parquet file; a row is a document.
 *
 * Public corpora come as Parquet with one column of text, written by Arrow, Spark or
 * Rust: flat, PLAIN or dictionary encoded, packed with Snappy, gzip or zstd, data pages of version
 * 1 or 2.  That is what is read; the delta encodings, LZ4 and Brotli are refused by name.  Arrow's
 * library would read all of it and is forty megabytes.
 *
 * One page is held at a time, with the dictionary of its chunk.  Sizes in headers are promises of
 * the file, so they are bounded by what is there: a page is at most a gigabyte, and all that comes
 * out at most 256 times the file, as for any packed file (reader_stream.h).  A row without text is
 * counted with the bad lines; a document's place is its row. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "data/parquet.h"
#include "data/reader.h"

enum {
    FOOTER_MOST = 1 << 26,
    HEADER_FIRST = 1 << 12, /* bytes read for a page's header; more if it is longer */
    HEADER_MOST = 1 << 24,
    PAGE_MOST = 1 << 30,
    RATIO = 256,
    PLAIN_ENCODING = 0,
    PLAIN_DICTIONARY = 2,
    RLE_DICTIONARY = 8,
};
static const int64_t RATIO_FLOOR = (int64_t)1 << 28;

typedef struct Column {
    ReaderFile *file;
    const char *path;
    int fd;
    int64_t size;
    ParquetMeta meta;
    int codec; /* of the chunk in progress */
    Buf raw, page, dictionary;
    Buf entry;          /* Str each, in dictionary */
    int64_t row, given; /* rows so far; bytes given out */
} Column;

static bool corrupted(const Column *c, const char *what, Err *err)
{
    return err_set(err, ERR_FORMAT, "%s is corrupted: %s (near row %" PRId64 "); copy it again",
                   c->path, what, c->row);
}

/* `length` bytes from `at` on, in place of what *out held. */
static bool read_at(Column *c, int64_t at, int64_t length, Buf *out, Err *err)
{
    buf_clear(out);
    buf_room(out, (ptrdiff_t)length);
    while (out->len < length) {
        ssize_t n = pread(c->fd, out->at + out->len, (size_t)(length - out->len), at + out->len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_errno(err, "read %s", c->path);
        if (n == 0) return err_set(err, ERR_FORMAT, "%s is cut short; copy it again", c->path);
        out->len += n;
    }
    return true;
}

static uint32_t le32(const char *at)
{
    uint32_t x = 0;
    for (int i = 0; i < 4; i++) x |= (uint32_t)(unsigned char)at[i] << (8 * i);
    return x;
}

/* ---- values ---- */

static bool give(Column *c, Str text, Err *err)
{
    c->given += text.len;
    if (c->given > RATIO_FLOOR && c->given / RATIO > c->size)
        return err_set(err, ERR_FORMAT,
                       "%s unpacks to more than %d times its size, as text does not (a "
                       "decompression bomb?)",
                       c->path, RATIO);
    return readerfile_document(c->file, c->row++, text, err);
}

static bool missing(Column *c, Err *err)
{
    readerfile_bad(c->file, ++c->row);
    if ((c->row & 0xffff) == 0 && stop_asked())
        return err_set(err, ERR_STOPPED, "stopped while reading %s", c->path);
    return c->row < RATIO_FLOOR || c->row / RATIO <= c->size ||
           corrupted(c, "it claims more rows than it can hold", err);
}

/* A length and so many bytes, off the front. */
static bool cut_value(Str *rest, Str *value)
{
    if (rest->len < 4) return false;
    uint32_t n = le32(rest->at);
    if (n > (uint64_t)(rest->len - 4)) return false;
    *value = (Str){ rest->at + 4, (ptrdiff_t)n };
    *rest = (Str){ rest->at + 4 + n, rest->len - 4 - (ptrdiff_t)n };
    return true;
}

static bool take_dictionary(Column *c, const ParquetPage *p, Err *err)
{
    Str rest = buf_view(&c->page), value;
    if (p->encoding != PLAIN_ENCODING && p->encoding != PLAIN_DICTIONARY)
        return corrupted(c, "a dictionary of an unknown encoding", err);
    buf_clear(&c->dictionary);
    buf_clear(&c->entry);
    buf_str(&c->dictionary, rest);
    rest = buf_view(&c->dictionary);
    for (int64_t i = 0; i < p->values; i++) {
        if (!cut_value(&rest, &value)) return corrupted(c, "a dictionary that is too short", err);
        buf_put(&c->entry, &value, sizeof(value));
    }
    return true;
}

static bool take_indices(Column *c, Str values, int64_t *left, ParquetRuns *def, Err *err)
{
    const Str *entry = (const Str *)(const void *)c->entry.at;
    int64_t entries = c->entry.len / (ptrdiff_t)sizeof(Str);
    int width = values.len > 0 ? (unsigned char)values.at[0] : 0;
    Str packed = values.len > 0 ? (Str){ values.at + 1, values.len - 1 } : values;
    ParquetRuns index = parquetruns_new(packed, width);
    for (; *left > 0; --*left) {
        bool there = !def || parquetruns_next(def) == (uint32_t)c->meta.max_def;
        if (def && def->bad) return corrupted(c, "levels that are too short", err);
        uint32_t i = there ? parquetruns_next(&index) : 0;
        if (there && (index.bad || i >= entries))
            return corrupted(c, "an index outside its dictionary", err);
        if (!(there ? give(c, entry[i], err) : missing(c, err))) return false;
    }
    return true;
}

static bool take_plain(Column *c, Str values, int64_t *left, ParquetRuns *def, Err *err)
{
    Str value;
    for (; *left > 0; --*left) {
        bool there = !def || parquetruns_next(def) == (uint32_t)c->meta.max_def;
        if (def && def->bad) return corrupted(c, "levels that are too short", err);
        if (there && !cut_value(&values, &value))
            return corrupted(c, "a page that is too short", err);
        if (!(there ? give(c, value, err) : missing(c, err))) return false;
    }
    return true;
}

/* ---- pages ---- */

static int bits_of(int most)
{
    int bits = 0;
    while (most >> bits) bits++;
    return bits;
}

/* Cuts the definition levels off the front of *values. */
static bool cut_levels(Column *c, const ParquetPage *p, Str *values, ParquetRuns *def)
{
    Str levels;
    if (p->kind == PARQUET_DATA_2) {
        levels = (Str){ values->at + p->levels[0], (ptrdiff_t)p->levels[1] };
        ptrdiff_t n = (ptrdiff_t)(p->levels[0] + p->levels[1]);
        *values = (Str){ values->at + n, values->len - n };
    } else if (c->meta.max_def == 0) {
        return true;
    } else if (!cut_value(values, &levels)) {
        return false;
    }
    *def = parquetruns_new(levels, bits_of(c->meta.max_def));
    return true;
}

static bool take_data(Column *c, const ParquetPage *p, Err *err)
{
    ParquetRuns def;
    Str values = buf_view(&c->page);
    if (!cut_levels(c, p, &values, &def)) return corrupted(c, "levels that are too short", err);
    ParquetRuns *levels = c->meta.max_def > 0 ? &def : NULL;
    int64_t left = p->values;
    if (p->encoding == PLAIN_ENCODING) return take_plain(c, values, &left, levels, err);
    if (p->encoding == PLAIN_DICTIONARY || p->encoding == RLE_DICTIONARY)
        return take_indices(c, values, &left, levels, err);
    return err_set(err, ERR_CONFIG,
                   "%s: the column \"%s\" has Parquet encoding %d, and 0, 2 and 8 (plain and "
                   "dictionary) are read; write it with one of those, or as .jsonl.zst",
                   c->path, c->file->field, p->encoding);
}

/* Levels of version 2 stand unpacked in front of what is packed. */
static bool unpack_page(Column *c, const ParquetPage *p, Err *err)
{
    ptrdiff_t levels = p->kind == PARQUET_DATA_2 ? (ptrdiff_t)(p->levels[0] + p->levels[1]) : 0;
    Str packed = { c->raw.at + levels, c->raw.len - levels };
    int codec = p->plain ? PARQUET_PLAIN : c->codec;
    if (p->unpacked > PAGE_MOST || (p->unpacked > RATIO_FLOOR && p->unpacked / RATIO > c->size))
        return corrupted(c, "it claims a page larger than it can hold", err);
    buf_clear(&c->page);
    buf_room(&c->page, (ptrdiff_t)p->unpacked);
    if (levels > 0) memcpy(c->page.at, c->raw.at, (size_t)levels);
    if (!parquet_unpack(codec, packed, (ptrdiff_t)p->unpacked - levels, c->page.at + levels))
        return corrupted(c, "a page does not unpack", err);
    c->page.len = (ptrdiff_t)p->unpacked;
    return true;
}

/* The header at `at`; *length is how long it is. */
static bool read_header(Column *c, int64_t at, int64_t end, ParquetPage *p, int64_t *length,
                        Err *err)
{
    for (int64_t most = HEADER_FIRST; most <= HEADER_MOST; most *= 16) {
        int64_t n = MIN(most, end - at);
        if (!read_at(c, at, n, &c->raw, err)) return false;
        *length = parquet_page(p, buf_view(&c->raw));
        if (*length > 0)
            return p->packed <= end - at - *length ||
                   corrupted(c, "a page that reaches over its end", err);
        if (n == end - at) break;
    }
    return corrupted(c, "a page without a sound header", err);
}

static bool take_page(Column *c, int64_t *at, int64_t end, int64_t *values, Err *err)
{
    ParquetPage p;
    int64_t length;
    if (!read_header(c, *at, end, &p, &length, err) ||
        !read_at(c, *at + length, p.packed, &c->raw, err))
        return false;
    *at += length + p.packed;
    if (p.kind == PARQUET_INDEX) return true;
    if (!unpack_page(c, &p, err)) return false;
    if (p.kind == PARQUET_DICTIONARY) return take_dictionary(c, &p, err);
    *values -= p.values;
    return *values < 0 ? corrupted(c, "more values than it says", err) : take_data(c, &p, err);
}

static const char *codec_name(int codec)
{
    static const char *const names[] = { "none",   "Snappy", "gzip", "LZO",
                                         "Brotli", "LZ4",    "zstd", "LZ4" };
    return codec >= 0 && codec < COUNT(names) ? names[codec] : "unknown";
}

static bool take_chunk(Column *c, const ParquetChunk *chunk, Err *err)
{
    c->codec = chunk->codec;
    buf_clear(&c->entry);
    if (c->codec != PARQUET_PLAIN && c->codec != PARQUET_SNAPPY && c->codec != PARQUET_GZIP &&
        c->codec != PARQUET_ZSTD)
        return err_set(
            err, ERR_CONFIG,
            "%s is packed with %s, and Snappy, gzip and zstd are read; write it with one "
            "of those",
            c->path, codec_name(c->codec));
    int64_t at = chunk->begin, end = chunk->begin + chunk->length, values = chunk->values;
    while (values > 0)
        if (at >= end)
            return corrupted(c, "fewer values than it says", err);
        else if (!take_page(c, &at, end, &values, err))
            return false;
    return true;
}

/* ---- the file ---- */

static bool read_footer(Column *c, Arena *out, Err *err)
{
    if (c->size < 12 || !read_at(c, c->size - 8, 8, &c->raw, err) ||
        memcmp(c->raw.at + 4, "PAR1", 4) != 0)
        return err_set(
            err, ERR_FORMAT,
            "%s is no Parquet file or is cut short: it does not end in PAR1; copy it again",
            c->path);
    int64_t length = le32(c->raw.at);
    if (length > c->size - 12 || length > FOOTER_MOST)
        return corrupted(c, "its footer is longer than the file", err);
    if (!read_at(c, c->size - 8 - length, length, &c->raw, err)) return false;
    return parquet_meta(&c->meta, buf_view(&c->raw), c->file->field, c->size, out, err) ||
           err_wrap(err, "%s", c->path);
}

static bool read_column(Column *c, Err *err)
{
    Arena arena = arena_reserve((ptrdiff_t)1 << 34);
    bool ok = read_footer(c, &arena, err);
    for (int64_t i = 0; ok && i < c->meta.chunks; i++) ok = take_chunk(c, &c->meta.chunk[i], err);
    arena_release(&arena);
    return ok;
}

static bool read_parquet(ReaderStream *in, ReaderFile *file, Err *err)
{
    Column c = { .file = file, .path = in->path };
    bool ok = readerstream_whole(in, &c.fd, &c.size, err) && read_column(&c, err);
    buf_free(&c.raw);
    buf_free(&c.page);
    buf_free(&c.dictionary);
    buf_free(&c.entry);
    return ok;
}

static bool is_parquet(Str head)
{
    return str_starts(head, STR("PAR1"));
}

static const char *const suffixes[] = { ".parquet", NULL };

const ReaderDef reader_parquet = {
    .name = "parquet",
    .suffixes = suffixes,
    .doc = "the column \"text\" or --field of a Parquet file; a row is a document",
    .framed = true,
    .is = is_parquet,
    .read = read_parquet,
};
