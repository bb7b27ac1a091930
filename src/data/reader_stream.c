/* reader_stream.c - the bytes of a file, uncompressed on the way.
 *
 * Compression is told by the first bytes, never by the name: standard input has no name, and
 * a browser that unpacked a download left ".gz" on plain text; what is so called and is neither
 * packed nor text is refused, or it would be learned as noise.  gzip members and zstd frames
 * may follow one another, as `cat a.gz b.gz` and parallel compressors make them; data that
 * end inside one are an error, because half a corpus that looks whole is the worst outcome.
 *
 * Two more things end the reading.  A few kilobytes can unpack to terabytes; text does not
 * compress to less than a hundredth, so past a floor what unpacks to 256 times its size is
 * refused.  And a file that somebody writes to while it is read would come in as a text that never
 * existed: size and time of change are compared when it is done. */
#include "data/reader_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { CHUNK = 1 << 18 };
enum { PLAIN, GZIP, ZSTD };
enum { BOMB_FLOOR = 1 << 28, BOMB_RATIO = 256 };

static bool refuse_changed(const ReaderStream *s, Err *err)
{
    return err_set(err, ERR_IO,
                   "%s changed while it was read; add it again when nothing writes to it", s->path);
}

/* Reads until the raw buffer is full or the file ends. */
static bool fill(ReaderStream *s, Err *err)
{
    s->raw_at = s->raw_len = 0;
    while (s->raw_len < CHUNK) {
        ssize_t n = read(s->fd, s->raw + s->raw_len, (size_t)(CHUNK - s->raw_len));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_errno(err, "read %s", s->path);
        if (n == 0) break;
        s->raw_len += n;
    }
    sha256_add(&s->sha, s->raw, s->raw_len);
    s->raw_bytes += s->raw_len;
    return s->size <= 0 || s->raw_bytes <= s->size || refuse_changed(s, err);
}

static int packing_of(const char *at, ptrdiff_t len)
{
    if (len >= 3 && memcmp(at, "\x1f\x8b\x08", 3) == 0) return GZIP;
    if (len >= 4 && memcmp(at, "\x28\xb5\x2f\xfd", 4) == 0) return ZSTD;
    return PLAIN;
}

static bool named_packed(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcasecmp(dot, ".gz") == 0 || strcasecmp(dot, ".zst") == 0);
}

static bool find_packing(ReaderStream *s, Err *err)
{
    s->packing = packing_of(s->raw, s->raw_len);
    if (s->packing != PLAIN || !named_packed(s->path) || !memchr(s->raw, 0, (size_t)s->raw_len))
        return true;
    return err_set(err, ERR_FORMAT,
                   "%s is corrupted: it begins neither as compressed data nor as text; copy it "
                   "again",
                   s->path);
}

static void start_unpacker(ReaderStream *s)
{
    if (s->packing == GZIP) {
        z_stream *z = calloc(1, sizeof(*z));
        CHECK(z && inflateInit2(z, 15 + 16) == Z_OK, "zlib does not start");
        s->unpacker = z;
    } else if (s->packing == ZSTD) {
        s->unpacker = ZSTD_createDStream();
        CHECK(s->unpacker, "zstd does not start");
    }
}

/* Size and time of change; -1 of what is no regular file. */
static void stamp(int fd, int64_t *size, int64_t *changed_ns)
{
    struct stat st;
    *size = -1, *changed_ns = 0;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return;
    *size = st.st_size;
    *changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

bool readerstream_open(ReaderStream *s, const char *path, Err *err)
{
    *s = (ReaderStream){ .path = path, .fd = STDIN_FILENO };
    bool standard = strcmp(path, "-") == 0;
    if (standard)
        s->path = "standard input";
    else
        s->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0) return err_errno(err, "open %s", path);
    s->raw = malloc(CHUNK);
    s->out = malloc(CHUNK);
    CHECK(s->raw && s->out, "no memory for two buffers of %d bytes", CHUNK);
    sha256_begin(&s->sha);
    stamp(s->fd, &s->size, &s->changed_ns);
    if (!fill(s, err) || !find_packing(s, err)) {
        readerstream_close(s);
        return false;
    }
    start_unpacker(s);
    return true;
}

void readerstream_close(ReaderStream *s)
{
    if (s->packing == GZIP && s->unpacker) inflateEnd(s->unpacker);
    if (s->packing == GZIP) free(s->unpacker);
    if (s->packing == ZSTD) ZSTD_freeDStream(s->unpacker);
    if (s->fd > STDIN_FILENO) close(s->fd);
    if (s->copy) fclose(s->copy);
    free(s->raw);
    free(s->out);
    *s = (ReaderStream){ .fd = -1 };
}

bool readerstream_packed(const ReaderStream *s)
{
    return s->packing != PLAIN;
}

/* One round of zlib: takes raw bytes, gives up to CHUNK. */
static bool gunzip(ReaderStream *s, ptrdiff_t *got, Err *err)
{
    z_stream *z = s->unpacker;
    z->next_in = (unsigned char *)s->raw + s->raw_at;
    z->avail_in = (unsigned)(s->raw_len - s->raw_at);
    z->next_out = (unsigned char *)s->out;
    z->avail_out = CHUNK;
    int rc = inflate(z, Z_NO_FLUSH);
    s->raw_at = s->raw_len - (ptrdiff_t)z->avail_in;
    *got = CHUNK - (ptrdiff_t)z->avail_out;
    s->between = rc == Z_STREAM_END;
    if (s->between) rc = inflateReset(z);
    if (rc == Z_OK || rc == Z_BUF_ERROR) return true;
    return err_set(err, ERR_FORMAT, "%s is corrupted: %s; copy it again", s->path,
                   z->msg ? z->msg : "not gzip data");
}

