/* docs.h - a file of documents: STEM.txt holds their bytes end to end, STEM.idx an array of
 * uint64 ends (little-endian) behind a 64-byte header with magic, version, count, bytes and
 * the SHA-256 of the text.  Opened read-only and mapped; written whole or not at all. */
#ifndef DATA_DOCS_H
#define DATA_DOCS_H

#include "base/err.h"
#include "base/file.h"

typedef struct Docs {
    const char *text;
    const unsigned char *ends;
    int64_t count, bytes;
    char sha256[65];
    void *map[2];
    ptrdiff_t map_len[2];
} Docs;

bool docs_open(Docs *d, const char *stem, Err *err) MUST_CHECK; /* checks sizes and magic */
void docs_close(Docs *d);
Str docs_get(const Docs *d, int64_t i);

typedef struct DocsOut {
    FileOut text;
    Buf ends;
    int64_t count, bytes;
    char stem[1000];
    struct Sha256 *sha;
} DocsOut;
bool docsout_open(DocsOut *o, const char *stem, Err *err) MUST_CHECK;
bool docsout_add(DocsOut *o, Str doc, Err *err) MUST_CHECK;
bool docsout_commit(DocsOut *o, Err *err) MUST_CHECK;
void docsout_drop(DocsOut *o);

#endif
