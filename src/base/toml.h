/* toml.h - the subset of TOML 1.0 that recipes use: tables, dotted keys, strings, numbers,
 * booleans, one-line arrays of these, comments.  What this reader accepts, any TOML reader
 * accepts with the same meaning; what it does not know it refuses by line.
 *
 * Flat on purpose: each value comes out as its full dotted name and its text. */
#ifndef BASE_TOML_H
#define BASE_TOML_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

C_BEGIN

typedef enum TomlType { TOML_STRING, TOML_INTEGER, TOML_FLOAT, TOML_BOOL, TOML_ARRAY } TomlType;

typedef struct TomlItem {
    const char *name; /* "optim.muon.lr" */
    TomlType type;
    Str text; /* a string unescaped; a number as written without '_'; "true" or "false" */
    struct TomlItem *items; /* of an array */
    int count, line;
} TomlItem;

/* All items in file order.  Errors name path and line. */
bool toml_parse(Str text, const char *path, Arena *out, TomlItem **items, int *count,
                Err *err) MUST_CHECK;

/* Appends a quoted, escaped TOML string. */

void toml_put_string(Buf *b, Str s);

C_END
#endif
