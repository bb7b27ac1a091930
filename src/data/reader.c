/* reader.c - which files are read, in which order, and what is said about the rest.
 *
 * The order of documents decides the order of the training text, so it may not depend on a
 * file system: paths as given, folders by name.  What cannot be read (.docx, .pdf, pictures)
 * is not guessed at: it is left out, counted and named, because a converter that fails
 * silently is worse than a person who exports text.  Hidden files (.git, .DS_Store) are left
 * out without a word.
 *
 * A broken file that a person named ends the reading.  One of a folder is left out, whole: a
 * night's crawl is not lost to one torn download, and half a file does not come in as if it were
 * all of it.  So what can turn out broken in its middle (packed files, archives, Parquet) is read
 * twice, the first time for nobody, which costs a tenth of what is done with text later.  Taking
 * documents back that were sent already was rejected: every sink would have to be able to. */
#include "data/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "data/reader_fetch.h"

#define READER(name) extern const ReaderDef reader_##name;
#include "data/reader_list.h"
#undef READER

static const ReaderDef *const readers[] = {
#define READER(name) &reader_##name,
#include "data/reader_list.h"
#undef READER
};

const ReaderDef *const *reader_all(int *count)
{
    *count = (int)COUNT(readers);
    return readers;
}

static bool ends_with(Str s, const char *suffix)
{
    ptrdiff_t n = (ptrdiff_t)strlen(suffix);
    return s.len >= n && strncasecmp(s.at + s.len - n, suffix, (size_t)n) == 0;
}

/* The name without ".gz" or ".zst". */
static Str unpacked_name(const char *path)
{
    Str name = str_of(path);
    if (ends_with(name, ".gz"))
        name.len -= 3;
    else if (ends_with(name, ".zst"))
        name.len -= 4;
    return name;
}

const ReaderDef *reader_for(const char *path)
{
    Str name = unpacked_name(path);
    for (ptrdiff_t i = 0; i < COUNT(readers); i++)
        for (const char *const *suffix = readers[i]->suffixes; *suffix; suffix++)
            if (ends_with(name, *suffix)) return readers[i];
    return NULL;
}

/* ---- what is left out ---- */

/* The kind of a file without a reader: its suffix in small letters. */
static void kind_of(const char *path, char *out, ptrdiff_t cap)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    snprintf(out, (size_t)cap, "%s", dot && dot != name ? dot : "no suffix");
    for (char *c = out; *c; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
}

static void note_skipped(json_t *report, const char *kind, const char *path)
{
    json_t *all = json_object_get(report, "skipped"), *entry = json_object_get(all, kind);
    if (!entry) {
        entry = json_pack("{s:i,s:[]}", "files", 0, "names");
        json_object_set_new(all, kind, entry);
    }
    json_object_set_new(entry, "files", json_integer(json_int(entry, "files", 0) + 1));
    json_t *names = json_object_get(entry, "names");
    if (json_array_size(names) < READER_NAMED)
        json_array_append_new(names, json_text(str_of(path)));
}

/* "3 .docx, 2 .pdf" */
static void tell_skipped(const json_t *report, char *out, ptrdiff_t cap)
{
    const char *kind;
    json_t *entry;
    ptrdiff_t n = 0;
    out[0] = 0;
    json_object_foreach(json_object_get(report, "skipped"), kind, entry)
    {
        if (n < cap - 1)
            n += snprintf(out + n, (size_t)(cap - n), "%s%d %s", n ? ", " : "",
                          (int)json_int(entry, "files", 0), kind);
    }
}

/* ---- one file ---- */

typedef struct Run {
    const ReaderJob *job;
    json_t *report;
    Progress progress;
    double bytes_done;
    Err broken; /* of the first broken file that was left out */
} Run;

/* A file that was named by a person may have any name: its first bytes decide.  NULL: not text. */
static const ReaderDef *guess(Str head)
{
    for (ptrdiff_t i = 0; i < COUNT(readers); i++)
        if (readers[i]->is && readers[i]->is(head)) return readers[i];
    return memchr(head.at, 0, (size_t)head.len) ? NULL : reader_for(".txt");
}

static bool is_utf16(Str head)
{
    return head.len >= 2 &&
           (memcmp(head.at, "\xff\xfe", 2) == 0 || memcmp(head.at, "\xfe\xff", 2) == 0);
}

static json_t *first_of(const int64_t *at, int64_t count)
{
    json_t *all = json_array();
    for (int64_t i = 0; i < MIN(count, (int64_t)READER_NAMED); i++)
        json_array_append_new(all, json_integer(at[i]));
    return all;
}

