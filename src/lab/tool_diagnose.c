/* tool_diagnose.c - the doctor's findings of a run, without its curves. */
#include "lab/diagnose.h"
#include "lab/tool_private.h"

static bool diagnose(ToolCall *c, json_t **out, Err *err)
{
    const char *run = json_str(c->args, "run", "");
    Chart chart;
    bool ok = lab_chart(c->lab, run, &chart, err);
    if (ok) *out = diagnose_json(run, &chart, false);
    chart_free(&chart);
    return ok;
}

static const ToolArg args[] = {
    ARG_NEED("run", 24, "a run, such as r12"),
    ARG_END,
};

const ToolDef tool_diagnose = {
    .name = "diagnose",
    .doc = "What is wrong with a run: findings with evidence, first step, causes in order of "
           "likelihood, a remedy as a recipe edit, and the experiment that would settle it",
    .args = args,
    .call = diagnose,
};
