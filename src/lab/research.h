/* research.h - works a session: propose, run, judge, record, until it is over.
 *
 * A session ends by its budget, by a person, or because nothing left is worth
 * its cost; then the champion is trained in full and the report written.
 * docs/honest.md has the protocol; science/verdict.h the rule. */
#ifndef LAB_RESEARCH_H
#define LAB_RESEARCH_H

#include "lab/run.h"
#include "lab/session.h"

/* What the loop tells while it works. */
typedef struct SessionWatch {
    void *self;
    bool (*stop)(void *self);                        /* polled: true ends with ERR_STOPPED */
    void (*doing)(void *self, const char *sentence); /* "e3: Muon instead of AdamW, seed 2" */
    void (*planned)(void *self, const char *run, const PlanCost *cost, int64_t steps);
    void (*live)(void *self, const char *run, const StepRow *last, int64_t steps);
    /* Where runs and readings of a tier come from; NULL: they are trained and read (lab_run,
     * lab_run_score).  For sessions whose truth is known. */
    bool (*run)(Lab *lab, const RunJob *job, RunResult *out, Err *err);
    bool (*score)(Lab *lab, const char *run, int tier, JudgeScore *out, Err *err);
} SessionWatch;

/* Works the session to its end, writes the report, trains the champion in full. */
bool session_work(Lab *lab, const SessionPlan *plan, const SessionWatch *watch,
                  Err *err) MUST_CHECK;

#endif
