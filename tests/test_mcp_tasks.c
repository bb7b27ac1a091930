/* A wait as a task, in both eras: it outlives the server that made it, ends once, and stays ended.
 * The worker is played by whoever holds its lock. */
#include <pthread.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/http.h"
#include "lab/lab.h"
#include "mcp/mcp.h"
#include "tests/test.h"

#define META(caps)                                                                                 \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":" caps "}"
#define TASKS "{\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}"
#define IDEA                                                                                       \
    "{\"title\":\"t\",\"edits\":[{\"knob\":\"optim.lr\",\"to\":0.005}],\"predicted\":0.1,"         \
    "\"confidence\":0.5,\"why\":\"w\",\"refute\":\"r\"}"

static Err err;
static int lock = -1;

static const char *lab(void)
{
    static char dir[200];
    char path[240];
    if (dir[0]) return dir;
    snprintf(dir, sizeof(dir), "%s/lab", test_folder());
    snprintf(path, sizeof(path), "%s/worker.lock", dir);
    EXPECT_MSG(lab_init(dir, &err) && file_lock(path, &lock, &err), "%s", err.msg);
    return dir;
}

/* The answer to a request as text; "later" where it goes on. */
static const char *ask(McpServer *m, const char *method, const char *params)
{
    static Buf out;
    Buf text = { 0 };
    buf_printf(&text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{%s}}", method,
               params);
    json_t *message = json_loads(text.at, 0, NULL);
    EXPECT_MSG(message, "%s", text.at);
    buf_free(&text);
    McpAnswer a = mcp_take(m, message);
    json_decref(message);
    if (a.later) a.reply = mcp_poll(a.later);
    buf_clear(&out);
    if (a.reply)
        json_write(a.reply, false, &out);
    else
        buf_str(&out, STR("later"));
    if (a.later) mcp_drop(a.later);
    json_decref(a.reply);
    return out.at;
}

static bool says(McpServer *m, const char *method, const char *params, const char *words)
{
    const char *got = ask(m, method, params);
    bool ok = strstr(got, words) != NULL;
    if (!ok) printf("# %s %s\n# %.500s\n", method, params, got);
    return ok;
}

TEST(an_older_client_asks_for_a_task_and_fetches_what_came_of_it)
{
    McpServer m = { .lab = lab() }, later = { .lab = lab(), .legacy = true };
    EXPECT(says(&m, "initialize", "\"protocolVersion\":\"2025-11-25\"",
                "\"tasks\":{\"cancel\":{},\"list\""));
    EXPECT(says(&m, "tools/list", "", "\"taskSupport\":\"optional\""));
    EXPECT(says(&m, "tools/call", "\"name\":\"propose\",\"arguments\":" IDEA, "queued"));
    EXPECT(says(&m, "tools/call",
                "\"name\":\"wait\",\"arguments\":{\"until\":\"p1\"},\"task\":{\"ttl\":1}",
                "\"status\":\"working\",\"taskId\":\"t1\""));
    EXPECT(says(&m, "tasks/get", "\"taskId\":\"t1\"", "\"status\":\"working\""));
    EXPECT(says(&m, "tasks/result", "\"taskId\":\"t1\"", "later"));
    EXPECT(says(&m, "tools/call",
                "\"name\":\"cancel\",\"arguments\":{\"id\":\"p1\",\"reason\":\"x\"}", "cancelled"));
    EXPECT(says(&later, "tasks/get", "\"taskId\":\"t1\"", "\"status\":\"completed\""));
    EXPECT(says(&later, "tasks/result", "\"taskId\":\"t1\"", "related-task\":{\"taskId\":\"t1\""));
    EXPECT(says(&later, "tasks/result", "\"taskId\":\"t1\"", "taken back by mcp:unnamed"));
    EXPECT(says(&later, "tasks/cancel", "\"taskId\":\"t1\"", "-32602"));
}

TEST(a_task_that_is_cancelled_stays_so_and_cancels_no_work)
{
    McpServer m = { .lab = lab(), .legacy = true };
    EXPECT(says(&m, "tools/call", "\"name\":\"propose\",\"arguments\":" IDEA, "\\\"p2\\\""));
    EXPECT(says(&m, "tools/call", "\"name\":\"wait\",\"arguments\":{\"until\":\"p2\"},\"task\":{}",
                "\"t2\""));
    EXPECT(says(&m, "tasks/cancel", "\"taskId\":\"t2\"", "\"status\":\"cancelled\""));
    EXPECT(says(&m, "tasks/cancel", "\"taskId\":\"t2\"", "-32602"));
    EXPECT(says(&m, "tasks/result", "\"taskId\":\"t2\"", "was cancelled"));
    EXPECT(says(&m, "tools/call", "\"name\":\"status\"", "\\\"id\\\":\\\"p2\\\""));
    EXPECT(says(&m, "tasks/list", "", "\"status\":\"cancelled\",\"taskId\":\"t2\""));
    EXPECT(says(&m, "tasks/list", "\"cursor\":\"none\"", "-32602"));
}

