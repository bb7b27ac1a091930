/* Checkpoints: whole or passed over, and what is in them is what was there. */
#include <sys/stat.h>

#include "base/hash.h"
#include "base/str.h"
#include "tests/train_lab.h"
#include "train/checkpoint.h"
#include "train/trained.h"

static Arena arena;
static Recipe recipe;

static const char *lab(void)
{
    static const char *const more[] = { "train.steps=9", "train.checkpoint_every=3", NULL };
    if (!arena.base) {
        arena = arena_reserve(1 << 28);
        train_lab_make(test_folder());
        train_lab_recipe(&recipe, &arena, more);
    }
    return test_folder();
}

typedef struct Noted {
    char text[700];
} Noted;

static void on_note(void *self, const char *text)
{
    snprintf(((Noted *)self)->text, sizeof(((Noted *)self)->text), "%s", text);
}

static const char *dir_of(const char *name)
{
    return arena_printf(&arena, "%s/runs/%s", lab(), name);
}

static void train(const char *name, Noted *note, TrainResult *out)
{
    Err err = { 0 };
    TrainJob job = { .lab = lab(), .dir = dir_of(name), .recipe = &recipe, .seed = 1 };
    if (note) job.sink = (RunSink){ .self = note, .note = on_note };
    EXPECT_MSG(train_run(&job, out, &err), "%s", err.msg);
}

static char *file_of(const char *name, int step)
{
    return arena_printf(&arena, "%s/step-%012d.ckpt", dir_of(name), step);
}

static void damage(const char *path, bool cut)
{
    struct stat st;
    EXPECT(stat(path, &st) == 0);
    if (cut) {
        EXPECT(truncate(path, st.st_size / 2) == 0);
        return;
    }
    FILE *f = fopen(path, "r+b");
    EXPECT(f && fseek(f, (long)st.st_size / 2, SEEK_SET) == 0);
    int c = fgetc(f);
    EXPECT(fseek(f, (long)st.st_size / 2, SEEK_SET) == 0 && fputc(c ^ 1, f) != EOF);
    fclose(f);
}

TEST(the_last_two_are_kept)
{
    TrainResult out;
    train("two", NULL, &out);
    EXPECT(!file_exists(file_of("two", 3)) && file_exists(file_of("two", 6)) &&
           file_exists(file_of("two", 9)));
}

TEST(the_weights_hash_is_that_of_names_and_numbers_in_order)
{
    TrainResult out;
    Err err = { 0 };
    train("hash", NULL, &out);
    Trained *t = trained_open(dir_of("hash"), 1, &arena, &err);
    EXPECT_MSG(t != NULL, "%s", err.msg);
    Sha256 sha;
    char hex[65];
    const char *done = "";
    sha256_begin(&sha);
    for (;;) {
        const StoreItem *next = NULL;
        for (int i = 0; i < store_count(trained_store(t)); i++) {
            const StoreItem *s = store_item(trained_store(t), i);
            bool later = s->life == LIFE_PARAM && strcmp(s->name, done) > 0;
            if (later && (!next || strcmp(s->name, next->name) < 0)) next = s;
        }
        if (!next) break;
        sha256_add(&sha, next->name, (ptrdiff_t)strlen(next->name) + 1);
        sha256_add(&sha, next->at, next->count * 4);
        done = next->name;
    }
    sha256_end_hex(&sha, hex);
    EXPECT(strcmp(hex, out.weights_sha256) == 0);
    EXPECT(strcmp(trained_recipe(t)->sha256, recipe.sha256) == 0 && trained_step(t) == 9);
    EXPECT(trained_context(t) == 24 && tokenizer_vocab(trained_tokenizer(t)) == 257);
    trained_close(t);
}

TEST(a_damaged_checkpoint_is_passed_over_with_a_note)
{
    for (int cut = 0; cut < 2; cut++) {
        TrainResult whole, out;
        Noted note = { "" };
        const char *name = cut ? "cut" : "flipped";
        train(name, NULL, &whole);
        damage(file_of(name, 9), cut);
        train(name, &note, &out);
        EXPECT_MSG(strstr(note.text, "step-000000000009.ckpt") != NULL, "%s", note.text);
        EXPECT(strcmp(out.weights_sha256, whole.weights_sha256) == 0 &&
               out.train_loss == whole.train_loss);
    }
}

TEST(where_none_is_good_the_run_begins_anew_and_readers_refuse)
{
    TrainResult whole, out;
    Err err = { 0 };
    Noted note = { "" };
    train("none", NULL, &whole);
    damage(file_of("none", 9), true);
    damage(file_of("none", 6), false);
    Arena a = arena_reserve(1 << 24);
    EXPECT(!trained_open(dir_of("none"), 1, &a, &err));
    EXPECT_MSG(err.code == ERR_FORMAT && strstr(err.msg, ".ckpt"), "%s", err.msg);
    train("none", &note, &out);
    EXPECT(note.text[0] && strcmp(out.weights_sha256, whole.weights_sha256) == 0);
    arena_release(&a);
}

TEST(a_folder_without_checkpoints_is_refused_by_name)
{
    Err err = { 0 };
    Arena a = arena_reserve(1 << 24);
    EXPECT(file_make_dirs(dir_of("empty"), &err));
    EXPECT(!trained_open(dir_of("empty"), 1, &a, &err) && strstr(err.msg, "runs/empty"));
    EXPECT(!trained_open(dir_of("absent"), 1, &a, &err) && strstr(err.msg, "runs/absent"));
    arena_release(&a);
}

TEST(what_cannot_be_written_is_an_error_and_leaves_no_half_file)
{
    TrainResult out;
    Err err = { 0 };
    if (geteuid() == 0) {
        printf("# skip: root writes anywhere\n");
        return;
    }
    const char *dir = dir_of("readonly");
    EXPECT(file_make_dirs(dir, &err) && chmod(dir, 0500) == 0);
    TrainJob job = { .lab = lab(), .dir = dir, .recipe = &recipe, .seed = 1 };
    EXPECT(!train_run(&job, &out, &err) && strstr(err.msg, "readonly"));
    EXPECT(chmod(dir, 0700) == 0);
}

TEST(two_runs_do_not_share_a_folder_at_once)
{
    TrainResult out;
    Err err = { 0 };
    int fd;
    EXPECT(file_make_dirs(dir_of("busy"), &err));
    EXPECT(file_lock(arena_printf(&arena, "%s/lock", dir_of("busy")), &fd, &err));
    TrainJob job = { .lab = lab(), .dir = dir_of("busy"), .recipe = &recipe, .seed = 1 };
    EXPECT(!train_run(&job, &out, &err) && err.code == ERR_BUSY);
    file_unlock(fd);
}
