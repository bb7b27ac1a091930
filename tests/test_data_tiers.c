/* The cut into tiers: pieces, gaps, who goes where. */
#include "base/hash.h"
#include "base/progress.h"
#include "data/tiers.h"
#include "tests/test.h"

/* A book: paragraphs of a few lines with blank lines between. */
static void write_book(Buf *out, uint64_t seed, int paragraphs)
{
    for (int p = 0; p < paragraphs; p++) {
        int words = 20 + (int)(hash64_mix(seed + (uint64_t)p * 77) % 60);
        for (int i = 0; i < words; i++)
            buf_printf(out, "w%d%c",
                       (int)(hash64_mix(seed * 999983 + (uint64_t)(p * 1000 + i)) % 3000),
                       i % 12 == 11 || i == words - 1 ? '\n' : ' ');
        buf_char(out, '\n');
    }
}

static int64_t ends_of(const Buf *ends, int64_t i)
{
    int64_t end;
    memcpy(&end, ends->at + i * 8, sizeof(end));
    return end;
}

TEST(pieces_cover_the_text_and_end_at_blank_lines)
{
    Buf book = { 0 }, ends = { 0 };
    write_book(&book, 1, 2000);
    tiers_cut(buf_view(&book), 2000, &ends);
    int64_t n = ends.len / 8, begin = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t end = ends_of(&ends, i);
        EXPECT(end > begin && (i == n - 1 || (end - begin >= 1000 && end - begin <= 4000)));
        EXPECT(end == book.len || (book.at[end - 1] == '\n' && book.at[end - 2] == '\n'));
        begin = end;
    }
    EXPECT(begin == book.len);
    EXPECT_MSG(n > book.len / 3000 && n < book.len / 1200, "%d pieces", (int)n);
    buf_free(&book);
    buf_free(&ends);
}

TEST(an_edition_with_a_preface_is_cut_at_the_same_passages)
{
    Buf book = { 0 }, other = { 0 }, a = { 0 }, b = { 0 };
    write_book(&book, 1, 2000);
    write_book(&other, 99, 7);
    ptrdiff_t shift = other.len;
    buf_str(&other, buf_view(&book));
    tiers_cut(buf_view(&book), 2000, &a);
    tiers_cut(buf_view(&other), 2000, &b);
    int64_t same = 0, n = a.len / 8, m = b.len / 8;
    for (int64_t i = 0, j = 0; i < n && j < m;) {
        int64_t x = ends_of(&a, i) + shift, y = ends_of(&b, j);
        same += x == y;
        i += x <= y, j += y <= x;
    }
    EXPECT_MSG(same > n * 9 / 10, "%d of %d cuts are the same", (int)same, (int)n);
    buf_free(&book);
    buf_free(&other);
    buf_free(&a);
    buf_free(&b);
}

static void expect_pieces(Str text, int64_t piece, int64_t longest)
{
    Buf ends = { 0 };
    tiers_cut(text, piece, &ends);
    int64_t begin = 0;
    for (int64_t i = 0; i < ends.len / 8; i++) {
        int64_t end = ends_of(&ends, i);
        EXPECT(end > begin && end - begin <= longest);
        bool inside = end < text.len && ((unsigned char)text.at[end] & 0xC0) == 0x80;
        EXPECT(!inside || utf8_len(text.at, text.at + text.len) == 0);
        begin = end;
    }
    EXPECT(begin == text.len);
    buf_free(&ends);
}

TEST(text_without_blank_lines_is_cut_at_lines_words_or_characters)
{
    Buf lines = { 0 }, one = { 0 }, wide = { 0 };
    for (int i = 0; i < 3000; i++) buf_printf(&lines, "line number %d\n", i);
    for (int i = 0; i < 100000; i++) buf_char(&one, 'x');
    for (int i = 0; i < 30000; i++) buf_str(&wide, STR("\xe4\xbd\xa0"));
    expect_pieces(buf_view(&lines), 1000, 2000);
    expect_pieces(buf_view(&one), 1000, 2000);
    expect_pieces(buf_view(&wide), 1000, 2000);
    expect_pieces(STR("\n\n\n\n"), 1, 2);
    expect_pieces(STR("\x80\x80\x80\x80\x80\x80\x80\x80"), 2, 8);
    buf_free(&lines);
    buf_free(&one);
    buf_free(&wide);
}

