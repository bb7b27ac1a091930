/* read.c - the ways out: entries in order, the last of a kind, SQL.
 *
 * ledger_each copies a page of entries, ends its statement, and only then calls the visitor.  So
 * a visitor may append, open a transaction or read on its own, and a slow one holds no old
 * snapshot that would keep the log from being worked off.  The price is one small copy. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ledger/db.h"

enum { PAGE = 256 };

typedef struct Row {
    int64_t seq;
    char *kind, *id, *body, *hash;
    double at;
} Row;

static void row_free(Row *r)
{
    free(r->kind);
    free(r->id);
    free(r->body);
    free(r->hash);
}

static char *column_copy(sqlite3_stmt *s, int column)
{
    const unsigned char *text = sqlite3_column_text(s, column);
    char *copy = strdup(text ? (const char *)text : "");
    CHECK(copy, "no memory for an entry");
    return copy;
}

/* Up to PAGE entries of `kind` with after < seq <= until; *n is -1 on failure. */
static void page_read(const Ledger *l, const char *kind, int64_t after, int64_t until, Row *rows,
                      int *n, Err *err)
{
    const char *sql = kind ? "SELECT seq,kind,id,at,body,hash FROM entries WHERE kind=?3 AND "
                             "seq>?1 AND seq<=?2 ORDER BY seq LIMIT ?4"
                           : "SELECT seq,kind,id,at,body,hash FROM entries WHERE seq>?1 AND "
                             "seq<=?2 ORDER BY seq LIMIT ?4";
    sqlite3_stmt *s = ledger_prepare(l, sql, err);
    *n = s ? 0 : -1;
    if (!s) return;
    sqlite3_bind_int64(s, 1, after);
    sqlite3_bind_int64(s, 2, until);
    if (kind) sqlite3_bind_text(s, 3, kind, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 4, PAGE);
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        rows[(*n)++] = (Row){ .seq = sqlite3_column_int64(s, 0),
                              .kind = column_copy(s, 1),
                              .id = column_copy(s, 2),
                              .at = sqlite3_column_double(s, 3),
                              .body = column_copy(s, 4),
                              .hash = column_copy(s, 5) };
    }
    if (rc != SQLITE_DONE) {
        (void)ledger_fail(l, err);
        while (*n > 0) row_free(&rows[--*n]);
        *n = -1;
    }
    sqlite3_finalize(s);
}

static bool row_visit(const Row *r, bool (*visit)(void *, const Entry *), void *self, bool *go,
                      Err *err)
{
    json_t *body = json_read(str_of(r->body), "the body of an entry", err);
    if (!body) return err_wrap(err, "entry %lld of the ledger", (long long)r->seq);
    Entry e = { r->seq, r->kind, r->id, r->at, body, r->hash };
    *go = visit(self, &e);
    json_decref(body);
    return true;
}

bool ledger_each(Ledger *l, const char *kind, int64_t after, bool (*visit)(void *, const Entry *),
                 void *self, Err *err)
{
    Row rows[PAGE];
    int64_t until = ledger_seq(l);
    bool ok = true, go = true;
    int n = PAGE;
    while (ok && go && n == PAGE) {
        page_read(l, kind, after, until, rows, &n, err);
        if (n < 0) return false;
        for (int i = 0; i < n; i++) {
            if (ok && go) ok = row_visit(&rows[i], visit, self, &go, err);
            after = rows[i].seq;
            row_free(&rows[i]);
        }
    }
    return ok;
}

bool ledger_last(Ledger *l, const char *kind, const char *id, json_t **body, Err *err)
{
    *body = NULL;
    const char *sql =
        id ? "SELECT body FROM entries WHERE kind=?1 AND id=?2 ORDER BY seq DESC LIMIT 1"
           : "SELECT body FROM entries WHERE kind=?1 ORDER BY seq DESC LIMIT 1";
    sqlite3_stmt *s = ledger_prepare(l, sql, err);
    if (!s) return false;
    sqlite3_bind_text(s, 1, kind, -1, SQLITE_STATIC);
    if (id) sqlite3_bind_text(s, 2, id, -1, SQLITE_STATIC);
    int rc = sqlite3_step(s);
    bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE || ledger_fail(l, err);
    if (rc == SQLITE_ROW) {
        *body = json_read(str_of((const char *)sqlite3_column_text(s, 0)), "an entry", err);
        ok = *body != NULL;
    }
    sqlite3_finalize(s);
    return ok;
}

