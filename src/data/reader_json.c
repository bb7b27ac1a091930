/* reader_json.c - one string out of a line of JSON, without building the rest of it.
 *
 * A parser that makes a tree turns a line of "[1,1,1,..." into twenty times its size, which makes a
 * bomb of any large line, and spends its time on members that nobody asked for.  Here the line is
 * walked once: all of it is checked against the grammar (RFC 8259; a line that is almost JSON is a
 * bad line, as with any strict parser), only the wanted string is decoded.  Nesting is bounded, as
 * each level is a call.  Strings are passed over eight bytes at a time.
 *
 * Numbers are checked for their form alone: one too large for a double is no reason to lose a
 * document.  tests/fuzz/json.c holds all of this against jansson. */
#include "data/reader_json.h"

#include <string.h>

enum { NAMES = 16 };

typedef struct Scan {
    const char *at, *end;
    Str name[NAMES]; /* the path */
    int names, depth;
    Buf *out;
    bool found;
} Scan;

static void skip_space(Scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static bool take(Scan *s, char c)
{
    if (s->at == s->end || *s->at != c) return false;
    s->at++;
    return true;
}

/* ---- strings ---- */

/* Is one of eight bytes not plain: under 0x20, over 0x7f, a quote or a backslash? */
static bool is_special(uint64_t x)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    uint64_t quote = x ^ (ones * '"'), back = x ^ (ones * '\\');
    uint64_t hit = (x - ones * 0x20) | (quote - ones) | (back - ones) | x;
    return (hit & tops) != 0;
}

/* From s->at over plain bytes and whole characters; stops at what needs a look. */
static bool skip_plain(Scan *s)
{
    for (uint64_t eight; s->end - s->at >= 8; s->at += 8) {
        memcpy(&eight, s->at, 8);
        if (is_special(eight)) break;
    }
    while (s->at < s->end) {
        unsigned char c = (unsigned char)*s->at;
        if (c == '"' || c == '\\' || c < 0x20) return true;
        int len = c < 0x80 ? 1 : utf8_len(s->at, s->end);
        if (len == 0) return false;
        s->at += len;
        if (c < 0x80) continue;
        break; /* back to the fast way */
    }
    return true;
}

static bool hex4(Scan *s, unsigned *out)
{
    *out = 0;
    if (s->end - s->at < 4) return false;
    for (int i = 0; i < 4; i++) {
        char c = *s->at++;
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return false;
        *out = *out << 4 | (unsigned)digit;
    }
    return true;
}

static void put_character(Buf *out, unsigned code)
{
    if (code < 0x80) {
        buf_char(out, (char)code);
    } else if (code < 0x800) {
        buf_char(out, (char)(0xc0 | code >> 6));
    } else if (code < 0x10000) {
        buf_char(out, (char)(0xe0 | code >> 12));
        buf_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
    } else {
        buf_char(out, (char)(0xf0 | code >> 18));
        buf_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
        buf_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
    }
    if (code >= 0x80) buf_char(out, (char)(0x80 | (code & 0x3f)));
}

/* Behind "\u".  Half of a pair alone is no character. */
static bool unicode_escape(Scan *s, Buf *out)
{
    unsigned code, second;
    if (!hex4(s, &code)) return false;
    if (code >= 0xdc00 && code <= 0xdfff) return false;
    if (code >= 0xd800 && code <= 0xdbff) {
        if (!take(s, '\\') || !take(s, 'u') || !hex4(s, &second)) return false;
        if (second < 0xdc00 || second > 0xdfff) return false;
        code = 0x10000 + ((code - 0xd800) << 10) + (second - 0xdc00);
    }
    if (out) put_character(out, code);
    return true;
}

static bool escape(Scan *s, Buf *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (s->at == s->end) return false;
    char c = *s->at++;
    if (c == 'u') return unicode_escape(s, out);
    const char *which = memchr(from, c, sizeof(from) - 1);
    if (which && out) buf_char(out, to[which - from]);
    return which != NULL;
}

