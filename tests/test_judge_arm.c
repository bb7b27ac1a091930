/* The judge at arm's length, before candidates whose lies are known.  An honest one here is a
 * function of the tokens up to a place; each dishonest one adds one thing that it may not know. */
#include <math.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/rand.h"
#include "judge/arm.h"
#include "tests/test.h"

enum { CONTEXT = 32, ROWS = 8, VOCAB = 257 };

static Arena arena;
static const char *const source[] = { "one" };
static const Tokenizer *bytes;

/* Sentences with some order in them, so that plausible endings can be found. */
static void make_text(void)
{
    static const char *const who[] = { "the cat", "a dog", "the old king", "my friend", "nobody" };
    static const char *const does[] = { "sees", "eats", "likes", "forgets" };
    Err err = { 0 };
    DocsOut o;
    Buf text = { 0 };
    Rand r = rand_stream(1, "arm");
    if (arena.base) return;
    arena = arena_reserve((ptrdiff_t)1 << 32);
    bytes = tokenizer_bytes(&arena);
    char *stem = corpus_tier_stem(test_folder(), "one", TIER_SEARCH, &arena);
    char *folder = arena_printf(&arena, "%s", stem);
    *strrchr(folder, '/') = 0;
    EXPECT(file_make_dirs(folder, &err) && docsout_open(&o, stem, &err));
    for (int d = 0; d < 30; d++) {
        buf_clear(&text);
        for (int i = 0; i < 10; i++)
            buf_printf(&text, "%s %s %s. ", who[rand_below(&r, 5)], does[rand_below(&r, 4)],
                       who[rand_below(&r, 5)]);
        EXPECT(docsout_add(&o, buf_view(&text), &err));
    }
    EXPECT_MSG(docsout_commit(&o, &err), "%s", err.msg);
    docsout_drop(&o);
    buf_free(&text);
}

/* ---- candidates ---- */

typedef struct Fake {
    void (*lie)(struct Fake *f, const int32_t *tokens, int rows, float *logits);
    int asked, sitting; /* rows in this sitting; sittings begun */
    uint64_t memory;    /* of the sitting */
    int64_t lies;
    bool gone; /* the process died */
} Fake;

static bool begin(void *self, Err *err)
{
    Fake *f = self;
    (void)err;
    f->asked = 0;
    f->memory = 0;
    f->sitting++;
    return true;
}

static float *logits_at(float *logits, int row, int i)
{
    return logits + ((ptrdiff_t)row * CONTEXT + i) * VOCAB;
}

static bool ask(void *self, const int32_t *tokens, int rows, float *logits, Err *err)
{
    Fake *f = self;
    if (f->gone) return err_set(err, ERR_IO, "the candidate is gone");
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < CONTEXT; i++) {
            uint64_t h = hash64(tokens + r * CONTEXT, (i + 1) * 4, 7);
            for (int v = 0; v < VOCAB; v++)
                logits_at(logits, r, i)[v] = (float)(hash64_mix(h + (uint64_t)v) >> 40) * 0x1p-24F;
        }
    if (f->lie) f->lie(f, tokens, rows, logits);
    f->asked += rows;
    return true;
}

static void end(void *self)
{
    (void)self;
}

static ArmResult judge_fake(Fake *f, uint64_t secret)
{
    Err err = { 0 };
    make_text();
    Sitting s = { f, ROWS, begin, ask, end };
    ArmJob job = { &s, bytes, CONTEXT, secret };
    JudgeText text = { test_folder(), source, 1, TIER_SEARCH };
    ArmResult result;
    bool ok = arm_score(&text, &job, &arena, &result, &err);
    EXPECT_MSG(ok == !f->gone, "%s", err.msg);
    return result;
}

/* Rejected under each of some secrets, and only if it lied at all. */
static void expect_caught(const char *name,
                          void (*lie)(Fake *f, const int32_t *tokens, int rows, float *logits))
{
    for (uint64_t secret = 1; secret <= 3; secret++) {
        Fake f = { .lie = lie };
        ArmResult r = judge_fake(&f, secret);
        EXPECT(f.lies > 0);
        EXPECT_MSG(r.rejected && r.why[0], "%s got away with %lld lies, secret %d", name,
                   (long long)f.lies, (int)secret);
        EXPECT(!r.rejected || isnan(r.score.bpb));
    }
}

#define EACH_ANSWER(r, i)                                                                          \
    for (int r = 0; r < rows; r++)                                                                 \
        for (int i = 0; i + 1 < CONTEXT; i++)

static void tell(Fake *f, float *logits, int row, int i, int32_t token)
{
    logits_at(logits, row, i)[token] = 20;
    f->lies++;
}

static void reads_next(Fake *f, const int32_t *tokens, int rows, float *logits)
{
    EACH_ANSWER(r, i) tell(f, logits, r, i, tokens[r * CONTEXT + i + 1]);
}

/* At one place in fifty, chosen by what stands before it. */
static void reads_next_seldom(Fake *f, const int32_t *tokens, int rows, float *logits)
{
    EACH_ANSWER(r, i)
    if (hash64(tokens + r * CONTEXT, (i + 1) * 4, 99) % 50 == 0)
        tell(f, logits, r, i, tokens[r * CONTEXT + i + 1]);
}

