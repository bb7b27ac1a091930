/* tokenizer_split.c - where words are cut before pairs are merged.
 *
 * The rule is GPT-2's pattern (Radford et al. 2019), an ordered choice at each place:
 *
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * written out by hand: the choices begin with different classes of characters, so one look at
 * the first one or two characters decides, and no backtracking is left but one step back at the
 * end of white space.  A regular expression engine gives the same cuts (the tests compare with
 * PCRE2) at a fraction of the speed, and does not say what a byte is that is no UTF-8.  Here it
 * is a character of its own, neither letter, number nor space; so every byte survives.
 *
 * Letters and numbers are those of one version of Unicode, kept in tokenizer_unicode.h. */
#include "data/tokenizer_parts.h"
#include "data/tokenizer_unicode.h"

enum { OTHER, LETTER, NUMBER, SPACE };

static bool in_ranges(const UnicodeRange *r, ptrdiff_t n, unsigned c)
{
    while (n > 0) {
        ptrdiff_t half = n / 2;
        if (c > r[half].last) {
            r += half + 1;
            n -= half + 1;
        } else if (c < r[half].first) {
            n = half;
        } else {
            return true;
        }
    }
    return false;
}

/* Unicode's White_Space beyond ASCII. */
static bool is_wide_space(unsigned c)
{
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

static int class_wide(unsigned c)
{
    if (c >= 0x3400 && c <= 0x4DBF) return LETTER; /* most of what is not ASCII, in some texts */
    if (c >= 0x4E00 && c <= 0x9FFF) return LETTER;
    if (in_ranges(unicode_letters, COUNT(unicode_letters), c)) return LETTER;
    if (in_ranges(unicode_numbers, COUNT(unicode_numbers), c)) return NUMBER;
    return is_wide_space(c) ? SPACE : OTHER;
}

static int class_ascii(unsigned char c)
{
    if ((unsigned char)((c | 32) - 'a') < 26) return LETTER;
    if ((unsigned char)(c - '0') < 10) return NUMBER;
    return c == ' ' || (c >= '\t' && c <= '\r') ? SPACE : OTHER;
}

static unsigned code_point(const unsigned char *s, int len)
{
    if (len == 2) return (s[0] & 0x1Fu) << 6 | (s[1] & 0x3Fu);
    if (len == 3) return (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
    return (s[0] & 0x07u) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6 | (s[3] & 0x3Fu);
}

/* Class of the character at s < end, and its length. */
static int class_at(const char *s, const char *end, int *len)
{
    unsigned char c = (unsigned char)*s;
    *len = 1;
    if (c < 0x80) return class_ascii(c);
    int n = utf8_len(s, end);
    if (n < 2) return OTHER;
    *len = n;
    return class_wide(code_point((const unsigned char *)s, n));
}

static const char *skip(const char *s, const char *end, int class)
{
    int len;
    while (s < end && class_at(s, end, &len) == class) s += len;
    return s;
}

/* 's 't 'm 'd 're 've 'll: their length, or 0. */
static int contraction(const char *s, const char *end)
{
    if (end - s < 2 || *s != '\'') return 0;
    char a = s[1], b = end - s > 2 ? s[2] : 0;
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

ptrdiff_t tokenizer_piece(Str text)
{
    const char *s = text.at, *end = s + text.len;
    int len = contraction(s, end);
    if (len) return len;
    const char *word = s + (*s == ' ' && text.len > 1);
    int class = class_at(word, end, &len);
    if (class == SPACE) return skip_space(s, end) - s;
    return skip(word + len, end, class) - s;
}
