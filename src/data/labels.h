/* labels.h - labels of some documents become classes of all.
 *
 * Labels are lines of JSON, {"sha256" or "document", "label", "author"}: of a language model
 * (lab/label.h), of a person, of another program.  A classifier (classify.h) learns from them and
 * reads every training document; how far it can be believed is asked of the labels themselves, each
 * guessed by a classifier that has not seen it. */
#ifndef DATA_LABELS_H
#define DATA_LABELS_H

#include "base/err.h"
#include "base/json.h"

typedef struct LabelsJob {
    const char *lab, *name;
    const char *labels;     /* the file to learn from; NULL: `classifier` is read instead */
    const char *classifier; /* written where labels are given; may then be NULL */
    const char *classes;    /* a file for a line of JSON on each document; NULL: none */
    const char *drop; /* documents of this label become a finding beside the audit's; NULL: none */
    double lead;      /* those that lead by less are let be */
    uint64_t seed;
} LabelsJob;

/* {name, author, labels: [{label, given, precision, recall, documents, bytes}], labelled, right,
 * common, finding}: precision, recall and `right` are of labels guessed by a classifier of the
 * other four fifths, null where a classifier was given; `common` is what always saying the
 * commonest label gets right; `finding` is the one that was added, or null.  New reference. */
bool labels_spread(const LabelsJob *job, json_t **report, Err *err) MUST_CHECK;

#endif
