/* cmd_data_label.c - `data label`: a language model labels some documents; `data classify`: all
 * documents by what was learned from labels. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/cmd.h"
#include "cli/model_config.h"
#include "data/classify.h"
#include "data/labels.h"
#include "lab/label.h"

/* ---- data label ---- */

enum { ANSWER_TOKENS = 4000 };

static const CmdOpt label_opts[] = {
    { "question", 0, "TEXT", "what the labels answer; needed" },
    { "labels", 0, "A,B,...", "the labels to choose from; needed" },
    { "n", 'n', "N", "how many documents, drawn at random (200); more later goes on" },
    { "batch", 0, "B", "documents in a request (10)" },
    { "bytes", 0, "N", "of each document that are shown (1500)" },
    { "seed", 0, "S", "another draw of documents (1)" },
    { "model", 0, "NAME", "the language model that labels; needed" },
    MODEL_OPTS,
    { 0 },
};

static bool stop(void *self)
{
    (void)self;
    return stop_asked();
}

static void say(void *self, const char *sentence)
{
    (void)self;
    fprintf(stderr, "%s\n", sentence);
}

static bool read_job(Cmd *c, LabelJob *job, Err *err)
{
    double n, batch, bytes, seed;
    const char **label = NEW(c->arena, const char *, CLASSIFY_LABELS + 1);
    Str rest = str_of(cmd_value(c, "labels", "")), word;
    int count = 0;
    while (rest.len > 0 && count <= CLASSIFY_LABELS && str_cut(&rest, ',', &word))
        if (str_trim(word).len > 0) label[count++] = arena_str(c->arena, str_trim(word));
    if (!cmd_number(c, "n", 200, 1, 1e7, &n, err) ||
        !cmd_number(c, "batch", 10, 1, LABEL_BATCH, &batch, err) ||
        !cmd_number(c, "bytes", 1500, 100, 100000, &bytes, err) ||
        !cmd_number(c, "seed", 1, 0, 1e15, &seed, err))
        return false;
    if (!cmd_has(c, "question") || count == 0 || !cmd_has(c, "model"))
        return err_set(err, ERR_CONFIG,
                       "data label needs --question, --labels and --model; `lathe data label "
                       "--help` has an example");
    *job = (LabelJob){ .name = c->arg[0],
                       .question = cmd_value(c, "question", ""),
                       .labels = label,
                       .n_labels = count,
                       .documents = (int64_t)n,
                       .batch = (int)batch,
                       .bytes = (int64_t)bytes,
                       .seed = (uint64_t)seed,
                       .stop = stop,
                       .say = say };
    return true;
}

static void print_labels(const json_t *r)
{
    const json_t *spend = json_object_get(r, "spend");
    const char *label, *ended = json_str(r, "ended", "");
    json_t *count;
    double usd = json_num(spend, "usd", (double)NAN);
    printf("%s: %lld of %lld documents labelled by %s\n", json_str(r, "id", ""),
           (long long)json_int(r, "labelled", 0), (long long)json_int(r, "asked", 0),
           json_str(r, "author", ""));
    json_object_foreach(json_object_get(r, "by_label"), label, count)
        printf("  %-20s %lld\n", label, (long long)json_integer_value(count));
    printf(
        "  %lld requests, %lld tokens in and %lld out, ", (long long)json_int(spend, "requests", 0),
        (long long)(json_int(spend, "input_tokens", 0) + json_int(spend, "cache_read_tokens", 0) +
                    json_int(spend, "cache_write_tokens", 0)),
        (long long)json_int(spend, "output_tokens", 0));
    if (isfinite(usd))
        printf("$%.4f\n", usd);
    else
        printf("at a price that is not known\n");
    if (ended[0]) printf("  ended early: %s\n", ended);
    printf("  %s\n", json_str(r, "file", ""));
}

static bool label_open(Cmd *c, Lab *lab, LabelJob *job, json_t **report, Err *err)
{
    TalkPlan plan = { 0 };
    json_t *config = json_object();
    bool ok = model_config(c, "", cmd_value(c, "model", ""), config, err) &&
              model_config_meet(c, lab, config, &plan, err);
    json_decref(config);
    plan.model.max_output = ANSWER_TOKENS;
    job->plan = &plan;
    return ok && label_run(lab, job, report, err);
}

static bool run_label(Cmd *c, Err *err)
{
    Lab lab;
    LabelJob job;
    json_t *report = NULL;
    if (!read_job(c, &job, err) || !lab_open(&lab, c->lab, LEDGER_WRITE, c->arena, err))
        return false;
    bool ok = label_open(c, &lab, &job, &report, err);
    lab_close(&lab);
    if (ok && c->json) {
        cmd_print_json(report);
    } else if (ok) {
        print_labels(report);
        json_decref(report);
    }
    return ok;
}

