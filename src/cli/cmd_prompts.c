/* cmd_prompts.c - `lathe prompts`: what a language model is told, to read and to edit. */
#include <stdio.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "lab/lab.h"
#include "lab/role.h"

static bool print_role(Cmd *c, const RoleDef *role, Err *err)
{
    Buf text = { 0 };
    bool edited = false, ok = role_text(c->lab, role, &text, &edited, err);
    if (ok) printf("%s", text.at);
    buf_free(&text);
    return ok;
}

static bool list(Cmd *c)
{
    int n;
    const RoleDef *roles = role_all(&n);
    for (int i = 0; i < n; i++) {
        char *path = arena_printf(c->arena, "%s/prompts/%s.md", c->lab, roles[i].name);
        printf("%-8s  %s%s\n", roles[i].name, roles[i].doc,
               file_exists(path) ? " (edited: prompts/)" : "");
    }
    return true;
}

/* What is there already was edited, and stays. */
static bool write_all(Cmd *c, Err *err)
{
    int n;
    const RoleDef *roles = role_all(&n);
    if (!file_make_dirs(arena_printf(c->arena, "%s/prompts", c->lab), err)) return false;
    for (int i = 0; i < n; i++) {
        char *path = arena_printf(c->arena, "%s/prompts/%s.md", c->lab, roles[i].name);
        if (file_exists(path)) continue;
        if (!file_write_whole(path, str_of(roles[i].text), err)) return false;
        printf("%s\n", path);
    }
    return true;
}

static bool run(Cmd *c, Err *err)
{
    if (cmd_has(c, "write")) return write_all(c, err);
    if (c->n_args == 0) return list(c);
    const RoleDef *role = role_find(c->arg[0]);
    if (!role)
        return err_set(err, ERR_CONFIG, "no role is called %s; `lathe prompts` lists them",
                       c->arg[0]);
    return print_role(c, role, err);
}

static const CmdOpt opts[] = {
    { "write", 0, NULL, "write each into the lab's folder prompts/, to be edited there" },
    { 0 },
};

const CmdDef cmd_prompts = {
    .name = "prompts",
    .args = "[ROLE]",
    .doc = "what a language model in the lab is told",
    .more = "The roles of a language model: planner, analyst, skeptic, writer. A file "
            "prompts/ROLE.md in the lab's folder goes before the text that is built in; the rules "
            "in front of it stay.",
    .opts = opts,
    .max_args = 1,
    .needs_lab = true,
    .run = run,
};
