/* ledger.c - opening, transactions and the one way in: append.
 *
 * A writer takes its transaction with BEGIN IMMEDIATE, so it either has the only write lock or
 * waits for it; a deferred transaction that is upgraded later is refused at once when somebody
 * else wrote in between, however long the timeout.  Readers never wait: that is what the
 * write-ahead log is for, and why worker, `status` and `watch` get along.
 *
 * A lab on a read-only disk can still be read.  SQLite wants to make a -shm file beside a
 * database in WAL mode; where the folder forbids that and no log is left over, the file is opened
 * as immutable, which needs none.  With a log left over that would silently show old entries, so
 * it is refused. */
#include "ledger/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "ledger/db.h"

enum { BUSY_SECONDS = 20 };

/* A file that may not grow (a quota, a limit of the process) is no SQLITE_FULL: SQLite reports the
 * write as failed and has forgotten errno by the time that we are asked. */
static bool write_failed(const Ledger *l)
{
    int rc = sqlite3_extended_errcode(l->db);
    return rc == SQLITE_FULL || rc == SQLITE_IOERR_WRITE || rc == SQLITE_IOERR_TRUNCATE ||
           rc == SQLITE_IOERR_SHMSIZE || rc == SQLITE_IOERR_FSYNC;
}

bool ledger_fail(const Ledger *l, Err *err)
{
    int rc = sqlite3_errcode(l->db);
    const char *words = sqlite3_errmsg(l->db);
    if (write_failed(l))
        return err_set(err, ERR_IO,
                       "no space is left for the ledger %s (%s): free some, or raise the limit on "
                       "a file's size, and give the same command again; nothing is half-written",
                       l->path, words);
    switch (rc) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, ERR_BUSY,
                       "another process has held the ledger %s for %d s: wait for it to finish or "
                       "end it",
                       l->path, BUSY_SECONDS);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_set(err, ERR_FORMAT,
                       "the ledger %s is damaged (%s): put back a copy of it, or save what can "
                       "still be read with `sqlite3 lathe.db .recover`",
                       l->path, words);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return err_set(err, ERR_IO,
                       "the ledger %s cannot be written: make the lab's folder writable, or work "
                       "in a copy of it",
                       l->path);
    default: return err_set(err, ERR_IO, "the ledger %s refused: %s", l->path, words);
    }
}

bool ledger_exec(const Ledger *l, const char *sql, Err *err)
{
    if (sqlite3_exec(l->db, sql, NULL, NULL, NULL) == SQLITE_OK) return true;
    return ledger_fail(l, err);
}

sqlite3_stmt *ledger_prepare(const Ledger *l, const char *sql, Err *err)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(l->db, sql, -1, &s, NULL) == SQLITE_OK) return s;
    (void)ledger_fail(l, err);
    return NULL;
}

bool ledger_number(const Ledger *l, const char *sql, int64_t *out, Err *err)
{
    sqlite3_stmt *s = ledger_prepare(l, sql, err);
    if (!s) return false;
    bool ok = sqlite3_step(s) == SQLITE_ROW;
    if (ok) *out = sqlite3_column_int64(s, 0);
    if (!ok) (void)ledger_fail(l, err);
    sqlite3_finalize(s);
    return ok;
}

/* ---- opening ---- */

static bool log_left_over(const char *path)
{
    char wal[1040];
    snprintf(wal, sizeof(wal), "%s-wal", path);
    return file_size(wal) > 0;
}

/* "file:" with what URIs reserve escaped. */
static void immutable_uri(const char *path, char *out, ptrdiff_t cap)
{
    ptrdiff_t n = snprintf(out, (size_t)cap, "file:");
    for (; *path && n + 20 < cap; path++) {
        bool plain = *path != '?' && *path != '#' && *path != '%';
        n += snprintf(out + n, (size_t)(cap - n), plain ? "%c" : "%%%02X", (unsigned char)*path);
    }
    snprintf(out + n, (size_t)(cap - n), "?immutable=1");
}

static bool connect(Ledger *l, const char *name, int flags)
{
    if (l->db) sqlite3_close(l->db);
    l->db = NULL;
    if (sqlite3_open_v2(name, &l->db, flags | SQLITE_OPEN_FULLMUTEX, NULL) != SQLITE_OK)
        return false;
    sqlite3_busy_timeout(l->db, BUSY_SECONDS * 1000);
    /* The first real read: only here does SQLite look at the file and its log. */
    return sqlite3_exec(l->db, "PRAGMA schema_version", NULL, NULL, NULL) == SQLITE_OK;
}

