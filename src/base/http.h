/* http.h - one HTTP request and its answer, over libcurl.
 *
 * The only door to the network.  libcurl is loaded when the first request is made and not before:
 * a laboratory without a network never needs it, and no command pays for its start. */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include "base/err.h"
#include "base/str.h"

typedef struct HttpRequest {
    const char *url;            /* http:// or https:// */
    const char *method;         /* NULL: GET without a body, POST with one */
    const char *const *headers; /* "name: value"; may hold keys, and none is ever printed */
    int header_count;
    Str body;
    int64_t from; /* wants the bytes from here on (a Range header); see HttpReply.status */
    double connect_seconds; /* 0: 20 */
    double idle_seconds;    /* fails after so long without a byte; 0: 60 */
    double total_seconds;   /* fails after so long in all; 0: never */
    int64_t max_bytes;      /* a longer answer fails; 0: no limit */
    /* Takes the answer's body as it comes, of any status.  NULL: it goes to HttpReply.body.
     * False ends the request without an error (HttpReply.ended). */
    bool (*on_bytes)(void *ctx, Str piece);
    /* Asked several times a second; true ends the request with ERR_STOPPED.  May be NULL. */
    bool (*stop)(void *ctx);
    void *ctx;
} HttpRequest;

typedef struct HttpReply {
    int status;  /* 200, 206 (the Range was granted), 404 ...; 0: no answer; set before the body */
    bool ended;  /* on_bytes had enough */
    Buf body;    /* if there was no on_bytes */
    Buf headers; /* of the last answer of a chain of redirections: "name: value\n", names in lower
                    case */
} HttpReply;

/* False if there was no whole answer: name not found, no connection, TLS, a cut or silent
 * connection.  Any status is an answer.  Redirections of a GET are followed (at most 5), never of a
 * POST.  `reply` is valid either way and ends with http_free. */
bool http_do(const HttpRequest *request, HttpReply *reply, Err *err) MUST_CHECK;
void http_free(HttpReply *reply);

/* The value of a header of the answer, NULL if absent; lives in `out` (at least 256 bytes). */
const char *http_header(const HttpReply *reply, const char *name, char out[256]);

/* True if the host of the URL is this machine: 127.0.0.0/8, ::1 or localhost. */
bool http_is_loopback(const char *url);

#endif