const CmdDef cmd_data_label = {
    .name = "data label",
    .args = "NAME",
    .doc = "a language model labels documents of a data set, in batches, with the cost",
    .more =
        "lathe data label notes --model claude-opus-5-5 --max-usd 1 --labels keep,junk --question "
        "'Is this worth reading for somebody who learns the language?'\n\nDocuments are drawn at "
        "random from the training text and sent in batches; the text must be shared (`lathe share "
        "NAME samples`). Every request, answer and price stands in the ledger. Stopped, at a limit "
        "or asked for more documents, the same command goes on. `data classify` learns from the "
        "labels and reads the rest.",
    .opts = label_opts,
    .min_args = 1,
    .max_args = 1,
    .needs_lab = true,
    .json = true,
    .run = run_label,
};

/* ---- data classify ---- */

static const CmdOpt classify_opts[] = {
    { "labels", 0, "FILE", "learn from these labels: a file, or l1 for those of `data label`" },
    { "classifier", 0, "FILE", "write what was learned there; without --labels, use it" },
    { "drop", 0, "LABEL", "documents of this label become a finding beside the audit's" },
    { "lead", 0, "X", "let documents be whose label leads by less (0); 1 is a clear case" },
    { "documents", 0, "FILE", "also write a line of JSON on every document" },
    { "seed", 0, "S", "another order of learning (1)" },
    { 0 },
};

static void print_share(const json_t *row, const char *key)
{
    double share = json_num(row, key, (double)NAN);
    if (isfinite(share))
        printf("  %9.3f", share);
    else
        printf("          -");
}

static void print_classes(const json_t *r)
{
    char documents[32], bytes[32];
    const json_t *row;
    size_t i;
    double right = json_num(r, "right", (double)NAN);
    if (isfinite(right))
        printf("%lld labels by %s; %.3f of them guessed right by a classifier that had not seen "
               "them, %.3f by always saying the commonest\n",
               (long long)json_int(r, "labelled", 0), json_str(r, "author", ""), right,
               json_num(r, "common", (double)NAN));
    printf("%-20s %7s  precision     recall  documents      bytes\n", "label", "given");
    json_array_foreach(json_object_get(r, "labels"), i, row)
    {
        printf("%-20s %7lld", json_str(row, "label", ""), (long long)json_int(row, "given", 0));
        print_share(row, "precision");
        print_share(row, "recall");
        printf("  %9s %10s\n", str_count(documents, json_num(row, "documents", 0)),
               str_bytes(bytes, json_num(row, "bytes", 0)));
    }
    if (json_is_object(json_object_get(r, "finding")))
        printf("a finding was added; `lathe data audit %s --settle K` tries it\n",
               json_str(r, "name", ""));
}

static const char *labels_path(Cmd *c)
{
    const char *given = cmd_value(c, "labels", NULL);
    if (!given || file_exists(given)) return given;
    const char *own =
        arena_printf(c->arena, "%s/data/%s/labels/%s.jsonl", c->lab, c->arg[0], given);
    return file_exists(own) ? own : given;
}

static bool run_classify(Cmd *c, Err *err)
{
    double lead, seed;
    json_t *report = NULL;
    if (!cmd_number(c, "lead", 0, 0, 1000, &lead, err) ||
        !cmd_number(c, "seed", 1, 0, 1e15, &seed, err))
        return false;
    LabelsJob job = { .lab = c->lab,
                      .name = c->arg[0],
                      .labels = labels_path(c),
                      .classifier = cmd_value(c, "classifier", NULL),
                      .classes = cmd_value(c, "documents", NULL),
                      .drop = cmd_value(c, "drop", NULL),
                      .lead = lead,
                      .seed = (uint64_t)seed };
    if (!job.labels && !job.classifier)
        return err_set(err, ERR_CONFIG, "give --labels to learn from, or a --classifier");
    if (!labels_spread(&job, &report, err)) return false;
    if (c->json) {
        cmd_print_json(report);
        return true;
    }
    print_classes(report);
    json_decref(report);
    return true;
}

const CmdDef cmd_data_classify = {
    .name = "data classify",
    .args = "NAME",
    .doc = "sort all documents by a classifier learned from labels",
    .more = "A linear classifier on hashed words and pairs of words. Labels are lines of JSON: "
            "{\"document\": 12, \"label\": \"junk\"}, or with the document's \"sha256\" as the "
            "audit prints it. Precision and recall are of labels that were not learned from. With "
            "--drop the documents of a label become a finding with a remedy, which `data audit "
            "NAME --settle` tries by training; for that `data audit NAME` must have been run.",
    .opts = classify_opts,
    .min_args = 1,
    .max_args = 1,
    .needs_lab = true,
    .json = true,
    .run = run_classify,
};
