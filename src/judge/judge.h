/* judge.h - owns the held-out text and scores models in bits per byte.
 *
 *     bpb = sum of -log2 p(text) / bytes of the text
 *
 * Each document is scored from an end-of-text token on, in windows of the
 * model's context; the end of text itself is not part of the text and not
 * counted.  Bytes are counted from the text, never from decoded tokens.  The
 * text is cut into blocks for the jackknife; blocks are the same for every
 * model, so differences of two arms pair by block. */
#ifndef JUDGE_JUDGE_H
#define JUDGE_JUDGE_H

#include "base/arena.h"
#include "base/err.h"
#include "data/corpus.h"
#include "data/mixture.h"
#include "train/trained.h"

typedef struct JudgeScore {
    double bpb;
    int64_t bytes, tokens, documents;
    int blocks;
    double *bits, *block_bytes; /* per block */
    double error;               /* jackknife standard error of bpb */
    double source_bpb[MIXTURE_MAX];
    char text_sha256[65];       /* of the tier's text */
} JudgeScore;

/* Scores on one tier of the named sources together.  Reads of `audit` and `locked` are the
 * caller's to record in the ledger before it calls (judge_read entries). */
bool judge_score(const char *lab, const char *const *sources, int n_sources, int tier, Trained *t,
                 Arena *out, JudgeScore *score, Err *err) MUST_CHECK;

#endif
