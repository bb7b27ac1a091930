/* researcher_agent.c - proposals come from outside: an agent over MCP, or a person.
 *
 * It has no ideas of its own.  The session waits for what is handed in; where nobody has called a
 * tool or handed in an idea for so many minutes ("agent:10"), the built-in researcher proposes one
 * experiment, so that the machine does not stand still while its user sleeps; "agent" alone waits
 * for ever. */
#include "base/clock.h"
#include "lab/researcher.h"

static const double LOOK_AGAIN = 5; /* seconds */

extern const ResearcherDef researcher_builtin;

/* When somebody was last heard, or the session was last begun.  The last, not the latest: after a
 * clock was set back, which the loop answers with a `work`, what came before lies in the future. */
static bool last_heard(const Asking *a, double *at, Err *err)
{
    json_t *rows = NULL;
    if (!ledger_query(a->history->lab->ledger,
                      "SELECT at FROM entries WHERE kind IN ('tool_call', 'task', "
                      "'task_end', 'idea', 'note', 'work') ORDER BY seq DESC LIMIT 1",
                      1, &rows, err))
        return false;
    *at = json_num(json_array_get(rows, 0), "at", 0);
    json_decref(rows);
    return true;
}

static bool propose(const Asking *a, Proposal *out, bool *none, Err *err)
{
    double minutes = 0, heard = 0;
    *none = false;
    *out = (Proposal){ .wait = LOOK_AGAIN };
    if (a->spec[0] && (!str_to_double(str_of(a->spec), &minutes) || minutes <= 0))
        return err_set(err, ERR_CONFIG,
                       "agent:%s: behind agent stand the minutes after which the "
                       "built-in researcher fills the machine",
                       a->spec);
    if (!last_heard(a, &heard, err)) return false;
    if (minutes == 0 || clock_date() - heard < 60 * minutes) return true;
    Proposal filler;
    bool nothing = false;
    if (!researcher_builtin.propose(a, &filler, &nothing, err)) return false;
    if (nothing || filler.worth <= 0) return true;
    *out = filler;
    out->author = researcher_builtin.name;
    return true;
}

const ResearcherDef researcher_agent = {
    .name = "agent",
    .doc = "waits for proposals from outside (`lathe mcp`, `lathe propose`); agent:10 lets the "
           "built-in one fill in when nobody was heard for ten minutes",
    .says = "waiting for a proposal",
    .propose = propose,
};
