/* The same text again, exactly, nearly and in passages, against planted truth and plain code. */
#include "base/hash.h"
#include "base/progress.h"
#include "base/rand.h"
#include "data/dedup.h"
#include "tests/test.h"

/* `words` words drawn from 5000, the same for the same seed. */
static void write_words(Buf *out, uint64_t seed, int words)
{
    for (int i = 0; i < words; i++)
        buf_printf(out, "w%d%s", (int)(hash64_mix(seed * 1000003 + (uint64_t)i) % 5000),
                   i % 11 == 10 ? ".\n" : " ");
}

/* The same, with every `every`-th word replaced. */
static void write_edited(Buf *out, uint64_t seed, int words, int every)
{
    for (int i = 0; i < words; i++) {
        int word = (int)(hash64_mix(seed * 1000003 + (uint64_t)i) % 5000);
        buf_printf(out, "%c%d%s", i % every == every / 2 ? 'x' : 'w', word,
                   i % 11 == 10 ? ".\n" : " ");
    }
}

TEST(words_are_letters_and_digits_in_small_letters)
{
    const char *const want[] = { "It", "s", "12", "o", "Clock", "na\xc3\xafve" };
    DedupWords w = dedup_words(STR("  It's 12 o'Clock--na\xc3\xafve!"));
    int n = 0;
    for (; dedup_next(&w); n++)
        EXPECT_MSG(n < 6 && str_eq(w.word, str_of(want[n])), "word %d is %.*s", n, (int)w.word.len,
                   w.word.at);
    EXPECT(n == 6);
    DedupWords big = dedup_words(STR("CLOCK")), small = dedup_words(STR("clock"));
    EXPECT(dedup_next(&big) && dedup_next(&small) && big.hash == small.hash);
}

TEST(every_chinese_character_is_a_word)
{
    DedupWords w = dedup_words(STR("\xe4\xbd\xa0\xe5\xa5\xbd x\xe4\xbd\xa0"));
    int n = 0;
    while (dedup_next(&w)) n++;
    EXPECT(n == 4);
}

TEST(broken_bytes_do_not_stop_the_words)
{
    DedupWords w = dedup_words(STR("a\xff\xfe b\0c \xe4"));
    int n = 0;
    while (dedup_next(&w)) n++;
    EXPECT_MSG(n == 4, "%d words", n);
}

TEST(a_set_of_documents_knows_what_it_has_seen)
{
    DedupSet s = { 0 };
    char text[32];
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < 5000; i++) {
            Str doc = { text, snprintf(text, sizeof(text), "document %d", i) };
            EXPECT(dedup_set_add(&s, dedup_key(doc)) == (turn == 0));
        }
    EXPECT(s.count == 5000);
    EXPECT(dedup_set_has(&s, dedup_key(STR("document 17"))));
    EXPECT(!dedup_set_has(&s, dedup_key(STR("document 5000"))));
    dedup_set_free(&s);
}

/* Words 0..99 and 50..149 of one sequence of distinct words: 46 shingles of 146 in common. */
TEST(the_overlap_of_two_texts_is_that_of_their_shingles)
{
    Buf a = { 0 }, b = { 0 };
    for (int i = 0; i < 100; i++) buf_printf(&a, "word%d ", i), buf_printf(&b, "Word%d, ", i + 50);
    double found = dedup_jaccard(buf_view(&a), buf_view(&b));
    EXPECT_MSG(fabs(found - 46.0 / 146) < 1e-12, "%g", found);
    EXPECT(dedup_jaccard(buf_view(&a), buf_view(&a)) >= 1);
    EXPECT(dedup_jaccard(buf_view(&a), STR("too short")) <= 0);
    buf_free(&a);
    buf_free(&b);
}

/* An edit every k words spoils 5 shingles of k on either side: overlap (k-5)/(k+5), .9 at 100,
 * .33 at 10. */
