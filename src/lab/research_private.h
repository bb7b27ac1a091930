/* research_private.h - what the files of the loop and closing.c share. */
#ifndef LAB_RESEARCH_PRIVATE_H
#define LAB_RESEARCH_PRIVATE_H

#include "lab/research.h"
#include "science/left.h"

typedef struct Session {
    Lab *lab;
    const SessionPlan *plan;
    const SessionWatch *watch;
    History h;
    const char *source[MIXTURE_MAX]; /* whose held-out text judges the question */
    int n_sources;
    bool text_changed; /* since the question was opened */
    const char *over;  /* why the research has ended; NULL: it has not */
    double date_ahead; /* of the monotonic clock, when the stretch of work began */
} Session;

void session_say(const Session *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* One run of the question; `experiment` may be NULL.  The history is brought up to date. */
bool session_run(Session *s, const Recipe *recipe, uint64_t seed, const char *purpose,
                 const char *experiment, RunResult *out, Err *err) MUST_CHECK;

bool session_run_hash(Session *s, const char *recipe, uint64_t seed, const char *purpose,
                      const char *experiment, Err *err) MUST_CHECK;

/* One more run of a champion's bank, on an unused seed. */
bool session_bank_run(Session *s, const char *recipe, const char *why, Err *err) MUST_CHECK;

/* The lab with another arena: what is read through it is gone when that is released.  A session
 * makes thousands of proposals and runs, and only its history has to stay. */
Lab session_scratch(const Session *s, Arena *scratch);

double session_seconds(const Session *s); /* that it has worked */

/* recipes/champion.toml follows the ledger; done again at the start of each session. */
bool session_write_champion(Session *s, Err *err) MUST_CHECK;

/* The next step of an open experiment (research_step.c). */
bool session_step(Session *s, const HistExp *x, Err *err) MUST_CHECK;

/* Duties of research_next.c, in the order of the loop: *did where something was done. */
bool session_race(Session *s, bool *did, Err *err) MUST_CHECK;
bool session_check_end(Session *s, bool *did, Err *err) MUST_CHECK; /* sets s->over */
bool session_take_out(Session *s, bool *did, Err *err) MUST_CHECK;
bool session_decide(Session *s, bool *did, Err *err) MUST_CHECK;
bool session_ask(Session *s, bool *did, Err *err) MUST_CHECK;

/* It passed on a champion that is no more: closes it with this verdict, and proposes it again. */
bool session_confirm_anew(Session *s, const HistExp *x, json_t *verdict, Err *err) MUST_CHECK;

Left session_left(const Session *s);

/* bpb of finished runs on a tier; the read must be in the ledger already. */
bool session_score(Session *s, int tier, const int *index, int n, double *bpb, Err *err) MUST_CHECK;

/* Looks whether the text is still what the question was opened on, and sets text_changed. */
bool session_text_changed(Session *s, Err *err) MUST_CHECK;

/* Closes an experiment of which nothing was tried: it does not count as a decided proposal. */
bool session_refuse(Session *s, const HistExp *x, const char *why, Err *err) MUST_CHECK;

/* The first run of a recipe did not begin, and *err says why: a vocabulary larger than the text
 * supports, more memory than there is.  True if that was entered as the answer to the proposal;
 * false, with *err as it was, if the champion could not begin either. */
bool session_answer(Session *s, const HistExp *x, Err *err) MUST_CHECK;

/* After the last verdict: champion against first recipe on unused seeds, champion in full,
 * report.  Each part is skipped where the ledger has it. */
bool session_close(Session *s, Err *err) MUST_CHECK;

#endif
