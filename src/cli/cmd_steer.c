/* cmd_steer.c - a person takes part: propose, note, veto. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/toml.h"
#include "cli/cmd.h"
#include "lab/idea.h"
#include "lab/patched.h"
#include "lab/worker.h"

static const char *me(void)
{
    const char *name = getlogin();
    return name ? name : "person";
}

/* ---- propose ---- */

static bool put_edit(const Recipe *check, const TomlItem *item, const char *knob, const char *path,
                     json_t *edits, Err *err)
{
    char where[600];
    snprintf(where, sizeof(where), "%s:%d", path, item->line);
    Recipe copy = *check;
    copy.knobs = knobs_copy(check->knobs.home, &check->knobs);
    if (!knobs_set(&copy.knobs, knob, item->text, where, err)) return false;
    json_t *to = json_text(item->text);
    json_array_append_new(edits, json_pack("{s:s, s:o}", "knob", knob, "to", to));
    return true;
}

/* title, why, refute, predicted, confidence at the top; edits in [edit]. */
static bool read_idea(const char *path, Str text, const Recipe *check, Arena *arena, json_t *idea,
                      Err *err)
{
    TomlItem *items = NULL;
    int n = 0;
    if (!toml_parse(text, path, arena, &items, &n, err)) return false;
    json_t *edits = json_array();
    json_object_set_new(idea, "edits", edits);
    for (int i = 0; i < n; i++) {
        const char *name = items[i].name;
        double number;
        if (strncmp(name, "edit.", 5) == 0) {
            if (!put_edit(check, &items[i], name + 5, path, edits, err)) return false;
        } else if (strcmp(name, "title") == 0 || strcmp(name, "why") == 0 ||
                   strcmp(name, "refute") == 0) {
            json_object_set_new(idea, name, json_text(items[i].text));
        } else if (strcmp(name, "predicted") == 0 || strcmp(name, "confidence") == 0) {
            if (!str_to_double(items[i].text, &number))
                return err_set(err, ERR_CONFIG, "%s:%d: %s wants a number", path, items[i].line,
                               name);
            json_object_set_new(idea, name, json_num_of(number));
        } else {
            return err_set(err, ERR_CONFIG,
                           "%s:%d: '%s' is no part of a proposal; there are title, why, refute, "
                           "predicted, confidence, and knobs under [edit]",
                           path, items[i].line, name);
        }
    }
    if (json_array_size(edits) == 0)
        return err_set(err, ERR_CONFIG,
                       "%s changes nothing; name knobs and their new values under [edit]", path);
    if (!json_str(idea, "title", "")[0])
        return err_set(err, ERR_CONFIG, "%s has no title; say in a few words what it is", path);
    return true;
}

static void print_answer(Cmd *c, const PatchedAnswer *a)
{
    if (c->json)
        cmd_print_json(json_pack("{s:o, s:s, s:b, s:o, s:f}", "idea",
                                 a->idea[0] ? json_string(a->idea) : json_null(), "tree", a->tree,
                                 "built", a->says == NULL, "says",
                                 json_text(str_of(a->says ? a->says : "")), "seconds", a->seconds));
    else if (a->idea[0])
        printf("%s: an engine after %.1f s; it is next to be tried\n", a->idea, a->seconds);
}

static bool propose_patch(Cmd *c, Err *err)
{
    Lab lab;
    PatchedAnswer answer;
    const char *file = cmd_value(c, "patch", "");
    PatchedIdea idea = { .author = me(),
                         .title = cmd_value(c, "title", file),
                         .why = cmd_value(c, "why", NULL),
                         .confidence = (double)NAN,
                         .source = cmd_value(c, "source", NULL) };
    if (!file_read_arena(file, c->arena, &idea.diff, err) ||
        !cmd_number(c, "predicted", (double)NAN, -10, 10, &idea.predicted, err) ||
        !lab_open(&lab, c->lab, LEDGER_WRITE, c->arena, err))
        return false;
    bool ok = patched_propose(&lab, &idea, &answer, err);
    lab_close(&lab);
    if (!ok) return false;
    print_answer(c, &answer);
    return answer.idea[0] || err_set(err, ERR_FORMAT, "the patch was not taken:\n%s", answer.says);
}

