/* history.h - what the ledger says about one question, as arrays.
 *
 * The research loop keeps no state of its own: before each decision it brings
 * this up to date from the ledger and decides from it alone.  So a killed
 * session goes on as if nothing had happened, and two readers of one ledger
 * see the same thing.  Everything lives in the lab's arena. */
#ifndef LAB_HISTORY_H
#define LAB_HISTORY_H

#include "lab/lab.h"
#include "science/verdict.h"

typedef struct HistRun {
    const char *id, *recipe, *purpose, *experiment, *session; /* "" where there is none */
    uint64_t seed;
    bool done, failed;
    double bpb, seconds;
    int64_t flops, at; /* at: seq of its result */
    int blocks;
    double *bits, *bytes; /* per block of the search tier */
    int exp;              /* index of its experiment; -1: none */
    int first, next;      /* runs of the same recipe: the first, and the next one (-1: the last) */
} HistRun;

typedef enum Decision { EXP_OPEN, EXP_KEEP, EXP_DROP, EXP_UNDECIDED, EXP_VETOED } Decision;

typedef struct HistExp {
    const char *id, *title, *author, *recipe, *base, *session;
    const char *kind; /* the knob it edits first: "kind of edit" */
    json_t *edits;    /* [{knob, from, to}] */
    double predicted, confidence;
    bool fresh_seeds;              /* searches on unused seeds instead of the bank's */
    int ablates;                   /* index of the experiment it takes out again; -1: none */
    int anew;                      /* index of the one that passed on an older champion; -1: none */
    const char *decides, *against; /* ids of two findings that it decides between; "" */
    Decision decision;
    int audit;       /* 0 not asked, 1, -1 */
    bool refused;    /* its recipe could not be run here: nothing was tried */
    bool moved;      /* it passed, and is confirmed anew on the champion that came before it */
    bool confirming; /* its evidence was once enough: from then on always */
    bool audit_read; /* the read is in the ledger, its answer perhaps not yet */
    double effect, low, high, P, seconds;
    int runs;
    const char *why;
    int64_t at; /* seq of the verdict */
} HistExp;

typedef struct History {
    Lab *lab;
    int64_t seen;                    /* seq of the last entry read */
    const char *question;            /* "" if none is open */
    json_t *body;                    /* of the question */
    const char *baseline, *champion; /* recipe hashes */
    int champion_exp;                /* index of the experiment that made it; -1: the baseline */
    HistRun *run;
    int runs, run_cap;
    int *slot, slots; /* a hash table of recipes: the index of the first run of each; -1: free */
    HistExp *exp;
    int exps, exp_cap;
    int audit_reads, audit_disagrees;
    int kept, decided;
    /* The newest session's time at work, in stretches.  One begins with a `work` entry, which the
     * loop appends when it begins or goes on, or with a resume; it ends with a pause or a stop, or,
     * where the next `work` shows that it was cut off, with the last entry of the loop itself.  So
     * time in which nobody worked (killed, stopped, paused, asleep) does not count, whatever people
     * write meanwhile. */
    double worked;        /* the stretches that have ended */
    double stretch, last; /* when the open one began (0: none); the loop's last entry */
} History;

/* The question opened last; `question` "" if there is none. */
bool history_open(History *h, Lab *lab, Err *err) MUST_CHECK;
bool history_update(History *h, Err *err) MUST_CHECK;
void history_close(History *h); /* the JSON it holds; what is in the arena stays there */

/* Somebody's idea, not a test that the session made of its own: those that take a claim out again
 * or decide between findings, and what was confirmed anew, move no prior and are not counted. */
bool history_is_idea(const HistExp *x);

/* Finished runs that make up the champion's bank (bank and confirmation runs), failures left
 * out: indices into run. */
int history_bank(const History *h, const char *recipe, int *index, int cap);

/* Finished runs of an experiment's candidate for it, in order, failures included. */
int history_candidate(const History *h, const HistExp *x, int *index, int cap);

/* All that the rule needs to know about an experiment now. */
void history_case(const History *h, const HistExp *x, VerdictCase *c);

/* The held-out set's own error for two arms of runs, in bpb (docs/honest.md, section 1): the same
 * text of the search tier, paired by block; 0 where the runs do not share their blocks. */
double history_text_error(const History *h, const int *bank, int m, const int *cand, int n);

/* Pooled noise of the question without one recipe (NULL: all). */
Noise history_noise(const History *h, const char *without);

const HistRun *history_find(const History *h, const char *recipe, uint64_t seed);
const HistExp *history_exp(const History *h, const char *id);
uint64_t history_free_seed(const History *h); /* one that nobody has used in the question */
int history_bank_seed(
    const History *h, const HistExp *x,
    uint64_t *seed); /* next seed of the bank that the candidate has not run; 0 if none left */

/* Seconds that the newest session has worked until `now` (clock_date). */
double history_worked(const History *h, double now);

/* Are the question's scores another trainer's own word?  No judge has seen them: there is no audit
 * tier, and they are not ranked with judged ones. */
bool history_reported(const History *h);

/* What a score is called: "bpb", or what the other trainer calls its own. */
const char *history_metric(const History *h);

/* Mean bpb over the finished runs of a recipe; NAN without. *n counts them.  Those that chose it
 * are among them: what is reported of a champion is history_bank_mean. */
double history_mean(const History *h, const char *recipe, int *n);

/* Mean bpb of a champion's bank, which no lucky run of the search enters; NAN without. */
double history_bank_mean(const History *h, const char *recipe, int *n);

#endif
