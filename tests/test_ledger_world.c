/* What the world may do to a ledger: be of another version, be damaged, be read-only, be full.
 * Each gets one sentence, and what was there is still there afterwards. */
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "ledger/db.h"
#include "tests/test.h"

static const char *in_folder(const char *name)
{
    static char path[4][200];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof(path[turn]), "%s/%s", test_folder(), name);
    return path[turn];
}

static Ledger *with_notes(const char *path, int count)
{
    Ledger *l = NULL;
    Err err = { 0 };
    bool ok = ledger_open(&l, path, LEDGER_CREATE, &err);
    for (int i = 0; ok && i < count; i++)
        ok = ledger_append(l, "note", NULL, json_pack("{s:i}", "text", i), &err);
    EXPECT_MSG(ok, "%s", err.msg);
    return l;
}

static int sql(const char *path, const char *text)
{
    sqlite3 *db;
    sqlite3_open(path, &db);
    int rc = sqlite3_exec(db, text, NULL, NULL, NULL);
    sqlite3_close(db);
    return rc;
}

static int number(const char *path, const char *text)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    sqlite3_open(path, &db);
    int n = -1;
    if (sqlite3_prepare_v2(db, text, -1, &s, NULL) == SQLITE_OK) {
        if (sqlite3_step(s) == SQLITE_ROW) n = sqlite3_column_int(s, 0);
        sqlite3_finalize(s);
    }
    sqlite3_close(db);
    return n;
}

/* One sentence: it names the path, has no line break, and does not end in a period. */
static bool refuses(const char *path, LedgerMode mode, const char *part)
{
    Ledger *l = NULL;
    Err err = { 0 };
    if (ledger_open(&l, path, mode, &err)) {
        ledger_close(l);
        printf("# %s was opened\n", path);
        return false;
    }
    bool fine = strstr(err.msg, part) && strstr(err.msg, path) && !strchr(err.msg, '\n') &&
                err.msg[strlen(err.msg) - 1] != '.';
    if (!fine) printf("# \"%s\" lacks \"%s\"\n", err.msg, part);
    return fine && l == NULL;
}

TEST(a_new_ledger_carries_its_version_and_is_in_wal_mode)
{
    const char *path = in_folder("new.db");
    ledger_close(with_notes(path, 1));
    EXPECT(number(path, "PRAGMA user_version") == LEDGER_VERSION);
    EXPECT(number(path, "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode='wal'") == 1);
    ledger_close(with_notes(path, 1));
    EXPECT(number(path, "SELECT count(*) FROM entries") == 2);
}

/* As a ledger was before triggers, indexes and views: two bare tables. */
static void make_version_0(const char *path)
{
    char hash[65], text[600];
    ledger_entry_hash(LEDGER_GENESIS, "run", "r1", 1700000000.25, "{\"seed\":7}", hash);
    EXPECT(sql(path,
               "CREATE TABLE entries(seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT "
               "NULL, at REAL NOT NULL, body TEXT NOT NULL CHECK(json_valid(body)), hash TEXT "
               "NOT NULL); CREATE TABLE steps(run TEXT NOT NULL, step INTEGER NOT NULL, tokens "
               "REAL, flops REAL, seconds REAL, loss REAL, grad_norm REAL, clipped REAL, lr "
               "REAL, update_hidden REAL, update_embedding REAL, update_head REAL, "
               "update_vectors REAL, tokens_per_s REAL, PRIMARY KEY(run, step)) WITHOUT ROWID;"
               "INSERT INTO steps(run, step, loss) VALUES('r1', 1, 3.5)") == SQLITE_OK);
    snprintf(text, sizeof(text),
             "INSERT INTO entries VALUES(1,'run','r1',1700000000.25,'{\"seed\":7}','%s')", hash);
    EXPECT(sql(path, text) == SQLITE_OK);
}

TEST(an_older_ledger_is_migrated_after_a_copy)
{
    const char *path = in_folder("old.db"), *bak = in_folder("old.db.v0.bak");
    Err err = { 0 };
    make_version_0(path);
    EXPECT(number(path, "PRAGMA user_version") == 0);
    Ledger *l = NULL;
    EXPECT_MSG(ledger_open(&l, path, LEDGER_WRITE, &err), "%s", err.msg);
    EXPECT_MSG(ledger_verify(l, &err), "%s", err.msg);
    EXPECT(ledger_append(l, "note", NULL, json_pack("{}"), &err));
    EXPECT(ledger_seq(l) == 2);
    ledger_close(l);
    EXPECT(number(path, "PRAGMA user_version") == LEDGER_VERSION);
    EXPECT(number(path, "SELECT seed FROM runs WHERE run='r1'") == 7);
    EXPECT(sql(path, "DELETE FROM entries") != SQLITE_OK);
    EXPECT(number(bak, "PRAGMA user_version") == 0);
    EXPECT(number(bak, "SELECT count(*) FROM entries") == 1);
    EXPECT(number(bak, "SELECT count(*) FROM steps") == 1);
    EXPECT(!file_exists(in_folder("old.db.v0.bak.part")));
}

