/* signals.h - what looks at a run saw: gathered, kept in the ledger, read back. */
#ifndef LAB_SIGNALS_H
#define LAB_SIGNALS_H

#include "base/json.h"
#include "lab/lab.h"
#include "train/look.h"

/* Adds a look to the chart, and to *looks, which wait to be kept; NULL begins. */
void signals_add(json_t **looks, Chart *c, int64_t step, const Sight *sight, int n);
/* Enters what waits as one entry `signals`; nothing if nothing does. */
bool signals_keep(json_t **looks, Lab *lab, const char *run, Err *err) MUST_CHECK;
void signals_drop(json_t **looks);

/* All that the ledger has of the run; what was said twice (after a crash) counts once. */
bool signals_recall(Lab *lab, const char *run, Chart *out, Err *err) MUST_CHECK;

#endif
