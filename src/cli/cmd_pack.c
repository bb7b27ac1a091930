/* cmd_pack.c - a slice of the ledger in one file, to hand to a colleague.
 *
 * What is named is taken whole; what it rests on comes along: an experiment brings its runs and
 * the champion's runs that it was compared with, a run its recipe, result, blocks and curve, and
 * everything the question it belongs to.  The rules are a table of (kind, member): walking it
 * over all entries until nothing new is wanted is a few passes over a few thousand entries, and
 * needs no order in which kinds refer to each other.
 *
 * The file holds entries as they stand in the ledger, with their hashes, and curves; no training
 * text and no weights (docs/formats/ledger.md). */
#include <stdio.h>
#include <string.h>
#include <zstd.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "lab/lab.h"

static const CmdOpt opts[] = {
    { "output", 'o', "FILE", "where to write; compressed if the name ends in .zst" },
    { 0 },
};

/* An id is wanted whole (with all that belongs to it) or only for its own entries. */
typedef struct Pack {
    Lab *lab;
    json_t *entries;       /* all of the ledger */
    json_t *whole, *alone; /* sets of ids */
    json_t *taken;         /* set of seqs, as text */
} Pack;

/* An entry of `kind` belongs to the thing that its member names; what carries the id of a thing
 * (its result, blocks, verdict, end...) belongs to it anyway. */
static const struct {
    const char *kind, *member;
} belongs[] = {
    { "run", "experiment" },        { "run", "session" },       { "run", "question" },
    { "proposal", "session" },      { "proposal", "question" }, { "session", "question" },
    { "claim", "question" },        { "claim", "experiment" },  { "champion", "question" },
    { "judge_read", "experiment" }, { "judge_read", "run" },
};

/* A taken entry wants what its member names, whole or alone. */
static const struct {
    const char *member;
    bool whole;
} rests_on[] = {
    { "recipe", false },   { "base_recipe", false }, { "first", false },  { "champion", false },
    { "question", false }, { "session", false },     { "parent", false }, { "idea", false },
    { "replay_of", true }, { "ablates", true },      { "anew", true },    { "decides", true },
    { "against", true },
};

static bool wanted(const json_t *set, const char *id)
{
    return id[0] && json_object_get(set, id);
}

static bool want(json_t *set, const char *id)
{
    if (!id[0] || json_object_get(set, id)) return false;
    json_object_set_new(set, id, json_true());
    return true;
}

static bool is_wanted(const Pack *p, const char *kind, const char *id, const json_t *body)
{
    if (wanted(p->whole, id) || wanted(p->alone, id)) return true;
    for (int i = 0; i < COUNT(belongs); i++)
        if (strcmp(belongs[i].kind, kind) == 0 &&
            wanted(p->whole, json_str(body, belongs[i].member, "")))
            return true;
    return false;
}

/* The champion's runs that an experiment was compared with. */
static bool want_bank(Pack *p, const json_t *proposal)
{
    size_t i;
    json_t *e;
    bool more = false;
    json_array_foreach(p->entries, i, e)
    {
        const json_t *b = json_object_get(e, "body");
        const char *purpose = json_str(b, "purpose", "");
        if (strcmp(json_str(e, "kind", ""), "run") == 0 &&
            (strcmp(purpose, "bank") == 0 || strcmp(purpose, "confirm") == 0) &&
            strcmp(json_str(b, "recipe", ""), json_str(proposal, "base_recipe", "-")) == 0 &&
            strcmp(json_str(b, "question", ""), json_str(proposal, "question", "-")) == 0)
            more |= want(p->whole, json_str(e, "id", ""));
    }
    return more;
}

/* Takes an entry and says whether anything new is wanted because of it. */
static bool take(Pack *p, const char *kind, const char *id, const json_t *body)
{
    bool more = false;
    bool thing = strcmp(kind, "run") == 0 || strcmp(kind, "proposal") == 0;
    if (thing) more |= want(p->whole, id);
    if (strcmp(kind, "claim") == 0) more |= want(p->whole, json_str(body, "experiment", ""));
    for (int i = 0; i < COUNT(rests_on); i++)
        more |=
            want(rests_on[i].whole ? p->whole : p->alone, json_str(body, rests_on[i].member, ""));
    if (strcmp(kind, "proposal") == 0) more |= want_bank(p, body);
    return more;
}

static bool pass(Pack *p)
{
    size_t i;
    json_t *e;
    bool more = false;
    json_array_foreach(p->entries, i, e)
    {
        char seq[24];
        snprintf(seq, sizeof(seq), "%lld", (long long)json_int(e, "seq", 0));
        const char *kind = json_str(e, "kind", ""), *id = json_str(e, "id", "");
        const json_t *body = json_object_get(e, "body");
        if (wanted(p->taken, seq) || !is_wanted(p, kind, id, body)) continue;
        want(p->taken, seq);
        take(p, kind, id, body);
        more = true;
    }
    return more;
}

static bool gather(void *self, const Entry *e)
{
    json_array_append_new(self, json_pack("{s:I, s:s, s:s, s:f, s:O, s:s}", "seq",
                                          (json_int_t)e->seq, "kind", e->kind, "id", e->id, "at",
                                          e->at, "body", e->body, "hash", e->hash));
    return true;
}

/* ---- writing ---- */

static void put_line(Buf *out, json_t *value)
{
    json_write(value, false, out);
    buf_char(out, '\n');
    json_decref(value);
}

static const char *const curve_member[] = {
    "step",        "tokens",         "flops",       "seconds",       "loss",
    "grad_norm",   "clipped",        "lr",          "update_hidden", "update_embedding",
    "update_head", "update_vectors", "tokens_per_s"
};

