/* cmd_share.c - `lathe share`: what a model that is not of this machine may be shown. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "lab/share.h"

static bool print(Cmd *c, Lab *lab, Err *err)
{
    Buf words = { 0 };
    bool ok = share_words(lab, &words, err);
    if (ok && c->json)
        cmd_print_json(json_pack("{s:o}", "shown", json_text(buf_view(&words))));
    else if (ok)
        printf("a model that is not of this machine is shown %s\n", words.at);
    buf_free(&words);
    return ok;
}

static bool run(Cmd *c, Err *err)
{
    Lab lab;
    const char *what = c->n_args > 1 ? c->arg[1] : "", *me = getlogin();
    bool samples = strcmp(what, "samples") == 0, set = c->n_args == 2;
    if (c->n_args == 1 || (set && !samples && strcmp(what, "stats") != 0))
        return err_set(err, ERR_CONFIG,
                       "behind the data set stands samples (its text may be shown) or stats "
                       "(numbers only)");
    if (!lab_open(&lab, c->lab, set ? LEDGER_WRITE : LEDGER_READ, c->arena, err)) return false;
    bool ok = !set || share_set(&lab, c->arg[0], samples, me ? me : "person", err);
    ok = ok && print(c, &lab, err);
    lab_close(&lab);
    return ok;
}

const CmdDef cmd_share = {
    .name = "share",
    .args = "[NAME samples|stats]",
    .doc = "what a model elsewhere may be shown of a data set",
    .more = "A researcher that is a language model behind an API, or an agent over MCP, is shown "
            "numbers, recipes, findings and what people wrote into the ledger. Documents of a data "
            "set leave this machine only after `lathe share NAME samples`, and no longer after "
            "`lathe share NAME stats`. Without a name it says how things stand.",
    .max_args = 2,
    .needs_lab = true,
    .json = true,
    .run = run,
};
