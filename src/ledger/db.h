/* db.h - what the files of this folder share: the open database and how its complaints become
 * sentences.  Nobody outside includes it but the ledger's own tests. */
#ifndef LEDGER_DB_H
#define LEDGER_DB_H

#include <sqlite3.h>

#include "ledger/ledger.h"

struct Ledger {
    sqlite3 *db;
    char path[1024];
    bool writes;
};

/* The hash of the entry before the first one. */
#define LEDGER_GENESIS "0000000000000000000000000000000000000000000000000000000000000000"

/* Turns SQLite's last complaint into one sentence with the ledger's path; returns false. */
bool ledger_fail(const Ledger *l, Err *err);

/* Runs statements that return nothing.  `sql` may hold several. */
bool ledger_exec(const Ledger *l, const char *sql, Err *err) MUST_CHECK;

/* NULL and err on failure; give it to sqlite3_finalize. */
sqlite3_stmt *ledger_prepare(const Ledger *l, const char *sql, Err *err) MUST_CHECK;

/* Steps a statement that is to return one row of one whole number, and finalizes it. */
bool ledger_number(const Ledger *l, const char *sql, int64_t *out, Err *err) MUST_CHECK;

/* One transaction around what a call writes, unless the caller has one open already. */
bool ledger_enter(const Ledger *l, bool *own, Err *err) MUST_CHECK;
bool ledger_leave(Ledger *l, bool own, bool ok, Err *err) MUST_CHECK;

/* Makes, checks or migrates the tables so that they are of LEDGER_VERSION. */
bool ledger_schema_make(Ledger *l, Err *err) MUST_CHECK;
bool ledger_schema_check(const Ledger *l, int64_t *version, Err *err) MUST_CHECK;
bool ledger_schema_migrate(Ledger *l, Err *err) MUST_CHECK;

/* Makes the views anew where they are not those of this program. */
bool ledger_schema_views(Ledger *l, Err *err) MUST_CHECK;

/* SHA-256 over five lines: hash before, kind, id, at with six decimals, body as stored. */
void ledger_entry_hash(const char *before, const char *kind, const char *id, double at,
                       const char *body, char out[65]);

#endif
