/* err.h - how a function says that it could not do its job.
 *
 * Three kinds of failure, three answers:
 *
 *   a bug in this program    CHECK(cond, ...)      file:line on stderr, abort
 *   memory exhausted         inside arena and buf  the size on stderr, abort
 *   the world disagreed      bool f(..., Err *err) false, and err explains
 *
 * Only the third is a value.  The caller owns the Err, never passes NULL, and
 * reads it only after false:
 *
 *     Err err = { 0 };
 *     if (!shard_open(&shard, path, &err)) return err_wrap(&err, "source %s", name);
 *
 * A message names the thing and says what to do about it; lower case first, no
 * final period, because callers put their context in front. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/base.h"

C_BEGIN

typedef enum ErrCode {
    ERR_NONE,
    ERR_IO,      /* a file, a disk, a process */
    ERR_FORMAT,  /* bytes that are not what they should be */
    ERR_CONFIG,  /* a wrong command line, recipe or knob: exit status 2 */
    ERR_BUSY,    /* somebody else holds it */
    ERR_DEVICE,  /* memory or processor cannot do it */
    ERR_STOPPED, /* asked to stop: nothing is wrong, the same command goes on */
} ErrCode;

typedef struct Err {
    ErrCode code;
    char msg[480];
} Err;

/* Records the failure and returns false, so `return err_set(...)` is one thought. */
bool err_set(Err *err, ErrCode code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The same with ": " and the words of errno behind it. */
bool err_errno(Err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Puts "context: " in front of the message already there; returns false. */
bool err_wrap(Err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

NORETURN void err_bug(const char *file, int line, const char *cond, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Always on, in release builds too: a wrong experiment costs more than a branch. */
#define CHECK(cond, ...) ((cond) ? (void)0 : err_bug(__FILE__, __LINE__, #cond, __VA_ARGS__))

C_END
#endif
