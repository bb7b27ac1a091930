/* cmd_report.c - the page for people, made again from the ledger. */
#include <stdio.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "lab/lab.h"
#include "lab/report.h"

static const CmdOpt opts[] = {
    { "output", 'o', "FILE", "write the page there (LAB/reports/report.html)" },
    { 0 },
};

static bool run(Cmd *c, Err *err)
{
    Lab lab;
    if (!lab_open(&lab, c->lab, LEDGER_READ, c->arena, err)) return false;
    const char *path = cmd_value(c, "output", NULL);
    bool ok = path || file_make_dirs(lab_path(&lab, "reports"), err);
    if (!path) path = lab_path(&lab, "reports/report.html");
    ok = ok && report_write(lab.ledger, c->lab, path, err);
    lab_close(&lab);
    if (ok && c->json)
        cmd_print_json(json_pack("{s:s}", "report", path));
    else if (ok)
        printf("%s\n", path);
    return ok;
}

const CmdDef cmd_report = {
    .name = "report",
    .args = "",
    .doc = "write the report of the newest session: one HTML page",
    .more =
        "The page needs no network and holds no training text: numbers, recipes, plots and what "
        "the researchers said. It is made from the ledger alone and can be made at any time, "
        "also while a session is running.",
    .opts = opts,
    .json = true,
    .needs_lab = true,
    .run = run,
};
