/* tokenizer_split.c - where words are cut before pairs are merged.
 *
 * The rules are two patterns, each an ordered choice at each place.  GPT-2's (Radford et al. 2019):
 *
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * and GPT-4's (cl100k_base in OpenAI's tiktoken):
 *
 *     (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
 *      ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *
 * written out by hand: the choices begin with different classes of characters, so one look at
 * the first one or two characters decides, and no backtracking is left but one step back at the
 * end of white space.  A regular expression engine gives the same cuts (the tests compare with
 * PCRE2, for every code point) at a fraction of the speed, overflows its stack on a long line, and
 * does not say what a byte is that is no UTF-8.  Here it is a character of its own, neither letter,
 * number nor space; so every byte survives.
 *
 * Letters and numbers are those of one version of Unicode, kept in tokenizer_unicode.h.  ASCII has
 * a table of bytes; the rest one of two bits a code point, laid out at first use: a binary search
 * in the ranges would be half of the time of encoding Russian. */
#include <string.h>

#include "data/tokenizer_parts.h"
#include "data/tokenizer_unicode.h"

enum { OTHER, LETTER, NUMBER, SPACE, WIDE };
enum { CODE_POINTS = 0x110000 };

/* ---- classes ---- */

#define L8 LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER
#define L26 L8, L8, L8, LETTER, LETTER
#define N10 NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER
#define W16                                                                                        \
    WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE
static const unsigned char class_of_byte[256] = {
    [9] = SPACE, SPACE, SPACE, SPACE, SPACE, [' '] = SPACE, ['0'] = N10, ['A'] = L26, ['a'] = L26,
    [128] = W16, W16,   W16,   W16,   W16,   W16,           W16,         W16,
};

static unsigned char wide_class[CODE_POINTS / 4]; /* two bits each */
static pthread_once_t wide_class_once = PTHREAD_ONCE_INIT;

static void mark(unsigned first, unsigned last, unsigned class)
{
    for (unsigned c = first; c <= last; c++)
        wide_class[c / 4] |= (unsigned char)(class << (c % 4 * 2));
}

/* Space is Unicode's White_Space. */
static void lay_out_classes(void)
{
    static const UnicodeRange spaces[] = { { 0x85, 0x85 },     { 0xA0, 0xA0 },
                                           { 0x1680, 0x1680 }, { 0x2000, 0x200A },
                                           { 0x2028, 0x2029 }, { 0x202F, 0x202F },
                                           { 0x205F, 0x205F }, { 0x3000, 0x3000 } };
    for (int i = 0; i < COUNT(unicode_letters); i++)
        mark(unicode_letters[i].first, unicode_letters[i].last, LETTER);
    for (int i = 0; i < COUNT(unicode_numbers); i++)
        mark(unicode_numbers[i].first, unicode_numbers[i].last, NUMBER);
    for (int i = 0; i < COUNT(spaces); i++) mark(spaces[i].first, spaces[i].last, SPACE);
}

