/* research_private.h - what research.c and closing.c share. */
#ifndef LAB_RESEARCH_PRIVATE_H
#define LAB_RESEARCH_PRIVATE_H

#include "lab/research.h"

typedef struct Session {
    Lab *lab;
    const SessionPlan *plan;
    const SessionWatch *watch;
    History h;
    const char *source[MIXTURE_MAX]; /* whose held-out text judges the question */
    int n_sources;
    const char *over;  /* why the research has ended; NULL: it has not */
    double date_ahead; /* of the monotonic clock, when the stretch of work began */
} Session;

void session_say(const Session *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* One run of the question; `experiment` may be NULL.  The history is brought up to date. */
bool session_run(Session *s, const Recipe *recipe, uint64_t seed, const char *purpose,
                 const char *experiment, RunResult *out, Err *err) MUST_CHECK;

/* bpb of finished runs on a tier; the read must be in the ledger already. */
bool session_score(Session *s, int tier, const int *index, int n, double *bpb, Err *err) MUST_CHECK;

/* After the last verdict: champion against first recipe on unused seeds, champion in full,
 * report.  Each part is skipped where the ledger has it. */
bool session_close(Session *s, Err *err) MUST_CHECK;

#endif
