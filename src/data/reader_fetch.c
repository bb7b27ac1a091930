/* reader_fetch.c - a file from a URL, kept until it is whole.
 *
 * Corpora are gigabytes and connections end.  What has come stands in KEY.part and is gone on
 * with by a Range request; If-Range with the server's own mark of the version (ETag, else
 * Last-Modified, in KEY.tag) makes it send the whole file again if it is another one by now,
 * so that two versions are never spliced.  Without such a mark nothing is gone on with.
 *
 * The file is read from the disk and not from the wire: a connection may be tried again without
 * documents coming twice, and Parquet is read from its end.  The hash in the manifest says what was
 * there that day; "#sha256=" behind the URL demands it in advance. */
#include "data/reader_fetch.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/http.h"
#include "base/progress.h"

enum { TRIES = 5 };

bool reader_fetch_is_url(const char *path)
{
    return strncasecmp(path, "http://", 7) == 0 || strncasecmp(path, "https://", 8) == 0;
}

static Str without_fragment(const char *url)
{
    const char *hash = strchr(url, '#');
    return hash ? (Str){ url, hash - url } : str_of(url);
}

char *reader_fetch_name(const char *url, Arena *out)
{
    Str bare = without_fragment(url);
    const char *host = strstr(bare.at, "://") + 3;
    const char *end = host + strcspn(host, "/?#");
    const char *at = memrchr(host, '@', (size_t)(end - host));
    if (!at) return arena_str(out, bare);
    return arena_printf(out, "%.*s%.*s", (int)(host - bare.at), bare.at,
                        (int)(bare.at + bare.len - at - 1), at + 1);
}

typedef struct Fetch {
    const char *url, *name, *part, *tag;
    HttpReply reply;
    int fd;
    int64_t have, total; /* bytes; total 0: not known */
    bool failed;         /* the disk */
    Err err;
    Progress progress;
} Fetch;

static bool stopped(void *ctx)
{
    (void)ctx;
    return stop_asked();
}

/* At the first piece: is it the rest, or the whole file from its beginning? */
static bool begin_body(Fetch *f)
{
    char text[256];
    int64_t length = 0;
    if (f->reply.status == 200) f->have = 0;
    if (ftruncate(f->fd, f->have) != 0 || lseek(f->fd, f->have, SEEK_SET) < 0)
        return err_errno(&f->err, "write %s", f->part);
    const char *tag = http_header(&f->reply, "etag", text);
    if (tag && strncmp(tag, "W/", 2) == 0) tag = NULL; /* says: much the same */
    if (!tag) tag = http_header(&f->reply, "last-modified", text);
    if (!file_write_whole(f->tag, str_of(tag), &f->err)) return false;
    const char *size = http_header(&f->reply, "content-length", text);
    if (size && str_to_i64(str_of(size), &length)) f->total = f->have + length;
    f->progress.total = (double)f->total;
    return true;
}

static bool take_bytes(void *ctx, Str piece)
{
    Fetch *f = ctx;
    if (f->reply.status != 200 && f->reply.status != 206) return false;
    if (f->total < 0) {
        f->total = 0;
        f->failed = !begin_body(f);
    }
    for (ptrdiff_t done = 0; !f->failed && done < piece.len;) {
        ssize_t n = write(f->fd, piece.at + done, (size_t)(piece.len - done));
        if (n < 0) f->failed = !err_errno(&f->err, "write %s", f->part);
        done += n;
        f->have += n;
    }
    progress_tick(&f->progress, (double)f->have, f->name);
    return !f->failed;
}

