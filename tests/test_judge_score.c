/* The judge's arithmetic against predictors whose score is known without a model: uniform ones,
 * ones that answer a function of the row, ones that write down what they were asked. */
#include "base/clock.h"
#include "base/hash.h"
#include "judge/judge.h"
#include "tests/test.h"

static Arena arena;

/* A tier of documents, written where the judge looks for it. */
static void make_tier(const char *source, int tier, const char *const *docs, int n)
{
    Err err = { 0 };
    DocsOut o;
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 32);
    char *stem = corpus_tier_stem(test_folder(), source, tier, &arena), *folder;
    folder = arena_printf(&arena, "%s", stem);
    *strrchr(folder, '/') = 0;
    bool ok = file_make_dirs(folder, &err) && docsout_open(&o, stem, &err);
    for (int i = 0; ok && i < n; i++) ok = docsout_add(&o, str_of(docs[i]), &err);
    ok = ok && docsout_commit(&o, &err);
    docsout_drop(&o);
    EXPECT_MSG(ok, "%s", err.msg);
}

static JudgeText text_of(const char *const *sources, int n, int tier)
{
    return (JudgeText){ test_folder(), sources, n, tier };
}

static const char *const one[] = { "one" };

/* ---- predictors ---- */

/* -ln p = *self for every token. */
static bool constant(void *self, const int32_t *tokens, const int32_t *targets, int rows,
                     int length, double *nll, Err *err)
{
    (void)tokens, (void)err;
    for (int i = 0; i < rows * length; i++) nll[i] = targets[i] < 0 ? 0 : *(double *)self;
    return true;
}

/* Depends on all that the row shows up to its place, and on nothing else. */
static bool of_prefix(void *self, const int32_t *tokens, const int32_t *targets, int rows,
                      int length, double *nll, Err *err)
{
    (void)self, (void)err;
    for (int r = 0; r < rows; r++)
        for (int t = 0; t < length; t++) {
            uint64_t h =
                hash64(tokens + r * length, (t + 1) * 4, (uint64_t)targets[r * length + t]);
            nll[r * length + t] =
                targets[r * length + t] < 0 ? 0 : 0.01 + (double)(h >> 11) * 0x1p-53;
        }
    return true;
}

typedef struct Asked {
    int32_t tokens[4096], targets[4096];
    int rows;
} Asked;

static bool write_down(void *self, const int32_t *tokens, const int32_t *targets, int rows,
                       int length, double *nll, Err *err)
{
    Asked *a = self;
    (void)err;
    for (int i = 0; i < rows * length; i++) {
        a->tokens[a->rows * length + i] = tokens[i];
        a->targets[a->rows * length + i] = targets[i];
        nll[i] = targets[i] < 0 ? 0 : 1;
    }
    a->rows += rows;
    return true;
}

static JudgeScore score(JudgeText text, Predictor p)
{
    JudgeScore s;
    Err err = { 0 };
    EXPECT_MSG(judge_score_with(&text, &p, &arena, &s, &err), "%s", err.msg);
    return s;
}

static char *long_text(int bytes, int seed)
{
    char *t = NEW(&arena, char, bytes + 1);
    for (int i = 0; i < bytes; i++)
        t[i] = " etaoinshrdlu\n.,"[hash64_mix((uint64_t)(seed * 1000003 + i)) % 16];
    return t;
}

/* ---- tests ---- */

TEST(a_uniform_model_over_257_tokens_scores_log2_of_257)
{
    const char *docs[] = { "Hello, world.", "", "a", "\xff\xfe bytes that are no text" };
    make_tier("one", TIER_SEARCH, docs, 4);
    double nll = log(257);
    JudgeScore s = score(text_of(one, 1, TIER_SEARCH),
                         (Predictor){ &nll, tokenizer_bytes(&arena), 8, 0, constant });
    EXPECT_MSG(fabs(s.bpb - log2(257)) < 1e-13, "%.17g", s.bpb);
    EXPECT(s.bytes == 13 + 0 + 1 + 25 && s.tokens == s.bytes && s.documents == 4);
    EXPECT(s.blocks == 1 && isnan(s.error));
}

