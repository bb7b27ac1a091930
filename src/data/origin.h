/* origin.h - where each training document came from, to the byte: STEM.src beside STEM.txt and
 * STEM.idx (docs/formats/data.md). */
#ifndef DATA_ORIGIN_H
#define DATA_ORIGIN_H

#include "base/err.h"
#include "base/str.h"

typedef struct Origin {
    int64_t file;   /* number among the files of all additions of the manifest; -1: none */
    int64_t offset; /* byte of that file, unpacked, where the document's record begins */
    int64_t begin;  /* byte of the document where this stretch of it begins */
    unsigned char sha256[32]; /* of the document as it was read, whole */
} Origin;

/* One record more, as the file has it. */
void origin_put(Buf *records, const Origin *o);
bool origin_write(const char *stem, Str records, Err *err) MUST_CHECK;

/* Of `count` documents, appended to `records`.  Sets made before there were origins have no file:
 * they get records that say so.  ERR_FORMAT if the file is of another number of documents. */
bool origin_read(const char *stem, int64_t count, Buf *records, Err *err) MUST_CHECK;
Origin origin_get(Str records, int64_t i);
int64_t origin_count(Str records);

#endif
