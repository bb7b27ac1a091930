/* cmd_data_score.c - `data score`: what a model makes of each document of a data set. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "cli/run_dir.h"
#include "data/corpus.h"
#include "data/scores.h"
#include "judge/documents.h"

static const CmdOpt opts[] = {
    { "model", 0, "RUN", "who scores: r12, champion or a folder; without it, as for eval" },
    { "reference", 0, "RUN", "rank by the excess of the model's loss over this one's" },
    { "n", 'n', "N", "how many documents to show at each end (5)" },
    { 0 },
};

typedef struct Ranked {
    double bits; /* per byte; or the excess */
    int64_t doc;
} Ranked;

static int by_bits(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    if (x->bits != y->bits) return x->bits < y->bits ? 1 : -1;
    return (x->doc > y->doc) - (x->doc < y->doc);
}

/* The file of scores, made if it is not there or of an older text. */
static bool open_scores(Cmd *c, const Docs *docs, const char *name, Scores *s, Err *err)
{
    const char *run, *dir, *folder = arena_printf(c->arena, "%s/data/%s/scores", c->lab, c->arg[0]);
    Err stale = { 0 };
    if (!run_dir(c, name, &run, &dir, err) || !file_make_dirs(folder, err)) return false;
    const char *slash = strrchr(run, '/');
    const char *path = arena_printf(c->arena, "%s/%s.bin", folder, slash ? slash + 1 : run);
    if (file_exists(path) && scores_open(s, path, docs->sha256, &stale)) return true;
    Trained *t = trained_open(dir, 0, c->arena, err);
    if (!t) return false;
    bool ok = documents_score_model(docs, t, path, run, err);
    trained_close(t);
    return ok && scores_open(s, path, docs->sha256, err);
}

static double bits_of(const Scores *s, const Docs *docs, int64_t i)
{
    double bytes = (double)docs_get(docs, i).len;
    return bytes > 0 ? scores_nats(s, i) / bytes / 0.693147180559945309 : 0;
}

static json_t *rank(Cmd *c, const Docs *docs, const Scores *s, const Scores *reference, int n)
{
    Ranked *r = NEW(c->arena, Ranked, docs->count);
    double nats = 0;
    for (int64_t i = 0; i < docs->count; i++) {
        r[i] = (Ranked){ bits_of(s, docs, i), i };
        if (reference) r[i].bits -= bits_of(reference, docs, i);
        nats += scores_nats(s, i);
    }
    if (docs->count > 0) qsort(r, (size_t)docs->count, sizeof(*r), by_bits);
    json_t *highest = json_array(), *lowest = json_array();
    for (int64_t i = 0; i < MIN((int64_t)n, docs->count); i++) {
        const Ranked *low = &r[docs->count - 1 - i];
        json_array_append_new(highest, json_pack("{s:I,s:f}", "document", (json_int_t)r[i].doc,
                                                 "bits_per_byte", r[i].bits));
        json_array_append_new(lowest, json_pack("{s:I,s:f}", "document", (json_int_t)low->doc,
                                                "bits_per_byte", low->bits));
    }
    return json_pack(
        "{s:s,s:s,s:s?,s:I,s:I,s:o,s:o,s:o}", "name", c->arg[0], "run", s->run, "reference",
        reference ? reference->run : NULL, "documents", (json_int_t)docs->count, "tokens",
        (json_int_t)s->tokens, "bpb",
        json_num_of(nats / (double)MAX(docs->bytes, (int64_t)1) / 0.693147180559945309), "highest",
        highest, "lowest", lowest);
}

static void print_end(const Docs *docs, const char *what, const json_t *list)
{
    size_t i;
    const json_t *one;
    printf("%s\n", what);
    json_array_foreach(list, i, one)
    {
        int64_t doc = json_int(one, "document", 0);
        Str text = docs_get(docs, doc);
        printf("  document %-7lld %8.4f  ", (long long)doc, json_num(one, "bits_per_byte", 0));
        for (ptrdiff_t k = 0; k < MIN(text.len, (ptrdiff_t)60); k++) {
            unsigned char byte = (unsigned char)text.at[k];
            putchar(byte < 32 || byte >= 127 ? ' ' : byte);
        }
        putchar('\n');
    }
}

static bool run(Cmd *c, Err *err)
{
    Docs docs = { 0 };
    Scores s = { 0 }, reference = { 0 };
    double n;
    const char *against = cmd_value(c, "reference", NULL);
    if (!cmd_number(c, "n", 5, 1, 1000, &n, err) ||
        !docs_open(&docs, corpus_train_stem(c->lab, c->arg[0], c->arena), err))
        return false;
    bool ok = open_scores(c, &docs, cmd_value(c, "model", NULL), &s, err) &&
              (!against || open_scores(c, &docs, against, &reference, err));
    if (ok) {
        json_t *out = rank(c, &docs, &s, against ? &reference : NULL, (int)n);
        if (c->json) {
            cmd_print_json(out);
        } else {
            printf("%s on %s: %.4f bits per byte of training text%s\n", s.run, c->arg[0],
                   json_num(out, "bpb", (double)NAN), against ? "; ranked by the excess" : "");
            print_end(&docs, "highest", json_object_get(out, "highest"));
            print_end(&docs, "lowest", json_object_get(out, "lowest"));
            json_decref(out);
        }
    }
    scores_close(&s);
    scores_close(&reference);
    docs_close(&docs);
    return ok;
}

const CmdDef cmd_data_score = {
    .name = "data score",
    .args = "NAME",
    .doc = "the loss of a model on every document and token of a data set",
    .more = "Kept beside the shards as data/NAME/scores/RUN.bin. With --reference, documents are "
            "ranked by how much more the model loses on them than the reference does: what one "
            "could still learn, if the reference is the better model.",
    .opts = opts,
    .min_args = 1,
    .max_args = 1,
    .needs_lab = true,
    .json = true,
    .run = run,
};
