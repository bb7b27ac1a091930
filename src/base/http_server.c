/* http_server.c - libmicrohttpd behind four functions.
 *
 * Opened by name as libcurl is (http.c says why).  A body comes in pieces; it is gathered, and the
 * handler called once with all of it. */
#include "base/http_server.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/library.h"

enum { CONNECTIONS = 32, IDLE_SECONDS = 90 };

static struct {
    __typeof__(MHD_start_daemon) *start_daemon;
    __typeof__(MHD_stop_daemon) *stop_daemon;
    __typeof__(MHD_get_daemon_info) *get_daemon_info;
    __typeof__(MHD_create_response_from_buffer) *create_response;
    __typeof__(MHD_create_response_from_callback) *create_stream;
    __typeof__(MHD_add_response_header) *add_header;
    __typeof__(MHD_queue_response) *queue_response;
    __typeof__(MHD_destroy_response) *destroy_response;
    __typeof__(MHD_lookup_connection_value) *lookup;
} lib;
static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    void *so = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);
    if (!so) so = dlopen("libmicrohttpd.so", RTLD_NOW | RTLD_LOCAL);
    if (!so) return;
    loaded = library_find(so, "MHD_start_daemon", &lib.start_daemon) &&
             library_find(so, "MHD_stop_daemon", &lib.stop_daemon) &&
             library_find(so, "MHD_get_daemon_info", &lib.get_daemon_info) &&
             library_find(so, "MHD_create_response_from_buffer", &lib.create_response) &&
             library_find(so, "MHD_create_response_from_callback", &lib.create_stream) &&
             library_find(so, "MHD_add_response_header", &lib.add_header) &&
             library_find(so, "MHD_queue_response", &lib.queue_response) &&
             library_find(so, "MHD_destroy_response", &lib.destroy_response) &&
             library_find(so, "MHD_lookup_connection_value", &lib.lookup);
}

struct HttpServer {
    struct MHD_Daemon *daemon;
    HttpHandler *handle;
    void *self;
    int64_t max_bytes;
};

/* One request while its body comes. */
typedef struct Request {
    Buf body;
    bool too_long;
} Request;

const char *http_server_header(const HttpAsked *asked, const char *name)
{
    struct MHD_Connection *c = (struct MHD_Connection *)(uintptr_t)asked->at;
    return lib.lookup(c, MHD_HEADER_KIND, name);
}

bool http_server_is_here(const char *value)
{
    static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };
    if (strncmp(value, "http://", 7) == 0) value += 7;
    for (ptrdiff_t i = 0; i < COUNT(names); i++) {
        size_t n = strlen(names[i]);
        if (strncasecmp(value, names[i], n) != 0) continue;
        const char *port = value + n;
        if (*port == 0) return true;
        if (*port == ':' && port[1] && strspn(port + 1, "0123456789") == strlen(port + 1))
            return true;
    }
    return false;
}

/* A stream on its way: what `next` has said and the client has not had yet. */
typedef struct Sending {
    HttpStream stream;
    Buf piece;
    ptrdiff_t sent;
    bool last;
} Sending;

/* Called by the connection's own thread, which may wait. */
static ssize_t on_room(void *self, uint64_t pos, char *out, size_t room)
{
    Sending *s = self;
    (void)pos;
    while (s->sent == s->piece.len && !s->last) {
        buf_clear(&s->piece);
        s->sent = 0;
        s->last = !s->stream.next(s->stream.self, &s->piece);
    }
    size_t n = MIN(room, (size_t)(s->piece.len - s->sent));
    if (n == 0) return MHD_CONTENT_READER_END_OF_STREAM;
    memcpy(out, s->piece.at + s->sent, n);
    s->sent += (ptrdiff_t)n;
    return (ssize_t)n;
}

static void on_sent(void *self)
{
    Sending *s = self;
    s->stream.end(s->stream.self);
    buf_free(&s->piece);
    free(s);
}

