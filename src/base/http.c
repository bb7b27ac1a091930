/* http.c - libcurl behind a function.
 *
 * libcurl is opened by name (dlopen), not linked: it brings some twenty libraries along, whose
 * loading every `lathe status` would pay for, and a static build for another processor does not
 * have them.  The types come from its header, so a call that does not fit is still an error of the
 * compiler.  Linking it, and writing HTTP and TLS ourselves, were the alternatives.
 *
 * A request is driven by the multi interface in steps of a fifth of a second: so a stop is heard
 * while nothing arrives, which a blocking call with a progress function only does once a second. */
#define CURL_DISABLE_TYPECHECK
#include "base/http.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/library.h"

enum { REDIRECTIONS = 5, STEP_MS = 200, HEADERS_MAX = 64 << 10 };

static struct {
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_easy_init) *easy_init;
    __typeof__(curl_easy_setopt) *setopt;
    __typeof__(curl_easy_getinfo) *getinfo;
    __typeof__(curl_easy_strerror) *strerror;
    __typeof__(curl_easy_cleanup) *easy_cleanup;
    __typeof__(curl_slist_append) *slist_append;
    __typeof__(curl_slist_free_all) *slist_free_all;
    __typeof__(curl_multi_init) *multi_init;
    __typeof__(curl_multi_add_handle) *multi_add_handle;
    __typeof__(curl_multi_remove_handle) *multi_remove_handle;
    __typeof__(curl_multi_perform) *multi_perform;
    __typeof__(curl_multi_wait) *multi_wait;
    __typeof__(curl_multi_info_read) *multi_info_read;
    __typeof__(curl_multi_cleanup) *multi_cleanup;
} lib;
static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    static const char *const names[] = { "libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.so" };
    void *so = NULL;
    for (int i = 0; !so && i < 3; i++) so = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!so) return;
    loaded = library_find(so, "curl_global_init", &lib.global_init) &&
             library_find(so, "curl_easy_init", &lib.easy_init) &&
             library_find(so, "curl_easy_setopt", &lib.setopt) &&
             library_find(so, "curl_easy_getinfo", &lib.getinfo) &&
             library_find(so, "curl_easy_strerror", &lib.strerror) &&
             library_find(so, "curl_easy_cleanup", &lib.easy_cleanup) &&
             library_find(so, "curl_slist_append", &lib.slist_append) &&
             library_find(so, "curl_slist_free_all", &lib.slist_free_all) &&
             library_find(so, "curl_multi_init", &lib.multi_init) &&
             library_find(so, "curl_multi_add_handle", &lib.multi_add_handle) &&
             library_find(so, "curl_multi_remove_handle", &lib.multi_remove_handle) &&
             library_find(so, "curl_multi_perform", &lib.multi_perform) &&
             library_find(so, "curl_multi_wait", &lib.multi_wait) &&
             library_find(so, "curl_multi_info_read", &lib.multi_info_read) &&
             library_find(so, "curl_multi_cleanup", &lib.multi_cleanup) &&
             lib.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

/* What libcurl's callbacks see. */
typedef struct Exchange {
    const HttpRequest *request;
    HttpReply *reply;
    int64_t received;
    bool too_long;
} Exchange;

static size_t take_body(char *bytes, size_t size, size_t count, void *ctx)
{
    Exchange *x = ctx;
    Str piece = { bytes, (ptrdiff_t)(size * count) };
    x->received += piece.len;
    if (x->request->max_bytes > 0 && x->received > x->request->max_bytes) {
        x->too_long = true;
        return 0; /* libcurl gives up */
    }
    if (!x->request->on_bytes) {
        buf_str(&x->reply->body, piece);
        return size * count;
    }
    x->reply->ended = !x->request->on_bytes(x->request->ctx, piece);
    return x->reply->ended ? 0 : size * count;
}

