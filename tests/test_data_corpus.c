/* A data set of a lab: what goes where, what a second addition may change, what a kill leaves. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "data/corpus_private.h"
#include "tests/test.h"

/* ---- texts ---- */

static void write_words(Buf *out, uint64_t seed, int words)
{
    for (int i = 0; i < words; i++)
        buf_printf(out, "w%d%s", (int)(hash64_mix(seed * 1000003 + (uint64_t)i) % 5000),
                   i % 50 == 49   ? ".\n\n"
                   : i % 11 == 10 ? ".\n"
                                  : " ");
}

static void write_doc(Buf *out, Str text)
{
    json_t *line = json_pack("{s:o}", "text", json_text(text));
    json_write(line, false, out);
    buf_char(out, '\n');
    json_decref(line);
}

/* A line of .jsonl with a document of random words. */
static void write_line(Buf *out, uint64_t seed, int words)
{
    Buf text = { 0 };
    write_words(&text, seed, words);
    write_doc(out, buf_view(&text));
    buf_free(&text);
}

static char *path_of(const char *name)
{
    static char path[1024][160];
    static int turn;
    char *out = path[turn++ % 1024];
    snprintf(out, sizeof(path[0]), "%s/%s", test_folder(), name);
    return out;
}

static char *put(const char *name, const Buf *bytes)
{
    Err err = { 0 };
    char *path = path_of(name);
    EXPECT(file_write_whole(path, buf_view(bytes), &err));
    return path;
}

/* 400 documents: 380 of their own, 10 exact copies, 10 copies with a line more. */
static char *planted(void)
{
    Buf lines = { 0 };
    for (int i = 0; i < 380; i++) write_line(&lines, (uint64_t)i, 150);
    for (int i = 0; i < 10; i++) write_line(&lines, (uint64_t)(i * 7), 150);
    for (int i = 0; i < 10; i++) {
        Buf text = { 0 };
        write_words(&text, (uint64_t)(i * 9), 150);
        buf_printf(&text, "one line more %d\n", i);
        write_doc(&lines, buf_view(&text));
        buf_free(&text);
    }
    char *path = put("planted.jsonl", &lines);
    buf_free(&lines);
    return path;
}

/* ---- labs ---- */

static bool add(const char *lab, const char *name, const char *path, json_t **m, Err *err)
{
    progress_quiet(true);
    *err = (Err){ 0 };
    CorpusAdd what = { .lab = lab, .name = name, .paths = &path, .n_paths = 1 };
    return corpus_add(&what, m, err);
}

static json_t *must_add(const char *lab, const char *name, const char *path)
{
    Err err;
    json_t *m;
    bool ok = add(lab, name, path, &m, &err);
    EXPECT_MSG(ok, "%s", err.msg);
    return m;
}

static char *new_lab(void)
{
    static int number;
    char name[32];
    Err err = { 0 };
    snprintf(name, sizeof(name), "lab%d", number++);
    char *lab = path_of(name);
    EXPECT(file_make_dirs(lab, &err));
    return lab;
}

/* A whole number in the manifest; -1 if there is none. */
static int64_t at(const json_t *m, const char *path)
{
    Str rest = str_of(path), name;
    while (str_cut(&rest, '.', &name)) {
        char key[64];
        snprintf(key, sizeof(key), "%.*s", (int)name.len, name.at);
        m = json_is_array(m) ? json_array_get(m, (size_t)atoi(key)) : json_object_get(m, key);
    }
    return json_is_integer(m) ? json_integer_value(m) : -1;
}

typedef struct Set {
    Docs train, tier[TIER_COUNT];
    Arena arena;
} Set;

static Set open_set(const char *lab, const char *name)
{
    Set s = { .arena = arena_reserve(1 << 20) };
    Err err = { 0 };
    char *stem = corpus_train_stem(lab, name, &s.arena);
    EXPECT_MSG(docs_open(&s.train, stem, &err) && docs_check(&s.train, stem, &err), "%s", err.msg);
    for (int t = 0; t < TIER_COUNT; t++) {
        stem = corpus_tier_stem(lab, name, t, &s.arena);
        EXPECT_MSG(docs_open(&s.tier[t], stem, &err) && docs_check(&s.tier[t], stem, &err), "%s",
                   err.msg);
    }
    return s;
}

