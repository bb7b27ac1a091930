/* cmd_init.c - `lathe init`: a folder becomes a lab. */
#include <stdio.h>

#include "cli/cmd.h"
#include "lab/lab.h"

static bool run(Cmd *c, Err *err)
{
    const char *dir = c->n_args > 0 ? c->arg[0] : ".";
    if (!lab_init(dir, err)) return false;
    printf("made a lab in %s\n", dir);
    fprintf(stderr,
            "next: lathe%s%s data add NAME FILES... (or: data synth NAME), then lathe research "
            "--hours 1\n",
            c->n_args > 0 ? " -C " : "", c->n_args > 0 ? dir : "");
    return true;
}

const CmdDef cmd_init = {
    .name = "init",
    .args = "[DIR]",
    .doc = "make a lab: a folder with a ledger, in which all other commands run, like git",
    .max_args = 1,
    .run = run,
};
