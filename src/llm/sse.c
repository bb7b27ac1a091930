/* sse.c - lines end with CR, LF or both; a line is a field; an empty line sends the event.
 *
 * Names of events are not kept: both protocols that we speak repeat the type inside the data. */
#include "llm/sse.h"

static bool line_done(Sse *s)
{
    Str line = buf_view(&s->line), name;
    if (!s->begun && str_starts(line, STR("\xef\xbb\xbf"))) line.at += 3, line.len -= 3;
    s->begun = true;
    if (line.len == 0) {
        bool send = s->has_data, more = true;
        if (send) more = s->event(s->ctx, s->data.at ? buf_view(&s->data) : STR(""));
        buf_clear(&s->data);
        s->has_data = false;
        return more;
    }
    if (!str_cut(&line, ':', &name) || !str_eq(name, STR("data"))) return true;
    if (line.at && line.len > 0 && line.at[0] == ' ') line.at++, line.len--;
    if (s->has_data) buf_char(&s->data, '\n');
    if (line.at) buf_str(&s->data, line);
    s->has_data = true;
    return true;
}

bool sse_feed(Sse *s, Str piece)
{
    for (ptrdiff_t i = 0; i < piece.len; i++) {
        char c = piece.at[i];
        bool end = c == '\r' || (c == '\n' && !s->after_cr);
        bool skip = c == '\n' && s->after_cr;
        s->after_cr = c == '\r';
        if (skip) continue;
        if (!end) {
            buf_char(&s->line, c);
            s->too_long = s->line.len + s->data.len > SSE_EVENT_MAX;
            if (s->too_long) return false;
            continue;
        }
        bool more = line_done(s);
        buf_clear(&s->line);
        if (!more) return false;
    }
    return true;
}

void sse_free(Sse *s)
{
    buf_free(&s->line);
    buf_free(&s->data);
}
