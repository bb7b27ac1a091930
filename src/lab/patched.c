/* patched.c - from a diff to an idea, and from a verdict to a commit. */
#include "lab/patched.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/apart.h"
#include "sandbox/sandbox.h"

static json_t *code_body(const PatchedIdea *idea, const PatchedAnswer *a, const char *base,
                         const Source *s)
{
    json_t *files = json_array();
    for (int i = 0; i < a->patch.files; i++)
        json_array_append_new(files, json_string(a->patch.file[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:i, s:i, s:b, s:o, s:f, s:s}", "tree",
                     a->tree, "base", base, "source", s->head, "author", idea->author, "patch",
                     json_text(idea->diff), "files", files, "added", a->patch.added, "deleted",
                     a->patch.deleted, "built", a->says == NULL, "says",
                     json_text(str_of(a->says ? a->says : "")), "seconds", a->seconds, "limits",
                     sandbox_holder());
}

/* Patches in a row of this author that came to nothing. */
typedef struct Repairs {
    const char *author;
    int n;
} Repairs;

static bool count_repair(void *self, const Entry *e)
{
    Repairs *r = self;
    if (strcmp(json_str(e->body, "author", ""), r->author) == 0)
        r->n = json_is_true(json_object_get(e->body, "built")) ? 0 : r->n + 1;
    return true;
}

static bool may_repair(Lab *lab, const PatchedIdea *idea, Err *err)
{
    Repairs r = { idea->author, 0 };
    if (!idea->counted) return true;
    if (!ledger_each(lab->ledger, "code", 0, count_repair, &r, err)) return false;
    return r.n < PATCHED_REPAIRS ||
           err_set(err, ERR_CONFIG,
                   "the last %d patches did not build: propose something else, or ask a person",
                   r.n);
}

static bool enter_idea(Lab *lab, const PatchedIdea *idea, PatchedAnswer *a, Err *err)
{
    json_t *body = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:[{s:s, s:s}]}", "author",
                             idea->author, "title", json_text(str_of(idea->title)), "why",
                             json_text(str_of(idea->why ? idea->why : "")), "refute",
                             json_text(str_of(idea->refute ? idea->refute : "")), "predicted",
                             json_num_of(idea->predicted), "confidence",
                             json_num_of(idea->confidence), "edits", "knob", "code", "to", a->tree);
    return idea_enter(lab, body, a->idea, err);
}

/* The open question's champion; before the first question, the lab's. */
static bool champion_of(Lab *lab, Recipe *out, Err *err)
{
    History h;
    const char *from;
    if (!history_open(&h, lab, err)) return false;
    bool ok =
        h.question[0] ? lab_recipe(lab, h.champion, out, err) : lab_champion(lab, out, &from, err);
    history_close(&h);
    return ok;
}

bool patched_propose(Lab *lab, const PatchedIdea *idea, PatchedAnswer *out, Err *err)
{
    Source s;
    Recipe champion;
    SourceBuilt built;
    *out = (PatchedAnswer){ 0 };
    if (!patch_read(idea->diff, &out->patch, err) || !may_repair(lab, idea, err) ||
        !sandbox_available(*lab->arena, err) || !champion_of(lab, &champion, err) ||
        !source_open(&s, lab->dir, idea->source, apart_self(lab->arena), lab->arena, err))
        return false;
    const char *base = apart_code(&champion);
    if (!base) base = s.head;
    if (!source_apply(&s, base, idea->diff, out->tree, err) ||
        !source_build(&s, out->tree, out->patch.op, &built, err))
        return false;
    out->says = built.says;
    out->seconds = built.seconds;
    return ledger_append(lab->ledger, "code", out->tree, code_body(idea, out, base, &s), err) &&
           (out->says || enter_idea(lab, idea, out, err));
}

/* The same patch on the source that the champion has come to meanwhile. */
static bool apply_again(Lab *lab, const json_t *code, Source *s, const char *base, char tree[41],
                        Err *err)
{
    SourceBuilt built;
    PatchedAnswer a = { 0 };
    const char *author = json_str(code, "author", "");
    PatchedIdea idea = { .diff = str_of(json_str(code, "patch", "")), .author = author };
    if (!patch_read(idea.diff, &a.patch, err) || !source_apply(s, base, idea.diff, a.tree, err) ||
        !source_build(s, a.tree, a.patch.op, &built, err))
        return false;
    a.says = built.says;
    a.seconds = built.seconds;
    memcpy(tree, a.tree, 41);
    if (!ledger_append(lab->ledger, "code", tree, code_body(&idea, &a, base, s), err)) return false;
    return !a.says || err_set(err, ERR_CONFIG,
                              "on the champion's source, which has changed since, the patch does "
                              "not build any more: %.200s",
                              a.says);
}

static bool place(Lab *lab, const Recipe *champion, const json_t *code, char tree[41], Err *err)
{
    Source s;
    const char *base = apart_code(champion);
    if (!source_open(&s, lab->dir, NULL, apart_self(lab->arena), lab->arena, err)) return false;
    if (!base) base = s.head;
    if (strcmp(json_str(code, "base", ""), base) != 0)
        return apply_again(lab, code, &s, base, tree, err);
    snprintf(tree, 41, "%s", json_str(code, "tree", ""));
    return true;
}

bool patched_place(Lab *lab, const Recipe *champion, const char *asked, char tree[41], Err *err)
{
    json_t *code = NULL;
    if (!ledger_last(lab->ledger, "code", asked, &code, err)) return false;
    bool ok = code && json_is_true(json_object_get(code, "built"));
    ok =
        ok ? place(lab, champion, code, tree, err)
           : err_set(err, ERR_CONFIG, "code is set by patches alone: `lathe propose --patch FILE`");
    json_decref(code);
    return ok;
}

/* ---- what was kept ---- */

static const char *evidence(Lab *lab, const char *experiment, Err *err)
{
    json_t *p = NULL, *v = NULL;
    if (!ledger_last(lab->ledger, "proposal", experiment, &p, err) ||
        !ledger_last(lab->ledger, "verdict", experiment, &v, err)) {
        json_decref(p);
        return NULL;
    }
    const char *text = arena_printf(
        lab->arena,
        "%s\n\n%s\n\nExperiment %s by %s, question %s: kept with a gain of %.4f bpb (%.4f to "
        "%.4f),\n"
        "probability %.4f, %d runs; the audit tier agrees.\n",
        json_str(p, "title", ""), json_str(p, "why", ""), experiment, json_str(p, "author", ""),
        json_str(p, "question", ""), json_num(v, "effect", (double)NAN),
        json_num(v, "low", (double)NAN), json_num(v, "high", (double)NAN),
        json_num(v, "P", (double)NAN), (int)json_int(v, "runs", 0));
    json_decref(p);
    json_decref(v);
    return text;
}

bool patched_keep(Lab *lab, const Recipe *champion, const char *experiment, Err *err)
{
    Source s;
    const char *tree = apart_code(champion);
    if (!tree || !experiment) return true;
    const char *message = evidence(lab, experiment, err);
    return message && source_open(&s, lab->dir, NULL, apart_self(lab->arena), lab->arena, err) &&
           source_keep(&s, tree, message, err);
}