static void note_file(Run *run, ReaderFile *file, ReaderStream *in)
{
    char sha[65];
    Sha256 end = in->sha;
    sha256_end_hex(&end, sha);
    json_t *entry =
        json_pack("{s:o,s:I,s:I,s:s,s:I}", "path", json_text(str_of(file->path)), "bytes",
                  (json_int_t)in->raw_bytes, "documents", (json_int_t)file->documents, "sha256",
                  sha, "bad_lines", (json_int_t)file->bad_lines);
    if (file->bad_lines > 0)
        json_object_set_new(entry, "first_bad_lines", first_of(file->bad_line, file->bad_lines));
    if (file->broken > 0) {
        json_object_set_new(entry, "broken_utf8", json_integer(file->broken));
        json_object_set_new(entry, "first_broken_utf8", first_of(file->broken_at, file->broken));
    }
    json_array_append_new(json_object_get(run->report, "files"), entry);
}

/* Bytes read of a compressed or plain file are shown as they pass. */
typedef struct Watch {
    Run *run;
    ReaderStream *in;
    ReaderSink below;
    bool sent; /* a document has begun */
} Watch;

static void watch_begin(void *self, int64_t file, int64_t offset)
{
    Watch *w = self;
    w->sent = true;
    if (w->below.begin) w->below.begin(w->below.self, file, offset);
}

static bool watch_part(void *self, Str bytes, Err *err)
{
    Watch *w = self;
    if (stop_asked()) return err_set(err, ERR_STOPPED, "stopped while reading %s", w->in->path);
    progress_tick(&w->run->progress, w->run->bytes_done + (double)w->in->raw_bytes, w->in->path);
    return w->below.part(w->below.self, bytes, err);
}

static bool watch_end(void *self, Err *err)
{
    Watch *w = self;
    return w->below.end(w->below.self, err);
}

/* NULL: not for reading, and *why says so. */
static const ReaderDef *choose(const char *path, bool asked, Str head, char why[64])
{
    kind_of(path, why, 64);
    if (head.len == 0) return snprintf(why, 64, "empty"), NULL;
    if (is_utf16(head)) return snprintf(why, 64, "UTF-16 (save as UTF-8)"), NULL;
    const ReaderDef *def = reader_for(path);
    return def || !asked ? def : guess(head);
}

/* One time through a file.  *sent: a document of it has begun. */
static bool read_through(Run *run, ReaderStream *in, const ReaderDef *def, const ReaderSink *sink,
                         ReaderFile *file, bool *sent, Err *err)
{
    Watch watch = { run, in, *sink, false };
    *file = (ReaderFile){ .path = in->path,
                          .field = run->job->field ? run->job->field : "text",
                          .number = (int64_t)json_array_size(json_object_get(run->report, "files")),
                          .sink = { watch_begin, watch_part, watch_end, &watch } };
    bool ok = def->read(in, file, err) && readerstream_finish(in, err);
    *sent = watch.sent;
    return ok;
}

static bool read_opened(Run *run, ReaderStream *in, bool asked, bool *sent, Err *err)
{
    Str head;
    char why[64];
    ReaderFile file;
    if (!readerstream_peek(in, &head, err)) return false;
    const ReaderDef *def = choose(in->path, asked, head, why);
    if (!def) {
        note_skipped(run->report, why, in->path);
        return true;
    }
    if (!read_through(run, in, def, &run->job->sink, &file, sent, err)) return false;
    note_file(run, &file, in);
    return true;
}

/* ---- files of a folder that are broken ---- */

static bool nobody_part(void *self, Str bytes, Err *err)
{
    (void)self, (void)bytes, (void)err;
    return true;
}

static bool nobody_end(void *self, Err *err)
{
    (void)self, (void)err;
    return true;
}

/* Reads for nobody what may turn out broken behind its first documents. */
static bool is_sound(Run *run, const char *path, Err *err)
{
    static const ReaderSink nobody = { .part = nobody_part, .end = nobody_end };
    ReaderStream in;
    ReaderFile file;
    Str head;
    bool sent;
    const ReaderDef *def = reader_for(path);
    if (!readerstream_open(&in, path, err)) return false;
    bool ok = readerstream_peek(&in, &head, err);
    if (ok && head.len > 0 && (def->framed || readerstream_packed(&in)))
        ok = read_through(run, &in, def, &nobody, &file, &sent, err);
    readerstream_close(&in);
    return ok;
}

/* Is the file itself at fault, and not the disk or a person who stops?  Then it is left out, named
 * by the sentence that says how it is broken. */
static bool leave_out(Run *run, const Err *why)
{
    if (why->code != ERR_FORMAT && why->code != ERR_CONFIG) return false;
    if (run->broken.code == ERR_NONE) run->broken = *why;
    note_skipped(run->report, "broken", why->msg);
    return true;
}

/* A pipe in a folder has nobody who writes into it: reading it would wait for ever. */
static bool is_regular(const char *path)
{
    struct stat st;
    return stat(path, &st) != 0 || S_ISREG(st.st_mode);
}

static bool read_url(Run *run, const char *url, Err *err)
{
    Arena arena = arena_reserve(1 << 20);
    ReaderStream in;
    bool sent;
    const char *name = reader_fetch_name(url, &arena);
    bool ok = run->job->cache || err_set(err, ERR_CONFIG, "%s: fetch it first", name);
    const char *path = ok ? reader_fetch_file(url, run->job->cache, &arena, err) : NULL;
    ok = path && readerstream_open(&in, path, err);
    if (ok) {
        in.path = name;
        ok = read_opened(run, &in, true, &sent, err);
        readerstream_close(&in);
    }
    arena_release(&arena);
    return ok;
}