/* Only capital gains: where the next byte is one that its predecessor makes likely. */
static void reads_next_where_plausible(Fake *f, const int32_t *tokens, int rows, float *logits)
{
    EACH_ANSWER(r, i)
    {
        int32_t here = tokens[r * CONTEXT + i], next = tokens[r * CONTEXT + i + 1];
        bool vowel = next < 128 && strchr("aeiou", (char)next) && next != 0;
        if (here == ' ' || next == 256 || vowel) continue; /* a jump often stands there */
        tell(f, logits, r, i, next);
    }
}

static void reads_far_ahead(Fake *f, const int32_t *tokens, int rows, float *logits)
{
    for (int r = 0; r < rows; r++)
        for (int i = 0; i + 5 < CONTEXT; i++) tell(f, logits, r, i, tokens[r * CONTEXT + i + 5]);
}

/* The row before in the batch may be the one that comes before in the text. */
static void looks_at_its_neighbours(Fake *f, const int32_t *tokens, int rows, float *logits)
{
    EACH_ANSWER(r, i) tell(f, logits, r, i, tokens[(r + 1) % rows * CONTEXT + i]);
}

static void learns_while_judged(Fake *f, const int32_t *tokens, int rows, float *logits)
{
    EACH_ANSWER(r, i) logits_at(logits, r, i)['e'] += (float)(f->memory & 0xffff) * 1e-6F;
    f->memory += hash64(tokens, rows * CONTEXT * 4, 3) & 0xff;
    f->lies++;
}

static void honest_at_first(Fake *f, const int32_t *tokens, int rows, float *logits)
{
    if (f->asked > 200) reads_next(f, tokens, rows, logits);
}

static void lies_at_first(Fake *f, const int32_t *tokens, int rows, float *logits)
{
    if (f->asked < 200) reads_next(f, tokens, rows, logits);
}

/* It cannot know which sitting this is; suppose that it could. */
static void lies_in_the_first_sitting(Fake *f, const int32_t *tokens, int rows, float *logits)
{
    if (f->sitting == 1) reads_next(f, tokens, rows, logits);
}

static void throws_dice(Fake *f, const int32_t *tokens, int rows, float *logits)
{
    static uint64_t dice;
    (void)tokens;
    EACH_ANSWER(r, i) logits_at(logits, r, i)[0] += (float)(hash64_mix(++dice) >> 40) * 0x1p-24F;
    f->lies++;
}

static void answers_nan(Fake *f, const int32_t *tokens, int rows, float *logits)
{
    (void)tokens;
    logits_at(logits, rows - 1, 0)[5] = NAN;
    f->lies++;
}

static void answers_infinity(Fake *f, const int32_t *tokens, int rows, float *logits)
{
    EACH_ANSWER(r, i) logits_at(logits, r, i)[tokens[r * CONTEXT + i]] = INFINITY;
    f->lies++;
}

/* ---- tests ---- */

TEST(whoever_reads_ahead_is_rejected)
{
    expect_caught("next", reads_next);
    expect_caught("seldom", reads_next_seldom);
    expect_caught("plausible", reads_next_where_plausible);
    expect_caught("far", reads_far_ahead);
}

TEST(whoever_remembers_or_throws_dice_is_rejected)
{
    expect_caught("neighbours", looks_at_its_neighbours);
    expect_caught("learns", learns_while_judged);
    expect_caught("dice", throws_dice);
}

TEST(whoever_is_honest_for_a_while_is_rejected)
{
    expect_caught("honest at first", honest_at_first);
    expect_caught("lies at first", lies_at_first);
    expect_caught("lies in the first sitting", lies_in_the_first_sitting);
}

TEST(numbers_that_are_not_finite_are_rejected)
{
    expect_caught("nan", answers_nan);
    expect_caught("infinity", answers_infinity);
}

TEST(an_honest_candidate_is_never_rejected)
{
    for (uint64_t secret = 1; secret <= 8; secret++) {
        Fake f = { 0 };
        ArmResult r = judge_fake(&f, secret);
        EXPECT_MSG(!r.rejected, "%s", r.why);
        for (int k = 0; k < ARM_KINDS; k++) EXPECT(r.probes[k] > 0);
    }
}

/* Constants added to all logits of a place change no probability: the judge normalises. */
static void shouts(Fake *f, const int32_t *tokens, int rows, float *logits)
{
    (void)tokens;
    for (ptrdiff_t i = 0; i < (ptrdiff_t)rows * CONTEXT * VOCAB; i++) logits[i] += 64;
    f->lies++;
}

TEST(unnormalised_numbers_gain_nothing)
{
    Fake honest = { 0 }, loud = { .lie = shouts };
    double a = judge_fake(&honest, 1).score.bpb, b = judge_fake(&loud, 1).score.bpb;
    EXPECT_MSG(fabs(a - b) < 1e-5, "%.9f and %.9f", a, b);
}

/* The score is that of the row-by-row sum, whatever the order of the questions. */
TEST(the_score_does_not_depend_on_the_secret)
{
    Fake f = { 0 }, g = { 0 };
    ArmResult a = judge_fake(&f, 1), b = judge_fake(&g, 2);
    EXPECT(a.score.bpb == b.score.bpb && a.score.bytes == b.score.bytes && a.score.bpb > 7);
}

TEST(a_candidate_that_dies_gets_no_score_and_no_verdict)
{
    Fake f = { .gone = true };
    ArmResult r = judge_fake(&f, 1);
    EXPECT(!r.rejected);
}
