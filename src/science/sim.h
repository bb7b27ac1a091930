/* sim.h - simulated research sessions: how often does a rule keep nothing, or miss something?
 *
 * A session is a list of proposals with known true gains, judged by the program's own
 * verdict_next() or by a rule that others use.  Unit: the true sigma, the standard deviation over
 * seeds of one finished run.  docs/honest.md, section 4, shows the table. */
#ifndef SCIENCE_SIM_H
#define SCIENCE_SIM_H

#include "base/base.h"

typedef enum SimRule {
    SIM_VERDICT,   /* verdict_next */
    SIM_LOWER,     /* one run; keep if lower */
    SIM_TWO_SD,    /* one run; keep if better by 2 sd of two baseline runs */
    SIM_PAIRED_T,  /* three seeds each, one-sided t-test at .05 */
    SIM_FIXED_SIX, /* six seeds each, sigma known, one-sided at .0047 */
    SIM_LORD,      /* verdict_next's evidence, kept at 1 / alpha of LORD++ instead of P >= .8 */
} SimRule;

/* What real gains are drawn from. */
typedef enum SimGains {
    SIM_LISTED,      /* one of gain[], alike */
    SIM_HALF_NORMAL, /* of scale gain[0] */
    SIM_EXPONENTIAL, /* of mean gain[0]: many small ones, a heavy tail */
} SimGains;

/* What the world is like; zero is the reference but for the share of nulls and the gains. */
typedef struct SimWorld {
    double null_share; /* of the proposals */
    double harm_share; /* further ones, that lose an exponential amount of mean 3 */
    SimGains shape;    /* of the others */
    double gain[3];
    int gains;          /* how many of gain[]; 1 where they are a scale */
    bool heavy;         /* t(4) scaled to variance 1 instead of normal */
    double first_sigma; /* the first bank's estimate is this instead of what was drawn; 0: honest */
    double varies;      /* sd of log sigma between recipes */
    double null_noise;  /* sigma of null candidates; 0: 1 */
    double held_out;    /* sd of a recipe's deviation on the held-out set */
    bool held_out_told; /* the rule is told (VerdictCase.e) */
    double fails;       /* probability that a run fails */
    double rho;         /* correlation of same-seed runs */
    bool rho_used;      /* VerdictCase.rho = rho_told */
    double rho_told;
    int first_bank;     /* 0: 8 */
    const double *pool; /* real runs of one recipe: noise is drawn from these, standardised */
    int pool_n;
} SimWorld;

typedef struct SimTally {
    double nulls, nulls_kept, harms, harms_kept;
    double gains[3], found[3];
    double kept, true_gain, reported, covered; /* of kept claims; covered: of the real ones */
    double runs, proposals, sessions, sessions_with_null;
    double runs_2, reported_2, true_2, reported_true; /* squares and products, over sessions */
} SimTally;

/* Plays sessions of so many proposals; the same seed plays the same sessions. */
SimTally sim_play(const SimWorld *world, SimRule rule, int sessions, int proposals, uint64_t seed);

/* Ratios of a tally; NaN where there is nothing to divide. */
double sim_null_kept(const SimTally *t);
double sim_null_among_kept(const SimTally *t); /* nulls and harmful ones */
double sim_found(const SimTally *t, int gain);
double sim_runs(const SimTally *t);  /* all runs paid, champion and first bank too, per proposal */
double sim_error(const SimTally *t); /* mean reported over mean true gain of what was kept */

/* Standard errors: of a share of so many, and from the spread between sessions. */
double sim_share_se(double share, double of);
double sim_runs_se(const SimTally *t);
double sim_error_se(const SimTally *t);

/* Taking a kept claim of true gain g out again (verdict_reablate), bank of 8: share that stays. */
double sim_reablate(double g, int trials, uint64_t seed, double *runs);

/* Do real runs of one recipe obey the rule's arithmetic?  Draws a bank of 8 and a candidate of 4
 * from the pool, without putting back, and asks where D / (s sqrt(v)) stands in Student's t with
 * the bank's 7 degrees.  pool_n >= 12. */
typedef struct SimAgreement {
    double distance;  /* the largest between the two distribution functions (Kolmogorov, Smirnov) */
    double low, high; /* shares below the 5 % and above the 95 % point of t */
    int draws;
} SimAgreement;
SimAgreement sim_agreement(const double *pool, int pool_n, int draws, uint64_t seed);

/* The rows of the table, with what each must hold to. */
typedef struct SimRow {
    const char *name;
    SimRule rule;
    SimWorld world;
    double found2; /* the least share of 2 sigma found; 0: not asked */
    double error;  /* the largest ratio reported/true; 0: not asked */
    bool held;     /* to the limits of nulls and runs */
} SimRow;
const SimRow *sim_rows(int *count);

#endif
