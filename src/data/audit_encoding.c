/* audit_encoding.c - text whose bytes were read as something that they are not.
 *
 * The common accident is UTF-8 read as Windows-1252 and written as UTF-8 again: "é" becomes
 * "Ã©", a curly quote "â€™".  It is found by undoing it: characters that Windows-1252 has,
 * in a row, whose bytes are together one valid UTF-8 character of two or more bytes.  Such rows
 * do not occur in text that is what it says (an "Ã" before a "©" is no word of any language).
 * Besides: bytes that are no UTF-8, U+FFFD, where somebody gave up, and control characters. */
#include <string.h>

#include "data/audit_inside.h"

/* U+0080..U+009F of Windows-1252, as code points; 0: not assigned, where Latin-1's own is meant. */
static const unsigned short cp1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

static unsigned code_point(const char *at, int n)
{
    const unsigned char *b = (const unsigned char *)at;
    if (n == 1) return b[0];
    if (n == 2) return (b[0] & 31u) << 6 | (b[1] & 63u);
    if (n == 3) return (b[0] & 15u) << 12 | (b[1] & 63u) << 6 | (b[2] & 63u);
    return (b[0] & 7u) << 18 | (b[1] & 63u) << 12 | (b[2] & 63u) << 6 | (b[3] & 63u);
}

/* The byte that Windows-1252 (or Latin-1) has for it, or -1. */
static int byte_of(unsigned code)
{
    if (code >= 0x80 && code <= 0xFF) return (int)code;
    for (int i = 0; i < 32; i++)
        if (cp1252[i] == code && code) return 0x80 + i;
    return -1;
}

/* Bytes of the text at `at` that are one character read wrongly, 0 if they are not. */
static ptrdiff_t misread(const char *at, const char *end)
{
    char bytes[4];
    const char *to = at;
    int want = 1;
    for (int k = 0; k < want; k++) {
        int n = to < end ? utf8_len(to, end) : 0, byte = n >= 2 ? byte_of(code_point(to, n)) : -1;
        if (byte < 0) return 0;
        if (k == 0) want = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
        if (k == 0 ? byte < 0xC2 || byte > 0xF4 : byte > 0xBF) return 0;
        bytes[k] = (char)byte;
        to += n;
    }
    return utf8_len(bytes, bytes + want) == want ? to - at : 0;
}

typedef struct Broken {
    int64_t misread, invalid, replaced, control, bytes;
    ptrdiff_t first;
} Broken;

static bool is_control(unsigned char byte)
{
    return (byte < 32 && byte != '\n' && byte != '\t' && byte != '\r' && byte != '\f') ||
           byte == 127;
}

static Broken examine(Str doc)
{
    Broken b = { .first = -1 };
    const char *end = doc.at + doc.len;
    for (const char *at = doc.at; at < end;) {
        unsigned char byte = (unsigned char)*at;
        int n = byte < 0x80 ? 1 : utf8_len(at, end);
        ptrdiff_t bad = 0;
        if (n == 0)
            b.invalid++, bad = n = 1;
        else if (n == 1 && is_control(byte))
            b.control++, bad = 1;
        else if (n == 3 && memcmp(at, "\xEF\xBF\xBD", 3) == 0)
            b.replaced++, bad = 3;
        else if (n >= 2 && (bad = misread(at, end)) > 0)
            b.misread++;
        if (bad > 0 && b.first < 0) b.first = at - doc.at;
        b.bytes += bad;
        at += bad > 0 ? bad : n;
    }
    return b;
}

static bool look(Audit *a, Err *err)
{
    AuditFind f = { .remedy = "what was read in the wrong encoding is read again in the right one",
                    .filter = "encoding" };
    double *measure = audit_measure(a);
    Broken all = { 0 };
    for (int64_t i = 0; i < a->docs.count; i++) {
        Str doc = audit_doc(a, i);
        Broken b = examine(doc);
        int64_t n = b.misread + b.invalid + b.replaced + b.control;
        measure[i] = (double)n / (double)MAX(doc.len, (ptrdiff_t)1);
        if (n == 0) continue;
        all.misread += b.misread, all.invalid += b.invalid;
        all.replaced += b.replaced, all.control += b.control;
        audit_hit(&f, (AuditHit){ i, measure[i], MAX(b.first - 40, (ptrdiff_t)0), 160, doc.len });
    }
    f.what = arena_printf(a->arena,
                          "text whose encoding was broken: %lld characters read in the wrong "
                          "encoding, %lld bytes that are no UTF-8, %lld U+FFFD, %lld controls",
                          (long long)all.misread, (long long)all.invalid, (long long)all.replaced,
                          (long long)all.control);
    f.detail = json_pack("{s:I,s:I,s:I,s:I}", "misread", (json_int_t)all.misread, "invalid",
                         (json_int_t)all.invalid, "replaced", (json_int_t)all.replaced, "control",
                         (json_int_t)all.control);
    return audit_find(a, &f, err);
}

const AuditDef audit_encoding = {
    .kind = "encoding",
    .doc = "characters read in the wrong encoding, broken UTF-8, controls",
    .look = look,
};
