/* mcp.c - JSON-RPC, and what the two eras of the protocol differ in.
 *
 * The newer one (2026-07-28) has no session: a request without the version and the client's
 * capabilities in its _meta is refused, an unknown version is answered with those that are known,
 * and methods that it removed (initialize, ping) do not exist for it.  A result says what kind it
 * is, by whom, and how long it may be kept.  Requirements found with the official conformance
 * suite are marked (c). */
#include "mcp/mcp.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lab/worker.h"
#include "mcp/mcp_private.h"

static const double TASK_LOOK = 0.5; /* seconds between looks at a task */
const char mcp_modern[] = "2026-07-28";

json_t *mcp_info(void)
{
    return json_pack("{s:s, s:s, s:s}", "name", "lathe", "title", "Lathe, a pretraining laboratory",
                     "version", LATHE_VERSION);
}

const json_t *mcp_meta(const json_t *params, const char *name)
{
    char key[80];
    snprintf(key, sizeof(key), MCP_META "%s", name);
    return json_object_get(json_object_get(params, "_meta"), key);
}

json_t *mcp_error(const json_t *id, int code, const char *message, json_t *data)
{
    json_t *error = json_pack("{s:i, s:o}", "code", code, "message", json_text(str_of(message)));
    if (data) json_object_set_new(error, "data", data);
    return json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "id",
                     id ? json_deep_copy(id) : json_null(), "error", error);
}

static json_t *reply_to(const json_t *id, json_t *result)
{
    return json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "id", json_deep_copy(id), "result",
                     result);
}

json_t *mcp_result(json_t *result, const McpMethod *m, bool modern)
{
    if (!modern) return result;
    if (!json_object_get(result, "resultType"))
        json_object_set_new(result, "resultType", json_string("complete"));
    json_object_set_new(result, "_meta", json_pack("{s:o}", MCP_META "serverInfo", mcp_info()));
    if (m && m->keep >= 0) {
        json_object_set_new(result, "ttlMs", json_integer(m->keep));
        json_object_set_new(result, "cacheScope", json_string(m->common ? "public" : "private"));
    }
    return result;
}

/* ---- a call that goes on ---- */

struct McpCall {
    ToolUse *use; /* NULL: a task's result is waited for */
    char lab[PATH_MAX], task[24];
    double looked; /* for the task, when */
    json_t *id, *token;
    bool modern;
    double told; /* progress so far */
};

McpCall *mcp_call_task(McpAsk *a, const char *task)
{
    McpCall *c = mcp_call_begin(a, NULL);
    snprintf(c->lab, sizeof(c->lab), "%s", a->server->lab);
    snprintf(c->task, sizeof(c->task), "%s", task);
    return c;
}

McpCall *mcp_call_begin(McpAsk *a, ToolUse *use)
{
    McpCall *c = calloc(1, sizeof(*c));
    CHECK(c, "no memory for a call");
    c->use = use;
    c->modern = a->modern;
    c->id = json_deep_copy(a->id);
    c->token =
        json_deep_copy(json_object_get(json_object_get(a->params, "_meta"), "progressToken"));
    return c;
}

json_t *mcp_tool_result(const json_t *value, const Err *refused)
{
    Buf text = { 0 };
    if (value)
        tool_text(value, &text);
    else
        buf_str(&text, str_of(refused->msg));
    json_t *words = json_pack("{s:s, s:o}", "type", "text", "text", json_text(buf_view(&text)));
    json_t *r = json_pack("{s:[o], s:b}", "content", words, "isError", value == NULL);
    if (value) json_object_set(r, "structuredContent", (json_t *)(uintptr_t)value);
    buf_free(&text);
    return r;
}

static json_t *poll_task(McpCall *c)
{
    Err err = { 0 };
    json_t *result = NULL;
    if (clock_now() - c->looked < TASK_LOOK) return NULL;
    c->looked = clock_now();
    if (!mcp_task_result(c->lab, c->task, &result, &err))
        return mcp_error(c->id, RPC_PARAMS, err.msg, NULL);
    return result ? reply_to(c->id, result) : NULL;
}

json_t *mcp_poll(McpCall *c)
{
    if (!c->use) return poll_task(c);
    Err err = { 0 };
    json_t *value = NULL;
    bool ok = tool_step(c->use, &value, &err);
    if (ok && !value) return NULL;
    json_t *reply =
        reply_to(c->id, mcp_result(mcp_tool_result(ok ? value : NULL, &err), NULL, c->modern));
    json_decref(value);
    return reply;
}

json_t *mcp_late(const McpCall *c)
{
    return mcp_error(c->id, RPC_INTERNAL, "not yet: ask again, or take text/event-stream", NULL);
}

json_t *mcp_progress(McpCall *c, const char *lab)
{
    WorkerState at = { 0 };
    Err ignored = { 0 };
    bool found = false;
    if (!c->token || !worker_state(lab, &at, &found, &ignored) || !found) return NULL;
    json_t *params = json_pack("{s:O, s:f, s:o}", "progressToken", c->token, "progress", ++c->told,
                               "message", json_text(str_of(at.doing)));
    return json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", "notifications/progress",
                     "params", params);
}

bool mcp_is(const McpCall *c, const json_t *id)
{
    return json_equal(c->id, id);
}

