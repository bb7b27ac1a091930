/* docs.c - documents end to end in one file, their ends in another.
 *
 * Two plain files rather than a database or one JSON line a document: the text
 * stays text (grep and less work on it, and its SHA-256 is the hash of what the
 * documents say), and finding document i is one multiplication.  Both are mapped,
 * because they are read in pieces and in any order and the system's page cache
 * is the right size already.  Ends, not beginnings: document i is [end(i-1), end(i)),
 * so documents cannot overlap or leave holes. */
#include "data/docs.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER = 64, VERSION = 1, END = 8 };
static const char magic[8] = "LATHEDOC";

static void put_le(unsigned char *to, uint64_t x, int bytes)
{
    for (int i = 0; i < bytes; i++) to[i] = (unsigned char)(x >> (8 * i));
}

static uint64_t get_le(const unsigned char *from, int bytes)
{
    uint64_t x = 0;
    for (int i = 0; i < bytes; i++) x |= (uint64_t)from[i] << (8 * i);
    return x;
}

/* An empty file cannot be mapped; it is an empty stretch of this. */
static bool map_file(const char *path, void **at, ptrdiff_t *len, Err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return err_errno(err, "open %s", path);
    struct stat st;
    bool ok = fstat(fd, &st) == 0;
    if (ok && st.st_size > 0) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        ok = map != MAP_FAILED;
        if (ok) *at = map, *len = st.st_size;
    }
    if (!ok) err_errno(err, "map %s", path);
    close(fd);
    return ok;
}

static bool check_header(Docs *d, const char *path, Err *err)
{
    const unsigned char *h = d->map[1];
    if (d->map_len[1] < HEADER || memcmp(h, magic, sizeof(magic)) != 0)
        return err_set(err, ERR_FORMAT, "%s is not an index of documents; add the data again",
                       path);
    if (get_le(h + 8, 4) != VERSION)
        return err_set(err, ERR_FORMAT, "%s has format version %" PRIu64 ", this program reads %d",
                       path, get_le(h + 8, 4), VERSION);
    uint64_t count = get_le(h + 16, 8), bytes = get_le(h + 24, 8);
    if (count > (uint64_t)d->map_len[1] / END || (uint64_t)d->map_len[1] != HEADER + count * END ||
        bytes != (uint64_t)d->map_len[0])
        return err_set(err, ERR_FORMAT,
                       "%s and its text do not belong together (%" PRIu64 " documents, %" PRIu64
                       " bytes expected, %td there); add the data again",
                       path, count, bytes, d->map_len[0]);
    d->count = (int64_t)count;
    d->bytes = (int64_t)bytes;
    for (int i = 0; i < 32; i++) snprintf(d->sha256 + 2 * i, 3, "%02x", h[32 + i]);
    return true;
}

static bool check_ends(const Docs *d, const char *path, Err *err)
{
    uint64_t before = 0;
    for (int64_t i = 0; i < d->count; i++) {
        uint64_t end = get_le(d->ends + i * END, END);
        if (end < before || end > (uint64_t)d->bytes)
            return err_set(err, ERR_FORMAT,
                           "%s is corrupted at document %" PRId64 "; add the data again", path, i);
        before = end;
    }
    if (before != (uint64_t)d->bytes)
        return err_set(err, ERR_FORMAT, "%s does not reach the end of its text; add the data again",
                       path);
    return true;
}

bool docs_open(Docs *d, const char *stem, Err *err)
{
    *d = (Docs){ .text = "" };
    char path[1024];
    snprintf(path, sizeof(path), "%s.txt", stem);
    bool ok = map_file(path, &d->map[0], &d->map_len[0], err);
    snprintf(path, sizeof(path), "%s.idx", stem);
    ok = ok && map_file(path, &d->map[1], &d->map_len[1], err) && check_header(d, path, err);
    if (ok) {
        if (d->map[0]) d->text = d->map[0];
        d->ends = (const unsigned char *)d->map[1] + HEADER;
        ok = check_ends(d, path, err);
    }
    if (!ok) docs_close(d);
    return ok;
}

void docs_close(Docs *d)
{
    for (int i = 0; i < 2; i++)
        if (d->map[i]) munmap(d->map[i], (size_t)d->map_len[i]);
    *d = (Docs){ .text = "" };
}

