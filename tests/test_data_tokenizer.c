/* The tokenizer against a plain quadratic implementation (what merges give), a plain trainer
 * (which merges are learned), tiktoken's rule written down plainly, and, where the shared data
 * is at hand, GPT-2's own vocabulary.  Where words are cut: test_data_split.c. */
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/rand.h"
#include "data/tokenizer_count.h"
#include "tests/test.h"

/* Documents in a file of this test's own. */
static Docs docs_from(const char *name, const Str *text, int n)
{
    char stem[128];
    Err err = { 0 };
    snprintf(stem, sizeof(stem), "%s/%s", test_folder(), name);
    DocsOut out = { 0 };
    bool ok = docsout_open(&out, stem, &err);
    for (int i = 0; ok && i < n; i++) ok = docsout_add(&out, text[i], &err);
    ok = ok && docsout_commit(&out, &err);
    docsout_drop(&out);
    Docs d = { 0 };
    ok = ok && docs_open(&d, stem, &err);
    EXPECT_MSG(ok, "%s", err.msg);
    return d;
}

/* Words of a small alphabet, common ones more often: much to merge. */
static void put_prose(Buf *b, uint64_t seed, int words)
{
    Rand r = rand_stream(seed, "prose");
    for (int w = 0; w < words; w++) {
        uint64_t word = (uint64_t)(pow(rand_uniform(&r), 3) * 300);
        Rand letters = rand_stream(word, "word");
        for (uint64_t n = 1 + rand_below(&letters, 9); n > 0; n--)
            buf_char(b, (char)('a' + rand_below(&letters, 6)));
        buf_char(b, rand_below(&r, 12) ? ' ' : '\n');
    }
}

/* Byte-pair encoding as it is told: again and again, everywhere, the pair learned first. */
static int plain_merge(const Tokenizer *t, int32_t *ids, int n)
{
    for (int left, right, i = 0; tokenizer_merge(t, i, &left, &right); i++) {
        int kept = 0;
        for (int k = 0; k < n; k++) {
            bool hit = k + 1 < n && ids[k] == left && ids[k + 1] == right;
            ids[kept++] = hit ? 256 + i : ids[k];
            k += hit;
        }
        n = kept;
    }
    return n;
}

static bool same_as_plain(const Tokenizer *t, Str text, const Buf *ids)
{
    ptrdiff_t at = 0;
    const int32_t *have = (const int32_t *)(const void *)ids->at;
    int32_t *want = malloc((size_t)text.len * 4 + 4);
    bool same = true;
    while (text.len > 0 && same) {
        int n = (int)tokenizer_piece(WORDS_GPT2, text);
        for (int i = 0; i < n; i++) want[i] = (unsigned char)text.at[i];
        text.at += n;
        text.len -= n;
        n = plain_merge(t, want, n);
        same = at + n <= ids->len / 4 && memcmp(have + at, want, (size_t)n * 4) == 0;
        at += n;
    }
    free(want);
    return same && at == ids->len / 4;
}

static Tokenizer *train(const Docs *const *docs, int n, int vocab, Arena *a, Err *err)
{
    TokenizerWant want = { .vocab = vocab };
    return tokenizer_train(docs, n, &want, a, err);
}

static Tokenizer *trained(Arena *a, int vocab)
{
    Buf text = { 0 };
    Err err = { 0 };
    put_prose(&text, 1, 20000);
    Str one = buf_view(&text);
    Docs d = docs_from("prose", &one, 1);
    const Docs *list = &d;
    Tokenizer *t = train(&list, 1, vocab, a, &err);
    EXPECT_MSG(t != NULL, "%s", err.msg);
    docs_close(&d);
    buf_free(&text);
    return t;
}

