/* tasks.c - a wait that may last for hours, as a task.
 *
 * A task is an entry of the ledger, and so is its end: it outlives the client, this server and the
 * machine, and nothing has to run for it meanwhile.  Who asks for it looks whether what it waits
 * for has come, and the first one to see it writes the end down; from then on the task does not
 * change any more, whatever the lab does.
 *
 * In the era of 2025-11-25 the client asks for a task with the call and fetches the outcome with
 * tasks/result; in that of 2026-07-28 tasks are an extension (io.modelcontextprotocol/tasks), the
 * server decides, and tasks/get brings the outcome.  There only a wait that is not answered at once
 * becomes one.  Whoever can call tools here can also see every task: they are the lab's. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "lab/await.h"
#include "lab/worker.h"
#include "mcp/mcp_private.h"

enum { POLL_MS = 2000, PAGE = 50 };

typedef struct Task {
    Arena arena;
    Lab lab;
    const char *id;
    json_t *body, *end; /* end: NULL while it goes on */
} Task;

bool mcp_task_declared(const McpAsk *a)
{
    const json_t *extensions =
        json_object_get(mcp_meta(a->params, "clientCapabilities"), "extensions");
    return json_is_object(json_object_get(extensions, MCP_META "tasks"));
}

bool mcp_task_wanted(const McpAsk *a)
{
    if (!a->modern) return json_is_object(json_object_get(a->params, "task"));
    const ToolDef *tool = tool_find(json_str(a->params, "name", ""));
    return tool && tool->waits && mcp_task_declared(a);
}

/* ---- one task ---- */

static void close_task(Task *t)
{
    json_decref(t->body);
    json_decref(t->end);
    if (t->lab.ledger) lab_close(&t->lab);
    arena_release(&t->arena);
}

/* Closed by the caller in any case. */
static bool open_task(Task *t, const char *lab, const char *id, Err *err)
{
    *t = (Task){ .arena = arena_reserve((ptrdiff_t)1 << 34), .id = id };
    if (!lab_open(&t->lab, lab, LEDGER_WRITE, &t->arena, err) ||
        !ledger_last(t->lab.ledger, "task", id, &t->body, err) ||
        !ledger_last(t->lab.ledger, "task_end", id, &t->end, err))
        return false;
    return t->body || err_set(err, ERR_CONFIG, "Task not found: %.40s", id);
}

/* Takes over `result`, which may be NULL.  Where another has ended it meanwhile, that counts. */
static bool end_task(Task *t, const char *status, json_t *result, Err *err)
{
    Ledger *l = t->lab.ledger;
    json_t *end = json_pack("{s:s, s:s, s:o, s:f}", "task", t->id, "status", status, "result",
                            result ? result : json_null(), "ended", clock_date());
    bool ok = ledger_begin(l, err);
    if (ok) ok = ledger_last(l, "task_end", t->id, &t->end, err);
    if (ok && !t->end) {
        t->end = json_incref(end);
        ok = ledger_append(l, "task_end", t->id, json_incref(end), err);
    }
    json_decref(end);
    if (ok) return ledger_commit(l, err);
    ledger_rollback(l);
    return false;
}

/* Has it come? */
static bool look(Task *t, Err *err)
{
    const json_t *args = json_object_get(t->body, "args");
    double deadline = json_num(t->body, "deadline", (double)NAN);
    Await a = { .cursor = json_int(args, "cursor", 0), .until = json_str(args, "until", "") };
    json_t *seen = NULL;
    bool over = false;
    if (t->end) return true;
    if (!await_look(&t->lab, &a, &seen, &over, err)) return false;
    if (over || clock_date() >= deadline) return end_task(t, "completed", seen, err);
    json_decref(seen);
    return true;
}

/* ---- what is said of it ---- */

static json_t *time_json(double at)
{
    char text[40];
    time_t seconds = (time_t)at;
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(text);
}

static json_t *task_json(Task *t, bool modern)
{
    WorkerState *at = NEW(&t->arena, WorkerState, 1);
    double created = json_num(t->body, "created", 0);
    Err ignored = { 0 };
    bool found = false;
    json_t *o =
        json_pack("{s:s, s:s, s:o, s:o, s:n, s:i}", "taskId", t->id, "status",
                  json_str(t->end, "status", "working"), "createdAt", time_json(created),
                  "lastUpdatedAt", time_json(json_num(t->end, "ended", created)),
                  modern ? "ttlMs" : "ttl", modern ? "pollIntervalMs" : "pollInterval", POLL_MS);
    if (!t->end && worker_state(t->lab.dir, at, &found, &ignored) && found && at->doing[0])
        json_object_set_new(o, "statusMessage", json_text(str_of(at->doing)));
    return o;
}

