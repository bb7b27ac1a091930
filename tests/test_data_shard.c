/* Shards read back by hand: header, tokens and checksum are looked at as bytes, and every kind
 * of damage is refused by name. */
#include "base/file.h"
#include "base/progress.h"
#include "base/rand.h"
#include "data/shard.h"
#include "data/tokenizer_parts.h"
#include "tests/test.h"

static const char *path_of(const char *name)
{
    static char path[4][160];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof(path[turn]), "%s/%s", test_folder(), name);
    return path[turn];
}

static Docs docs_from(const Str *text, int n)
{
    Err err = { 0 };
    DocsOut out = { 0 };
    bool ok = docsout_open(&out, path_of("docs"), &err);
    for (int i = 0; ok && i < n; i++) ok = docsout_add(&out, text[i], &err);
    ok = ok && docsout_commit(&out, &err);
    docsout_drop(&out);
    Docs d = { 0 };
    ok = ok && docs_open(&d, path_of("docs"), &err);
    EXPECT_MSG(ok, "%s", err.msg);
    return d;
}

/* Removes what was there, makes the shard and opens it. */
static bool remake(Shard *s, const char *path, const Docs *d, const Tokenizer *t)
{
    Err err = { 0 };
    progress_quiet(true);
    unlink(path);
    bool ok = shard_make(path, d, t, &err) && shard_open(s, path, tokenizer_vocab(t), &err);
    EXPECT_MSG(ok, "%s", err.msg);
    return ok;
}

TEST(a_shard_is_llm_cs_layout_with_the_end_of_text_before_each_document)
{
    Arena a = arena_reserve(1 << 24);
    Err err = { 0 };
    const Str text[] = { STR("ab"), STR(""), STR("\xFF") };
    Docs d = docs_from(text, 3);
    Shard s;
    const char *path = path_of("small.bin");
    Str file = { 0 };
    if (remake(&s, path, &d, tokenizer_bytes(&a)) && file_read_arena(path, &a, &file, &err)) {
        static const unsigned char tokens[] = { 0, 1, 'a', 0, 'b', 0, 0, 1, 0, 1, 0xFF, 0 };
        static const unsigned char head[] = { 0x88, 0xD8, 0x34, 0x01, 1, 0, 0, 0, 6, 0, 0, 0 };
        EXPECT(file.len == 1024 + 12 && memcmp(file.at + 1024, tokens, 12) == 0);
        EXPECT(memcmp(file.at, head, 12) == 0); /* 20240520 = 0x0134D888 */
        EXPECT(s.tokens == 6 && s.bytes == 3 && s.documents == 3);
        shard_close(&s);
    }
    docs_close(&d);
    arena_release(&a);
}

/* Every pair of bytes a token: more than 65,536 of them. */
static Tokenizer *large_tokenizer(Arena *a)
{
    Err err = { 0 };
    int32_t *left = NEW(a, int32_t, 65536), *right = NEW(a, int32_t, 65536);
    TokenizerForm form = { .left = left, .right = right, .merges = 65536 };
    for (int i = 0; i < 65536; i++) left[i] = i / 256, right[i] = i % 256;
    for (int b = 0; b < 256; b++) form.byte_id[b] = b;
    Tokenizer *t = tokenizer_build(&form, a, &err);
    EXPECT_MSG(t != NULL, "%s", err.msg);
    return t;
}

TEST(a_large_vocabulary_takes_four_bytes_a_token)
{
    Arena a = arena_reserve(1 << 28);
    Err err = { 0 };
    const Str text[] = { STR("zz zz") };
    Docs d = docs_from(text, 1);
    Tokenizer *t = large_tokenizer(&a);
    Shard s;
    if (remake(&s, path_of("large.bin"), &d, t)) {
        Str file;
        int32_t ids[4];
        EXPECT(file_read_arena(path_of("large.bin"), &a, &file, &err));
        EXPECT(memcmp(file.at, "\xA1\xD9\x34\x01\x07\0\0\0", 8) == 0); /* 20240801, 7 */
        EXPECT(s.width == 4 && s.tokens == 4 && file.len == 1024 + 16);
        EXPECT(shard_read(&s, 0, 4, ids, &err));
        EXPECT(ids[0] == 65792 && ids[1] == 256 + 'z' * 256 + 'z' &&
               ids[2] == 256 + ' ' * 256 + 'z');
        shard_close(&s);
    }
    docs_close(&d);
    arena_release(&a);
}