TEST(merging_gives_what_the_plain_algorithm_gives_for_short_and_long_words)
{
    Arena a = arena_reserve(1 << 28);
    Tokenizer *t = trained(&a, 700);
    Rand r = rand_stream(3, "long");
    Buf text = { 0 }, ids = { 0 };
    put_prose(&text, 9, 3000);
    for (int i = 0; i < 30; i++) {
        for (uint64_t n = 100 + rand_below(&r, 3000); n > 0; n--)
            buf_char(&text, (char)('a' + rand_below(&r, i % 2 ? 2 : 6)));
        buf_char(&text, ' ');
    }
    for (int twice = 0; twice < 2; twice++) { /* the second time words come from the cache */
        buf_clear(&ids);
        tokenizer_encode(t, buf_view(&text), &ids);
        EXPECT(same_as_plain(t, buf_view(&text), &ids));
    }
    EXPECT(ids.len / 4 < text.len / 2);
    buf_free(&text);
    buf_free(&ids);
    arena_release(&a);
}

static bool round_trips(const Tokenizer *t, Str text)
{
    Buf ids = { 0 }, back = { 0 };
    tokenizer_encode(t, text, &ids);
    tokenizer_decode(t, (const int32_t *)(const void *)ids.at, ids.len / 4, &back);
    bool same = str_eq(buf_view(&back), text);
    buf_free(&ids);
    buf_free(&back);
    return same;
}

TEST(any_bytes_come_back_exactly)
{
    Arena a = arena_reserve(1 << 28);
    Tokenizer *kinds[] = { tokenizer_bytes(&a), trained(&a, 600) };
    Rand r = rand_stream(5, "bytes");
    char text[200];
    static const char broken[] = "\xC3\xA9 \xFF\x80\0a'\xE4\xB8";
    for (int k = 0; k < 2; k++) {
        EXPECT(round_trips(kinds[k], (Str){ "", 0 }));
        for (int round = 0; round < 3000; round++) {
            ptrdiff_t n = (ptrdiff_t)rand_below(&r, sizeof(text));
            for (ptrdiff_t i = 0; i < n; i++)
                text[i] = round % 2 ? (char)rand_below(&r, 256) : broken[rand_below(&r, 10)];
            EXPECT(round_trips(kinds[k], (Str){ text, n }));
        }
    }
    arena_release(&a);
}

TEST(a_word_of_ten_megabytes_is_cut_and_takes_no_time_to_speak_of)
{
    Arena a = arena_reserve(1 << 28);
    Tokenizer *t = trained(&a, 600);
    Buf text = { 0 };
    for (int i = 0; i < 10 << 20; i++) buf_char(&text, (char)('a' + i * 7 % 5));
    EXPECT(round_trips(t, buf_view(&text)));
    memset(text.at, 'a', (size_t)text.len);
    EXPECT(round_trips(t, buf_view(&text)));
    memset(text.at, ' ', (size_t)text.len);
    EXPECT(round_trips(t, buf_view(&text)));
    buf_free(&text);
    arena_release(&a);
}

enum { PLAIN_MOST = 40000 };

/* Counts every pair anew; most frequent, then smallest bytes. Merges in place; false at the end. */
static bool plain_step(int32_t *s, int *n, const int32_t *word, Str *token, int made)
{
    static int32_t word_now[PLAIN_MOST];
    int best = 0, at = -1;
    for (int i = 0; i + 1 < *n; i++) {
        int count = 0;
        if (word[i] != word[i + 1]) continue;
        for (int k = 0; k + 1 < *n; k++)
            count += word[k] == word[k + 1] && s[k] == s[i] && s[k + 1] == s[i + 1];
        int order = at < 0 ? -1 : str_cmp(token[s[i]], token[s[at]]);
        if (order == 0) order = str_cmp(token[s[i + 1]], token[s[at + 1]]);
        if (count > best || (count == best && order < 0)) best = count, at = i;
    }
    if (best < 2) return false;
    int32_t left = s[at], right = s[at + 1], *w = (int32_t *)word;
    int kept = 0;
    for (int k = 0; k < *n; k++) {
        bool hit = k + 1 < *n && w[k] == w[k + 1] && s[k] == left && s[k + 1] == right;
        word_now[kept] = w[k];
        s[kept++] = hit ? made : s[k];
        k += hit;
    }
    memcpy(w, word_now, (size_t)kept * 4);
    *n = kept;
    char *both = malloc((size_t)(token[left].len + token[right].len));
    memcpy(both, token[left].at, (size_t)token[left].len);
    memcpy(both + token[left].len, token[right].at, (size_t)token[right].len);
    token[made] = (Str){ both, token[left].len + token[right].len };
    return true;
}

