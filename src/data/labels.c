/* labels.c - learning from labels, judging what was learned, and classes for all documents.
 *
 * The judgement is by five folds: each label is guessed by a classifier of the other four fifths,
 * so precision and recall are those on documents that it has not seen.  They are of the labels as
 * given: where the labeller errs at random the classifier cannot be better than the labels seem,
 * and may be.
 *
 * What a label leaves out is a finding like the audit's own, so that `data audit --settle` can try
 * it against a removal of as many tokens at random: that a model calls documents bad is no evidence
 * that training without them is better. */
#include "data/labels.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "data/audit.h"
#include "data/classify.h"
#include "data/corpus.h"
#include "data/dedup.h"
#include "data/docs.h"

enum { FOLDS = 5, FEWEST = 20, EXAMPLES = 5, SHOWN = 200 };

typedef struct Class {
    int64_t given, guessed, right; /* of the labelled documents; guessed and right by folds */
    int64_t documents, bytes;      /* of all */
} Class;

typedef struct Labels {
    const LabelsJob *job;
    Docs docs;
    DedupKey *key;                     /* (documents), if labels came by hash */
    const char *name[CLASSIFY_LABELS]; /* in the order of their first line */
    int names;
    int *given; /* (documents); -1: not labelled */
    int64_t labelled;
    const char *author;
    Buf features; /* of all documents, one behind the other */
    Str *feature; /* (documents) */
    int *guess;   /* (documents) */
    double *by;   /* (documents) how far the guess leads */
    Class class[CLASSIFY_LABELS];
    Classifier classifier;
    Arena *arena;
} Labels;

/* ---- the file ---- */

static bool wrong(const Labels *l, int64_t line, const char *why, Err *err)
{
    return err_set(err, ERR_CONFIG, "%s, line %lld: %s", l->job->labels, (long long)line, why);
}

static bool key_of(const char *hex, DedupKey *key)
{
    for (int i = 0; i < (int)sizeof(*key); i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) return false;
        key->byte[i] = (unsigned char)byte;
    }
    return true;
}

/* The number is where to look first: it is right unless text was added in between. */
static int64_t by_hash(Labels *l, const char *hex, int64_t number)
{
    DedupKey key;
    if (!key_of(hex, &key)) return -1;
    if (!l->key) {
        l->key = NEW(l->arena, DedupKey, l->docs.count);
        for (int64_t i = 0; i < l->docs.count; i++) l->key[i] = dedup_key(docs_get(&l->docs, i));
    }
    if (number >= 0 && number < l->docs.count && memcmp(&l->key[number], &key, sizeof(key)) == 0)
        return number;
    for (int64_t i = 0; i < l->docs.count; i++)
        if (memcmp(&l->key[i], &key, sizeof(key)) == 0) return i;
    return -1;
}

/* -1: it is not in the training text. */
static int64_t document_of(Labels *l, const json_t *line)
{
    const char *hex = json_str(line, "sha256", "");
    int64_t number = json_int(line, "document", -1);
    if (strlen(hex) >= 32) return by_hash(l, hex, number);
    return number < l->docs.count ? number : -1;
}

static int number_of(Labels *l, const char *label)
{
    int i = 0;
    while (i < l->names && strcmp(l->name[i], label) != 0) i++;
    if (i == l->names && i < CLASSIFY_LABELS)
        l->name[l->names++] = arena_str(l->arena, str_of(label));
    return i;
}

static bool take_line(Labels *l, const json_t *line, int64_t number, Err *err)
{
    const char *label = json_str(line, "label", ""), *author = json_str(line, "author", "person");
    if (!label[0]) return wrong(l, number, "there is no \"label\" in it", err);
    int64_t doc = document_of(l, line);
    if (doc < 0) return true; /* of another state of the set */
    int k = number_of(l, label);
    if (k == CLASSIFY_LABELS) return wrong(l, number, "more than 64 labels", err);
    l->labelled += l->given[doc] < 0;
    l->given[doc] = k;
    if (!l->author) l->author = arena_str(l->arena, str_of(author));
    return true;
}

