/* share.h - what a model that is not of this machine may be shown.
 *
 * Numbers, recipes and findings may always leave (`stats`); text of a data set only where a person
 * granted it (`samples`), data set by data set.  A grant is an entry of the ledger, and so is its
 * end. */
#ifndef LAB_SHARE_H
#define LAB_SHARE_H

#include "lab/lab.h"

bool share_set(Lab *lab, const char *source, bool samples, const char *author, Err *err) MUST_CHECK;

/* *samples: may text of this data set be shown?  The last entry about it counts. */
bool share_of(Lab *lab, const char *source, bool *samples, Err *err) MUST_CHECK;

/* One sentence for people: "numbers, recipes and findings; text of books". */
bool share_words(Lab *lab, Buf *out, Err *err) MUST_CHECK;

#endif
