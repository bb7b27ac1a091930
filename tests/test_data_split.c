/* Where words are cut, against PCRE2 running the two patterns themselves: on random text of the
 * characters whose order matters, and on every code point in the places that matter. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/rand.h"
#include "data/tokenizer_parts.h"
#include "tests/test.h"

static const char *const pattern[] = {
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
};

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
    static pcre2_match_data *m;
    if (!m) m = pcre2_match_data_create(2, NULL);
    int n = pcre2_match(re, (PCRE2_SPTR)text.at, (PCRE2_SIZE)text.len, (PCRE2_SIZE)at,
                        PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK, m, NULL);
    PCRE2_SIZE *v = pcre2_get_ovector_pointer(m);
    return n > 0 ? (ptrdiff_t)(v[1] - v[0]) : 0;
}

static void put_utf8(Buf *b, unsigned c)
{
    if (c < 0x80) {
        buf_char(b, (char)c);
        return;
    }
    if (c >= 0x10000)
        buf_char(b, (char)(0xF0 | c >> 18));
    else
        buf_char(b, (char)(c < 0x800 ? 0xC0 | c >> 6 : 0xE0 | c >> 12));
    if (c >= 0x10000) buf_char(b, (char)(0x80 | (c >> 12 & 63)));
    if (c >= 0x800) buf_char(b, (char)(0x80 | (c >> 6 & 63)));
    buf_char(b, (char)(0x80 | (c & 63)));
}

/* Characters whose order decides cuts: classes meet often. */
static unsigned random_character(Rand *r)
{
    static const unsigned some[] = {
        ' ',    ' ',    ' ',    '\n',  '\n',    '\t',   '\r',  '\'',    '\'',   's',    't',
        'r',    'e',    'v',    'm',   'l',     'd',    'S',   'R',     'E',    'L',    'T',
        'V',    '1',    '9',    '.',   '!',     0xA0,   0x85,  0x2003,  0x2028, 0x3000, 0xE9,
        0xB2,   0x416,  0x4E2D, 0x660, 0x17F,   0x200D, 0x301, 0x1F600, 0x1C,   0x0,    0x7F,
        0x200B, 0xFEFF, 0x2160, 0xAA,  0x1D7CE, 0x0B,   0x0C,  0x212A,
    };
    return some[rand_below(r, COUNT(some))];
}

/* True if every cut is where PCRE2 cuts. */
static bool same_cuts(TokenizerWords words, const pcre2_code *re, Str text)
{
    for (Str rest = text; rest.len > 0;) {
        ptrdiff_t len = tokenizer_piece(words, rest);
        if (len <= 0 || len != match_len(re, text, text.len - rest.len)) return false;
        rest.at += len;
        rest.len -= len;
    }
    return true;
}

TEST(random_text_is_cut_where_pcre2_cuts_it)
{
    Rand r = rand_stream(1, "cuts");
    Buf text = { 0 };
    for (int words = WORDS_GPT2; words <= WORDS_GPT4; words++) {
        pcre2_code *re = compile(pattern[words]);
        for (int round = 0; round < 20000 && !test_failures; round++) {
            buf_clear(&text);
            for (uint64_t n = 1 + rand_below(&r, 24); n > 0; n--)
                put_utf8(&text, random_character(&r));
            EXPECT_MSG(same_cuts((TokenizerWords)words, re, buf_view(&text)), "%s, round %d",
                       tokenizer_words_names[words], round);
        }
        pcre2_code_free(re);
    }
    buf_free(&text);
}

/* What the tokenizer takes c for: "aC" is one word of GPT-2's if C is a letter, "1C" if it is a
 * number; of "CCx" the first word is one C if it is a space. */
static char class_of(const char *c)
{
    char text[16];
    int n = (int)strlen(c);
    snprintf(text, sizeof(text), "a%s", c);
    if (tokenizer_piece(WORDS_GPT2, str_of(text)) == 1 + n) return 'L';
    text[0] = '1';
    if (tokenizer_piece(WORDS_GPT2, str_of(text)) == 1 + n) return 'N';
    snprintf(text, sizeof(text), "%s%sx", c, c);
    return tokenizer_piece(WORDS_GPT2, str_of(text)) == n ? 'S' : 'O';
}

typedef struct Classes {
    pcre2_code *letter, *number, *space;
} Classes;

static char their_class(const Classes *k, const char *c)
{
    Str text = str_of(c);
    if (match_len(k->letter, text, 0) > 0) return 'L';
    if (match_len(k->number, text, 0) > 0) return 'N';
    return match_len(k->space, text, 0) > 0 ? 'S' : 'O';
}