TEST(training_learns_the_merges_that_counting_everything_anew_learns)
{
    enum { STEPS = 60 };
    static int32_t s[PLAIN_MOST], word[PLAIN_MOST];
    static char bytes[256];
    static Str token[256 + STEPS];
    Arena a = arena_reserve(1 << 28);
    Buf text = { 0 };
    Err err = { 0 };
    put_prose(&text, 4, 250);
    buf_str(&text, STR("aaaa aaaaa aaaaaaa abababab bababa  \n\n \n\n\n"));
    Str one = buf_view(&text);
    Docs d = docs_from("small", &one, 1);
    const Docs *list = &d;
    Tokenizer *t = train(&list, 1, 257 + STEPS, &a, &err);
    EXPECT_MSG(t != NULL, "%s", err.msg);
    int n = 0, left, right;
    for (Str rest = one; rest.len > 0;) {
        ptrdiff_t len = tokenizer_piece(WORDS_GPT2, rest);
        for (ptrdiff_t i = 0; i < len; i++)
            s[n] = (unsigned char)rest.at[i], word[n++] = (int32_t)rest.len;
        rest.at += len;
        rest.len -= len;
    }
    for (int b = 0; b < 256; b++) bytes[b] = (char)b, token[b] = (Str){ bytes + b, 1 };
    for (int i = 0; t && i < STEPS; i++) {
        EXPECT(plain_step(s, &n, word, token, 256 + i) && tokenizer_merge(t, i, &left, &right));
        EXPECT_MSG(str_eq(token[256 + i], tokenizer_bytes_of(t, 256 + i)),
                   "merge %d: %.*s, not %.*s", i, (int)tokenizer_bytes_of(t, 256 + i).len,
                   tokenizer_bytes_of(t, 256 + i).at, (int)token[256 + i].len, token[256 + i].at);
        free((void *)token[256 + i].at);
        token[256 + i] = tokenizer_bytes_of(t, 256 + i);
    }
    docs_close(&d);
    buf_free(&text);
    arena_release(&a);
}

TEST(a_vocabulary_larger_than_the_text_supports_is_refused_with_the_largest)
{
    Arena a = arena_reserve(1 << 28);
    Err err = { 0 };
    Str text = STR("to be or not to be to be");
    Docs d = docs_from("tiny", &text, 1);
    const Docs *list = &d;
    EXPECT(train(&list, 1, 5000, &a, &err) == NULL && err.code == ERR_CONFIG);
    const char *most = strstr(err.msg, "the largest is ");
    EXPECT_MSG(most != NULL, "%s", err.msg);
    int largest = most ? atoi(most + 15) : 0;
    EXPECT(largest > 257);
    EXPECT(train(&list, 1, largest, &a, &err) != NULL);
    EXPECT(train(&list, 1, largest + 1, &a, &err) == NULL);
    EXPECT(train(&list, 1, 256, &a, &err) == NULL && err.code == ERR_CONFIG);
    docs_close(&d);
    arena_release(&a);
}

