/* reader_stream.h - the bytes of a file, uncompressed on the way, a chunk at a time. */
#ifndef DATA_READER_STREAM_H
#define DATA_READER_STREAM_H

#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"

typedef struct ReaderStream {
    const char *path;
    int fd;
    int64_t raw_bytes;        /* read from the file so far */
    int64_t out_bytes;        /* given out so far */
    int64_t size, changed_ns; /* of the file when it was opened; size -1: no regular file */
    Sha256 sha;               /* of the file as it lies there, compressed or not */
    int packing;              /* found by its first bytes, not by its name */
    void *unpacker;
    char *raw, *out; /* CHUNK bytes each; what is unread of raw is [raw_at, raw_len) */
    ptrdiff_t raw_at, raw_len;
    bool between; /* compressed data may end here */
    Str peeked;   /* a chunk that was looked at and not taken */
    bool has_peek;
    void *copy; /* FILE: see readerstream_whole */
} ReaderStream;

/* "-" is standard input. */
bool readerstream_open(ReaderStream *s, const char *path, Err *err) MUST_CHECK;
void readerstream_close(ReaderStream *s);
bool readerstream_packed(const ReaderStream *s);

/* The next chunk, valid until the next call; empty at the end.  Compressed data that end in
 * the middle, are broken, or unpack to more than 256 MB and 256 times their size (bombs):
 * ERR_FORMAT by file name. */
bool readerstream_next(ReaderStream *s, Str *chunk, Err *err) MUST_CHECK;

/* The chunk that readerstream_next will give. */
bool readerstream_peek(ReaderStream *s, Str *chunk, Err *err) MUST_CHECK;

/* For formats whose table of contents stands at the end: a file that can be read anywhere, and its
 * size.  The file itself where that is possible, else a temporary copy, unpacked; it lives until
 * readerstream_close. */
bool readerstream_whole(ReaderStream *s, int *fd, int64_t *size, Err *err) MUST_CHECK;

/* All that is left, appended; at most `most` bytes in all, or ERR_FORMAT. */
bool readerstream_rest(ReaderStream *s, ptrdiff_t most, Buf *out, Err *err) MUST_CHECK;

/* Reads what a reader left, so that the hash is the whole file's, and looks whether somebody wrote
 * to it meanwhile: ERR_IO. */
bool readerstream_finish(ReaderStream *s, Err *err) MUST_CHECK;

#endif
