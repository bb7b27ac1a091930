/* filter_personal.c - addresses of people and machines are replaced, the text stays.
 *
 * An e-mail address, an IP address of the public net and a telephone number become ones that belong
 * to nobody: example.com (RFC 2606), 192.0.2.1 (RFC 5737), 555-0100 (kept for fiction).  A mark
 * such as <email> would teach a model to write the mark; FineWeb and Dolma replace in the same way.
 *
 * Addresses of private nets, of the loopback and of nobody say nothing about anybody and stay.  A
 * telephone number is what is written as one: a + with 8 to 15 digits (E.164), or three groups of
 * the North American plan with separators.  Ten digits in a row may be anything and are let be. */
#include <string.h>

#include "data/filter.h"

enum { EMAILS, ADDRESSES, PHONES };

#define SWITCH(NAME, DOC)                                                                          \
    {                                                                                              \
        .name = "filter.personal." NAME, .type = KNOB_WHOLE, .fallback = 1, .max = 1, .doc = DOC,  \
        .fixed = true                                                                              \
    }

static const Knob knobs[] = {
    SWITCH("emails", "1: e-mail addresses become email@example.com"),
    SWITCH("addresses", "1: public IPv4 addresses become 192.0.2.1"),
    SWITCH("phones", "1: telephone numbers become +1-202-555-0100"),
    { 0 },
};

static const FilterRule rules[] = {
    { "emails", FILTER_EDIT, EMAILS },
    { "addresses", FILTER_EDIT, ADDRESSES },
    { "phones", FILTER_EDIT, PHONES },
};

static const char *const instead[] = { "email@example.com", "192.0.2.1", "+1-202-555-0100" };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c | 32) >= 'a';
}

