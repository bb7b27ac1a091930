/* reader_fetch.h - a file from a URL, kept until it is whole. */
#ifndef DATA_READER_FETCH_H
#define DATA_READER_FETCH_H

#include "base/arena.h"
#include "base/err.h"

/* http:// or https:// */
bool reader_fetch_is_url(const char *path);

/* How the URL is named in reports: without a name and password in it, and without "#sha256=". */
char *reader_fetch_name(const char *url, Arena *out);

/* The file in the folder `cache` (made if absent) that holds what the URL gives.  What an earlier
 * attempt left is gone on with, if the server says that it is still the same file.  A URL that ends
 * in "#sha256=HEX" must give bytes of that hash.  ERR_STOPPED, ERR_IO: the same call goes on. */
char *reader_fetch_file(const char *url, const char *cache, Arena *out, Err *err) MUST_CHECK;

#endif