TEST(a_saved_tokenizer_comes_back_the_same_and_a_broken_one_is_refused_by_name)
{
    Arena a = arena_reserve(1 << 28);
    Err err = { 0 };
    char path[128];
    snprintf(path, sizeof(path), "%s/t.json", test_folder());
    Tokenizer *t = trained(&a, 500), *bytes = tokenizer_bytes(&a);
    EXPECT(tokenizer_save(t, path, &err));
    Tokenizer *back = tokenizer_load(path, &a, &err);
    EXPECT_MSG(back && tokenizer_vocab(back) == 500, "%s", err.msg);
    if (back) EXPECT(strcmp(tokenizer_sha256(back), tokenizer_sha256(t)) == 0);
    EXPECT(tokenizer_save(bytes, path, &err) && (back = tokenizer_load(path, &a, &err)) != NULL);
    EXPECT(back && !tokenizer_is_bpe(back) && tokenizer_end(back) == 256);
    static const char *const broken[] = {
        "{",
        "[]",
        "{\"format\":\"lathe tokenizer\",\"version\":2}",
        "{\"format\":\"lathe "
        "tokenizer\",\"kind\":\"bpe\",\"merges\":[[1,2]],\"version\":1,\"vocab\":259}",
        "{\"format\":\"lathe "
        "tokenizer\",\"kind\":\"bpe\",\"merges\":[[1,256]],\"version\":1,\"vocab\":258}",
        "{\"format\":\"lathe "
        "tokenizer\",\"kind\":\"bpe\",\"merges\":[[1,2],[1,2]],\"version\":1,\"vocab\":259}",
        "{\"format\":\"lathe "
        "tokenizer\",\"kind\":\"bpe\",\"merges\":[[1,-2]],\"version\":1,\"vocab\":258}",
        "{\"format\":\"lathe "
        "tokenizer\",\"kind\":\"bpe\",\"bytes\":[1,1],\"merges\":[],\"version\":1,\"vocab\":257}",
    };
    for (int i = 0; i < COUNT(broken); i++) {
        EXPECT(file_write_whole(path, str_of(broken[i]), &err));
        EXPECT(tokenizer_load(path, &a, &err) == NULL);
        EXPECT_MSG(strstr(err.msg, path) != NULL, "%d: %s", i, err.msg);
    }
    EXPECT(tokenizer_load("/nowhere/at/all", &a, &err) == NULL);
    arena_release(&a);
}

TEST(gpt2s_vocabulary_gives_gpt2s_tokens)
{
    const char *shared = getenv("LATHE_SHARED");
    if (!shared) {
        printf("# skip: LATHE_SHARED names no folder with GPT-2's vocabulary\n");
        return;
    }
    Arena a = arena_reserve(1 << 30);
    Err err = { 0 };
    Buf ids = { 0 }, text = { 0 };
    Tokenizer *t = tokenizer_load(arena_printf(&a, "%s/data/tokenizer/gpt2", shared), &a, &err);
    bool ok =
        t && file_read(arena_printf(&a, "%s/data/small/tinyshakespeare.txt", shared), &text, &err);
    EXPECT_MSG(ok, "%s", err.msg);
    if (ok) {
        EXPECT(tokenizer_vocab(t) == 50257 && tokenizer_end(t) == 50256);
        tokenizer_encode(t, buf_view(&text), &ids);
        EXPECT_MSG(ids.len / 4 == 338025, "%td tokens", ids.len / 4);
        EXPECT(round_trips(t, buf_view(&text)));
        buf_clear(&ids);
        tokenizer_encode(t, STR("Hello, world!"), &ids); /* the best known five tokens */
        static const int32_t want[] = { 15496, 11, 995, 0 };
        EXPECT(ids.len == sizeof(want) && memcmp(ids.at, want, sizeof(want)) == 0);
    }
    buf_free(&ids);
    buf_free(&text);
    arena_release(&a);
}

/* ---- ranks, special tokens, words of GPT-4 ---- */

static int32_t plain_find(const Tokenizer *t, Str bytes)
{
    for (int32_t id = 0; id < 256 + tokenizer_merges(t); id++)
        if (str_eq(tokenizer_bytes_of(t, id), bytes)) return id;
    return -1;
}

/* tiktoken's rule as it stands in its source: a word that is a token is that; else the two
 * neighbours whose bytes have the lowest rank are joined, the leftmost of equals. */
