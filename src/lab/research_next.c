/* research_next.c - what is tried next, and when nothing is.
 *
 * Ideas come from people, researchers and races; besides them the session makes proposals of its
 * own, which are no new ideas and move no prior: kept claims are taken out again, and where two
 * findings oppose each other the test is made that decides between them.  What passed on a champion
 * that has been beaten since is confirmed anew (docs/honest.md, section 4). */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "lab/idea.h"
#include "lab/oppose.h"
#include "lab/research_private.h"

enum { AUDIT_READS = 64, AUDIT_DISAGREES = 8, REFUSED_IN_A_ROW = 20, ABLATE_EVERY = 8 };

/* ---- is it over? ---- */

/* A proposal that could not be run cost nothing and counts nowhere. */
static int proposed(const Session *s)
{
    int n = 0;
    for (int i = 0; i < s->h.exps; i++)
        n += history_is_idea(&s->h.exp[i]) && !s->h.exp[i].refused &&
             strcmp(s->h.exp[i].session, s->plan->id) == 0;
    return n;
}

/* How many of the session's newest proposals in a row could not be run: whoever proposes nothing
 * else would go on for ever. */
static int refused_in_a_row(const Session *s)
{
    int n = 0;
    for (int i = s->h.exps - 1; i >= 0 && s->h.exp[i].refused; i--)
        n += strcmp(s->h.exp[i].session, s->plan->id) == 0;
    return n;
}

/* Proposals decided since the last keep, newest first: none of them was kept. */
static int misses(const History *h)
{
    int n = 0;
    for (int i = h->exps - 1; i >= 0 && h->exp[i].decision != EXP_KEEP; i--)
        n += history_is_idea(&h->exp[i]) && !h->exp[i].refused &&
             (h->exp[i].decision == EXP_DROP || h->exp[i].decision == EXP_UNDECIDED);
    return n;
}

Left session_left(const Session *s)
{
    int runs = 0;
    Noise noise = history_noise(&s->h, NULL);
    int left = s->plan->experiments > 0 ? s->plan->experiments - proposed(s) : 20;
    double bpb = history_bank_mean(&s->h, s->h.champion, &runs);
    return left_of(misses(&s->h), left, &noise, s->plan->floor * bpb);
}

/* NULL: it is not. */
static const char *end_of(const Session *s)
{
    const SessionPlan *p = s->plan;
    if (s->text_changed)
        return history_reported(&s->h)
                   ? "the trainer's program has changed; a new question begins with the next "
                     "session"
                   : "its text has changed; a new question begins with the next session";
    if (p->experiments > 0 && proposed(s) >= p->experiments)
        return "all its experiments are decided";
    if (refused_in_a_row(s) >= REFUSED_IN_A_ROW)
        return "nothing that was proposed could be run here: the last twenty were refused";
    if (p->research_seconds > 0 &&
        session_seconds(s) + (HEADLINE_RUNS + 0.5) * p->run_seconds > p->research_seconds)
        return "its time is spent";
    if (s->h.audit_reads >= AUDIT_READS || s->h.audit_disagrees >= AUDIT_DISAGREES)
        return "the audit tier is used up: more keeps would fit it; add new text under a new name";
    return session_left(s).nothing ? "no proposal left is worth its cost" : NULL;
}

bool session_check_end(Session *s, bool *did, Err *err)
{
    (void)did;
    (void)err;
    s->over = end_of(s);
    return true;
}

/* ---- proposals ---- */

static json_t *edits_json(const Recipe *champion, const Proposal *p)
{
    json_t *edits = json_array();
    for (int i = 0; i < p->edits; i++) {
        char from[EDIT_TEXT];
        edit_value(&champion->knobs, knobs_find(&champion->knobs, p->edit[i].knob), from);
        json_array_append_new(edits, json_pack("{s:s, s:o, s:o}", "knob", p->edit[i].knob, "from",
                                               json_text(str_of(from)), "to",
                                               json_text(str_of(p->edit[i].to))));
    }
    return edits;
}

/* What a proposal comes from, besides its author: ids, each NULL where there is none. */
typedef struct Origin {
    const char *idea, *ablates, *anew, *decides, *against;
} Origin;

