/* cmd_data_audit.c - `data audit`: what is wrong with a data set, with examples; and `--settle`:
 * whether it matters. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cmd.h"
#include "data/audit.h"
#include "lab/settle.h"

static const CmdOpt opts[] = {
    { "against", 0, "FILE", "an evaluation set to look for in the text (may be given again)" },
    { "tokenizer", 0, "FILE", "a tokenizer whose use of the text is looked at" },
    { "scores", 0, "RUN", "a model whose losses (`lathe data score`) are looked at" },
    { "documents", 0, "FILE", "also write a line of JSON on every document" },
    { "add", 0, "FILE", "findings of somebody else, as JSON; what they point to must exist" },
    { "author", 0, "WHO", "whose findings --add brings (person)" },
    { "settle", 0, "K", "train with and without the K heaviest findings, and write verdicts" },
    { "domain", 0, "NAME", "a data set whose held-out text judges (may be given again)" },
    { "recipe", 0, "FILE", "to train by; without it the champion, or the plain default" },
    { "set", 's', "KNOB=VALUE", "a knob that differs from the recipe; may be repeated" },
    { "threads", 0, "N", "0: all cores (0); the result does not depend on it" },
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
    const char *knob;
    json_t *value;
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
    json_object_foreach(json_object_get(remedy, "edit"), knob, value)
        printf("; -s '%s=%s'", knob, json_string_value(value));
    putchar('\n');
}

static void print_report(const json_t *report)
{
    char documents[32], bytes[32];
    const json_t *findings = json_object_get(report, "findings");
    json_t *one;
    const char *kind;
    size_t i;
    printf("%s: %s documents, %s of training text; %zu findings, the heaviest first\n",
           json_str(report, "name", ""), str_count(documents, json_num(report, "documents", 0)),
           str_bytes(bytes, json_num(report, "bytes", 0)), json_array_size(findings));
    json_array_foreach(findings, i, one) print_finding(one, i + 1);
    printf("\nnothing found of:");
    json_array_foreach(json_object_get(report, "quiet"), i, one)
        printf("%s %s", i ? "," : "", json_string_value(one));
    printf("\n");
    json_object_foreach(json_object_get(report, "not_asked"), kind, one)
        printf("not asked: %s, %s\n", kind, json_string_value(one));
}

/* ---- the experiment ---- */

static void say(void *self, const char *sentence)
{
    (void)self;
    fprintf(stderr, "%s\n", sentence);
}

static bool stop(void *self)
{
    (void)self;
    return stop_asked();
}

static bool reads(const Recipe *r, const char *name)
{
    Str rest = str_of(knobs_text(&r->knobs, "data.sources")), item, word;
    while (rest.len > 0 && str_cut(&rest, ',', &item))
        if (str_cut(&item, ':', &word) && str_eq(str_trim(word), str_of(name))) return true;
    return false;
}

/* The recipe to train by; it reads the data set, alone unless it says otherwise. */
static bool settle_recipe(Cmd *c, Lab *lab, Recipe *r, Err *err)
{
    const char *from = cmd_value(c, "recipe", NULL);
    if (from ? !recipe_read(r, from, c->arena, err) : !lab_champion(lab, r, &from, err))
        return false;
    if (!recipe_ours(r, "an experiment that settles a finding", err)) return false;
    for (int i = 0; cmd_nth(c, "set", i); i++)
        if (!recipe_override(r, cmd_nth(c, "set", i), "-s", err)) return false;
    if (!reads(r, c->arg[0]) &&
        !knobs_set(&r->knobs, "data.sources", str_of(c->arg[0]), "the audit", err))
        return false;
    recipe_seal(r);
    return recipe_check(r, err);
}

static void print_settled(const json_t *b)
{
    const json_t *d;
    size_t i;
    bool keep = strcmp(json_str(b, "decision", ""), "keep") == 0;
    printf("%s  %s: %s, %s %.4f bits per byte (%.4f to %.4f), P %.3f\n", json_str(b, "id", ""),
           json_str(b, "kind", ""), json_str(b, "decision", ""), keep ? "gain" : "measured",
           json_num(b, keep ? "effect" : "D", (double)NAN), json_num(b, "low", (double)NAN),
           json_num(b, "high", (double)NAN), json_num(b, "P", (double)NAN));
    printf("    %s\n", json_str(b, "why", ""));
    printf(
        "    without %lld tokens of what was found, against %lld at random; %lld and %lld runs\n",
        (long long)json_int(b, "remedy_tokens", 0), (long long)json_int(b, "control_tokens", 0),
        (long long)json_int(b, "n", 0), (long long)json_int(b, "m", 0));
    json_array_foreach(json_object_get(b, "domains"), i, d)
        printf("    %-20s %+.4f (%+.4f to %+.4f)\n", json_str(d, "name", ""),
               json_num(d, "gain", (double)NAN), json_num(d, "low", (double)NAN),
               json_num(d, "high", (double)NAN));
    if (keep) printf("    the remedy, for a recipe: %s\n", json_str(b, "remedy_list", ""));
}

