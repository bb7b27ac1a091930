/* The ledger remembers, refuses edits and shows tampering.  SQLite is called directly here, as
 * whoever wanted to cheat would; the chain is recomputed from the page that documents it. */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "ledger/ledger.h"
#include "tests/test.h"

static const char *in_folder(const char *name)
{
    static char path[4][200];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof(path[turn]), "%s/%s", test_folder(), name);
    return path[turn];
}

static Ledger *open_or_die(const char *path, LedgerMode mode)
{
    Ledger *l = NULL;
    Err err = { 0 };
    if (ledger_open(&l, path, mode, &err)) return l;
    printf("# %s\n", err.msg);
    exit(1);
}

static void append(Ledger *l, const char *kind, const char *id, json_t *body)
{
    Err err = { 0 };
    EXPECT_MSG(ledger_append(l, kind, id, body, &err), "%s", err.msg);
}

static int sql(const char *path, const char *text)
{
    sqlite3 *db;
    sqlite3_open(path, &db);
    int rc = sqlite3_exec(db, text, NULL, NULL, NULL);
    sqlite3_close(db);
    return rc;
}

static Ledger *with_notes(const char *path, int count)
{
    Ledger *l = open_or_die(path, LEDGER_CREATE);
    for (int i = 0; i < count; i++) append(l, "note", NULL, json_pack("{s:i}", "text", i));
    return l;
}

TEST(entries_come_back_in_order_with_their_bodies)
{
    Ledger *l = open_or_die(in_folder("a.db"), LEDGER_CREATE);
    Err err = { 0 };
    json_t *body = NULL;
    EXPECT(ledger_seq(l) == 0 && ledger_count(l, "note") == 0);
    append(l, "run", "r1", json_pack("{s:I,s:f}", "seed", (json_int_t)INT64_MAX, "x", 0.1));
    append(l, "run", "r2", json_pack("{s:s}", "purpose", "bank"));
    append(l, "note", NULL, json_pack("{s:s}", "text", "it\xc3\xa9 \n '; DROP TABLE entries"));
    EXPECT(ledger_seq(l) == 3 && ledger_count(l, "run") == 2);
    EXPECT(ledger_last(l, "run", "r1", &body, &err) && json_int(body, "seed", 0) == INT64_MAX);
    EXPECT(body && json_num(body, "x", 0) == 0.1);
    json_decref(body);
    EXPECT(ledger_last(l, "run", NULL, &body, &err) && body);
    EXPECT(strcmp(json_str(body, "purpose", ""), "bank") == 0);
    json_decref(body);
    EXPECT(ledger_last(l, "run", "r9", &body, &err) && body == NULL);
    EXPECT(ledger_last(l, "note", NULL, &body, &err) && strstr(json_str(body, "text", ""), "DROP"));
    json_decref(body);
    EXPECT_MSG(ledger_verify(l, &err), "%s", err.msg);
    ledger_close(l);
}

/* The five lines of docs/formats/ledger.md, written out again. */
static bool hash_as_documented(void *self, const Entry *e)
{
    char *before = self, text[4096], hash[65];
    char *body = json_dumps(e->body, JSON_COMPACT | JSON_SORT_KEYS);
    int n =
        snprintf(text, sizeof(text), "%s\n%s\n%s\n%.6f\n%s\n", before, e->kind, e->id, e->at, body);
    sha256_hex(text, n, hash);
    EXPECT_MSG(strcmp(hash, e->hash) == 0, "entry %lld", (long long)e->seq);
    memcpy(before, hash, 65);
    free(body);
    return true;
}

TEST(the_chain_is_the_documented_one)
{
    Ledger *l = with_notes(in_folder("chain.db"), 3);
    Err err = { 0 };
    char before[65];
    memset(before, '0', 64);
    before[64] = 0;
    append(l, "run", "r1", json_pack("{s:i}", "seed", 4));
    EXPECT(ledger_each(l, NULL, 0, hash_as_documented, before, &err));
    ledger_close(l);
}

TEST(sql_can_neither_change_nor_remove_nor_replace_nor_slip_in)
{
    const char *path = in_folder("guard.db");
    Ledger *l = with_notes(path, 3);
    Err err = { 0 };
    StepRow row = { .step = 1, .loss = 2.5 };
    EXPECT(ledger_steps_add(l, "r1", &row, 1, &err));
    EXPECT(sql(path, "UPDATE entries SET body='{}' WHERE seq=2") != SQLITE_OK);
    EXPECT(sql(path, "DELETE FROM entries WHERE seq=3") != SQLITE_OK);
    EXPECT(sql(path, "REPLACE INTO entries VALUES(2,'note','',0,'{}','x')") != SQLITE_OK);
    EXPECT(sql(path, "INSERT INTO entries VALUES(9,'note','',0,'{}','x')") != SQLITE_OK);
    EXPECT(sql(path, "INSERT INTO entries VALUES(4,'note','',0,'no json','x')") != SQLITE_OK);
    EXPECT(sql(path, "UPDATE steps SET loss=1") != SQLITE_OK);
    EXPECT(sql(path, "DELETE FROM steps") != SQLITE_OK);
    sql(path, "REPLACE INTO steps(run,step,loss) VALUES('r1',1,0.5)");
    Arena arena = arena_reserve(1 << 20);
    StepRow *rows;
    int n;
    EXPECT(ledger_steps(l, "r1", &arena, &rows, &n, &err) && n == 1 && rows[0].loss == 2.5);
    EXPECT(ledger_verify(l, &err));
    arena_release(&arena);
    ledger_close(l);
}

