/* filter_table.h - what each rule would leave out of a data set, file by file, with examples. */
#ifndef DATA_FILTER_TABLE_H
#define DATA_FILTER_TABLE_H

#include "base/err.h"
#include "base/json.h"

/* Every filter alone, on the training text as it stands, with the thresholds that `filters` (the
 * knob data.filters) gives the data set.  A new reference:
 * { documents, bytes: of the training text; judged: {documents, bytes}: a sample if that is much;
 *   sources: [{name, documents, bytes, judged}]: the files it came from, the largest first, the
 * rest as one; filters: [{filter, source, documents: [by source], rules: [{rule, sense: "<" ">" or
 * "edit", threshold, documents: [...], places: [...]: of an edit, examples: [{document, path,
 * offset, value, text}]}]}] } Kept beside the data set until that changes.  ERR_STOPPED. */
bool filter_table(const char *lab, const char *name, const char *filters, json_t **table,
                  Err *err) MUST_CHECK;

#endif
