/* From knobs to open shards, in labs made for the purpose. */
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/progress.h"
#include "base/rand.h"
#include "data/corpus.h"
#include "data/mixture.h"
#include "tests/test.h"

static Arena arena;
static const char *lab;

static void begin_lab(const char *name)
{
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 32);
    progress_quiet(true);
    lab = arena_printf(&arena, "%s/%s", test_folder(), name);
}

static void add_set(const char *name, uint64_t seed, int words)
{
    Err err = { 0 };
    Buf text = { 0 };
    DocsOut out = { 0 };
    Rand r = rand_stream(seed, "words");
    const char *stem = corpus_train_stem(lab, name, &arena);
    const char *folder = arena_printf(&arena, "%s/data/%s", lab, name);
    bool ok = file_make_dirs(folder, &err) && docsout_open(&out, stem, &err);
    for (int i = 0; i < words; i++) {
        Rand letters = rand_stream(rand_below(&r, 100), "letters");
        for (uint64_t n = 2 + rand_below(&letters, 6); n > 0; n--)
            buf_char(&text, (char)('a' + rand_below(&letters, 8)));
        buf_char(&text, ' ');
        if (i % 50 < 49 && i + 1 < words) continue;
        ok = ok && docsout_add(&out, buf_view(&text), &err);
        buf_clear(&text);
    }
    ok = ok && docsout_commit(&out, &err) &&
         file_write_whole(arena_printf(&arena, "%s/manifest.json", folder), STR("{}"), &err);
    docsout_drop(&out);
    buf_free(&text);
    EXPECT_MSG(ok, "%s", err.msg);
}

static KnobSet knobs_with(const char *sources, const char *vocab)
{
    static const Knob *const tables[] = { data_knobs, NULL };
    KnobSet k = knobs_new(&arena, tables);
    Err err = { 0 };
    EXPECT(knobs_set(&k, "data.sources", str_of(sources), "test", &err));
    EXPECT(knobs_set(&k, "tokenizer.vocab", str_of(vocab), "test", &err));
    return k;
}

static bool opens(Mixture *m, const char *sources, const char *vocab)
{
    Err err = { 0 };
    KnobSet k = knobs_with(sources, vocab);
    bool ok = mixture_open(m, lab, &k, &arena, &err);
    EXPECT_MSG(ok, "%s: %s", sources, err.msg);
    return ok;
}

/* Refused with `code` and a sentence that holds `part`. */
static void refuses(const char *sources, const char *vocab, ErrCode code, const char *part)
{
    Mixture m;
    Err err = { 0 };
    KnobSet k = knobs_with(sources, vocab);
    bool ok = mixture_open(&m, lab, &k, &arena, &err);
    EXPECT_MSG(!ok && err.code == code && strstr(err.msg, part), "%s: %s", sources, err.msg);
    if (ok) mixture_close(&m);
}

TEST(without_a_choice_all_sources_but_the_dirty_ones_are_read_by_their_size)
{
    begin_lab("all");
    add_set("b", 1, 3000);
    add_set("a", 2, 1000);
    add_set("b-dirty", 3, 500);
    Mixture m;
    if (!opens(&m, "", "300")) return;
    EXPECT(m.count == 2 && strcmp(m.source[0].name, "a") == 0 &&
           strcmp(m.source[1].name, "b") == 0);
    double share = (double)m.source[0].shard.bytes / (double)m.bytes;
    EXPECT(fabs(m.source[0].weight - share) < 1e-12 && share > 0.2 && share < 0.3);
    EXPECT(m.tokens == m.source[0].shard.tokens + m.source[1].shard.tokens);
    EXPECT(tokenizer_vocab(m.tokenizer) == 300 && m.tokens < m.bytes);
    mixture_close(&m);
    if (opens(&m, "b-dirty:1, b:3", "300")) {
        EXPECT(m.count == 2 && m.source[1].weight == 0.75 && m.source[0].shard.documents == 10);
        mixture_close(&m);
    }
}