static bool verify_says(const char *path, const char *part)
{
    Ledger *l = open_or_die(path, LEDGER_READ);
    Err err = { 0 };
    bool found = !ledger_verify(l, &err) && strstr(err.msg, part);
    if (!found) printf("# \"%s\" lacks \"%s\"\n", err.msg, part);
    ledger_close(l);
    return found;
}

TEST(whoever_takes_the_triggers_off_is_found_out)
{
    const char *path = in_folder("tamper.db");
    ledger_close(with_notes(path, 5));
    EXPECT(sql(path, "DROP TRIGGER entries_no_update; UPDATE entries SET body='{\"text\":7}' "
                     "WHERE seq=3") == SQLITE_OK);
    EXPECT(verify_says(path, "entry 3"));
    path = in_folder("removed.db");
    ledger_close(with_notes(path, 5));
    EXPECT(sql(path, "DROP TRIGGER entries_no_delete; DELETE FROM entries WHERE seq=2") ==
           SQLITE_OK);
    EXPECT(verify_says(path, "entry 2"));
    path = in_folder("moved.db");
    ledger_close(with_notes(path, 5));
    EXPECT(sql(path, "DROP TRIGGER entries_no_update; UPDATE entries SET at=at+1 WHERE seq=5") ==
           SQLITE_OK);
    EXPECT(verify_says(path, "entry 5"));
}

TEST(a_changed_curve_is_found_out)
{
    const char *path = in_folder("curve.db");
    Ledger *l = open_or_die(path, LEDGER_CREATE);
    Err err = { 0 };
    StepRow rows[2] = { { .step = 1, .loss = 3, .seconds = 1 },
                        { .step = 2, .loss = 2, .seconds = 2 } };
    char hash[65];
    EXPECT(ledger_steps_add(l, "r1", rows, 2, &err));
    EXPECT(ledger_curve_sha256(l, "r1", hash, &err));
    append(l, "result", "r1", json_pack("{s:s}", "curve_sha256", hash));
    EXPECT(ledger_verify(l, &err));
    ledger_close(l);
    EXPECT(sql(path, "DROP TRIGGER steps_no_update; UPDATE steps SET seconds=9") == SQLITE_OK);
    l = open_or_die(path, LEDGER_READ);
    EXPECT_MSG(ledger_verify(l, &err), "times are no part of it: %s", err.msg);
    ledger_close(l);
    EXPECT(sql(path, "UPDATE steps SET loss=1.9 WHERE step=2") == SQLITE_OK);
    EXPECT(verify_says(path, "r1"));
}

TEST(what_happens_once_is_not_counted_twice)
{
    const char *path = in_folder("once.db");
    Ledger *l = open_or_die(path, LEDGER_CREATE);
    Err err = { 0 };
    append(l, "result", "r1", json_pack("{s:f}", "bpb", 2.0));
    EXPECT(!ledger_append(l, "result", "r1", json_pack("{s:f}", "bpb", 1.0), &err));
    EXPECT(err.code == ERR_BUSY && strstr(err.msg, "r1"));
    append(l, "champion", "q1", json_pack("{s:s}", "recipe", "a"));
    append(l, "champion", "q1", json_pack("{s:s}", "recipe", "b"));
    EXPECT(ledger_count(l, "result") == 1 && ledger_count(l, "champion") == 2);
    ledger_close(l);
}

TEST(a_transaction_stands_or_falls_together)
{
    const char *path = in_folder("together.db");
    Ledger *l = with_notes(path, 1);
    Err err = { 0 };
    char id[24];
    EXPECT(ledger_begin(l, &err) && ledger_next_id(l, 'r', id, &err));
    append(l, "run", id, json_pack("{}"));
    append(l, "note", NULL, json_pack("{}"));
    ledger_rollback(l);
    EXPECT(ledger_seq(l) == 1);
    EXPECT(ledger_begin(l, &err) && ledger_next_id(l, 'r', id, &err) && !strcmp(id, "r1"));
    append(l, "run", id, json_pack("{}"));
    EXPECT(ledger_commit(l, &err) && ledger_seq(l) == 2 && ledger_verify(l, &err));
    ledger_close(l);
}

