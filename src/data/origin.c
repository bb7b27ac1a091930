/* origin.c - provenance: a fixed record for each training document.
 *
 * A finding about a document is worth what can be done about it, and that is done to the file it
 * came from.  So the record has what leads back without the lab: the file, the byte at which its
 * line or record begins there, the byte inside the document (one that was cut, at a passage that
 * is held out, came from a later place), and the hash of the whole.  Fixed records and no names:
 * those stand once, in the manifest. */
#include "data/origin.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"

enum { HEADER = 64, RECORD = 56, VERSION = 1 };
static const char magic[8] = "LATHESRC";

static void put_le(unsigned char *to, uint64_t x, int bytes)
{
    for (int i = 0; i < bytes; i++) to[i] = (unsigned char)(x >> (8 * i));
}

static int64_t get_le(const char *from)
{
    uint64_t x = 0;
    for (int i = 0; i < 8; i++) x |= (uint64_t)(unsigned char)from[i] << (8 * i);
    return (int64_t)x;
}

void origin_put(Buf *records, const Origin *o)
{
    unsigned char r[RECORD];
    put_le(r, (uint64_t)o->file, 8);
    put_le(r + 8, (uint64_t)o->offset, 8);
    put_le(r + 16, (uint64_t)o->begin, 8);
    memcpy(r + 24, o->sha256, sizeof(o->sha256));
    buf_put(records, r, RECORD);
}

int64_t origin_count(Str records)
{
    return records.len / RECORD;
}

Origin origin_get(Str records, int64_t i)
{
    CHECK(i >= 0 && i < origin_count(records), "origin %lld", (long long)i);
    const char *r = records.at + i * RECORD;
    Origin o = { .file = get_le(r), .offset = get_le(r + 8), .begin = get_le(r + 16) };
    memcpy(o.sha256, r + 24, sizeof(o.sha256));
    return o;
}

bool origin_write(const char *stem, Str records, Err *err)
{
    char path[1024];
    unsigned char h[HEADER] = { 0 };
    FileOut f = { 0 };
    snprintf(path, sizeof(path), "%s.src", stem);
    memcpy(h, magic, sizeof(magic));
    put_le(h + 8, VERSION, 4);
    put_le(h + 12, RECORD, 4);
    put_le(h + 16, (uint64_t)origin_count(records), 8);
    bool ok = fileout_open(&f, path, err) && fileout_write(&f, h, HEADER, err) &&
              fileout_write(&f, records.at, records.len, err) && fileout_commit(&f, err);
    fileout_drop(&f);
    return ok;
}

bool origin_read(const char *stem, int64_t count, Buf *records, Err *err)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s.src", stem);
    if (!file_exists(path)) {
        Origin none = { .file = -1 };
        for (int64_t i = 0; i < count; i++) origin_put(records, &none);
        return true;
    }
    Buf all = { 0 };
    bool ok = file_read(path, &all, err);
    if (ok && (all.len != HEADER + count * RECORD || memcmp(all.at, magic, sizeof(magic)) != 0 ||
               get_le(all.at + 16) != count))
        ok = err_set(err, ERR_FORMAT,
                     "%s does not belong to its %lld documents; add the data under a new name",
                     path, (long long)count);
    if (ok) buf_put(records, all.at + HEADER, all.len - HEADER);
    buf_free(&all);
    return ok;
}
