/* filter_encoding.c - text that was decoded wrongly is decoded again.
 *
 * UTF-8 that somebody took for windows-1252 and wrote as UTF-8 again reads "cafÃ©" and "itâ€™s".
 * Taken back to the bytes that it stood for it is UTF-8 once more, and almost nothing else is: a
 * sequence of 2 to 4 characters above 127 that maps to exactly one well-formed character does not
 * occur in prose of any language.  So that is the test, and each character is mended on its own
 * (unlike ftfy, which weighs whole strings): half-broken documents are the rule, where somebody
 * pasted.  It is done twice more, for text that went through the mill more than once.
 *
 * Bytes that are no UTF-8 are windows-1252, as browsers have it.  Control characters, a byte order
 * mark and soft hyphens go. */
#include <string.h>

#include "data/filter.h"
#include "data/reader_html.h"

enum { MOJIBAKE, BYTES, CONTROLS, ROUNDS = 3 };

#define SWITCH(NAME, DOC)                                                                          \
    {                                                                                              \
        .name = "filter.encoding." NAME, .type = KNOB_WHOLE, .fallback = 1, .max = 1, .doc = DOC,  \
        .fixed = true                                                                              \
    }

static const Knob knobs[] = {
    SWITCH("mojibake", "1: UTF-8 that was read as windows-1252 is mended"),
    SWITCH("bytes", "1: bytes that are no UTF-8 are read as windows-1252"),
    SWITCH("controls", "1: control characters, byte order marks and soft hyphens go"),
    { 0 },
};

static const FilterRule rules[] = {
    { "mojibake", FILTER_EDIT, MOJIBAKE },
    { "bytes", FILTER_EDIT, BYTES },
    { "controls", FILTER_EDIT, CONTROLS },
};

/* The byte of windows-1252 that the character at `at` is, its length in *len; -1: none. */
static int byte_of(const char *at, const char *end, int *len)
{
    static const uint16_t upper[32] = {
        0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8d,   0x017d, 0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178,
    };
    *len = utf8_len(at, end);
    const unsigned char *u = (const unsigned char *)at;
    if (*len != 2 && *len != 3) return -1;
    unsigned code = *len == 2 ? (u[0] & 31u) << 6 | (u[1] & 63u)
                              : (u[0] & 15u) << 12 | (u[1] & 63u) << 6 | (u[2] & 63u);
    if (code >= 0x80 && code <= 0xff) return (int)code; /* C1 controls too: Latin-1 was used */
    for (int i = 0; i < 32; i++)
        if (upper[i] == code) return 0x80 + i;
    return -1;
}

/* At a character: if it and the next ones are bytes of one character of UTF-8, that character and
 * how long they are. */
static int mend(const char *at, const char *end, char out[4], ptrdiff_t *taken)
{
    int len, first = byte_of(at, end, &len);
    if (first < 0xc2 || first > 0xf4) return 0;
    int want = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const char *s = at + len;
    out[0] = (char)first;
    for (int i = 1; i < want; i++) {
        int byte = byte_of(s, end, &len);
        if (byte < 0x80 || byte > 0xbf) return 0;
        out[i] = (char)byte;
        s += len;
    }
    *taken = s - at;
    return utf8_len(out, out + want) == want ? want : 0;
}

static bool is_dropped(const char *at, int len)
{
    unsigned char c = (unsigned char)at[0];
    if (len == 1) return (c < 32 && c != '\n' && c != '\t' && c != '\r') || c == 127;
    if (len == 2 && c == 0xc2) return (unsigned char)at[1] < 0xa0 || (unsigned char)at[1] == 0xad;
    return len == 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0;
}

/* One pass; true if anything changed. */
static bool mend_all(Str t, const double *knob, Buf *out, double *count)
{
    bool changed = false;
    if (t.len == 0) return false;
    const char *end = t.at + t.len;
    for (const char *at = t.at; at < end;) {
        char good[4];
        ptrdiff_t taken;
        int len = utf8_len(at, end), n = 0;
        if (len >= 2 && knob[MOJIBAKE] > 0 && (n = mend(at, end, good, &taken)) > 0) {
            buf_put(out, good, n);
            at += taken;
            count[MOJIBAKE]++;
        } else if (len == 0 && knob[BYTES] > 0) {
            reader_html_from_1252((Str){ at++, 1 }, out);
            n = 1;
            count[BYTES]++;
        } else if (len > 0 && knob[CONTROLS] > 0 && is_dropped(at, len)) {
            at += len;
            n = 1;
            count[CONTROLS]++;
        } else {
            len = MAX(len, 1);
            buf_put(out, at, len);
            at += len;
        }
        changed = changed || n > 0;
    }
    return changed;
}

/* Nothing to do for plain ASCII without controls, which is most text. */
static bool is_plain(Str t)
{
    for (ptrdiff_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.at[i];
        if (c >= 127 || (c < 32 && c != '\n' && c != '\t' && c != '\r')) return false;
    }
    return true;
}

static bool edit(const FilterDoc *d, const FilterAsk *a, Buf *out, double *count)
{
    if (is_plain(d->text) || !mend_all(d->text, a->knob, out, count)) return false;
    Buf again = { 0 };
    for (int round = 1; round < ROUNDS; round++) {
        double more[3] = { 0 };
        buf_clear(&again);
        if (!mend_all(buf_view(out), a->knob, &again, more)) break;
        Buf swap = *out;
        *out = again;
        again = swap;
    }
    buf_free(&again);
    return true;
}

const FilterDef filter_encoding = {
    .name = "encoding",
    .doc = "text that was decoded wrongly is mended, control characters go",
    .source = "windows-1252 of the WHATWG encoding standard; after the idea of ftfy (Speer 2019)",
    .version = 1,
    .knobs = knobs,
    .rules = rules,
    .n_rules = (int)COUNT(rules),
    .list = FILTER_NO_LIST,
    .edit = edit,
};