TEST(what_is_no_task_is_refused)
{
    McpServer m = { .lab = lab(), .legacy = true };
    EXPECT(says(&m, "tools/call", "\"name\":\"status\",\"task\":{}", "-32601"));
    EXPECT(says(&m, "tools/call", "\"name\":\"nope\",\"task\":{}", "-32602"));
    EXPECT(says(&m, "tools/call", "\"name\":\"wait\",\"arguments\":{\"until\":\"p9\"},\"task\":{}",
                "there is no p9"));
    EXPECT(says(&m, "tools/call",
                "\"name\":\"wait\",\"arguments\":{\"until\":\"p1' OR 1\"},\"task\":{}", "-32602"));
    EXPECT(says(&m, "tasks/get", "\"taskId\":\"t99\"", "-32602"));
    EXPECT(says(&m, "tasks/result", "\"taskId\":7", "-32602"));
    EXPECT(says(&m, "tasks/update", "\"taskId\":\"t1\"", "-32601"));
}

/* Only for clients that say that they know them, and only where there is something to wait for. */
TEST(a_newer_client_is_given_tasks_by_the_server)
{
    McpServer m = { .lab = lab() };
    EXPECT(says(&m, "server/discover", META("{}"),
                "\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}"));
    EXPECT(says(&m, "tools/call",
                "\"name\":\"wait\",\"arguments\":{\"until\":\"p2\",\"seconds\":0}," META("{}"),
                "\"resultType\":\"complete\""));
    EXPECT(says(&m, "tools/call", "\"name\":\"wait\",\"arguments\":{\"until\":\"p1\"}," META(TASKS),
                "\"resultType\":\"complete\""));
    EXPECT(says(&m, "tools/call", "\"name\":\"wait\",\"arguments\":{\"until\":\"p2\"}," META(TASKS),
                "\"resultType\":\"task\""));
    EXPECT(says(&m, "tasks/get", "\"taskId\":\"t3\"," META("{}"), "-32021"));
    EXPECT(says(&m, "tasks/get", "\"taskId\":\"t3\"," META(TASKS), "\"status\":\"working\""));
    EXPECT(says(&m, "tasks/result", "\"taskId\":\"t3\"," META(TASKS), "-32601"));
    EXPECT(says(&m, "tasks/update", "\"taskId\":\"t3\",\"inputResponses\":{}," META(TASKS),
                "\"resultType\":\"complete\""));
    EXPECT(says(&m, "tools/call",
                "\"name\":\"cancel\",\"arguments\":{\"id\":\"p2\",\"reason\":\"x\"}," META("{}"),
                "cancelled"));
    EXPECT(says(&m, "tasks/get", "\"taskId\":\"t3\"," META(TASKS),
                "\"isError\":false,\"resultType\":\"complete\",\"structuredContent\""));
    EXPECT(
        says(&m, "tasks/cancel", "\"taskId\":\"t3\"," META(TASKS), "\"resultType\":\"complete\""));
    EXPECT(says(&m, "tasks/get", "\"taskId\":\"t3\"," META(TASKS), "\"status\":\"completed\""));
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

/* A wait of two seconds, answered in the form that the client takes; false where it is given up
 * after `patience` seconds, if any. */
static bool post_wait(const char *accept, double patience, HttpReply *r)
{
    char url[80], takes[80];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/mcp", port);
    snprintf(takes, sizeof(takes), "accept: %s", accept);
    const char *const headers[] = { "content-type: application/json", takes };
    static const char body[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
        "\"name\":\"wait\",\"arguments\":{\"seconds\":2}}}";
    HttpRequest q = { .url = url,
                      .headers = headers,
                      .header_count = 2,
                      .body = STR(body),
                      .total_seconds = patience };
    Err ignored = { 0 };
    return http_do(&q, r, &ignored);
}

TEST(over_http_a_call_that_takes_its_time_is_a_stream_of_events)
{
    static McpServer m;
    pthread_t thread;
    HttpReply r;
    char type[256];
    m = (McpServer){ .lab = lab() };
    pthread_create(&thread, NULL, serve, &m);
    for (int i = 0; i < 500 && !__atomic_load_n(&port, __ATOMIC_ACQUIRE); i++) usleep(10000);
    EXPECT(post_wait("application/json, text/event-stream", 0, &r) && r.status == 200);
    EXPECT(strcmp(http_header(&r, "content-type", type), "text/event-stream") == 0);
    EXPECT_MSG(strncmp(r.body.at, "event: message\ndata: {", 22) == 0 &&
                   strstr(r.body.at, "\"isError\":false") &&
                   str_ends(buf_view(&r.body), STR("}\n\n")),
               "%s", r.body.at);
    http_free(&r);
    EXPECT(post_wait("application/json", 0, &r) && r.status == 200 && r.body.at[0] == '{');
    http_free(&r);
    EXPECT(!post_wait("text/event-stream", 0.5, &r)); /* a client that leaves holds up nobody */
    http_free(&r);
    stop_ask();
    pthread_join(thread, NULL);
    stop_clear();
}

TEST(a_task_ends_when_nothing_is_at_work_and_does_not_begin_again)
{
    McpServer m = { .lab = lab() };
    EXPECT(says(&m, "tools/call", "\"name\":\"propose\",\"arguments\":" IDEA "," META("{}"),
                "\\\"p3\\\""));
    EXPECT(says(&m, "tools/call", "\"name\":\"wait\",\"arguments\":{\"until\":\"p3\"}," META(TASKS),
                "\"taskId\":\"t4\""));
    file_unlock(lock);
    EXPECT(says(&m, "tasks/get", "\"taskId\":\"t4\"," META(TASKS), "nothing is at work"));
    char path[240];
    snprintf(path, sizeof(path), "%s/worker.lock", lab());
    EXPECT(file_lock(path, &lock, &err));
    EXPECT(says(&m, "tasks/get", "\"taskId\":\"t4\"," META(TASKS), "\"status\":\"completed\""));
    file_unlock(lock);
}
