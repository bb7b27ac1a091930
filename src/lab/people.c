/* people.c - words of people, each with its effect, from the ledger.
 *
 * A note is read by a language model when its next conversation begins, and the proposal that comes
 * of it shows when that was; the built-in researcher reads none, which is said too.  Authors with a
 * colon are models and agents, "lathe" is the program. */
#include "lab/people.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static bool is_person(const char *author)
{
    return author[0] && !strchr(author, ':') && strcmp(author, "lathe") != 0;
}

static void add(json_t *said, const Entry *e, const char *author, const char *text)
{
    json_array_append_new(said,
                          json_pack("{s:I, s:f, s:o, s:s, s:s, s:o}", "seq", (json_int_t)e->seq,
                                    "at", e->at, "author", json_text(str_of(author)), "kind",
                                    e->kind, "id", e->id, "text", json_text(str_of(text))));
}

static void see_idea(json_t *said, const Entry *e)
{
    Buf text = { 0 };
    json_t *edit;
    size_t i;
    buf_str(&text, str_of(json_str(e->body, "title", "")));
    json_array_foreach(json_object_get(e->body, "edits"), i, edit) buf_printf(
        &text, "%s%s = %s", i ? ", " : ": ", json_str(edit, "knob", ""), json_str(edit, "to", ""));
    add(said, e, json_str(e->body, "author", ""), text.at);
    buf_free(&text);
}

static bool see(void *self, const Entry *e)
{
    json_t *said = self;
    const char *author = json_str(e->body, "author", "");
    const char *goal = json_str(e->body, "goal", "");
    if (strcmp(e->kind, "session") == 0 && goal[0]) add(said, e, "goal", goal);
    if (!is_person(author)) return true;
    if (strcmp(e->kind, "note") == 0) add(said, e, author, json_str(e->body, "text", ""));
    if (strcmp(e->kind, "idea") == 0) see_idea(said, e);
    if (strcmp(e->kind, "veto") == 0) add(said, e, author, json_str(e->body, "reason", ""));
    if (strcmp(e->kind, "control") == 0) add(said, e, author, json_str(e->body, "action", ""));
    return true;
}

/* ---- what came of it ---- */

typedef struct Trace {
    const json_t *word;
    int64_t seq;
    const char *kind, *id;
    char before[24], after[24];  /* proposals around it */
    char answered[24];           /* the first one after a model was asked since */
    char taken[24], verdict[24]; /* of an idea */
    char why[200];               /* it was refused */
    bool asked;                  /* a model was, since */
    int talks;                   /* conversations of the session, for its goal */
} Trace;

static void see_proposal(Trace *t, const Entry *e)
{
    if (e->seq < t->seq)
        snprintf(t->before, sizeof(t->before), "%s", e->id);
    else if (!t->after[0])
        snprintf(t->after, sizeof(t->after), "%s", e->id);
    if (e->seq > t->seq && t->asked && !t->answered[0])
        snprintf(t->answered, sizeof(t->answered), "%s", e->id);
    if (strcmp(json_str(e->body, "idea", ""), t->id) == 0)
        snprintf(t->taken, sizeof(t->taken), "%s", e->id);
}

static bool follow(void *self, const Entry *e)
{
    Trace *t = self;
    bool later = e->seq > t->seq;
    if (strcmp(e->kind, "proposal") == 0) see_proposal(t, e);
    if (later && strcmp(e->kind, "llm_request") == 0 && json_int(e->body, "round", 0) == 1) {
        bool ours =
            strcmp(t->kind, "session") != 0 || strcmp(json_str(e->body, "session", ""), t->id) == 0;
        t->asked = t->asked || ours;
        t->talks += ours;
    }
    if (later && strcmp(e->kind, "verdict") == 0 && t->taken[0] && strcmp(e->id, t->taken) == 0)
        snprintf(t->verdict, sizeof(t->verdict), "%s", json_str(e->body, "decision", ""));
    if (later && strcmp(e->kind, "idea_refused") == 0 &&
        strcmp(json_str(e->body, "idea", ""), t->id) == 0)
        snprintf(t->why, sizeof(t->why), "%.190s", json_str(e->body, "why", ""));
    return true;
}

static void say_note(const Trace *t, Buf *out)
{
    if (t->answered[0])
        buf_printf(out, "read by the model before %s was proposed", t->answered);
    else if (t->asked)
        buf_str(out, STR("read by the model, which has proposed nothing since"));
    else
        buf_printf(out, "in the record%s%s; only a language model reads notes",
                   t->after[0] ? " before " : "", t->after);
}

static void say_idea(const Trace *t, Buf *out)
{
    if (t->taken[0])
        buf_printf(out, "tried as %s: %s", t->taken,
                   t->verdict[0] ? t->verdict : "not decided yet");
    else if (t->why[0])
        buf_printf(out, "not tried: %s", t->why);
    else
        buf_str(out, STR("waits to be tried"));
}

static void say_control(const Trace *t, Buf *out)
{
    const char *action = json_str(t->word, "text", "");
    const char *verb = strcmp(action, "resume") == 0 ? "went on" : "halted";
    buf_printf(out, "the work %s", verb);
    if (t->before[0]) buf_printf(out, " after %s was proposed", t->before);
    if (t->after[0]) buf_printf(out, "%s before %s", t->before[0] ? " and" : "", t->after);
}

static void say_effect(const Trace *t, Buf *out)
{
    if (strcmp(t->kind, "note") == 0) say_note(t, out);
    if (strcmp(t->kind, "idea") == 0) say_idea(t, out);
    if (strcmp(t->kind, "control") == 0) say_control(t, out);
    if (strcmp(t->kind, "veto") == 0) buf_printf(out, "%s was taken out of the session", t->id);
    if (strcmp(t->kind, "session") == 0 && t->talks > 0)
        buf_printf(out, "told to the model in %d conversation%s", t->talks,
                   t->talks == 1 ? "" : "s");
    if (strcmp(t->kind, "session") == 0 && t->talks == 0)
        buf_str(out, STR("in the record; only a language model reads goals"));
}

static bool put_effect(Lab *lab, json_t *word, Err *err)
{
    Trace t = { .word = word,
                .seq = json_int(word, "seq", 0),
                .kind = json_str(word, "kind", ""),
                .id = json_str(word, "id", "") };
    if (!ledger_each(lab->ledger, NULL, 0, follow, &t, err)) return false;
    Buf text = { 0 };
    say_effect(&t, &text);
    json_object_set_new(word, "effect", json_text(buf_view(&text)));
    buf_free(&text);
    return true;
}

bool people_said(Lab *lab, json_t **out, Err *err)
{
    json_t *said = json_array(), *word;
    size_t i;
    bool ok = ledger_each(lab->ledger, NULL, 0, see, said, err);
    json_array_foreach(said, i, word) ok = ok && put_effect(lab, word, err);
    if (ok)
        *out = said;
    else
        json_decref(said);
    return ok;
}