/* One line of the head.  A status line begins a new head: after a redirection, or after 100. */
static size_t take_header(char *bytes, size_t size, size_t count, void *ctx)
{
    Exchange *x = ctx;
    Buf *headers = &x->reply->headers;
    Str line = str_trim((Str){ bytes, (ptrdiff_t)(size * count) }), rest = line, name;
    if (str_starts(line, STR("HTTP/"))) {
        buf_clear(headers);
        const char *space = memchr(line.at, ' ', (size_t)line.len);
        x->reply->status = space ? atoi(space) : 0; /* curl's lines are followed by a line's end */
    } else if (line.len > 0 && headers->len + line.len < HEADERS_MAX &&
               str_cut(&rest, ':', &name)) {
        ptrdiff_t begin = headers->len;
        buf_str(headers, name);
        for (ptrdiff_t i = begin; i < headers->len; i++)
            if (headers->at[i] >= 'A' && headers->at[i] <= 'Z') headers->at[i] += 'a' - 'A';
        buf_str(headers, STR(": "));
        buf_str(headers, str_trim(rest));
        buf_char(headers, '\n');
    }
    return size * count;
}

static void set_limits(CURL *h, const HttpRequest *q)
{
    double connect = q->connect_seconds > 0 ? q->connect_seconds : 20;
    double idle = q->idle_seconds > 0 ? q->idle_seconds : 60;
    lib.setopt(h, CURLOPT_NOSIGNAL, 1L);
    lib.setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect * 1000));
    lib.setopt(h, CURLOPT_TIMEOUT_MS, (long)(q->total_seconds * 1000));
    lib.setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L);
    lib.setopt(h, CURLOPT_LOW_SPEED_TIME, (long)(idle < 1 ? 1 : idle));
}

static void set_request(CURL *h, const HttpRequest *q, struct curl_slist *headers)
{
    bool post = q->body.len > 0;
    lib.setopt(h, CURLOPT_URL, q->url);
    lib.setopt(h, CURLOPT_HTTPHEADER, headers);
    if (post) {
        lib.setopt(h, CURLOPT_POST, 1L);
        lib.setopt(h, CURLOPT_POSTFIELDS, q->body.at);
        lib.setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.len);
    } else {
        lib.setopt(h, CURLOPT_FOLLOWLOCATION, 1L);
        lib.setopt(h, CURLOPT_MAXREDIRS, (long)REDIRECTIONS);
    }
    if (q->method) lib.setopt(h, CURLOPT_CUSTOMREQUEST, q->method);
    char range[32]; /* libcurl copies it; its own resuming would refuse a server that sends all */
    snprintf(range, sizeof range, "%lld-", (long long)q->from);
    if (q->from > 0) lib.setopt(h, CURLOPT_RANGE, range);