TEST(ids_count_on_and_are_not_fooled_by_hashes)
{
    Ledger *l = open_or_die(in_folder("ids.db"), LEDGER_CREATE);
    Err err = { 0 };
    char id[24];
    append(l, "recipe", "e7123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde0",
           json_pack("{}"));
    append(l, "proposal", "e9", json_pack("{}"));
    append(l, "proposal", "e10", json_pack("{}"));
    EXPECT(ledger_begin(l, &err) && ledger_next_id(l, 'e', id, &err));
    EXPECT_MSG(strcmp(id, "e11") == 0, "%s", id);
    EXPECT(ledger_next_id(l, 'c', id, &err) && strcmp(id, "c1") == 0);
    ledger_rollback(l);
    ledger_close(l);
}

static bool append_while_visiting(void *self, const Entry *e)
{
    Ledger *l = self;
    Err err = { 0 };
    EXPECT_MSG(ledger_append(l, "note", NULL, json_pack("{s:I}", "of", (json_int_t)e->seq), &err),
               "%s", err.msg);
    return true;
}

static bool stop_at_5(void *self, const Entry *e)
{
    *(int64_t *)self = e->seq;
    return e->seq < 5;
}

TEST(a_visitor_may_append_and_sees_what_was_there)
{
    Ledger *l = with_notes(in_folder("each.db"), 0);
    Err err = { 0 };
    EXPECT(ledger_begin(l, &err));
    for (int i = 0; i < 600; i++) append(l, "note", NULL, json_pack("{}"));
    EXPECT(ledger_commit(l, &err));
    EXPECT(ledger_begin(l, &err));
    EXPECT(ledger_each(l, "note", 0, append_while_visiting, l, &err));
    EXPECT(ledger_commit(l, &err) && ledger_seq(l) == 1200);
    int64_t seen = 0;
    EXPECT(ledger_each(l, NULL, 2, stop_at_5, &seen, &err) && seen == 5);
    EXPECT(ledger_each(l, "run", 0, stop_at_5, &seen, &err) && seen == 5);
    ledger_close(l);
}

TEST(curves_keep_what_was_said_first_and_know_no_number_as_nan)
{
    Ledger *l = open_or_die(in_folder("steps.db"), LEDGER_CREATE);
    Err err = { 0 };
    Arena arena = arena_reserve(1 << 20);
    StepRow in[3] = { { .step = 1, .loss = 4.5, .update_ratio = { 0.1, (double)NAN, 0, 0 } },
                      { .step = 2, .loss = (double)NAN, .grad_norm = (double)INFINITY },
                      { .step = 10, .loss = 0.1 + 0.2 } };
    StepRow again = { .step = 2, .loss = 1 }, *out;
    int n = 0;
    char a[65], b[65];
    EXPECT(ledger_steps_add(l, "r1", in, 3, &err) && ledger_curve_sha256(l, "r1", a, &err));
    EXPECT(ledger_steps_add(l, "r1", &again, 1, &err) && ledger_curve_sha256(l, "r1", b, &err));
    EXPECT(strcmp(a, b) == 0);
    EXPECT(ledger_steps(l, "r1", &arena, &out, &n, &err) && n == 3);
    EXPECT(out[0].loss == 4.5 && out[0].update_ratio[0] == 0.1 && isnan(out[0].update_ratio[1]));
    EXPECT(isnan(out[1].loss) && isinf(out[1].grad_norm));
    EXPECT(out[2].step == 10 && out[2].loss == 0.1 + 0.2);
    EXPECT(ledger_steps(l, "r2", &arena, &out, &n, &err) && n == 0);
    arena_release(&arena);
    ledger_close(l);
}

TEST(views_show_bodies_as_columns)
{
    Ledger *l = open_or_die(in_folder("views.db"), LEDGER_CREATE);
    Err err = { 0 };
    json_t *rows = NULL;
    append(l, "proposal", "e1", json_pack("{s:s,s:f}", "title", "wider", "predicted", 0.01));
    append(l, "proposal", "e2", json_pack("{s:s}", "title", "deeper"));
    append(l, "verdict", "e1", json_pack("{s:s,s:f}", "decision", "keep", "effect", 0.02));
    EXPECT(ledger_query(l,
                        "SELECT experiment, title, verdict, effect FROM experiments ORDER BY seq",
                        10, &rows, &err));
    EXPECT(json_array_size(rows) == 2);
    EXPECT(strcmp(json_str(json_array_get(rows, 0), "verdict", ""), "keep") == 0);
    EXPECT(json_num(json_array_get(rows, 0), "effect", 0) == 0.02);
    EXPECT(strcmp(json_str(json_array_get(rows, 1), "verdict", ""), "running") == 0);
    EXPECT(json_is_null(json_object_get(json_array_get(rows, 1), "effect")));
    json_decref(rows);
    static const char *const view[] = {
        "questions", "recipes",  "sessions",    "closings",      "session_ends", "runs",
        "results",   "blocks",   "ideas",       "ideas_refused", "proposals",    "audits",
        "verdicts",  "claims",   "champions",   "judge_reads",   "headlines",    "notes",
        "vetoes",    "controls", "experiments", "labs",          "works",        "confirmings"
    };
    for (int i = 0; i < COUNT(view); i++) {
        char text[64];
        snprintf(text, sizeof(text), "SELECT * FROM %s", view[i]);
        EXPECT_MSG(ledger_query(l, text, 10, &rows, &err), "%s: %s", view[i], err.msg);
        json_decref(rows);
    }
    ledger_close(l);
}