TEST(what_is_wrong_with_the_sources_is_said_by_name)
{
    begin_lab("wrong");
    refuses("", "300", ERR_CONFIG, "no data");
    add_set("books", 1, 500);
    add_set("gov", 2, 500);
    refuses("boks", "300", ERR_CONFIG, "did you mean books");
    refuses("zzzzzzzz", "300", ERR_CONFIG, "zzzzzzzz");
    refuses("books,books", "300", ERR_CONFIG, "twice");
    refuses("books:2,gov", "300", ERR_CONFIG, "a weight, or none");
    refuses("books:-1", "300", ERR_CONFIG, "above 0");
    refuses("books:x", "300", ERR_CONFIG, "above 0");
    refuses("books,", "300", ERR_CONFIG, "empty name");
    refuses("books", "200000", ERR_CONFIG, "the largest is ");
}

TEST(tokenizers_and_shards_are_made_once_and_anew_when_the_text_changes)
{
    begin_lab("once");
    add_set("x", 1, 2000);
    Mixture m;
    struct stat first, second;
    if (!opens(&m, "x", "300")) return;
    const char *path = m.source[0].shard.path;
    char sha[65];
    memcpy(sha, m.sha256, sizeof(sha));
    EXPECT(stat(path, &first) == 0);
    mixture_close(&m);
    if (!opens(&m, "x", "300")) return;
    EXPECT(strcmp(m.source[0].shard.path, path) == 0 && strcmp(m.sha256, sha) == 0);
    EXPECT(stat(path, &second) == 0 && first.st_ino == second.st_ino);
    mixture_close(&m);
    add_set("x", 2, 2000);
    if (!opens(&m, "x", "300")) return;
    EXPECT(strcmp(m.source[0].shard.path, path) != 0 && strcmp(m.sha256, sha) != 0);
    mixture_close(&m);
}

TEST(shifting_weights_keeps_the_tokens_and_changes_the_manifest)
{
    begin_lab("weights");
    add_set("x", 1, 2000);
    add_set("y", 2, 2000);
    Mixture a, b;
    if (!opens(&a, "x:1,y:1", "300") || !opens(&b, "y:3,x:1", "300")) return;
    EXPECT(strcmp(tokenizer_sha256(a.tokenizer), tokenizer_sha256(b.tokenizer)) == 0);
    EXPECT(strcmp(a.source[0].shard.path, b.source[1].shard.path) == 0);
    EXPECT(strcmp(a.sha256, b.sha256) != 0);
    mixture_close(&a);
    mixture_close(&b);
}

static void flip_byte(const char *path, int at)
{
    Buf file = { 0 };
    Err err = { 0 };
    EXPECT(file_read(path, &file, &err));
    file.at[at] ^= 1;
    EXPECT(file_write_whole(path, buf_view(&file), &err));
    buf_free(&file);
}

static bool opens_with(Mixture *m, const char *knob, const char *value, Err *err)
{
    KnobSet k = knobs_with("a:1,b:4", "300");
    EXPECT(knobs_set(&k, knob, str_of(value), "test", err));
    return mixture_open(m, lab, &k, &arena, err);
}

