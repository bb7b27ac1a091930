/* base.h - the vocabulary every other file may assume.
 *
 * Types and macros without behaviour.  Whatever allocates, prints or touches
 * the outside world has a header of its own. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define C_BEGIN extern "C" {
#define C_END }
#define ALIGNOF(type) alignof(type)
#else
#define C_BEGIN
#define C_END
#define ALIGNOF(type) _Alignof(type)
#endif

#define COUNT(array) ((ptrdiff_t)(sizeof(array) / sizeof((array)[0])))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define MUST_CHECK __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))

#define LATHE_VERSION "0.1.0"

/* A stretch of bytes that somebody else owns; not NUL-terminated. */
typedef struct Str {
    const char *at;
    ptrdiff_t len;
} Str;

#endif
