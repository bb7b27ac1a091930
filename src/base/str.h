/* str.h - text: borrowed stretches (Str) and one growing buffer (Buf).
 *
 * A Buf is the one thing here that lives on the heap, because documents and
 * reports grow without a known end.  Zero is an empty Buf; buf_free() ends it. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/base.h"

C_BEGIN

#define STR(literal) ((Str){ (literal), (ptrdiff_t)sizeof(literal) - 1 })

Str str_of(const char *z); /* NULL gives an empty one */
bool str_eq(Str a, Str b);
int str_cmp(Str a, Str b); /* bytes, then length */
bool str_starts(Str s, Str prefix);
bool str_ends(Str s, Str suffix);
Str str_trim(Str s); /* ASCII white space off both ends */

/* Cuts the next piece up to `sep` off the front of *rest; false when *rest is spent. */
bool str_cut(Str *rest, char sep, Str *piece);

/* Edits (insert, delete, replace, swap) between two names: "did you mean". */
int str_distance(const char *a, const char *b);

/* Whole of `s` must be the number. */
bool str_to_double(Str s, double *out) MUST_CHECK;
bool str_to_i64(Str s, int64_t *out) MUST_CHECK;

typedef struct Buf {
    char *at; /* always NUL-terminated once anything was put in */
    ptrdiff_t len, cap;
} Buf;

/* Memory for `more` further bytes and a NUL, for whoever writes at b->at + b->len directly. */
void buf_room(Buf *b, ptrdiff_t more);
void buf_put(Buf *b, const void *bytes, ptrdiff_t len);
void buf_str(Buf *b, Str s);
void buf_printf(Buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_char(Buf *b, char c);
void buf_clear(Buf *b); /* keeps the memory */
void buf_free(Buf *b);
static inline Str buf_view(const Buf *b)
{
    Str s = { b->at, b->len };
    return s;
}

/* "1.2 MB", "3 min 12 s", "12,345" into `out`, which is returned. */
char *str_bytes(char out[32], double bytes);
char *str_seconds(char out[32], double seconds);
char *str_count(char out[32], double count);

/* The shortest text that reads back to the same double: 0.003, 12, 1e-05, nan, inf. */
char *str_number(char out[32], double x);

/* UTF-8: length in bytes of the character at `s` (1..4), 0 if it is not valid there. */
int utf8_len(const char *s, const char *end);

C_END
#endif
