/* cmd_log.c - what happened in the lab, in order; and whether the ledger is what was written.
 *
 * The last entries are found by walking the ledger once and keeping the newest; a lab's ledger
 * has thousands of entries, and one that pages forward can be read while others append. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cmd.h"
#include "lab/credit.h"
#include "lab/entry_text.h"
#include "lab/lab.h"
#include "lab/people.h"

static const CmdOpt opts[] = {
    { "n", 'n', "N", "show the last N entries (20; 0: all)" },
    { "kind", 0, "K", "only entries of this kind (run, result, proposal, verdict, note...)" },
    { "people", 0, NULL, "what people said and what came of it, instead" },
    { "researchers", 0, NULL, "who proposed what came of it, and what it cost, instead" },
    { "verify", 0, NULL, "check pages, chain of hashes and curves instead" },
    { 0 },
};

typedef struct Tail {
    json_t *entries;
    size_t most; /* 0: all */
} Tail;

static bool keep_entry(void *self, const Entry *e)
{
    Tail *t = self;
    json_t *entry = json_pack("{s:I, s:s, s:s, s:f, s:O, s:s}", "seq", (json_int_t)e->seq, "kind",
                              e->kind, "id", e->id, "at", e->at, "body", e->body, "hash", e->hash);
    json_array_append_new(t->entries, entry);
    if (t->most && json_array_size(t->entries) > t->most) json_array_remove(t->entries, 0);
    return true;
}

static void print_entry(const json_t *e)
{
    enum { WIDTH = 140 };
    char date[32];
    Buf line = { 0 };
    const char *kind = json_str(e, "kind", ""), *id = json_str(e, "id", "");
    entry_text(kind, json_object_get(e, "body"), &line);
    entry_text_plain(&line);
    ptrdiff_t shown = MIN(line.len, WIDTH);
    while (shown > 0 && shown < line.len && ((unsigned char)line.at[shown] & 0xc0) == 0x80) shown--;
    printf("%6lld  %s  %-11s %-10.10s %.*s%s\n", (long long)json_int(e, "seq", 0),
           clock_stamp(date, json_num(e, "at", 0)), kind, id, (int)shown, line.at ? line.at : "",
           shown < line.len ? "..." : "");
    buf_free(&line);
}

static bool last_hash(void *self, const Entry *e)
{
    snprintf(self, 65, "%s", e->hash);
    return true;
}

static bool verify(Cmd *c, Lab *lab, Err *err)
{
    char hash[65] = "";
    int64_t entries = ledger_seq(lab->ledger), results = ledger_count(lab->ledger, "result");
    if (!ledger_verify(lab->ledger, err) ||
        !ledger_each(lab->ledger, NULL, MAX(0, entries - 1), last_hash, hash, err))
        return false;
    if (c->json)
        cmd_print_json(json_pack("{s:b, s:I, s:I, s:s}", "whole", 1, "entries", (json_int_t)entries,
                                 "results", (json_int_t)results, "hash", hash));
    else
        printf("the ledger is whole: %lld entries, %lld results; last hash %s\n",
               (long long)entries, (long long)results, hash);
    return true;
}

static bool list(Cmd *c, Lab *lab, Err *err)
{
    double n = 0;
    if (!cmd_number(c, "n", 20, 0, 1e9, &n, err)) return false;
    Tail t = { json_array(), (size_t)n };
    const char *kind = cmd_value(c, "kind", NULL);
    if (!ledger_each(lab->ledger, kind, 0, keep_entry, &t, err)) {
        json_decref(t.entries);
        return false;
    }
    if (c->json) {
        cmd_print_json(t.entries);
        return true;
    }
    size_t count = json_array_size(t.entries);
    for (size_t i = 0; i < count; i++) print_entry(json_array_get(t.entries, i));
    if (count == 0) printf("nothing yet%s%s\n", kind ? " of kind " : "", kind ? kind : "");
    json_decref(t.entries);
    return true;
}

/* A number that does not exist or is not known is a dash. */
static void print_cell(const json_t *row, const char *key, int width, int digits)
{
    double x = json_num(row, key, (double)NAN);
    if (isfinite(x))
        printf(" %*.*f", width, digits, x);
    else
        printf(" %*s", width, "-");
}

static bool people(Cmd *c, Lab *lab, Err *err)
{
    json_t *said = NULL, *w;
    size_t i;
    if (!people_said(lab, &said, err)) return false;
    if (c->json) {
        cmd_print_json(json_pack("{s:o}", "people", said));
        return true;
    }
    json_array_foreach(said, i, w)
    {
        Buf line = { 0 };
        bool goal = strcmp(json_str(w, "kind", ""), "session") == 0;
        buf_printf(&line, "%-8s %s%s%s", goal ? "goal" : json_str(w, "kind", ""),
                   goal ? "" : json_str(w, "author", ""), goal ? "" : ": ",
                   json_str(w, "text", ""));
        entry_text_plain(&line);
        printf("%s\n         -> %s\n", line.at, json_str(w, "effect", ""));
        buf_free(&line);
    }
    if (i == 0) printf("nobody said anything yet: `lathe note`, `propose`, `veto`, `pause`\n");
    json_decref(said);
    return true;
}

static bool researchers(Cmd *c, Lab *lab, Err *err)
{
    json_t *rows = NULL, *row;
    size_t i;
    if (!credit(lab, &rows, err)) return false;
    if (c->json) {
        cmd_print_json(json_pack("{s:o}", "researchers", rows));
        return true;
    }
    printf("%-32s tried  kept     gain  brier     bias  seconds/gain      tokens   $/gain\n", "");
    json_array_foreach(rows, i, row)
    {
        printf("%-32.32s", json_str(row, "author", ""));
        print_cell(row, "decided", 5, 0);
        print_cell(row, "kept", 5, 0);
        print_cell(row, "gain", 8, 4);
        print_cell(row, "brier", 6, 2);
        print_cell(row, "bias", 8, 4);
        print_cell(row, "seconds_per_gain", 13, 0);
        print_cell(row, "tokens", 11, 0);
        print_cell(row, "usd_per_gain", 8, 2);
        bool judged = strcmp(json_str(row, "scores", "judged"), "judged") == 0;
        printf("%s\n", judged ? "" : "  self-reported");
    }
    json_decref(rows);
    return true;
}

static bool run(Cmd *c, Err *err)
{
    Lab lab;
    if (!lab_open(&lab, c->lab, LEDGER_READ, c->arena, err)) return false;
    bool ok = cmd_has(c, "verify")        ? verify(c, &lab, err)
              : cmd_has(c, "people")      ? people(c, &lab, err)
              : cmd_has(c, "researchers") ? researchers(c, &lab, err)
                                          : list(c, &lab, err);
    lab_close(&lab);
    return ok;
}

const CmdDef cmd_log = {
    .name = "log",
    .args = "",
    .doc = "what happened, newest last; --verify checks the ledger",
    .more = "The ledger is append-only and chained by hash; docs/formats/ledger.md lists kinds and "
            "fields. With --verify, exit status 0 says that its pages are sound, that no entry and "
            "no curve was changed or removed, and that no run counts twice. Keep the last hash "
            "elsewhere, and nobody can rewrite what came before it unseen.\n\n"
            "With --researchers: for each author of proposals how many were tried and kept, their "
            "gain in bits per byte, how well the author knew (brier: 0 is perfect, 0.25 a coin; "
            "bias: predicted less found), and what a kept claim cost. Unknown is a dash.",
    .opts = opts,
    .needs_lab = true,
    .json = true,
    .run = run,
};