static bool enter_proposal(Session *s, const Asking *a, const Proposal *p, const char *author,
                           Origin from, Err *err)
{
    Recipe recipe;
    Ledger *l = s->lab->ledger;
    char id[24] = "";
    if (!proposal_recipe(a, p, &recipe, err) || !ledger_begin(l, err)) return false;
    bool ok = lab_recipe_keep(s->lab, &recipe, err) && ledger_next_id(l, 'e', id, err);
    if (ok) {
        json_t *body = json_pack(
            "{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:s, s:s, s:b, s:s?, s:s?, s:s?, "
            "s:s?, "
            "s:s?}",
            "id", id, "question", s->h.question, "session", s->plan->id, "author", author, "title",
            p->title, "edits", edits_json(a->champion, p), "recipe", recipe.sha256, "base_recipe",
            s->h.champion, "predicted", json_num_of(p->predicted), "confidence",
            json_num_of(p->confidence), "why", p->why, "refute", p->refute, "fresh_seeds",
            p->fresh_seeds, "idea", from.idea, "ablates", from.ablates, "anew", from.anew,
            "decides", from.decides, "against", from.against);
        ok = ledger_append(l, "proposal", id, body, err);
    }
    ok = ok && ledger_commit(l, err);
    if (!ok) ledger_rollback(l);
    return ok && history_update(&s->h, err);
}

static bool ask_begin(Session *s, Lab *lab, Asking *a, Recipe *champion, Recipe *baseline, Err *err)
{
    int n = 0;
    Noise noise = history_noise(&s->h, NULL);
    *a = (Asking){ .history = &s->h,
                   .champion = champion,
                   .baseline = baseline,
                   .bpb = history_bank_mean(&s->h, s->h.champion, &n),
                   .s = noise_s_used(&noise),
                   .asked = s->h.exps,
                   .left = s->plan->experiments > 0 ? s->plan->experiments - proposed(s) : 20,
                   .session = s->plan->id,
                   .stop = s->watch->stop,
                   .self = s->watch->self,
                   .arena = lab->arena };
    return lab_recipe(lab, s->h.champion, champion, err) &&
           lab_recipe(lab, s->h.baseline, baseline, err);
}

/* A claim goes back to what it was before: the edits of its experiment, reversed. */
static bool undo(const Asking *a, const HistExp *x, Proposal *p)
{
    size_t n = json_array_size(x->edits);
    for (size_t i = 0; i < n && p->edits < EDITS_MAX; i++) {
        const json_t *e = json_array_get(x->edits, i);
        int k = knobs_find(&a->champion->knobs, json_str(e, "knob", ""));
        if (k < 0) return false;
        const char *knob = a->champion->knobs.knob[k]->name;
        /* Another patch that was kept since stands on this one's source. */
        if (strcmp(knob, "code") == 0 &&
            strcmp(knobs_text(&a->champion->knobs, knob), json_str(e, "to", "")) != 0)
            return false;
        Edit *edit = &p->edit[p->edits++];
        edit->knob = knob;
        snprintf(edit->to, sizeof(edit->to), "%s", json_str(e, "from", ""));
    }
    Recipe without;
    Err refused = { 0 };
    return p->edits > 0 && proposal_recipe(a, p, &without, &refused) &&
           !proposal_known(a, &without);
}

/* The kept claim that is to be taken out next, and how; NULL: none is due. */
static const HistExp *claim_due(const Session *s, const Asking *a, Proposal *p)
{
    const History *h = &s->h;
    int64_t since = 0; /* the eighth keep: claims are taken out once for each eight */
    if (h->kept == 0 || h->kept % ABLATE_EVERY != 0) return NULL;
    for (int i = 0; i < h->exps; i++)
        if (h->exp[i].ablates < 0 && h->exp[i].decision == EXP_KEEP) since = h->exp[i].at;
    for (int i = 0; i < h->exps; i++) {
        const HistExp *x = &h->exp[i];
        bool done = x->decision != EXP_KEEP || x->ablates >= 0;
        for (int k = i + 1; k < h->exps && !done; k++)
            done = h->exp[k].ablates == i && h->exp[k].at > since;
        *p = (Proposal){ .title = arena_printf(a->arena, "without %s: %s", x->id, x->title),
                         .why = "is it still worth its place in the stack?",
                         .refute = "the champion without it is worse" };
        if (!done && undo(a, x, p)) return x;
    }
    return NULL;
}

static bool take_out_next(Session *s, Lab *lab, bool *did, Err *err)
{
    Recipe champion, baseline;
    Asking a;
    Proposal p;
    if (!ask_begin(s, lab, &a, &champion, &baseline, err)) return false;
    const HistExp *x = claim_due(s, &a, &p);
    *did = x != NULL;
    return !x || enter_proposal(s, &a, &p, "lathe", (Origin){ .ablates = x->id }, err);
}