static bool connect_read(Ledger *l, Err *err)
{
    if (connect(l, l->path, SQLITE_OPEN_READONLY)) return true;
    int rc = sqlite3_errcode(l->db);
    if (rc != SQLITE_CANTOPEN && rc != SQLITE_READONLY) return ledger_fail(l, err);
    if (access(l->path, R_OK) != 0) return err_errno(err, "cannot read the ledger %s", l->path);
    if (log_left_over(l->path))
        return err_set(err, ERR_IO,
                       "the ledger %s has an unfinished log that a read-only folder cannot work "
                       "off: make the folder writable, or copy the lab",
                       l->path);
    char uri[3200];
    immutable_uri(l->path, uri, sizeof(uri));
    if (connect(l, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)) return true;
    return ledger_fail(l, err);
}

static bool connect_write(Ledger *l, bool create, Err *err)
{
    int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
    if (!connect(l, l->path, flags)) return ledger_fail(l, err);
    /* SQLite quietly opens what it may not write as read-only. */
    if (sqlite3_db_readonly(l->db, "main") == 1)
        return err_set(err, ERR_IO,
                       "the ledger %s cannot be written: make the lab's folder writable, or work "
                       "in a copy of it",
                       l->path);
    return ledger_exec(l, "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON", err);
}

static bool open_write(Ledger *l, bool create, Err *err)
{
    l->writes = true;
    if (!connect_write(l, create, err)) return false;
    if (create && !ledger_schema_make(l, err)) return false;
    int64_t version = 0;
    if (!ledger_schema_check(l, &version, err)) return false;
    if (version != LEDGER_VERSION) return ledger_schema_migrate(l, err);
    return ledger_schema_views(l, err);
}

static bool open_read(Ledger *l, Err *err)
{
    int64_t version = 0;
    if (!connect_read(l, err) || !ledger_schema_check(l, &version, err)) return false;
    if (version == LEDGER_VERSION) return true;
    if (!open_write(l, false, err)) /* an older one is migrated also for a reader */
        return err_wrap(err, "the ledger is of version %lld and has to become %d",
                        (long long)version, LEDGER_VERSION);
    l->writes = false;
    return connect_read(l, err);
}

bool ledger_open(Ledger **out, const char *path, LedgerMode mode, Err *err)
{
    *out = NULL;
    if (strlen(path) >= 1000) return err_set(err, ERR_CONFIG, "the path %s is too long", path);
    if (mode != LEDGER_CREATE && !file_exists(path))
        return err_set(err, ERR_IO, "there is no ledger %s: make a lab with `lathe init`", path);
    Ledger *l = calloc(1, sizeof(*l));
    CHECK(l, "no memory for a ledger");
    snprintf(l->path, sizeof(l->path), "%s", path);
    bool ok = mode == LEDGER_READ ? open_read(l, err) : open_write(l, mode == LEDGER_CREATE, err);
    if (ok) *out = l;
    if (!ok) ledger_close(l);
    return ok;
}

void ledger_close(Ledger *l)
{
    if (!l) return;
    int rc = sqlite3_close(l->db);
    CHECK(rc == SQLITE_OK, "a statement of the ledger was left open");
    free(l);
}

/* ---- transactions ---- */

bool ledger_begin(Ledger *l, Err *err)
{
    CHECK(l->writes, "the ledger was opened for reading");
    CHECK(sqlite3_get_autocommit(l->db), "a transaction is open already");
    return ledger_exec(l, "BEGIN IMMEDIATE", err);
}

bool ledger_commit(Ledger *l, Err *err)
{
    CHECK(!sqlite3_get_autocommit(l->db), "no transaction is open");
    if (ledger_exec(l, "COMMIT", err)) return true;
    ledger_rollback(l);
    return false;
}

void ledger_rollback(Ledger *l)
{
    /* A full disk has ended the transaction already; rolling back twice is no failure. */
    if (!sqlite3_get_autocommit(l->db)) sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
}

