/* The tokenizer against PCRE2 (where words are cut), a plain quadratic implementation (what
 * merges give), a plain trainer (which merges are learned) and, where the shared data is at
 * hand, GPT-2's own vocabulary. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/file.h"
#include "base/rand.h"
#include "data/tokenizer_parts.h"
#include "tests/test.h"

static const char *const pattern =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

static pcre2_code *compile(const char *text)
{
    int code;
    PCRE2_SIZE at;
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP,
                                   &code, &at, NULL);
    EXPECT(re != NULL);
    return re;
}

/* Length of the match at the very beginning of text[at..], 0 if none. */
static ptrdiff_t match_len(const pcre2_code *re, Str text, ptrdiff_t at)
{
    pcre2_match_data *m = pcre2_match_data_create_from_pattern(re, NULL);
    int n = pcre2_match(re, (PCRE2_SPTR)text.at, (PCRE2_SIZE)text.len, (PCRE2_SIZE)at,
                        PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK, m, NULL);
    PCRE2_SIZE *v = pcre2_get_ovector_pointer(m);
    ptrdiff_t len = n > 0 ? (ptrdiff_t)(v[1] - v[0]) : 0;
    pcre2_match_data_free(m);
    return len;
}

static void put_utf8(Buf *b, unsigned c)
{
    if (c < 0x80) {
        buf_char(b, (char)c);
    } else if (c < 0x800) {
        buf_char(b, (char)(0xC0 | c >> 6));
        buf_char(b, (char)(0x80 | (c & 63)));
    } else if (c < 0x10000) {
        buf_char(b, (char)(0xE0 | c >> 12));
        buf_char(b, (char)(0x80 | (c >> 6 & 63)));
        buf_char(b, (char)(0x80 | (c & 63)));
    } else {
        buf_char(b, (char)(0xF0 | c >> 18));
        buf_char(b, (char)(0x80 | (c >> 12 & 63)));
        buf_char(b, (char)(0x80 | (c >> 6 & 63)));
        buf_char(b, (char)(0x80 | (c & 63)));
    }
}

/* Characters whose order decides cuts: classes meet often. */
static unsigned random_character(Rand *r)
{
    static const unsigned some[] = { ' ',  ' ',  ' ',   '\n',   '\t',   '\r',   '\'',   's',
                                     't',  'r',  'e',   'v',    'm',    'l',    'd',    'S',
                                     '1',  '9',  '.',   '!',    0xA0,   0x85,   0x2003, 0x3000,
                                     0xE9, 0xB2, 0x416, 0x4E2D, 0x660,  0x200D, 0x301,  0x1F600,
                                     0x1C, 0x0,  0x7F,  0x200B, 0xFEFF, 0x2160, 0xAA,   0x1D7CE };
    return some[rand_below(r, COUNT(some))];
}

TEST(words_are_cut_where_pcre2_cuts_them_by_gpt2s_pattern)
{
    pcre2_code *re = compile(pattern);
    Rand r = rand_stream(1, "cuts");
    Buf text = { 0 };
    for (int round = 0; round < 3000 && !test_failures; round++) {
        buf_clear(&text);
        for (uint64_t n = 1 + rand_below(&r, 24); n > 0; n--) put_utf8(&text, random_character(&r));
        for (Str rest = buf_view(&text); rest.len > 0;) {
            ptrdiff_t len = tokenizer_piece(rest);
            EXPECT_MSG(len == match_len(re, buf_view(&text), text.len - rest.len),
                       "round %d at byte %td: %td bytes", round, text.len - rest.len, len);
            if (len <= 0) break;
            rest.at += len;
            rest.len -= len;
        }
    }
    buf_free(&text);
    pcre2_code_free(re);
}

/* A library with a newer Unicode knows letters that ours does not; never the other way round. */
TEST(letters_numbers_and_spaces_are_unicodes)
{
    char version[64] = "";
    pcre2_config(PCRE2_CONFIG_UNICODE_VERSION, version);
    double theirs = atof(version);
    pcre2_code *letters = compile("\\p{L}\\p{L}"), *numbers = compile("\\p{N}\\p{N}");
    pcre2_code *spaces = compile("\\s\\s");
    int newer = 0, older = 0, all = 0;
    for (unsigned c = 0x80; c < 0x110000; c += c < 0x20000 ? 1 : 97) {
        if (c >= 0xD800 && c < 0xE000) continue;
        if (c == 0x180E) continue; /* no space since Unicode 6.3; PCRE2 keeps it as one */
        char text[16];
        Buf b = { 0 };
        /* "aC" is one word if C is a letter, "1C" if it is a number; of "CCx" the first word is
         * one C if it is a space. */
        put_utf8(&b, c);
        int n = (int)b.len;
        snprintf(text, sizeof(text), "a%s", b.at);
        bool letter = tokenizer_piece(str_of(text)) == 1 + n;
        text[0] = '1';
        bool number = tokenizer_piece(str_of(text)) == 1 + n;
        snprintf(text, sizeof(text), "%s%sx", b.at, b.at);
        bool space = tokenizer_piece(str_of(text)) == n && !letter && !number;
        snprintf(text, sizeof(text), "%s%s", b.at, b.at);
        bool l = match_len(letters, str_of(text), 0) > 0,
             d = match_len(numbers, str_of(text), 0) > 0;
        older += (letter && !l) || (number && !d);
        newer += (!letter && l) || (!number && d);
        all += letter + number;
        EXPECT_MSG(space == (match_len(spaces, str_of(text), 0) > 0), "U+%04X: space %d", c, space);
        buf_free(&b);
    }
    EXPECT(all > 40000);
    EXPECT_MSG(theirs > 15 ? older == 0 : newer == 0, "Unicode %s: older %d, newer %d", version,
               older, newer);
    pcre2_code_free(letters);
    pcre2_code_free(numbers);
    pcre2_code_free(spaces);
}

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
        int n = (int)tokenizer_piece(text);
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

static Tokenizer *trained(Arena *a, int vocab)
{
    Buf text = { 0 };
    Err err = { 0 };
    put_prose(&text, 1, 20000);
    Str one = buf_view(&text);
    Docs d = docs_from("prose", &one, 1);
    const Docs *list = &d;
    Tokenizer *t = tokenizer_train(&list, 1, vocab, a, &err);
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

TEST(a_word_of_four_megabytes_is_cut_and_takes_no_time_to_speak_of)
{
    Arena a = arena_reserve(1 << 28);
    Tokenizer *t = trained(&a, 600);
    Buf text = { 0 };
    for (int i = 0; i < 4 << 20; i++) buf_char(&text, (char)('a' + i * 7 % 5));
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
    Tokenizer *t = tokenizer_train(&list, 1, 257 + STEPS, &a, &err);
    EXPECT_MSG(t != NULL, "%s", err.msg);
    int n = 0, left, right;
    for (Str rest = one; rest.len > 0;) {
        ptrdiff_t len = tokenizer_piece(rest);
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
    EXPECT(tokenizer_train(&list, 1, 5000, &a, &err) == NULL && err.code == ERR_CONFIG);
    const char *most = strstr(err.msg, "the largest is ");
    EXPECT_MSG(most != NULL, "%s", err.msg);
    int largest = most ? atoi(most + 15) : 0;
    EXPECT(largest > 257);
    EXPECT(tokenizer_train(&list, 1, largest, &a, &err) != NULL);
    EXPECT(tokenizer_train(&list, 1, largest + 1, &a, &err) == NULL);
    EXPECT(tokenizer_train(&list, 1, 256, &a, &err) == NULL && err.code == ERR_CONFIG);
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
