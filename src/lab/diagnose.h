/* diagnose.h - the chart of a run of this lab, for the doctor. */
#ifndef LAB_DIAGNOSE_H
#define LAB_DIAGNOSE_H

#include "doctor/doctor.h"
#include "lab/lab.h"

/* Every step that the ledger has of the run, finished or not, and what its recipe says: vocabulary,
 * clip, length.  chart_free either way. */
bool lab_chart(Lab *lab, const char *run, Chart *out, Err *err) MUST_CHECK;

#endif
