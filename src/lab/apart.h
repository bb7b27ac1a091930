/* apart.h - runs whose engine nobody vouches for: trained in a sandbox, scored at arm's length. */
#ifndef LAB_APART_H
#define LAB_APART_H

#include "lab/run.h"

typedef struct ApartScore {
    JudgeScore score; /* in `out`; bpb NaN where rejected */
    bool rejected;
    char why[400];
    double wall, cpu; /* the candidate's, seconds */
    int probes;
} ApartScore;

typedef struct ApartWho {
    const Recipe *recipe;
    const char *dir;     /* its checkpoints */
    const char *program; /* that answers */
    int threads;
} ApartWho;

/* Asks the judge's process, which is this executable. */
bool apart_ask(Lab *lab, const ApartWho *who, const JudgeText *text, Arena *out, ApartScore *score,
               Err *err) MUST_CHECK;

/* This executable's path. */
const char *apart_self(Arena *out);

#endif
