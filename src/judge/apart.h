/* apart.h - a candidate's process before the judge: each sitting is a sandbox of its own, which
 * holds the program and its checkpoint and nothing else. */
#ifndef JUDGE_APART_H
#define JUDGE_APART_H

#include "judge/arm.h"
#include "sandbox/sandbox.h"

typedef struct ApartJob {
    JudgeText text;
    const Tokenizer *tokenizer;
    int context;
    const char *program; /* called inside as `program inside answer /model THREADS` */
    const char *model;   /* folder of checkpoints */
    int threads;
    uint64_t secret;
    SandboxLimits limit; /* of a sitting */
} ApartJob;

typedef struct ApartResult {
    ArmResult arm;    /* rejected too where the process died, hung or spoke another protocol */
    double wall, cpu; /* of both sittings, seconds; cpu that of the candidate alone */
} ApartResult;

bool apart_score(const ApartJob *job, Arena *out, ApartResult *result, Err *err) MUST_CHECK;

#endif
