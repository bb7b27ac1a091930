/* verdict.h - the rule that keeps or drops a proposal (docs/honest.md, sections 3 and 4).
 *
 * It sees numbers only: finished runs of champion and candidate, the pooled noise, the
 * held-out set's own error, how many were kept and decided before.  The lab asks for the next
 * step, does it, and asks again; the simulator and the tests ask the same function. */
#ifndef SCIENCE_VERDICT_H
#define SCIENCE_VERDICT_H

#include "base/base.h"

/* Pooled noise: residual sums of squares within recipes over their degrees of freedom. */
typedef struct Noise {
    double ss;
    double nu;
} Noise;
void noise_add(Noise *n, const double *x, int count); /* runs of one recipe; fewer than 2 add nothing */
double noise_s(const Noise *n);                       /* sqrt(ss / nu); NaN without freedom */

enum { VERDICT_RUNS = 64 };

typedef struct VerdictCase {
    double bank[VERDICT_RUNS]; /* finished runs of the champion (bpb) */
    int m;
    double run[VERDICT_RUNS];  /* finished runs of the candidate in order, failures left out */
    int n;
    int fresh;                 /* how many of the last are confirmation runs on unused seeds */
    int failed;                /* failed runs of the candidate, in either phase */
    bool first_failed;         /* its very first run failed */
    bool confirming;           /* opened earlier: once confirming, always confirming */
    Noise noise;
    double e;                  /* error of the held-out set for this pair of arms, in bpb */
    double rho;                /* same-seed correlation in use; 0 unless rule 3 allows it */
    double pair_bank;          /* with rho: mean of the bank on the candidate's search seeds */
    int kept, decided;         /* proposals before this one, in the question */
    int audit;                 /* 0 not asked yet, 1 agrees, -1 disagrees */
    bool null_loss;            /* reserved: zero */
} VerdictCase;

typedef enum VerdictStep {
    VERDICT_SEARCH,    /* one more candidate run, on the next bank seed */
    VERDICT_CONFIRM,   /* one more candidate run, on a seed neither arm has used */
    VERDICT_CHAMPION,  /* first one more champion run, on an unused seed */
    VERDICT_AUDIT,     /* ask the audit tier whether the same runs gain at least s/2 */
    VERDICT_KEEP,
    VERDICT_DROP,
    VERDICT_UNDECIDED,
} VerdictStep;

typedef struct Evidence {
    double D, v, s;             /* difference of means, its variance over s^2, noise in use */
    double B, pi, P;            /* Bayes factor, prior, probability that the gain is real */
    double effect, low, high;   /* reported (shrunken) effect and interval, in bpb; gain positive */
    double gain_fresh;          /* of confirmation runs alone, in bpb */
    const char *why;            /* a sentence constant: what decided */
} Evidence;

VerdictStep verdict_next(const VerdictCase *c, Evidence *out);
const char *verdict_word(VerdictStep s); /* "keep", "drop", "undecided", else "running" */

/* Did this run fail: not finite, or worse than the bank's median by 8 s. */
bool verdict_failed(double bpb, const double *bank, int m, double s);

/* Does the champion owe a run: every 4 proposals one more while m < 8. */
bool verdict_champion_due(int m, int proposals_since_last);

/* What a session can resolve: the smallest effect found with probability .8, in sigmas, with
 * `runs` runs per proposal and a bank of m (simulated once, tabulated). */
double verdict_detectable(int m);

/* Seeds correlate: the estimate and its lower 90 % limit from n same-seed pairs. */
void verdict_rho(const double *a, const double *b, int n, double *rho, double *low);

#endif