static void close_set(Set *s)
{
    docs_close(&s->train);
    for (int t = 0; t < TIER_COUNT; t++) docs_close(&s->tier[t]);
    arena_release(&s->arena);
}

/* Where a text stands: a tier, TIER_TRAIN, or -1. */
static int place_of(const Set *s, Str text)
{
    for (int t = 0; t <= TIER_COUNT; t++) {
        const Docs *d = t < TIER_COUNT ? &s->tier[t] : &s->train;
        for (int64_t i = 0; i < d->count; i++)
            if (str_eq(docs_get(d, i), text)) return t;
    }
    return -1;
}

/* Names of everything in the folder, for "nothing was left behind". */
static int entries_in(const char *lab, const char *folder)
{
    Arena arena = arena_reserve(1 << 20);
    char path[512], **names;
    Err err = { 0 };
    int count = 0, shown = 0;
    snprintf(path, sizeof(path), "%s/%s", lab, folder);
    if (file_exists(path)) EXPECT(file_list(path, false, &arena, &names, &count, &err));
    for (int i = 0; i < count; i++) /* NAME.part is what a killed addition goes on with */
        shown += strcmp(names[i], ".lock") != 0 && !str_ends(str_of(names[i]), STR(".part"));
    arena_release(&arena);
    return shown;
}

/* ---- what goes where ---- */

TEST(planted_duplicates_are_counted_and_nothing_is_lost)
{
    const char *lab = new_lab();
    json_t *m = must_add(lab, "a", planted());
    EXPECT(at(m, "documents") == 390 && at(m, "additions.0.duplicates.exact") == 10);
    EXPECT(at(m, "additions.0.duplicates.near") == 10);
    EXPECT(at(m, "additions.0.duplicates.near_groups") == 10);
    Set s = open_set(lab, "a");
    int64_t documents = s.train.count, bytes = s.train.bytes;
    for (int t = 0; t < TIER_COUNT; t++) {
        EXPECT(s.tier[t].count >= 15 && s.tier[t].bytes > at(m, "bytes") / 25);
        documents += s.tier[t].count, bytes += s.tier[t].bytes;
    }
    EXPECT(documents == 390 && bytes == at(m, "bytes"));
    EXPECT(at(m, "train.documents") == s.train.count);
    close_set(&s);
    json_decref(m);
}

TEST(a_document_and_its_near_duplicate_stand_in_the_same_place)
{
    const char *lab = new_lab();
    json_decref(must_add(lab, "a", planted()));
    Set s = open_set(lab, "a");
    for (int i = 0; i < 10; i++) {
        Buf text = { 0 };
        write_words(&text, (uint64_t)(i * 9), 150);
        int place = place_of(&s, buf_view(&text));
        buf_printf(&text, "one line more %d\n", i);
        EXPECT(place >= 0 && place == place_of(&s, buf_view(&text)));
        buf_free(&text);
    }
    close_set(&s);
}

/* Plain code: every run of 13 words of held-out text, as text, looked up in the training text. */
static void expect_no_shared_run(const Docs *held, const Docs *train)
{
    for (int64_t i = 0; i < held->count; i += 7) {
        DedupWords w = dedup_words(docs_get(held, i));
        Str word[400];
        int n = 0;
        while (n < 400 && dedup_next(&w)) word[n++] = w.word;
        for (int k = 0; k + 13 <= n; k += 5) {
            ptrdiff_t len = word[k + 12].at + word[k + 12].len - word[k].at;
            EXPECT(!memmem(train->text, (size_t)train->bytes, word[k].at, (size_t)len));
        }
    }
}

