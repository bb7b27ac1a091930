/* A trained model answers: scores in any grouping, text from its own cache. */
#include "base/str.h"
#include "tests/train_lab.h"
#include "train/trained.h"

static Arena arena;

static Trained *model(const char *name, const char *const *more)
{
    Recipe recipe;
    TrainResult out;
    Err err = { 0 };
    if (!arena.base) {
        arena = arena_reserve((ptrdiff_t)1 << 30);
        train_lab_make(test_folder());
    }
    train_lab_recipe(&recipe, &arena, more);
    const char *dir = arena_printf(&arena, "%s/runs/%s", test_folder(), name);
    TrainJob job = { .lab = test_folder(), .dir = dir, .recipe = &recipe, .seed = 1 };
    EXPECT_MSG(train_run(&job, &out, &err), "%s", err.msg);
    Trained *t = trained_open(dir, 2, &arena, &err);
    EXPECT_MSG(t != NULL, "%s", err.msg);
    return t;
}

enum { T = 24, V = 257 };

static const char text[] = "the cat sees the moon. nobody likes";

/* -ln p of token i + 1 from the logits after feeding 0..i. */
static double nll_of(const float *logits, int32_t target)
{
    double top = -1e30, sum = 0;
    for (int i = 0; i < V; i++) top = fmax(top, (double)logits[i]);
    for (int i = 0; i < V; i++) sum += exp((double)logits[i] - top);
    return top + log(sum) - (double)logits[target];
}

static void check_scores(const char *name, const char *const *more)
{
    Trained *t = model(name, more);
    Err err = { 0 };
    int32_t row[T + 1], rows[400 * T], targets[400 * T];
    double one[T], many[400 * T], part[10];
    float logits[V];
    row[0] = tokenizer_end(trained_tokenizer(t));
    for (int i = 0; i < T; i++) row[i + 1] = (unsigned char)text[i];
    EXPECT(trained_nll(t, row, row + 1, 1, T, one, &err));
    for (int r = 0; r < 400; r++) {
        memcpy(rows + r * T, row, T * sizeof(*row));
        memcpy(targets + r * T, row + 1, T * sizeof(*row));
        if (r % 7) rows[r * T] = targets[r * T] = r % V;
    }
    EXPECT(trained_nll(t, rows, targets, 400, T, many, &err));
    EXPECT(memcmp(many + 399 * T, one, sizeof(one)) == 0 &&
           memcmp(many + 7 * T, one, sizeof(one)) == 0);
    EXPECT(trained_nll(t, row, row + 1, 1, 10, part, &err) && memcmp(part, one, sizeof(part)) == 0);
    trained_reset(t);
    for (int i = 0; i < T; i++) {
        EXPECT(trained_feed(t, row + i, 1, logits, &err));
        double by_logits = nll_of(logits, row[i + 1]);
        EXPECT_MSG(fabs(by_logits - one[i]) < 1e-4, "token %d: %g by logits, %g scored", i,
                   by_logits, one[i]);
    }
    trained_close(t);
}

TEST(scores_agree_with_logits_in_any_grouping)
{
    check_scores("plain", NULL);
    check_scores("rope", (const char *const[]){ "model.position=rope", "model.norm=rmsnorm",
                                                "model.softcap=5", "model.tied=false", NULL });
}

TEST(targets_below_zero_count_for_nothing)
{
    Trained *t = model("plain", NULL);
    Err err = { 0 };
    int32_t row[4] = { 1, 2, 3, 4 }, targets[4] = { 5, -1, 6, -1 };
    double nll[4];
    EXPECT(trained_nll(t, row, targets, 1, 4, nll, &err));
    EXPECT(nll[0] > 0 && nll[1] == 0 && nll[2] > 0 && nll[3] == 0);
    EXPECT(!trained_nll(t, row, targets, 1, T + 1, nll, &err) && strstr(err.msg, "context"));
    trained_close(t);
}

TEST(a_prompt_in_one_piece_or_many_gives_the_same_logits_to_the_bit)
{
    Trained *t = model("plain", NULL);
    Err err = { 0 };
    int32_t ids[T];
    float all[V], by_one[V], mixed[V];
    for (int i = 0; i < T; i++) ids[i] = (unsigned char)text[i];
    EXPECT(trained_feed(t, ids, T, all, &err));
    trained_reset(t);
    for (int i = 0; i < T; i++) EXPECT(trained_feed(t, ids + i, 1, by_one, &err));
    trained_reset(t);
    EXPECT(trained_feed(t, ids, 3, mixed, &err) && trained_feed(t, ids + 3, T - 3, mixed, &err));
    EXPECT(memcmp(all, by_one, sizeof(all)) == 0 && memcmp(all, mixed, sizeof(all)) == 0);
    ids[0] = V;
    EXPECT(!trained_feed(t, ids, 1, all, &err) && strstr(err.msg, "257"));
    trained_close(t);
}

static bool collect(void *self, Str bytes)
{
    buf_str(self, bytes);
    return true;
}

static void sample(Trained *t, const char *prompt, SampleOpt o, Buf *out)
{
    Err err = { 0 };
    buf_clear(out);
    EXPECT_MSG(trained_sample(t, str_of(prompt), o, collect, out, &err), "%s", err.msg);
}

TEST(a_seed_gives_one_text_and_a_text_may_outgrow_the_context)
{
    Trained *t = model("long", (const char *const[]){ "train.steps=150", NULL });
    Buf a = { 0 }, b = { 0 }, c = { 0 }, greedy = { 0 }, top1 = { 0 };
    SampleOpt o = { .temperature = 1, .seed = 3, .tokens = 100 };
    sample(t, "the ", o, &a);
    sample(t, "the ", o, &b);
    o.seed = 4;
    sample(t, "the ", o, &c);
    EXPECT(a.len > 40 && a.len == b.len && memcmp(a.at, b.at, (size_t)a.len) == 0);
    EXPECT(c.len != a.len || memcmp(a.at, c.at, (size_t)MIN(a.len, c.len)) != 0);
    sample(t, "the ", (SampleOpt){ .tokens = 60 }, &greedy);
    sample(t, "the ", (SampleOpt){ .temperature = 2, .top_k = 1, .tokens = 60, .seed = 9 }, &top1);
    EXPECT_MSG(greedy.len == top1.len && memcmp(greedy.at, top1.at, (size_t)greedy.len) == 0,
               "\"%s\" \"%s\"", greedy.at, top1.at);
    buf_free(&a);
    buf_free(&b);
    buf_free(&c);
    buf_free(&greedy);
    buf_free(&top1);
    trained_close(t);
}
