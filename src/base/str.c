/* str.c - text: slices, one growing buffer, numbers and units for people.
 *
 * Numbers are read strictly: the whole text must be the number, in decimal, finite.  strtod
 * alone would take " 0x1p3", "inf" and "nan", and a recipe that says so is a mistake.  The
 * program never calls setlocale, so the decimal point is a point everywhere.
 *
 * Units for people are decimal (a kB is 1000 bytes) as on disks' labels. */
#include "base/str.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

Str str_of(const char *z)
{
    Str s = { z ? z : "", z ? (ptrdiff_t)strlen(z) : 0 };
    return s;
}

bool str_eq(Str a, Str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, (size_t)a.len) == 0);
}

int str_cmp(Str a, Str b)
{
    ptrdiff_t n = MIN(a.len, b.len);
    int order = n > 0 ? memcmp(a.at, b.at, (size_t)n) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

bool str_starts(Str s, Str prefix)
{
    Str head = { s.at, prefix.len };
    return s.len >= prefix.len && str_eq(head, prefix);
}

bool str_ends(Str s, Str suffix)
{
    if (s.len < suffix.len) return false;
    Str tail = { s.at ? s.at + (s.len - suffix.len) : s.at, suffix.len };
    return str_eq(tail, suffix);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

Str str_trim(Str s)
{
    while (s.len > 0 && is_space(s.at[0])) s.at++, s.len--;
    while (s.len > 0 && is_space(s.at[s.len - 1])) s.len--;
    return s;
}

/* A spent rest has a NULL `at`: "a," has two pieces, the second empty, and "" has one. */
bool str_cut(Str *rest, char sep, Str *piece)
{
    if (!rest->at) return false;
    const char *hit = rest->len > 0 ? memchr(rest->at, sep, (size_t)rest->len) : NULL;
    piece->at = rest->at;
    piece->len = hit ? hit - rest->at : rest->len;
    rest->at = hit ? hit + 1 : NULL;
    rest->len = hit ? rest->len - piece->len - 1 : 0;
    return true;
}

/* Optimal string alignment (Damerau-Levenshtein without edits inside a swap), three rows.
 * Names longer than the rows are compared by their beginnings. */
int str_distance(const char *a, const char *b)
{
    enum { LONGEST = 127 };
    int rows[3][LONGEST + 1], n = (int)MIN(strlen(a), (size_t)LONGEST),
                              m = (int)MIN(strlen(b), (size_t)LONGEST);
    for (int j = 0; j <= m; j++) rows[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *row = rows[i % 3], *up = rows[(i - 1) % 3], *upper = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int best = MIN(up[j], row[j - 1]) + 1;
            best = MIN(best, up[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = MIN(best, upper[j - 2] + 1);
            row[j] = best;
        }
    }
    return rows[n % 3][m];
}

/* Copies a text made only of `allowed` characters where strtod and strtoll can read it. */
static bool number_text(Str s, const char *allowed, char out[400])
{
    if (s.len <= 0 || s.len >= 400) return false;
    memcpy(out, s.at, (size_t)s.len);
    out[s.len] = 0;
    return strspn(out, allowed) == (size_t)s.len;
}

bool str_to_double(Str s, double *out)
{
    char text[400], *end;
    if (!number_text(s, "0123456789+-.eE", text)) return false;
    double x = strtod(text, &end);
    if (end == text || *end || !isfinite(x)) return false;
    *out = x;
    return true;
}

bool str_to_i64(Str s, int64_t *out)
{
    char text[400], *end;
    if (!number_text(s, "0123456789+-", text)) return false;
    errno = 0;
    long long x = strtoll(text, &end, 10);
    if (end == text || *end || errno) return false;
    *out = x;
    return true;
}

void buf_room(Buf *b, ptrdiff_t more)
{
    CHECK(more >= 0, "a buffer is to grow by %td bytes", more);
    if (b->cap - b->len > more) return;
    ptrdiff_t cap = MAX(b->cap * 2, b->len + more + 1);
    char *at = realloc(b->at, (size_t)MAX(cap, (ptrdiff_t)64));
    if (!at) {
        fflush(stdout);
        fprintf(stderr, "lathe: memory exhausted: a buffer of %td bytes wanted\n", cap);
        abort();
    }
    b->at = at;
    b->cap = MAX(cap, (ptrdiff_t)64);
}

void buf_put(Buf *b, const void *bytes, ptrdiff_t len)
{
    buf_room(b, len);
    if (len > 0) memcpy(b->at + b->len, bytes, (size_t)len);
    b->len += len;
    b->at[b->len] = 0;
}

void buf_str(Buf *b, Str s)
{
    buf_put(b, s.at, s.len);
}

void buf_printf(Buf *b, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    CHECK(len >= 0, "format \"%s\"", fmt);
    buf_room(b, len);
    vsnprintf(b->at + b->len, (size_t)len + 1, fmt, again);
    va_end(again);
    b->len += len;
}

void buf_char(Buf *b, char c)
{
    buf_put(b, &c, 1);
}

void buf_clear(Buf *b)
{
    b->len = 0;
    if (b->at) b->at[0] = 0;
}

void buf_free(Buf *b)
{
    free(b->at);
    memset(b, 0, sizeof(*b));
}

char *str_bytes(char out[32], double bytes)
{
    static const char *const unit[] = { "B", "kB", "MB", "GB", "TB", "PB" };
    int u = 0;
    double shown = bytes;
    while (fabs(shown) >= 999.5 && u < 5) shown /= 1000, u++;
    snprintf(out, 32, u > 0 && fabs(shown) < 9.95 ? "%.1f %s" : "%.0f %s", shown, unit[u]);
    return out;
}

char *str_seconds(char out[32], double seconds)
{
    if (!isfinite(seconds) || fabs(seconds) > 1e12) {
        snprintf(out, 32, "%g s", seconds);
        return out;
    }
    int64_t s = (int64_t)(seconds + 0.5);
    int64_t m = (s + 30) / 60, h = (s + 1800) / 3600; /* rounded, for the longer forms */
    if (seconds < 0.0995)
        snprintf(out, 32, "%.3g s", seconds);
    else if (seconds < 9.95)
        snprintf(out, 32, "%.1f s", seconds);
    else if (s < 60)
        snprintf(out, 32, "%d s", (int)s);
    else if (s < 3600)
        snprintf(out, 32, "%d min %d s", (int)(s / 60), (int)(s % 60));
    else if (m < 1440)
        snprintf(out, 32, "%d h %d min", (int)(m / 60), (int)(m % 60));
    else
        snprintf(out, 32, "%lld d %d h", (long long)(h / 24), (int)(h % 24));
    return out;
}

char *str_count(char out[32], double count)
{
    char digits[32];
    if (!isfinite(count) || fabs(count) >= 1e15) {
        snprintf(out, 32, "%.6g", count);
        return out;
    }
    int n = snprintf(digits, sizeof(digits), "%.0f", fabs(count)), at = 0;
    if (count <= -0.5) out[at++] = '-';
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0) out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = 0;
    return out;
}

char *str_number(char out[32], double x)
{
    if (!isfinite(x)) {
        snprintf(out, 32, "%s", isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
        return out;
    }
    if (fabs(x) < 1e15 && x == floor(x)) {
        snprintf(out, 32, "%.0f", x);
        return out;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, x);
        if (strtod(out, NULL) == x) break;
    }
    return out;
}

/* Well-formed sequences of the Unicode standard, table 3-7: no overlong forms, no
 * surrogates, nothing above U+10FFFF. */
int utf8_len(const char *s, const char *end)
{
    if (s >= end) return 0;
    const unsigned char *u = (const unsigned char *)s;
    int len = u[0] < 0x80 ? 1 : u[0] < 0xC2 ? 0 : u[0] < 0xE0 ? 2 : u[0] < 0xF0 ? 3 : 4;
    if (len == 0 || u[0] > 0xF4 || end - s < len) return 0;
    for (int i = 1; i < len; i++)
        if ((u[i] & 0xC0) != 0x80) return 0;
    if ((u[0] == 0xE0 && u[1] < 0xA0) || (u[0] == 0xED && u[1] > 0x9F)) return 0;
    if ((u[0] == 0xF0 && u[1] < 0x90) || (u[0] == 0xF4 && u[1] > 0x8F)) return 0;
    return len;
}
