/* reader_html.c - pages: the text that a browser would show, and nothing around it.
 *
 * Which part of a page is its article and which is furniture is a guess (trafilatura and its kin
 * make it, each in its own way); here everything visible comes through, and rules on lines
 * (filter_c4.c, filter_lines.c) take the furniture out where a recipe says so, in the open.
 *
 * No tree is built: real pages are not well-formed, and text needs no more than where an element
 * begins, ends a line, or hides what it holds.  A tag that never ends, a comment that never closes,
 * ten thousand open <div>s are all one pass.  Pages are UTF-8, or windows-1252 if they
 * are not, which is what browsers assume of a page that says nothing or says ISO-8859-1. */
#include "data/reader_html.h"

#include <string.h>
#include <strings.h>

#include "data/reader.h"

enum { LARGEST = 1 << 28 }; /* bytes of a page */

typedef enum Break { NO_BREAK, SPACE, LINE, PARAGRAPH } Break;

typedef struct Page {
    const char *at, *end;
    Buf *out;
    ptrdiff_t begun; /* where this page begins in out */
    Break wanted;    /* before the next visible character */
    int pre;         /* open <pre>s */
    bool unclosed;   /* an element that hides was not closed: none is looked for again */
} Page;

typedef struct Tag {
    Str name;
    bool closing, hidden;
} Tag;

/* What an element does to the text around it; `hides` what it holds. */
static const struct Element {
    const char *name;
    Break around;
    bool hides;
} elements[] = {
    { "p", PARAGRAPH, false },
    { "div", LINE, false },
    { "br", LINE, false },
    { "li", LINE, false },
    { "tr", LINE, false },
    { "td", SPACE, false },
    { "th", SPACE, false },
    { "h1", PARAGRAPH, false },
    { "h2", PARAGRAPH, false },
    { "h3", PARAGRAPH, false },
    { "h4", PARAGRAPH, false },
    { "h5", PARAGRAPH, false },
    { "h6", PARAGRAPH, false },
    { "ul", PARAGRAPH, false },
    { "ol", PARAGRAPH, false },
    { "dl", PARAGRAPH, false },
    { "dt", LINE, false },
    { "dd", LINE, false },
    { "table", PARAGRAPH, false },
    { "hr", PARAGRAPH, false },
    { "pre", PARAGRAPH, false },
    { "section", LINE, false },
    { "article", LINE, false },
    { "header", LINE, false },
    { "footer", LINE, false },
    { "nav", LINE, false },
    { "main", LINE, false },
    { "aside", LINE, false },
    { "form", LINE, false },
    { "fieldset", LINE, false },
    { "blockquote", PARAGRAPH, false },
    { "figure", LINE, false },
    { "figcaption", LINE, false },
    { "address", LINE, false },
    { "option", LINE, false },
    { "body", LINE, false },
    { "caption", LINE, false },
    { "summary", LINE, false },
    { "details", LINE, false },
    { "script", NO_BREAK, true },
    { "style", NO_BREAK, true },
    { "title", NO_BREAK, true },
    { "noscript", NO_BREAK, true },
    { "template", NO_BREAK, true },
    { "svg", NO_BREAK, true },
    { "iframe", NO_BREAK, true },
    { "object", NO_BREAK, true },
    { "video", NO_BREAK, true },
    { "audio", NO_BREAK, true },
    { "canvas", NO_BREAK, true },
    { "select", LINE, true },
    { "textarea", LINE, true },
};