void mcp_drop(McpCall *c)
{
    if (c->use) tool_end(c->use);
    json_decref(c->id);
    json_decref(c->token);
    free(c);
}

/* ---- one message ---- */

/* The name by which a client introduced itself, made harmless: it stands in the ledger. */
static void name_author(McpAsk *a)
{
    const json_t *info = mcp_meta(a->params, "clientInfo");
    const char *name = json_str(info, "name", a->server->client);
    size_t n = (size_t)snprintf(a->author, sizeof(a->author), "mcp:");
    for (; *name && n < 60; name++) {
        unsigned char c = (unsigned char)*name;
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        a->author[n++] = plain || c == '.' || c == '_' || c == '-' ? (char)c : '-';
    }
    a->author[n] = 0;
    if (n == 4) snprintf(a->author, sizeof(a->author), "mcp:unnamed");
}

ToolCaller mcp_caller(const McpAsk *a)
{
    return (ToolCaller){ .lab = a->server->lab,
                         .author = a->author,
                         .program = a->server->program,
                         .idle = a->server->idle };
}

static McpAnswer say(json_t *reply, int status)
{
    return (McpAnswer){ .reply = reply, .status = status };
}

static McpAnswer wrong_version(const json_t *id, const json_t *asked)
{
    json_t *data = json_pack("{s:[s], s:O?}", "supported", mcp_modern, "requested", asked);
    return say(mcp_error(id, MCP_VERSION, "Unsupported protocol version", data), 400);
}

/* Does a request of the newer era carry what it must? (c) */
static bool whole_meta(const McpAsk *a, McpAnswer *out)
{
    const json_t *version = mcp_meta(a->params, "protocolVersion");
    if (!json_is_string(version) || !json_is_object(mcp_meta(a->params, "clientCapabilities"))) {
        *out = say(mcp_error(a->id, RPC_PARAMS,
                             "_meta needs " MCP_META "protocolVersion and " MCP_META
                             "clientCapabilities; supported versions: 2026-07-28, 2025-11-25, "
                             "2025-06-18, 2025-03-26, 2024-11-05 (these begin with initialize)",
                             NULL),
                   400);
        return false;
    }
    if (strcmp(json_string_value(version), mcp_modern) == 0) return true;
    *out = wrong_version(a->id, version);
    return false;
}

static const McpMethod *find_method(const McpAsk *a, const char *name)
{
    for (const McpMethod *m = mcp_methods; m->name; m++)
        if (strcmp(m->name, name) == 0 && (a->modern ? m->newer : m->older)) return m;
    return NULL;
}

static McpAnswer wants_tasks(const json_t *id)
{
    json_t *data =
        json_pack("{s:{s:{s:{}}}}", "requiredCapabilities", "extensions", MCP_META "tasks");
    return say(mcp_error(id, MCP_CAPABILITY, "Missing required client capability", data), 400);
}

static McpAnswer run_method(McpAsk *a, const char *name)
{
    Err err = { 0 };
    char words[160];
    const McpMethod *m = find_method(a, name);
    if (!m) {
        snprintf(words, sizeof(words), "Method not found: %.100s", name);
        return say(mcp_error(a->id, RPC_NO_METHOD, words, NULL), a->modern ? 404 : 200);
    }
    if (m->tasks && a->modern && !mcp_task_declared(a)) return wants_tasks(a->id);
    a->code = RPC_PARAMS;
    json_t *result = m->call(a, &err);
    if (a->later) return (McpAnswer){ .later = a->later, .status = 200 };
    if (!result) return say(mcp_error(a->id, a->code, err.msg, NULL), 200);
    return say(reply_to(a->id, mcp_result(result, m, a->modern)), 200);
}

/* On a pipe a message without _meta belongs to the older era only after initialize; over HTTP,
 * where nothing is remembered, the header decides. */
static bool is_modern(const McpServer *m, const json_t *params, const char *method)
{
    if (mcp_meta(params, "protocolVersion")) return true;
    if (m->stateless) return m->newer;
    return !m->legacy && strcmp(method, "initialize") != 0 && strcmp(method, "ping") != 0;
}

McpAnswer mcp_take(McpServer *m, const json_t *message)
{
    const char *method = json_str(message, "method", NULL);
    const json_t *id = json_object_get(message, "id");
    McpAsk a = { .server = m, .id = id, .params = json_object_get(message, "params") };
    McpAnswer out;
    if (json_is_object(message) && !method && id) return say(NULL, 202); /* an answer to nobody */
    if (!json_is_object(message) || !method || strcmp(json_str(message, "jsonrpc", ""), "2.0") != 0)
        return say(mcp_error(NULL, RPC_INVALID, "this is no request of JSON-RPC 2.0", NULL), 400);
    if (!id) return say(NULL, 202);
    if (!json_is_string(id) && !json_is_integer(id))
        return say(mcp_error(NULL, RPC_INVALID, "an id is a text or a whole number", NULL), 400);
    if (a.params && !json_is_object(a.params))
        return say(mcp_error(id, RPC_PARAMS, "params must be an object", NULL), 400);
    a.modern = is_modern(m, a.params, method);
    if (a.modern && !whole_meta(&a, &out)) return out;
    name_author(&a);
    return run_method(&a, method);
}
