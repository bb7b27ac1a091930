/* http.c - MCP over HTTP: POST /mcp, one JSON object in, one out; a call that takes longer than a
 * second is answered by a stream of events, with the progress that was asked for.
 *
 * No session is kept; in the newer era there is none, and in the older one they are
 * a server's choice.  Headers of the newer era repeat what stands in the body, so that what stands
 * between can route by them; where the two differ the request is refused. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/http_server.h"
#include "mcp/mcp_private.h"

enum { BODY_MAX = 8 << 20 };
static const double SOON = 1, PROGRESS_EVERY = 5, PATIENCE = 55; /* seconds */

static void put_json(HttpAnswer *a, json_t *message, int status)
{
    a->status = status;
    a->type = "application/json";
    tool_text(message, &a->body);
    json_decref(message);
}

/* ---- headers of the newer era ---- */

static int sextet(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* "=?base64?...?=" stands for bytes that a header cannot hold; false if it is broken. */
static bool decode(Str value, Buf *out)
{
    if (!str_starts(value, STR("=?base64?")) || !str_ends(value, STR("?=")) || value.len < 11) {
        buf_str(out, value);
        return true;
    }
    unsigned bits = 0;
    int have = 0;
    for (const char *c = value.at + 9; c < value.at + value.len - 2 && *c != '='; c++) {
        if (sextet(*c) < 0) return false;
        bits = bits << 6 | (unsigned)sextet(*c);
        have += 6;
        if (have < 8) continue;
        have -= 8;
        buf_char(out, (char)(bits >> have & 0xff));
    }
    return true;
}

/* Without the white space that may stand around it. (c) */
static Str header_of(const HttpAsked *asked, const char *name)
{
    return str_trim(str_of(http_server_header(asked, name)));
}

static bool says(const HttpAsked *asked, const char *header, const char *value)
{
    Buf b = { 0 };
    bool same = decode(header_of(asked, header), &b) && str_eq(buf_view(&b), str_of(value));
    buf_free(&b);
    return same;
}

static bool named(const char *method)
{
    static const char *const methods[] = { "tools/call", "resources/read", "prompts/get",
                                           "tasks/get",  "tasks/update",   "tasks/cancel" };
    for (ptrdiff_t i = 0; i < COUNT(methods); i++)
        if (strcmp(method, methods[i]) == 0) return true;
    return false;
}

/* What the header Mcp-Name repeats. */
static const char *name_of(const json_t *params)
{
    return json_str(params, "name", json_str(params, "uri", json_str(params, "taskId", "")));
}

/* NULL if headers and body agree. */
static json_t *mismatch(const HttpAsked *asked, const json_t *message)
{
    const json_t *params = json_object_get(message, "params"), *id = json_object_get(message, "id");
    const char *method = json_str(message, "method", "");
    const char *version = json_string_value(mcp_meta(params, "protocolVersion"));
    if (!says(asked, "MCP-Protocol-Version", version ? version : ""))
        return mcp_error(id, MCP_HEADERS, "Header mismatch: MCP-Protocol-Version", NULL);
    if (!says(asked, "Mcp-Method", method))
        return mcp_error(id, MCP_HEADERS, "Header mismatch: Mcp-Method", NULL);
    if (named(method) && !says(asked, "Mcp-Name", name_of(params)))
        return mcp_error(id, MCP_HEADERS, "Header mismatch: Mcp-Name", NULL);
    return NULL;
}

/* ---- one request ---- */

/* NULL: not within so many seconds. */
static json_t *answered(McpCall *call, double seconds)
{
    const struct timespec nap = { 0, 200000000 };
    double until = clock_now() + seconds;
    json_t *reply = NULL;
    while (!(reply = mcp_poll(call)) && clock_now() < until && !stop_asked()) nanosleep(&nap, NULL);
    return reply;
}

/* A call that takes its time, as events: where the work is, then the answer. */
typedef struct Stream {
    McpCall *call;
    const char *lab;
} Stream;

static void put_event(json_t *message, Buf *out)
{
    buf_str(out, STR("event: message\ndata: "));
    tool_text(message, out);
    buf_str(out, STR("\n\n"));
    json_decref(message);
}

/* What is said meanwhile also shows whether the client is still there. */
static bool next_event(void *self, Buf *out)
{
    Stream *s = self;
    json_t *reply = answered(s->call, PROGRESS_EVERY);
    if (reply) put_event(reply, out);
    if (reply || stop_asked()) return false;
    json_t *progress = mcp_progress(s->call, s->lab);
    if (progress)
        put_event(progress, out);
    else
        buf_str(out, STR(": at work\n\n"));
    return true;
}

static void end_events(void *self)
{
    Stream *s = self;
    mcp_drop(s->call);
    free(s);
}

static bool takes_events(const HttpAsked *asked)
{
    const char *accept = http_server_header(asked, "Accept");
    return accept && strstr(accept, "text/event-stream");
}

/* One that is answered soon gets one JSON object, and so does a client that takes nothing else. */
static void answer_later(McpServer *m, const HttpAsked *asked, McpAnswer *a, HttpAnswer *out)
{
    bool events = takes_events(asked);
    a->reply = answered(a->later, events ? SOON : PATIENCE);
    if (!a->reply && events && !stop_asked()) {
        Stream *s = calloc(1, sizeof(*s));
        CHECK(s, "no memory for a stream");
        *s = (Stream){ a->later, m->lab };
        out->type = "text/event-stream";
        out->stream = (HttpStream){ next_event, end_events, s };
        return;
    }
    if (!a->reply) a->reply = mcp_late(a->later);
    mcp_drop(a->later);
}

/* A version that only the header names makes the request one of the newer era, and the body is
 * then not whole. (c) */
static void take(McpServer *m, const HttpAsked *asked, const json_t *message, HttpAnswer *out)
{
    const json_t *params = json_object_get(message, "params");
    McpServer own = *m;
    bool body_modern = mcp_meta(params, "protocolVersion") != NULL;
    own.stateless = true;
    own.newer = says(asked, "MCP-Protocol-Version", mcp_modern);
    json_t *differ = body_modern ? mismatch(asked, message) : NULL;
    if (differ) {
        put_json(out, differ, 400);
        return;
    }
    McpAnswer a = mcp_take(&own, message);
    if (a.later) answer_later(m, asked, &a, out);
    if (out->stream.next) return;
    if (a.reply)
        put_json(out, a.reply, a.status);
    else
        out->status = a.status == 202 ? 202 : 503;
}

static void handle(void *self, const HttpAsked *asked, HttpAnswer *out)
{
    Err err = { 0 };
    const char *type = http_server_header(asked, "Content-Type");
    if (strcmp(asked->path, "/mcp") != 0) {
        out->status = 404;
        return;
    }
    if (strcmp(asked->method, "POST") != 0) {
        out->status = 405;
        out->allow = "POST";
        return;
    }
    if (!type || strncmp(type, "application/json", 16) != 0) {
        out->status = 415;
        return;
    }
    json_t *message = json_read(asked->body, "the message", &err);
    if (message)
        take(self, asked, message, out);
    else
        put_json(out, mcp_error(NULL, RPC_PARSE, err.msg, NULL), 400);
    json_decref(message);
}

bool mcp_http(McpServer *m, int port, void (*told)(int port), Err *err)
{
    const struct timespec nap = { 0, 200000000 };
    HttpServer *s = http_server_open(port, BODY_MAX, handle, m, err);
    if (!s) return false;
    told(http_server_port(s));
    while (!stop_asked()) nanosleep(&nap, NULL);
    http_server_close(s);
    return true;
}
