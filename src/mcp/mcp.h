/* mcp.h - the lab's tools over the Model Context Protocol.
 *
 * Two eras of the protocol are spoken: 2025-11-25 and before, where a client says `initialize`
 * once, and 2026-07-28, where every request says in `_meta` which version it is of and no state is
 * kept. Which one a message belongs to is seen from the message; one server serves both.
 *
 *     mcp_stdio    one JSON object a line; calls that wait do not hold up others
 *     mcp_http     POST /mcp on this machine alone, Origin and Host checked
 *
 * The server owns nothing: runs belong to the lab's worker, so a client that goes away loses
 * nothing, and every call is an entry of the ledger with the client's name. */
#ifndef MCP_MCP_H
#define MCP_MCP_H

#include "base/json.h"

typedef struct McpServer {
    const char *lab, *program; /* program: this executable, to start the lab's worker */
    double idle;               /* minutes until the built-in researcher fills in; 0: never */
    char client[64];           /* what `initialize` said, "" before */
    bool legacy;               /* `initialize` was said */
    bool stateless;            /* over HTTP: nothing is remembered between requests, */
    bool newer;                /* and a header says of which era one is */
} McpServer;

/* A tools/call that goes on. */
typedef struct McpCall McpCall;

typedef struct McpAnswer {
    json_t *reply;  /* owned by the caller; NULL: a notification, or `later` is set */
    McpCall *later; /* poll it until it answers */
    int status;     /* of HTTP */
} McpAnswer;

/* Takes one message; never fails: what is wrong with it is its answer. */
McpAnswer mcp_take(McpServer *m, const json_t *message);

json_t *mcp_poll(McpCall *call);                      /* NULL: not yet */
json_t *mcp_progress(McpCall *call, const char *lab); /* a notification, or NULL if unasked for */
json_t *mcp_late(const McpCall *call);                /* the answer that it takes too long */
bool mcp_is(const McpCall *call, const json_t *id);
void mcp_drop(McpCall *call); /* after its answer, or to give it up */

/* An error of JSON-RPC; `id` may be NULL, `data` is taken over and may be NULL. */
json_t *mcp_error(const json_t *id, int code, const char *message, json_t *data);

extern const char mcp_modern[]; /* "2026-07-28" */

/* Serves until the input ends or a stop is asked for. */
bool mcp_stdio(McpServer *m, int in, int out, Err *err) MUST_CHECK;

/* Serves 127.0.0.1:port (0: any; *told is called with the port) until a stop is asked for. */
bool mcp_http(McpServer *m, int port, void (*told)(int port), Err *err) MUST_CHECK;

#endif