static double curve_value(const StepRow *r, int member)
{
    const double value[] = { (double)r->step,
                             r->tokens,
                             r->flops,
                             r->seconds,
                             r->loss,
                             r->grad_norm,
                             r->clipped,
                             r->lr,
                             r->update_ratio[0],
                             r->update_ratio[1],
                             r->update_ratio[2],
                             r->update_ratio[3],
                             r->tokens_per_s };
    return value[member];
}

static bool put_curve(Pack *p, const char *run, Buf *out, Err *err)
{
    StepRow *rows = NULL;
    int n = 0;
    if (!ledger_steps(p->lab->ledger, run, p->lab->arena, &rows, &n, err)) return false;
    if (n == 0) return true;
    json_t *steps = json_object();
    for (int k = 0; k < COUNT(curve_member); k++) {
        json_t *column = json_array();
        for (int i = 0; i < n; i++)
            json_array_append_new(column, k ? json_num_of(curve_value(&rows[i], k))
                                            : json_integer(rows[i].step));
        json_object_set_new(steps, curve_member[k], column);
    }
    put_line(out, json_pack("{s:s, s:o}", "run", run, "steps", steps));
    return true;
}

static bool put_curves(Pack *p, Buf *out, int *runs, Err *err)
{
    size_t i;
    json_t *e;
    bool ok = true;
    json_array_foreach(p->entries, i, e)
    {
        const char *id = json_str(e, "id", "");
        if (!ok || strcmp(json_str(e, "kind", ""), "run") != 0 || !wanted(p->whole, id)) continue;
        ok = put_curve(p, id, out, err);
        ++*runs;
    }
    return ok;
}

static int put_entries(const Pack *p, Buf *out)
{
    size_t i;
    json_t *e;
    int n = 0;
    json_array_foreach(p->entries, i, e)
    {
        char seq[24];
        snprintf(seq, sizeof(seq), "%lld", (long long)json_int(e, "seq", 0));
        if (!wanted(p->taken, seq)) continue;
        put_line(out, json_incref(e));
        n++;
    }
    return n;
}

static bool write_out(const char *path, const Buf *text, Err *err)
{
    if (!str_ends(str_of(path), STR(".zst"))) return file_write_whole(path, buf_view(text), err);
    size_t room = ZSTD_compressBound((size_t)text->len);
    Arena scratch = arena_reserve((ptrdiff_t)room + 4096);
    char *packed = NEW(&scratch, char, (ptrdiff_t)room);
    size_t n = ZSTD_compress(packed, room, text->at, (size_t)text->len, 9);
    CHECK(!ZSTD_isError(n), "zstd: %s", ZSTD_getErrorName(n));
    bool ok = file_write_whole(path, (Str){ packed, (ptrdiff_t)n }, err);
    arena_release(&scratch);
    return ok;
}

/* ---- the command ---- */

static bool name_ids(Pack *p, Cmd *c, json_t *ids, Err *err)
{
    for (int i = 0; i < c->n_args; i++) {
        size_t k;
        json_t *e;
        bool known = false;
        json_array_foreach(p->entries, k, e) known |= strcmp(json_str(e, "id", ""), c->arg[i]) == 0;
        if (!known || !c->arg[i][0])
            return err_set(err, ERR_CONFIG,
                           "\"%.60s\" is not in the ledger; give ids as r12, e7, c3, q1, s1",
                           c->arg[i]);
        want(p->whole, c->arg[i]);
        json_array_append_new(ids, json_string(c->arg[i]));
    }
    return true;
}

static bool pack(Cmd *c, Pack *p, const char *path, Err *err)
{
    Buf out = { 0 };
    int runs = 0, entries = 0;
    json_t *ids = json_array();
    bool ok =
        ledger_each(p->lab->ledger, NULL, 0, gather, p->entries, err) && name_ids(p, c, ids, err);
    if (!ok) {
        json_decref(ids);
        return false;
    }
    while (pass(p)) continue;
    put_line(&out,
             json_pack("{s:i, s:s, s:o}", "lathe_pack", 1, "version", LATHE_VERSION, "ids", ids));
    entries = put_entries(p, &out);
    ok = put_curves(p, &out, &runs, err) && write_out(path, &out, err);
    buf_free(&out);
    if (ok && c->json)
        cmd_print_json(json_pack("{s:s, s:i, s:i, s:I}", "file", path, "entries", entries, "runs",
                                 runs, "bytes", (json_int_t)file_size(path)));
    if (ok && !c->json) {
        char bytes[32];
        printf("%s: %d entries, %d runs with curves, %s\n", path, entries, runs,
               str_bytes(bytes, (double)file_size(path)));
    }
    return ok;
}

static bool run(Cmd *c, Err *err)
{
    const char *path = cmd_value(c, "output", NULL);
    Lab lab;
    if (!path) return err_set(err, ERR_CONFIG, "say where to write: -o FILE.jsonl.zst");
    if (!lab_open(&lab, c->lab, LEDGER_READ, c->arena, err)) return false;
    Pack p = { &lab, json_array(), json_object(), json_object(), json_object() };
    bool ok = pack(c, &p, path, err);
    json_decref(p.entries);
    json_decref(p.whole);
    json_decref(p.alone);
    json_decref(p.taken);
    lab_close(&lab);
    return ok;
}

const CmdDef cmd_pack = {
    .name = "pack",
    .args = "ID...",
    .doc = "runs, experiments, claims or sessions with all they rest on, in one file",
    .more =
        "For a colleague: entries of the ledger with their recipes and curves as JSON lines "
        "(docs/formats/ledger.md), no training text, no weights. `-o FILE.jsonl.zst` compresses.",
    .opts = opts,
    .min_args = 1,
    .max_args = -1,
    .needs_lab = true,
    .json = true,
    .run = run,
};
