/* tool_audit.c - what is wrong with the text of a data set. */
#include "data/audit.h"
#include "data/corpus.h"
#include "lab/share.h"
#include "lab/tool_private.h"

enum { AUDIT_MAX = 30 };

/* Examples are text: fenced where a person shares it, else only counted. */
static void guard_examples(json_t *finding, const char *name, bool shared)
{
    json_t *examples = json_object_get(finding, "examples"), *e;
    size_t i;
    if (!shared) {
        json_object_set_new(finding, "examples",
                            json_string("not shown: the text of this data set is not shared"));
        return;
    }
    while (json_array_size(examples) > 2)
        json_array_remove(examples, json_array_size(examples) - 1);
    json_array_foreach(examples, i, e)
    {
        json_t *cut = tool_cut(json_str(e, "text", ""), 400);
        json_t *text = tool_fence(str_of(json_string_value(cut)), name);
        json_object_clear(e);
        json_object_set_new(e, "text", text);
        json_decref(cut);
    }
}

static const char *const kept_keys[] = { "kind",  "source",     "what",     "documents", "bytes",
                                         "share", "confidence", "examples", "remedy" };

static json_t *audit_finding(json_t *f, const char *name, bool shared)
{
    json_t *o = json_object();
    guard_examples(f, name, shared);
    for (ptrdiff_t i = 0; i < COUNT(kept_keys); i++) {
        json_t *v = json_object_get(f, kept_keys[i]);
        if (v) json_object_set(o, kept_keys[i], v);
    }
    return o;
}

/* The audit that is kept, or a new one where there is none or the text has changed. */
static bool data_audit(ToolCall *c, json_t **out, Err *err)
{
    const char *name = json_str(c->args, "name", "");
    json_t *report = NULL, *manifest = NULL, *f;
    Err stale = { 0 };
    AuditJob job = { .lab = c->lab->dir, .name = name };
    bool shared = false;
    if (!corpus_manifest(c->lab->dir, name, &manifest, err)) return false;
    json_decref(manifest);
    if (!share_of(c->lab, name, &shared, err)) return false;
    if (!audit_read(c->lab->dir, name, &report, &stale) && !audit_run(&job, &report, err))
        return false;
    json_t *list = json_array();
    size_t i, n = json_array_size(json_object_get(report, "findings"));
    json_array_foreach(json_object_get(report, "findings"), i, f)
    {
        if (i < AUDIT_MAX) json_array_append_new(list, audit_finding(f, name, shared));
    }
    *out = json_pack("{s:s, s:i, s:o, s:O?}", "name", name, "findings_in_all", (int)n, "findings",
                     list, "quiet", json_object_get(report, "quiet"));
    json_decref(report);
    return true;
}

static const ToolArg audit_args[] = { ARG_NEED("name", 100, "of a data set"), ARG_END };

const ToolDef tool_data_audit = {
    .name = "data_audit",
    .doc = "What is wrong with the text of a data set: findings with extent and confidence, and a "
           "remedy whose edit (data.drop) can be proposed like any other. Whether it helps a model "
           "is for an experiment to say.",
    .args = audit_args,
    .call = data_audit,
};