/* One request.  True: the file is whole. */
static bool attempt(Fetch *f, Err *err)
{
    Buf tag = { 0 };
    char range[300];
    Err none = { 0 };
    const char *headers[] = { range };
    f->have = MAX(file_size(f->part), (int64_t)0);
    bool marked = f->have > 0 && file_exists(f->tag) && file_read(f->tag, &tag, &none) &&
                  tag.len > 0 && tag.len < 256;
    if (!marked) f->have = 0;
    snprintf(range, sizeof(range), "If-Range: %.*s", (int)tag.len, tag.len ? tag.at : "");
    buf_free(&tag);
    f->total = -1;
    HttpRequest request = { .url = f->url,
                            .headers = headers,
                            .header_count = marked,
                            .from = f->have,
                            .on_bytes = take_bytes,
                            .stop = stopped,
                            .ctx = f };
    http_free(&f->reply);
    bool ok = http_do(&request, &f->reply, err);
    if (f->failed) {
        *err = f->err;
        return false;
    }
    if (!ok) return err_wrap(err, "fetch %s", f->name);
    int status = f->reply.status;
    if (status == 200 && f->total < 0) return true; /* an empty file */
    if (status == 200 || status == 206)
        return f->total == 0 || f->have == f->total ||
               err_set(err, ERR_IO, "%s: the connection ended before the file did", f->name);
    if (status == 416 && unlink(f->part) != 0) err_errno(err, "remove %s", f->part);
    return err_set(err, status >= 500 || status == 429 || status == 416 ? ERR_IO : ERR_CONFIG,
                   "%s: the server answers %d; check the address", f->name, status);
}

static void wait_for(int tries)
{
    for (int i = 0; i < 5 << tries && !stop_asked(); i++)
        nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
}

/* Tries again as long as it may help: a connection that broke, a server that is busy. */
static bool fetch_part(Fetch *f, Err *err)
{
    f->fd = open(f->part, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (f->fd < 0) return err_errno(err, "write %s", f->part);
    f->progress = progress_begin("fetching", "bytes", 0);
    bool ok = false;
    for (int tries = 0; tries < TRIES && !ok; tries++) {
        int64_t before = MAX(file_size(f->part), (int64_t)0);
        if (tries > 0) wait_for(tries);
        ok = attempt(f, err);
        if (!ok && (err->code != ERR_IO || f->failed || stop_asked())) break;
        if (!ok && file_size(f->part) > before) tries = 0;
    }
    progress_end(&f->progress);
    http_free(&f->reply);
    if (ok && fsync(f->fd) != 0) ok = err_errno(err, "write %s", f->part);
    close(f->fd);
    return ok;
}

static bool check_hash(const char *url, const char *name, const char *path, Err *err)
{
    const char *want = strstr(url, "#sha256=");
    if (!want) return true;
    char found[65];
    Buf all = { 0 };
    Sha256 sha;
    sha256_begin(&sha);
    FILE *f = fopen(path, "rb");
    if (!f) return err_errno(err, "open %s", path);
    buf_room(&all, 1 << 20);
    for (size_t n; (n = fread(all.at, 1, 1 << 20, f)) > 0;) sha256_add(&sha, all.at, (ptrdiff_t)n);
    bool ok = !ferror(f) || err_errno(err, "read %s", path);
    fclose(f);
    buf_free(&all);
    sha256_end_hex(&sha, found);
    if (!ok || strcasecmp(want + 8, found) == 0) return ok;
    unlink(path);
    return err_set(err, ERR_FORMAT, "%s gives bytes of SHA-256 %s, and %.64s was asked for", name,
                   found, want + 8);
}

char *reader_fetch_file(const char *url, const char *cache, Arena *out, Err *err)
{
    char key[65];
    Str bare = without_fragment(url);
    sha256_hex(bare.at, bare.len, key);
    Fetch f = { .url = arena_str(out, bare), .name = reader_fetch_name(url, out), .fd = -1 };
    char *whole = arena_printf(out, "%s/%.16s", cache, key);
    f.part = arena_printf(out, "%s.part", whole);
    f.tag = arena_printf(out, "%s.tag", whole);
    if (!file_make_dirs(cache, err)) return NULL;
    if (!file_exists(whole)) {
        if (!fetch_part(&f, err) || !check_hash(url, f.name, f.part, err)) return NULL;
        if (rename(f.part, whole) != 0) {
            err_errno(err, "rename %s", f.part);
            return NULL;
        }
        unlink(f.tag);
    }
    return whole;
}