TEST(a_reader_migrates_an_older_ledger_too)
{
    const char *path = in_folder("oldread.db");
    Err err = { 0 };
    Ledger *l = NULL;
    make_version_0(path);
    EXPECT_MSG(ledger_open(&l, path, LEDGER_READ, &err), "%s", err.msg);
    EXPECT(l && ledger_count(l, "run") == 1);
    ledger_close(l);
    EXPECT(file_exists(in_folder("oldread.db.v0.bak")));
}

TEST(a_migration_that_fails_leaves_the_old_ledger)
{
    const char *path = in_folder("oldbad.db");
    make_version_0(path);
    /* The same run twice is what version 1 does not allow. */
    EXPECT(sql(path, "INSERT INTO entries VALUES(2,'run','r1',0,'{}','x')") == SQLITE_OK);
    EXPECT(refuses(path, LEDGER_WRITE, "version 1"));
    EXPECT(number(path, "PRAGMA user_version") == 0);
    EXPECT(number(path, "SELECT count(*) FROM entries") == 2);
    EXPECT(number(path, "SELECT count(*) FROM sqlite_master WHERE type='trigger'") == 0);
}

TEST(a_newer_ledger_is_refused_and_left_alone)
{
    const char *path = in_folder("newer.db");
    ledger_close(with_notes(path, 2));
    EXPECT(sql(path, "PRAGMA user_version=99") == SQLITE_OK);
    EXPECT(refuses(path, LEDGER_WRITE, "version 99"));
    EXPECT(refuses(path, LEDGER_READ, "newer lathe"));
    EXPECT(refuses(path, LEDGER_CREATE, "version 99"));
    EXPECT(number(path, "PRAGMA user_version") == 99);
}

TEST(what_is_no_ledger_is_refused_by_name)
{
    Err err = { 0 };
    EXPECT(refuses(in_folder("absent.db"), LEDGER_WRITE, "lathe init"));
    EXPECT(refuses(in_folder("absent.db"), LEDGER_READ, "lathe init"));
    EXPECT(!file_exists(in_folder("absent.db")));
    const char *text = in_folder("text.db");
    EXPECT(file_write_whole(text,
                            STR("Dear diary, today I trained a model for the first time.\n"
                                "It was slow but it did end, which is more than most do.\n"),
                            &err));
    EXPECT(refuses(text, LEDGER_READ, "damaged"));
    EXPECT(refuses(text, LEDGER_CREATE, "damaged"));
    const char *other = in_folder("other.db");
    EXPECT(sql(other, "CREATE TABLE recipes(soup TEXT)") == SQLITE_OK);
    EXPECT(refuses(other, LEDGER_CREATE, "not a ledger"));
    EXPECT(number(other, "SELECT count(*) FROM sqlite_master") == 1);
    EXPECT(refuses(test_folder(), LEDGER_READ, ""));
}

static void overwrite(const char *path, off_t at, int bytes)
{
    int fd = open(path, O_WRONLY);
    for (int i = 0; i < bytes; i++)
        if (pwrite(fd, "\xa5", 1, at + i) != 1) abort();
    close(fd);
}

TEST(a_damaged_ledger_says_so)
{
    const char *path = in_folder("damaged.db");
    Err err = { 0 };
    ledger_close(with_notes(path, 400));
    int64_t size = file_size(path);
    EXPECT(size > 40000);
    overwrite(path, size / 2, 6000);
    Ledger *l = NULL;
    bool ok = ledger_open(&l, path, LEDGER_READ, &err) && ledger_verify(l, &err);
    EXPECT_MSG(!ok && strstr(err.msg, "damaged"), "%s", err.msg);
    ledger_close(l);
    EXPECT(truncate(path, size / 2) == 0);
    l = NULL;
    ok = ledger_open(&l, path, LEDGER_READ, &err) && ledger_verify(l, &err);
    EXPECT_MSG(!ok && strstr(err.msg, "damaged"), "%s", err.msg);
    ledger_close(l);
}

