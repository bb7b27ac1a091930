/* shard.c - token files: made once, read a row at a time.
 *
 * The layout is llm.c's, so its tools read our shards and ours read its.  Read with pread into
 * the caller's buffer: pages of a mapping would be counted as the process's own memory or not,
 * as the system pleases, and a file cut short under a mapping is a signal, not an error.
 *
 * A bit that flipped on the disk would train a slightly different model and say nothing, so the
 * header carries a checksum (hash64 over megabytes, chained), checked when a shard is opened, or
 * beside the first step (mixture_check.c).  Above CHECK_LIMIT that would cost more than a second;
 * then the size and each token's range have to do. */
#include "data/shard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/progress.h"

enum {
    HEADER = 1024,     /* bytes */
    CHUNK = 1 << 20,   /* bytes under one link of the checksum */
    SLICE = 256 << 10, /* a long document is encoded in slices of about this */
    BATCH = 16 << 20,  /* of text, that threads share */
    AT_HASH = 32,      /* places of ours in the header, in bytes */
    AT_BYTES = 40,
    AT_DOCUMENTS = 48,
};
static const int64_t CHECK_LIMIT = 256 << 20;

/* For vocabularies of up to 65,536, and beyond. */
static const struct Layout {
    uint32_t magic, version;
    int width;
} layouts[] = { { 20240520, 1, 2 }, { 20240801, 7, 4 } };

static const struct Layout *layout_of(int vocab)
{
    return &layouts[vocab > 65536];
}

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

typedef struct Writer {
    FileOut file;
    unsigned char *chunk; /* (CHUNK) */
    ptrdiff_t filled;
    uint64_t hash;
    int64_t tokens, bytes, documents;
    const struct Layout *layout;
    TokenizerPool *pool;
    Buf parts, ids, room; /* parts: TokenizerPart, not yet encoded */
    int64_t gathered;     /* bytes of parts */
} Writer;

static bool flush(Writer *w, Err *err)
{
    w->hash = hash64(w->chunk, w->filled, w->hash);
    ptrdiff_t n = w->filled;
    w->filled = 0;
    return fileout_write(&w->file, w->chunk, n, err);
}

static bool put_ids(Writer *w, const int32_t *ids, ptrdiff_t n, Err *err)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        put_le(w->chunk + w->filled, (uint32_t)ids[i], w->layout->width);
        w->filled += w->layout->width;
        if (w->filled == CHUNK && !flush(w, err)) return false;
    }
    w->tokens += n;
    return true;
}

/* Encodes what has gathered. */
static bool put_parts(Writer *w, Err *err)
{
    ptrdiff_t n = w->parts.len / (ptrdiff_t)sizeof(TokenizerPart);
    if (stop_asked()) return err_set(err, ERR_STOPPED, "stopped while encoding %s", w->file.path);
    buf_clear(&w->ids);
    tokenizerpool_encode(w->pool, (const TokenizerPart *)(const void *)w->parts.at, n, &w->ids);
    buf_clear(&w->parts);
    w->bytes += w->gathered;
    w->gathered = 0;
    return put_ids(w, (const int32_t *)(const void *)w->ids.at, w->ids.len / 4, err);
}

/* Notes a document in parts that may be encoded one without the other.  `text` is read later, by
 * put_parts. */
static bool put_document(Writer *w, Str text, Err *err)
{
    w->documents++;
    for (bool first = true; first || text.len > 0; first = false) {
        TokenizerPart part = { { text.at, tokenizer_cut(text, SLICE) }, first };
        buf_put(&w->parts, &part, sizeof(part));
        w->gathered += part.text.len;
        text.at += part.text.len;
        text.len -= part.text.len;
        if (w->gathered >= BATCH && !put_parts(w, err)) return false;
    }
    return true;
}

/* Document i, or what `edit` leaves of it; that may lie in room which the next one takes. */
static bool put_what_stays(Writer *w, const Docs *docs, int64_t i, ShardEdit edit, Err *err)
{
    Str doc = docs_get(docs, i), left = doc;
    if (edit.drop && !drop_next(edit.drop, left, &w->room, &left)) return true;
    if (edit.filters && !filterplan_apply(edit.filters, left, &left)) return true;
    return put_document(w, left, err) && (left.at == doc.at || put_parts(w, err));
}

static bool put_documents(Writer *w, const Docs *docs, ShardEdit edit, Err *err)
{
    Progress p = progress_begin("encoding", "bytes", (double)docs->bytes);
    bool ok = true;
    if (edit.drop) drop_begin(edit.drop);
    for (int64_t i = 0; ok && i < docs->count; i++) {
        ok = put_what_stays(w, docs, i, edit, err);
        progress_tick(&p, (double)w->bytes, "");
    }
    ok = ok && put_parts(w, err);
    progress_end(&p);
    if (ok && (edit.drop || edit.filters) && w->documents == 0)
        return err_set(err, ERR_CONFIG, "%s leaves nothing to train on; name fewer",
                       edit.filters ? "data.filters" : "data.drop");
    if (ok && w->tokens > INT32_MAX)
        return err_set(err, ERR_CONFIG,
                       "%s would hold %lld tokens, and its format ends at 2147483647; divide the "
                       "data set into several",
                       w->file.path, (long long)w->tokens);
    return ok;
}

static bool put_header(Writer *w, Err *err)
{
    unsigned char h[HEADER] = { 0 };
    put_le(h, w->layout->magic, 4);
    put_le(h + 4, w->layout->version, 4);
    put_le(h + 8, (uint64_t)w->tokens, 4);
    put_le(h + AT_HASH, w->hash, 8);
    put_le(h + AT_BYTES, (uint64_t)w->bytes, 8);
    put_le(h + AT_DOCUMENTS, (uint64_t)w->documents, 8);
    return fileout_patch(&w->file, 0, h, HEADER, err);
}