TEST(one_long_book_is_spread_over_the_tiers_with_nothing_shared)
{
    Buf book = { 0 };
    const char *lab = new_lab();
    write_words(&book, 5, 60000);
    json_t *m = must_add(lab, "book", put("book.txt", &book));
    Set s = open_set(lab, "book");
    int64_t kept = s.train.bytes;
    for (int t = 0; t < TIER_COUNT; t++) {
        EXPECT(s.tier[t].count >= 25);
        kept += s.tier[t].bytes;
        expect_no_shared_run(&s.tier[t], &s.train);
        for (int64_t i = 0; i < s.tier[t].count; i++) {
            Str span = docs_get(&s.tier[t], i);
            EXPECT(memmem(book.at, (size_t)book.len, span.at, (size_t)span.len));
        }
    }
    EXPECT(kept + at(m, "cutting.gap_bytes") + at(m, "additions.0.decontaminated.bytes") ==
           book.len);
    EXPECT(at(m, "cutting.gap_bytes") > 0);
    close_set(&s);
    json_decref(m);
    buf_free(&book);
}

TEST(bytes_that_are_not_text_stay_as_they_are)
{
    Buf all = { 0 };
    const char *lab = new_lab();
    for (int i = 0; i < 3000; i++) {
        buf_put(&all, "\0\xff\xfe\x80 broken \xe4\xbd", 15);
        buf_printf(&all, " line %d of many\n\n", i);
    }
    json_t *m = must_add(lab, "bytes", put("bytes.txt", &all));
    Set s = open_set(lab, "bytes");
    EXPECT(s.train.bytes > all.len / 2 && memmem(s.train.text, 2000, "\0\xff\xfe\x80 broken", 11));
    close_set(&s);
    json_decref(m);
    buf_free(&all);
}

/* ---- a second addition ---- */

/* New documents, an old one, a near-duplicate of a held-out one, a passage of another. */
static char *second_file(const Set *s)
{
    Buf lines = { 0 }, text = { 0 };
    for (int i = 0; i < 20; i++) write_line(&lines, (uint64_t)(5000 + i), 150);
    write_line(&lines, 3, 150);
    buf_str(&text, docs_get(&s->tier[TIER_AUDIT], 2));
    buf_str(&text, STR("and the end is new\n"));
    write_doc(&lines, buf_view(&text));
    buf_clear(&text);
    write_words(&text, 6000, 400);
    Str held = docs_get(&s->tier[TIER_SEARCH], 4);
    buf_put(&text, held.at, MIN(held.len, (ptrdiff_t)150));
    write_words(&text, 6001, 400);
    write_doc(&lines, buf_view(&text));
    char *path = put("second.jsonl", &lines);
    buf_free(&lines);
    buf_free(&text);
    return path;
}

TEST(a_later_addition_only_appends_training_text)
{
    const char *lab = new_lab();
    json_decref(must_add(lab, "a", planted()));
    Set before = open_set(lab, "a");
    json_t *m = must_add(lab, "a", second_file(&before));
    Set after = open_set(lab, "a");
    for (int t = 0; t < TIER_COUNT; t++)
        EXPECT(strcmp(before.tier[t].sha256, after.tier[t].sha256) == 0);
    EXPECT(memcmp(before.train.text, after.train.text, (size_t)before.train.bytes) == 0);
    EXPECT(after.train.count == before.train.count + 20 + 2);
    EXPECT(at(m, "additions.1.duplicates.exact") == 1);
    EXPECT(at(m, "additions.1.decontaminated.near_duplicates") == 1);
    EXPECT(at(m, "additions.1.decontaminated.passages") == 1);
    EXPECT(at(m, "additions.0.train.documents") == before.train.count);
    for (int t = 0; t < TIER_COUNT; t++) expect_no_shared_run(&after.tier[t], &after.train);
    close_set(&before);
    close_set(&after);
    json_decref(m);
}

TEST(adding_the_same_files_again_changes_nothing)
{
    const char *lab = new_lab();
    json_t *m = must_add(lab, "a", planted()), *again = must_add(lab, "a", planted());
    EXPECT(json_equal(m, again));
    json_decref(m);
    json_decref(again);
}