/* Behind the opening quote; decoded into `out` if there is one. */
static bool string(Scan *s, Buf *out)
{
    for (;;) {
        const char *begin = s->at;
        if (!skip_plain(s)) return false;
        if (out && s->at > begin) buf_put(out, begin, s->at - begin);
        if (s->at == s->end) return false;
        unsigned char c = (unsigned char)*s->at;
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        s->at++;
        if (c == '"') return true;
        if (c != '\\' || !escape(s, out)) return false;
    }
}

/* ---- values ---- */

static bool digits(Scan *s)
{
    const char *begin = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9') s->at++;
    return s->at > begin;
}

static bool number(Scan *s)
{
    (void)take(s, '-');
    if (!take(s, '0') && !digits(s)) return false;
    if (take(s, '.') && !digits(s)) return false;
    if (!take(s, 'e') && !take(s, 'E')) return true;
    if (!take(s, '+')) (void)take(s, '-');
    return digits(s);
}

static bool word(Scan *s, Str w)
{
    if (!str_starts((Str){ s->at, s->end - s->at }, w)) return false;
    s->at += w.len;
    return true;
}

static bool value(Scan *s, int level);

/* Does the name that was read lead on along the path?  `level` names have matched; -1: off it. */
static int next_level(const Scan *s, int level, Str name)
{
    return level >= 0 && level < s->names && str_eq(name, s->name[level]) ? level + 1 : -1;
}

static bool member_name(Scan *s, int *level)
{
    const char *begin = s->at;
    if (!string(s, NULL)) return false;
    Str raw = { begin, s->at - 1 - begin };
    if (*level < 0 || !memchr(raw.at, '\\', (size_t)raw.len)) {
        *level = next_level(s, *level, raw);
        return true;
    }
    Buf name = { 0 };
    Scan again = { .at = begin, .end = s->at };
    *level = string(&again, &name) ? next_level(s, *level, buf_view(&name)) : -1;
    buf_free(&name);
    return true;
}

static bool member(Scan *s, int level)
{
    skip_space(s);
    if (!take(s, '"') || !member_name(s, &level)) return false;
    skip_space(s);
    if (!take(s, ':')) return false;
    skip_space(s);
    if (level < 0) return value(s, -1);
    s->found = false; /* of repeated names the last counts */
    if (level < s->names || s->at == s->end || *s->at != '"') return value(s, level);
    s->at++;
    buf_clear(s->out);
    s->found = string(s, s->out);
    return s->found;
}

static bool object(Scan *s, int level)
{
    skip_space(s);
    if (take(s, '}')) return true;
    do {
        if (!member(s, level)) return false;
        skip_space(s);
    } while (take(s, ','));
    return take(s, '}');
}

static bool array(Scan *s)
{
    skip_space(s);
    if (take(s, ']')) return true;
    do {
        skip_space(s);
        if (!value(s, -1)) return false;
        skip_space(s);
    } while (take(s, ','));
    return take(s, ']');
}

static bool value(Scan *s, int level)
{
    if (s->at == s->end || s->depth == READERJSON_DEPTH) return false;
    s->depth++;
    bool ok;
    switch (*s->at) {
    case '{': s->at++, ok = object(s, level); break;
    case '[': s->at++, ok = array(s); break;
    case '"': s->at++, ok = string(s, NULL); break;
    case 't': ok = word(s, STR("true")); break;
    case 'f': ok = word(s, STR("false")); break;
    case 'n': ok = word(s, STR("null")); break;
    default: ok = number(s);
    }
    s->depth--;
    return ok;
}

ReaderJson readerjson_find(Str line, const char *field, Buf *out)
{
    Scan s = { .at = line.at, .end = line.at + line.len, .out = out };
    Str rest = str_of(field), name;
    while (s.names < NAMES && str_cut(&rest, '.', &name)) s.name[s.names++] = name;
    skip_space(&s);
    if (s.at == s.end || *s.at != '{' || !value(&s, 0)) return READERJSON_BROKEN;
    skip_space(&s);
    if (s.at != s.end) return READERJSON_BROKEN;
    return s.found ? READERJSON_TEXT : READERJSON_NONE;
}
