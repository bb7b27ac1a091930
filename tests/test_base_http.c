/* One request and its answer, from a server on this machine that also behaves badly. */
#include "base/http.h"
#include "tests/loopback.h"
#include "tests/test.h"

static const char poem[] = "0123456789abcdefghij";

static void answer(Loopback *server, const char *request, int fd)
{
    (void)server;
    if (strncmp(request, "GET /poem ", 10) == 0) {
        const char *range = strcasestr(request, "\r\nrange: bytes=");
        int from = range ? atoi(range + 15) : 0;
        loopback_reply(fd, range ? "206 Partial Content" : "200 OK",
                       "ETag: \"one\"\r\nX-Odd:a:b\r\n", poem + from);
    } else if (strncmp(request, "GET /moved ", 11) == 0) {
        loopback_reply(fd, "302 Found", "Location: /poem\r\nX-Old: 1\r\n", "elsewhere");
    } else if (strncmp(request, "GET /round ", 11) == 0) {
        loopback_reply(fd, "302 Found", "Location: /round\r\n", "");
    } else if (strncmp(request, "GET /cut ", 9) == 0) {
        loopback_write(fd, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf", 46);
    } else if (strncmp(request, "GET /silent ", 12) == 0) {
        loopback_write(fd, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nh", 43);
        usleep(1500000);
    } else if (strncmp(request, "POST /moved ", 12) == 0) {
        loopback_reply(fd, "302 Found", "Location: /poem\r\n", "not followed");
    } else if (strncmp(request, "POST /echo ", 11) == 0) {
        loopback_reply(fd, strstr(request, "\r\nx-key: k1\r\n") ? "200 OK" : "401 Unauthorized", "",
                       strstr(request, "\r\n\r\n") + 4);
    } else {
        loopback_reply(fd, "404 Not Found", "", "nothing here");
    }
}

static Loopback server = { .answer = answer };

static bool ask(HttpRequest request, const char *path, HttpReply *reply, Err *err)
{
    char url[200];
    if (!server.port) loopback_start(&server);
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server.port, path);
    request.url = url;
    return http_do(&request, reply, err);
}

static bool says(const HttpReply *r, int status, const char *body)
{
    return r->status == status && str_eq(buf_view(&r->body), str_of(body));
}

TEST(a_page_comes_with_status_body_and_headers)
{
    HttpReply r;
    Err err = { 0 };
    char value[256];
    EXPECT_MSG(ask((HttpRequest){ 0 }, "/poem", &r, &err), "%s", err.msg);
    EXPECT(says(&r, 200, poem) && strcmp(http_header(&r, "etag", value), "\"one\"") == 0);
    EXPECT(strcmp(http_header(&r, "x-odd", value), "a:b") == 0 && !http_header(&r, "tag", value));
    http_free(&r);
    EXPECT(ask((HttpRequest){ 0 }, "/nowhere", &r, &err) && says(&r, 404, "nothing here"));
    http_free(&r);
}

TEST(a_range_gives_the_rest)
{
    HttpReply r;
    Err err = { 0 };
    EXPECT(ask((HttpRequest){ .from = 16 }, "/poem", &r, &err) && says(&r, 206, "ghij"));
    http_free(&r);
}

TEST(a_get_follows_a_redirection_but_not_for_ever_and_a_post_never)
{
    HttpReply r;
    Err err = { 0 };
    char value[256];
    EXPECT(ask((HttpRequest){ 0 }, "/moved", &r, &err) && r.status == 200);
    EXPECT(!http_header(&r, "x-old", value) && http_header(&r, "etag", value));
    http_free(&r);
    EXPECT(!ask((HttpRequest){ 0 }, "/round", &r, &err) && strstr(err.msg, "/round"));
    http_free(&r);
    EXPECT(ask((HttpRequest){ .body = STR("x") }, "/moved", &r, &err) &&
           says(&r, 302, "not followed"));
    http_free(&r);
}

TEST(a_body_and_headers_are_sent_byte_for_byte)
{
    HttpReply r;
    Err err = { 0 };
    const char *headers[] = { "x-key: k1", "content-type: application/json" };
    HttpRequest q = { .headers = headers, .header_count = 2, .body = STR("{\"a\": \"\\u00e9\"}") };
    EXPECT(ask(q, "/echo", &r, &err) && says(&r, 200, "{\"a\": \"\\u00e9\"}"));
    http_free(&r);
    q.header_count = 0;
    EXPECT(ask(q, "/echo", &r, &err) && r.status == 401);
    http_free(&r);
}

static bool three_bytes(void *ctx, Str piece)
{
    *(ptrdiff_t *)ctx += piece.len;
    return *(ptrdiff_t *)ctx < 3;
}
static bool at_once(void *ctx)
{
    (void)ctx;
    return true;
}

TEST(an_answer_is_cut_short_by_whoever_has_enough)
{
    HttpReply r;
    Err err = { 0 };
    ptrdiff_t seen = 0;
    EXPECT(ask((HttpRequest){ .on_bytes = three_bytes, .ctx = &seen }, "/poem", &r, &err) &&
           r.ended && seen >= 3);
    http_free(&r);
    EXPECT(!ask((HttpRequest){ .max_bytes = 19 }, "/poem", &r, &err) &&
           strstr(err.msg, "longer than 19 bytes"));
    http_free(&r);
    EXPECT(!ask((HttpRequest){ .stop = at_once }, "/silent", &r, &err) && err.code == ERR_STOPPED);
    http_free(&r);
}

TEST(what_never_ends_whole_is_an_error_with_its_address)
{
    HttpReply r;
    Err err = { 0 };
    EXPECT(!ask((HttpRequest){ 0 }, "/cut", &r, &err) && strstr(err.msg, "cut in the middle") &&
           strstr(err.msg, "/cut"));
    http_free(&r);
    EXPECT(!ask((HttpRequest){ .idle_seconds = 1, .total_seconds = 1 }, "/silent", &r, &err) &&
           strstr(err.msg, "silent"));
    http_free(&r);
    HttpRequest nobody = { .url = "http://127.0.0.1:1/x" };
    EXPECT(!http_do(&nobody, &r, &err) && strstr(err.msg, "nobody answers"));
    http_free(&r);
}

TEST(a_key_in_an_address_is_never_repeated)
{
    HttpReply r;
    Err err = { 0 };
    HttpRequest q = { .url = "http://me:hush@127.0.0.1:1/x?key=hush" };
    EXPECT(!http_do(&q, &r, &err) && !strstr(err.msg, "hush") &&
           strstr(err.msg, "http://127.0.0.1:1/x"));
    http_free(&r);
    q.url = "ftp://127.0.0.1/x";
    EXPECT(!http_do(&q, &r, &err) && err.code == ERR_CONFIG);
    http_free(&r);
}

TEST(only_this_machine_is_loopback)
{
    EXPECT(http_is_loopback("http://127.0.0.1:80/x") && http_is_loopback("http://localhost") &&
           http_is_loopback("https://[::1]:8/"));
    EXPECT(!http_is_loopback("http://127.evil.example/") &&
           !http_is_loopback("http://localhost.example/") &&
           !http_is_loopback("http://127.0.0.1@evil.example/"));
    EXPECT(!http_is_loopback("http://evil.example/@127.0.0.1") && !http_is_loopback("nonsense"));
}