TEST(near_duplicates_are_grouped_and_strangers_are_not)
{
    enum { N = 200 };
    static Buf doc[3 * N];
    static Str text[3 * N];
    static int64_t group[3 * N];
    Err err = { 0 };
    progress_quiet(true);
    for (int i = 0; i < N; i++) {
        write_words(&doc[i], (uint64_t)i, 300);
        write_edited(&doc[N + i], (uint64_t)i, 300, 100);
        write_edited(&doc[2 * N + i], (uint64_t)i, 300, 10);
    }
    for (int i = 0; i < 3 * N; i++) text[i] = buf_view(&doc[i]);
    EXPECT(dedup_near(text, 3 * N, group, &err));
    int near = 0, far = 0;
    for (int i = 0; i < N; i++) near += group[N + i] == i, far += group[2 * N + i] == 2 * N + i;
    EXPECT_MSG(near >= N - 1, "%d of %d near-duplicates found", near, N);
    EXPECT_MSG(far == N, "%d of %d strangers kept apart", far, N);
    for (int i = 0; i < 3 * N; i++) buf_free(&doc[i]);
}

/* ---- a planted set: copies with 5 to 40 % of their words changed ---- */

enum { PLANTED = 400, PLANTED_WORDS = 200 };

/* Story `s` with about `percent` of its words replaced by others. */
static void write_planted(Buf *b, uint64_t story, int percent, uint64_t draw)
{
    Rand r = rand_stream(story, "planted"), e = rand_stream(draw, "edits");
    for (int i = 0; i < PLANTED_WORDS; i++) {
        uint64_t word = rand_below(&r, 50000);
        if ((int)rand_below(&e, 100) < percent) word = 50000 + rand_below(&e, 50000);
        buf_printf(b, "w%llu ", (unsigned long long)word);
    }
}

/* Jaccard of the sets of five words in a row, compared as text. */
static double plain_overlap(Str a, Str b)
{
    static char row[2][PLANTED_WORDS][80];
    int n[2] = { 0, 0 }, both = 0;
    for (int k = 0; k < 2; k++) {
        Str rest = k ? b : a, word[PLANTED_WORDS + 1];
        int words = 0;
        while (words < PLANTED_WORDS && str_cut(&rest, ' ', &word[words])) words++;
        for (int i = 0; i + 5 <= words; i++) {
            ptrdiff_t len = word[i + 4].at + word[i + 4].len - word[i].at;
            snprintf(row[k][n[k]], sizeof(row[k][0]), "%.*s", (int)len, word[i].at);
            bool seen = false;
            for (int j = 0; j < n[k] && !seen; j++) seen = strcmp(row[k][j], row[k][n[k]]) == 0;
            n[k] += !seen;
        }
    }
    for (int i = 0; i < n[0]; i++)
        for (int j = 0; j < n[1]; j++) both += strcmp(row[0][i], row[1][j]) == 0;
    return (double)both / (double)(n[0] + n[1] - both);
}

/* Precision is 1 by construction; recall is what the curve of the bands promises for the overlaps
 * that the edits left. */
