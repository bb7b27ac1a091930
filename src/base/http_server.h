/* http_server.h - a small HTTP server on this machine's loopback address, over libmicrohttpd.
 *
 * Each connection has a thread, so a handler may take its time; it must be safe to run several at
 * once.  A browser can be made to send requests here by any web page, so every request is checked
 * first: its Host must name this machine (a name that a page's owner points at 127.0.0.1 does not),
 * and an Origin, which browsers send and programs do not, must be this machine too. */
#ifndef BASE_HTTP_SERVER_H
#define BASE_HTTP_SERVER_H

#include "base/err.h"
#include "base/str.h"

typedef struct HttpAsked {
    const char *method, *path; /* "POST", "/mcp" without a question behind it */
    Str body;
    const void *at; /* for http_server_header */
} HttpAsked;

/* A body that comes bit by bit: `next` appends what there is to say, and may take its time about
 * it; false where that was the last of it.  `end` is called once, also when the client has gone. */
typedef struct HttpStream {
    bool (*next)(void *self, Buf *piece);
    void (*end)(void *self);
    void *self;
} HttpStream;

typedef struct HttpAnswer {
    int status;
    const char *type;  /* content-type; NULL: none */
    const char *allow; /* of a 405; NULL */
    Buf body;          /* freed by the server */
    HttpStream stream; /* instead of a body, where next is set */
} HttpAnswer;

typedef struct HttpServer HttpServer;
typedef void HttpHandler(void *self, const HttpAsked *asked, HttpAnswer *answer);

/* Listens on 127.0.0.1 (port 0: any that is free).  A body of more than max_bytes is refused. */
HttpServer *http_server_open(int port, int64_t max_bytes, HttpHandler *handle, void *self,
                             Err *err) MUST_CHECK;
int http_server_port(const HttpServer *s);
void http_server_close(HttpServer *s); /* waits for handlers that run */

/* NULL if the request has no such header. */
const char *http_server_header(const HttpAsked *asked, const char *name);

/* Is this the value of a Host or Origin header of this machine? */
bool http_server_is_here(const char *host_or_origin);

#endif
