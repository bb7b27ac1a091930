/* audit.h - what is wrong with a data set, found by looking at all of it.
 *
 * Each detector of audit_list.h reads the training text and names documents.  A finding says how
 * much there is of it, shows examples with their place, says how sure it is, and carries its
 * remedy: a list (drop.h) for `data.drop` in a recipe.  Whether a remedy helps a model is not
 * decided here: lab/settle.h trains with and without it.
 *
 *     LAB/data/NAME/audit.json       the findings of the last audit, and those that were added
 *     LAB/data/NAME/drops/ID.txt     the remedies
 *
 * Held-out text is never opened. */
#ifndef DATA_AUDIT_H
#define DATA_AUDIT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "data/tokenizer.h"

typedef struct AuditJob {
    const char *lab, *name;
    const char *const *against; /* evaluation sets: files that reader.h reads */
    int n_against;
    const Tokenizer *tokenizer; /* for what it does with the text; NULL: not asked */
    const char *scores;         /* a file of scores.h; NULL: not asked */
    const char *documents;      /* a file for a line of JSON on each document; NULL: none */
} AuditJob;

/* The report, also kept as audit.json: {format, name, train_sha256, documents, bytes, findings,
 * quiet: [kinds that found nothing]}; docs/formats/audit.md has the fields.  Findings are ranked by
 * the bytes that they are sure of.  ERR_STOPPED. */
bool audit_run(const AuditJob *job, json_t **report, Err *err) MUST_CHECK;

/* The report as it is kept; ERR_CONFIG if there is none or the text has changed since. */
bool audit_read(const char *lab, const char *name, json_t **report, Err *err) MUST_CHECK;

/* Findings of somebody else, in the same form (a list, or an object with `findings`), put beside
 * ours.  Each is refused (ERR_CONFIG) unless all that it points to exists: documents by number
 * or hash, examples by place and text.  *added is the number taken. */
bool audit_add(const char *lab, const char *name, const json_t *findings, const char *author,
               int *added, Err *err) MUST_CHECK;

/* The kinds that there are detectors for, with a line on each. */
typedef struct AuditKind {
    const char *kind, *doc;
} AuditKind;
const AuditKind *audit_kinds(int *count);

#endif
