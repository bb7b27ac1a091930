/* cmd_data_add.c - text into the lab: `data add` from files, `data synth` from a seed. */
#include <stdio.h>

#include "cli/cmd.h"
#include "cli/data_text.h"
#include "data/corpus.h"
#include "lab/worker.h"

static void print_set(Cmd *c, json_t *manifest)
{
    if (c->json) {
        cmd_print_json(manifest);
        return;
    }
    Buf text = { 0 };
    data_text(manifest, &text);
    fwrite(text.at, 1, (size_t)text.len, stdout);
    buf_free(&text);
    json_decref(manifest);
}

/* How many additions the data set has had; 0 if there is none. */
static size_t additions_of(const char *lab, const char *name)
{
    Err none = { 0 };
    json_t *manifest = NULL;
    if (!corpus_manifest(lab, name, &manifest, &none)) return 0;
    size_t n = json_array_size(json_object_get(manifest, "additions"));
    json_decref(manifest);
    return n;
}

static const CmdOpt add_opts[] = {
    { "field", 0, "NAME",
      "where .jsonl and Parquet have their text (text); doc.body reaches inside" },
    { 0 },
};

static bool run_add(Cmd *c, Err *err)
{
    CorpusAdd add = { .lab = c->lab,
                      .name = c->arg[0],
                      .paths = (const char *const *)c->arg + 1,
                      .n_paths = c->n_args - 1,
                      .field = cmd_value(c, "field", NULL) };
    json_t *manifest;
    int64_t resumed = 0;
    add.resumed = &resumed;
    size_t before = additions_of(c->lab, add.name);
    if (!corpus_add(&add, &manifest, err)) return false;
    if (resumed > 0)
        fprintf(stderr,
                "went on behind the %lld documents that were read before it was interrupted\n",
                (long long)resumed);
    if (json_array_size(json_object_get(manifest, "additions")) == before)
        fprintf(stderr, "nothing new: every document is in %s already\n", add.name);
    else if (before > 0 && worker_alive(c->lab))
        fprintf(stderr,
                "a session is at work: if it trains on %s it ends now, and the next "
                "`lathe research` opens a new question\n",
                add.name);
    print_set(c, manifest);
    return true;
}

const CmdDef cmd_data_add = {
    .name = "data add",
    .args = "NAME PATH...",
    .doc = "read text into the data set NAME: .txt .md .html .jsonl .parquet .wet .warc (also .gz "
           ".zst), folders, URLs, - for stdin",
    .more =
        "A file of text or a page is one document, a line of .jsonl, a row of Parquet or a record "
        "of a web archive is one. What a URL gives is fetched first, gone on with where a "
        "connection broke, and its hash kept; URL#sha256=HEX demands one. Exact duplicates are "
        "left "
        "out. When the set is made, three tiers are held out (search, audit, locked), about a "
        "twentieth each (up to a twelfth where that is few documents) and 400 kB at most: "
        "near-duplicates stay together, and long documents are cut into pieces, each counted "
        "as a document, with a gap between. Later additions to the same set only add to its "
        "training text, and never anything that any set of the lab holds out; a session at "
        "work then ends, as its runs could no longer be compared. Killed or stopped in the middle, "
        "the same command goes on.",
    .opts = add_opts,
    .min_args = 2,
    .max_args = -1,
    .needs_lab = true,
    .json = true,
    .run = run_add,
};

static const CmdOpt synth_opts[] = {
    { "docs", 0, "N", "documents of each of the two sets (5000, about 3 MB)" },
    { "seed", 0, "S", "another seed, another world (1)" },
    { 0 },
};

static bool run_synth(Cmd *c, Err *err)
{
    double docs, seed;
    json_t *manifest;
    if (!cmd_number(c, "docs", 5000, 100, 1e7, &docs, err) ||
        !cmd_number(c, "seed", 1, 0, 9007199254740992.0, &seed, err) ||
        !corpus_synth(c->lab, c->arg[0], (int64_t)docs, (uint64_t)seed, &manifest, err))
        return false;
    fprintf(stderr,
            "beside it: %s-dirty, with faults planted; data/%s-dirty/truth.json says which\n",
            c->arg[0], c->arg[0]);
    print_set(c, manifest);
    return true;
}

const CmdDef cmd_data_synth = {
    .name = "data synth",
    .args = "NAME",
    .doc = "make the built-in corpus NAME, and NAME-dirty with known faults planted in it",
    .more = "English-like stories, articles, questions, letters and sums about a small world drawn "
            "from the seed: spelling, grammar, who is where, and facts that every document agrees "
            "on. The dirty set tells other documents of the same world, half of them copied, "
            "nearly copied, wrapped in boilerplate, broken in encoding, shuffled, or wrong in "
            "their sums.",
    .opts = synth_opts,
    .min_args = 1,
    .max_args = 1,
    .needs_lab = true,
    .json = true,
    .run = run_synth,
};