static bool scratched(Session *s, bool (*work)(Session *s, Lab *lab, bool *did, Err *err),
                      bool *did, Err *err)
{
    Arena scratch;
    Lab lab = session_scratch(s, &scratch);
    bool ok = work(s, &lab, did, err);
    arena_release(&scratch);
    return ok;
}

bool session_take_out(Session *s, bool *did, Err *err)
{
    if (s->h.kept == 0 || s->h.kept % ABLATE_EVERY != 0) return true;
    return scratched(s, take_out_next, did, err);
}

/* ---- confirmed anew ---- */

/* The edits of a proposal as the ledger has them, on the champion that there is now. */
static bool edits_again(const Asking *a, const HistExp *x, Proposal *p, Recipe *out)
{
    Err none = { 0 };
    size_t n = json_array_size(x->edits);
    for (size_t i = 0; i < n && p->edits < EDITS_MAX; i++) {
        const json_t *e = json_array_get(x->edits, i);
        int k = knobs_find(&a->champion->knobs, json_str(e, "knob", ""));
        if (k < 0) return false;
        /* A patch stands on the source that it was written for. */
        if (strcmp(json_str(e, "knob", ""), "code") == 0 &&
            strcmp(knobs_text(&a->champion->knobs, "code"), json_str(e, "from", "")) != 0)
            return false;
        Edit *edit = &p->edit[p->edits++];
        edit->knob = a->champion->knobs.knob[k]->name;
        snprintf(edit->to, sizeof(edit->to), "%s", json_str(e, "to", ""));
    }
    return p->edits > 0 && proposal_recipe(a, p, out, &none) && !proposal_known(a, out);
}

bool session_confirm_anew(Session *s, const HistExp *x, json_t *verdict, Err *err)
{
    Arena scratch;
    Recipe champion, baseline, made;
    Asking a;
    Lab lab = session_scratch(s, &scratch);
    Proposal p = { .title = arena_printf(lab.arena, "%s, on the new champion", x->title),
                   .why = "it passed on the champion before, while this one was being confirmed",
                   .refute = "no gain on fresh seeds: the new champion has what it brought",
                   .predicted = x->predicted,
                   .confidence = x->confidence,
                   .fresh_seeds = true };
    json_object_set_new(verdict, "moved", json_true());
    bool ok = ask_begin(s, &lab, &a, &champion, &baseline, err) &&
              ledger_append(s->lab->ledger, "verdict", x->id, verdict, err);
    if (ok && edits_again(&a, x, &p, &made))
        ok = enter_proposal(s, &a, &p, x->author, (Origin){ .anew = x->id }, err);
    arena_release(&scratch);
    return ok && history_update(&s->h, err);
}

/* ---- findings that oppose each other ---- */

static bool decide_next(Session *s, Lab *lab, bool *did, Err *err)
{
    Recipe champion, baseline, made;
    Asking a;
    Opposed o;
    Err refused = { 0 };
    if (!ask_begin(s, lab, &a, &champion, &baseline, err)) return false;
    if (!oppose_find(&s->h, &champion.knobs, &o)) return true;
    const HistExp *was = &s->h.exp[o.earlier], *is = &s->h.exp[o.later];
    Proposal p = { .title = arena_printf(a.arena, "%s against %s: %s = %s", was->id, is->id, o.knob,
                                         o.to),
                   .why = arena_printf(a.arena,
                                       "%s and %s oppose each other, and no one curve has both: is "
                                       "what %s found still true on this champion?",
                                       was->id, is->id, was->id),
                   .refute = "no gain: the later finding holds",
                   .confidence = 0.5,
                   .fresh_seeds = true,
                   .edits = 1 };
    p.edit[0].knob = o.knob;
    snprintf(p.edit[0].to, sizeof(p.edit[0].to), "%s", o.to);
    if (!proposal_recipe(&a, &p, &made, &refused)) return true;
    *did = true;
    return enter_proposal(s, &a, &p, "lathe", (Origin){ .decides = is->id, .against = was->id },
                          err);
}

bool session_decide(Session *s, bool *did, Err *err)
{
    return !oppose_any(&s->h) || scratched(s, decide_next, did, err);
}

/* ---- somebody is asked ---- */

