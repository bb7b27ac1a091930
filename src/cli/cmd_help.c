/* cmd_help.c - `lathe help` is `lathe`, `lathe help CMD` is `lathe CMD --help`. */
#include <stdio.h>

#include "cli/cmd.h"

static bool run(Cmd *c, Err *err)
{
    Buf text = { 0 };
    int used;
    const CmdDef *def = c->n_args ? cmd_find(c->arg, c->n_args, &used, err) : NULL;
    if (c->n_args && !def) return false;
    if (def)
        cmd_page(def, &text);
    else
        cmd_screen(&text);
    fwrite(text.at, 1, (size_t)text.len, stdout);
    buf_free(&text);
    return true;
}

const CmdDef cmd_help = {
    .name = "help",
    .args = "[CMD]",
    .doc = "what a command does",
    .max_args = 2,
    .run = run,
};
