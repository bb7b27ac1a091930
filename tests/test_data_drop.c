/* What a recipe leaves out: lists, and shards made without what they name. */
#include "base/file.h"
#include "base/progress.h"
#include "data/corpus.h"
#include "data/mixture.h"
#include "tests/test.h"

static Arena arena;
static const char *lab;

static const char *const texts[] = {
    "the quick brown fox\nALL RIGHTS RESERVED\njumps over the dog\n",
    "a copy that stands twice\n",
    "a copy that stands twice\n",
    "  ALL RIGHTS RESERVED  \n",
    "words of a page that is wrong\n",
    "the last one ends without a line end",
};

/* The same name each time is the same data set. */
static void begin_lab(void)
{
    Err err = { 0 };
    DocsOut out = { 0 };
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 32);
    progress_quiet(true);
    lab = arena_printf(&arena, "%s/lab", test_folder());
    const char *folder = arena_printf(&arena, "%s/data/books", lab);
    if (file_exists(folder)) return;
    bool ok = file_make_dirs(folder, &err) &&
              docsout_open(&out, corpus_train_stem(lab, "books", &arena), &err);
    for (int i = 0; ok && i < COUNT(texts); i++) ok = docsout_add(&out, str_of(texts[i]), &err);
    ok = ok && docsout_commit(&out, &err) &&
         file_write_whole(arena_printf(&arena, "%s/manifest.json", folder), STR("{}"), &err);
    docsout_drop(&out);
    EXPECT_MSG(ok, "%s", err.msg);
}

static const char *write_list(DropList *l)
{
    Err err = { 0 };
    char id[17];
    EXPECT_MSG(droplist_write(l, lab, "books", id, &err), "%s", err.msg);
    droplist_free(l);
    return arena_str(&arena, str_of(id));
}

static KnobSet knobs_with(const char *drop)
{
    static const Knob *const tables[] = { data_knobs, NULL };
    KnobSet k = knobs_new(&arena, tables);
    Err err = { 0 };
    EXPECT(knobs_set(&k, "tokenizer.kind", STR("bytes"), "test", &err));
    EXPECT(knobs_set(&k, "data.sources", STR("books"), "test", &err));
    EXPECT(knobs_set(&k, "data.drop", str_of(drop), "test", &err));
    return k;
}

/* What a run would read, documents with | before each. */
static const char *reads(const char *drop, char sha256[65])
{
    Err err = { 0 };
    Mixture m;
    KnobSet k = knobs_with(drop);
    bool ok = mixture_open(&m, lab, &k, &arena, &err);
    EXPECT_MSG(ok, "%s: %s", drop, err.msg);
    if (!ok) return "";
    int64_t n = m.source[0].shard.tokens;
    int32_t *ids = NEW(&arena, int32_t, n);
    Buf text = { 0 };
    EXPECT(shard_read(&m.source[0].shard, 0, n, ids, &err));
    for (int64_t i = 0; i < n; i++) buf_char(&text, (char)(ids[i] == 256 ? '|' : ids[i]));
    if (sha256) memcpy(sha256, m.sha256, 65);
    const char *all = arena_str(&arena, buf_view(&text));
    buf_free(&text);
    mixture_close(&m);
    return all;
}

TEST(documents_copies_and_lines_go_and_nothing_else)
{
    begin_lab();
    DropList l = { 0 };
    droplist_document(&l, dedup_key(str_of(texts[4])), false);
    droplist_document(&l, dedup_key(str_of(texts[1])), true);
    droplist_line(&l, STR("\tALL RIGHTS RESERVED "));
    const char *id = write_list(&l);
    const char *left = reads(arena_printf(&arena, "books:%s", id), NULL);
    EXPECT_MSG(strcmp(left, "|the quick brown fox\njumps over the dog\n|a copy that stands twice\n"
                            "|the last one ends without a line end") == 0,
               "%s", left);
}

TEST(two_lists_remove_what_either_names)
{
    begin_lab();
    DropList a = { 0 }, b = { 0 };
    droplist_document(&a, dedup_key(str_of(texts[0])), false);
    droplist_document(&b, dedup_key(str_of(texts[1])), false);
    const char *x = write_list(&a), *y = write_list(&b);
    const char *left = reads(arena_printf(&arena, "books:%s, books:%s", x, y), NULL);
    EXPECT_MSG(strcmp(left, "|  ALL RIGHTS RESERVED  \n|words of a page that is wrong\n"
                            "|the last one ends without a line end") == 0,
               "%s", left);
}

TEST(a_list_is_named_by_what_it_says_and_by_nothing_else)
{
    begin_lab();
    DropList a = { 0 }, b = { 0 };
    droplist_line(&a, STR("one"));
    droplist_document(&a, dedup_key(STR("two")), false);
    droplist_document(&b, dedup_key(STR("two")), false);
    droplist_line(&b, STR(" one"));
    droplist_line(&b, STR("one"));
    const char *x = write_list(&a), *y = write_list(&b);
    EXPECT(strcmp(x, y) == 0 && strlen(x) == 16);
    DropList c = { 0 };
    droplist_document(&c, dedup_key(STR("two")), true);
    EXPECT(strcmp(write_list(&c), x) != 0);
}

TEST(the_data_of_a_run_have_another_name_with_another_list)
{
    begin_lab();
    char whole[65], without[65];
    DropList l = { 0 };
    droplist_document(&l, dedup_key(str_of(texts[4])), false);
    const char *id = write_list(&l);
    EXPECT(strstr(reads("", whole), "wrong"));
    EXPECT(!strstr(reads(arena_printf(&arena, "books:%s", id), without), "wrong"));
    EXPECT(strcmp(whole, without) != 0);
    EXPECT(strstr(reads("", without), "wrong") && strcmp(whole, without) == 0);
}

static void refuses(const char *drop, ErrCode code, const char *part)
{
    Err err = { 0 };
    Mixture m;
    KnobSet k = knobs_with(drop);
    bool ok = mixture_open(&m, lab, &k, &arena, &err);
    EXPECT_MSG(!ok && err.code == code && strstr(err.msg, part), "%s: %s", drop, err.msg);
    if (ok) mixture_close(&m);
}

TEST(a_list_that_is_gone_altered_or_of_everything_is_refused_by_name)
{
    begin_lab();
    refuses("books", ERR_CONFIG, "NAME:LIST");
    refuses("boks:0123456789abcdef", ERR_CONFIG, "boks");
    refuses("books:0123456789abcdef", ERR_CONFIG, "0123456789abcdef");
    refuses("books:../../../etc/pass", ERR_CONFIG, "has no list");
    DropList l = { 0 };
    for (int i = 0; i < COUNT(texts); i++)
        droplist_document(&l, dedup_key(str_of(texts[i])), false);
    refuses(arena_printf(&arena, "books:%s", write_list(&l)), ERR_CONFIG, "nothing to train on");
    DropList one = { 0 };
    droplist_document(&one, dedup_key(STR("x")), false);
    const char *id = write_list(&one);
    const char *path = arena_printf(&arena, "%s/data/books/drops/%s.txt", lab, id);
    Err err = { 0 };
    EXPECT(file_write_whole(path, STR("lathe drop 1\n"), &err));
    refuses(arena_printf(&arena, "books:%s", id), ERR_FORMAT, "altered");
}
