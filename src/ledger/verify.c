/* verify.c - is the memory still what was written?
 *
 * Four questions: are SQLite's pages sound, does the chain of hashes hold from the first entry
 * to the last, does every finished run have the curve whose hash it states, and does nothing
 * that happens once stand twice.  The last is also an index (schema.c); it is asked here again
 * because whoever edits a ledger by hand can drop an index. */
#include <stdio.h>
#include <string.h>

#include "ledger/db.h"

static bool pages_sound(const Ledger *l, Err *err)
{
    sqlite3_stmt *s = ledger_prepare(l, "PRAGMA integrity_check(1)", err);
    if (!s) return false;
    bool ok = sqlite3_step(s) == SQLITE_ROW || ledger_fail(l, err);
    const char *said = ok ? (const char *)sqlite3_column_text(s, 0) : "";
    if (ok && strcmp(said, "ok") != 0)
        ok = err_set(err, ERR_FORMAT,
                     "the ledger %s is damaged (%s): put back a copy of it, or save what can still "
                     "be read with `sqlite3 lathe.db .recover`",
                     l->path, said);
    sqlite3_finalize(s);
    return ok;
}

static bool link_holds(const Ledger *l, sqlite3_stmt *s, int64_t expected, char before[65],
                       Err *err)
{
    int64_t seq = sqlite3_column_int64(s, 0);
    const char *stated = (const char *)sqlite3_column_text(s, 5);
    char hash[65];
    ledger_entry_hash(before, (const char *)sqlite3_column_text(s, 1),
                      (const char *)sqlite3_column_text(s, 2), sqlite3_column_double(s, 3),
                      (const char *)sqlite3_column_text(s, 4), hash);
    if (seq != expected)
        return err_set(err, ERR_FORMAT,
                       "entry %lld of the ledger %s is missing: it was removed after it was "
                       "written; do not trust what follows it",
                       (long long)expected, l->path);
    if (strcmp(hash, stated) != 0)
        return err_set(err, ERR_FORMAT,
                       "entry %lld (%s %s) of the ledger %s is not what was written: it, or one "
                       "before it, was changed; do not trust it or what follows",
                       (long long)seq, (const char *)sqlite3_column_text(s, 1),
                       (const char *)sqlite3_column_text(s, 2), l->path);
    snprintf(before, 65, "%s", hash);
    return true;
}

static bool chain_holds(const Ledger *l, Err *err)
{
    sqlite3_stmt *s =
        ledger_prepare(l, "SELECT seq,kind,id,at,body,hash FROM entries ORDER BY seq", err);
    if (!s) return false;
    char before[65] = LEDGER_GENESIS;
    bool ok = true;
    int rc = SQLITE_DONE;
    for (int64_t expected = 1; ok && (rc = sqlite3_step(s)) == SQLITE_ROW; expected++)
        ok = link_holds(l, s, expected, before, err);
    if (ok && rc != SQLITE_DONE) ok = ledger_fail(l, err);
    sqlite3_finalize(s);
    return ok;
}

static bool nothing_twice(const Ledger *l, Err *err)
{
    sqlite3_stmt *s = ledger_prepare(
        l,
        "SELECT kind, id, count(*) FROM entries WHERE kind IN "
        "('question','recipe','session','run','result','proposal','verdict','claim') "
        "GROUP BY kind, id HAVING count(*) > 1 LIMIT 1",
        err);
    if (!s) return false;
    int rc = sqlite3_step(s);
    bool ok = rc == SQLITE_DONE;
    if (rc == SQLITE_ROW)
        (void)err_set(err, ERR_FORMAT, "the ledger %s has %d times a %s of %s, which happens once",
                      l->path, sqlite3_column_int(s, 2), (const char *)sqlite3_column_text(s, 0),
                      (const char *)sqlite3_column_text(s, 1));
    else if (!ok)
        (void)ledger_fail(l, err);
    sqlite3_finalize(s);
    return ok;
}

typedef struct CurveCheck {
    Ledger *l;
    Err *err;
    bool ok;
} CurveCheck;

static bool curve_matches(void *self, const Entry *e)
{
    CurveCheck *c = self;
    const char *stated = json_str(e->body, "curve_sha256", "");
    char hash[65];
    if (!stated[0]) return true;
    c->ok = ledger_curve_sha256(c->l, e->id, hash, c->err);
    if (c->ok && strcmp(hash, stated) != 0)
        c->ok = err_set(c->err, ERR_FORMAT,
                        "the curve of %s in the ledger %s is not the one that was measured: do not "
                        "trust it",
                        e->id, c->l->path);
    return c->ok;
}

static bool curves_match(Ledger *l, Err *err)
{
    CurveCheck c = { l, err, true };
    return ledger_each(l, "result", 0, curve_matches, &c, err) && c.ok;
}

bool ledger_verify(Ledger *l, Err *err)
{
    return pages_sound(l, err) && chain_holds(l, err) && nothing_twice(l, err) &&
           curves_match(l, err);
}
