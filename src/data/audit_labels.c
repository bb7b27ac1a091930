/* audit_labels.c - documents that do not look like the file they came from.
 *
 * The files of a data set are its sources, and their names are labels that somebody gave.  A
 * classifier learns to tell them apart (classify.h), each fifth of the documents judged by one that
 * never saw it; a document that it clearly gives to another file is named.  Files that are alike
 * are told apart by chance, without a lead, and nothing is named. */
#include "data/audit_inside.h"
#include "data/classify.h"

enum { FEWEST = 20, FOLDS = 5, SHORTEST = 400 };
static const AuditStep steps[] = { { 0.2, 0.001 }, { 0.5, 0.0005 }, { 0, 0 } };

typedef struct Labelled {
    int64_t *doc, n;
    int *label; /* a part that has enough documents */
    Str *features;
    Buf room;
    const char *name[CLASSIFY_LABELS];
    int labels;
} Labelled;

/* Parts of enough documents get a label. */
static void choose_parts(const Audit *a, Labelled *l, int *label_of)
{
    int64_t *count = NEW(a->arena, int64_t, MAX(a->parts, 1));
    for (int64_t i = 0; i < a->docs.count; i++)
        if (a->part[i] >= 0) count[a->part[i]]++;
    for (int p = 0; p < a->parts; p++) {
        bool enough = count[p] >= FEWEST && l->labels < CLASSIFY_LABELS;
        label_of[p] = enough ? l->labels : -1;
        if (enough) l->name[l->labels++] = a->part_name[p];
    }
}

static void gather(Audit *a, Labelled *l, const int *label_of)
{
    int64_t docs = a->docs.count, *begin = NEW(a->arena, int64_t, docs + 1);
    l->doc = NEW(a->arena, int64_t, docs);
    l->label = NEW(a->arena, int, docs);
    l->features = NEW(a->arena, Str, docs);
    for (int64_t i = 0; i < docs; i++) {
        if (a->part[i] < 0 || label_of[a->part[i]] < 0 || audit_doc(a, i).len < SHORTEST) continue;
        l->doc[l->n] = i;
        l->label[l->n] = label_of[a->part[i]];
        begin[l->n++] = l->room.len;
        classifier_features(audit_doc(a, i), &l->room);
    }
    begin[l->n] = l->room.len;
    for (int64_t i = 0; i < l->n; i++)
        l->features[i] = (Str){ l->room.at + begin[i], (ptrdiff_t)(begin[i + 1] - begin[i]) };
}

static void name_strangers(Audit *a, const Labelled *l, AuditFind *f)
{
    int *guess = NEW(a->arena, int, l->n);
    double *lead = NEW(a->arena, double, l->n), *measure = audit_measure(a);
    classifier_cross(l->name, l->labels, l->features, l->label, l->n, FOLDS, 1, *a->arena, guess,
                     lead);
    for (int64_t i = 0; i < l->n; i++) {
        int64_t doc = l->doc[i];
        measure[doc] = guess[i] == l->label[i] ? 0 : lead[i];
        if (measure[doc] <= steps[0].score) continue;
        Str text = audit_doc(a, doc);
        audit_hit(f, (AuditHit){ doc, measure[doc], 0, 200, text.len });
    }
}

static bool look(Audit *a, Err *err)
{
    Labelled l = { 0 };
    int *label_of = NEW(a->arena, int, MAX(a->parts, 1));
    AuditFind f = { .steps = steps, .remedy = "the documents go" };
    choose_parts(a, &l, label_of);
    if (l.labels < 2)
        return audit_not_asked(a, "its text is not of two files with twenty documents each");
    gather(a, &l, label_of);
    name_strangers(a, &l, &f);
    buf_free(&l.room);
    f.looked = l.n;
    f.what = arena_printf(a->arena,
                          "documents that look like another of the %d files than the one "
                          "that they came from",
                          l.labels);
    return audit_find(a, &f, err);
}

const AuditDef audit_labels = {
    .kind = "labels",
    .doc = "documents that do not look like the file they came from",
    .look = look,
};
