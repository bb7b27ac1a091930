/* cmd_show.c - one thing of the lab, or all of it at a glance. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "cli/show.h"
#include "lab/entry_text.h"

static const ShowDef *const defs[] = { &show_run,       &show_experiment, &show_claim,
                                       &show_question,  &show_session,    &show_idea,
                                       &show_generation };

bool show_body(Lab *lab, const char *kind, const char *id, json_t **body, Err *err)
{
    if (!ledger_last(lab->ledger, kind, id, body, err)) return false;
    if (*body) return true;
    return err_set(err, ERR_CONFIG,
                   "there is no %s %s in this lab; `lathe log --kind %s` lists them", kind, id,
                   kind);
}

bool show_rows(Lab *lab, json_t *doc, const char *key, Err *err, const char *sql, ...)
{
    char text[1200];
    va_list ap;
    va_start(ap, sql);
    int n = vsnprintf(text, sizeof(text), sql, ap);
    va_end(ap);
    CHECK(n < (int)sizeof(text), "a query of %d bytes", n);
    json_t *rows = NULL;
    if (!ledger_query(lab->ledger, text, 100000, &rows, err)) return false;
    json_object_set_new(doc, key, rows);
    return true;
}

void show_print_text(const char *label, const char *text)
{
    if (!text[0]) return;
    Buf b = { 0 };
    buf_printf(&b, "%-10s %s", label, text);
    entry_text_plain(&b);
    printf("%s\n", b.at);
    buf_free(&b);
}

void show_print_experiments(const json_t *rows)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        Buf b = { 0 };
        buf_printf(&b, "%-5s %-10s ", json_str(row, "experiment", ""),
                   json_str(row, "verdict", ""));
        const char *key = strcmp(json_str(row, "verdict", ""), "keep") == 0 ? "effect" : "measured";
        if (json_is_number(json_object_get(row, key)))
            buf_printf(&b, "%+8.4f (%+.4f to %+.4f)  ", json_num(row, key, 0),
                       json_num(row, "low", 0), json_num(row, "high", 0));
        buf_str(&b, str_of(json_str(row, "title", "")));
        entry_text_plain(&b);
        printf("%s\n", b.at);
        buf_free(&b);
    }
}

/* ---- which ---- */

static bool champion_id(Lab *lab, Arena *arena, const char **id, Err *err)
{
    Recipe recipe;
    const char *from;
    if (!file_exists(lab_path(lab, "recipes/champion.toml")))
        return err_set(err, ERR_CONFIG, "this lab has no champion yet; `lathe research` makes one");
    if (!lab_champion(lab, &recipe, &from, err)) return false;
    *id = arena_str(arena, str_of(recipe.sha256));
    return true;
}

static bool is_id(const char *s)
{
    size_t digits = s[0] ? strspn(s + 1, "0123456789") : 0;
    return digits > 0 && digits < 15 && s[1 + digits] == 0;
}

static bool is_hash(const char *s)
{
    size_t n = strspn(s, "0123456789abcdef");
    return n >= 6 && n <= 64 && s[n] == 0;
}

static const ShowDef *which(const char *id, Err *err)
{
    for (int i = 0; is_id(id) && i < COUNT(defs); i++)
        if (defs[i]->prefix == id[0]) return defs[i];
    if (is_hash(id)) return &show_recipe;
    err_set(err, ERR_CONFIG,
            "\"%.40s\" names nothing: r12 is a run, e7 an experiment, c3 a claim, p2 an idea, q1 a "
            "question, "
            "s1 a session, six or more digits of a hash a recipe, champion the best one",
            id);
    return NULL;
}

static bool run(Cmd *c, Err *err)
{
    Lab lab;
    const char *id = c->n_args ? c->arg[0] : "";
    bool best = strcmp(id, "champion") == 0;
    const ShowDef *def = best ? &show_recipe : c->n_args ? which(id, err) : &show_lab;
    if (!def || !lab_open(&lab, c->lab, LEDGER_READ, c->arena, err)) return false;
    json_t *doc = NULL;
    bool ok = (!best || champion_id(&lab, c->arena, &id, err)) && def->gather(&lab, id, &doc, err);
    lab_close(&lab);
    if (!ok) return false;
    if (c->json) {
        cmd_print_json(doc);
        return true;
    }
    def->print(doc, *c->arena);
    json_decref(doc);
    return true;
}

const CmdDef cmd_show = {
    .name = "show",
    .args = "[ID]",
    .doc = "one run, experiment, claim, idea, question, session or recipe; without ID the lab",
    .more =
        "Ids say what they are: r12 a run (with its curve), e7 an experiment (with its evidence), "
        "c3 a claim, p2 an idea and what became of it, q1 a question, s1 a session, g1 a "
        "generation; six or more "
        "digits of a hash name a recipe, and "
        "champion is the best one.",
    .max_args = 1,
    .needs_lab = true,
    .json = true,
    .run = run,
};