/* An idea may have been tried or kept while it waited. */
static bool fresh_idea(const Asking *a, const json_t *idea, Proposal *p, Err *err)
{
    Recipe recipe;
    if (!idea_proposal(a, idea, p, &recipe, err)) return false;
    if (proposal_known(a, &recipe))
        return err_set(err, ERR_CONFIG,
                       "this recipe is the champion or was proposed before; `lathe log --kind "
                       "proposal` shows where");
    return true;
}

/* A person's idea is tried before the researcher is asked; one that does not fit the champion
 * is answered in the ledger. */
static bool ask_people(Session *s, const Asking *a, bool *did, Err *err)
{
    json_t *waiting = NULL;
    bool ok = ideas_waiting(s->lab, &waiting, err);
    const json_t *idea = json_array_get(waiting, 0);
    Proposal p;
    Err refused = { 0 };
    if (ok && idea) {
        const char *id = json_str(idea, "id", "");
        *did = true;
        ok = fresh_idea(a, idea, &p, &refused)
                 ? enter_proposal(s, a, &p, json_str(idea, "author", "person"),
                                  (Origin){ .idea = id }, err)
                 : ledger_append(
                       s->lab->ledger, "idea_refused", id,
                       json_pack("{s:s, s:o}", "idea", id, "why", json_text(str_of(refused.msg))),
                       err);
    }
    json_decref(waiting);
    return ok;
}

/* Rests until an idea has come, somebody asks to stop, or so many seconds are over. */
static bool await_idea(Session *s, double seconds, Err *err)
{
    const struct timespec nap = { 0, 100000000 };
    int64_t ideas = ledger_count(s->lab->ledger, "idea");
    double until = clock_now() + seconds;
    while (clock_now() < until && ledger_count(s->lab->ledger, "idea") == ideas) {
        if (s->watch->stop && s->watch->stop(s->watch->self)) break;
        nanosleep(&nap, NULL);
    }
    return history_update(&s->h, err);
}

static bool ask_somebody(Session *s, Lab *lab, bool *did, Err *err)
{
    Recipe champion, baseline;
    Asking a;
    if (!ask_begin(s, lab, &a, &champion, &baseline, err)) return false;
    if (!ask_people(s, &a, did, err)) return false;
    if (*did) return true;
    const ResearcherDef *who = researcher_find(s->plan->researcher, &a.spec);
    if (!who)
        return err_set(err, ERR_CONFIG, "no researcher '%s'; `lathe research --help` lists them",
                       s->plan->researcher);
    Proposal p;
    bool none = false;
    session_say(s, "%s",
                who->says ? who->says : arena_printf(a.arena, "%s is thinking", who->name));
    if (!who->propose(&a, &p, &none, err)) return err_wrap(err, "researcher %s", who->name);
    if (!none && p.wait > 0) {
        *did = true;
        return await_idea(s, p.wait, err);
    }
    if (none || p.worth <= 0) {
        s->over = none ? "the researcher has nothing left to propose"
                       : "no proposal left is worth its cost";
        return true;
    }
    *did = true;
    return enter_proposal(s, &a, &p, p.author ? p.author : who->name, (Origin){ 0 }, err);
}

bool session_ask(Session *s, bool *did, Err *err)
{
    return scratched(s, ask_somebody, did, err);
}

/* ---- a race ---- */

/* Ideas that are open; -1 where something else is: a claim taken out, a finding decided. */
static int racing(const History *h)
{
    int n = 0;
    for (int i = 0; i < h->exps; i++) {
        if (h->exp[i].decision != EXP_OPEN) continue;
        if (!history_is_idea(&h->exp[i])) return -1;
        n++;
    }
    return n;
}

/* A language model is not asked again and again while nothing new is known. */
static bool join_race(Session *s, Lab *lab, bool *did, Err *err)
{
    Recipe champion, baseline;
    Asking a;
    Proposal p;
    bool none = false;
    if (!ask_begin(s, lab, &a, &champion, &baseline, err)) return false;
    const ResearcherDef *who = researcher_find(s->plan->researcher, &a.spec);
    if (!who || who->model || claim_due(s, &a, &p)) return true;
    if (!who->propose(&a, &p, &none, err)) return err_wrap(err, "researcher %s", who->name);
    if (none || p.wait > 0 || p.worth <= 0) return true;
    *did = true;
    return enter_proposal(s, &a, &p, p.author ? p.author : who->name, (Origin){ 0 }, err);
}

bool session_race(Session *s, bool *did, Err *err)
{
    int open = racing(&s->h);
    if (open < 1 || open >= s->plan->race || end_of(s)) return true;
    return scratched(s, join_race, did, err);
}
