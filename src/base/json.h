/* json.h - the one place that includes jansson: every value the program hands to other
 * programs or reads from them.  jansson keeps 64-bit integers; numbers are printed with
 * 17 digits where they need them, so a value read back is the value written. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* NULL and err on a document that is not JSON; `what` names it in the message. */
json_t *json_read(Str text, const char *what, Err *err) MUST_CHECK;
json_t *json_read_file(const char *path, Err *err) MUST_CHECK;

/* Compact with sorted keys (the form that is hashed), or indented for people. */
void json_write(const json_t *value, bool indent, Buf *out);
bool json_write_file(const char *path, const json_t *value, Err *err) MUST_CHECK;

/* Text that may hold broken UTF-8 becomes a JSON string, bad bytes as U+FFFD. */
json_t *json_text(Str s);

/* Members with a fallback. */
double json_num(const json_t *object, const char *key, double fallback);
int64_t json_int(const json_t *object, const char *key, int64_t fallback);
const char *json_str(const json_t *object, const char *key, const char *fallback);

/* NaN and infinities, which JSON has not, become null. */
json_t *json_num_of(double x);

#endif