/* ---- plans ---- */

typedef struct Made {
    Docs raw;
    bool *live;
    TierPlan plan;
    Arena arena;
    Err err;
    bool ok;
} Made;

static Made plan_of(const Buf *doc, int count, const TierHeld *held)
{
    static int number;
    Made m = { .arena = arena_reserve(1 << 26) };
    char stem[200];
    DocsOut out;
    progress_quiet(true);
    snprintf(stem, sizeof(stem), "%s/raw%d", test_folder(), number++);
    EXPECT(docsout_open(&out, stem, &m.err));
    for (int i = 0; i < count; i++) EXPECT(docsout_add(&out, buf_view(&doc[i]), &m.err));
    EXPECT(docsout_commit(&out, &m.err) && docs_open(&m.raw, stem, &m.err));
    docsout_drop(&out);
    m.live = NEW(&m.arena, bool, count);
    for (int i = 0; i < count; i++) m.live[i] = true;
    static const TierHeld none;
    m.ok = tiers_plan(&m.raw, m.live, held ? held : &none, &m.arena, &m.plan, &m.err);
    return m;
}

static void drop(Made *m)
{
    docs_close(&m->raw);
    arena_release(&m->arena);
}

static void sums_of(const Made *m, int64_t bytes[TIER_GAP + 1], int64_t spans[TIER_GAP + 1])
{
    memset(bytes, 0, (TIER_GAP + 1) * sizeof(*bytes));
    memset(spans, 0, (TIER_GAP + 1) * sizeof(*spans));
    for (int64_t i = 0; i < m->plan.count; i++) {
        bytes[m->plan.span[i].where] += m->plan.span[i].end - m->plan.span[i].begin;
        spans[m->plan.span[i].where]++;
    }
}

TEST(one_long_book_gives_thirty_spans_a_tier_with_gaps_between)
{
    Buf book = { 0 };
    write_book(&book, 5, 4000);
    Made m = plan_of(&book, 1, NULL);
    EXPECT_MSG(m.ok, "%s", m.err.msg);
    int64_t bytes[TIER_GAP + 1], spans[TIER_GAP + 1], at = 0;
    sums_of(&m, bytes, spans);
    for (int t = 0; t < TIER_COUNT; t++) {
        EXPECT_MSG(spans[t] >= 25, "%d spans", (int)spans[t]);
        EXPECT(bytes[t] > book.len / 25 && bytes[t] < book.len / 12);
    }
    EXPECT(bytes[TIER_TRAIN] > book.len * 3 / 4);
    for (int64_t i = 0; i < m.plan.count; i++) {
        const TierSpan *s = &m.plan.span[i], *before = s - 1;
        EXPECT(s->begin == at && s->end > s->begin);
        at = s->end;
        if (s->where == TIER_GAP)
            EXPECT(s->end - s->begin >= m.plan.gap);
        else if (i > 0)
            EXPECT(before->where == TIER_GAP);
    }
    EXPECT(at == book.len);
    drop(&m);
    buf_free(&book);
}

TEST(near_duplicates_share_a_tier_whoever_comes_first)
{
    enum { N = 600 };
    static Buf doc[N];
    for (int i = 0; i < N; i++) {
        write_book(&doc[i], (uint64_t)(i / 2 + 1), 12);
        if (i % 2) buf_printf(&doc[i], "and a line more, number %d\n", i);
    }
    Made m = plan_of(doc, N, NULL);
    EXPECT(m.ok && m.plan.count == N);
    EXPECT_MSG(m.plan.near_groups == N / 2 && m.plan.near_documents == N / 2, "%d groups",
               (int)m.plan.near_groups);
    for (int i = 0; m.ok && i < N; i += 2) EXPECT(m.plan.span[i].where == m.plan.span[i + 1].where);
    drop(&m);
    for (int i = 0; i < N; i++) buf_free(&doc[i]);
}

