/* researcher_scripted.c - proposals from a file, one JSON object a line, in their order.
 *
 * For those who know beforehand what is to be tried: a sweep, a list of somebody's ideas, a session
 * that is to be had again.  A line is what the tool propose takes: title, edits, predicted,
 * confidence, why, refute.  A line that was tried, or that leaves the champion as it is, is passed
 * over, so which one is next follows from the ledger. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "lab/idea.h"

/* Lines that are the champion or were tried are passed over. */
static bool take(const Asking *a, const json_t *line, Proposal *out, bool *fits, Err *err)
{
    Recipe recipe;
    *fits = false;
    if (!idea_proposal(a, line, out, &recipe, err)) return false;
    if (out->edits == 0 || !out->title[0])
        return err_set(err, ERR_CONFIG, "a proposal needs a title and edits");
    *fits = !proposal_known(a, &recipe);
    return true;
}

static bool propose(const Asking *a, Proposal *out, bool *none, Err *err)
{
    Str text, line;
    int number = 0;
    if (!a->spec[0])
        return err_set(err, ERR_CONFIG, "scripted:FILE names a file of proposals, JSON lines");
    if (!file_read_arena(a->spec, a->arena, &text, err)) return false;
    while (str_cut(&text, '\n', &line)) {
        number++;
        if (str_trim(line).len == 0) continue;
        bool fits = false;
        json_t *idea = json_read(line, "the line", err);
        bool ok = idea && take(a, idea, out, &fits, err);
        json_decref(idea);
        if (!ok) return err_wrap(err, "%s:%d", a->spec, number);
        if (fits) return true;
    }
    *none = true;
    return true;
}

const ResearcherDef researcher_scripted = {
    .name = "scripted",
    .doc = "scripted:FILE proposes what stands in a file, one JSON object a line",
    .propose = propose,
};
