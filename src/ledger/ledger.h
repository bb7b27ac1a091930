/* ledger.h - the lab's memory: LAB/lathe.db, append-only, chained by hash.
 *
 * One table of entries is the truth: (seq, kind, id, at, body, hash).  The body
 * is a JSON document; hash = SHA-256(hash of the entry before, kind, id, at,
 * body), so an edit anywhere shows.  Triggers refuse UPDATE and DELETE.  SQL
 * views (runs, experiments, claims...) spread the bodies into columns for
 * people and tools; docs/formats/ledger.md lists kinds and fields.  Curves, which are
 * many and small, have a table of their own; a finished run's entry carries the
 * hash of its curve.
 *
 * The database is SQLite in WAL mode, synchronous FULL: an entry that append
 * returned from survives a power cut.  The schema carries its
 * version (PRAGMA user_version); an older one is migrated after a copy to
 * lathe.db.vN.bak, a newer one is refused.  This is the only folder that
 * includes sqlite3.h.
 *
 * One Ledger belongs to one thread of one process; others open their own, and
 * nobody carries one through fork(). */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "base/json.h"

typedef struct Ledger Ledger;

enum { LEDGER_VERSION = 1 };

typedef enum LedgerMode { LEDGER_CREATE, LEDGER_WRITE, LEDGER_READ } LedgerMode;

/* LEDGER_CREATE makes the file if it is absent; the others ask for `lathe init`.  LEDGER_READ works
 * in a read-only lab; to append to it is a bug (CHECK). */
bool ledger_open(Ledger **l, const char *path, LedgerMode mode, Err *err) MUST_CHECK;
void ledger_close(Ledger *l);

/* Appends one entry; takes over the reference to body, also on failure.  `id` may be NULL.
 * Several appends between begin and commit stand or fall together; other writers wait meanwhile,
 * readers do not.  What happens once (question, recipe, session, run, result, proposal, verdict,
 * claim) is refused the second time under the same id with ERR_BUSY. */
bool ledger_append(Ledger *l, const char *kind, const char *id, json_t *body, Err *err) MUST_CHECK;
bool ledger_begin(Ledger *l, Err *err) MUST_CHECK;
bool ledger_commit(Ledger *l, Err *err) MUST_CHECK;
void ledger_rollback(Ledger *l);

/* The next free id of a prefix: "r13" for 'r'.  Take it inside begin..commit. */
bool ledger_next_id(Ledger *l, char prefix, char out[24], Err *err) MUST_CHECK;

typedef struct Entry {
    int64_t seq;
    const char *kind, *id; /* id is "" where there is none */
    double at;
    json_t *body; /* borrowed */
    const char *hash;
} Entry;

/* Entries of `kind` (NULL: all) with seq > after, in order, as far as there are any when the call
 * begins.  The visitor returns false to stop; no lock or snapshot is held while it runs, so it may
 * append to the ledger and read it. */
bool ledger_each(Ledger *l, const char *kind, int64_t after, bool (*visit)(void *, const Entry *),
                 void *self, Err *err) MUST_CHECK;
/* The last entry of a kind with an id (NULL: any); *body NULL if there is none.  New reference. */
bool ledger_last(Ledger *l, const char *kind, const char *id, json_t **body, Err *err) MUST_CHECK;
int64_t ledger_count(Ledger *l, const char *kind); /* -1 if it cannot be read */
int64_t ledger_seq(Ledger *l); /* of the last entry; 0 when empty, -1 if it cannot be read */

/* Curves.  A step said twice (after a crash) keeps what was said first. */
typedef struct StepRow {
    int64_t step;
    double tokens, flops, seconds; /* since the start of the run */
    double loss;                   /* nats per token, training batch */
    double grad_norm, clipped;     /* norm before clipping; clip factor */
    double lr;
    double update_ratio[4]; /* ||update|| / ||w|| of groups: hidden matrices, embedding, head,
                               vectors; NaN if none */
    double tokens_per_s;
} StepRow;
bool ledger_steps_add(Ledger *l, const char *run, const StepRow *rows, int n, Err *err) MUST_CHECK;
bool ledger_steps(Ledger *l, const char *run, Arena *out, StepRow **rows, int *n,
                  Err *err) MUST_CHECK;

/* SHA-256 of a run's curve without its times: a replay that agrees to the last bit has the same. */
bool ledger_curve_sha256(Ledger *l, const char *run, char out[65], Err *err) MUST_CHECK;

/* Any read-only SQL, as an array of objects; at most `limit` rows. */
bool ledger_query(Ledger *l, const char *sql, int limit, json_t **rows, Err *err) MUST_CHECK;

/* The same for a query that somebody else wrote: it ends after so many seconds, and no value in it
 * grows beyond a few megabytes. */
bool ledger_query_within(Ledger *l, const char *sql, int limit, double seconds, json_t **rows,
                         Err *err) MUST_CHECK;

/* PRAGMA integrity_check, the chain of hashes, the hash of every finished run's curve, and
 * nothing twice that happens once. */
bool ledger_verify(Ledger *l, Err *err) MUST_CHECK;

/* Of the SQLite that is running. */
const char *ledger_sqlite_version(void);

#endif
