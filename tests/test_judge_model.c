/* A real model before the judge: its score is that of its own logits, token by token, and no
 * batching changes a bit of it. */
#include "base/hash.h"
#include "base/progress.h"
#include "judge/judge.h"
#include "tests/test.h"
#include "train/train.h"

static Arena arena;
static const char *const source[] = { "words" };

static void write_words(const char *path)
{
    Err err = { 0 };
    Buf text = { 0 };
    for (int i = 0; i < 3000; i++) {
        uint64_t h = hash64_mix((uint64_t)i);
        buf_printf(&text, "%.*s%s", 2 + (int)(h % 5), &"abcdefghijkl"[h / 8 % 6],
                   i % 40 == 39 ? ".\n\n" : " ");
    }
    EXPECT(file_write_whole(path, buf_view(&text), &err));
    buf_free(&text);
}

/* A lab with one data set and one model of a few steps; opened once for all tests. */
static Trained *model(void)
{
    static Trained *t;
    static const char *const knobs[] = { "tokenizer.kind=bytes", "model.depth=1",
                                         "model.width=32",       "model.heads=2",
                                         "model.context=24",     "train.batch=4",
                                         "train.steps=8",        "optim.lr=0.01" };
    if (t) return t;
    Err err = { 0 };
    Recipe recipe;
    TrainResult result;
    json_t *manifest = NULL;
    arena = arena_reserve((ptrdiff_t)1 << 36);
    progress_quiet(true);
    const char *path = arena_printf(&arena, "%s/words.txt", test_folder());
    const char *dir = arena_printf(&arena, "%s/run", test_folder());
    write_words(path);
    CorpusAdd add = { .lab = test_folder(), .name = source[0], .paths = &path, .n_paths = 1 };
    bool ok = corpus_add(&add, &manifest, &err);
    json_decref(manifest);
    recipe_default(&recipe, &arena);
    for (int i = 0; ok && i < COUNT(knobs); i++)
        ok = recipe_override(&recipe, knobs[i], "test", &err);
    recipe_seal(&recipe);
    TrainJob job = { .lab = test_folder(), .dir = dir, .recipe = &recipe, .seed = 1 };
    ok = ok && train_run(&job, &result, &err);
    t = ok ? trained_open(dir, 0, &arena, &err) : NULL;
    EXPECT_MSG(t != NULL, "%s", err.msg);
    return t;
}

static bool ask(void *self, const int32_t *tokens, const int32_t *targets, int rows, int length,
                double *nll, Err *err)
{
    return trained_nll(self, tokens, targets, rows, length, nll, err);
}

static JudgeScore score_by(int rows)
{
    Trained *t = model();
    JudgeText text = { test_folder(), source, 1, TIER_SEARCH };
    Predictor p = { t, trained_tokenizer(t), trained_context(t), rows, ask };
    JudgeScore s = { 0 };
    Err err = { 0 };
    EXPECT_MSG(judge_score_with(&text, &p, &arena, &s, &err), "%s", err.msg);
    return s;
}

TEST(a_real_model_is_scored_alike_in_every_batching)
{
    if (!model()) return;
    JudgeScore whole = { 0 };
    Err err = { 0 };
    EXPECT_MSG(judge_score(test_folder(), source, 1, TIER_SEARCH, model(), &arena, &whole, &err),
               "%s", err.msg);
    static const int rows[] = { 1, 7, 64 };
    for (int i = 0; i < COUNT(rows); i++) {
        JudgeScore s = score_by(rows[i]);
        EXPECT_MSG(memcmp(&s.bpb, &whole.bpb, sizeof(double)) == 0, "%.17g, %.17g", s.bpb,
                   whole.bpb);
        EXPECT(s.blocks == whole.blocks &&
               memcmp(s.bits, whole.bits, sizeof(double) * (size_t)s.blocks) == 0);
    }
    EXPECT_MSG(whole.bpb > 1 && whole.bpb < 8.2, "%g", whole.bpb);
}

/* -log2 p of a token, from logits, in double. */
static double bits_of(const float *logits, int vocab, int token)
{
    double most = -1e30, sum = 0;
    for (int i = 0; i < vocab; i++) most = MAX(most, (double)logits[i]);
    for (int i = 0; i < vocab; i++) sum += exp((double)logits[i] - most);
    return (log(sum) - ((double)logits[token] - most)) / log(2);
}

TEST(the_score_is_that_of_the_models_own_logits)
{
    Trained *t = model();
    if (!t) return;
    Docs d;
    Err err = { 0 };
    const Tokenizer *tok = trained_tokenizer(t);
    int V = tokenizer_vocab(tok), C = trained_context(t);
    float *logits = NEW(&arena, float, V);
    double bits = 0;
    EXPECT(docs_open(&d, corpus_tier_stem(test_folder(), source[0], TIER_SEARCH, &arena), &err));
    for (int64_t i = 0; i < d.count; i++) {
        Str doc = docs_get(&d, i);
        int32_t last = tokenizer_end(tok); /* a byte a token */
        for (ptrdiff_t k = 0; k < doc.len; k++) {
            if (k % C == 0) trained_reset(t);
            EXPECT(trained_feed(t, &last, 1, logits, &err));
            last = (unsigned char)doc.at[k];
            bits += bits_of(logits, V, last);
        }
    }
    double bpb = bits / (double)d.bytes;
    JudgeScore s = score_by(0);
    EXPECT_MSG(fabs(s.bpb - bpb) < 1e-5, "judged %.9g, by feeding %.9g", s.bpb, bpb);
    EXPECT(s.bytes == d.bytes && s.tokens == d.bytes);
    docs_close(&d);
    trained_close(t);
}
