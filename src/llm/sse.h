/* sse.h - server-sent events (WHATWG HTML, section 9.2) out of pieces cut anywhere. */
#ifndef LLM_SSE_H
#define LLM_SSE_H

#include "base/str.h"

enum { SSE_EVENT_MAX = 8 << 20 };

typedef struct Sse {
    /* One event: its data lines, joined.  False: enough. */
    bool (*event)(void *ctx, Str data);
    void *ctx;
    Buf line, data;
    bool has_data, after_cr, begun;
    bool too_long; /* an event was longer than SSE_EVENT_MAX */
} Sse;

/* False: the event function had enough, or an event was too long.  An event that is not followed
 * by an empty line when the stream ends is not delivered: it was cut. */
bool sse_feed(Sse *s, Str piece);
void sse_free(Sse *s);

#endif
