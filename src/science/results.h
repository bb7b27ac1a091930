/* results.h - the rule of verdicts on results that somebody else's trainer made.
 *
 * A list of cells "proposal, seed, champion, candidate" becomes recipes and runs: the champion
 * of one proposal is that of another if they share a run (same seed, same value), and the winner of
 * an earlier one if it shares a run with that winner.  A proposal without champion cells is
 * compared with the winner of the last keep, or with the champion before it.  Proposals are decided
 * in the order of their first rows by verdict_next(), candidate runs taken in the order of rows, so
 * that runs behind a decision are not read. */
#ifndef SCIENCE_RESULTS_H
#define SCIENCE_RESULTS_H

#include "base/arena.h"
#include "base/err.h"
#include "science/verdict.h"

typedef struct ResultsRow {
    const char *proposal, *seed;
    bool has_champion, has_candidate;
    double champion, candidate; /* lower is better; not finite: the run failed */
} ResultsRow;

typedef struct ResultsOpt {
    double sigma; /* > 0: known; else pooled from the rows */
    double e;     /* error of the held-out set */
} ResultsOpt;

typedef struct ResultsVerdict {
    const char *proposal;
    VerdictStep
        step; /* below VERDICT_KEEP: the rows ended before a decision, and this is awaited */
    Evidence ev;
    double plain_low, plain_high; /* D -+ t s sqrt(v), also for what is kept */
    int m, n, given;              /* bank, candidate runs read, candidate runs in the rows */
    int failed;
    double rho;      /* in use */
    double s, nu;    /* of the noise before this verdict */
    bool bank_lucky; /* the bank holds runs that found the winner: there were no others */
} ResultsVerdict;

/* Decides all proposals.  False with a sentence where there is no champion run, or no noise. */
bool results_judge(const ResultsRow *row, int rows, const ResultsOpt *opt, Arena *out,
                   ResultsVerdict **verdict, int *count, Err *err) MUST_CHECK;

/* One run per proposal, kept if lower: what a ratchet wrote down. */
typedef struct RatchetRow {
    double value; /* not finite: crashed */
    bool kept;
} RatchetRow;
typedef struct RatchetKeep {
    int row, champion; /* indices; champion is the keep before */
    double gain;       /* champion's value minus this one's */
    double P, effect;  /* probability that the gain is real; the gain shrunken for luck */
    double low, high;  /* 90 % of the true difference of the two recipes */
} RatchetKeep;

/* Weighs every keep but the first (the baseline) against the keep before it, at a known sigma and
 * the prior of docs/honest.md.  Returns how many. */
int results_ratchet(const RatchetRow *row, int rows, double sigma, RatchetKeep *out, int cap);

/* How many sigma one run each must differ to be a gain with P = .8 at the first proposal. */
double results_ratchet_bar(void);

#endif
