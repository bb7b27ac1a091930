/* arm.h - scores a candidate that may lie, at arm's length.
 *
 * The candidate is asked for logits and for nothing else.  It sees rows of tokens in a random
 * order, in two sittings that share no memory, and cannot tell a question that counts from a
 * probe.  The judge makes probabilities of the logits, so they sum to one; counts bytes from the
 * text; and rejects whoever answers one question in two ways:
 *
 *   again    the same row twice in a sitting, among other rows
 *   fresh    the same row in the second sitting, where nothing of the first is remembered
 *   suffix   the row with another ending, which continues plausibly: answers before it stand
 *   end      the row cut short where a document could end: the same
 *
 * On a CPU answers agree to the bit (E3). */
#ifndef JUDGE_ARM_H
#define JUDGE_ARM_H

#include "judge/judge.h"

/* Whoever answers.  Rows are (rows, context); logits (rows, context, vocab), which the candidate
 * cannot reach any more once ask returns. */
typedef struct Sitting {
    void *self;
    int rows;                            /* at most so many per question */
    bool (*begin)(void *self, Err *err); /* nothing of an earlier sitting is left */
    bool (*ask)(void *self, const int32_t *tokens, int rows, float *logits, Err *err);
    void (*end)(void *self);
} Sitting;

typedef struct ArmJob {
    const Sitting *sitting;
    const Tokenizer *tokenizer; /* the judge's own */
    int context;
    uint64_t secret; /* orders and probes follow from it; the candidate must not guess it */
} ArmJob;

enum { ARM_AGAIN, ARM_FRESH, ARM_SUFFIX, ARM_END, ARM_KINDS };

typedef struct ArmResult {
    JudgeScore score; /* only where nothing was seen */
    bool rejected;
    char why[400]; /* what was seen */
    int rows;      /* that count */
    int probes[ARM_KINDS], failed[ARM_KINDS];
} ArmResult;

/* False: the world disagreed, and nothing is known about the candidate. */
bool arm_score(const JudgeText *text, const ArmJob *job, Arena *out, ArmResult *result,
               Err *err) MUST_CHECK;

#endif
