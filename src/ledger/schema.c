/* schema.c - the tables, the views for people, and how an older ledger becomes a new one.
 *
 * A new ledger is made at version 0 (the two tables, bare) and brought up by the same steps as
 * an old one, so the path of a migration is walked by every `lathe init`.  Step i of the list
 * takes version i to i + 1.  Before an existing ledger is touched, it is copied with SQLite's
 * backup (which includes what is still in the log) to lathe.db.vN.bak, under the write lock; the
 * steps then stand or fall in one transaction.
 *
 * Views are code, not data: they are dropped and made again at the end of every migration, and
 * whenever a program that has others opens a ledger for writing.
 * json_extract is used rather than ->>, which SQLite has only since 3.38. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ledger/db.h"

enum { APPLICATION_ID = 0x4c617468 }; /* "Lath", seen by file(1) */

static const char version_0[] =
    "CREATE TABLE entries("
    " seq INTEGER PRIMARY KEY,"
    " kind TEXT NOT NULL,"
    " id TEXT NOT NULL,"
    " at REAL NOT NULL,"
    " body TEXT NOT NULL CHECK(json_valid(body)),"
    " hash TEXT NOT NULL);"
    "CREATE TABLE steps("
    " run TEXT NOT NULL, step INTEGER NOT NULL,"
    " tokens REAL, flops REAL, seconds REAL,"
    " loss REAL, grad_norm REAL, clipped REAL, lr REAL,"
    " update_hidden REAL, update_embedding REAL, update_head REAL, update_vectors REAL,"
    " tokens_per_s REAL,"
    " PRIMARY KEY(run, step)) WITHOUT ROWID;";

/* Refusals also of INSERT OR REPLACE, which deletes without asking the triggers of DELETE: an
 * entry must take the next number, a step that is there stays. */
static const char step_1[] =
    "CREATE INDEX entries_kind ON entries(kind, seq);"
    "CREATE INDEX entries_id ON entries(id, kind, seq);"
    "CREATE UNIQUE INDEX entries_once ON entries(kind, id) WHERE kind IN"
    " ('question','recipe','session','run','result','proposal','verdict','claim');"
    "CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries"
    " BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;"
    "CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries"
    " BEGIN SELECT RAISE(ABORT, 'entries are never removed'); END;"
    "CREATE TRIGGER entries_in_order BEFORE INSERT ON entries"
    " WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM entries)"
    " BEGIN SELECT RAISE(ABORT, 'entries are only added at the end'); END;"
    "CREATE TRIGGER steps_no_update BEFORE UPDATE ON steps"
    " BEGIN SELECT RAISE(ABORT, 'steps are never changed'); END;"
    "CREATE TRIGGER steps_no_delete BEFORE DELETE ON steps"
    " BEGIN SELECT RAISE(ABORT, 'steps are never removed'); END;"
    "CREATE TRIGGER steps_said_once BEFORE INSERT ON steps"
    " WHEN EXISTS (SELECT 1 FROM steps WHERE run = NEW.run AND step = NEW.step)"
    " BEGIN SELECT RAISE(IGNORE); END;";

static const char *const steps[LEDGER_VERSION] = { step_1 };

/* ---- views ---- */

typedef struct View {
    const char *name, *kind;
    const char *as_id;  /* what the id of such an entry is called; NULL: it has none */
    const char *fields; /* members of the body that become columns; NULL: none */
} View;

