/* reader_json.h - one string out of a line of JSON, without building the rest of it. */
#ifndef DATA_READER_JSON_H
#define DATA_READER_JSON_H

#include "base/str.h"

typedef enum ReaderJson {
    READERJSON_TEXT,   /* there it is */
    READERJSON_NONE,   /* a JSON object without a string in that field */
    READERJSON_BROKEN, /* not a JSON object (RFC 8259), or nested deeper than READERJSON_DEPTH */
} ReaderJson;

enum { READERJSON_DEPTH = 512 };

/* The string in `field` ("text", or dotted "doc.body"; of repeated names the last counts), decoded,
 * in place of what *out held.  All of the line is checked. */
ReaderJson readerjson_find(Str line, const char *field, Buf *out);

#endif