int64_t ledger_count(Ledger *l, const char *kind)
{
    Err err = { 0 };
    int64_t n = -1;
    sqlite3_stmt *s = ledger_prepare(l, "SELECT count(*) FROM entries WHERE kind=?1", &err);
    if (!s) return n;
    sqlite3_bind_text(s, 1, kind, -1, SQLITE_STATIC);
    if (sqlite3_step(s) == SQLITE_ROW) n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return n;
}

int64_t ledger_seq(Ledger *l)
{
    Err err = { 0 };
    int64_t n = -1;
    return ledger_number(l, "SELECT coalesce(max(seq),0) FROM entries", &n, &err) ? n : -1;
}

/* ---- SQL for people and tools ---- */

static json_t *column_json(sqlite3_stmt *s, int column)
{
    switch (sqlite3_column_type(s, column)) {
    case SQLITE_INTEGER: return json_integer(sqlite3_column_int64(s, column));
    case SQLITE_FLOAT: return json_num_of(sqlite3_column_double(s, column));
    case SQLITE_NULL: return json_null();
    default: break;
    }
    Str text = { sqlite3_column_blob(s, column), sqlite3_column_bytes(s, column) };
    return json_text(text);
}

static json_t *row_json(sqlite3_stmt *s)
{
    json_t *row = json_object();
    for (int i = 0; i < sqlite3_column_count(s); i++)
        json_object_set_new(row, sqlite3_column_name(s, i), column_json(s, i));
    return row;
}

static int only_reading(void *self, int action, const char *a, const char *b, const char *c,
                        const char *d)
{
    (void)self, (void)a, (void)b, (void)c, (void)d;
    bool fine = action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_FUNCTION ||
                action == SQLITE_RECURSIVE;
    return fine ? SQLITE_OK : SQLITE_DENY;
}

/* SQLite calls this every few thousand steps of its machine: a query may be short and never end. */
static int out_of_patience(void *until)
{
    return clock_now() > *(const double *)until;
}

static sqlite3_stmt *prepare_reading(Ledger *l, const char *sql, Err *err)
{
    sqlite3_stmt *s = NULL;
    sqlite3_set_authorizer(l->db, only_reading, NULL);
    int rc = sqlite3_prepare_v2(l->db, sql, -1, &s, NULL);
    sqlite3_set_authorizer(l->db, NULL, NULL);
    if (rc == SQLITE_OK && s) return s;
    bool denied = rc == SQLITE_AUTH || rc == SQLITE_OK;
    err_set(err, ERR_CONFIG, "the query was refused: %s",
            denied ? "only SELECT is allowed here" : sqlite3_errmsg(l->db));
    return NULL;
}

bool ledger_query(Ledger *l, const char *sql, int limit, json_t **rows, Err *err)
{
    *rows = NULL;
    sqlite3_stmt *s = prepare_reading(l, sql, err);
    if (!s) return false;
    json_t *out = json_array();
    int rc = SQLITE_ROW;
    while ((int)json_array_size(out) < limit && (rc = sqlite3_step(s)) == SQLITE_ROW)
        json_array_append_new(out, row_json(s));
    bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE;
    if (rc == SQLITE_INTERRUPT)
        err_set(err, ERR_CONFIG, "the query takes too long: ask for less, or by run, id or kind");
    else if (rc == SQLITE_TOOBIG)
        err_set(err, ERR_CONFIG, "a value of the query is too long: cut it with substr");
    else if (!ok)
        (void)ledger_fail(l, err);
    sqlite3_finalize(s);
    if (ok) *rows = out;
    if (!ok) json_decref(out);
    return ok;
}

bool ledger_query_within(Ledger *l, const char *sql, int limit, double seconds, json_t **rows,
                         Err *err)
{
    enum { STEPS = 4096, LONGEST = 4 << 20 };
    double until = clock_now() + seconds;
    int before = sqlite3_limit(l->db, SQLITE_LIMIT_LENGTH, LONGEST);
    sqlite3_progress_handler(l->db, STEPS, out_of_patience, &until);
    bool ok = ledger_query(l, sql, limit, rows, err);
    sqlite3_progress_handler(l->db, 0, NULL, NULL);
    sqlite3_limit(l->db, SQLITE_LIMIT_LENGTH, before);
    return ok;
}