TEST(what_the_trainer_keeps_beside_the_text_survives_an_addition)
{
    const char *lab = new_lab();
    char path[300];
    Err err = { 0 };
    json_decref(must_add(lab, "a", planted()));
    snprintf(path, sizeof(path), "%s/data/a/shards", lab);
    EXPECT(file_make_dirs(path, &err));
    snprintf(path, sizeof(path), "%s/data/a/shards/x.bin", lab);
    EXPECT(file_write_whole(path, STR("tokens"), &err));
    Set s = open_set(lab, "a");
    json_decref(must_add(lab, "a", second_file(&s)));
    EXPECT(file_size(path) == 6);
    EXPECT(entries_in(lab, "data") == 1 && entries_in(lab, "judge") == 1);
    close_set(&s);
}

/* ---- two data sets ---- */

TEST(the_same_text_under_another_name_is_held_out_in_the_same_tiers)
{
    const char *lab = new_lab();
    json_t *a = must_add(lab, "a", planted()), *b = must_add(lab, "b", planted());
    Set s = open_set(lab, "a"), t = open_set(lab, "b");
    for (int i = 0; i < TIER_COUNT; i++) EXPECT(strcmp(s.tier[i].sha256, t.tier[i].sha256) == 0);
    EXPECT(at(b, "cutting.given_back") == 0);
    close_set(&s);
    close_set(&t);
    json_decref(a);
    json_decref(b);
}

/* b holds a's text and as much again: what b holds out is not trained on in a, nor the reverse. */
TEST(no_data_set_trains_on_what_another_holds_out)
{
    const char *lab = new_lab();
    Buf lines = { 0 };
    json_decref(must_add(lab, "a", planted()));
    for (int i = 0; i < 380; i++) write_line(&lines, (uint64_t)i, 150);
    for (int i = 0; i < 600; i++) write_line(&lines, (uint64_t)(8000 + i), 150);
    json_t *b = must_add(lab, "b", put("more.jsonl", &lines));
    Set s = open_set(lab, "a"), t = open_set(lab, "b");
    for (int i = 0; i < TIER_COUNT; i++) {
        expect_no_shared_run(&s.tier[i], &t.train);
        expect_no_shared_run(&t.tier[i], &s.train);
        EXPECT(t.tier[i].count > 10);
    }
    close_set(&s);
    close_set(&t);
    json_decref(b);
    buf_free(&lines);
}

/* ---- what goes wrong ---- */

static void expect_refused(const char *lab, const char *name, const char *path, const char *words)
{
    Err err;
    json_t *m;
    EXPECT(!add(lab, name, path, &m, &err) && m == NULL);
    EXPECT_MSG(strstr(err.msg, words), "said: %s", err.msg);
    EXPECT(entries_in(lab, "data") == 0 && entries_in(lab, "judge") == 0);
}

TEST(bad_input_gets_a_sentence_and_leaves_nothing)
{
    const char *lab = new_lab();
    Buf text = { 0 };
    expect_refused(lab, "a", path_of("missing.txt"), "there is no file or folder");
    buf_str(&text, STR(" \n\t\n"));
    expect_refused(lab, "a", put("blank.txt", &text), "there is no text");
    buf_str(&text, STR("a few words\n"));
    expect_refused(lab, "a", put("small.txt", &text), "too little");
    expect_refused(lab, "../a", put("small.txt", &text), "cannot name a data set");
    expect_refused(lab, "", put("small.txt", &text), "cannot name a data set");
    buf_free(&text);
}

TEST(an_unknown_data_set_is_answered_with_the_names_there_are)
{
    const char *lab = new_lab();
    Err err = { 0 };
    json_t *m;
    EXPECT(!corpus_manifest(lab, "shakespear", &m, &err));
    EXPECT_MSG(strstr(err.msg, "lathe data add shakespear"), "%s", err.msg);
    json_decref(must_add(lab, "a", planted()));
    EXPECT(!corpus_manifest(lab, "b", &m, &err) && strstr(err.msg, "there are: a"));
}

