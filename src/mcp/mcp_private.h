/* mcp_private.h - what the files of this folder share. */
#ifndef MCP_PRIVATE_H
#define MCP_PRIVATE_H

#include "lab/tool.h"
#include "mcp/mcp.h"

enum {
    RPC_PARSE = -32700,
    RPC_INVALID = -32600,
    RPC_NO_METHOD = -32601,
    RPC_PARAMS = -32602,
    RPC_INTERNAL = -32603,
    MCP_HEADERS = -32020,
    MCP_CAPABILITY = -32021,
    MCP_VERSION = -32022,
    MCP_NO_RESOURCE = -32002 /* of the older era; the newer one says RPC_PARAMS */
};

/* One request on its way. */
typedef struct McpAsk {
    McpServer *server;
    const json_t *id, *params; /* params may be NULL */
    bool modern;
    char author[80]; /* "mcp:claude-code" */
    int code;        /* of the error, if the method failed */
    McpCall *later;
} McpAsk;

typedef struct McpMethod {
    const char *name;
    bool older, newer; /* the eras that know it */
    int keep;          /* newer: milliseconds that the answer may be kept; -1: not said */
    bool common;       /* newer: the same for every client */
    bool tasks;        /* newer: only for clients that declare the extension */
    json_t *(*call)(McpAsk *a, Err *err); /* NULL with err, or NULL with a->later */
} McpMethod;

extern const McpMethod mcp_methods[]; /* ends with a NULL name */

#define MCP_META "io.modelcontextprotocol/"

/* A member of the request's _meta; NULL if it is not there. */
const json_t *mcp_meta(const json_t *params, const char *name);

json_t *mcp_info(void); /* name and version of this server */
json_t *mcp_tool_result(const json_t *value, const Err *refused); /* value NULL: why not */
McpCall *mcp_call_begin(McpAsk *a, ToolUse *use);
McpCall *mcp_call_task(McpAsk *a, const char *task); /* goes on until the task has ended */

ToolCaller mcp_caller(const McpAsk *a);

/* Long waits as tasks (tasks.c).  Does this call make one, and does the client know what it is? */
bool mcp_task_wanted(const McpAsk *a);
bool mcp_task_declared(const McpAsk *a);
json_t *mcp_task_create(McpAsk *a, Err *err);
json_t *mcp_task_get(McpAsk *a, Err *err);
json_t *mcp_task_wait(McpAsk *a, Err *err);
json_t *mcp_task_list(McpAsk *a, Err *err);
json_t *mcp_task_update(McpAsk *a, Err *err);
json_t *mcp_task_cancel(McpAsk *a, Err *err);

/* What the call would have answered; NULL with true: it goes on.  False: there is no such task, or
 * it was cancelled. */
bool mcp_task_result(const char *lab, const char *task, json_t **result, Err *err) MUST_CHECK;

json_t *mcp_result(json_t *result, const McpMethod *m, bool modern);

#endif