TEST(bytes_are_those_of_the_file)
{
    const char *docs[] = { long_text(70000, 1), long_text(1234, 2) };
    make_tier("one", TIER_AUDIT, docs, 2);
    double nll = 1;
    JudgeScore s = score(text_of(one, 1, TIER_AUDIT),
                         (Predictor){ &nll, tokenizer_bytes(&arena), 100, 0, constant });
    char *file =
        arena_printf(&arena, "%s.txt", corpus_tier_stem(test_folder(), "one", TIER_AUDIT, &arena));
    EXPECT(s.bytes == 71234 && s.bytes == file_size(file));
    double sum = 0;
    for (int b = 0; b < s.blocks; b++) {
        EXPECT(fabs(s.bits[b] - s.block_bytes[b] / log(2)) < 1e-8);
        sum += s.block_bytes[b];
    }
    EXPECT(s.blocks == 256 && sum == 71234);
    EXPECT_MSG(s.error < 1e-12, "every block is alike: %g", s.error);
}

TEST(the_score_does_not_depend_on_how_rows_are_batched)
{
    const char *docs[] = { long_text(3000, 3), long_text(17, 4), long_text(900, 5),
                           long_text(64, 6) };
    make_tier("one", TIER_LOCKED, docs, 4);
    JudgeScore s[4];
    static const int rows[4] = { 0, 1, 3, 50 };
    for (int i = 0; i < 4; i++)
        s[i] = score(text_of(one, 1, TIER_LOCKED),
                     (Predictor){ NULL, tokenizer_bytes(&arena), 64, rows[i], of_prefix });
    for (int i = 1; i < 4; i++) {
        EXPECT(memcmp(&s[0].bpb, &s[i].bpb, sizeof(double)) == 0);
        EXPECT(memcmp(s[0].bits, s[i].bits, sizeof(double) * (size_t)s[0].blocks) == 0);
    }
}

TEST(documents_begin_at_the_end_of_text_and_never_see_each_other)
{
    const char *docs[] = { "abcdefg", "xy" };
    make_tier("one", TIER_SEARCH, docs, 2);
    static Asked asked;
    asked.rows = 0;
    score(text_of(one, 1, TIER_SEARCH),
          (Predictor){ &asked, tokenizer_bytes(&arena), 3, 2, write_down });
    static const int32_t tokens[] = { 256, 'a', 'b', 'c', 'd', 'e', 'f', 256, 256, 256, 'x', 256 };
    static const int32_t targets[] = { 'a', 'b', 'c', 'd', 'e', 'f', 'g', -1, -1, 'x', 'y', -1 };
    EXPECT(asked.rows == 4);
    EXPECT(memcmp(asked.tokens, tokens, sizeof(tokens)) == 0);
    EXPECT(memcmp(asked.targets, targets, sizeof(targets)) == 0);
}

TEST(a_row_that_is_just_full_leaves_no_empty_one)
{
    const char *docs[] = { "abcdef", "ghi" };
    make_tier("one", TIER_SEARCH, docs, 2);
    static Asked asked;
    asked.rows = 0;
    JudgeScore s = score(text_of(one, 1, TIER_SEARCH),
                         (Predictor){ &asked, tokenizer_bytes(&arena), 3, 0, write_down });
    EXPECT(asked.rows == 3 && s.tokens == 9 && fabs(s.bpb - 1 / log(2)) < 1e-15);
}

TEST(a_token_counts_in_the_block_of_its_first_byte)
{
    Err err = { 0 };
    const char *docs[] = { long_text(40000, 7), long_text(31000, 8) };
    make_tier("one", TIER_SEARCH, docs, 2);
    Docs d;
    EXPECT(docs_open(&d, corpus_tier_stem(test_folder(), "one", TIER_SEARCH, &arena), &err));
    const Docs *all[] = { &d };
    TokenizerWant want = { .vocab = 400 };
    Tokenizer *bpe = tokenizer_train(all, 1, &want, &arena, &err);
    EXPECT_MSG(bpe != NULL, "%s", err.msg);
    if (!bpe) return;
    double nll = log(2);
    JudgeScore s = score(text_of(one, 1, TIER_SEARCH), (Predictor){ &nll, bpe, 32, 0, constant });
    /* One bit a token: walk the text again and count tokens by where they begin. */
    double bits[256] = { 0 };
    int64_t at = 0, tokens = 0;
    for (int i = 0; i < 2; i++) {
        Buf ids = { 0 };
        tokenizer_encode(bpe, docs_get(&d, i), &ids);
        for (ptrdiff_t k = 0; k < ids.len / 4; k++, tokens++) {
            int b = 0;
            while (b < 255 && judge_block_start(71000, 256, b + 1) <= at) b++;
            bits[b] += 1;
            at += tokenizer_bytes_of(bpe, ((const int32_t *)(const void *)ids.at)[k]).len;
        }
        buf_free(&ids);
    }
    EXPECT(at == 71000 && tokens < 71000 && s.tokens == tokens && s.blocks == 256);
    for (int b = 0; b < 256; b++) EXPECT(fabs(s.bits[b] - bits[b]) < 1e-9);
    EXPECT(fabs(s.bpb - (double)tokens / 71000) < 1e-12);
    docs_close(&d);
}

