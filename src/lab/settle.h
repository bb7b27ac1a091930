/* settle.h - does the remedy of a finding help a model?  The experiment that decides it.
 *
 * Two arms: training without what the remedy removes, and without as many tokens drawn at random
 * from the same data set (a list like any other, drop.h, with a seed of its own).  Recipe,
 * tokenizer, weights of the mixture, budget and seeds are the same, so the arms differ in *which*
 * text is gone.  Runs are judged on held-out text of clean data sets and weighed by
 * verdict_next, as all of the lab's experiments are: `keep` says that the remedy gains over
 * forgetting at random, on fresh seeds and on the audit tier too.
 *
 * In the ledger: `settle` fixes the arms before anything runs, `settled` has the verdict.  Killed
 * and called again it goes on; asked again after the verdict it answers from the ledger. */
#ifndef LAB_SETTLE_H
#define LAB_SETTLE_H

#include "lab/run.h"
#include "science/verdict.h"

typedef struct SettleWatch {
    RunWatch run;
    void (*say)(void *self, const char *sentence);
    void *self;
} SettleWatch;

typedef struct SettleOpt {
    const char *name;           /* the data set that was audited */
    const json_t *finding;      /* one of its findings that has an edit */
    const Recipe *recipe;       /* to train by; it reads the data set */
    const char *const *domains; /* whose held-out text judges, each counted apart too */
    int n_domains;
    int planned; /* findings to settle in this question: how many runs measure the noise */
    int threads;
    SettleWatch watch;
} SettleOpt;

/* The verdict as the ledger has it.  New reference. */
bool settle_finding(Lab *lab, const SettleOpt *opt, json_t **settled, Err *err) MUST_CHECK;

/* The data sets that judge where nobody said which: all of the lab but `name` and those named
 * *-dirty; `name` alone where there is no other (then what the remedy removes is in the held-out
 * text too, and a gain must be large to show).  names: (MIXTURE_MAX). */
bool settle_domains(const Lab *lab, const char *name, const char **names, int *count,
                    Err *err) MUST_CHECK;

#endif
