/* reader_html.h - the visible text of a page. */
#ifndef DATA_READER_HTML_H
#define DATA_READER_HTML_H

#include "base/str.h"

/* Appends the text that a browser would show, a line for each block, a blank line between
 * paragraphs.  Linear in the page, whatever it holds. */
void reader_html_text(Str page, Buf *out);

/* The same of a page as it was sent: windows-1252 if it is not UTF-8. */
void reader_html_page(Str bytes, Buf *out);

/* Appends what the entity at the front of `s` (behind the &) stands for and returns its length, a
 * closing semicolon included; 0 if there is none. */
ptrdiff_t reader_html_entity(Str s, Buf *out);

/* Appends a character. */
void reader_html_put(Buf *out, uint32_t code);

/* Bytes of windows-1252, appended as UTF-8. */
void reader_html_from_1252(Str bytes, Buf *out);

#endif