TEST(a_temperature_evens_weights_out_and_a_curriculum_changes_them_by_step)
{
    Mixture m;
    Err err = { 0 };
    begin_lab("heat");
    add_set("a", 1, 3000);
    add_set("b", 2, 3000);
    EXPECT(opens(&m, "a:1,b:4", "300"));
    char plain[65];
    memcpy(plain, m.sha256, sizeof(plain));
    mixture_close(&m);
    for (double t = 0.5; t < 9; t *= 2) {
        EXPECT(opens_with(&m, "data.temperature", arena_printf(&arena, "%g", t), &err));
        double want = 1 / (1 + pow(4, 1 / t)); /* libm is the other opinion */
        EXPECT_MSG(fabs(m.source[0].weight - want) < 1e-13, "%.17g", m.source[0].weight);
        EXPECT((strcmp(plain, m.sha256) == 0) == (fabs(t - 1) < 1e-9));
        mixture_close(&m);
    }
    EXPECT(opens_with(&m, "data.curriculum", "10 b:1; 20 a:3,b:1", &err));
    EXPECT(m.n_later == 2 && m.later[1].from_step == 20 && strcmp(plain, m.sha256) != 0);
    EXPECT(fabs(m.later[0].weight[1] - 1) < 1e-15 && fabs(m.later[1].weight[0] - 0.75) < 1e-15);
    mixture_close(&m);
    static const char *const wrong[] = { "b:1",        "10 c:1",         "10 b:0",
                                         "10 b:1,b:2", "10 b:1; 10 a:1", "10" };
    for (int i = 0; i < COUNT(wrong); i++) {
        err = (Err){ 0 };
        EXPECT(!opens_with(&m, "data.curriculum", wrong[i], &err) && err.code == ERR_CONFIG);
        EXPECT_MSG(strstr(err.msg, "data.curriculum") != NULL, "%s", err.msg);
    }
}

TEST(a_corrupted_shard_or_tokenizer_is_named_and_can_be_deleted)
{
    begin_lab("corrupted");
    add_set("x", 1, 2000);
    Mixture m;
    Err err = { 0 };
    char **names;
    int count;
    if (!opens(&m, "x", "300")) return;
    const char *shard = m.source[0].shard.path;
    mixture_close(&m);
    flip_byte(shard, 3000);
    refuses("x", "300", ERR_FORMAT, shard);
    EXPECT(unlink(shard) == 0);
    if (opens(&m, "x", "300")) mixture_close(&m);
    const char *folder = arena_printf(&arena, "%s/tokenizers", lab);
    EXPECT(file_list(folder, false, &arena, &names, &count, &err) && count == 1);
    const char *tokenizer = arena_printf(&arena, "%s/%s", folder, names[0]);
    flip_byte(tokenizer, 3);
    refuses("x", "300", ERR_FORMAT, tokenizer);
    EXPECT(unlink(tokenizer) == 0);
    if (opens(&m, "x", "300")) mixture_close(&m);
}

TEST(a_tokenizer_can_be_named_by_its_place_in_the_lab)
{
    begin_lab("named");
    add_set("x", 1, 2000);
    Mixture m;
    Err err = { 0 };
    KnobSet k = knobs_with("x", "300");
    EXPECT(
        tokenizer_save(tokenizer_bytes(&arena), arena_printf(&arena, "%s/mine.json", lab), &err));
    EXPECT(knobs_set(&k, "tokenizer.path", STR("mine.json"), "test", &err));
    EXPECT_MSG(mixture_open(&m, lab, &k, &arena, &err), "%s", err.msg);
    EXPECT(m.count == 1 && tokenizer_vocab(m.tokenizer) == 257);
    EXPECT(m.tokens == m.bytes + m.source[0].shard.documents);
    mixture_close(&m);
    EXPECT(knobs_set(&k, "tokenizer.path", STR("other.json"), "test", &err));
    EXPECT(!mixture_open(&m, lab, &k, &arena, &err) && strstr(err.msg, "tokenizer.path"));
}

TEST(processes_that_make_the_same_files_at_once_all_succeed)
{
    begin_lab("together");
    add_set("x", 1, 20000);
    pid_t child[4];
    for (int i = 0; i < 4; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            Mixture m;
            Err err = { 0 };
            KnobSet k = knobs_with("x", "400");
            _exit(mixture_open(&m, lab, &k, &arena, &err) ? 0 : 1);
        }
    }
    for (int i = 0; i < 4; i++) {
        int status = -1;
        EXPECT(waitpid(child[i], &status, 0) == child[i] && status == 0);
    }
    Mixture m;
    if (opens(&m, "x", "400")) mixture_close(&m);
}
