/* tool_playbook.c - what is known beforehand, and what was tried before that resembles an idea. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/playbook.h"
#include "lab/tool_private.h"

/* ---- the playbook ---- */

static json_t *play_edits(const Play *p)
{
    json_t *o = json_object();
    for (int i = 0; i < COUNT(p->edit) && p->edit[i].how != PLAY_END; i++) {
        const PlayEdit *e = &p->edit[i];
        char to[64];
        if (e->how == PLAY_WORD)
            snprintf(to, sizeof(to), "%s", e->word);
        else
            snprintf(to, sizeof(to), "%s%.4g", e->how == PLAY_TIMES ? "times " : "", e->value);
        json_object_set_new(o, e->knob, json_string(to));
    }
    return o;
}

/* The verdict on the play in the open question, where its title was proposed. */
static const char *play_verdict(const History *h, const Play *p)
{
    for (int i = h->exps - 1; i >= 0; i--)
        if (strcmp(h->exp[i].title, p->title) == 0) return tool_decision(h->exp[i].decision);
    return "not tried";
}

static bool playbook_tool(ToolCall *c, json_t **out, Err *err)
{
    History h;
    const char *about = json_str(c->args, "about", "");
    if (!history_open(&h, c->lab, err)) return false;
    json_t *list = json_array();
    for (const Play *p = playbook; p->name; p++) {
        if (about[0] && !strcasestr(p->title, about) && !strcasestr(p->edit[0].knob, about))
            continue;
        json_t *o = json_pack("{s:s, s:o, s:f, s:f, s:s, s:s, s:s, s:s}", "title", p->title,
                              "edits", play_edits(p), "prior_gain_percent", p->effect, "sd_percent",
                              p->sd, "why", p->why, "refute", p->refute, "source", p->source,
                              "here", play_verdict(&h, p));
        if (p->when) json_object_set_new(o, "only_where", json_string(p->when));
        json_array_append_new(list, o);
    }
    history_close(&h);
    *out = json_pack("{s:s, s:o}", "note",
                     "priors are for short runs of small models, in percent of bits per byte",
                     "plays", list);
    return true;
}

static const ToolArg about_args[] = {
    ARG_TEXT("about", 60, "only hypotheses with this in their title or knob"),
    ARG_END,
};

const ToolDef tool_playbook = {
    .name = "playbook",
    .doc = "Hypotheses that have paid elsewhere, with prior gain, source, and whether they were "
           "tried here.",
    .args = about_args,
    .call = playbook_tool,
};

/* ---- the like ---- */

static bool similar(ToolCall *c, json_t **out, Err *err)
{
    const char *knob = json_str(c->args, "knob", "");
    json_t *list = tool_rows(
        c, 40, err,
        "SELECT p.experiment, p.question, p.author, p.title, p.edits, p.predicted, "
        "coalesce(v.decision, 'open') AS verdict, v.effect, v.low, v.high, v.why FROM proposals p "
        "LEFT JOIN verdicts v ON v.experiment = p.experiment WHERE p.ablates IS NULL AND p.decides "
        "IS NULL AND "
        "(p.edits LIKE '%%' || %s || '%%' OR p.title LIKE '%%' || %s || '%%') ORDER BY p.seq DESC",
        tool_quoted(c, knob), tool_quoted(c, knob));
    if (!list) return false;
    json_t *row;
    size_t i;
    json_array_foreach(list, i, row)
    {
        Err broken = { 0 };
        json_t *edits = json_read(str_of(json_str(row, "edits", "[]")), "edits", &broken);
        json_object_set_new(row, "edits", tool_edits(edits));
        json_decref(edits);
    }
    *out = json_pack("{s:o}", "earlier", list);
    return true;
}

static const ToolArg similar_args[] = {
    ARG_NEED("knob", 60, "a knob, or a word of the hypothesis"),
    ARG_END,
};

const ToolDef tool_similar = {
    .name = "similar",
    .doc = "Earlier proposals, in this question and those before, that edit the same knob or have "
           "the same words, with their verdicts. Look here before you propose.",
    .args = similar_args,
    .call = similar,
};