TEST(planted_copies_are_found_as_often_as_the_curve_says_and_nothing_else_is)
{
    static Buf doc[2 * PLANTED];
    static Str text[2 * PLANTED];
    static int64_t group[2 * PLANTED];
    static const DedupNear shapes[] = { { 0 }, { .bands = 20, .rows = 5, .same = 0.5 } };
    Err err = { 0 };
    progress_quiet(true);
    for (int i = 0; i < PLANTED; i++) {
        write_planted(&doc[i], (uint64_t)i, 0, 0);
        write_planted(&doc[PLANTED + i], (uint64_t)i, i % 2 ? 5 * (1 + i / 2 % 8) : i / 2 % 7,
                      7000 + (uint64_t)i);
        text[i] = buf_view(&doc[i]), text[PLANTED + i] = buf_view(&doc[PLANTED + i]);
    }
    for (int k = 0; k < COUNT(shapes); k++) {
        double same = k ? 0.5 : 0.7, expected = 0, variance = 0;
        int found = 0, wrong = 0, there = 0;
        EXPECT(dedup_near_with(&shapes[k], text, 2 * PLANTED, group, &err));
        for (int i = 0; i < PLANTED; i++) {
            double overlap = plain_overlap(text[i], text[PLANTED + i]);
            double chance = dedup_near_chance(&shapes[k], overlap);
            bool near = overlap >= same;
            there += near;
            expected += near ? chance : 0;
            variance += near ? chance * (1 - chance) : 0;
            found += near && group[PLANTED + i] == i;
            wrong += group[i] != i || (!near && group[PLANTED + i] != PLANTED + i);
        }
        EXPECT_MSG(wrong == 0, "%d texts are grouped that are not near", wrong);
        EXPECT_MSG(there > 60 && fabs(found - expected) < 4 * sqrt(variance) + 1,
                   "%d of %d found, expected %.1f", found, there, expected);
        printf("# %d x %d from %.1f: %d of %d found, the curve says %.1f\n",
               shapes[k].bands ? shapes[k].bands : 14, shapes[k].rows ? shapes[k].rows : 8, same,
               found, there, expected);
    }
    for (int i = 0; i < 2 * PLANTED; i++) buf_free(&doc[i]);
}

TEST(the_chance_of_a_candidate_is_the_published_one)
{
    DedupNear usual = { 0 }, other = { .bands = 9, .rows = 13 };
    EXPECT(fabs(dedup_near_chance(&usual, 0.7) - 0.564) < 0.002); /* FineWeb: 56, 77, 92, 98.8 % */
    EXPECT(fabs(dedup_near_chance(&usual, 0.75) - 0.772) < 0.002);
    EXPECT(fabs(dedup_near_chance(&usual, 0.8) - 0.924) < 0.002);
    EXPECT(fabs(dedup_near_chance(&usual, 0.85) - 0.988) < 0.002);
    EXPECT(fabs(dedup_near_chance(&other, 0.8) - (1 - pow(1 - pow(0.8, 13), 9))) < 1e-12);
}

TEST(little_memory_gives_the_same_groups)
{
    enum { N = 600 };
    static Buf doc[N];
    static Str text[N];
    static int64_t much[N], little[N];
    Err err = { 0 };
    DedupNear how = { .memory = 8192 }, bad = { .bands = 100, .rows = 100 };
    progress_quiet(true);
    for (int i = 0; i < N; i++) {
        write_planted(&doc[i], (uint64_t)(i % 150), i % 5, (uint64_t)i);
        text[i] = buf_view(&doc[i]);
    }
    EXPECT(dedup_near(text, N, much, &err) && dedup_near_with(&how, text, N, little, &err));
    EXPECT(memcmp(much, little, sizeof(much)) == 0 && much[450] == 0);
    EXPECT(!dedup_near_with(&bad, text, N, little, &err) && err.code == ERR_CONFIG);
    for (int i = 0; i < N; i++) buf_free(&doc[i]);
}

/* 45 hashes: the last five are no whole vector. */
TEST(wide_instructions_change_no_group)
{
    enum { N = 400 };
    static Buf doc[N];
    static Str text[N];
    static int64_t wide[N], narrow[N];
    Err err = { 0 };
    DedupNear how = { .bands = 9, .rows = 5, .same = 0.2 };
    int joined = 0;
    for (int i = 0; i < N; i++) {
        write_planted(&doc[i], (uint64_t)(i % 200), i < 200 ? 0 : 8, (uint64_t)i);
        text[i] = buf_view(&doc[i]);
    }
    EXPECT(dedup_near_with(&how, text, N, wide, &err));
    dedup_near_narrow = true;
    EXPECT(dedup_near_with(&how, text, N, narrow, &err));
    dedup_near_narrow = false;
    for (int i = 200; i < N; i++) joined += wide[i] == i - 200;
    EXPECT_MSG(joined > 10 && joined < 190, "%d pairs are candidates", joined); /* a close call */
    EXPECT(memcmp(wide, narrow, sizeof(wide)) == 0);
    for (int i = 0; i < N; i++) buf_free(&doc[i]);
}