/* Letters and digits of ASCII only: bytes over 127 end an address. */
static bool is_name(char c)
{
    return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* An address around the @ at `at`; the stretch of text that it takes. */
static bool find_email(Str t, ptrdiff_t at, ptrdiff_t from, ptrdiff_t *begin, ptrdiff_t *end)
{
    ptrdiff_t b = at, e = at + 1, dot = -1;
    while (b > from && at - b < 64 && (is_name(t.at[b - 1]) || strchr("._%+-", t.at[b - 1]))) b--;
    while (b < at && !is_name(t.at[b])) b++;
    for (; e < t.len && e - at < 255 && (is_name(t.at[e]) || t.at[e] == '-' || t.at[e] == '.'); e++)
        if (t.at[e] == '.') dot = e;
    while (e > at && !is_name(t.at[e - 1])) e--;
    if (dot >= e)
        dot = memrchr(t.at + at, '.', (size_t)(e - at))
                  ? (const char *)memrchr(t.at + at, '.', (size_t)(e - at)) - t.at
                  : -1;
    *begin = b, *end = e;
    if (b == at || dot <= at + 1 || e - dot < 3) return false;
    for (ptrdiff_t i = dot + 1; i < e; i++)
        if (!((t.at[i] | 32) >= 'a' && (t.at[i] | 32) <= 'z')) return false;
    return true;
}

/* Four numbers up to 255 with dots, and no fifth; the place behind them, or -1. */
static ptrdiff_t read_address(Str t, ptrdiff_t at, int part[4])
{
    for (int k = 0; k < 4; k++) {
        ptrdiff_t begin = at;
        part[k] = 0;
        while (at < t.len && is_digit(t.at[at]) && at - begin < 4)
            part[k] = part[k] * 10 + t.at[at++] - '0';
        if (at == begin || at - begin > 3 || part[k] > 255) return -1;
        if (at - begin > 1 && t.at[begin] == '0') return -1;
        if (k < 3 && (at == t.len || t.at[at++] != '.')) return -1;
    }
    bool more = at < t.len && (is_alnum(t.at[at]) ||
                               (t.at[at] == '.' && at + 1 < t.len && is_digit(t.at[at + 1])));
    return more ? -1 : at;
}

/* Not of a private net, the loopback, a link, documentation, a group or nobody (RFC 6890). */
static bool is_public(const int p[4])
{
    if (p[0] == 0 || p[0] == 10 || p[0] == 127 || p[0] >= 224) return false;
    if ((p[0] == 172 && p[1] >= 16 && p[1] < 32) || (p[0] == 192 && p[1] == 168)) return false;
    if ((p[0] == 169 && p[1] == 254) || (p[0] == 100 && p[1] >= 64 && p[1] < 128)) return false;
    return !(p[0] == 192 && p[1] == 0) &&
           !(p[0] == 198 && (p[1] == 18 || p[1] == 19 || p[1] == 51)) &&
           !(p[0] == 203 && p[1] == 0 && p[2] == 113);
}

/* So many digits; the place behind them, or -1. */
static ptrdiff_t digits(Str t, ptrdiff_t at, int n)
{
    for (int i = 0; i < n; i++, at++)
        if (at >= t.len || !is_digit(t.at[at])) return -1;
    return at;
}

static bool is_gap(Str t, ptrdiff_t at)
{
    return at < t.len && (t.at[at] == '-' || t.at[at] == '.' || t.at[at] == ' ');
}

/* "(202) 555-0100" or "202-555-0100", the same separator twice. */
static ptrdiff_t american(Str t, ptrdiff_t at)
{
    bool round = at < t.len && t.at[at] == '(';
    at = digits(t, at + round, 3);
    if (at < 0 || (round && (at >= t.len || t.at[at++] != ')'))) return -1;
    char gap = at < t.len ? t.at[at] : 0;
    if (round ? (is_gap(t, at) && ++at) : is_gap(t, at++))
        gap = t.at[at - 1];
    else if (!round)
        return -1;
    at = digits(t, at, 3);
    if (at < 0 || !is_gap(t, at) || (!round && t.at[at] != gap)) return -1;
    if (!round && gap == ' ') return -1; /* three numbers in a row of a table */
    at = digits(t, at + 1, 4);
    return at >= 0 && (at == t.len || !is_alnum(t.at[at])) ? at : -1;
}

/* "+49 30 1234-567" */
static ptrdiff_t international(Str t, ptrdiff_t at)
{
    int n = 0;
    ptrdiff_t end = -1;
    for (at++; at < t.len && n <= 15; at++) {
        if (is_digit(t.at[at])) {
            n++;
            end = at + 1;
        } else if (!(is_gap(t, at) || t.at[at] == '(' || t.at[at] == ')') || at - end > 1) {
            break;
        }
    }
    return n >= 8 && n <= 15 && (end == t.len || !is_alnum(t.at[end])) ? end : -1;
}

typedef struct Find {
    int rule;
    ptrdiff_t begin, end;
} Find;

/* What begins at (or, of an e-mail address, stands around) place i. */
static bool look(Str t, ptrdiff_t i, ptrdiff_t from, const double *knob, Find *f)
{
    char c = t.at[i];
    bool fresh = i == 0 || !(is_alnum(t.at[i - 1]) || t.at[i - 1] == '.' || t.at[i - 1] == '-');
    int part[4];
    *f = (Find){ .begin = i, .end = -1 };
    if (c == '@' && knob[EMAILS] > 0) {
        f->rule = EMAILS;
        return find_email(t, i, from, &f->begin, &f->end);
    }
    if (!fresh) return false;
    if (is_digit(c) && knob[ADDRESSES] > 0) {
        f->rule = ADDRESSES;
        f->end = read_address(t, i, part);
        if (f->end >= 0 && is_public(part)) return true;
    }
    if (knob[PHONES] <= 0 || !(is_digit(c) || c == '(' || c == '+')) return false;
    f->rule = PHONES;
    f->end = c == '+' ? international(t, i) : american(t, i);
    return f->end >= 0;
}

static bool edit(const FilterDoc *d, const FilterAsk *a, Buf *out, double *count)
{
    Str t = d->text;
    ptrdiff_t from = 0;
    for (ptrdiff_t i = 0; i < t.len; i++) {
        Find f;
        char c = t.at[i];
        if (!(is_digit(c) || c == '@' || c == '(' || c == '+')) continue;
        if (!look(t, i, from, a->knob, &f)) continue;
        buf_put(out, t.at + from, f.begin - from);
        buf_str(out, str_of(instead[f.rule]));
        count[f.rule]++;
        from = f.end;
        i = f.end - 1;
    }
    if (from == 0 && out->len == 0) return false;
    buf_put(out, t.at + from, t.len - from);
    return true;
}

const FilterDef filter_personal = {
    .name = "personal",
    .doc = "e-mail addresses, public IP addresses and telephone numbers are replaced",
    .source = "as FineWeb and Dolma do it; RFC 2606, 5737, 6890, E.164",
    .version = 1,
    .knobs = knobs,
    .rules = rules,
    .n_rules = (int)COUNT(rules),
    .list = FILTER_NO_LIST,
    .edit = edit,
};
