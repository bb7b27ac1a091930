/* cmd_data_audit.c - `data audit`: what is wrong with a data set, with examples. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "data/audit.h"

static const CmdOpt opts[] = {
    { "against", 0, "FILE", "an evaluation set to look for in the text (may be given again)" },
    { "documents", 0, "FILE", "also write a line of JSON on every document" },
    { 0 },
};

/* ---- for people ---- */

static void print_example(const json_t *e)
{
    const char *text = json_str(e, "text", "");
    bool terminal = isatty(STDOUT_FILENO);
    printf("      document %lld, byte %lld: ", (long long)json_int(e, "document", 0),
           (long long)json_int(e, "offset", 0));
    for (int i = 0; text[i] && i < 150; i++) {
        unsigned char byte = (unsigned char)text[i];
        bool control = byte < 32 || byte == 127;
        if (i >= 140 && (byte & 0xc0) != 0x80) break; /* not in the middle of a character */
        putchar(control ? (terminal || byte == '\n' ? ' ' : byte) : byte);
    }
    putchar('\n');
}

static void print_finding(const json_t *f, size_t number)
{
    char documents[32], bytes[32];
    const json_t *remedy = json_object_get(f, "remedy"), *e;
    const char *edit = json_str(json_object_get(remedy, "edit"), "data.drop", NULL);
    const char *author = json_str(f, "author", "audit");
    size_t i;
    printf("\n%zu. %s: %s documents, %s (%.2g %%), confidence %.2f%s%s\n", number,
           json_str(f, "kind", "?"), str_count(documents, json_num(f, "documents", 0)),
           str_bytes(bytes, json_num(f, "bytes", 0)), 100 * json_num(f, "share", 0),
           json_num(f, "confidence", 0), strcmp(author, "audit") ? ", by " : "",
           strcmp(author, "audit") ? author : "");
    printf("   %s\n", json_str(f, "what", ""));
    json_array_foreach(json_object_get(f, "examples"), i, e) print_example(e);
    printf("   remedy: %s", json_str(remedy, "text", ""));
    if (edit) printf("; -s data.drop=%s", edit);
    putchar('\n');
}

static void print_report(const json_t *report)
{
    char documents[32], bytes[32];
    const json_t *findings = json_object_get(report, "findings"), *one;
    size_t i;
    printf("%s: %s documents, %s of training text; %zu findings, the heaviest first\n",
           json_str(report, "name", ""), str_count(documents, json_num(report, "documents", 0)),
           str_bytes(bytes, json_num(report, "bytes", 0)), json_array_size(findings));
    json_array_foreach(findings, i, one) print_finding(one, i + 1);
    printf("\nnothing found of:");
    json_array_foreach(json_object_get(report, "quiet"), i, one)
        printf("%s %s", i ? "," : "", json_string_value(one));
    printf("\n");
}

static bool run(Cmd *c, Err *err)
{
    const char **against = NEW(c->arena, const char *, c->n_opts + 1);
    int n = 0;
    for (const char *file; (file = cmd_nth(c, "against", n)) != NULL;) against[n++] = file;
    AuditJob job = { .lab = c->lab,
                     .name = c->arg[0],
                     .against = against,
                     .n_against = n,
                     .documents = cmd_value(c, "documents", NULL) };
    json_t *report;
    if (!audit_run(&job, &report, err)) return false;
    if (c->json) {
        cmd_print_json(report);
        return true;
    }
    print_report(report);
    json_decref(report);
    return true;
}

const CmdDef cmd_data_audit = {
    .name = "data audit",
    .args = "NAME",
    .doc = "what is wrong with a data set, with examples, remedies and experiments",
    .more = "Reads all of the training text and ranks what it finds by the bytes that it is sure "
            "of. A remedy is a list beside the data set, which a recipe names: -s data.drop=...",
    .opts = opts,
    .min_args = 1,
    .max_args = 1,
    .needs_lab = true,
    .json = true,
    .run = run,
};
