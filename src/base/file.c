/* file.c - files and folders: read whole, written whole or not at all.
 *
 * The temporary file beside a target has a fixed name, TARGET.tmp, and is held by flock
 * while it is written: what a killed process left there is written over by the next one
 * instead of piling up, and two writers of one target take turns.  Random temporary names
 * were rejected because a night of kills would fill the disk with them; unnamed files
 * (O_TMPFILE) because they cannot replace an existing name.
 *
 * After the rename the folder is synced too, or a power cut could bring the old name back. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool file_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int64_t file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

bool file_make_dirs(const char *path, Err *err)
{
    char part[4096];
    size_t len = strlen(path);
    if (len >= sizeof(part)) {
        errno = ENAMETOOLONG;
        return err_errno(err, "cannot make folder %.200s", path);
    }
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != 0) continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdir(part, 0777) == 0 || file_is_dir(part)) continue;
        if (file_exists(part)) errno = ENOTDIR;
        return err_errno(err, "cannot make folder %s", part);
    }
    return true;
}

static bool remove_inside(int dir, const char *path, Err *err);

/* `dir` is where `name` is; `path` is for the message. */
static bool remove_entry(int dir, const char *name, const char *path, Err *err)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT || err_errno(err, "cannot remove %s", path);
    if (S_ISDIR(st.st_mode)) {
        int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) return err_errno(err, "cannot remove %s", path);
        if (!remove_inside(fd, path, err)) return false;
    }
    if (unlinkat(dir, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT)
        return err_errno(err, "cannot remove %s", path);
    return true;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Takes over `fd`. */
static bool remove_inside(int fd, const char *path, Err *err)
{
    DIR *d = fdopendir(fd);
    if (!d) {
        close(fd);
        return err_errno(err, "cannot read folder %s", path);
    }
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(d));) {
        char below[4096];
        if (is_dots(e->d_name)) continue;
        snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
        ok = remove_entry(dirfd(d), e->d_name, below, err);
    }
    closedir(d);
    return ok;
}

bool file_remove_tree(const char *path, Err *err)
{
    return remove_entry(AT_FDCWD, path, path, err);
}

static bool read_all(int fd, const char *path, Buf *out, Err *err)
{
    struct stat st;
    if (fstat(fd, &st) == 0) buf_room(out, (ptrdiff_t)st.st_size + 1);
    for (;;) {
        buf_room(out, 4096);
        ssize_t n = read(fd, out->at + out->len, (size_t)(out->cap - out->len - 1));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_errno(err, "cannot read %s", path);
        out->len += n;
        out->at[out->len] = 0;
        if (n == 0) return true;
    }
}

bool file_read(const char *path, Buf *out, Err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return err_errno(err, "cannot open %s", path);
    bool ok = read_all(fd, path, out, err);
    close(fd);
    return ok;
}

bool file_read_arena(const char *path, Arena *out, Str *text, Err *err)
{
    Buf b = { 0 };
    bool ok = file_read(path, &b, err);
    if (ok) {
        text->at = arena_str(out, buf_view(&b));
        text->len = b.len;
    }
    buf_free(&b);
    return ok;
}

bool file_write_whole(const char *path, Str bytes, Err *err)
{
    FileOut f;
    if (!fileout_open(&f, path, err)) return false;
    bool ok = fileout_write(&f, bytes.at, bytes.len, err) && fileout_commit(&f, err);
    fileout_drop(&f);
    return ok;
}

