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

/* The tree of source whose engine trains this recipe (code/source.h); NULL: this program does. */
const char *apart_code(const Recipe *recipe);

/* That engine, built if need be. */
bool apart_engine(Lab *lab, const Recipe *recipe, const char **program, Err *err) MUST_CHECK;

/* Trains in a sandbox: sees the training text and its own folder, `dir`, where it goes on from its
 * checkpoints.  What the engine says of itself goes to the sink and into `out`; a run that crashed,
 * hung or took more than it may is one that is not finite, with the reason in `why`. */
typedef struct ApartTrain {
    const Recipe *recipe;
    const char *dir;
    uint64_t seed;
    int threads;
    RunSink sink;
} ApartTrain;
bool apart_train(Lab *lab, const ApartTrain *job, TrainResult *out, char why[400],
                 Err *err) MUST_CHECK;

/* This executable's path. */
const char *apart_self(Arena *out);

#endif
