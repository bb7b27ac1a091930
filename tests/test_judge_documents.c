/* Losses of documents, asked of an oracle whose answers are known. */
#include "base/file.h"
#include "base/progress.h"
#include "data/corpus.h"
#include "data/scores.h"
#include "judge/documents.h"
#include "tests/test.h"

static Arena arena;
static const char *const texts[] = { "a", "", "abcdefgh", "the text that is longer than two rows" };

/* The loss of a target is its id, and a hundredth of the token before it. */
static bool oracle(void *self, const int32_t *tokens, const int32_t *targets, int rows, int length,
                   double *nll, Err *err)
{
    (void)self;
    (void)err;
    for (int i = 0; i < rows * length; i++)
        nll[i] = targets[i] < 0 ? 0 : targets[i] + tokens[i] / 100.0;
    return true;
}

static bool make(Docs *docs, const char **path, int rows, Err *err)
{
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 32);
    progress_quiet(true);
    DocsOut out = { 0 };
    const char *stem = arena_printf(&arena, "%s/train", test_folder());
    *path = arena_printf(&arena, "%s/r%d.bin", test_folder(), rows);
    bool ok = docsout_open(&out, stem, err);
    for (int i = 0; ok && i < COUNT(texts); i++) ok = docsout_add(&out, str_of(texts[i]), err);
    ok = ok && docsout_commit(&out, err) && docs_open(docs, stem, err);
    docsout_drop(&out);
    Predictor p = {
        .tokenizer = tokenizer_bytes(&arena), .context = 5, .rows = rows, .nll = oracle
    };
    return ok && documents_score(docs, &p, *path, "r1", err);
}

TEST(every_token_has_the_loss_that_the_model_gave_it_after_the_one_before)
{
    Err err = { 0 };
    for (int rows = 1; rows < 5; rows++) {
        Docs docs;
        Scores s;
        const char *path;
        EXPECT_MSG(make(&docs, &path, rows, &err), "%s", err.msg);
        EXPECT_MSG(scores_open(&s, path, docs.sha256, &err), "%s", err.msg);
        EXPECT(s.documents == COUNT(texts) && strcmp(s.run, "r1") == 0);
        for (int d = 0; d < COUNT(texts); d++) {
            double sum = 0;
            int n = (int)strlen(texts[d]);
            EXPECT(scores_tokens(&s, d) == n);
            for (int i = 0; i < n; i++) {
                double want = texts[d][i] + (i > 0 ? texts[d][i - 1] : 256) / 100.0;
                EXPECT(fabs((double)scores_token(&s, d, i) - want) < 1e-4);
                sum += want;
            }
            EXPECT(fabs(scores_nats(&s, d) - sum) < 1e-2);
        }
        scores_close(&s);
        docs_close(&docs);
    }
}

TEST(scores_of_another_text_or_cut_short_are_refused)
{
    Err err = { 0 };
    Docs docs;
    Scores s;
    Str all;
    const char *path, *other = "0000000000000000000000000000000000000000000000000000000000000000";
    EXPECT_MSG(make(&docs, &path, 3, &err), "%s", err.msg);
    EXPECT(!scores_open(&s, path, other, &err) && err.code == ERR_CONFIG);
    EXPECT(file_read_arena(path, &arena, &all, &err));
    EXPECT(file_write_whole(path, (Str){ all.at, all.len - 4 }, &err));
    EXPECT(!scores_open(&s, path, docs.sha256, &err) && err.code == ERR_FORMAT);
    docs_close(&docs);
}