static bool same_file(int fd, const char *path)
{
    struct stat a, b;
    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* Waits for its turn.  Whoever held the name before has renamed or removed it, so the file
 * that was waited for may be another's finished target: then the name is opened anew. */
static int open_temp(const char *temp)
{
    for (;;) {
        int fd = open(temp, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0) return -1;
        while (flock(fd, LOCK_EX) != 0 && errno == EINTR) continue;
        if (same_file(fd, temp)) return fd;
        close(fd);
    }
}

/* A file that takes the place of /dev/null in one piece is the end of /dev/null. */
static bool is_special(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static bool name_file(FileOut *f, const char *path, Err *err)
{
    memset(f, 0, sizeof(*f));
    if (strlen(path) >= sizeof(f->path)) {
        errno = ENAMETOOLONG;
        return err_errno(err, "cannot write %.200s", path);
    }
    snprintf(f->path, sizeof(f->path), "%s", path);
    snprintf(f->temp, sizeof(f->temp), "%s.tmp", path);
    if (file_is_dir(path)) {
        errno = EISDIR;
        return err_errno(err, "cannot write %s", path);
    }
    return !is_special(path) ||
           err_set(err, ERR_CONFIG, "%s is a device or a pipe; name a file to write to", path);
}

bool fileout_reopen(FileOut *f, const char *path, int64_t keep, Err *err)
{
    if (!name_file(f, path, err)) return false;
    int fd = open_temp(f->temp);
    if (fd < 0) return err_errno(err, "cannot write %s", path);
    off_t size = lseek(fd, 0, SEEK_END);
    bool fits = size >= (off_t)keep;
    if (fits && ftruncate(fd, (off_t)keep) == 0 && lseek(fd, (off_t)keep, SEEK_SET) >= 0)
        f->stream = fdopen(fd, "wb");
    if (f->stream) return true;
    if (fits)
        err_errno(err, "cannot write %s", path);
    else
        err_set(err, ERR_FORMAT, "%s holds less than was written to it", f->temp);
    if (keep == 0) unlink(f->temp);
    close(fd);
    return false;
}

bool fileout_open(FileOut *f, const char *path, Err *err)
{
    return fileout_reopen(f, path, 0, err);
}

bool fileout_flush(FileOut *f, bool sync, Err *err)
{
    CHECK(f->stream, "%s is flushed after it was committed or dropped", f->path);
    if (fflush(f->stream) == 0 && (!sync || fsync(fileno(f->stream)) == 0)) return true;
    return err_errno(err, "cannot write %s", f->path);
}

bool fileout_write(FileOut *f, const void *bytes, ptrdiff_t len, Err *err)
{
    CHECK(f->stream, "%s is written to after it was committed or dropped", f->path);
    if (len <= 0 || fwrite(bytes, 1, (size_t)len, f->stream) == (size_t)len) return true;
    return err_errno(err, "cannot write %s", f->path);
}

bool fileout_patch(FileOut *f, int64_t at, const void *bytes, ptrdiff_t len, Err *err)
{
    CHECK(f->stream, "%s is written to after it was committed or dropped", f->path);
    off_t end = ftello(f->stream);
    if (end >= 0 && fseeko(f->stream, (off_t)at, SEEK_SET) == 0 &&
        fwrite(bytes, 1, (size_t)len, f->stream) == (size_t)len &&
        fseeko(f->stream, end, SEEK_SET) == 0)
        return true;
    return err_errno(err, "cannot write %s", f->path);
}

static bool sync_folder_of(const char *path, Err *err)
{
    char folder[1024];
    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = 0;
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return err_errno(err, "cannot open the folder of %s", path);
    bool ok = fsync(fd) == 0 || errno == EINVAL; /* some file systems cannot sync a folder */
    if (!ok) err_errno(err, "cannot sync the folder of %s", path);
    close(fd);
    return ok;
}

/* The stream is closed after the rename: with it ends the lock that keeps others away. */
bool fileout_commit(FileOut *f, Err *err)
{
    CHECK(f->stream, "%s is committed twice", f->path);
    if (fflush(f->stream) != 0 || fsync(fileno(f->stream)) != 0 || rename(f->temp, f->path) != 0) {
        err_errno(err, "cannot write %s", f->path);
        fileout_drop(f);
        return false;
    }
    fclose(f->stream);
    f->stream = NULL;
    return sync_folder_of(f->path, err);
}

void fileout_drop(FileOut *f)
{
    if (!f->stream) return;
    unlink(f->temp);
    fclose(f->stream);
    f->stream = NULL;
}

void fileout_leave(FileOut *f)
{
    if (f->stream) fclose(f->stream);
    f->stream = NULL;
}

typedef struct Listing {
    Arena *out;
    char **name;
    int count, cap;
    bool deep;
} Listing;

static void listing_add(Listing *l, const char *name)
{
    if (l->count == l->cap) {
        l->cap = MAX(64, 2 * l->cap);
        l->name = realloc(l->name, (size_t)l->cap * sizeof(*l->name));
        CHECK(l->name, "a folder of %d names", l->cap);
    }
    l->name[l->count++] = arena_str(l->out, str_of(name));
}

/* `below` is the folder's path relative to where the listing began; takes over `fd`. */
static bool list_folder(Listing *l, int fd, const char *dir, const char *below, Err *err)
{
    DIR *d = fdopendir(fd);
    if (!d) {
        err_errno(err, "cannot read folder %s/%s", dir, below);
        if (fd >= 0) close(fd);
        return false;
    }
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(d));) {
        char name[4096];
        struct stat st;
        if (is_dots(e->d_name)) continue;
        snprintf(name, sizeof(name), "%s%s%s", below, *below ? "/" : "", e->d_name);
        if (l->deep && fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            if (S_ISLNK(st.st_mode) &&
                (fstatat(dirfd(d), e->d_name, &st, 0) != 0 || S_ISDIR(st.st_mode)))
                continue; /* a link to a folder, or to nothing */
            if (S_ISDIR(st.st_mode)) {
                int sub = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                ok = list_folder(l, sub, dir, name, err);
                continue;
            }
        }
        listing_add(l, name);
    }
    closedir(d);
    return ok;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool file_list(const char *dir, bool deep, Arena *out, char ***names, int *count, Err *err)
{
    Listing l = { .out = out, .deep = deep };
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return err_errno(err, "cannot open folder %s", dir);
    bool ok = list_folder(&l, fd, dir, "", err);
    if (ok) {
        if (l.count > 0) qsort(l.name, (size_t)l.count, sizeof(*l.name), by_bytes);
        *names = NEW(out, char *, l.count);
        if (l.count > 0) memcpy(*names, l.name, (size_t)l.count * sizeof(*l.name));
        *count = l.count;
    }
    free(l.name);
    return ok;
}

bool file_lock(const char *path, int *fd, Err *err)
{
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*fd < 0) return err_errno(err, "cannot lock %s", path);
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno == EWOULDBLOCK)
        err_set(err, ERR_BUSY, "%s is held by another process; wait for it or stop it", path);
    else
        err_errno(err, "cannot lock %s", path);
    close(*fd);
    *fd = -1;
    return false;
}

void file_unlock(int fd)
{
    if (fd >= 0) close(fd);
}
