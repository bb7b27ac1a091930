/* file.h - files and folders: read whole, written whole or not at all.
 *
 * Every write that matters goes through file_write_whole() or FileOut: the
 * bytes go to a temporary name beside the target, are synced, and take the
 * target's name in one rename.  A full disk or a kill leaves the old file. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

C_BEGIN

bool file_exists(const char *path);
bool file_is_dir(const char *path);
int64_t file_size(const char *path);                          /* -1 if it cannot be seen */
bool file_make_dirs(const char *path, Err *err) MUST_CHECK;   /* like mkdir -p */
bool file_remove_tree(const char *path, Err *err) MUST_CHECK; /* no error if absent */

/* The whole file, into a Buf or an arena (NUL behind the last byte). */
bool file_read(const char *path, Buf *out, Err *err) MUST_CHECK;
bool file_read_arena(const char *path, Arena *out, Str *text, Err *err) MUST_CHECK;
bool file_write_whole(const char *path, Str bytes, Err *err) MUST_CHECK;

/* A large file written whole or not at all: open, write..., commit (or drop).  What is there and is
 * no regular file (/dev/null) is refused: the new file would take its place. */
typedef struct FileOut {
    void *stream;
    char path[1024], temp[1040];
} FileOut;
bool fileout_open(FileOut *f, const char *path, Err *err) MUST_CHECK;
/* The same, going on behind the first `keep` bytes of what fileout_leave or a kill left unfinished;
 * ERR_FORMAT if there are fewer. */
bool fileout_reopen(FileOut *f, const char *path, int64_t keep, Err *err) MUST_CHECK;
bool fileout_write(FileOut *f, const void *bytes, ptrdiff_t len, Err *err) MUST_CHECK;
/* What was written reaches the system, and the disk if `sync`. */
bool fileout_flush(FileOut *f, bool sync, Err *err) MUST_CHECK;
/* Writes over bytes already written (a header whose counts are known last). */
bool fileout_patch(FileOut *f, int64_t at, const void *bytes, ptrdiff_t len, Err *err) MUST_CHECK;
bool fileout_commit(FileOut *f, Err *err) MUST_CHECK;
void fileout_drop(FileOut *f);  /* safe after commit and after a failed write */
void fileout_leave(FileOut *f); /* unfinished, for fileout_reopen */

/* Names in a folder, sorted by bytes, without "." and ".."; full depth if `deep`
 * (then files only, as paths relative to `dir`).  Links to folders are not followed. */
bool file_list(const char *dir, bool deep, Arena *out, char ***names, int *count,
               Err *err) MUST_CHECK;

/* An exclusive lock on a file, made if absent; freed by the system when the process ends.
 * ERR_BUSY if another process holds it. *fd is given to file_unlock. */
bool file_lock(const char *path, int *fd, Err *err) MUST_CHECK;
void file_unlock(int fd);

C_END
#endif