static void plain_ranks(const Tokenizer *t, Str word, Buf *ids)
{
    Str part[256];
    int n = 0;
    int32_t whole = plain_find(t, word);
    if (whole >= 0) {
        buf_put(ids, &whole, 4);
        return;
    }
    for (; n < word.len; n++) part[n] = (Str){ word.at + n, 1 };
    for (;;) {
        int best = -1;
        int32_t least = INT32_MAX;
        for (int i = 0; i + 1 < n; i++) {
            int32_t id = plain_find(t, (Str){ part[i].at, part[i].len + part[i + 1].len });
            if (id >= 0 && id < least) best = i, least = id;
        }
        if (best < 0) break;
        part[best].len += part[best + 1].len;
        n--;
        for (int i = best + 1; i < n; i++) part[i] = part[i + 1];
    }
    for (int i = 0; i < n; i++) {
        int32_t id = plain_find(t, part[i]);
        buf_put(ids, &id, 4);
    }
}

TEST(ranks_written_and_read_encode_as_tiktokens_rule_says)
{
    Arena a = arena_reserve(1 << 28);
    Err err = { 0 };
    Buf ranks = { 0 }, text = { 0 }, want = { 0 }, ids = { 0 };
    EXPECT(tokenizer_print_ranks(trained(&a, 420), &ranks, &err));
    char path[128];
    snprintf(path, sizeof(path), "%s/some.tiktoken", test_folder());
    EXPECT(file_write_whole(path, buf_view(&ranks), &err));
    Tokenizer *t = tokenizer_load(path, &a, &err);
    EXPECT_MSG(t != NULL, "%s", err.msg);
    if (t) {
        put_prose(&text, 21, 300);
        buf_str(&text, STR(" aaaaaa \xFF\xFE thethethe 12345"));
        for (Str rest = buf_view(&text); rest.len > 0;) {
            ptrdiff_t n = tokenizer_piece(WORDS_GPT2, rest);
            plain_ranks(t, (Str){ rest.at, n }, &want);
            rest.at += n;
            rest.len -= n;
        }
        tokenizer_encode(t, buf_view(&text), &ids);
        EXPECT(str_eq(buf_view(&ids), buf_view(&want)));
        Buf again = { 0 }, own = { 0 };
        EXPECT(tokenizer_print_ranks(t, &again, &err) &&
               str_eq(buf_view(&again), buf_view(&ranks)));
        tokenizer_print(t, &own);
        Tokenizer *back = tokenizer_parse(buf_view(&own), "ranks", &a, &err);
        EXPECT_MSG(back && strcmp(tokenizer_sha256(back), tokenizer_sha256(t)) == 0, "%s", err.msg);
        buf_free(&again);
        buf_free(&own);
    }
    buf_free(&ranks);
    buf_free(&text);
    buf_free(&want);
    buf_free(&ids);
    arena_release(&a);
}

TEST(broken_ranks_are_refused_by_line)
{
    static const char *const broken[] = { "IQ== 0\nIg== 2\n", "I?== 0\n", "IQ==\n", "IQ== 0\n" };
    Arena a = arena_reserve(1 << 26);
    char path[128];
    snprintf(path, sizeof(path), "%s/broken.tiktoken", test_folder());
    for (int i = 0; i < COUNT(broken); i++) {
        Err err = { 0 };
        EXPECT(file_write_whole(path, str_of(broken[i]), &err));
        EXPECT(tokenizer_load(path, &a, &err) == NULL && err.code == ERR_FORMAT);
        EXPECT_MSG(strstr(err.msg, path) != NULL, "%d: %s", i, err.msg);
    }
    arena_release(&a);
}

static Tokenizer *trained_gpt4(Arena *a, int vocab, int threads)
{
    static const Str special[] = { { "<|user|>", 8 }, { "<|user|>2", 9 } };
    TokenizerWant want = { vocab, WORDS_GPT4, special, 2, threads };
    Buf text = { 0 };
    Err err = { 0 };
    put_prose(&text, 1, 20000);
    Str one = buf_view(&text);
    Docs d = docs_from("prose4", &one, 1);
    const Docs *list = &d;
    Tokenizer *t = tokenizer_train(&list, 1, &want, a, &err);
    EXPECT_MSG(t != NULL, "%s", err.msg);
    docs_close(&d);
    buf_free(&text);
    return t;
}

