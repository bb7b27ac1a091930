/* idea.c - ideas in the ledger. */
#include "lab/idea.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/patched.h"

bool idea_enter(Lab *lab, json_t *idea, char id[24], Err *err)
{
    if (!ledger_begin(lab->ledger, err)) {
        json_decref(idea);
        return false;
    }
    bool ok = ledger_next_id(lab->ledger, 'p', id, err);
    if (ok) json_object_set_new(idea, "id", json_string(id));
    if (!ok) json_decref(idea);
    if (ok && ledger_append(lab->ledger, "idea", id, idea, err))
        return ledger_commit(lab->ledger, err);
    ledger_rollback(lab->ledger);
    return false;
}

/* Keeps the ideas that no proposal has taken up and no refusal answered, oldest first. */
static bool see_idea(void *self, const Entry *e)
{
    json_t *waiting = self;
    if (strcmp(e->kind, "idea") == 0) json_array_append(waiting, e->body);
    if (strcmp(e->kind, "proposal") == 0 || strcmp(e->kind, "idea_refused") == 0) {
        const char *taken = json_str(e->body, "idea", "");
        for (size_t i = json_array_size(waiting); taken[0] && i-- > 0;)
            if (strcmp(json_str(json_array_get(waiting, i), "id", ""), taken) == 0)
                json_array_remove(waiting, i);
    }
    return true;
}

bool ideas_waiting(Lab *lab, json_t **list, Err *err)
{
    *list = json_array();
    if (ledger_each(lab->ledger, NULL, 0, see_idea, *list, err)) return true;
    json_decref(*list);
    *list = NULL;
    return false;
}

static bool take_edits(const Asking *a, const json_t *edits, Proposal *p, Err *err)
{
    if (json_array_size(edits) > EDITS_MAX)
        return err_set(err, ERR_CONFIG, "%d knobs are edited at once; at most %d can be judged",
                       (int)json_array_size(edits), EDITS_MAX);
    for (size_t i = 0; i < json_array_size(edits); i++) {
        const json_t *e = json_array_get(edits, i);
        Edit *edit = &p->edit[p->edits++];
        edit->knob = arena_str(a->arena, str_of(json_str(e, "knob", "")));
        const char *to = json_str(e, "to", "");
        char tree[41];
        if (strcmp(edit->knob, "code") == 0) {
            if (!patched_place(a->history->lab, a->champion, to, tree, err)) return false;
            to = tree;
        }
        int n = snprintf(edit->to, sizeof(edit->to), "%s", to);
        if (n >= (int)sizeof(edit->to))
            return err_set(err, ERR_CONFIG, "the value of %s has %d bytes; at most %d are read",
                           edit->knob, n, EDIT_TEXT - 1);
    }
    return true;
}

bool idea_proposal(const Asking *a, const json_t *idea, Proposal *p, Recipe *recipe, Err *err)
{
    *p = (Proposal){ .title = arena_str(a->arena, str_of(json_str(idea, "title", ""))),
                     .why = arena_str(a->arena, str_of(json_str(idea, "why", ""))),
                     .refute = arena_str(a->arena, str_of(json_str(idea, "refute", ""))),
                     .predicted = json_num(idea, "predicted", (double)NAN),
                     .confidence = json_num(idea, "confidence", (double)NAN),
                     .worth = 1 };
    return take_edits(a, json_object_get(idea, "edits"), p, err) &&
           proposal_recipe(a, p, recipe, err);
}