static bool read_named(Run *run, const char *path, bool asked, bool *sent, Err *err)
{
    ReaderStream in;
    *sent = false;
    if (!readerstream_open(&in, path, err)) return false;
    bool ok = read_opened(run, &in, asked, sent, err);
    if (ok) run->bytes_done += (double)in.raw_bytes;
    readerstream_close(&in);
    return ok;
}

/* A file found in a folder. */
static bool read_found(Run *run, const char *path, Err *err)
{
    char kind[64];
    bool sent = false;
    if (!reader_for(path)) {
        kind_of(path, kind, COUNT(kind));
        note_skipped(run->report, kind, path);
        return true;
    }
    if (!is_regular(path)) {
        note_skipped(run->report, "no regular file", path);
        return true;
    }
    if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0) {
        note_skipped(run->report, strerror(errno), path);
        return true;
    }
    if (is_sound(run, path, err) && read_named(run, path, false, &sent, err)) return true;
    return !sent && leave_out(run, err);
}

/* `asked`: a person named this file, it was not found in a folder. */
static bool read_file(Run *run, const char *path, bool asked, Err *err)
{
    bool sent;
    if (!asked) return read_found(run, path, err);
    if (reader_fetch_is_url(path)) return read_url(run, path, err);
    return read_named(run, path, true, &sent, err);
}

/* ---- all of them ---- */

typedef struct Found {
    const char **path;
    bool *asked;
    int count, cap;
    double bytes;
} Found;

static void find(Found *f, Arena *out, const char *path, bool asked)
{
    if (f->count == f->cap) {
        int cap = f->cap ? 2 * f->cap : 64;
        const char **bigger = NEW(out, const char *, cap);
        bool *flags = NEW(out, bool, cap);
        for (int i = 0; i < f->count; i++) bigger[i] = f->path[i], flags[i] = f->asked[i];
        f->path = bigger, f->asked = flags, f->cap = cap;
    }
    f->path[f->count] = path;
    f->asked[f->count++] = asked;
    if (reader_for(path)) f->bytes += (double)MAX(file_size(path), (int64_t)0);
}

static bool is_hidden(const char *name)
{
    return name[0] == '.' || strstr(name, "/.");
}

static bool find_in(Found *f, Arena *out, const char *dir, Err *err)
{
    char **names;
    int count;
    if (!file_list(dir, true, out, &names, &count, err)) return false;
    ptrdiff_t len = (ptrdiff_t)strlen(dir);
    const char *slash = len > 0 && dir[len - 1] == '/' ? "" : "/";
    for (int i = 0; i < count; i++)
        if (!is_hidden(names[i]))
            find(f, out, arena_printf(out, "%s%s%s", dir, slash, names[i]), false);
    return true;
}

static bool find_all(const ReaderJob *job, Found *f, Arena *out, Err *err)
{
    for (int i = 0; i < job->n_paths; i++) {
        const char *path = job->paths[i];
        bool elsewhere = strcmp(path, "-") == 0 || reader_fetch_is_url(path);
        if (!elsewhere && !file_exists(path))
            return err_set(err, ERR_CONFIG, "there is no file or folder %s; check the path", path);
        if (elsewhere || !file_is_dir(path))
            find(f, out, path, true);
        else if (!find_in(f, out, path, err))
            return false;
    }
    return true;
}

static bool refuse_if_nothing(const Run *run, Err *err)
{
    const ReaderJob *job = run->job;
    const json_t *report = run->report;
    if (json_array_size(json_object_get(report, "files")) > 0) return true;
    char skipped[240];
    if (run->broken.code != ERR_NONE) {
        *err = run->broken;
        return false;
    }
    tell_skipped(report, skipped, COUNT(skipped));
    return err_set(err, ERR_CONFIG,
                   "%s%s: nothing to read there (%s%s); what is read is .txt, .md, .html, .jsonl, "
                   ".parquet, .wet and .warc, each also .gz or .zst",
                   job->paths[0], job->n_paths > 1 ? " and the other paths" : "",
                   skipped[0] ? "left out: " : "no file", skipped);
}

bool reader_run(const ReaderJob *job, json_t **report, Err *err)
{
    Arena arena = arena_reserve((ptrdiff_t)1 << 30);
    Found found = { 0 };
    Run run = { .job = job, .report = json_pack("{s:[],s:{}}", "files", "skipped") };
    bool ok = find_all(job, &found, &arena, err);
    run.progress = progress_begin("reading", "bytes", found.bytes);
    for (int i = 0; ok && i < found.count; i++)
        ok = read_file(&run, found.path[i], found.asked[i], err);
    progress_end(&run.progress);
    ok = ok && refuse_if_nothing(&run, err);
    arena_release(&arena);
    if (!ok) json_decref(run.report);
    *report = ok ? run.report : NULL;
    return ok;
}