TEST(special_tokens_have_ids_behind_the_merges_and_are_text_unless_asked_for)
{
    Arena a = arena_reserve(1 << 28);
    Err err = { 0 };
    Tokenizer *t = trained_gpt4(&a, 500, 1);
    Buf own = { 0 }, ids = { 0 }, back = { 0 };
    tokenizer_print(t, &own);
    t = tokenizer_parse(buf_view(&own), "own", &a, &err);
    EXPECT_MSG(t != NULL, "%s", err.msg);
    if (t) {
        int n;
        const TokenizerSpecial *s = tokenizer_special(t, &n);
        EXPECT(n == 3 && s[0].id == 497 && s[1].id == 498 && s[2].id == 499);
        EXPECT(tokenizer_vocab(t) == 500 && tokenizer_end(t) == 497);
        EXPECT(tokenizer_words(t) == WORDS_GPT4);
        tokenizer_encode_special(t, STR("<|user|><|user|>2<|endoftext|>"), &ids);
        static const int32_t want[] = { 498, 499, 497 };
        EXPECT(ids.len == sizeof(want) && memcmp(ids.at, want, sizeof(want)) == 0);
        buf_clear(&ids);
        tokenizer_encode(t, STR("<|user|>"), &ids);
        EXPECT(ids.len > 4);
        tokenizer_decode(t, (const int32_t *)(const void *)ids.at, ids.len / 4, &back);
        EXPECT(str_eq(buf_view(&back), STR("<|user|>")));
    }
    buf_free(&own);
    buf_free(&ids);
    buf_free(&back);
    arena_release(&a);
}

/* What another program reads: words of its alphabet for ids, and merges of these words. */
TEST(tokenizer_json_says_the_same_tokens_and_merges)
{
    Arena a = arena_reserve(1 << 28);
    Err err = { 0 };
    Tokenizer *t = trained_gpt4(&a, 400, 1);
    Buf text = { 0 };
    EXPECT(tokenizer_print_json(t, &text, &err));
    json_t *doc = json_read(buf_view(&text), "tokenizer.json", &err);
    EXPECT_MSG(doc != NULL, "%s", err.msg);
    const json_t *model = json_object_get(doc, "model"), *vocab = json_object_get(model, "vocab");
    const json_t *merges = json_object_get(model, "merges");
    EXPECT(json_object_size(vocab) == 397 && json_array_size(merges) == 397 - 256);
    for (size_t i = 0; i < json_array_size(merges); i++) {
        const char *left = json_string_value(json_array_get(json_array_get(merges, i), 0));
        const char *right = json_string_value(json_array_get(json_array_get(merges, i), 1));
        const char *both = arena_printf(&a, "%s%s", left, right);
        EXPECT(json_int(vocab, both, -1) == 256 + (int64_t)i);
    }
    EXPECT(json_int(vocab, "\xC4\xA0", -1) == ' '); /* the space's letter */
    EXPECT(json_array_size(json_object_get(doc, "added_tokens")) == 3);
    EXPECT(!tokenizer_print_json(tokenizer_bytes(&a), &text, &err) && err.code == ERR_CONFIG);
    json_decref(doc);
    buf_free(&text);
    arena_release(&a);
}

/* ---- threads and memory ---- */

TEST(a_pool_of_any_size_gives_the_ids_of_one_thread)
{
    Arena a = arena_reserve(1 << 28);
    Tokenizer *t = trained(&a, 700);
    Buf text = { 0 }, ids = { 0 }, want = { 0 }, parts = { 0 };
    put_prose(&text, 8, 6000);
    int32_t end = tokenizer_end(t);
    buf_put(&want, &end, 4);
    tokenizer_encode(t, buf_view(&text), &want);
    for (Str rest = buf_view(&text); rest.len > 0;) {
        TokenizerPart part = { { rest.at, tokenizer_cut(rest, 700) }, parts.len == 0 };
        buf_put(&parts, &part, sizeof(part));
        rest.at += part.text.len;
        rest.len -= part.text.len;
    }
    for (int threads = 1; threads < 6; threads += 2) {
        TokenizerPool *pool = tokenizerpool_new(t, threads);
        for (int twice = 0; twice < 2; twice++) {
            buf_clear(&ids);
            tokenizerpool_encode(pool, (const TokenizerPart *)(const void *)parts.at,
                                 parts.len / (ptrdiff_t)sizeof(TokenizerPart), &ids);
            EXPECT(str_eq(buf_view(&ids), buf_view(&want)));
        }
        tokenizerpool_free(pool);
    }
    buf_free(&text);
    buf_free(&ids);
    buf_free(&want);
    buf_free(&parts);
    arena_release(&a);
}