static bool read_labels(Labels *l, Err *err)
{
    Str text, line;
    int64_t number = 0;
    bool ok = file_read_arena(l->job->labels, l->arena, &text, err);
    while (ok && text.len > 0 && str_cut(&text, '\n', &line)) {
        Err bad = { 0 };
        number++;
        if (str_trim(line).len == 0) continue;
        json_t *one = json_read(line, "it", &bad);
        ok = one ? take_line(l, one, number, err) : wrong(l, number, "it is not JSON", err);
        json_decref(one);
    }
    if (!ok || (l->names >= 2 && l->labelled >= FEWEST)) return ok;
    return err_set(err, ERR_CONFIG,
                   "%s labels %lld documents of %s with %d different labels; a classifier needs %d "
                   "documents and two labels",
                   l->job->labels, (long long)l->labelled, l->job->name, l->names, FEWEST);
}

/* ---- learning ---- */

static void count_folds(Labels *l, const int *label, const int *guess, const double *lead)
{
    for (int64_t i = 0; i < l->labelled; i++) {
        l->class[label[i]].given++;
        if (lead[i] < l->job->lead) continue;
        l->class[guess[i]].guessed++;
        l->class[guess[i]].right += guess[i] == label[i];
    }
}

static void learn(Labels *l)
{
    Buf features = { 0 };
    ptrdiff_t *end = NEW(l->arena, ptrdiff_t, l->labelled);
    Str *feature = NEW(l->arena, Str, l->labelled);
    int *label = NEW(l->arena, int, l->labelled), *guess = NEW(l->arena, int, l->labelled);
    double *lead = NEW(l->arena, double, l->labelled);
    int64_t n = 0;
    for (int64_t i = 0; i < l->docs.count; i++) {
        if (l->given[i] < 0) continue;
        classifier_features(docs_get(&l->docs, i), &features);
        label[n] = l->given[i];
        end[n++] = features.len;
    }
    for (int64_t i = 0; i < n; i++) {
        ptrdiff_t begin = i > 0 ? end[i - 1] : 0;
        feature[i] = (Str){ features.at + begin, end[i] - begin };
    }
    classifier_cross(l->name, l->names, feature, label, n, FOLDS, l->job->seed, *l->arena, guess,
                     lead);
    count_folds(l, label, guess, lead);
    classifier_train(&l->classifier, l->name, l->names, feature, label, n, l->job->seed, l->arena);
    buf_free(&features);
}

static void classify_all(Labels *l)
{
    Buf feature = { 0 };
    for (int64_t i = 0; i < l->docs.count; i++) {
        buf_clear(&feature);
        classifier_features(docs_get(&l->docs, i), &feature);
        l->guess[i] = classifier_ask(&l->classifier, buf_view(&feature), &l->by[i]);
        Class *c = &l->class[l->guess[i]];
        if (l->by[i] < l->job->lead) continue;
        c->documents++;
        c->bytes += docs_get(&l->docs, i).len;
    }
    buf_free(&feature);
}

static bool get_classifier(Labels *l, Err *err)
{
    const LabelsJob *job = l->job;
    if (job->labels) {
        if (!read_labels(l, err)) return false;
        learn(l);
        return !job->classifier || classifier_save(&l->classifier, job->classifier, err);
    }
    if (!classifier_load(&l->classifier, job->classifier, l->arena, err)) return false;
    l->names = l->classifier.labels;
    for (int i = 0; i < l->names; i++) l->name[i] = l->classifier.label[i];
    return true;
}

/* ---- what came of it ---- */

static bool write_classes(const Labels *l, Err *err)
{
    if (!l->job->classes) return true;
    Buf text = { 0 };
    for (int64_t i = 0; i < l->docs.count; i++) {
        json_t *line = json_pack("{s:I, s:s, s:o}", "document", (json_int_t)i, "label",
                                 l->name[l->guess[i]], "lead", json_num_of(l->by[i]));
        json_write(line, false, &text);
        if (text.at[text.len - 1] != '\n') buf_char(&text, '\n');
        json_decref(line);
    }
    bool ok = file_write_whole(l->job->classes, buf_view(&text), err);
    buf_free(&text);
    return ok;
}

static json_t *share(int64_t part, int64_t whole)
{
    return whole > 0 ? json_real((double)part / (double)whole) : json_null();
}

static json_t *class_rows(const Labels *l)
{
    json_t *rows = json_array();
    for (int i = 0; i < l->names; i++) {
        const Class *c = &l->class[i];
        json_array_append_new(
            rows, json_pack("{s:s, s:I, s:o, s:o, s:I, s:I}", "label", l->name[i], "given",
                            (json_int_t)c->given, "precision", share(c->right, c->guessed),
                            "recall", share(c->right, c->given), "documents",
                            (json_int_t)c->documents, "bytes", (json_int_t)c->bytes));
    }
    return rows;
}

