/* verdict.h - the rule that keeps or drops a proposal (docs/honest.md, sections 3 and 4).
 *
 * It sees numbers only: finished runs of champion and candidate, the pooled noise, the
 * held-out set's own error, how many were kept and decided before.  The lab asks for the next
 * step, does it, and asks again; the simulator and the tests ask the same function.
 *
 *     VerdictCase c = { bank, noise, ... };
 *     for (;;) {
 *         VerdictStep step = verdict_next(&c, &ev);
 *         c.confirming = ev.confirming;
 *         if (step >= VERDICT_KEEP) break;
 *         ... do the step, put its outcome into c
 *     }
 *
 * bpb everywhere: lower is better, gains are positive. */
#ifndef SCIENCE_VERDICT_H
#define SCIENCE_VERDICT_H

#include "base/base.h"

/* Pooled noise: residual sums of squares within recipes over their degrees of freedom.  In a
 * verdict: all finished recipes of the same size, frame and machine class, the champion's bank
 * too, each run once; never the candidate that is being judged, and no failed run. */
typedef struct Noise {
    double ss;
    double nu;
} Noise;
void noise_add(Noise *n, const double *x,
               int count);           /* runs of one recipe; fewer than 2 add nothing */
double noise_s(const Noise *n);      /* sqrt(ss / nu); NaN without freedom */
double noise_s_used(const Noise *n); /* the same times 1 + 0.5 / nu: s of all that follows */

enum { VERDICT_RUNS = 64 };

typedef struct VerdictCase {
    double bank[VERDICT_RUNS]; /* finished runs of the champion (bpb), failures left out */
    int m;
    double run[VERDICT_RUNS]; /* finished runs of the candidate in order, failures left out */
    int n;
    int fresh;              /* how many of the last are confirmation runs on unused seeds */
    int failed;             /* failed runs of the candidate, in either phase */
    bool confirming;        /* once opened always open: copy Evidence.confirming here */
    Noise noise;            /* nu >= 1 */
    double e;               /* error of the held-out set for this pair of arms, in bpb */
    double rho;             /* same-seed correlation in use (pairs_rho); 0: none */
    int twin[VERDICT_RUNS]; /* with rho: 1 + index in bank of the run on run[i]'s seed; 0: none */
    int kept,
        decided; /* proposals before this one in the question; undecided ones count as decided */
    int audit;   /* 0 not asked yet, 1 agrees, -1 disagrees */
} VerdictCase;

typedef enum VerdictStep {
    VERDICT_SEARCH,   /* one more candidate run, on the next bank seed */
    VERDICT_CONFIRM,  /* one more candidate run, on a seed neither arm has used */
    VERDICT_CHAMPION, /* first one more champion run, on an unused seed */
    VERDICT_AUDIT,    /* ask the audit tier (verdict_audit_agrees), set `audit` */
    VERDICT_KEEP,     /* from here on: decided */
    VERDICT_DROP,
    VERDICT_UNDECIDED,
} VerdictStep;

typedef struct Evidence {
    double D, v, s;           /* difference of means, its variance over s^2, noise in use */
    double B, pi, P;          /* Bayes factor, prior, probability that the gain is real */
    double effect, low, high; /* reported (shrunken) effect and 90 % interval, in bpb */
    double gain_fresh;        /* of the confirmation runs alone, in bpb; NaN before the first */
    bool confirming;
    const char *why; /* a constant sentence: what decided, or what is awaited */
} Evidence;

/* The next step, from the case alone; no state is kept.  `out` is filled always; before the
 * first run its numbers are NaN.  The interval is of g | g > 0 for KEEP, else D -+ t s sqrt(v). */
VerdictStep verdict_next(const VerdictCase *c, Evidence *out);
const char *verdict_word(VerdictStep s); /* "keep", "drop", "undecided", else "running" */

/* The numbers without the rule: any two arms, as for the headline.  n and m >= 1. */
void verdict_weigh(const VerdictCase *c, Evidence *out);

/* Did this run fail: not finite, or worse than the bank's median by 8 s (noise_s). */
bool verdict_failed(double bpb, const double *bank, int m, double s);

/* Does the champion owe a run: every 4 proposals one more while m < 8. */
bool verdict_champion_due(int m, int proposals_since_last);

/* Runs of the first bank; and how many a winner's bank is topped up to with fresh runs. */
int verdict_first_bank(int planned_proposals);
enum { VERDICT_NEW_BANK = 5 };

/* The one bit of the audit tier: `c` holds the same runs scored there.  Do they gain s/2? */
bool verdict_audit_agrees(const VerdictCase *c);

/* Taking a kept claim out again.  c->bank: runs with the claim, c->run: runs without it.
 * VERDICT_SEARCH: one more run without; VERDICT_KEEP: it stays; VERDICT_DROP: it goes.  Where runs
 * without it fail (c->failed: the first one, or two), it stays: a claim of more than 8 sigma is
 * missed so much that they do. */
VerdictStep verdict_reablate(const VerdictCase *c, double *gain);

/* Upper 90 % limit (Clopper-Pearson) of the share of proposals that are kept; 1 for none decided.
 */
double verdict_share_limit(int kept, int decided);

/* What a session can resolve: the smallest true gain, in sigmas, found with probability .8 in a
 * session of so many proposals whose first bank has m runs (tabulated from science/sim.h). */
double verdict_detectable(int m, int proposals);

/* Do same-seed runs of champion and candidate move together?  Residuals about each recipe's
 * own means, gathered over candidates of one kind of edit. */
typedef struct Pairs {
    double aa, bb, ab;
    int pairs, groups;
} Pairs;
void pairs_add(Pairs *p, const double *bank, const double *run,
               int n); /* one candidate; below 2 adds nothing */

/* The correlation to use: 0 unless 20 pairs put its lower 90 % limit above 0.2.  estimate and
 * low may be NULL; they are NaN without enough freedom. */
double pairs_rho(const Pairs *p, double *estimate, double *low);

#endif