TEST(training_does_not_depend_on_threads)
{
    Arena a = arena_reserve(1 << 28);
    Tokenizer *one = trained_gpt4(&a, 600, 1), *three = trained_gpt4(&a, 600, 3);
    EXPECT(one && three && strcmp(tokenizer_sha256(one), tokenizer_sha256(three)) == 0);
    arena_release(&a);
}

static int by_bytes(const void *a, const void *b, void *counts)
{
    const CountedWord *x = a, *y = b;
    const char *bytes = ((const TokenizerCounts *)counts)->bytes.at;
    return str_cmp((Str){ bytes + x->start, x->len }, (Str){ bytes + y->start, y->len });
}

static void counted(const Docs *d, int threads, int64_t spill, int64_t keep, TokenizerCounts *out)
{
    Err err = { 0 };
    TokenizerCounting what = { WORDS_GPT2, threads, spill, keep };
    EXPECT_MSG(tokenizer_count(&d, 1, &what, out, &err), "%s", err.msg);
    qsort_r(out->word.at, (size_t)tokenizer_counted(out), sizeof(CountedWord), by_bytes, out);
}

static const CountedWord *counted_at(const TokenizerCounts *c, int64_t i)
{
    return (const CountedWord *)(const void *)c->word.at + i;
}

static bool same_word(const TokenizerCounts *a, int64_t i, const TokenizerCounts *b, int64_t k)
{
    const CountedWord *x = counted_at(a, i), *y = counted_at(b, k);
    return x->count == y->count && x->len == y->len &&
           memcmp(a->bytes.at + x->start, b->bytes.at + y->start, (size_t)x->len) == 0;
}

TEST(counts_poured_out_to_disk_are_the_counts_in_memory_and_only_the_rarest_are_left_out)
{
    Buf text = { 0 };
    Rand r = rand_stream(6, "rare");
    put_prose(&text, 12, 30000);
    for (int i = 0; i < 20000; i++) buf_printf(&text, " w%d", (int)rand_below(&r, 9000));
    Str one = buf_view(&text);
    Docs d = docs_from("counted", &one, 1);
    TokenizerCounts plain, poured, few;
    counted(&d, 1, INT64_MAX / 2, INT64_MAX / 2, &plain);
    counted(&d, 2, 2300000, INT64_MAX / 2, &poured);
    bool same = tokenizer_counted(&plain) == tokenizer_counted(&poured) && poured.least == 0;
    for (int64_t i = 0; same && i < tokenizer_counted(&plain); i++)
        same = same_word(&plain, i, &poured, i);
    EXPECT(same);
    counted(&d, 2, 2300000, 300000, &few);
    EXPECT_MSG(few.least > 1 && tokenizer_counted(&few) > 10, "from %lld on: %lld words",
               (long long)few.least, (long long)tokenizer_counted(&few));
    int64_t at = 0;
    for (int64_t i = 0; i < tokenizer_counted(&plain); i++)
        if (counted_at(&plain, i)->count >= few.least)
            same = same && at < tokenizer_counted(&few) && same_word(&plain, i, &few, at++);
    EXPECT(same && at == tokenizer_counted(&few));
    tokenizer_counts_free(&few);
    counted(&d, 1, INT64_MAX / 2, 300000, &few);
    EXPECT(tokenizer_counted(&few) == at);
    tokenizer_counts_free(&plain);
    tokenizer_counts_free(&poured);
    tokenizer_counts_free(&few);
    docs_close(&d);
    buf_free(&text);
}