static const View views[] = {
    { "labs", "lab", NULL, "version" },
    { "questions", "question", "question",
      "sources data_sha256 frame target_params recipe parent why scores metric" },
    { "recipes", "recipe", "recipe", "text" },
    { "sessions", "session", "session",
      "question researcher goal experiments hours bank threads run_budget champion_budget floor "
      "planned note" },
    { "works", "work", NULL, "session away" },
    { "session_ends", "session_end", "session", "text report" },
    { "runs", "run", "run",
      "recipe seed purpose question experiment session data_sha256 replay_of judged_on" },
    { "results", "result", "run",
      "failed bpb error bpb_by_source steps tokens flops seconds tokens_per_s train_loss "
      "weights_sha256 curve_sha256 data_sha256 text_sha256 planned_bytes machine level version "
      "self_reported metric why" },
    { "blocks", "blocks", "run", "tier bits bytes" },
    { "proposals", "proposal", "experiment",
      "question session author title edits recipe base_recipe predicted confidence why refute "
      "fresh_seeds idea ablates anew decides against" },
    { "verdicts", "verdict", "experiment",
      "question decision effect low high P B D v s e rho gain_fresh m n fresh failed audit runs "
      "seconds flops why refused moved self_reported" },
    { "confirmings", "confirming", "experiment", NULL },
    { "audits", "audit", "experiment", "agrees bank runs" },
    { "claims", "claim", "claim", "experiment question effect low high self_reported" },
    { "champions", "champion", NULL, "question recipe experiment" },
    { "judge_reads", "judge_read", NULL, "tier question experiment run sources reason" },
    { "closings", "closing", "session", "reason first_seed left" },
    { "diagnoses", "diagnosis", "run", "finding harm first_step last_step confidence evidence" },
    { "signals", "signals", "run", "signals" },
    { "headlines", "headline", "session",
      "question tier first champion gain low high gain_search bpb_first bpb_champion first_seed "
      "seeds" },
    { "settles", "settle", "settle",
      "data kind what base control remedy control_list remedy_list tokens control_tokens "
      "remedy_tokens control_seed domains bank" },
    { "settlements", "settled", "settle",
      "data kind decision effect low high P B D v s e m n fresh failed audit domains remedy_tokens "
      "control_tokens remedy_list runs seconds why" },
    { "labellings", "labelling", "labelling",
      "data train_sha256 question labels batch bytes seed model" },
    { "labels", "labels", "labelling", "talk asked labels" },
    { "generations", "generation", "generation",
      "run recipe weights_sha256 parent took params tokens flops flops_with_parents seconds bpb" },
    { "ideas", "idea", "idea", "author title edits predicted confidence why refute" },
    { "ideas_refused", "idea_refused", "idea", "why" },
    { "codes", "code", "tree",
      "base source author patch files added deleted built says seconds limits" },
    { "notes", "note", NULL, "author to text" },
    { "vetoes", "veto", "target", "author reason" },
    { "controls", "control", NULL, "author action" },
    { "shares", "share", "source", "what author" },
    { "tool_calls", "tool_call", NULL,
      "tool author args ok why seconds bytes result_sha256 tokens" },
    { "tasks", "task", "task", "tool author args created deadline" },
    { "task_ends", "task_end", "task", "status result ended" },
    { "llm_requests", "llm_request", "talk", "session role model round said system worst_usd" },
    { "llm_tries", "llm_try", "talk",
      "session round number fault status usage usd seconds request_id said" },
    { "llm_turns", "llm_turn", "talk", "session role round stop category explanation turn" },
};

/* The statement as SQLite keeps it. */
static void view_sql(const View *v, Buf *sql)
{
    Str rest = str_of(v->fields ? v->fields : ""), field;
    buf_printf(sql, "CREATE VIEW %s AS SELECT seq, ", v->name);
    if (v->as_id) buf_printf(sql, "id AS %s, ", v->as_id);
    while (str_cut(&rest, ' ', &field))
        buf_printf(sql, "json_extract(body,'$.%.*s') AS \"%.*s\", ", (int)field.len, field.at,
                   (int)field.len, field.at);
    buf_printf(sql, "at FROM entries WHERE kind='%s'", v->kind);
}

/* Each experiment in one row: what was proposed and how it ended. */
static const char experiments[] =
    "CREATE VIEW experiments AS"
    " SELECT p.seq, p.experiment, p.question, p.session, p.author, p.title, p.predicted,"
    " p.confidence, coalesce(v.decision, 'running') AS verdict, v.effect, v.low, v.high, v.P,"
    " v.runs, v.seconds, v.why, p.at AS begun, v.at AS ended"
    " FROM proposals p LEFT JOIN verdicts v ON v.experiment = p.experiment";

static bool make_view(const Ledger *l, const char *name, const char *create, Err *err)
{
    char drop[96];
    snprintf(drop, sizeof(drop), "DROP VIEW IF EXISTS %s", name);
    return ledger_exec(l, drop, err) && ledger_exec(l, create, err);
}

static bool make_views(const Ledger *l, Err *err)
{
    bool ok = true;
    for (int i = 0; ok && i < COUNT(views); i++) {
        Buf sql = { 0 };
        view_sql(&views[i], &sql);
        ok = make_view(l, views[i].name, sql.at, err);
        buf_free(&sql);
    }
    return ok && make_view(l, "experiments", experiments, err);
}

/* Are the views in the file those of this program?  A kind of entry that is new brings a view, and
 * no change of what is stored. */
static bool views_stand(const Ledger *l, bool *stand, Err *err)
{
    Buf sql = { 0 };
    int64_t found = 0;
    buf_str(&sql, STR("SELECT count(*) FROM sqlite_master WHERE type='view' AND sql IN ("));
    for (int i = 0; i <= COUNT(views); i++) {
        Buf one = { 0 };
        if (i < COUNT(views))
            view_sql(&views[i], &one);
        else
            buf_str(&one, str_of(experiments));
        buf_str(&sql, i ? STR(",'") : STR("'"));
        for (ptrdiff_t k = 0; k < one.len; k++)
            buf_str(&sql, one.at[k] == '\'' ? STR("''") : (Str){ one.at + k, 1 });
        buf_char(&sql, '\'');
        buf_free(&one);
    }
    buf_char(&sql, ')');
    bool ok = ledger_number(l, sql.at, &found, err);
    buf_free(&sql);
    *stand = found == COUNT(views) + 1;
    return ok;
}