static const char *asked_task(const McpAsk *a)
{
    return json_str(a->params, "taskId", "");
}

/* Opens the task, looks whether it has ended, and hands it to `say`. */
static json_t *with_task(McpAsk *a, json_t *(*say)(Task *, bool, Err *), Err *err)
{
    Task t;
    json_t *said = NULL;
    if (open_task(&t, a->server->lab, asked_task(a), err) && look(&t, err))
        said = say(&t, a->modern, err);
    close_task(&t);
    return said;
}

/* ---- the methods ---- */

/* The wait as it stands at this moment; a new reference.  Entered as a call like any other. */
static json_t *first_look(McpAsk *a, json_t *args, Err *err)
{
    ToolCaller by = mcp_caller(a);
    json_t *now = json_deep_copy(args), *seen = NULL;
    json_object_set_new(now, "seconds", json_integer(0));
    bool ok = tool_do(&by, "wait", now, NULL, NULL, &seen, err);
    json_decref(now);
    return ok ? seen : NULL;
}

static bool over_already(const json_t *seen)
{
    return json_is_true(json_object_get(seen, "over")) ||
           strcmp(json_str(seen, "state", ""), "nothing is at work") == 0;
}

static json_t *create(McpAsk *a, json_t *args, Task *t, Err *err)
{
    char id[24];
    double now = clock_date(), seconds = json_num(args, "seconds", 0);
    bool bounded = !json_str(args, "until", "")[0];
    if (!lab_open(&t->lab, a->server->lab, LEDGER_WRITE, &t->arena, err) ||
        !ledger_begin(t->lab.ledger, err))
        return NULL;
    bool ok = ledger_next_id(t->lab.ledger, 't', id, err);
    t->id = id;
    t->body = json_pack("{s:s, s:s, s:s, s:O, s:f, s:o}", "id", id, "tool", "wait", "author",
                        a->author, "args", args, "created", now, "deadline",
                        bounded ? json_real(now + seconds) : json_null());
    if (ok) ok = ledger_append(t->lab.ledger, "task", id, json_incref(t->body), err);
    if (ok) ok = ledger_commit(t->lab.ledger, err);
    if (!ok) {
        ledger_rollback(t->lab.ledger);
        return NULL;
    }
    json_t *o = task_json(t, a->modern);
    if (!a->modern) return json_pack("{s:o}", "task", o);
    json_object_set_new(o, "resultType", json_string("task"));
    return o;
}

static json_t *create_or_answer(McpAsk *a, json_t *args, Err *err)
{
    json_t *seen = first_look(a, args, err);
    if (!seen) return a->modern ? mcp_tool_result(NULL, err) : NULL;
    if (a->modern && over_already(seen)) {
        json_t *result = mcp_tool_result(seen, NULL);
        json_decref(seen);
        return result;
    }
    if (json_int(args, "cursor", -1) < 0)
        json_object_set(args, "cursor", json_object_get(seen, "cursor"));
    json_decref(seen);
    Task t = { .arena = arena_reserve((ptrdiff_t)1 << 34) };
    json_t *made = create(a, args, &t, err);
    close_task(&t);
    return made;
}

json_t *mcp_task_create(McpAsk *a, Err *err)
{
    const ToolDef *tool = tool_find(json_str(a->params, "name", ""));
    json_t *args = NULL;
    if (!tool || !tool->waits) {
        a->code = tool ? RPC_NO_METHOD : RPC_PARAMS;
        err_set(err, ERR_CONFIG, tool ? "%.60s is no task: call it without" : "no tool '%.60s'",
                json_str(a->params, "name", ""));
        return NULL;
    }
    if (!tool_check(tool, json_object_get(a->params, "arguments"), &args, err))
        return a->modern ? mcp_tool_result(NULL, err) : NULL;
    json_t *made = create_or_answer(a, args, err);
    json_decref(args);
    return made;
}