TEST(a_full_disk_loses_nothing_and_says_what_to_do)
{
    const char *path = in_folder("full.db");
    Ledger *l = with_notes(path, 3);
    Err err = { 0 };
    char big[60000];
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = 0;
    /* SQLite's own way to have no room: the database may not grow by more than a page. */
    EXPECT(ledger_exec(l, "PRAGMA max_page_count=1", &err));
    EXPECT(!ledger_append(l, "note", NULL, json_pack("{s:s}", "text", big), &err));
    EXPECT_MSG(strstr(err.msg, "no space is left") && strstr(err.msg, path), "%s", err.msg);
    EXPECT(ledger_seq(l) == 3);
    EXPECT(ledger_exec(l, "PRAGMA max_page_count=100000", &err));
    EXPECT(ledger_append(l, "note", NULL, json_pack("{s:s}", "text", big), &err));
    EXPECT(ledger_seq(l) == 4 && ledger_verify(l, &err));
    ledger_close(l);
}

static void wait_until_exists(const char *path)
{
    for (int i = 0; i < 2000 && !file_exists(path); i++) usleep(1000);
}

TEST(readers_read_while_somebody_writes)
{
    const char *path = in_folder("both.db"), *sign = in_folder("sign"), *done = in_folder("done");
    ledger_close(with_notes(path, 3));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        Ledger *l = NULL;
        Err err = { 0 };
        bool ok = ledger_open(&l, path, LEDGER_WRITE, &err) && ledger_begin(l, &err) &&
                  ledger_append(l, "note", NULL, json_pack("{}"), &err) &&
                  file_write_whole(sign, STR("x"), &err);
        wait_until_exists(done);
        ok = ok && ledger_commit(l, &err);
        ledger_close(l);
        _exit(ok ? 0 : 1);
    }
    wait_until_exists(sign);
    Ledger *l = NULL;
    Err err = { 0 };
    double begun = clock_now();
    EXPECT_MSG(ledger_open(&l, path, LEDGER_READ, &err), "%s", err.msg);
    EXPECT(ledger_count(l, "note") == 3);
    EXPECT(clock_now() - begun < 2);
    EXPECT(file_write_whole(done, STR("x"), &err));
    int status = 1;
    waitpid(child, &status, 0);
    EXPECT(status == 0 && ledger_count(l, "note") == 4);
    ledger_close(l);
}

/* Runs `body` as somebody who may not write here, also when the tests are run by root. */
static bool as_onlooker(bool (*body)(const char *path), const char *path)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(3);
        bool ok = body(path);
        fflush(stdout);
        _exit(ok ? 0 : 1);
    }
    int status = 1;
    waitpid(child, &status, 0);
    return status == 0;
}

static bool can_read(const char *path)
{
    Ledger *l = NULL;
    Err err = { 0 };
    bool ok = ledger_open(&l, path, LEDGER_READ, &err) && ledger_count(l, "note") == 3 &&
              ledger_verify(l, &err);
    if (!ok) printf("# %s\n", err.msg);
    ledger_close(l);
    return ok;
}

static bool is_told_when_writing(const char *path)
{
    return refuses(path, LEDGER_WRITE, "writable");
}

static bool is_told_of_the_log(const char *path)
{
    return refuses(path, LEDGER_READ, "unfinished log");
}

TEST(a_read_only_lab_can_be_read_and_says_what_to_do_when_written)
{
    const char *path = in_folder("readonly/lathe.db"), *dir = in_folder("readonly");
    Err err = { 0 };
    EXPECT(chmod(test_folder(), 0755) == 0 && file_make_dirs(dir, &err));
    ledger_close(with_notes(path, 3));
    EXPECT(chmod(path, 0444) == 0 && chmod(dir, 0555) == 0);
    EXPECT(as_onlooker(can_read, path));
    EXPECT(as_onlooker(is_told_when_writing, path));
    EXPECT(chmod(dir, 0755) == 0);
}

TEST(a_read_only_lab_with_a_log_left_over_is_not_shown_half)
{
    const char *path = in_folder("leftover/lathe.db"), *dir = in_folder("leftover");
    Err err = { 0 };
    EXPECT(chmod(test_folder(), 0755) == 0 && file_make_dirs(dir, &err));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        (void)with_notes(path, 3);
        _exit(0); /* without closing: the log stays */
    }
    waitpid(child, NULL, 0);
    EXPECT(file_size(in_folder("leftover/lathe.db-wal")) > 0);
    EXPECT(unlink(in_folder("leftover/lathe.db-shm")) == 0);
    EXPECT(chmod(dir, 0555) == 0);
    EXPECT(as_onlooker(is_told_of_the_log, path));
    EXPECT(chmod(dir, 0755) == 0);
}
