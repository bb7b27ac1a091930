/* await.c - reading the ledger's tail for somebody who waits.
 *
 * Of what happened only what a proposer acts on is told: proposals, verdicts, claims, notes, ends.
 * Runs are counted.  Whether a proposal is over is asked of the whole ledger and not of the tail,
 * so that it may have been decided before anybody began to wait. */
#include "lab/await.h"

#include <stdio.h>
#include <string.h>

#include "lab/tool_private.h"
#include "lab/worker.h"

/* ---- what is told ---- */

enum { EVENTS_MAX = 60 };

typedef struct Events {
    json_t *list;
    int64_t last;
    int runs, skipped;
    bool decisive;
} Events;

static void put_event(Events *v, const Entry *e, const char *const *keys)
{
    json_t *o = json_pack("{s:s}", "kind", e->kind);
    if (e->id[0]) json_object_set_new(o, "id", json_string(e->id));
    for (; *keys; keys++) {
        json_t *x = json_object_get(e->body, *keys);
        if (json_is_string(x))
            json_object_set_new(o, *keys, tool_cut(json_string_value(x), 300));
        else if (x && !json_is_null(x))
            json_object_set(o, *keys, x);
    }
    if ((int)json_array_size(v->list) < EVENTS_MAX)
        json_array_append(v->list, o);
    else
        v->skipped++;
    json_decref(o);
}

static const struct {
    const char *kind;
    bool decisive; /* worth waking up for */
    const char *keys[7];
} told[] = {
    { "verdict", true, { "decision", "effect", "low", "high", "why" } },
    { "proposal", false, { "title", "author", "idea", "predicted" } },
    { "claim", false, { "experiment", "effect", "low", "high" } },
    { "idea_refused", true, { "why" } },
    { "veto", true, { "target", "reason" } },
    { "note", false, { "author", "text" } },
    { "headline", true, { "gain", "low", "high" } },
    { "session_end", true, { "text" } },
};

static bool see_event(void *self, const Entry *e)
{
    Events *v = self;
    v->last = e->seq;
    v->runs += strcmp(e->kind, "result") == 0;
    for (ptrdiff_t i = 0; i < COUNT(told); i++) {
        if (strcmp(told[i].kind, e->kind) != 0) continue;
        put_event(v, e, told[i].keys);
        v->decisive = v->decisive || told[i].decisive;
    }
    return true;
}

/* ---- is it over? ---- */

static bool any_row(Lab *lab, const char *sql, bool *any, Err *err)
{
    json_t *rows = NULL;
    if (!ledger_query(lab->ledger, sql, 1, &rows, err)) return false;
    *any = json_array_size(rows) > 0;
    json_decref(rows);
    return true;
}

/* An id is a letter and digits, so it may stand in a query. */
static bool is_id(const char *id)
{
    return id[0] && strchr("pes", id[0]) && id[1] && strlen(id) < 20 &&
           strspn(id + 1, "0123456789") == strlen(id + 1);
}

bool await_known(Lab *lab, const char *until, Err *err)
{
    char sql[200];
    bool any = false;
    if (!until[0]) return true;
    if (is_id(until)) {
        snprintf(sql, sizeof(sql), "SELECT 1 FROM entries WHERE kind='%s' AND id='%s' LIMIT 1",
                 until[0] == 'p'   ? "idea"
                 : until[0] == 'e' ? "proposal"
                                   : "session",
                 until);
        if (!any_row(lab, sql, &any, err)) return false;
    }
    return any || err_set(err, ERR_CONFIG,
                          "there is no %.24s: a proposal (p3), an experiment (e7) or a session "
                          "(s1) can be waited for",
                          until);
}

static bool decided(Lab *lab, const char *until, bool *over, Err *err)
{
    char sql[400];
    if (until[0] == 'p')
        snprintf(sql, sizeof(sql),
                 "SELECT 1 FROM entries WHERE kind='idea_refused' AND "
                 "json_extract(body,'$.idea')='%s' UNION ALL SELECT 1 FROM proposals p JOIN "
                 "verdicts v ON v.experiment = p.experiment WHERE p.idea='%s' LIMIT 1",
                 until, until);
    else
        snprintf(sql, sizeof(sql), "SELECT 1 FROM entries WHERE kind='%s' AND id='%s' LIMIT 1",
                 until[0] == 'e' ? "verdict" : "session_end", until);
    return any_row(lab, sql, over, err);
}

/* ---- a look ---- */

static bool say(Lab *lab, const Events *v, bool alive, json_t **out, Err *err)
{
    WorkerState *at = NEW(lab->arena, WorkerState, 1);
    bool found = false;
    if (!worker_state(lab->dir, at, &found, err)) return false;
    *out = json_pack("{s:I, s:O, s:i, s:s}", "cursor", (json_int_t)v->last, "events", v->list,
                     "runs_finished", v->runs, "state",
                     !alive       ? "nothing is at work"
                     : at->paused ? "paused"
                                  : "working");
    if (v->skipped) json_object_set_new(*out, "events_not_shown", json_integer(v->skipped));
    if (alive) json_object_set_new(*out, "doing", json_text(str_of(at->doing)));
    if (!alive && at->error[0])
        json_object_set_new(*out, "ended_with", json_text(str_of(at->error)));
    return true;
}

bool await_look(Lab *lab, const Await *a, json_t **seen, bool *over, Err *err)
{
    bool alive = worker_alive(lab->dir), done = false; /* before the events: what is over is told */
    Events v = { .list = json_array(), .last = a->cursor };
    bool ok = (!a->until[0] || decided(lab, a->until, &done, err)) &&
              ledger_each(lab->ledger, NULL, a->cursor, see_event, &v, err) &&
              say(lab, &v, alive, seen, err);
    if (!a->until[0]) done = v.decisive;
    if (ok) json_object_set_new(*seen, "over", json_boolean(done));
    *over = !alive || done;
    json_decref(v.list);
    return ok;
}
