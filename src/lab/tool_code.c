/* tool_code.c - the open part of the champion's source, and patches of it.
 *
 * The tool `source` shows what this program was built from; once a patch was kept the champion's
 * engine is another, and that is what the next patch has to fit.  A patch is built and checked
 * before the call returns: what the compiler or a test says is the answer, and costs no experiment.
 */
#include <string.h>

#include "lab/apart.h"
#include "lab/patched.h"
#include "lab/tool_private.h"

enum { DIFF_MAX = 60000, TEXT_MAX = 24000 };

static bool champion_source(ToolCall *c, Source *s, const char **tree, Err *err)
{
    History h;
    Recipe r;
    const char *from, *code;
    if (!history_open(&h, c->lab, err)) return false;
    bool ok = h.question[0] ? lab_recipe(c->lab, h.champion, &r, err)
                            : lab_champion(c->lab, &r, &from, err);
    history_close(&h);
    if (!ok || !source_open(s, c->lab->dir, NULL, apart_self(c->lab->arena), c->lab->arena, err))
        return false;
    code = apart_code(&r);
    *tree = code ? code : s->head;
    return true;
}

static bool code(ToolCall *c, json_t **out, Err *err)
{
    Source s;
    const char *tree, *file = json_str(c->args, "file", "");
    Buf text = { 0 };
    if (!champion_source(c, &s, &tree, err)) return false;
    bool made = strncmp(file, "src/tensor/op/", 14) == 0; /* old ones are read, not edited */
    if (file[0] && !patch_open(file, made))
        return err_set(err, ERR_CONFIG, "%s is not in the open part; without a file I list it",
                       file);
    bool ok = source_read(&s, tree, file[0] ? file : NULL, &text, err);
    if (ok)
        *out = json_pack("{s:s, s:s, s:o}", "tree", tree, "file", file, "text",
                         tool_cut(text.at ? text.at : "", TEXT_MAX));
    buf_free(&text);
    return ok;
}

static const ToolArg code_args[] = {
    ARG_TEXT("file", 120, "such as src/model/model.c; without it, the open files are listed"),
    ARG_END,
};

const ToolDef tool_code = {
    .name = "code",
    .doc = "Read the open part of the champion's source, which propose_patch may change: "
           "src/model/, src/optim/, the operations and their lists.",
    .args = code_args,
    .call = code,
};

static bool propose_patch(ToolCall *c, json_t **out, Err *err)
{
    const json_t *a = c->args;
    PatchedAnswer answer;
    PatchedIdea idea = { .diff = str_of(json_str(a, "patch", "")),
                         .author = c->by->author,
                         .title = json_str(a, "title", ""),
                         .why = json_str(a, "why", ""),
                         .refute = json_str(a, "refute", ""),
                         .predicted = json_num(a, "predicted", 0),
                         .confidence = json_num(a, "confidence", 0.5),
                         .counted = true };
    if (!patched_propose(c->lab, &idea, &answer, err)) return false;
    if (answer.says)
        *out =
            json_pack("{s:s, s:o, s:f}", "answer", "not built", "says",
                      tool_fence(str_of(answer.says), "the compiler"), "seconds", answer.seconds);
    else
        *out = json_pack("{s:s, s:s, s:s, s:f}", "answer", "queued", "id", answer.idea, "code",
                         answer.tree, "seconds", answer.seconds);
    return true;
}

static const ToolArg patch_args[] = {
    ARG_NEED("title", 160, "the change in a few words"),
    ARG_NEED("patch", DIFF_MAX, "a unified diff of the champion's source, as `git diff` writes it"),
    ARGS_PREDICTION,
    ARG_END,
};

const ToolDef tool_propose_patch = {
    .name = "propose_patch",
    .doc = "Hand in a change of the engine itself. It is built and checked at once, in a sandbox; "
           "what does not build is answered in the compiler's words. What builds is trained and "
           "judged like any proposal, at arm's length. The question's budget must be in tokens.",
    .args = patch_args,
    .writes = true,
    .call = propose_patch,
};