bool ledger_enter(const Ledger *l, bool *own, Err *err)
{
    CHECK(l->writes, "the ledger was opened for reading");
    *own = sqlite3_get_autocommit(l->db) != 0;
    return !*own || ledger_exec(l, "BEGIN IMMEDIATE", err);
}

bool ledger_leave(Ledger *l, bool own, bool ok, Err *err)
{
    if (!own) return ok;
    if (ok) return ledger_commit(l, err);
    ledger_rollback(l);
    return false;
}

/* ---- appending ---- */

void ledger_entry_hash(const char *before, const char *kind, const char *id, double at,
                       const char *body, char out[65])
{
    Sha256 sha;
    char date[64];
    const char *line[] = { before, kind, id, date, body };
    snprintf(date, sizeof(date), "%.6f", at);
    sha256_begin(&sha);
    for (int i = 0; i < 5; i++) {
        sha256_add(&sha, line[i], (ptrdiff_t)strlen(line[i]));
        sha256_add(&sha, "\n", 1);
    }
    sha256_end_hex(&sha, out);
}

static bool last_entry(const Ledger *l, int64_t *seq, char hash[65], Err *err)
{
    sqlite3_stmt *s =
        ledger_prepare(l, "SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1", err);
    if (!s) return false;
    int rc = sqlite3_step(s);
    *seq = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    snprintf(hash, 65, "%s",
             rc == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 1) : LEDGER_GENESIS);
    bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE;
    if (!ok) (void)ledger_fail(l, err);
    sqlite3_finalize(s);
    return ok;
}

static bool said_before(const char *kind, const char *id, Err *err)
{
    return err_set(err, ERR_BUSY, "the ledger already has a %s of %s: nothing is counted twice",
                   kind, id);
}

static bool insert_entry(const Ledger *l, const char *kind, const char *id, const char *body,
                         Err *err)
{
    int64_t seq = 0;
    char before[65], hash[65];
    if (!last_entry(l, &seq, before, err)) return false;
    double at = clock_date();
    ledger_entry_hash(before, kind, id, at, body, hash);
    sqlite3_stmt *s =
        ledger_prepare(l, "INSERT INTO entries(seq,kind,id,at,body,hash) VALUES(?,?,?,?,?,?)", err);
    if (!s) return false;
    sqlite3_bind_int64(s, 1, seq + 1);
    sqlite3_bind_text(s, 2, kind, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 3, id, -1, SQLITE_STATIC);
    sqlite3_bind_double(s, 4, at);
    sqlite3_bind_text(s, 5, body, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 6, hash, -1, SQLITE_STATIC);
    bool ok = sqlite3_step(s) == SQLITE_DONE;
    if (!ok && sqlite3_extended_errcode(l->db) == SQLITE_CONSTRAINT_UNIQUE)
        (void)said_before(kind, id, err);
    else if (!ok)
        (void)ledger_fail(l, err);
    sqlite3_finalize(s);
    return ok;
}

bool ledger_append(Ledger *l, const char *kind, const char *id, json_t *body, Err *err)
{
    id = id ? id : "";
    CHECK(json_is_object(body), "the body of a %s is no JSON object", kind);
    CHECK(!strchr(kind, '\n') && !strchr(id, '\n'), "a kind or an id spans lines");
    Buf text = { 0 };
    json_write(body, false, &text);
    json_decref(body);
    bool own = false, ok = ledger_enter(l, &own, err);
    if (ok) ok = ledger_leave(l, own, insert_entry(l, kind, id, text.at, err), err);
    buf_free(&text);
    return ok;
}

bool ledger_next_id(Ledger *l, char prefix, char out[24], Err *err)
{
    CHECK(!sqlite3_get_autocommit(l->db), "an id is taken inside a transaction");
    /* Names that are hashes begin with the same letters; they are longer than any number. */
    char sql[240];
    snprintf(sql, sizeof(sql),
             "SELECT coalesce(max(CAST(substr(id,2) AS INTEGER)),0) FROM entries "
             "WHERE id>='%c' AND id<'%c' AND length(id)<16 AND id GLOB '%c[0-9]*'",
             prefix, prefix + 1, prefix);
    int64_t last = 0;
    if (!ledger_number(l, sql, &last, err)) return false;
    snprintf(out, 24, "%c%lld", prefix, (long long)last + 1);
    return true;
}