static json_t *say_state(Task *t, bool modern, Err *err)
{
    (void)err;
    json_t *o = task_json(t, modern), *value = json_object_get(t->end, "result");
    if (modern && value && !json_is_null(value))
        json_object_set_new(o, "result", mcp_result(mcp_tool_result(value, NULL), NULL, true));
    return o;
}

json_t *mcp_task_get(McpAsk *a, Err *err)
{
    return with_task(a, say_state, err);
}

bool mcp_task_result(const char *lab, const char *task, json_t **result, Err *err)
{
    Task t;
    *result = NULL;
    bool ok = open_task(&t, lab, task, err) && look(&t, err);
    json_t *value = json_object_get(t.end, "result");
    if (ok && t.end && json_is_null(value))
        ok = err_set(err, ERR_CONFIG, "Task %.40s was cancelled", task);
    if (ok && t.end) {
        *result = mcp_tool_result(value, NULL);
        json_object_set_new(*result, "_meta",
                            json_pack("{s:{s:s}}", MCP_META "related-task", "taskId", task));
    }
    close_task(&t);
    return ok;
}

/* Of the older era: the outcome, when there is one. */
json_t *mcp_task_wait(McpAsk *a, Err *err)
{
    Task t;
    if (open_task(&t, a->server->lab, asked_task(a), err))
        a->later = mcp_call_task(a, asked_task(a));
    close_task(&t);
    return NULL;
}

/* A page of ids, newest first; *next is where the following one begins, "" if there is none. */
static bool page(const char *dir, int64_t before, json_t **rows, char next[32], Err *err)
{
    Arena arena = arena_reserve((ptrdiff_t)1 << 34);
    Lab lab;
    char sql[160];
    next[0] = 0;
    snprintf(sql, sizeof(sql),
             "SELECT seq, id FROM entries WHERE kind='task' AND seq < %lld ORDER BY seq DESC",
             (long long)before);
    bool ok = lab_open(&lab, dir, LEDGER_READ, &arena, err);
    if (ok) {
        ok = ledger_query(lab.ledger, sql, PAGE, rows, err);
        lab_close(&lab);
    }
    arena_release(&arena);
    if (!ok || json_array_size(*rows) < PAGE) return ok;
    snprintf(next, 32, "%lld", (long long)json_int(json_array_get(*rows, PAGE - 1), "seq", 0));
    return true;
}

static bool put_task(const char *dir, const char *id, json_t *list, Err *err)
{
    Task t;
    bool ok = open_task(&t, dir, id, err) && look(&t, err);
    if (ok) json_array_append_new(list, task_json(&t, false));
    close_task(&t);
    return ok;
}

json_t *mcp_task_list(McpAsk *a, Err *err)
{
    const char *cursor = json_str(a->params, "cursor", "");
    json_t *rows = NULL, *row, *out = json_pack("{s:[]}", "tasks");
    int64_t before = INT64_MAX;
    size_t i;
    char next[32];
    bool ok = !cursor[0] || str_to_i64(str_of(cursor), &before) ||
              err_set(err, ERR_CONFIG, "there is no cursor %.40s", cursor);
    ok = ok && page(a->server->lab, before, &rows, next, err);
    json_array_foreach(rows, i, row) ok =
        ok && put_task(a->server->lab, json_str(row, "id", ""), json_object_get(out, "tasks"), err);
    if (ok && next[0]) json_object_set_new(out, "nextCursor", json_string(next));
    json_decref(rows);
    if (ok) return out;
    json_decref(out);
    return NULL;
}

/* Nothing here ever asks a client back, so what it answers is to no question. */
static json_t *say_nothing(Task *t, bool modern, Err *err)
{
    (void)t, (void)modern, (void)err;
    return json_object();
}

json_t *mcp_task_update(McpAsk *a, Err *err)
{
    return with_task(a, say_nothing, err);
}

/* Nobody waits any more; what was waited for goes on.  The older era refuses to cancel what has
 * ended, the newer acknowledges. */
static json_t *say_cancelled(Task *t, bool modern, Err *err)
{
    if (t->end && !modern) {
        err_set(err, ERR_CONFIG, "Task %.40s has ended: %s", t->id, json_str(t->end, "status", ""));
        return NULL;
    }
    if (!t->end && !end_task(t, "cancelled", NULL, err)) return NULL;
    return modern ? json_object() : task_json(t, false);
}

json_t *mcp_task_cancel(McpAsk *a, Err *err)
{
    return with_task(a, say_cancelled, err);
}