static bool unzstd(ReaderStream *s, ptrdiff_t *got, Err *err)
{
    ZSTD_inBuffer in = { s->raw + s->raw_at, (size_t)(s->raw_len - s->raw_at), 0 };
    ZSTD_outBuffer out = { s->out, CHUNK, 0 };
    size_t rc = ZSTD_decompressStream(s->unpacker, &out, &in);
    s->raw_at += (ptrdiff_t)in.pos;
    *got = (ptrdiff_t)out.pos;
    s->between = rc == 0;
    if (!ZSTD_isError(rc)) return true;
    return err_set(err, ERR_FORMAT, "%s is corrupted: %s; copy it again", s->path,
                   ZSTD_getErrorName(rc));
}

/* A round may give nothing and yet go on; only an empty file behind a whole frame is the end.
 * The unpacker may still hold output when the raw bytes are used up, so it is asked first. */
static bool unpack(ReaderStream *s, Str *chunk, Err *err)
{
    for (;;) {
        bool spent = s->raw_at == s->raw_len;
        if (spent && !fill(s, err)) return false;
        bool ended = s->raw_at == s->raw_len;
        if (ended && s->between) return true;
        ptrdiff_t got = 0;
        bool ok = s->packing == GZIP ? gunzip(s, &got, err) : unzstd(s, &got, err);
        if (!ok) return false;
        *chunk = (Str){ s->out, got };
        if (got > 0) return true;
        if (ended && !s->between)
            return err_set(err, ERR_FORMAT,
                           "%s is cut short: its compressed data end in the middle; copy it again",
                           s->path);
    }
}

static bool refuse_bomb(const ReaderStream *s, Err *err)
{
    if (s->out_bytes <= BOMB_FLOOR || s->out_bytes / BOMB_RATIO <= s->raw_bytes) return true;
    return err_set(err, ERR_FORMAT,
                   "%s unpacks to more than %d times its size, as text does not (a decompression "
                   "bomb?); unpack it by hand if it is right",
                   s->path, BOMB_RATIO);
}

static bool take_chunk(ReaderStream *s, Str *chunk, Err *err)
{
    *chunk = (Str){ s->out, 0 };
    if (s->packing != PLAIN) return unpack(s, chunk, err);
    if (s->raw_at == s->raw_len && !fill(s, err)) return false;
    *chunk = (Str){ s->raw + s->raw_at, s->raw_len - s->raw_at };
    s->raw_at = s->raw_len;
    return true;
}

bool readerstream_next(ReaderStream *s, Str *chunk, Err *err)
{
    *chunk = s->peeked;
    if (s->has_peek) {
        s->has_peek = false;
        return true;
    }
    if (!take_chunk(s, chunk, err)) return false;
    s->out_bytes += chunk->len;
    return s->packing == PLAIN || refuse_bomb(s, err);
}

bool readerstream_peek(ReaderStream *s, Str *chunk, Err *err)
{
    if (!s->has_peek && !readerstream_next(s, &s->peeked, err)) return false;
    s->has_peek = true;
    *chunk = s->peeked;
    return true;
}

bool readerstream_rest(ReaderStream *s, ptrdiff_t most, Buf *out, Err *err)
{
    char limit[32];
    for (Str chunk;;) {
        if (!readerstream_next(s, &chunk, err)) return false;
        if (chunk.len == 0) return true;
        if (out->len + chunk.len > most)
            return err_set(err, ERR_FORMAT, "%s is longer than %s, which is too long for its kind",
                           s->path, str_bytes(limit, (double)most));
        buf_str(out, chunk);
    }
}

bool readerstream_finish(ReaderStream *s, Err *err)
{
    for (Str chunk = { "", 1 }; chunk.len > 0;)
        if (!readerstream_next(s, &chunk, err)) return false;
    int64_t size, changed_ns;
    if (s->size < 0) return true;
    stamp(s->fd, &size, &changed_ns);
    return (size == s->size && changed_ns == s->changed_ns) || refuse_changed(s, err);
}

/* All chunks into a file without a name. */
static bool spool(ReaderStream *s, Err *err)
{
    s->copy = tmpfile();
    if (!s->copy) return err_errno(err, "make a temporary file to unpack %s", s->path);
    for (Str chunk;;) {
        if (!readerstream_next(s, &chunk, err)) return false;
        if (chunk.len == 0) break;
        if (fwrite(chunk.at, 1, (size_t)chunk.len, s->copy) != (size_t)chunk.len)
            return err_errno(err, "write a temporary copy of %s", s->path);
    }
    return fflush(s->copy) == 0 || err_errno(err, "write a temporary copy of %s", s->path);
}

bool readerstream_whole(ReaderStream *s, int *fd, int64_t *size, Err *err)
{
    *fd = s->fd, *size = s->size;
    if (s->packing == PLAIN && s->size >= 0) return true;
    if (!spool(s, err)) return false;
    *fd = fileno(s->copy), *size = s->out_bytes;
    return true;
}