static bool write_shard(Writer *w, const Docs *docs, ShardEdit edit, Err *err)
{
    static const unsigned char room[HEADER];
    return fileout_write(&w->file, room, HEADER, err) && put_documents(w, docs, edit, err) &&
           (w->filled == 0 || flush(w, err)) && put_header(w, err) && fileout_commit(&w->file, err);
}

bool shard_make(const char *path, const Docs *docs, const Tokenizer *t, Err *err)
{
    return shard_make_without(path, docs, t, (ShardEdit){ 0 }, err);
}

bool shard_make_without(const char *path, const Docs *docs, const Tokenizer *t, ShardEdit edit,
                        Err *err)
{
    Writer w = { .layout = layout_of(tokenizer_vocab(t)) };
    if (!fileout_open(&w.file, path, err)) return false;
    Arena scratch = arena_reserve(CHUNK + 4096);
    w.chunk = NEW(&scratch, unsigned char, CHUNK);
    w.pool = tokenizerpool_new(t, 0);
    bool ok = file_exists(path) || write_shard(&w, docs, edit, err);
    fileout_drop(&w.file);
    tokenizerpool_free(w.pool);
    buf_free(&w.parts);
    buf_free(&w.ids);
    buf_free(&w.room);
    arena_release(&scratch);
    return ok;
}

/* All n bytes at `at`, or false: the file is too short, or the disk failed. */
static bool read_at(const Shard *s, int64_t at, unsigned char *to, ptrdiff_t n, Err *err)
{
    while (n > 0) {
        ssize_t got = pread(s->fd, to, (size_t)n, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return err_errno(err, "cannot read %s", s->path);
        if (got == 0)
            return err_set(err, ERR_FORMAT,
                           "%s is cut short; delete it and run the same command again", s->path);
        to += got;
        at += got;
        n -= got;
    }
    return true;
}

static bool corrupted(const Shard *s, const char *why, Err *err)
{
    return err_set(err, ERR_FORMAT,
                   "%s is corrupted (%s); delete it and run the same command again", s->path, why);
}

bool shard_check(const Shard *s, Err *err)
{
    int64_t size = s->tokens * s->width;
    if (size > CHECK_LIMIT) return true;
    Arena scratch = arena_reserve(CHUNK + 4096);
    unsigned char *chunk = NEW(&scratch, unsigned char, CHUNK);
    uint64_t hash = 0;
    bool ok = true;
    for (int64_t at = 0; ok && at < size; at += CHUNK) {
        ptrdiff_t n = (ptrdiff_t)MIN(size - at, (int64_t)CHUNK);
        ok = read_at(s, HEADER + at, chunk, n, err);
        if (ok) hash = hash64(chunk, n, hash);
    }
    arena_release(&scratch);
    return ok && (hash == s->hash || corrupted(s, "its checksum is another", err));
}

static bool check_header(Shard *s, Err *err)
{
    unsigned char h[HEADER];
    struct stat st;
    const struct Layout *want = layout_of(s->vocab);
    if (fstat(s->fd, &st) != 0) return err_errno(err, "cannot read %s", s->path);
    if (st.st_size < HEADER) return corrupted(s, "it is shorter than its header", err);
    if (!read_at(s, 0, h, HEADER, err)) return false;
    s->width = want->width;
    s->tokens = (int64_t)get_le(h + 8, 4);
    s->bytes = (int64_t)get_le(h + AT_BYTES, 8);
    s->documents = (int64_t)get_le(h + AT_DOCUMENTS, 8);
    s->hash = get_le(h + AT_HASH, 8);
    if (get_le(h, 4) != want->magic || get_le(h + 4, 4) != want->version)
        return corrupted(s, "its header is not that of tokens of this vocabulary", err);
    if (st.st_size != HEADER + s->tokens * s->width)
        return corrupted(s, "its size is not what its header says", err);
    return true;
}

bool shard_open_unread(Shard *s, const char *path, int vocab, Err *err)
{
    *s = (Shard){ .path = path, .vocab = vocab };
    s->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0) return err_errno(err, "cannot open %s", path);
    if (check_header(s, err)) return true;
    shard_close(s);
    return false;
}

bool shard_open(Shard *s, const char *path, int vocab, Err *err)
{
    if (!shard_open_unread(s, path, vocab, err)) return false;
    if (shard_check(s, err)) return true;
    shard_close(s);
    return false;
}

void shard_close(Shard *s)
{
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
}

/* A stretch that does not go round the end. */
static bool read_stretch(const Shard *s, int64_t at, int64_t n, int32_t *out, Err *err)
{
    unsigned char some[8192];
    while (n > 0) {
        int64_t now = MIN(n, (int64_t)sizeof(some) / s->width);
        if (!read_at(s, HEADER + at * s->width, some, (ptrdiff_t)now * s->width, err)) return false;
        for (int64_t i = 0; i < now; i++) {
            uint64_t id = s->width == 2 ? get_le(some + 2 * i, 2) : get_le(some + 4 * i, 4);
            if (id >= (uint64_t)s->vocab)
                return corrupted(s, "a token is not in the vocabulary", err);
            out[i] = (int32_t)id;
        }
        at += now;
        out += now;
        n -= now;
    }
    return true;
}

bool shard_read(const Shard *s, int64_t at, int64_t n, int32_t *out, Err *err)
{
    CHECK(at >= 0 && at < s->tokens, "token %lld of %lld", (long long)at, (long long)s->tokens);
    while (n > 0) {
        int64_t now = MIN(n, s->tokens - at);
        if (!read_stretch(s, at, now, out, err)) return false;
        out += now;
        n -= now;
        at = 0;
    }
    return true;
}
