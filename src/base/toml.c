/* toml.c - a reader for the part of TOML 1.0 that recipes need.
 *
 * One pass over the lines.  A list of every name seen so far, with what made it a name (a
 * value, a [header], the path to a header, a dotted key), enforces TOML's rules against
 * defining things twice; it is walked from front to back, because recipes are short, and
 * a document over a megabyte is refused rather than read slowly.
 *
 * Refused though TOML has it: dates, multi-line strings, inline tables, arrays of tables,
 * nested or many-line arrays, hexadecimal, inf and nan, quoted keys that need their quotes.
 * A knob has no use for any of them, and each is a way to misread.  TOML has one case more
 * that is refused for safety: a dotted key into a table that a header implied. */
#include "base/toml.h"

#include <stdio.h>
#include <string.h>

enum { MOST_BYTES = 1 << 20, MOST_NAME = 400 };

typedef enum Kind { KIND_VALUE, KIND_HEADER, KIND_IMPLIED, KIND_DOTTED } Kind;

typedef struct Name {
    const char *text;
    Kind kind;
} Name;

typedef struct Parser {
    const char *at, *end; /* within the line */
    const char *path;
    int line;
    Arena *out;
    Err *err;
    char table[MOST_NAME]; /* of the last header, "" before the first */
    Name *names;
    int n_names;
} Parser;

static bool fail(Parser *p, const char *what)
{
    return err_set(p->err, ERR_CONFIG, "%s:%d: %s", p->path, p->line, what);
}

static void skip_blanks(Parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t')) p->at++;
}

static bool take(Parser *p, char c)
{
    if (p->at >= p->end || *p->at != c) return false;
    p->at++;
    return true;
}

/* Nothing but blanks and a comment may follow. */
static bool line_ends(Parser *p)
{
    skip_blanks(p);
    if (p->at < p->end && *p->at != '#')
        return fail(p, "something follows that does not belong here");
    return true;
}

/* Control characters and broken UTF-8 are nowhere allowed, not even in comments. */
static bool line_is_text(Parser *p)
{
    for (const char *s = p->at; s < p->end;) {
        int n = utf8_len(s, p->end);
        if (n == 0) return fail(p, "this line is not valid UTF-8");
        unsigned char c = (unsigned char)*s;
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return fail(p, "this line has a control character; write it as \\uXXXX in a string");
        s += n;
    }
    return true;
}

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* One part of a dotted name, appended to `name` behind a '.'. */
static bool key_part(Parser *p, char name[MOST_NAME])
{
    skip_blanks(p);
    char quote = p->at < p->end && (*p->at == '"' || *p->at == '\'') ? *p->at++ : 0;
    const char *from = p->at;
    while (p->at < p->end && is_bare(*p->at)) p->at++;
    size_t len = (size_t)(p->at - from), before = strlen(name);
    if (len == 0) return fail(p, "a name is missing");
    if (quote && !take(p, quote))
        return fail(p, "a quoted name may hold only letters, digits, _ and - here");
    if (before + len + 2 > MOST_NAME) return fail(p, "this name is too long");
    if (before > 0) name[before++] = '.';
    memcpy(name + before, from, len);
    name[before + len] = 0;
    skip_blanks(p);
    return true;
}

static bool dotted_name(Parser *p, char name[MOST_NAME])
{
    do
        if (!key_part(p, name)) return false;
    while (take(p, '.'));
    return true;
}

static Name *find(Parser *p, const char *text, ptrdiff_t len)
{
    for (int i = 0; i < p->n_names; i++)
        if (strncmp(p->names[i].text, text, (size_t)len) == 0 && p->names[i].text[len] == 0)
            return &p->names[i];
    return NULL;
}

static void add_name(Parser *p, const char *text, ptrdiff_t len, Kind kind)
{
    Str s = { text, len };
    Name n = { arena_str(p->out, s), kind };
    p->names[p->n_names++] = n;
}

static bool taken(Parser *p, const char *name, ptrdiff_t len)
{
    return err_set(p->err, ERR_CONFIG, "%s:%d: %.*s is already defined; keep one of the two",
                   p->path, p->line, (int)len, name);
}

static bool declare_header(Parser *p, const char *name)
{
    for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
        Name *n = find(p, name, dot - name);
        if (n && n->kind == KIND_VALUE) return taken(p, name, dot - name);
        if (!n) add_name(p, name, dot - name, KIND_IMPLIED);
    }
    ptrdiff_t len = (ptrdiff_t)strlen(name);
    Name *n = find(p, name, len);
    if (n && n->kind != KIND_IMPLIED) return taken(p, name, len);
    if (n)
        n->kind = KIND_HEADER;
    else
        add_name(p, name, len, KIND_HEADER);
    return true;
}

