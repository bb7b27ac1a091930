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
    bool (*part)(void *self, Str bytes, Err *err);
    bool (*end)(void *self, Err *err);
    void *self;
} ReaderSink;

enum { READER_NAMED = 8 }; /* of things left out, that many are named */

/* One file being read; the reader counts here. */
typedef struct ReaderFile {
    const char *path;  /* as people know it; "-" is standard input */
    const char *field; /* of .jsonl: "text", or dotted: "doc.body" */
    int64_t documents, bad_lines;
    int64_t bad_line[READER_NAMED]; /* the first ones, from 1 */
    ReaderSink sink;
} ReaderFile;

typedef struct ReaderDef {
    const char *name;
    const char *const *suffixes; /* ".jsonl", ends with NULL; without .gz and .zst */
    const char *doc;
    bool (*read)(ReaderStream *in, ReaderFile *file, Err *err);
} ReaderDef;

const ReaderDef *const *reader_all(int *count);
const ReaderDef *reader_for(const char *path); /* by suffix, .gz and .zst aside; NULL: no reader */

typedef struct ReaderJob {
    const char *const *paths; /* files, folders (in full depth, sorted by name), "-" */
    int n_paths;
    const char *field; /* NULL: "text" */
    ReaderSink sink;
} ReaderJob;

/* Reads everything, in order.  *report, a new reference, says what was read and left out:
 * { files: [{path, bytes, documents, sha256, bad_lines, first_bad_lines}],
 *   skipped: {KIND: {files, names}} }.
 * Refused with one sentence: a path that does not exist, nothing readable, a .jsonl without
 * one good line, compressed data cut short. */
bool reader_run(const ReaderJob *job, json_t **report, Err *err) MUST_CHECK;

#endif