TEST(short_texts_are_not_grouped)
{
    Err err = { 0 };
    int64_t group[2];
    Str text[] = { STR("only a few words here and no more"),
                   STR("only a few words here and no more") };
    EXPECT(dedup_near(text, 2, group, &err) && group[0] == 0 && group[1] == 1);
    EXPECT(dedup_near(text, 0, group, &err));
}

/* A passage is found from thirteen words on, and no further than it goes. */
TEST(passages_of_thirteen_words_are_found_and_of_twelve_are_not)
{
    Buf held = { 0 }, text = { 0 };
    DedupGrams g = { 0 };
    DedupPassage p = { 0 };
    write_words(&held, 1, 100);
    dedup_grams_add(&g, buf_view(&held));
    for (int length = 11; length <= 15; length++) {
        buf_clear(&text);
        write_words(&text, 2, 30);
        ptrdiff_t begin = text.len;
        DedupWords w = dedup_words(buf_view(&held));
        for (int i = 0; i < 20 + length && dedup_next(&w); i++)
            if (i >= 20) buf_printf(&text, "%.*s-", (int)w.word.len, w.word.at);
        ptrdiff_t end = text.len - 1, from = 0;
        write_words(&text, 3, 30);
        bool found = dedup_grams_find(&g, buf_view(&text), &from, &p);
        EXPECT(found == (length >= 13));
        if (!found) continue;
        EXPECT(p.at.at == text.at + begin && p.at.len == end - begin && p.words == length);
        EXPECT(!p.common && !dedup_grams_find(&g, buf_view(&text), &from, &p));
    }
    buf_free(&held);
    buf_free(&text);
    dedup_grams_free(&g);
}

TEST(all_passages_of_a_text_are_found_in_order)
{
    Buf held = { 0 }, text = { 0 };
    DedupGrams g = { 0 };
    write_words(&held, 1, 40);
    dedup_grams_add(&g, buf_view(&held));
    ptrdiff_t at[3];
    for (int i = 0; i < 3; i++) {
        write_words(&text, (uint64_t)(10 + i), 25);
        at[i] = text.len;
        buf_str(&text, buf_view(&held));
    }
    ptrdiff_t from = 0;
    int n = 0;
    for (DedupPassage p; dedup_grams_find(&g, buf_view(&text), &from, &p); n++)
        EXPECT(n < 3 && p.at.at == text.at + at[n] && p.words == 40);
    EXPECT(n == 3);
    EXPECT(fabs(dedup_grams_share(&g, buf_view(&text)) - 3 * 28 / (195.0 - 12)) < 1e-12);
    buf_free(&held);
    buf_free(&text);
    dedup_grams_free(&g);
}

TEST(a_run_in_more_than_ten_documents_is_common)
{
    Buf held = { 0 };
    DedupGrams g = { 0 };
    DedupPassage p = { 0 };
    write_words(&held, 1, 20);
    dedup_grams_add(&g, buf_view(&held));
    for (int i = 0; i < 11; i++) {
        ptrdiff_t from = 0;
        EXPECT(dedup_grams_find(&g, buf_view(&held), &from, &p) && !p.common);
        for (int twice = 0; twice < 2; twice++) dedup_grams_count(&g, buf_view(&held), i);
    }
    ptrdiff_t from = 0;
    EXPECT(dedup_grams_find(&g, buf_view(&held), &from, &p) && p.common);
    buf_free(&held);
    dedup_grams_free(&g);
}