static bool settle_all(Cmd *c, Lab *lab, const json_t *report, int k, json_t *out, Err *err)
{
    Recipe recipe;
    const char *domain[MIXTURE_MAX];
    double threads;
    int n = 0, settled = 0;
    while (n < MIXTURE_MAX && cmd_nth(c, "domain", n)) domain[n] = cmd_nth(c, "domain", n), n++;
    if (!cmd_number(c, "threads", 0, 0, 4096, &threads, err) ||
        !settle_recipe(c, lab, &recipe, err) ||
        (n == 0 && !settle_domains(lab, c->arg[0], domain, &n, err)))
        return false;
    if (n == 1 && strcmp(domain[0], c->arg[0]) == 0)
        fprintf(stderr,
                "the lab has no other data set to judge by: what is found stands in the "
                "held-out text of %s too\n",
                c->arg[0]);
    const json_t *findings = json_object_get(report, "findings"), *finding;
    size_t i;
    json_array_foreach(findings, i, finding)
    {
        json_t *one = NULL;
        SettleOpt opt = {
            c->arg[0], finding, &recipe,      domain,
            n,         k,       (int)threads, { .run = { .stop = stop }, .say = say }
        };
        if (settled == k) break;
        if (!json_object_get(json_object_get(finding, "remedy"), "edit")) continue;
        if (!settle_finding(lab, &opt, &one, err)) return false;
        if (!c->json) print_settled(one);
        fflush(stdout);
        json_array_append_new(out, one);
        settled++;
    }
    if (settled == 0)
        return err_set(err, ERR_CONFIG, "nothing was found in %s that an edit would remedy",
                       c->arg[0]);
    return true;
}

static bool run_settle(Cmd *c, const json_t *report, double k, Err *err)
{
    Lab lab;
    json_t *out = json_array();
    if (!lab_open(&lab, c->lab, LEDGER_WRITE, c->arena, err)) {
        json_decref(out);
        return false;
    }
    bool ok = settle_all(c, &lab, report, (int)k, out, err);
    lab_close(&lab);
    if (ok && c->json) cmd_print_json(json_pack("{s:s,s:O}", "name", c->arg[0], "settled", out));
    json_decref(out);
    return ok;
}

/* ---- findings of others ---- */

static bool run_add(Cmd *c, const char *path, Err *err)
{
    int added = 0;
    json_t *findings = json_read_file(path, err);
    bool ok = findings &&
              audit_add(c->lab, c->arg[0], findings, cmd_value(c, "author", "person"), &added, err);
    json_decref(findings);
    if (!ok) return err_wrap(err, "%s", path);
    if (c->json)
        cmd_print_json(json_pack("{s:s,s:i}", "name", c->arg[0], "added", added));
    else
        printf("%d findings added; `lathe data audit %s --settle K` tries them\n", added,
               c->arg[0]);
    return true;
}

/* ---- the audit ---- */

static bool audit(Cmd *c, json_t **report, Err *err)
{
    const char **against = NEW(c->arena, const char *, c->n_opts + 1);
    int n = 0;
    for (const char *file; (file = cmd_nth(c, "against", n)) != NULL;) against[n++] = file;
    const char *tokenizer = cmd_value(c, "tokenizer", NULL), *run = cmd_value(c, "scores", NULL);
    const Tokenizer *t = tokenizer ? tokenizer_load(tokenizer, c->arena, err) : NULL;
    if (tokenizer && !t) return false;
    AuditJob job = { .lab = c->lab,
                     .name = c->arg[0],
                     .against = against,
                     .n_against = n,
                     .tokenizer = t,
                     .scores = run ? arena_printf(c->arena, "%s/data/%s/scores/%s.bin", c->lab,
                                                  c->arg[0], run)
                                   : NULL,
                     .documents = cmd_value(c, "documents", NULL) };
    return audit_run(&job, report, err);
}

static bool run(Cmd *c, Err *err)
{
    json_t *report = NULL;
    double k;
    Err stale = { 0 };
    if (cmd_value(c, "add", NULL)) return run_add(c, cmd_value(c, "add", NULL), err);
    if (!cmd_number(c, "settle", 0, 0, 100, &k, err)) return false;
    /* An experiment goes on with the audit that it began with, if the text is still the same. */
    bool ok = (k > 0 && audit_read(c->lab, c->arg[0], &report, &stale)) || audit(c, &report, err);
    if (ok && k > 0)
        ok = run_settle(c, report, k, err);
    else if (ok && c->json)
        cmd_print_json(json_incref(report));
    else if (ok)
        print_report(report);
    json_decref(report);
    return ok;
}

const CmdDef cmd_data_audit = {
    .name = "data audit",
    .args = "NAME",
    .doc = "what is wrong with a data set, with examples, remedies and experiments",
    .more = "Reads all of the training text and ranks what it finds by the bytes that it is sure "
            "of. A remedy is a list beside the data set, which a recipe names: -s data.drop=... "
            "With --settle the remedy trains against a removal of as many tokens drawn at random, "
            "on the same seeds, judged on the held-out text of the lab's other data sets; the "
            "verdict is by the rule of research and stands in the ledger. Ctrl-C stops, and the "
            "same command goes on.",
    .opts = opts,
    .min_args = 1,
    .max_args = 1,
    .needs_lab = true,
    .json = true,
    .run = run,
};
