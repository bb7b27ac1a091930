/* diagnose.h - the doctor at the bedside: the chart of a run of this lab, news while it goes on,
 * and what is entered when it is over. */
#ifndef LAB_DIAGNOSE_H
#define LAB_DIAGNOSE_H

#include "base/json.h"
#include "doctor/doctor.h"
#include "lab/signals.h"

/* Every step that the ledger has of the run, finished or not, and what its recipe says: vocabulary,
 * clip, length.  chart_free either way. */
bool lab_chart(Lab *lab, const char *run, Chart *out, Err *err) MUST_CHECK;

/* What was found and what could not be told, worst first; new reference.  curves: with the steps
 * and values of each finding's signal. */
json_t *diagnose_json(const char *what, const Chart *c, bool curves);

/* A run that is being watched.  Zero begins; health_end ends. */
typedef struct Health {
    Chart chart;
    json_t *looks; /* not yet in the ledger; NULL: none */
    double next;   /* the step from which on it is looked at again */
    uint64_t told; /* bits of findings that were news already */
    bool reported; /* another trainer tells, and not all that ours would */
} Health;
void health_begin(Health *h, Lab *lab, const Recipe *recipe);
void health_rows(Health *h, const StepRow *rows, int n);
void health_sights(Health *h, int64_t step, const Sight *sight, int n);
/* Enters the looks that are not in the ledger yet, as one entry `signals`. */
bool health_keep(Health *h, Lab *lab, const char *run, Err *err) MUST_CHECK;
/* Something worse than a note that was not told before: true, and a sentence in `out`.  Looks a
 * tenth of the way further each time, so that a run of any length is looked at a few dozen times.
 */
bool health_news(Health *h, char out[400]);
void health_end(Health *h);

/* Enters what is wrong with a finished run, worse than a note, one `diagnosis` each. */
bool diagnose_run(Lab *lab, const char *run, Err *err) MUST_CHECK;

#endif