bool ledger_schema_views(Ledger *l, Err *err)
{
    bool stand = false;
    if (!views_stand(l, &stand, err)) return false;
    if (stand) return true;
    if (!ledger_begin(l, err)) return false;
    return ledger_leave(l, true, make_views(l, err), err);
}

/* ---- versions ---- */

static bool upgrade(const Ledger *l, int64_t from, Err *err)
{
    for (int64_t v = from; v < LEDGER_VERSION; v++)
        if (!ledger_exec(l, steps[v], err)) return err_wrap(err, "version %d", (int)v + 1);
    char sql[96];
    snprintf(sql, sizeof(sql), "PRAGMA user_version=%d; PRAGMA application_id=%d", LEDGER_VERSION,
             APPLICATION_ID);
    return make_views(l, err) && ledger_exec(l, sql, err);
}

static bool is_empty(const Ledger *l, bool *empty, Err *err)
{
    int64_t tables = 0;
    if (!ledger_number(l, "SELECT count(*) FROM sqlite_master", &tables, err)) return false;
    *empty = tables == 0;
    return true;
}

bool ledger_schema_make(Ledger *l, Err *err)
{
    bool empty = false;
    if (!is_empty(l, &empty, err)) return false;
    if (!empty) return true;
    if (!ledger_exec(l, "PRAGMA journal_mode=WAL", err) || !ledger_begin(l, err)) return false;
    bool ok = is_empty(l, &empty, err); /* somebody may have been faster */
    if (ok && empty) ok = ledger_exec(l, version_0, err) && upgrade(l, 0, err);
    return ledger_leave(l, true, ok, err);
}

bool ledger_schema_check(const Ledger *l, int64_t *version, Err *err)
{
    int64_t tables = 0;
    if (!ledger_number(l,
                       "SELECT count(*) FROM sqlite_master WHERE type='table' AND name IN "
                       "('entries','steps')",
                       &tables, err) ||
        !ledger_number(l, "PRAGMA user_version", version, err))
        return false;
    if (tables != 2)
        return err_set(err, ERR_FORMAT, "%s is a database but not a ledger: name another file",
                       l->path);
    if (*version > LEDGER_VERSION)
        return err_set(err, ERR_FORMAT,
                       "the ledger %s is of version %lld and this program knows up to %d: use a "
                       "newer lathe; nothing was changed",
                       l->path, (long long)*version, LEDGER_VERSION);
    return true;
}

static bool copy_pages(const Ledger *from, const char *path, Err *err)
{
    Ledger to = { 0 }, source = { 0 };
    snprintf(to.path, sizeof(to.path), "%.1000s", path); /* for complaints */
    snprintf(source.path, sizeof(source.path), "%.1000s", from->path);
    bool ok = sqlite3_open_v2(from->path, &source.db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK ||
              ledger_fail(&source, err);
    if (ok) ok = sqlite3_open(path, &to.db) == SQLITE_OK || ledger_fail(&to, err);
    sqlite3_backup *copy = ok ? sqlite3_backup_init(to.db, "main", source.db, "main") : NULL;
    if (copy) {
        int rc = sqlite3_backup_step(copy, -1);
        ok = sqlite3_backup_finish(copy) == SQLITE_OK && rc == SQLITE_DONE;
    }
    if (ok && !copy)
        ok = ledger_fail(&to, err);
    else if (!ok && copy)
        (void)ledger_fail(&to, err);
    sqlite3_close(to.db);
    sqlite3_close(source.db);
    return ok;
}

/* lathe.db.vN.bak beside the ledger; whole or absent. */
static bool back_up(const Ledger *l, int64_t version, Err *err)
{
    char path[1100], part[1110];
    snprintf(path, sizeof(path), "%s.v%lld.bak", l->path, (long long)version);
    snprintf(part, sizeof(part), "%s.part", path);
    unlink(part);
    if (!copy_pages(l, part, err)) {
        unlink(part);
        return err_wrap(err, "no copy could be made, so the ledger was left as it is");
    }
    if (rename(part, path) != 0) return err_errno(err, "cannot name the copy %s", path);
    return true;
}

bool ledger_schema_migrate(Ledger *l, Err *err)
{
    int64_t version = 0;
    if (!ledger_exec(l, "PRAGMA journal_mode=WAL", err) || !ledger_begin(l, err)) return false;
    bool ok = ledger_schema_check(l, &version, err); /* under the lock: it may be done by now */
    if (ok && version < LEDGER_VERSION) ok = back_up(l, version, err) && upgrade(l, version, err);
    return ledger_leave(l, true, ok, err);
}
