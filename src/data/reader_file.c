/* reader_file.c - documents on their way from a reader to the sink, counted and looked at.
 *
 * Text that is not UTF-8 is kept as it is: a tokenizer of bytes learns it, and to guess what was
 * meant is a decision that belongs into a recipe (filter_encoding.c).  But it is seen here, where
 * the file and the place are still known, and said: nothing that comes in broken does so in
 * silence.  UTF-8 is that of RFC 3629: no overlong forms, no surrogates, nothing over U+10FFFF. */
#include <string.h>

#include "data/reader.h"

static void lead(ReaderUtf8 *u, unsigned char c)
{
    u->low = 0x80, u->high = 0xbf;
    if (c >= 0xc2 && c <= 0xdf)
        u->more = 1;
    else if (c >= 0xe0 && c <= 0xef)
        u->more = 2;
    else if (c >= 0xf0 && c <= 0xf4)
        u->more = 3;
    else if (c >= 0x80)
        u->broken = true;
    if (c == 0xe0) u->low = 0xa0;
    if (c == 0xed) u->high = 0x9f;
    if (c == 0xf0) u->low = 0x90;
    if (c == 0xf4) u->high = 0x8f;
}

static void follow(ReaderUtf8 *u, unsigned char c)
{
    if (c < u->low || c > u->high) {
        u->broken = true;
        u->more = 0;
        lead(u, c);
        return;
    }
    u->more--;
    u->low = 0x80, u->high = 0xbf;
}

void readerutf8_add(ReaderUtf8 *u, Str bytes)
{
    if (bytes.len == 0) return;
    const char *at = bytes.at, *end = at + bytes.len;
    while (at < end && !u->broken) {
        uint64_t eight;
        if (u->more == 0 && end - at >= 8) {
            memcpy(&eight, at, 8);
            if ((eight & 0x8080808080808080u) == 0) {
                at += 8;
                continue;
            }
        }
        if (u->more > 0)
            follow(u, (unsigned char)*at++);
        else
            lead(u, (unsigned char)*at++);
    }
}

bool readerutf8_end(ReaderUtf8 *u)
{
    bool good = !u->broken && u->more == 0;
    *u = (ReaderUtf8){ 0 };
    return good;
}

void readerfile_begin(ReaderFile *f, int64_t offset)
{
    f->offset = offset;
    if (f->sink.begin) f->sink.begin(f->sink.self, f->number, offset);
}

bool readerfile_part(ReaderFile *f, Str bytes, Err *err)
{
    if (bytes.len == 0) return true;
    readerutf8_add(&f->utf8, bytes);
    return f->sink.part(f->sink.self, bytes, err);
}

bool readerfile_end(ReaderFile *f, Err *err)
{
    if (!readerutf8_end(&f->utf8)) {
        if (f->broken < READER_NAMED) f->broken_at[f->broken] = f->offset;
        f->broken++;
    }
    f->documents++;
    return f->sink.end(f->sink.self, err);
}

bool readerfile_document(ReaderFile *f, int64_t offset, Str bytes, Err *err)
{
    readerfile_begin(f, offset);
    return readerfile_part(f, bytes, err) && readerfile_end(f, err);
}

void readerfile_bad(ReaderFile *f, int64_t number)
{
    if (f->bad_lines < READER_NAMED) f->bad_line[f->bad_lines] = number;
    f->bad_lines++;
}