TEST(reading_past_the_last_token_goes_on_at_the_first)
{
    Arena a = arena_reserve(1 << 24);
    Err err = { 0 };
    const Str text[] = { STR("0123456789") };
    Docs d = docs_from(text, 1);
    Shard s;
    if (remake(&s, path_of("round.bin"), &d, tokenizer_bytes(&a))) {
        int32_t ids[30];
        for (int at = 0; at < 11; at++) {
            EXPECT(shard_read(&s, at, 30, ids, &err));
            for (int i = 0; i < 30; i++)
                EXPECT(ids[i] == ((at + i) % 11 ? '0' + (at + i) % 11 - 1 : 256));
        }
        shard_close(&s);
    }
    docs_close(&d);
    arena_release(&a);
}

TEST(a_long_document_is_encoded_in_slices_to_the_same_tokens_as_whole)
{
    Arena a = arena_reserve(1 << 28);
    Err err = { 0 };
    Buf text = { 0 }, ids = { 0 };
    Rand r = rand_stream(1, "long");
    while (text.len < 9 << 20) {
        for (uint64_t n = rand_below(&r, 9); n > 0; n--)
            buf_char(&text, (char)('a' + rand_below(&r, 4)));
        static const char *const gap[] = {
            " ", "  ", "\n", " \n", "\n\n ", "'s ", "\xC2\xA0", "7"
        };
        buf_str(&text, str_of(gap[rand_below(&r, 8)]));
    }
    Str one = buf_view(&text);
    Docs d = docs_from(&one, 1);
    Tokenizer *t = large_tokenizer(&a);
    Shard s;
    if (remake(&s, path_of("sliced.bin"), &d, t)) {
        tokenizer_encode(t, one, &ids);
        int32_t *got = malloc((size_t)s.tokens * 4);
        EXPECT(s.tokens == 1 + ids.len / 4);
        EXPECT(shard_read(&s, 0, s.tokens, got, &err));
        EXPECT(s.tokens == 1 + ids.len / 4 && memcmp(got + 1, ids.at, (size_t)ids.len) == 0);
        free(got);
        shard_close(&s);
    }
    docs_close(&d);
    buf_free(&text);
    buf_free(&ids);
    arena_release(&a);
}

TEST(a_damaged_shard_is_refused_by_name_and_says_what_to_do)
{
    Arena a = arena_reserve(1 << 24);
    Err err = { 0 };
    Str text[40], file;
    for (int i = 0; i < 40; i++) text[i] = STR("some words of a document");
    Docs d = docs_from(text, 40);
    const char *path = path_of("damaged.bin");
    Shard s;
    if (!remake(&s, path, &d, tokenizer_bytes(&a))) return;
    shard_close(&s);
    EXPECT(file_read_arena(path, &a, &file, &err));
    static const struct {
        int at, cut;
    } damage[] = { { 1, 0 },    { 5, 0 },   { 9, 0 },  { 1024, 0 }, { 2000, 0 },
                   { 2999, 0 }, { -1, 24 }, { -1, 1 }, { -1, 2000 } };
    for (int i = 0; i < COUNT(damage); i++) {
        Buf copy = { 0 };
        buf_str(&copy, file);
        if (damage[i].at >= 0) copy.at[damage[i].at] ^= 4;
        copy.len -= damage[i].cut;
        err = (Err){ 0 };
        EXPECT(file_write_whole(path, buf_view(&copy), &err));
        EXPECT(!shard_open(&s, path, 257, &err));
        EXPECT_MSG(err.code == ERR_FORMAT && strstr(err.msg, path) && strstr(err.msg, "delete it"),
                   "damage %d: %s", i, err.msg);
        buf_free(&copy);
    }
    EXPECT(file_write_whole(path, (Str){ "", 0 }, &err) && !shard_open(&s, path, 257, &err));
    docs_close(&d);
    arena_release(&a);
}

TEST(a_shard_cut_short_while_it_is_open_is_an_error_and_not_a_signal)
{
    Arena a = arena_reserve(1 << 24);
    Err err = { 0 };
    const Str text[] = { STR("0123456789") };
    Docs d = docs_from(text, 1);
    Shard s;
    if (remake(&s, path_of("shrinks.bin"), &d, tokenizer_bytes(&a))) {
        int32_t ids[11];
        EXPECT(truncate(s.path, 1030) == 0);
        EXPECT(!shard_read(&s, 0, 11, ids, &err) && strstr(err.msg, "cut short"));
        shard_close(&s);
    }
    docs_close(&d);
    arena_release(&a);
}