static bool run_propose(Cmd *c, Err *err)
{
    if (cmd_has(c, "patch")) return propose_patch(c, err);
    if (c->n_args == 0)
        return err_set(err, ERR_CONFIG, "name a FILE, or a patch with --patch FILE");
    Lab lab;
    Recipe check;
    Str text;
    const char *from;
    char id[24];
    if (!file_read_arena(c->arg[0], c->arena, &text, err) ||
        !lab_open(&lab, c->lab, LEDGER_WRITE, c->arena, err) ||
        !lab_champion(&lab, &check, &from, err))
        return false;
    json_t *idea = json_pack("{s:s}", "author", me());
    if (!read_idea(c->arg[0], text, &check, c->arena, idea, err)) {
        json_decref(idea);
        return false;
    }
    if (!idea_enter(&lab, idea, id, err)) return false;
    if (c->json)
        cmd_print_json(json_pack("{s:s}", "idea", id));
    else
        printf("%s is next to be tried%s\n", id,
               worker_alive(lab.dir) ? "" : " when `lathe research` runs");
    lab_close(&lab);
    return true;
}

/* ---- note, veto ---- */

static bool run_note(Cmd *c, Err *err)
{
    Lab lab;
    Buf text = { 0 };
    for (int i = 0; i < c->n_args; i++) buf_printf(&text, "%s%s", i ? " " : "", c->arg[i]);
    json_t *words = json_text(buf_view(&text));
    buf_free(&text);
    if (!lab_open(&lab, c->lab, LEDGER_WRITE, c->arena, err)) {
        json_decref(words);
        return false;
    }
    bool ok = ledger_append(lab.ledger, "note", NULL,
                            json_pack("{s:s, s:o}", "author", me(), "text", words), err);
    lab_close(&lab);
    return ok;
}

static bool run_veto(Cmd *c, Err *err)
{
    Lab lab;
    History h;
    const char *id = c->arg[0];
    if (!lab_open(&lab, c->lab, LEDGER_WRITE, c->arena, err) || !history_open(&h, &lab, err))
        return false;
    const HistExp *x = history_exp(&h, id);
    if (!x)
        return err_set(
            err, ERR_CONFIG,
            "the open question has no experiment %s; `lathe log --kind proposal` lists them", id);
    if (x->decision != EXP_OPEN)
        return err_set(err, ERR_CONFIG,
                       "%s is decided already; propose its opposite to have it taken back", id);
    bool ok =
        ledger_append(lab.ledger, "veto", id,
                      json_pack("{s:s, s:s, s:o}", "target", id, "author", me(), "reason",
                                json_text(str_of(cmd_value(c, "reason", "a person said no")))),
                      err);
    if (ok) printf("%s is out; the run that is going on for it is finished first\n", id);
    history_close(&h);
    lab_close(&lab);
    return ok;
}

static const CmdOpt propose_opts[] = {
    { "patch", 0, "FILE", "a change of the engine instead of a proposal of knobs" },
    { "title", 0, "TEXT", "what the patch is, in a few words" },
    { "why", 0, "TEXT", "why it should help" },
    { "predicted", 0, "BPB", "the gain that you predict, in bits per byte" },
    { "source", 0, "DIR", "Lathe's repository, where this program was not built in it" },
    { 0 },
};
static const CmdOpt veto_opts[] = { { "reason", 0, "TEXT", "why, for the record" }, { 0 } };

const CmdDef cmd_propose = {
    .name = "propose",
    .args = "[FILE]",
    .doc = "hand in a proposal; it is tried before the researcher is asked again",
    .more =
        "FILE is TOML: title, and if you like why, refute, predicted (gain in bits per byte) and "
        "confidence (0 to 1); the change itself as knobs under [edit]:\n\n"
        "    title = \"a faster embedding\"\n    predicted = 0.01\n    [edit]\n    "
        "optim.embed_mult = 3\n\n"
        "It is judged like any other: the rule does not know who proposed.\n\n"
        "With --patch it is a change of the program itself: a unified diff of src/model/, "
        "src/optim/, new files in src/tensor/op/ and their lists. It is built, trained and judged "
        "behind walls (`lathe sandbox`), and kept as a commit in LAB/code/repo if the rule says "
        "so. Its question's budget is in tokens.",
    .opts = propose_opts,
    .max_args = 1,
    .needs_lab = true,
    .json = true,
    .run = run_propose,
};
const CmdDef cmd_note = {
    .name = "note",
    .args = "TEXT...",
    .doc = "write a remark into the ledger",
    .min_args = 1,
    .max_args = -1,
    .needs_lab = true,
    .run = run_note,
};
const CmdDef cmd_veto = {
    .name = "veto",
    .args = "ID",
    .doc = "take an open experiment out of the session",
    .more =
        "ID is an experiment that is not decided yet, such as e7; `lathe status` says which one "
        "is tried.",
    .opts = veto_opts,
    .min_args = 1,
    .max_args = 1,
    .needs_lab = true,
    .run = run_veto,
};
