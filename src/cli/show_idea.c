/* show_idea.c - what somebody proposed, and what became of it: an experiment, a refusal, or
 * nothing yet. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/show.h"
#include "lab/entry_text.h"

static bool gather_idea(Lab *lab, const char *id, json_t **out, Err *err)
{
    json_t *idea = NULL, *refused = NULL;
    if (!show_body(lab, "idea", id, &idea, err)) return false;
    json_t *doc = json_pack("{s:s, s:o}", "id", id, "idea", idea);
    bool ok = ledger_last(lab->ledger, "idea_refused", id, &refused, err) &&
              show_rows(lab, doc, "experiments", err,
                        "SELECT e.* FROM experiments e JOIN proposals p ON p.experiment = "
                        "e.experiment WHERE p.idea='%s' ORDER BY p.seq",
                        id);
    if (ok) json_object_set_new(doc, "refused", refused ? refused : json_null());
    if (ok) *out = doc;
    if (!ok) json_decref(doc);
    return ok;
}

static void print_edits(const json_t *edits)
{
    size_t i;
    json_t *e;
    json_array_foreach(edits, i, e)
    {
        Buf b = { 0 };
        buf_printf(&b, "           %s -> %s", json_str(e, "knob", ""), json_str(e, "to", ""));
        entry_text_plain(&b);
        printf("%s\n", b.at);
        buf_free(&b);
    }
}

static void print_idea(const json_t *doc, Arena scratch)
{
    (void)scratch;
    const json_t *idea = json_object_get(doc, "idea"), *refused = json_object_get(doc, "refused");
    const json_t *made = json_object_get(doc, "experiments");
    double gain = json_num(idea, "predicted", (double)NAN);
    char title[96];
    snprintf(title, sizeof(title), "idea %s:", json_str(doc, "id", ""));
    show_print_text(title, json_str(idea, "title", ""));
    show_print_text("by", json_str(idea, "author", ""));
    show_print_text("why", json_str(idea, "why", ""));
    show_print_text("refuted by", json_str(idea, "refute", ""));
    if (isfinite(gain)) printf("predicted  %+.4f bpb gain\n", gain);
    printf("edits\n");
    print_edits(json_object_get(idea, "edits"));
    if (json_is_object(refused))
        show_print_text("refused", json_str(refused, "why", ""));
    else if (json_array_size(made) == 0)
        printf("waiting    it is tried before the researcher is asked again\n");
    show_print_experiments(made);
}

const ShowDef show_idea = { 'p', "idea", gather_idea, print_idea };