Str docs_get(const Docs *d, int64_t i)
{
    CHECK(i >= 0 && i < d->count, "document %" PRId64 " of %" PRId64, i, d->count);
    uint64_t begin = i > 0 ? get_le(d->ends + (i - 1) * END, END) : 0;
    uint64_t end = get_le(d->ends + i * END, END);
    return (Str){ d->text + begin, (ptrdiff_t)(end - begin) };
}

bool docs_check(const Docs *d, const char *stem, Err *err)
{
    char found[65];
    sha256_hex(d->text, (ptrdiff_t)d->bytes, found);
    if (strcmp(found, d->sha256) != 0)
        return err_set(err, ERR_FORMAT,
                       "%s.txt is corrupted (its SHA-256 is not the one in its index); "
                       "put it back or add the data under a new name",
                       stem);
    return true;
}

bool docsout_open(DocsOut *o, const char *stem, Err *err)
{
    *o = (DocsOut){ 0 };
    if (strlen(stem) >= sizeof(o->stem))
        return err_set(err, ERR_IO, "the path %.60s... is too long", stem);
    snprintf(o->stem, sizeof(o->stem), "%s", stem);
    sha256_begin(&o->sha);
    char path[1024];
    snprintf(path, sizeof(path), "%s.txt", stem);
    return fileout_open(&o->text, path, err);
}

bool docsout_reopen(DocsOut *o, const char *stem, int64_t keep, Err *err)
{
    *o = (DocsOut){ .passing = true };
    char path[1024];
    snprintf(path, sizeof(path), "%.1000s.txt", stem);
    return fileout_reopen(&o->text, path, keep, err);
}

void docsout_end_at(DocsOut *o, int64_t end)
{
    o->bytes = end;
    docsout_end(o);
}

bool docsout_part(DocsOut *o, Str part, Err *err)
{
    if (!o->passing) sha256_add(&o->sha, part.at, part.len);
    o->bytes += part.len;
    return fileout_write(&o->text, part.at, part.len, err);
}

void docsout_end(DocsOut *o)
{
    unsigned char end[END];
    put_le(end, (uint64_t)o->bytes, END);
    buf_put(&o->ends, end, END);
    o->count++;
}

bool docsout_add(DocsOut *o, Str doc, Err *err)
{
    if (!docsout_part(o, doc, err)) return false;
    docsout_end(o);
    return true;
}

static bool write_index(DocsOut *o, const char *path, Err *err)
{
    unsigned char h[HEADER] = { 0 };
    memcpy(h, magic, sizeof(magic));
    put_le(h + 8, VERSION, 4);
    put_le(h + 16, (uint64_t)o->count, 8);
    put_le(h + 24, (uint64_t)o->bytes, 8);
    sha256_end(&o->sha, h + 32);
    for (int i = 0; i < 32; i++) snprintf(o->sha256 + 2 * i, 3, "%02x", h[32 + i]);
    FileOut index = { 0 };
    bool ok = fileout_open(&index, path, err) && fileout_write(&index, h, HEADER, err) &&
              fileout_write(&index, o->ends.at, o->ends.len, err) && fileout_commit(&index, err);
    fileout_drop(&index);
    return ok;
}

bool docsout_commit(DocsOut *o, Err *err)
{
    char path[1024];
    CHECK(!o->passing, "documents that were to pass are committed");
    snprintf(path, sizeof(path), "%s.idx", o->stem);
    if (file_exists(path) && unlink(path) != 0) return err_errno(err, "replace %s", path);
    return fileout_commit(&o->text, err) && write_index(o, path, err);
}

bool docsout_view(DocsOut *o, Docs *d, Err *err)
{
    *d = (Docs){ .text = "", .ends = (const unsigned char *)o->ends.at, .count = o->count };
    d->bytes = o->bytes;
    if (fflush(o->text.stream) != 0) return err_errno(err, "cannot write %s", o->text.path);
    if (!map_file(o->text.temp, &d->map[0], &d->map_len[0], err)) return false;
    if (d->map[0]) d->text = d->map[0];
    return true;
}

void docsout_leave(DocsOut *o)
{
    fileout_leave(&o->text);
    buf_free(&o->ends);
}

void docsout_drop(DocsOut *o)
{
    fileout_drop(&o->text);
    buf_free(&o->ends);
}
