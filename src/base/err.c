/* err.c - the one place where a failure becomes a sentence.
 *
 * A message is built in a buffer of its own before it is copied, so that a caller may quote
 * the very message it is wrapping.  A sentence too long for Err is cut at a whole UTF-8
 * character, because it may end up in a JSON document.  strerror() was rejected for the few
 * errors that people meet in a laboratory (full disk, read-only disk, no permission): it
 * says what is wrong, and the contract asks for what to do about it too. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void store(Err *err, const char *text)
{
    size_t cap = sizeof(err->msg) - 1, len = strlen(text);
    if (len > cap) {
        len = cap;
        while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) len--;
    }
    memcpy(err->msg, text, len);
    err->msg[len] = 0;
}

bool err_set(Err *err, ErrCode code, const char *fmt, ...)
{
    char text[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    err->code = code;
    store(err, text);
    return false;
}

static const char *errno_words(int number)
{
    switch (number) {
    case ENOSPC: return "the disk is full; free some space and run the same command again";
    case EDQUOT:
        return "your disk quota is used up; free some space and run the same command again";
    case EFBIG: return "a file may not grow that large here; raise the limit with ulimit -f";
    case EROFS: return "the disk is read-only; make it writable or use another folder";
    case EACCES:
    case EPERM: return "no permission; change its owner or mode, or use another folder";
    case ENOENT: return "no such file or folder; check the name";
    case EISDIR: return "it is a folder, and a file is needed";
    case ENOTDIR: return "part of this path is a file, and a folder is needed";
    case EMFILE:
    case ENFILE: return "too many files are open; raise the limit with ulimit -n";
    case ENAMETOOLONG: return "the name is too long; use a shorter one";
    default: return strerror(number);
    }
}

bool err_errno(Err *err, const char *fmt, ...)
{
    int number = errno;
    char text[1536], whole[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    snprintf(whole, sizeof(whole), "%s: %s", text, errno_words(number));
    err->code = ERR_IO;
    store(err, whole);
    return false;
}

bool err_wrap(Err *err, const char *fmt, ...)
{
    char text[1024], whole[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    snprintf(whole, sizeof(whole), "%s: %s", text, err->msg);
    store(err, whole);
    return false;
}

void err_bug(const char *file, int line, const char *cond, const char *fmt, ...)
{
    fflush(stdout);
    fprintf(stderr, "%s:%d: this is a bug in lathe: ", file, line);
    va_list args;
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, " (%s does not hold)\n", cond);
    abort();
}