TEST(two_additions_at_once_take_turns)
{
    const char *lab = new_lab();
    CorpusStore held;
    Err err = { 0 };
    json_t *m;
    EXPECT(corpusstore_open(&held, lab, "other", &err));
    EXPECT(!add(lab, "a", planted(), &m, &err) && err.code == ERR_BUSY);
    corpusstore_close(&held);
    json_decref(must_add(lab, "a", planted()));
}

TEST(a_request_to_stop_leaves_nothing)
{
    const char *lab = new_lab();
    Err err;
    json_t *m;
    stop_ask();
    EXPECT(!add(lab, "a", planted(), &m, &err) && err.code == ERR_STOPPED);
    stop_clear();
    EXPECT(entries_in(lab, "data") == 0);
}

/* A limit on the size of files stands for the full disk: writes fail in the middle. */
TEST(a_full_disk_leaves_the_state_before)
{
    const char *lab = new_lab();
    char *path = planted();
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit old, small;
    getrlimit(RLIMIT_FSIZE, &old);
    const rlim_t limits[] = { 1000, 20000, 250000 };
    for (int i = 0; i < 3; i++) {
        Err err;
        json_t *m;
        small = old;
        small.rlim_cur = limits[i];
        setrlimit(RLIMIT_FSIZE, &small);
        bool ok = add(lab, "a", path, &m, &err);
        setrlimit(RLIMIT_FSIZE, &old);
        EXPECT(!ok && err.code == ERR_IO);
        EXPECT(entries_in(lab, "data") == 0 && entries_in(lab, "judge") == 0);
    }
    json_decref(must_add(lab, "a", path));
}

/* ---- kills ---- */

static void run_killed(const char *lab, const char *path, int kill_at, useconds_t after)
{
    pid_t child = fork();
    if (child == 0) {
        Err err;
        json_t *m;
        corpusstore_kill_at = kill_at;
        bool ok = add(lab, "a", path, &m, &err);
        _exit(ok ? 0 : 1);
    }
    if (after > 0) {
        usleep(after);
        kill(child, SIGKILL);
    }
    int status;
    waitpid(child, &status, 0);
}

/* The state is exactly `old` (NULL: no data set) or `new`; then the addition, made again,
 * gives `new`. */
static void expect_old_or_new(const char *lab, const char *path, const json_t *old,
                              const json_t *new)
{
    Arena arena = arena_reserve(1 << 20);
    Err err = { 0 };
    char **names;
    int count;
    EXPECT(corpus_list(lab, &arena, &names, &count, &err));
    EXPECT(count == 1 || (count == 0 && !old));
    if (count == 1) {
        json_t *m;
        EXPECT(corpus_manifest(lab, "a", &m, &err));
        EXPECT(json_equal(m, new) || (old && json_equal(m, old)));
        json_decref(m);
        Set s = open_set(lab, "a");
        close_set(&s);
    }
    EXPECT(entries_in(lab, "data") == count && entries_in(lab, "judge") == count);
    json_t *m = must_add(lab, "a", path);
    EXPECT(json_equal(m, new));
    json_decref(m);
    arena_release(&arena);
}

TEST(a_kill_at_any_step_leaves_the_old_state_or_the_new_one)
{
    const char *undisturbed = new_lab(), *first = planted();
    json_t *old = must_add(undisturbed, "a", first);
    Set s = open_set(undisturbed, "a");
    const char *second = second_file(&s);
    close_set(&s);
    json_t *new = must_add(undisturbed, "a", second);
    for (int step = 1; step <= 8; step++) {
        const char *lab = new_lab();
        run_killed(lab, first, step, 0);
        expect_old_or_new(lab, first, NULL, old);
        run_killed(lab, second, step + 1, 0);
        expect_old_or_new(lab, second, old, new);
    }
    json_decref(old);
    json_decref(new);
}

TEST(a_kill_at_any_moment_leaves_the_old_state_or_the_new_one)
{
    const char *path = planted(), *undisturbed = new_lab();
    json_t *new = must_add(undisturbed, "a", path);
    for (useconds_t after = 500; after < 100000; after *= 2) {
        const char *lab = new_lab();
        run_killed(lab, path, 0, after);
        expect_old_or_new(lab, path, NULL, new);
    }
    json_decref(new);
}