#if LIBCURL_VERSION_NUM >= 0x075500
    lib.setopt(h, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    lib.setopt(h, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    if (http_is_loopback(q->url)) lib.setopt(h, CURLOPT_NOPROXY, "*");
}

/* Steps until the exchange has ended; CURLE_ABORTED_BY_CALLBACK if it was stopped. */
static CURLcode drive(CURLM *multi, const HttpRequest *q)
{
    for (;;) {
        int running = 0, left = 0;
        if (lib.multi_perform(multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
        CURLMsg *message = lib.multi_info_read(multi, &left);
        if (message && message->msg == CURLMSG_DONE) return message->data.result;
        if (q->stop && q->stop(q->ctx)) return CURLE_ABORTED_BY_CALLBACK;
        lib.multi_wait(multi, NULL, 0, STEP_MS, NULL);
    }
}

/* The address without a name, a password and a question, which may hold keys. */
static void address(char out[200], const char *url)
{
    const char *host = strstr(url, "://") + 3, *path = host + strcspn(host, "/?#");
    for (const char *c = path; c-- > host;)
        if (*c == '@') {
            host = c + 1;
            break;
        }
    snprintf(out, 200, "%.*s%.*s", (int)(strstr(url, "://") + 3 - url), url,
             (int)strcspn(host, "?#"), host);
}

static bool explain(CURLcode code, const Exchange *x, const char *words, Err *err)
{
    char url[200];
    address(url, x->request->url);
    if (x->too_long)
        return err_set(err, ERR_FORMAT, "the answer of %s is longer than %lld bytes", url,
                       (long long)x->request->max_bytes);
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
        return err_set(err, ERR_STOPPED, "stopped while asking %s", url);
    case CURLE_COULDNT_RESOLVE_HOST:
        return err_set(err, ERR_IO,
                       "the host of %s is not known: see the name and the network of this machine",
                       url);
    case CURLE_COULDNT_CONNECT:
        return err_set(err, ERR_IO, "nobody answers at %s: see whether the server runs there", url);
    case CURLE_OPERATION_TIMEDOUT:
        return err_set(err, ERR_IO, "%s was silent for too long: try again later", url);
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        return err_set(err, ERR_IO, "the connection to %s was cut in the middle of the answer",
                       url);
    default:
        return err_set(err, ERR_IO, "%s could not be asked: %s", url,
                       words[0] ? words : lib.strerror(code));
    }
}

bool http_do(const HttpRequest *request, HttpReply *reply, Err *err)
{
    *reply = (HttpReply){ 0 };
    if (strncmp(request->url, "http://", 7) != 0 && strncmp(request->url, "https://", 8) != 0)
        return err_set(err, ERR_CONFIG, "%.40s is no address: one begins with http:// or https://",
                       request->url);
    pthread_once(&once, load);
    if (!loaded)
        return err_set(err, ERR_DEVICE,
                       "libcurl is missing, so nothing can be fetched: install libcurl4");
    Exchange x = { .request = request, .reply = reply };
    char words[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    for (int i = 0; i < request->header_count; i++)
        headers = lib.slist_append(headers, request->headers[i]);
    CURL *h = lib.easy_init();
    CURLM *multi = lib.multi_init();
    CHECK(h && multi, "libcurl gives no handle");
    set_limits(h, request);
    set_request(h, request, headers);
    lib.setopt(h, CURLOPT_WRITEFUNCTION, take_body);
    lib.setopt(h, CURLOPT_WRITEDATA, &x);
    lib.setopt(h, CURLOPT_HEADERFUNCTION, take_header);
    lib.setopt(h, CURLOPT_HEADERDATA, &x);
    lib.setopt(h, CURLOPT_ERRORBUFFER, words);
    lib.multi_add_handle(multi, h);
    CURLcode code = drive(multi, request);
    long status = 0;
    lib.getinfo(h, CURLINFO_RESPONSE_CODE, &status);
    reply->status = (int)status;
    lib.multi_remove_handle(multi, h);
    lib.multi_cleanup(multi);
    lib.easy_cleanup(h);
    lib.slist_free_all(headers);
    return code == CURLE_OK || reply->ended || explain(code, &x, words, err);
}

void http_free(HttpReply *reply)
{
    buf_free(&reply->body);
    buf_free(&reply->headers);
    *reply = (HttpReply){ 0 };
}

const char *http_header(const HttpReply *reply, const char *name, char out[256])
{
    Str rest = buf_view(&reply->headers), line, key;
    while (str_cut(&rest, '\n', &line)) {
        if (!str_cut(&line, ':', &key) || !str_eq(key, str_of(name))) continue;
        line = str_trim(line);
        ptrdiff_t len = line.len < 255 ? line.len : 255;
        memcpy(out, line.at, (size_t)len);
        out[len] = '\0';
        return out;
    }
    return NULL;
}

bool http_is_loopback(const char *url)
{
    const char *host = strstr(url, "://");
    if (!host) return false;
    host += 3;
    size_t len = strcspn(host, "/?#");
    for (size_t i = len; i-- > 0;) /* what stands before an '@' is a name and a password */
        if (host[i] == '@') {
            host += i + 1;
            len -= i + 1;
            break;
        }
    if (len > 0 && host[0] == '[') return strncmp(host, "[::1]", 5) == 0;
    size_t name = 0;
    while (name < len && host[name] != ':') name++;
    if (name == 9 && strncasecmp(host, "localhost", 9) == 0) return true;
    if (strncmp(host, "127.", 4) != 0) return false; /* 127.evil.example is another machine */
    for (size_t i = 0; i < name; i++)
        if (host[i] != '.' && (host[i] < '0' || host[i] > '9')) return false;
    return true;
}