/* `name` is the full name; the parts after the table's make tables of their own. */
static bool declare_value(Parser *p, const char *name)
{
    size_t table = strlen(p->table);
    const char *own = name + (table ? table + 1 : 0);
    for (const char *dot = strchr(own, '.'); dot; dot = strchr(dot + 1, '.')) {
        Name *n = find(p, name, dot - name);
        if (n && n->kind != KIND_DOTTED) return taken(p, name, dot - name);
        if (!n) add_name(p, name, dot - name, KIND_DOTTED);
    }
    ptrdiff_t len = (ptrdiff_t)strlen(name);
    if (find(p, name, len)) return taken(p, name, len);
    add_name(p, name, len, KIND_VALUE);
    return true;
}

static void put_utf8(Buf *b, uint32_t c)
{
    if (c < 0x80)
        buf_char(b, (char)c);
    else if (c < 0x800)
        buf_char(b, (char)(0xC0 | c >> 6));
    else if (c < 0x10000)
        buf_char(b, (char)(0xE0 | c >> 12));
    else
        buf_char(b, (char)(0xF0 | c >> 18));
    if (c >= 0x10000) buf_char(b, (char)(0x80 | (c >> 12 & 0x3F)));
    if (c >= 0x800) buf_char(b, (char)(0x80 | (c >> 6 & 0x3F)));
    if (c >= 0x80) buf_char(b, (char)(0x80 | (c & 0x3F)));
}

static bool unicode_escape(Parser *p, int digits, Buf *b)
{
    uint32_t c = 0;
    for (int i = 0; i < digits; i++) {
        const char *all = "0123456789abcdef0123456789ABCDEF";
        const char *hit = p->at < p->end && *p->at ? strchr(all, *p->at) : NULL;
        if (!hit) return fail(p, "\\u takes four hexadecimal digits, \\U eight");
        c = c << 4 | (uint32_t)((hit - all) % 16);
        p->at++;
    }
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return fail(p, "this escape is no Unicode character");
    put_utf8(b, c);
    return true;
}

static bool escape(Parser *p, Buf *b)
{
    char c = p->at < p->end ? *p->at++ : 0;
    const char *letter = "btnfr\"\\", *plain = "\b\t\n\f\r\"\\";
    const char *hit = c ? strchr(letter, c) : NULL;
    if (c == 'u' || c == 'U') return unicode_escape(p, c == 'u' ? 4 : 8, b);
    if (!hit) return fail(p, "unknown escape in a string; a backslash itself is \\\\");
    buf_char(b, plain[hit - letter]);
    return true;
}

/* From behind the opening quote to behind the closing one. */
static bool string_into(Parser *p, char quote, Buf *b)
{
    if (p->end - p->at >= 2 && p->at[0] == quote && p->at[1] == quote)
        return fail(p, "strings of several lines are not read here; use one line");
    while (p->at < p->end) {
        char c = *p->at++;
        if (c == quote) return true;
        if (c == '\\' && quote == '"') {
            if (!escape(p, b)) return false;
        } else {
            buf_char(b, c);
        }
    }
    return fail(p, "a string is not closed");
}

static bool string_value(Parser *p, TomlItem *item)
{
    Buf b = { 0 };
    bool ok = string_into(p, *p->at++, &b);
    if (ok) {
        item->type = TOML_STRING;
        item->text = (Str){ arena_str(p->out, buf_view(&b)), b.len };
    }
    buf_free(&b);
    return ok;
}

/* Digits with single '_' between them. */
static bool digits(const char **at, const char *end)
{
    const char *s = *at, *from = s;
    while (s < end && ((*s >= '0' && *s <= '9') || (*s == '_' && s > from && s[-1] != '_'))) s++;
    bool ok = s > from && s[-1] != '_';
    *at = s;
    return ok;
}

/* [+-]digits[.digits][e[+-]digits], no leading zeros. */
static bool is_number(Str t, bool *real)
{
    const char *s = t.at, *end = t.at + t.len;
    if (s < end && (*s == '+' || *s == '-')) s++;
    if (end - s >= 2 && s[0] == '0' && s[1] != '.' && s[1] != 'e' && s[1] != 'E') return false;
    if (!digits(&s, end)) return false;
    *real = s < end;
    if (s < end && *s == '.') {
        s++;
        if (!digits(&s, end)) return false;
    }
    if (s < end && (*s == 'e' || *s == 'E')) {
        s++;
        if (s < end && (*s == '+' || *s == '-')) s++;
        if (!digits(&s, end)) return false;
    }
    return s == end;
}

