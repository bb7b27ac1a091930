/* Messages of both eras, and the server over HTTP, without any client but these lines. */
#include "base/clock.h"
#include "base/http.h"
#include "base/http_server.h"
#include "lab/lab.h"
#include "mcp/mcp.h"
#include "tests/test.h"

#include <pthread.h>

#define META                                                                                       \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{},"                                           \
    "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"a \\\"b\\\"\\n\"}}"

static Err err;

static const char *lab(void)
{
    static char dir[200];
    if (dir[0]) return dir;
    snprintf(dir, sizeof(dir), "%s/lab", test_folder());
    EXPECT_MSG(lab_init(dir, &err), "%s", err.msg);
    return dir;
}

/* The answer as text; "" for none.  A call is waited for. */
static const char *take(McpServer *m, const char *text)
{
    static Buf out;
    json_t *message = json_loads(text, JSON_DECODE_ANY, NULL);
    EXPECT_MSG(message, "%s", text);
    McpAnswer a = mcp_take(m, message);
    json_decref(message);
    while (a.later && !a.reply) a.reply = mcp_poll(a.later);
    if (a.later) mcp_drop(a.later);
    buf_clear(&out);
    if (a.reply) json_write(a.reply, false, &out);
    json_decref(a.reply);
    return out.len ? out.at : "";
}

static bool says(McpServer *m, const char *message, const char *words)
{
    const char *got = take(m, message);
    bool ok = words[0] ? strstr(got, words) != NULL : !got[0];
    if (!ok) printf("# %s\n# %.400s\n", message, got);
    return ok;
}

TEST(an_older_client_begins_with_initialize)
{
    McpServer m = { .lab = lab() };
    EXPECT(says(&m, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}", "-32602"));
    EXPECT(says(&m, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", "\"result\":{}"));
    EXPECT(says(&m,
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{"
                "\"protocolVersion\":\"2025-06-18\",\"clientInfo\":{\"name\":\"x\"}}}",
                "\"protocolVersion\":\"2025-06-18\""));
    EXPECT(says(&m, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", ""));
    EXPECT(says(&m, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}",
                "\"name\":\"propose\""));
    EXPECT(!strstr(take(&m, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}"),
                   "resultType"));
    EXPECT(says(&m,
                "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"initialize\",\"params\":{"
                "\"protocolVersion\":\"1999-01-01\"}}",
                "\"protocolVersion\":\"2025-11-25\""));
}

TEST(a_newer_client_says_with_each_request_what_it_is)
{
    McpServer m = { .lab = lab() };
    EXPECT(says(
        &m, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{" META "}}",
        "\"supportedVersions\":[\"2026-07-28\"]"));
    EXPECT(says(&m,
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{" META "}}",
                "\"resultType\":\"complete\""));
    EXPECT(says(&m, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{" META "}}",
                "-32601"));
    EXPECT(says(&m,
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{" META "}}",
                "-32601"));
    EXPECT(says(&m,
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":{"
                "\"io.modelcontextprotocol/protocolVersion\":\"2031-01-01\","
                "\"io.modelcontextprotocol/clientCapabilities\":{}}}}",
                "-32022"));
    EXPECT(
        says(&m,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"sql\","
             "\"arguments\":{\"query\":\"SELECT 41 + 1 AS x\"}," META "}}",
             "\"x\":42"));
    EXPECT(
        says(&m,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"sql\","
             "\"arguments\":{\"query\":\"SELECT author FROM tool_calls\"}," META "}}",
             "mcp:a--b--"));
}

TEST(what_is_no_request_is_answered_as_the_protocol_says)
{
    McpServer m = { .lab = lab(), .legacy = true };
    EXPECT(says(&m, "[1]", "-32600"));
    EXPECT(says(&m, "7", "-32600"));
    EXPECT(says(&m, "{\"id\":1,\"method\":\"ping\"}", "-32600"));
    EXPECT(says(&m, "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", "-32600"));
    EXPECT(says(&m, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}", "-32602"));
    EXPECT(says(&m, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", ""));
    EXPECT(says(&m, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no/such\"}", "-32601"));
    EXPECT(says(&m, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}", "-32602"));
    EXPECT(says(&m,
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/read\",\"params\":{\"uri\":"
                "\"file:///etc/passwd\"}}",
                "-32002"));
    EXPECT(says(
        &m, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"prompts/get\",\"params\":{\"name\":\"x\"}}",
        "Prompt not found"));
}

TEST(only_this_machine_is_here)
{
    static const char *const here[] = { "127.0.0.1", "localhost:80", "http://LOCALHOST:7",
                                        "http://[::1]:9", "http://127.0.0.1" };
    static const char *const away[] = { "evil.example",
                                        "127.0.0.1.evil.example",
                                        "localhost.evil",
                                        "http://evil.example",
                                        "https://localhost",
                                        "localhost:x",
                                        "localhost:",
                                        "null",
                                        "" };
    for (int i = 0; i < COUNT(here); i++) EXPECT_MSG(http_server_is_here(here[i]), "%s", here[i]);
    for (int i = 0; i < COUNT(away); i++) EXPECT_MSG(!http_server_is_here(away[i]), "%s", away[i]);
}

static int port;

static void told(int p)
{
    __atomic_store_n(&port, p, __ATOMIC_RELEASE);
}

static void *serve(void *self)
{
    Err e = { 0 };
    EXPECT_MSG(mcp_http(self, 0, told, &e), "%s", e.msg);
    return NULL;
}

static int status_of(const char *path, const char *body, const char *const *headers, int n)
{
    char url[80];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
    HttpRequest q = { .url = url, .headers = headers, .header_count = n, .body = str_of(body) };
    HttpReply r;
    EXPECT_MSG(http_do(&q, &r, &err), "%s", err.msg);
    int status = r.status;
    http_free(&r);
    return status;
}

#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"
#define LIST "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{" META "}}"

TEST(over_http_headers_and_body_must_agree)
{
    static McpServer m;
    m = (McpServer){ .lab = lab() };
    pthread_t thread;
    pthread_create(&thread, NULL, serve, &m);
    for (int i = 0; i < 500 && !__atomic_load_n(&port, __ATOMIC_ACQUIRE); i++) usleep(10000);
    const char *const json[] = { "content-type: application/json",
                                 "mcp-protocol-version: 2026-07-28",
                                 "mcp-method: =?base64?dG9vbHMvbGlzdA==?=" };
    const char *const other[] = { json[0], json[1], "mcp-method: tools/call" };
    const char *const evil[] = { json[0], "origin: http://evil.example" };
    const char *const form[] = { "content-type: text/plain" };
    EXPECT(status_of("/mcp", PING, json, 1) == 200);
    EXPECT(status_of("/mcp", PING, json, 2) == 400);
    EXPECT(status_of("/mcp", LIST, json, 3) == 200);
    EXPECT(status_of("/mcp", LIST, json, 2) == 400);
    EXPECT(status_of("/mcp", LIST, other, 3) == 400);
    EXPECT(status_of("/mcp", PING, evil, 2) == 403);
    EXPECT(status_of("/mcp", PING, form, 1) == 415);
    EXPECT(status_of("/mcp", "{", json, 1) == 400);
    EXPECT(status_of("/", PING, json, 1) == 404);
    EXPECT(status_of("/mcp", "", json, 1) == 405);
    EXPECT(status_of("/mcp", "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}", json, 1) == 202);
    stop_ask();
    pthread_join(thread, NULL);
    stop_clear();
}