static struct MHD_Response *streamed(const HttpAnswer *a)
{
    enum { PIECE = 16 << 10 };
    Sending *s = calloc(1, sizeof(*s));
    CHECK(s, "no memory for a stream");
    s->stream = a->stream;
    struct MHD_Response *r = lib.create_stream(MHD_SIZE_UNKNOWN, PIECE, on_room, s, on_sent);
    if (!r) on_sent(s);
    return r;
}

static struct MHD_Response *whole(HttpAnswer *a)
{
    static char nothing[1];
    struct MHD_Response *r = lib.create_response(
        (size_t)a->body.len, a->body.at ? a->body.at : nothing, MHD_RESPMEM_MUST_COPY);
    buf_free(&a->body);
    return r;
}

static enum MHD_Result answer(struct MHD_Connection *c, HttpAnswer *a)
{
    struct MHD_Response *r = a->stream.next ? streamed(a) : whole(a);
    if (!r) return MHD_NO;
    if (a->stream.next) lib.add_header(r, "Cache-Control", "no-store");
    if (a->stream.next) lib.add_header(r, "X-Accel-Buffering", "no");
    if (a->type) lib.add_header(r, "Content-Type", a->type);
    if (a->allow) lib.add_header(r, "Allow", a->allow);
    lib.add_header(r, "X-Content-Type-Options", "nosniff");
    enum MHD_Result sent = lib.queue_response(c, (unsigned)a->status, r);
    lib.destroy_response(r);
    return sent;
}

static enum MHD_Result refuse(struct MHD_Connection *c, int status, const char *words)
{
    HttpAnswer a = { .status = status, .type = "text/plain" };
    buf_printf(&a.body, "%s\n", words);
    return answer(c, &a);
}

static bool from_here(const HttpAsked *asked)
{
    const char *host = http_server_header(asked, "Host");
    const char *origin = http_server_header(asked, "Origin");
    return host && http_server_is_here(host) && (!origin || http_server_is_here(origin));
}

static enum MHD_Result on_request(void *self, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *piece,
                                  size_t *piece_len, void **state)
{
    HttpServer *s = self;
    Request *r = *state;
    (void)version;
    if (!r) {
        *state = calloc(1, sizeof(*r));
        return *state ? MHD_YES : MHD_NO;
    }
    if (*piece_len > 0) {
        r->too_long = r->too_long || r->body.len + (int64_t)*piece_len > s->max_bytes;
        if (!r->too_long) buf_put(&r->body, piece, (ptrdiff_t)*piece_len);
        *piece_len = 0;
        return MHD_YES;
    }
    HttpAsked asked = { .method = method, .path = url, .body = buf_view(&r->body), .at = c };
    if (!from_here(&asked)) return refuse(c, 403, "only programs of this machine are answered");
    if (r->too_long) return refuse(c, 413, "the request is too long");
    HttpAnswer a = { .status = 200 };
    s->handle(s->self, &asked, &a);
    return answer(c, &a);
}

static void on_end(void *self, struct MHD_Connection *c, void **state,
                   enum MHD_RequestTerminationCode why)
{
    Request *r = *state;
    (void)self, (void)c, (void)why;
    if (!r) return;
    buf_free(&r->body);
    free(r);
    *state = NULL;
}

HttpServer *http_server_open(int port, int64_t max_bytes, HttpHandler *handle, void *self, Err *err)
{
    pthread_once(&once, load);
    if (!loaded) {
        err_set(err, ERR_DEVICE, "libmicrohttpd is missing: install libmicrohttpd12");
        return NULL;
    }
    HttpServer *s = calloc(1, sizeof(*s));
    CHECK(s, "no memory for a server");
    *s = (HttpServer){ .handle = handle, .self = self, .max_bytes = max_bytes };
    struct sockaddr_in here = { .sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = { htonl(INADDR_LOOPBACK) } };
    s->daemon = lib.start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, (uint16_t)port, NULL, NULL,
        on_request, s, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&here, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
    if (s->daemon) return s;
    free(s);
    err_errno(err, "cannot listen on 127.0.0.1:%d", port);
    return NULL;
}

int http_server_port(const HttpServer *s)
{
    const union MHD_DaemonInfo *info = lib.get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

void http_server_close(HttpServer *s)
{
    lib.stop_daemon(s->daemon);
    free(s);
}
