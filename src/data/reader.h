/* reader.h - files and folders become documents.
 *
 * A kind of file is one const ReaderDef in a file of its own, named on one line of
 * reader_list.h.  Whatever the kind, a file may be compressed with gzip or zstd
 * (reader_stream.h).  Text comes through as the bytes that it is: NULs and broken UTF-8 stay. */
#ifndef DATA_READER_H
#define DATA_READER_H

#include "base/err.h"
#include "base/json.h"
#include "data/reader_stream.h"

/* Where documents go.  A document comes in parts, so that one longer than memory can pass. */
typedef struct ReaderSink {
    /* A document begins: in file number `file` of the report, and its line or record at byte
     * `offset` of that file, unpacked (of Parquet, which has no such byte: at that row). */
    void (*begin)(void *self, int64_t file, int64_t offset);
    bool (*part)(void *self, Str bytes, Err *err);
    bool (*end)(void *self, Err *err);
    void *self;
} ReaderSink;

enum { READER_NAMED = 8 }; /* of things left out, that many are named */

/* Is a stretch of bytes UTF-8?  In any number of parts. */
typedef struct ReaderUtf8 {
    int more;                /* bytes that the character in progress still needs */
    unsigned char low, high; /* what the next of them may be */
    bool broken;
} ReaderUtf8;
void readerutf8_add(ReaderUtf8 *u, Str bytes);
bool readerutf8_end(ReaderUtf8 *u); /* was all of it UTF-8?  Ready for the next one. */

/* One file being read; the reader sends documents through it, and what it leaves out is counted
 * here. */
typedef struct ReaderFile {
    const char *path;  /* as people know it; "-" is standard input */
    const char *field; /* of .jsonl and Parquet: "text", or dotted: "doc.body" */
    int64_t number;    /* among the files of the report */
    int64_t documents, bad_lines;
    int64_t bad_line[READER_NAMED]; /* the first ones, from 1 */
    int64_t broken;                 /* documents that are not UTF-8 throughout */
    int64_t broken_at[READER_NAMED];
    int64_t offset; /* of the document in progress */
    ReaderUtf8 utf8;
    ReaderSink sink;
} ReaderFile;

/* A document: begin, any number of parts, end. */
void readerfile_begin(ReaderFile *f, int64_t offset);
bool readerfile_part(ReaderFile *f, Str bytes, Err *err) MUST_CHECK;
bool readerfile_end(ReaderFile *f, Err *err) MUST_CHECK;
/* All three. */
bool readerfile_document(ReaderFile *f, int64_t offset, Str bytes, Err *err) MUST_CHECK;
/* A line (record, row) without a document in it; numbers begin at 1. */
void readerfile_bad(ReaderFile *f, int64_t number);

typedef struct ReaderDef {
    const char *name;
    const char *const *suffixes; /* ".jsonl", ends with NULL; without .gz and .zst */
    const char *doc;
    bool framed; /* it has a structure that may turn out broken behind its first documents */
    bool (*is)(Str head); /* is it such a file, by its first bytes?  NULL: cannot be told */
    bool (*read)(ReaderStream *in, ReaderFile *file, Err *err);
} ReaderDef;

const ReaderDef *const *reader_all(int *count);
const ReaderDef *reader_for(const char *path); /* by suffix, .gz and .zst aside; NULL: no reader */

typedef struct ReaderJob {
    const char *const *paths; /* files, folders (in full depth, sorted by name), URLs, "-" */
    int n_paths;
    const char *field; /* NULL: "text" */
    const char *cache; /* folder for what is fetched from URLs; NULL: they are refused */
    ReaderSink sink;
} ReaderJob;

/* Reads everything, in order.  *report, a new reference, says what was read and left out:
 * { files: [{path, bytes, documents, sha256, bad_lines, first_bad_lines, broken_utf8,
 *            first_broken_utf8}],
 *   skipped: {KIND: {files, names}} }.
 * A file of a folder that cannot be opened is left out and named there, a broken one too (KIND
 * "broken", its name being the sentence that it would get below): none of its documents is sent.
 * Refused with one sentence: a path that does not exist, nothing readable, a .jsonl without one
 * good line, compressed data cut short or that unpack without end, a file that changed while it was
 * read. */
bool reader_run(const ReaderJob *job, json_t **report, Err *err) MUST_CHECK;

#endif
