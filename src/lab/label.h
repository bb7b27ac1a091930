/* label.h - labels from a language model: it reads documents in batches and says of each which of a
 * few words fits.
 *
 * The labels are what a classifier is learned from (data/labels.h), which then reads all documents;
 * a model that reads them itself costs a thousand times as much.  Documents leave this machine only
 * if the data set is shared (share.h); what is spent is held to the limits of the plan.
 *
 * In the ledger: `labelling` has the job, `labels` the answers of a request; requests, tries and
 * turns stand there as those of a session do, with the id of the labelling in its place.  The same
 * job again goes on where it was stopped, and asks for no document twice. */
#ifndef LAB_LABEL_H
#define LAB_LABEL_H

#include "lab/talk.h"

enum { LABEL_BATCH = 50 };

typedef struct LabelJob {
    const char *name;     /* of the data set */
    const char *question; /* what the labels answer: "Would a teacher hand this out?" */
    const char *const *labels;
    int n_labels;
    int64_t documents; /* to label, drawn at random */
    int batch;         /* in a request; at most LABEL_BATCH */
    int64_t bytes;     /* shown of each */
    uint64_t seed;
    const TalkPlan *plan;
    bool (*stop)(void *self); /* may be NULL */
    void (*say)(void *self, const char *sentence);
    void *self;
} LabelJob;

/* {id, name, author, asked, labelled, by_label: {LABEL: n}, spend, file, ended}: `file` is
 * data/NAME/labels/ID.jsonl (docs/formats/audit.md), `ended` says why it ended before all were
 * asked,
 * "" if it did not.  New reference.  ERR_CONFIG: the text is not shared, labels that cannot be;
 * ERR_STOPPED: the same job goes on. */
bool label_run(Lab *lab, const LabelJob *job, json_t **report, Err *err) MUST_CHECK;

#endif
