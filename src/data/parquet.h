/* parquet.h - one column of text out of a Parquet file, the way public corpora are distributed.
 *
 * Three parts: the footer (parquet_meta.c), the pages of a column chunk (parquet_page.c), the
 * reader that walks them (reader_parquet.c).  Every number of the file is checked before it is
 * believed. */
#ifndef DATA_PARQUET_H
#define DATA_PARQUET_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* ---- Thrift's compact protocol ---- */

/* A cursor: past the end or over nonsense it turns bad and gives zeros. */
typedef struct ParquetThrift {
    const unsigned char *at, *end;
    bool bad;
} ParquetThrift;

enum { THRIFT_TRUE = 1, THRIFT_FALSE = 2, THRIFT_LIST = 9, THRIFT_STRUCT = 12 };

uint64_t parquetthrift_varint(ParquetThrift *t);
int64_t parquetthrift_int(ParquetThrift *t); /* zigzag */
Str parquetthrift_bytes(ParquetThrift *t);   /* lies in the input */
/* The next field of a struct: its type, 0 at the end; *id is kept from field to field and begins at
 * 0. */
int parquetthrift_field(ParquetThrift *t, int *id);
/* Number of items of the list that follows, and their type. */
int64_t parquetthrift_list(ParquetThrift *t, int *type);
void parquetthrift_skip(ParquetThrift *t, int type);

/* ---- the footer ---- */

typedef enum ParquetCodec {
    PARQUET_PLAIN,
    PARQUET_SNAPPY,
    PARQUET_GZIP,
    PARQUET_ZSTD = 6,
} ParquetCodec;

typedef struct ParquetChunk {
    int64_t begin, length, values; /* bytes of the file */
    int codec;
} ParquetChunk;

typedef struct ParquetMeta {
    ParquetChunk *chunk; /* of the column, one for each row group */
    int64_t chunks, rows;
    int max_def;       /* definition level of a value that is there */
    char columns[200]; /* names of the columns of text, for a complaint */
} ParquetMeta;

/* `footer` is what stands before the length at the end of a file of `size` bytes.  ERR_CONFIG: no
 * such column, or it holds no text or lists of it; ERR_FORMAT. */
bool parquet_meta(ParquetMeta *m, Str footer, const char *field, int64_t size, Arena *out,
                  Err *err) MUST_CHECK;

/* ---- pages ---- */

typedef enum ParquetPageKind {
    PARQUET_DATA,
    PARQUET_INDEX,
    PARQUET_DICTIONARY,
    PARQUET_DATA_2
} ParquetPageKind;

typedef struct ParquetPage {
    int kind, encoding;
    int64_t packed, unpacked; /* bytes */
    int64_t values;
    int64_t levels[2]; /* bytes of repetition and definition levels, of DATA_2 */
    bool plain;        /* DATA_2: not packed */
} ParquetPage;

/* The header at the front of `bytes`; its length, or 0 if it is not whole (more bytes may help) or
 * not sound. */
ptrdiff_t parquet_page(ParquetPage *p, Str bytes);

/* Unpacks exactly `unpacked` bytes into `out`; false if they are not that. */
bool parquet_unpack(int codec, Str packed, ptrdiff_t unpacked, char *out) MUST_CHECK;
bool parquet_unsnappy(Str packed, ptrdiff_t unpacked, char *out) MUST_CHECK;

/* Runs of small numbers: "RLE / bit-packed hybrid". */
typedef struct ParquetRuns {
    const unsigned char *at, *end;
    int width; /* bits of a number, 0 to 32 */
    uint64_t left;
    uint32_t value; /* of a run of one number */
    bool packed;
    int bit; /* of a packed run: how far in *at */
    bool bad;
} ParquetRuns;
ParquetRuns parquetruns_new(Str bytes, int width);
uint32_t parquetruns_next(ParquetRuns *r);

#endif