static json_t *example_of(const Labels *l, int64_t i)
{
    Str doc = docs_get(&l->docs, i);
    ptrdiff_t n = MIN(doc.len, (ptrdiff_t)SHOWN);
    while (n > 0 && n < doc.len && ((unsigned char)doc.at[n] & 0xc0) == 0x80) n--;
    return json_pack("{s:I, s:I, s:o}", "document", (json_int_t)i, "offset",
                     (json_int_t)(doc.at - l->docs.text), "text", json_text((Str){ doc.at, n }));
}

/* Of the label's documents, and the first few as examples. */
static json_t *finding_of(const Labels *l, int label)
{
    const Class *c = &l->class[label];
    double sure = c->guessed > 0 ? (double)c->right / (double)c->guessed : 0.5;
    json_t *documents = json_array(), *examples = json_array();
    for (int64_t i = 0; i < l->docs.count; i++) {
        if (l->guess[i] != label || l->by[i] < l->job->lead) continue;
        json_array_append_new(documents, json_integer(i));
        if (json_array_size(examples) < EXAMPLES && docs_get(&l->docs, i).len > 0)
            json_array_append_new(examples, example_of(l, i));
    }
    return json_pack("{s:o, s:o, s:f, s:o, s:o, s:s}", "kind",
                     json_sprintf("label %s", l->name[label]), "what",
                     json_sprintf("documents that a classifier calls \"%s\", learned from %lld "
                                  "labels",
                                  l->name[label], (long long)l->labelled),
                     "confidence", MIN(sure, 0.99), "documents", documents, "examples", examples,
                     "remedy", "the documents go");
}

static bool add_finding(const Labels *l, json_t **out, Err *err)
{
    int label = 0, added = 0;
    *out = json_null();
    if (!l->job->drop) return true;
    while (label < l->names && strcmp(l->name[label], l->job->drop) != 0) label++;
    if (label == l->names || l->class[label].documents == 0)
        return err_set(err, ERR_CONFIG, "no document of %s is called %s", l->job->name,
                       l->job->drop);
    json_t *finding = finding_of(l, label), *list = json_pack("[O]", finding);
    const char *author = l->author ? l->author : "classifier";
    bool ok = audit_add(l->job->lab, l->job->name, list, author, &added, err);
    json_decref(list);
    json_object_del(finding, "documents");
    *out = finding;
    return ok;
}

static bool report_of(const Labels *l, json_t **report, Err *err)
{
    int64_t right = 0, common = 0;
    json_t *finding = NULL;
    bool folds = l->job->labels != NULL;
    for (int i = 0; i < l->names; i++) {
        right += l->class[i].right;
        common = MAX(common, l->class[i].given);
    }
    if (!write_classes(l, err) || !add_finding(l, &finding, err)) {
        json_decref(finding);
        return false;
    }
    *report = json_pack("{s:s, s:s?, s:o, s:I, s:o, s:o, s:o}", "name", l->job->name, "author",
                        l->author, "labels", class_rows(l), "labelled", (json_int_t)l->labelled,
                        "right", share(right, folds ? l->labelled : 0), "common",
                        share(common, folds ? l->labelled : 0), "finding", finding);
    return true;
}

bool labels_spread(const LabelsJob *job, json_t **report, Err *err)
{
    Arena arena = arena_reserve((ptrdiff_t)1 << 36);
    Labels *l = NEW(&arena, Labels, 1);
    *l = (Labels){ .job = job, .arena = &arena };
    *report = NULL;
    bool ok = docs_open(&l->docs, corpus_train_stem(job->lab, job->name, l->arena), err);
    if (ok) {
        l->given = NEW(l->arena, int, l->docs.count);
        l->guess = NEW(l->arena, int, l->docs.count);
        l->by = NEW(l->arena, double, l->docs.count);
        for (int64_t i = 0; i < l->docs.count; i++) l->given[i] = -1;
        ok = get_classifier(l, err);
        if (ok) classify_all(l);
        ok = ok && report_of(l, report, err);
        docs_close(&l->docs);
    }
    arena_release(&arena);
    return ok;
}
