/* run.h - one run of the lab: trained, judged, in the ledger.  The only way in which anything
 * (train, research, replay) runs, so that every run is remembered alike.
 *
 * A run is named by (question, recipe, seed, data).  Asked for again it is not paid
 * again: a finished one is returned from the ledger, an interrupted one goes on from its last
 * checkpoint.  That is what makes a session safe to kill. */
#ifndef LAB_RUN_H
#define LAB_RUN_H

#include "judge/judge.h"
#include "lab/lab.h"
#include "train/train.h"

typedef struct RunWatch {
    void *self;
    bool (*stop)(void *self); /* true: checkpoint and return ERR_STOPPED */
    void (*planned)(void *self, const char *run, const PlanCost *cost, int64_t steps);
    void (*live)(void *self, const char *run, const StepRow *last, int64_t steps);
    void (*note)(void *self, const char *text); /* a sentence worth showing */
} RunWatch;

typedef struct RunJob {
    const Recipe *recipe;
    uint64_t seed;
    const char *purpose; /* train bank search confirm headline champion replay ladder */
    const char *question, *experiment, *session, *replay_of; /* NULL: none */
    const char *const *sources; /* whose held-out text judges; NULL: those of the recipe */
    int n_sources;
    int threads;
    RunWatch watch;
} RunJob;

typedef struct RunResult {
    char id[24];
    bool known;  /* it was in the ledger already */
    bool failed; /* the loss was not finite */
    double bpb;  /* on the search tier; NaN if failed */
    int64_t steps, tokens, flops, planned_bytes;
    int64_t peak_bytes; /* seen by this call's training; 0 where nothing was trained */
    double seconds, tokens_per_s, train_loss;
    double begun; /* clock_now() at the first step of this call; 0: nothing was trained */
    char weights_sha256[65], curve_sha256[65];
    bool self_reported; /* another trainer's own word: no judge has seen the model */
    char metric[64];    /* what it calls its score; "" of ours, in bits per byte */
    char why[400];      /* of what failed, where somebody said it; "" otherwise */
} RunResult;

bool lab_run(Lab *lab, const RunJob *job, RunResult *out, Err *err) MUST_CHECK;

/* The checkpoint folder of a run. */
char *lab_run_dir(const Lab *lab, const char *run);

/* Scores a finished run on a tier.  The caller has entered its judge_read: one entry for all
 * the runs that one question to the tier takes. */
bool lab_run_score(Lab *lab, const char *run, int tier, const char *const *sources, int n_sources,
                   JudgeScore *out, Err *err) MUST_CHECK;

/* Trains a finished run again where its checkpoint is gone or damaged, to the weights that the
 * ledger names; nothing is entered. */
bool lab_run_restore(Lab *lab, const char *run, int threads, RunWatch watch, Err *err) MUST_CHECK;

/* Runs the recipe and seed of `run` again from nothing. */
bool lab_replay(Lab *lab, const char *run, RunWatch watch, int threads, RunResult *was,
                RunResult *is, Err *err) MUST_CHECK;

/* Reads a result entry. */
bool lab_result(Lab *lab, const char *run, RunResult *out, bool *found, Err *err) MUST_CHECK;

#endif