static bool word_value(Parser *p, TomlItem *item)
{
    const char *from = p->at;
    while (p->at < p->end && !strchr(" \t,]#", *p->at)) p->at++;
    Str word = { from, p->at - from };
    bool real = false;
    if (str_eq(word, STR("true")) || str_eq(word, STR("false"))) {
        item->type = TOML_BOOL;
        item->text = (Str){ arena_str(p->out, word), word.len };
        return true;
    }
    if (!is_number(word, &real))
        return fail(p, "a value must be \"text\", a decimal number, true, false or [a, list]");
    char *plain = arena_str(p->out, word), *to = plain;
    for (const char *s = plain; *s; s++)
        if (*s != '_') *to++ = *s;
    *to = 0;
    item->type = real ? TOML_FLOAT : TOML_INTEGER;
    item->text = (Str){ plain, to - plain };
    int64_t whole;
    double number;
    if (real ? !str_to_double(item->text, &number) : !str_to_i64(item->text, &whole))
        return fail(p, "this number is too large");
    return true;
}

static bool scalar_value(Parser *p, TomlItem *item)
{
    item->line = p->line;
    if (p->at >= p->end || *p->at == '#') return fail(p, "a value is missing");
    if (*p->at == '[') return fail(p, "an array inside an array is not read here");
    if (*p->at == '{')
        return fail(p, "inline tables are not read here; use [table] or dotted names");
    return *p->at == '"' || *p->at == '\'' ? string_value(p, item) : word_value(p, item);
}

static bool array_value(Parser *p, TomlItem *item)
{
    int most = 1;
    for (const char *s = p->at; s < p->end; s++) most += *s == ',';
    item->type = TOML_ARRAY;
    item->items = NEW(p->out, TomlItem, most);
    p->at++;
    for (;;) {
        skip_blanks(p);
        if (take(p, ']')) return true;
        if (p->at >= p->end || *p->at == '#')
            return fail(p, "an array must begin and end on one line here");
        if (!scalar_value(p, &item->items[item->count++])) return false;
        skip_blanks(p);
        if (take(p, ']')) return true;
        if (!take(p, ',')) return fail(p, "an array is not closed; values are parted by commas");
    }
}

static bool header_line(Parser *p)
{
    if (take(p, '[')) return fail(p, "arrays of tables are not read here");
    char name[MOST_NAME] = "";
    if (!dotted_name(p, name)) return false;
    if (!take(p, ']')) return fail(p, "a table's name is closed by ]");
    if (!declare_header(p, name)) return false;
    memcpy(p->table, name, sizeof(p->table));
    return line_ends(p);
}

static bool value_line(Parser *p, TomlItem *item)
{
    char name[MOST_NAME];
    memcpy(name, p->table, sizeof(name));
    if (!dotted_name(p, name)) return false;
    if (!take(p, '=')) return fail(p, "a name is followed by = and a value");
    skip_blanks(p);
    item->line = p->line;
    bool array = p->at < p->end && *p->at == '[';
    if (!(array ? array_value(p, item) : scalar_value(p, item))) return false;
    if (!line_ends(p) || !declare_value(p, name)) return false;
    item->name = arena_str(p->out, str_of(name));
    return true;
}

bool toml_parse(Str text, const char *path, Arena *out, TomlItem **items, int *count, Err *err)
{
    Parser p = { .path = path, .out = out, .err = err };
    if (text.len > MOST_BYTES)
        return err_set(err, ERR_CONFIG, "%s is larger than a megabyte; is it a recipe?", path);
    int lines = 1, names = 1;
    for (ptrdiff_t i = 0; i < text.len; i++) {
        lines += text.at[i] == '\n';
        names += text.at[i] == '.';
    }
    p.names = NEW(out, Name, names + lines);
    *items = NEW(out, TomlItem, lines);
    *count = 0;
    Str line;
    while (str_cut(&text, '\n', &line)) {
        p.line++;
        bool ended = text.at != NULL; /* by a newline, which may be CR LF */
        if (ended && line.len > 0 && line.at[line.len - 1] == '\r') line.len--;
        p.at = line.at;
        p.end = line.at + line.len;
        if (!line_is_text(&p)) return false;
        skip_blanks(&p);
        if (p.at == p.end || *p.at == '#') continue;
        bool header = take(&p, '[');
        if (header ? !header_line(&p) : !value_line(&p, &(*items)[*count])) return false;
        *count += !header;
    }
    return true;
}

void toml_put_string(Buf *b, Str s)
{
    buf_char(b, '"');
    for (ptrdiff_t i = 0; i < s.len;) {
        unsigned char c = (unsigned char)s.at[i];
        int n = utf8_len(s.at + i, s.at + s.len);
        if (n == 0)
            buf_str(b, STR("\\uFFFD"));
        else if (c == '"' || c == '\\')
            buf_printf(b, "\\%c", c);
        else if (c < 0x20 || c == 0x7F)
            buf_printf(b, "\\u%04X", c);
        else
            buf_put(b, s.at + i, n);
        i += MAX(n, 1);
    }
    buf_char(b, '"');
}