TEST(blocks_part_the_text_without_gap)
{
    static const int64_t bytes[] = { 1, 255, 512, 65535, 65536, 1000003, 5000000000 };
    for (int i = 0; i < COUNT(bytes); i++) {
        int n = judge_blocks(bytes[i]);
        EXPECT(n >= 1 && n <= 256 && (bytes[i] < 65536 || n == 256));
        EXPECT(judge_block_start(bytes[i], n, 0) == 0);
        EXPECT(judge_block_start(bytes[i], n, n) == bytes[i]);
        for (int b = 0; b < n; b++) {
            int64_t first = judge_block_start(bytes[i], n, b);
            int64_t last = judge_block_start(bytes[i], n, b + 1) - 1;
            EXPECT(first * n / bytes[i] == b && last * n / bytes[i] == b);
        }
    }
    EXPECT(judge_blocks(51200) == 200);
}

TEST(sources_count_by_their_bytes)
{
    const char *const both[] = { "one", "two" };
    const char *a[] = { "aaaa" }, *b[] = { "b" };
    make_tier("one", TIER_SEARCH, a, 1);
    make_tier("two", TIER_SEARCH, b, 1);
    double nll = log(2);
    Predictor p = { &nll, tokenizer_bytes(&arena), 4, 0, constant };
    JudgeScore s = score(text_of(both, 2, TIER_SEARCH), p),
               t = score(text_of(one, 1, TIER_SEARCH), p);
    EXPECT(s.n_sources == 2 && fabs(s.source_bpb[0] - 1) < 1e-15 &&
           fabs(s.source_bpb[1] - 1) < 1e-15);
    EXPECT(s.bytes == 5 && fabs(s.bpb - 1) < 1e-15);
    EXPECT(strcmp(s.text_sha256, t.text_sha256) != 0 && strlen(s.text_sha256) == 64);
}

TEST(impossible_text_gives_no_finite_score)
{
    double nll = (double)INFINITY;
    JudgeScore s = score(text_of(one, 1, TIER_SEARCH),
                         (Predictor){ &nll, tokenizer_bytes(&arena), 4, 0, constant });
    EXPECT(!isfinite(s.bpb));
    nll = (double)NAN;
    s = score(text_of(one, 1, TIER_SEARCH),
              (Predictor){ &nll, tokenizer_bytes(&arena), 4, 0, constant });
    EXPECT(!isfinite(s.bpb));
}

static bool complains(JudgeText text, const char *part)
{
    double nll = 1;
    JudgeScore s;
    Err err = { 0 };
    Predictor p = { &nll, tokenizer_bytes(&arena), 4, 0, constant };
    bool found = !judge_score_with(&text, &p, &arena, &s, &err) && strstr(err.msg, part);
    if (!found) printf("# \"%s\" lacks \"%s\"\n", err.msg, part);
    return found;
}

TEST(text_that_is_missing_empty_or_altered_is_named)
{
    const char *const none[] = { "nowhere" }, *const empty[] = { "empty" };
    EXPECT(complains(text_of(none, 1, TIER_SEARCH), "search tier of nowhere"));
    make_tier("empty", TIER_SEARCH, NULL, 0);
    EXPECT(complains(text_of(empty, 1, TIER_SEARCH), "holds no text"));
    const char *docs[] = { "what the judge keeps" };
    make_tier("one", TIER_SEARCH, docs, 1);
    char *file =
        arena_printf(&arena, "%s.txt", corpus_tier_stem(test_folder(), "one", TIER_SEARCH, &arena));
    Err err = { 0 };
    EXPECT(file_write_whole(file, STR("what the judge kept?"), &err));
    EXPECT(complains(text_of(one, 1, TIER_SEARCH), "search tier of one"));
}

TEST(judging_stops_when_asked)
{
    const char *docs[] = { "some text" };
    make_tier("one", TIER_SEARCH, docs, 1);
    double nll = 1;
    JudgeScore s;
    Err err = { 0 };
    JudgeText text = text_of(one, 1, TIER_SEARCH);
    Predictor p = { &nll, tokenizer_bytes(&arena), 4, 0, constant };
    stop_ask();
    EXPECT(!judge_score_with(&text, &p, &arena, &s, &err) && err.code == ERR_STOPPED);
    stop_clear();
}
