/* steps.c - curves: many small rows that are no entries.
 *
 * They have a table of their own, clustered by run and step, because a chain over every step of
 * every run would cost a hash and a JSON document each and prove no more: a finished run's entry
 * carries the hash of its curve, and the entry is in the chain.
 *
 * The curve's hash leaves the clock out (seconds, tokens_per_s), so a replay of the run must
 * come to the same hash: one comparison says that every loss agrees to the last bit.
 *
 * SQLite has no NaN; it stores NULL, and that is read back as NaN. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "ledger/db.h"

static void bind_row(sqlite3_stmt *s, const char *run, const StepRow *r)
{
    const double value[] = { r->tokens,
                             r->flops,
                             r->seconds,
                             r->loss,
                             r->grad_norm,
                             r->clipped,
                             r->lr,
                             r->update_ratio[0],
                             r->update_ratio[1],
                             r->update_ratio[2],
                             r->update_ratio[3],
                             r->tokens_per_s };
    sqlite3_bind_text(s, 1, run, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, r->step);
    for (int i = 0; i < COUNT(value); i++) sqlite3_bind_double(s, 3 + i, value[i]);
}

static bool insert_rows(const Ledger *l, const char *run, const StepRow *rows, int n, Err *err)
{
    sqlite3_stmt *s =
        ledger_prepare(l, "INSERT INTO steps VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)", err);
    bool ok = s != NULL;
    for (int i = 0; ok && i < n; i++) {
        bind_row(s, run, &rows[i]);
        ok = sqlite3_step(s) == SQLITE_DONE || ledger_fail(l, err);
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
    return ok;
}

bool ledger_steps_add(Ledger *l, const char *run, const StepRow *rows, int n, Err *err)
{
    bool own = false;
    if (n == 0) return true;
    if (!ledger_enter(l, &own, err)) return false;
    return ledger_leave(l, own, insert_rows(l, run, rows, n, err), err);
}

static double column_real(sqlite3_stmt *s, int column)
{
    if (sqlite3_column_type(s, column) == SQLITE_NULL) return (double)NAN;
    return sqlite3_column_double(s, column);
}

static StepRow row_of(sqlite3_stmt *s)
{
    StepRow r = { .step = sqlite3_column_int64(s, 0),
                  .tokens = column_real(s, 1),
                  .flops = column_real(s, 2),
                  .seconds = column_real(s, 3),
                  .loss = column_real(s, 4),
                  .grad_norm = column_real(s, 5),
                  .clipped = column_real(s, 6),
                  .lr = column_real(s, 7),
                  .tokens_per_s = column_real(s, 12) };
    for (int i = 0; i < 4; i++) r.update_ratio[i] = column_real(s, 8 + i);
    return r;
}

static sqlite3_stmt *select_rows(const Ledger *l, const char *run, Err *err)
{
    sqlite3_stmt *s = ledger_prepare(
        l,
        "SELECT step,tokens,flops,seconds,loss,grad_norm,clipped,lr,update_hidden,"
        "update_embedding,update_head,update_vectors,tokens_per_s FROM steps WHERE run=? ORDER BY "
        "step",
        err);
    if (s) sqlite3_bind_text(s, 1, run, -1, SQLITE_STATIC);
    return s;
}

bool ledger_steps(Ledger *l, const char *run, Arena *out, StepRow **rows, int *n, Err *err)
{
    Buf all = { 0 };
    sqlite3_stmt *s = select_rows(l, run, err);
    if (!s) return false;
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        StepRow r = row_of(s);
        buf_put(&all, &r, sizeof(r));
    }
    bool ok = rc == SQLITE_DONE || ledger_fail(l, err);
    sqlite3_finalize(s);
    *n = (int)(all.len / (ptrdiff_t)sizeof(StepRow));
    *rows = NEW(out, StepRow, MAX(*n, 1));
    for (int i = 0; i < *n; i++)
        memcpy(&(*rows)[i], all.at + i * (ptrdiff_t)sizeof(StepRow), sizeof(StepRow));
    buf_free(&all);
    return ok;
}

static void hash_row(Sha256 *sha, const StepRow *r)
{
    char line[320];
    int n = snprintf(
        line, sizeof(line), "%lld %.17g %.17g %.17g %.17g %.17g %.17g %.17g %.17g %.17g %.17g\n",
        (long long)r->step, r->tokens, r->flops, r->loss, r->grad_norm, r->clipped, r->lr,
        r->update_ratio[0], r->update_ratio[1], r->update_ratio[2], r->update_ratio[3]);
    sha256_add(sha, line, n);
}

bool ledger_curve_sha256(Ledger *l, const char *run, char out[65], Err *err)
{
    Sha256 sha;
    sqlite3_stmt *s = select_rows(l, run, err);
    if (!s) return false;
    sha256_begin(&sha);
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        StepRow r = row_of(s);
        hash_row(&sha, &r);
    }
    bool ok = rc == SQLITE_DONE || ledger_fail(l, err);
    sqlite3_finalize(s);
    sha256_end_hex(&sha, out);
    return ok;
}