static bool is_letter(char c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

static const struct Element *element_of(Str name)
{
    for (ptrdiff_t i = 0; i < COUNT(elements); i++)
        if ((ptrdiff_t)strlen(elements[i].name) == name.len &&
            strncasecmp(elements[i].name, name.at, (size_t)name.len) == 0)
            return &elements[i];
    return NULL;
}

/* ---- text ---- */

static void want(Page *p, Break b)
{
    p->wanted = MAX(p->wanted, b);
}

static void put_break(Page *p)
{
    static const char *const bytes[] = { "", " ", "\n", "\n\n" };
    if (p->out->len > p->begun) buf_str(p->out, str_of(bytes[p->wanted]));
    p->wanted = NO_BREAK;
}

static void put_entity(Page *p)
{
    put_break(p);
    ptrdiff_t n = reader_html_entity((Str){ p->at + 1, p->end - p->at - 1 }, p->out);
    if (n == 0) buf_char(p->out, '&');
    p->at += 1 + n;
}

/* Up to the next tag. */
static void put_text(Page *p)
{
    while (p->at < p->end && *p->at != '<') {
        const char *begin = p->at;
        if (is_space(*p->at) && p->pre == 0) {
            while (p->at < p->end && is_space(*p->at)) p->at++;
            want(p, SPACE);
            continue;
        }
        if (*p->at == '&') {
            put_entity(p);
            continue;
        }
        while (p->at < p->end && *p->at != '<' && *p->at != '&' && (p->pre || !is_space(*p->at)))
            p->at++;
        put_break(p);
        buf_put(p->out, begin, p->at - begin);
    }
}

/* ---- tags ---- */

/* From an attribute's name on, over it and its value. */
static Str attribute(const char **at, const char *end)
{
    Str name = { *at, 0 };
    while (*at < end && !is_space(**at) && **at != '=' && **at != '>' && **at != '/') ++*at;
    name.len = *at - name.at;
    while (*at < end && is_space(**at)) ++*at;
    if (*at == end || **at != '=') return name;
    do ++*at;
    while (*at < end && is_space(**at));
    if (*at < end && (**at == '"' || **at == '\'')) {
        const char *close = memchr(*at + 1, **at, (size_t)(end - *at - 1));
        *at = close ? close + 1 : end;
    } else {
        while (*at < end && !is_space(**at) && **at != '>') ++*at;
    }
    return name;
}

/* At "<": over the tag; false if it is none.  A comment or declaration is a tag without a name. */
static bool read_tag(const char **at, const char *end, Tag *tag)
{
    const char *s = *at + 1;
    *tag = (Tag){ 0 };
    if (s < end && (*s == '!' || *s == '?')) {
        bool comment = end - s >= 3 && memcmp(s, "!--", 3) == 0;
        const char *close = comment ? memmem(s + 1, (size_t)(end - s - 1), "-->", 3)
                                    : memchr(s, '>', (size_t)(end - s));
        *at = close ? close + (comment ? 3 : 1) : end;
        return true;
    }
    if (s < end && *s == '/') tag->closing = true, s++;
    if (s == end || !is_letter(*s)) return false;
    tag->name.at = s;
    while (s < end && !is_space(*s) && *s != '>' && *s != '/') s++;
    tag->name.len = s - tag->name.at;
    while (s < end && *s != '>') {
        const char *before = s;
        Str name = is_space(*s) || *s == '/' ? (Str){ s++, 0 } : attribute(&s, end);
        if (name.len == 6 && strncasecmp(name.at, "hidden", 6) == 0) tag->hidden = true;
        if (s == before) s++;
    }
    *at = s < end ? s + 1 : end;
    return true;
}

static bool same_name(Str a, Str b)
{
    return a.len == b.len && strncasecmp(a.at, b.at, (size_t)a.len) == 0;
}

/* Text that is no markup: only its own closing tag ends it. */
static bool is_raw(Str name)
{
    return same_name(name, STR("script")) || same_name(name, STR("style")) ||
           same_name(name, STR("textarea")) || same_name(name, STR("title"));
}

/* Behind an opening tag: over all that its element holds.  One that is not closed hides nothing. */
static void skip_element(Page *p, Str name)
{
    int depth = 1;
    bool raw = is_raw(name);
    const char *at = p->at;
    while (depth > 0 && (at = memchr(at, '<', (size_t)(p->end - at)))) {
        Tag tag;
        if (raw && !(p->end - at > 1 && at[1] == '/')) {
            at++;
            continue;
        }
        if (!read_tag(&at, p->end, &tag))
            at++;
        else if (same_name(tag.name, name))
            depth += tag.closing ? -1 : 1;
    }
    if (depth > 0)
        p->unclosed = true;
    else
        p->at = at;
}

static bool may_hide(Str name)
{
    return same_name(name, STR("div")) || same_name(name, STR("span")) ||
           same_name(name, STR("section")) || same_name(name, STR("ul"));
}

static void take_tag(Page *p)
{
    Tag tag;
    if (!read_tag(&p->at, p->end, &tag)) {
        put_break(p);
        buf_char(p->out, *p->at++);
        return;
    }
    const struct Element *e = element_of(tag.name);
    if (e) want(p, e->around);
    if (same_name(tag.name, STR("pre"))) p->pre = MAX(0, p->pre + (tag.closing ? -1 : 1));
    bool hides = (e && e->hides) || (tag.hidden && may_hide(tag.name));
    bool empty = p->at[-1] == '>' && p->at[-2] == '/';
    if (hides && !tag.closing && !empty && !p->unclosed) skip_element(p, tag.name);
}

void reader_html_text(Str page, Buf *out)
{
    if (page.len == 0) return;
    Page p = { .at = page.at, .end = page.at + page.len, .out = out, .begun = out->len };
    while (p.at < p.end) {
        if (*p.at == '<')
            take_tag(&p);
        else
            put_text(&p);
    }
}

void reader_html_page(Str bytes, Buf *out)
{
    Buf utf8 = { 0 };
    ReaderUtf8 check = { 0 };
    readerutf8_add(&check, bytes);
    if (!readerutf8_end(&check)) {
        reader_html_from_1252(bytes, &utf8);
        bytes = buf_view(&utf8);
    }
    reader_html_text(bytes, out);
    buf_free(&utf8);
}

/* ---- the reader ---- */

static bool read_html(ReaderStream *in, ReaderFile *file, Err *err)
{
    Buf page = { 0 }, text = { 0 };
    bool ok = readerstream_rest(in, LARGEST, &page, err);
    if (ok) reader_html_page(buf_view(&page), &text);
    ok = ok && readerfile_document(file, 0, buf_view(&text), err);
    buf_free(&page);
    buf_free(&text);
    return ok;
}

static bool is_html(Str head)
{
    Str text = str_trim(head);
    return (text.len > 14 && strncasecmp(text.at, "<!doctype html", 14) == 0) ||
           (text.len > 5 && strncasecmp(text.at, "<html", 5) == 0);
}

static const char *const suffixes[] = { ".html", ".htm", ".xhtml", NULL };

const ReaderDef reader_html = {
    .name = "html",
    .suffixes = suffixes,
    .doc = "the visible text of a page; a file is a document",
    .is = is_html,
    .read = read_html,
};