TEST(the_choice_depends_on_the_text_and_not_on_the_order)
{
    enum { N = 400 };
    static Buf doc[N], turned[N];
    for (int i = 0; i < N; i++) write_book(&doc[i], (uint64_t)(i + 1), 8);
    for (int i = 0; i < N; i++) turned[i] = doc[N - 1 - i];
    Made a = plan_of(doc, N, NULL), b = plan_of(turned, N, NULL);
    EXPECT(a.ok && b.ok);
    for (int i = 0; i < N; i++) EXPECT(a.plan.span[i].where == b.plan.span[N - 1 - i].where);
    drop(&a);
    drop(&b);
    for (int i = 0; i < N; i++) buf_free(&doc[i]);
}

TEST(a_template_used_everywhere_is_not_held_out)
{
    enum { N = 400 };
    static Buf doc[N];
    for (int i = 0; i < N; i++) write_book(&doc[i], i < N / 2 ? 7 : (uint64_t)(i + 100), 8);
    Made m = plan_of(doc, N, NULL);
    EXPECT(m.ok);
    for (int i = 0; m.ok && i < N / 2; i++) EXPECT(m.plan.span[i].where == TIER_TRAIN);
    drop(&m);
    for (int i = 0; i < N; i++) buf_free(&doc[i]);
}

TEST(what_another_data_set_holds_out_is_held_out_here_in_the_same_tier)
{
    enum { N = 300 };
    static Buf doc[N];
    for (int i = 0; i < N; i++) write_book(&doc[i], (uint64_t)(i + 1), 8);
    Str text[] = { buf_view(&doc[10]), buf_view(&doc[20]), buf_view(&doc[30]) };
    int tier[] = { TIER_LOCKED, TIER_SEARCH, TIER_AUDIT };
    TierHeld held = { text, tier, 3 };
    Made m = plan_of(doc, N, &held);
    EXPECT(m.ok && m.plan.span[10].where == TIER_LOCKED);
    EXPECT(m.plan.span[20].where == TIER_SEARCH && m.plan.span[30].where == TIER_AUDIT);
    drop(&m);
    for (int i = 0; i < N; i++) buf_free(&doc[i]);
}

TEST(too_little_text_is_refused_with_how_much_is_needed)
{
    Buf small = { 0 };
    buf_str(&small, STR("a few words\n\nand a few more\n"));
    Made m = plan_of(&small, 1, NULL);
    EXPECT(!m.ok && m.err.code == ERR_CONFIG);
    EXPECT_MSG(strstr(m.err.msg, "28 bytes") && strstr(m.err.msg, "8 kB"), "%s", m.err.msg);
    drop(&m);
    buf_free(&small);
    write_book(&small, 3, 40);
    EXPECT(small.len > 8000 && small.len < 12000);
    m = plan_of(&small, 1, NULL);
    EXPECT_MSG(m.ok, "%s", m.err.msg);
    drop(&m);
    buf_free(&small);
}

/* Documents of one kind: an error near 0; half in one alphabet, half in another: near
 * half the difference over the root of how many there are. */
TEST(the_sampling_error_is_that_of_a_mean_of_documents)
{
    enum { N = 100 };
    Made m[2];
    for (int mixed = 0; mixed < 2; mixed++) {
        static Buf doc[N];
        for (int i = 0; i < N; i++) {
            buf_clear(&doc[i]);
            bool dull = mixed && i % 2;
            for (uint64_t k = 0; k < 2000; k++)
                buf_char(&doc[i],
                         (char)('a' + hash64_mix((uint64_t)i * 5000 + k) % (dull ? 2 : 16)));
        }
        m[mixed] = plan_of(doc, N, NULL);
    }
    double same = tiers_error(&m[0].raw, &m[0].raw), mixed = tiers_error(&m[1].raw, &m[1].raw);
    EXPECT_MSG(same < 0.001, "%g", same);
    /* Costs of about 4.0 and 1.1 bits: sd of a document 1.45 of a mean of 2.55, over 10. */
    EXPECT_MSG(mixed > 0.04 && mixed < 0.07, "%g", mixed);
    drop(&m[0]);
    drop(&m[1]);
}
