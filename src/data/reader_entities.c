/* reader_entities.c - &eacute; and its kin, and the bytes that windows-1252 has for them.
 *
 * The 252 names of HTML 4 and &apos;: what pages of thirty years hold.  HTML 5 has two thousand
 * more, most of them signs of mathematics that nobody writes by name; a name that is not here stays
 * as it stands, so nothing is lost.  Numbers from 128 to 159 mean windows-1252, as in all
 * browsers (HTML standard, 13.2.5.80). */
#include <string.h>

#include "data/reader_html.h"

/* Of U+00A0 to U+00FF, in order. */
static const char latin[] =
    "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn "
    "sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave "
    "Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml "
    "ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN "
    "szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave "
    "iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute "
    "ucirc uuml yacute thorn yuml";

/* Of U+0391 to U+03C9, in order; - stands for what has no name. */
static const char greek[] =
    "Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho - "
    "Sigma Tau Upsilon Phi Chi Psi Omega - - - - - - - alpha beta gamma delta epsilon zeta eta "
    "theta iota kappa lambda mu nu xi omicron pi rho sigmaf sigma tau upsilon phi chi psi omega";

static const struct {
    const char *name;
    uint32_t code;
} others[] = {
    { "quot", 34 },     { "amp", 38 },       { "apos", 39 },     { "lt", 60 },
    { "gt", 62 },       { "OElig", 338 },    { "oelig", 339 },   { "Scaron", 352 },
    { "scaron", 353 },  { "Yuml", 376 },     { "fnof", 402 },    { "circ", 710 },
    { "tilde", 732 },   { "thetasym", 977 }, { "upsih", 978 },   { "piv", 982 },
    { "ensp", 8194 },   { "emsp", 8195 },    { "thinsp", 8201 }, { "zwnj", 8204 },
    { "zwj", 8205 },    { "lrm", 8206 },     { "rlm", 8207 },    { "ndash", 8211 },
    { "mdash", 8212 },  { "lsquo", 8216 },   { "rsquo", 8217 },  { "sbquo", 8218 },
    { "ldquo", 8220 },  { "rdquo", 8221 },   { "bdquo", 8222 },  { "dagger", 8224 },
    { "Dagger", 8225 }, { "bull", 8226 },    { "hellip", 8230 }, { "permil", 8240 },
    { "prime", 8242 },  { "Prime", 8243 },   { "lsaquo", 8249 }, { "rsaquo", 8250 },
    { "oline", 8254 },  { "frasl", 8260 },   { "euro", 8364 },   { "image", 8465 },
    { "weierp", 8472 }, { "real", 8476 },    { "trade", 8482 },  { "alefsym", 8501 },
    { "larr", 8592 },   { "uarr", 8593 },    { "rarr", 8594 },   { "darr", 8595 },
    { "harr", 8596 },   { "crarr", 8629 },   { "lArr", 8656 },   { "uArr", 8657 },
    { "rArr", 8658 },   { "dArr", 8659 },    { "hArr", 8660 },   { "forall", 8704 },
    { "part", 8706 },   { "exist", 8707 },   { "empty", 8709 },  { "nabla", 8711 },
    { "isin", 8712 },   { "notin", 8713 },   { "ni", 8715 },     { "prod", 8719 },
    { "sum", 8721 },    { "minus", 8722 },   { "lowast", 8727 }, { "radic", 8730 },
    { "prop", 8733 },   { "infin", 8734 },   { "ang", 8736 },    { "and", 8743 },
    { "or", 8744 },     { "cap", 8745 },     { "cup", 8746 },    { "int", 8747 },
    { "there4", 8756 }, { "sim", 8764 },     { "cong", 8773 },   { "asymp", 8776 },
    { "ne", 8800 },     { "equiv", 8801 },   { "le", 8804 },     { "ge", 8805 },
    { "sub", 8834 },    { "sup", 8835 },     { "nsub", 8836 },   { "sube", 8838 },
    { "supe", 8839 },   { "oplus", 8853 },   { "otimes", 8855 }, { "perp", 8869 },
    { "sdot", 8901 },   { "lceil", 8968 },   { "rceil", 8969 },  { "lfloor", 8970 },
    { "rfloor", 8971 }, { "lang", 9001 },    { "rang", 9002 },   { "loz", 9674 },
    { "spades", 9824 }, { "clubs", 9827 },   { "hearts", 9829 }, { "diams", 9830 },
};

/* Of windows-1252 from 0x80 on; 0: no character. */
static const uint16_t upper[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

void reader_html_put(Buf *out, uint32_t code)
{
    char at[4];
    int n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (int i = n - 1; i > 0; i--, code >>= 6) at[i] = (char)(0x80 | (code & 0x3f));
    static const unsigned char lead[5] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    at[0] = (char)(lead[n] | code);
    buf_put(out, at, n);
}

void reader_html_from_1252(Str bytes, Buf *out)
{
    for (ptrdiff_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.at[i];
        uint32_t code = c >= 0x80 && c < 0xa0 ? upper[c - 0x80] : c;
        reader_html_put(out, code || c == 0 ? code : 0xfffd);
    }
}

/* The place of `name` in a list of words; -1 if it is none of them. */
static int place_in(const char *list, Str name)
{
    Str rest = str_of(list), word;
    for (int i = 0; str_cut(&rest, ' ', &word); i++)
        if (str_eq(word, name)) return i;
    return -1;
}

static uint32_t named(Str name)
{
    int at = place_in(latin, name);
    if (at >= 0) return 0xa0 + (uint32_t)at;
    at = place_in(greek, name);
    if (at >= 0) return 0x391 + (uint32_t)at;
    for (ptrdiff_t i = 0; i < COUNT(others); i++)
        if (str_eq(str_of(others[i].name), name)) return others[i].code;
    return 0;
}

/* "#233;" or "#xE9;" */
static ptrdiff_t numbered(Str s, Buf *out)
{
    bool hex = s.len > 1 && (s.at[1] | 32) == 'x';
    ptrdiff_t i = hex ? 2 : 1, begin = i;
    uint32_t code = 0;
    for (; i < s.len; i++) {
        char c = s.at[i], small = (char)(c | 32);
        int digit = c >= '0' && c <= '9'                  ? c - '0'
                    : hex && small >= 'a' && small <= 'f' ? small - 'a' + 10
                                                          : -1;
        if (digit < 0) break;
        if (code < 0x110000) code = code * (hex ? 16 : 10) + (uint32_t)digit;
    }
    if (i == begin) return 0;
    if (code >= 0x80 && code < 0xa0) code = upper[code - 0x80];
    bool good = code > 0 && code < 0x110000 && (code < 0xd800 || code > 0xdfff);
    reader_html_put(out, good ? code : 0xfffd);
    return i + (i < s.len && s.at[i] == ';');
}

ptrdiff_t reader_html_entity(Str s, Buf *out)
{
    if (s.len > 1 && s.at[0] == '#') return numbered(s, out);
    ptrdiff_t n = 0;
    while (n < s.len && n < 9 && ((s.at[n] | 32) >= 'a' && (s.at[n] | 32) <= 'z')) n++;
    while (n > 0 && n < s.len && n < 9 && s.at[n] >= '0' && s.at[n] <= '9') n++;
    bool closed = n < s.len && s.at[n] == ';';
    uint32_t code = n > 0 && closed ? named((Str){ s.at, n }) : 0;
    if (code == 0) return 0;
    reader_html_put(out, code);
    return n + 1;
}
