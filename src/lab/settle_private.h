/* settle_private.h - the parts of settle_*.c: plan, arms, loop. */
#ifndef LAB_SETTLE_PRIVATE_H
#define LAB_SETTLE_PRIVATE_H

#include "lab/settle.h"

/* ---- the plan: two recipes (settle_plan.c) ---- */

typedef struct SettlePlan {
    char id[24]; /* "a1" */
    char base[65];
    Recipe control, remedy;
    const char *control_list, *remedy_list;        /* "NAME:ID" */
    int64_t tokens, control_tokens, remedy_tokens; /* of the data set; gone in each arm */
    uint64_t control_seed;
    int bank;
} SettlePlan;

/* Reads the plan of this finding from the ledger, or makes it: draws the control's list, and
 * enters `settle` with both recipes. */
bool settleplan_open(Lab *lab, const SettleOpt *opt, SettlePlan *plan, Err *err) MUST_CHECK;

/* ---- the arms: what has been run (settle_arms.c) ---- */

typedef struct SettleRun {
    const char *id;
    uint64_t seed;
    bool fresh, failed;
    double bpb, seconds, flops;
    double by_domain[MIXTURE_MAX];
    int blocks;
    double *bits, *bytes; /* (blocks) */
} SettleRun;

typedef struct SettleArm {
    SettleRun run[VERDICT_RUNS];
    int n;
} SettleArm;

typedef struct SettleArms {
    SettleArm control, remedy;
    Noise noise;       /* of controls of all settles with this base recipe and these domains */
    int kept, decided; /* settles before this one */
    int audit;         /* 0 not asked, 1 agrees, -1 disagrees */
} SettleArms;

bool settlearms_read(Lab *lab, const SettleOpt *opt, const SettlePlan *plan, SettleArms *arms,
                     Err *err) MUST_CHECK;
/* The rule's view; failures are told by the bank. */
void settlearms_case(const SettleArms *arms, const SettlePlan *plan, VerdictCase *c);
/* Per domain: {name, gain, low, high}, of seeds alone. */
json_t *settlearms_domains(const SettleArms *arms, const SettleOpt *opt);

#endif