/* In the places where its class decides something. */
static bool same_in_context(const char *c, pcre2_code *const re[2])
{
    static const char *const context[] = { "%s",  "%s%s",   "a%s",    "%sa",     " %s",
                                           "%s ", "  %sb",  "%s\\n",  "\\n%s",   "1%s1%s",
                                           "'%s", "'s%sre", "!%s\\n", "%s%s%s%s" };
    char text[64];
    for (int i = 0; i < COUNT(context); i++) {
        Buf b = { 0 };
        for (const char *f = context[i]; *f; f++) {
            if (f[0] == '%' && f[1] == 's')
                buf_str(&b, str_of(c)), f++;
            else if (f[0] == '\\')
                buf_char(&b, '\n'), f++;
            else
                buf_char(&b, *f);
        }
        memcpy(text, b.at, (size_t)b.len);
        Str whole = { text, b.len };
        buf_free(&b);
        for (int words = WORDS_GPT2; words <= WORDS_GPT4; words++)
            if (!same_cuts((TokenizerWords)words, re[words], whole)) return false;
    }
    return true;
}

/* The class of each code point; the cuts around it where classes change, and for one in 32.  A
 * library with a newer Unicode knows letters that ours does not; never the other way round. */
TEST(every_code_point_is_cut_as_pcre2_cuts_it)
{
    char version[64] = "";
    pcre2_config(PCRE2_CONFIG_UNICODE_VERSION, version);
    Classes k = { compile("\\p{L}"), compile("\\p{N}"), compile("\\s") };
    pcre2_code *re[2] = { compile(pattern[0]), compile(pattern[1]) };
    int ours = 0, theirs = 0, known = 0;
    char before = 0;
    for (unsigned c = 1; c < 0x110000; c++) {
        if (c >= 0xD800 && c < 0xE000) continue;
        if (c == 0x180E) continue; /* no space since Unicode 6.3; PCRE2 keeps it as one */
        Buf b = { 0 };
        put_utf8(&b, c);
        char own = class_of(b.at), other = their_class(&k, b.at);
        known += own == 'L' || own == 'N';
        bool look = own != before || c % 32 == 0;
        before = own;
        if (own == other)
            EXPECT_MSG(!look || same_in_context(b.at, re), "U+%04X (%c)", c, own);
        else if (other == 'O')
            ours++;
        else if (own == 'O')
            theirs++;
        else
            EXPECT_MSG(false, "U+%04X is %c, not %c", c, own, other);
        buf_free(&b);
    }
    EXPECT(known > 140000);
    EXPECT_MSG(atof(version) > 16 ? ours == 0 : theirs == 0, "Unicode %s: ours %d, theirs %d",
               version, ours, theirs);
    pcre2_code_free(k.letter);
    pcre2_code_free(k.number);
    pcre2_code_free(k.space);
    for (int i = 0; i < 2; i++) pcre2_code_free(re[i]);
}

/* The cuts of a text, as one number. */
static void put_cuts(TokenizerWords words, Str text, Buf *cuts)
{
    for (Str rest = text; rest.len > 0;) {
        ptrdiff_t len = tokenizer_piece(words, rest);
        buf_put(cuts, &len, sizeof(len));
        rest.at += len;
        rest.len -= len;
    }
}

TEST(text_cut_in_parts_has_the_words_of_the_whole)
{
    Rand r = rand_stream(2, "parts");
    Buf text = { 0 }, whole = { 0 }, parts = { 0 };
    int cut = 0;
    for (int round = 0; round < 4000; round++) {
        TokenizerWords words = round % 2 ? WORDS_GPT4 : WORDS_GPT2;
        buf_clear(&text);
        buf_clear(&whole);
        buf_clear(&parts);
        for (uint64_t n = 1 + rand_below(&r, 60); n > 0; n--) {
            if (rand_below(&r, 8) == 0)
                buf_char(&text, (char)rand_below(&r, 256)); /* also broken */
            else
                put_utf8(&text, random_character(&r));
        }
        put_cuts(words, buf_view(&text), &whole);
        for (Str rest = buf_view(&text); rest.len > 0;) {
            ptrdiff_t len = tokenizer_cut(rest, (ptrdiff_t)rand_below(&r, 20));
            cut += len > 0 && len < rest.len;
            if (len == 0) len = tokenizer_cut(rest, 1);
            put_cuts(words, (Str){ rest.at, len }, &parts);
            rest.at += len;
            rest.len -= len;
        }
        EXPECT_MSG(str_eq(buf_view(&whole), buf_view(&parts)), "round %d", round);
    }
    EXPECT_MSG(cut > 4000, "only %d cuts", cut);
    buf_free(&text);
    buf_free(&whole);
    buf_free(&parts);
}