static unsigned code_point(const unsigned char *s, int len)
{
    if (len == 2) return (s[0] & 0x1Fu) << 6 | (s[1] & 0x3Fu);
    if (len == 3) return (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
    return (s[0] & 0x07u) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6 | (s[3] & 0x3Fu);
}

/* Of a character that begins with a byte over 127. */
static int class_wide(const char *s, const char *end, int *len)
{
    int n = utf8_len(s, end);
    *len = n < 2 ? 1 : n;
    if (n < 2) return OTHER;
    pthread_once(&wide_class_once, lay_out_classes);
    unsigned c = code_point((const unsigned char *)s, n);
    return wide_class[c / 4] >> (c % 4 * 2) & 3;
}

/* Class of the character at s < end, and its length. */
static inline int class_at(const char *s, const char *end, int *len)
{
    int class = class_of_byte[(unsigned char)*s];
    *len = 1;
    return class == WIDE ? class_wide(s, end, len) : class;
}

static inline const char *skip(const char *s, const char *end, int class)
{
    for (int len;; s += len) {
        while (s < end && class_of_byte[(unsigned char)*s] == class) s++;
        if (s == end || class_of_byte[(unsigned char)*s] != WIDE) return s;
        if (class_wide(s, end, &len) != class) return s;
    }
}

/* ---- what both patterns have ---- */

static bool is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

/* 's 't 'm 'd 're 've 'll, by their letters in small: their length, or 0. */
static int contraction_of(char a, char b)
{
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

/* White space leaves its last character to what follows, unless it is alone or at the end. */
static const char *skip_space(const char *s, const char *end)
{
    const char *last = s, *p = s;
    int len;
    while (p < end && class_at(p, end, &len) == SPACE) {
        last = p;
        p += len;
    }
    return p == end || last == s ? p : last;
}

/* ---- GPT-2 ---- */

static ptrdiff_t gpt2_piece(const char *s, const char *end)
{
    if (*s == '\'' && end - s > 1) {
        int known = contraction_of(s[1], end - s > 2 ? s[2] : 0);
        if (known) return known;
    }
    int len;
    const char *word = s + (*s == ' ' && end - s > 1);
    int class = class_at(word, end, &len);
    if (class == SPACE) return skip_space(s, end) - s;
    return skip(word + len, end, class) - s;
}

/* ---- GPT-4 ---- */

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
}

/* Case aside: also the long s, U+017F, is an s then. */
static int gpt4_contraction(const char *s, const char *end)
{
    if (end - s < 2) return 0;
    if (end - s > 2 && s[1] == '\xC5' && s[2] == '\xBF') return 3;
    return contraction_of(small(s[1]), end - s > 2 ? small(s[2]) : 0);
}

/* \s*[\r\n]+ is a run of white space up to its last line end. */
static ptrdiff_t gpt4_space(const char *s, const char *end)
{
    const char *lines = NULL;
    int len;
    for (const char *p = s; p < end && class_at(p, end, &len) == SPACE; p += len)
        if (is_line_end(*p)) lines = p + 1;
    return (lines ? lines : skip_space(s, end)) - s;
}

static ptrdiff_t gpt4_number(const char *s, const char *end)
{
    const char *p = s;
    int len;
    for (int i = 0; i < 3 && p < end && class_at(p, end, &len) == NUMBER; i++) p += len;
    return p - s;
}

static ptrdiff_t gpt4_piece(const char *s, const char *end)
{
    int len, more;
    int known = *s == '\'' ? gpt4_contraction(s, end) : 0;
    if (known) return known;
    int class = class_at(s, end, &len);
    if (class == LETTER) return skip(s + len, end, LETTER) - s;
    if (class == NUMBER) return gpt4_number(s, end);
    if (!is_line_end(*s) && s + len < end && class_at(s + len, end, &more) == LETTER)
        return skip(s + len + more, end, LETTER) - s;
    const char *word = s + (*s == ' ' && end - s > 1);
    if (class_at(word, end, &more) != OTHER) return gpt4_space(s, end);
    const char *p = skip(word + more, end, OTHER);
    while (p < end && is_line_end(*p)) p++;
    return p - s;
}

/* ---- both ---- */

static ptrdiff_t (*const pieces[])(const char *, const char *) = { gpt2_piece, gpt4_piece };

ptrdiff_t tokenizer_piece(TokenizerWords words, Str text)
{
    return pieces[words](text.at, text.at + text.len);
}

/* Where the character before `at` begins; a byte that is no part of one is one. */
static const char *step_back(const char *begin, const char *at)
{
    for (int n = 2; n <= 4 && n <= at - begin; n++)
        if (utf8_len(at - n, at) == n) return at - n;
    return at - 1;
}

/* No piece of either pattern goes on from a letter to anything else but a letter. */
ptrdiff_t tokenizer_cut(Str text, ptrdiff_t about)
{
    const char *end = text.at + text.len, *at = text.at + about;
    int len;
    if (about >= text.len) return text.len;
    while (at < end && ((unsigned char)*at & 0xC0) == 0x80) at++;
    for (const char *before; at < end; at += len) {
        int class = class_at(at, end, &len);
        before = at > text.at ? step_back(text.at, at) : at;
        int more;
        if (class != LETTER && before < at && class_at(before, at, &more) == LETTER)
            return at - text.at;
    }
    return text.len;
}
