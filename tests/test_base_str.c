/* Text: slices, the buffer, numbers, units, UTF-8. */
#include "base/str.h"
#include "tests/test.h"

TEST(slices_compare_by_bytes_then_length)
{
    EXPECT(str_eq(STR("abc"), str_of("abc")) && !str_eq(STR("abc"), STR("abd")));
    EXPECT(str_eq(STR(""), str_of(NULL)));
    EXPECT(str_cmp(STR("ab"), STR("abc")) < 0 && str_cmp(STR("b"), STR("abc")) > 0);
    EXPECT(str_cmp(STR("\xff"), STR("a")) > 0 && str_cmp(STR("x"), STR("x")) == 0);
    EXPECT(str_starts(STR("lathe"), STR("la")) && !str_starts(STR("la"), STR("lathe")));
    EXPECT(str_ends(STR("a.gz"), STR(".gz")) && !str_ends(STR("gz"), STR(".gz")));
    EXPECT(str_eq(str_trim(STR(" \t a b\r\n")), STR("a b")) && str_trim(STR("  ")).len == 0);
}

TEST(cutting_gives_every_piece_and_empty_ones_too)
{
    const char *expect[] = { "a", "", "bc", "" };
    Str rest = STR("a,,bc,"), piece;
    int n = 0;
    for (; str_cut(&rest, ',', &piece) && n < 4; n++) EXPECT(str_eq(piece, str_of(expect[n])));
    EXPECT(n == 4 && !str_cut(&rest, ',', &piece));
    rest = STR("");
    EXPECT(str_cut(&rest, ',', &piece) && piece.len == 0 && !str_cut(&rest, ',', &piece));
}

TEST(distance_counts_insertions_deletions_replacements_and_swaps)
{
    EXPECT(str_distance("", "") == 0 && str_distance("", "abc") == 3 &&
           str_distance("abc", "") == 3);
    EXPECT(str_distance("optim.lr", "optim.rl") == 1);
    EXPECT(str_distance("kitten", "sitting") == 3);
    EXPECT(str_distance("a cat", "an abct") == 4); /* 3 if a swapped pair could be edited again */
    char longer[400];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = 0;
    EXPECT(str_distance(longer, "x") > 100);
}

TEST(numbers_are_read_whole_or_not_at_all)
{
    double x = 0;
    int64_t i = 0;
    EXPECT(str_to_double(STR("3e-3"), &x) && x == 3e-3);
    EXPECT(str_to_double(STR("+5"), &x) && x == 5);
    const char *bad[] = { "", " 1", "1 ", "1x", "0x10", "inf", "nan", "1e999", "--1", "1,5", "e" };
    for (int k = 0; k < COUNT(bad); k++)
        EXPECT_MSG(!str_to_double(str_of(bad[k]), &x), "\"%s\" was read as a number", bad[k]);
    Str slice = { "12345", 3 };
    EXPECT(str_to_i64(slice, &i) && i == 123);
    EXPECT(str_to_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
    EXPECT(!str_to_i64(STR("9223372036854775808"), &i) && !str_to_i64(STR("1.0"), &i));
}

TEST(the_shortest_number_reads_back_to_the_same_double)
{
    char out[32];
    EXPECT(strcmp(str_number(out, 0.1), "0.1") == 0);
    EXPECT(strcmp(str_number(out, 100000), "100000") == 0);
    EXPECT(strcmp(str_number(out, 1e-5), "1e-05") == 0);
    uint64_t bits = 1;
    for (int i = 0; i < 20000; i++) {
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        double x, back = 0;
        memcpy(&x, &bits, sizeof(x));
        if (!isfinite(x)) continue;
        str_number(out, x);
        EXPECT_MSG(str_to_double(str_of(out), &back) && back == x, "%a became %s", x, out);
    }
}

TEST(a_buffer_grows_and_stays_terminated)
{
    Buf b = { 0 };
    for (int i = 0; i < 1000; i++) buf_printf(&b, "%d,", i);
    EXPECT(b.len == 3890 && b.at[b.len] == 0);
    buf_clear(&b);
    EXPECT(b.len == 0 && b.at[0] == 0);
    buf_put(&b, "a\0b", 3);
    buf_char(&b, 'c');
    EXPECT(b.len == 4 && memcmp(b.at, "a\0bc", 5) == 0);
    EXPECT(str_eq(buf_view(&b), (Str){ "a\0bc", 4 }));
    buf_free(&b);
    EXPECT(b.at == NULL && b.cap == 0);
}

TEST(units_are_rounded_to_what_people_read)
{
    char out[32];
    EXPECT(strcmp(str_bytes(out, 999), "999 B") == 0);
    EXPECT(strcmp(str_bytes(out, 1234567), "1.2 MB") == 0);
    EXPECT(strcmp(str_bytes(out, 64000), "64 kB") == 0);
    EXPECT(strcmp(str_bytes(out, 999999), "1.0 MB") == 0);
    EXPECT(strcmp(str_seconds(out, 192), "3 min 12 s") == 0);
    EXPECT(strcmp(str_seconds(out, 0.0421), "0.0421 s") == 0);
    EXPECT(strcmp(str_seconds(out, 9.94), "9.9 s") == 0);
    EXPECT(strcmp(str_seconds(out, 59.7), "1 min 0 s") == 0);
    EXPECT(strcmp(str_seconds(out, 7500), "2 h 5 min") == 0);
    EXPECT(strcmp(str_seconds(out, 100 * 3600), "4 d 4 h") == 0);
    EXPECT(strcmp(str_count(out, 12345), "12,345") == 0);
    EXPECT(strcmp(str_count(out, -1234567), "-1,234,567") == 0);
    EXPECT(strcmp(str_count(out, 999), "999") == 0 && strcmp(str_count(out, -0.2), "0") == 0);
}

/* Every sequence of up to four bytes from the interesting ones, against the definition:
 * decode, and accept what encodes to the same bytes and is a scalar value. */
static int utf8_by_definition(const unsigned char *s, int have)
{
    uint32_t c = s[0];
    int len = c < 0x80             ? 1
              : (c & 0xE0) == 0xC0 ? 2
              : (c & 0xF0) == 0xE0 ? 3
              : (c & 0xF8) == 0xF0 ? 4
                                   : 0;
    if (len == 0 || len > have) return 0;
    c &= len == 1 ? 0x7F : 0xFFu >> (len + 1);
    for (int i = 1; i < len; i++) {
        if ((s[i] & 0xC0) != 0x80) return 0;
        c = c << 6 | (s[i] & 0x3F);
    }
    const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    return c >= least[len] && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF) ? len : 0;
}

TEST(utf8_accepts_exactly_the_well_formed)
{
    const unsigned char edge[] = { 0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0,
                                   0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC,
                                   0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF };
    const int n = (int)COUNT(edge);
    for (int i = 0; i < n * n * n * n; i++) {
        const unsigned char s[4] = { edge[i % n], edge[i / n % n], edge[i / n / n % n],
                                     edge[i / n / n / n] };
        for (int have = 1; have <= 4; have++) {
            int len = utf8_len((const char *)s, (const char *)s + have);
            if (len == utf8_by_definition(s, have)) continue;
            EXPECT_MSG(false, "%02x %02x %02x %02x of %d: %d", s[0], s[1], s[2], s[3], have, len);
            return;
        }
    }
    EXPECT(utf8_len("", "") == 0);
}
