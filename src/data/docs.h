/* docs.h - a file of documents: STEM.txt holds their bytes end to end, STEM.idx an array of
 * uint64 ends (little-endian) behind a 64-byte header with magic, version, count, bytes and
 * the SHA-256 of the text (docs/formats/data.md).  Opened read-only and mapped. */
#ifndef DATA_DOCS_H
#define DATA_DOCS_H

#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"

typedef struct Docs {
    const char *text;
    const unsigned char *ends;
    int64_t count, bytes;
    char sha256[65];
    void *map[2];
    ptrdiff_t map_len[2];
} Docs;

/* Checks magic, sizes and the order of the ends, not the text: that is docs_check. */
bool docs_open(Docs *d, const char *stem, Err *err) MUST_CHECK;
void docs_close(Docs *d); /* a zero Docs is closed already */
Str docs_get(const Docs *d, int64_t i);

/* Reads the whole text and compares it with the hash that stands in the index. */
bool docs_check(const Docs *d, const char *stem, Err *err) MUST_CHECK;

typedef struct DocsOut {
    FileOut text;
    bool passing; /* never to be committed: no hash is taken */
    Buf ends;
    int64_t count, bytes;
    char stem[1000];
    char sha256[65]; /* of the text, after docsout_commit */
    Sha256 sha;
} DocsOut;

/* Nothing stands under STEM before docsout_commit.  The two files are renamed one after the
 * other, the old index taken away first: a kill in between leaves a pair that docs_open
 * refuses.  Who needs more (corpus.c) writes into a new folder and renames that. */
bool docsout_open(DocsOut *o, const char *stem, Err *err) MUST_CHECK;
bool docsout_add(DocsOut *o, Str doc, Err *err) MUST_CHECK;
/* A document too long to hold: any number of parts, then docsout_end. */
bool docsout_part(DocsOut *o, Str part, Err *err) MUST_CHECK;
void docsout_end(DocsOut *o);
bool docsout_commit(DocsOut *o, Err *err) MUST_CHECK;
/* Documents that are never to be committed, but may be gone on with after a kill: the first `keep`
 * bytes that were left under STEM stay; docsout_end_at says where the documents in them end. */
bool docsout_reopen(DocsOut *o, const char *stem, int64_t keep, Err *err) MUST_CHECK;
void docsout_end_at(DocsOut *o, int64_t end);
/* What was written so far, mapped from the unfinished file.  Valid until docsout_drop; without a
 * hash. */
bool docsout_view(DocsOut *o, Docs *d, Err *err) MUST_CHECK;
void docsout_drop(DocsOut *o);  /* safe after commit and after a failed write */
void docsout_leave(DocsOut *o); /* for docsout_reopen */

#endif