TEST(queries_read_and_do_nothing_else)
{
    Ledger *l = with_notes(in_folder("query.db"), 5);
    json_t *rows = NULL;
    static const char *const bad[] = { "DELETE FROM entries",
                                       "PRAGMA user_version=7",
                                       "BEGIN",
                                       "ATTACH '/tmp/x' AS x",
                                       "DROP VIEW runs",
                                       "",
                                       "SELEC",
                                       "INSERT INTO steps(run,step) VALUES('r1',1)" };
    for (int i = 0; i < COUNT(bad); i++) {
        Err err = { 0 };
        EXPECT_MSG(!ledger_query(l, bad[i], 10, &rows, &err), "%s", bad[i]);
        EXPECT(err.code == ERR_CONFIG && rows == NULL);
    }
    Err err = { 0 };
    EXPECT(ledger_query(l, "SELECT seq FROM entries", 3, &rows, &err));
    EXPECT(json_array_size(rows) == 3);
    json_decref(rows);
    ledger_close(l);
}

static void child_appends(const char *path, int count)
{
    Err err = { 0 };
    char id[24];
    Ledger *l = open_or_die(path, LEDGER_WRITE);
    bool ok = true;
    for (int i = 0; ok && i < count; i++) {
        ok = ledger_begin(l, &err) && ledger_next_id(l, 'r', id, &err) &&
             ledger_append(l, "run", id, json_pack("{}"), &err) && ledger_commit(l, &err);
    }
    ledger_close(l);
    _exit(ok ? 0 : 1);
}

TEST(many_processes_append_without_losing_or_repeating_an_id)
{
    const char *path = in_folder("many.db");
    ledger_close(with_notes(path, 0));
    pid_t child[4];
    fflush(stdout);
    for (int i = 0; i < 4; i++)
        if ((child[i] = fork()) == 0) child_appends(path, 25);
    for (int i = 0; i < 4; i++) {
        int status = 0;
        waitpid(child[i], &status, 0);
        EXPECT(status == 0);
    }
    Ledger *l = open_or_die(path, LEDGER_WRITE);
    Err err = { 0 };
    char id[24];
    EXPECT(ledger_count(l, "run") == 100 && ledger_verify(l, &err));
    EXPECT(ledger_begin(l, &err) && ledger_next_id(l, 'r', id, &err) && !strcmp(id, "r101"));
    ledger_rollback(l);
    ledger_close(l);
}

TEST(a_killed_writer_loses_nothing_that_append_returned_from)
{
    const char *path = in_folder("killed.db"), *said = in_folder("said");
    ledger_close(with_notes(path, 0));
    for (int round = 0; round < 5; round++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            Ledger *l = open_or_die(path, LEDGER_WRITE);
            int out = open(said, O_WRONLY | O_CREAT | O_APPEND, 0644);
            Err err = { 0 };
            while (ledger_append(l, "note", NULL, json_pack("{}"), &err))
                if (write(out, "x", 1) != 1) _exit(2);
            _exit(1);
        }
        int64_t before = MAX(file_size(said), 0);
        for (int i = 0; i < 30000 && file_size(said) <= before; i++)
            usleep(1000); /* it is at work */
        double end = clock_now() + 0.017 * round;
        while (clock_now() < end) usleep(1000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    Ledger *l = open_or_die(path, LEDGER_WRITE);
    Err err = { 0 };
    FILE *f = fopen(said, "r");
    long confirmed = f ? (fseek(f, 0, SEEK_END), ftell(f)) : 0;
    if (f) fclose(f);
    int64_t kept = ledger_count(l, "note");
    EXPECT_MSG(confirmed > 0 && kept >= confirmed && kept <= confirmed + 5, "%ld said, %lld kept",
               confirmed, (long long)kept);
    EXPECT_MSG(ledger_verify(l, &err), "%s", err.msg);
    ledger_close(l);
}
