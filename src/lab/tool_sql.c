/* tool_sql.c - any question to the ledger that no other tool answers. */
#include <string.h>

#include "lab/tool_private.h"

enum { ROWS = 200, CELL = 400 };
static const double SECONDS = 5;

static const char tables[] =
    "Views, one row per entry: questions sessions runs results recipes proposals verdicts "
    "experiments claims champions notes ideas ideas_refused tool_calls; the table steps (run, "
    "step, "
    "tokens, flops, seconds, loss, grad_norm, clipped, lr, update_hidden, update_embedding, "
    "update_head, update_vectors, tokens_per_s) has the curves, entries (seq, kind, id, at, body) "
    "has all. Ids join: runs.run, results.run, proposals.experiment, verdicts.experiment.";

static bool sql(ToolCall *c, json_t **out, Err *err)
{
    json_t *rows = NULL, *row, *cell;
    int limit = (int)json_int(c->args, "limit", 50);
    const char *query = json_str(c->args, "query", "");
    if (!ledger_query_within(c->lab->ledger, query, limit + 1, SECONDS, &rows, err))
        return err_wrap(err, "%s", "sql");
    size_t i;
    const char *name;
    void *next;
    json_array_foreach(rows, i, row) json_object_foreach_safe(row, next, name, cell)
    {
        if (json_is_string(cell))
            json_object_set_new(row, name, tool_cut(json_string_value(cell), CELL));
    }
    bool more = (int)json_array_size(rows) > limit;
    if (more) json_array_remove(rows, (size_t)limit);
    *out = json_pack("{s:o, s:b}", "rows", rows, "more", more);
    return true;
}

static const ToolArg sql_args[] = {
    ARG_NEED("query", 4000, tables),
    ARG_WHOLE("limit", 50, 1, ROWS, "rows"),
    ARG_END,
};

const ToolDef tool_sql = {
    .name = "sql",
    .doc = "A SELECT on the ledger (SQLite, read only, five seconds). Long texts are cut.",
    .args = sql_args,
    .call = sql,
};
