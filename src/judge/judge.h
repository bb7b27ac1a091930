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
    double bpb; /* not finite if some token's probability was 0 or no number */
    int64_t bytes, tokens, documents;
    int blocks;
    double *bits, *block_bytes; /* per block */
    int n_sources;
    double error;                   /* jackknife standard error of bpb; NaN below two blocks */
    double source_bpb[MIXTURE_MAX]; /* NaN for a source without text in the tier */
    char text_sha256[65]; /* of the hashes of the sources' texts, one to a line, as they were named
                           */
} JudgeScore;

/* Scores on one tier of the named sources together.  Reads of `audit` and `locked` are the
 * caller's to record in the ledger before it calls (judge_read entries).  A model whose training
 * text was not decontaminated against this held-out text is refused by the name of the source
 * (ERR_CONFIG).  ERR_STOPPED if asked to stop meanwhile. */
bool judge_score(const char *lab, const char *const *sources, int n_sources, int tier, Trained *t,
                 Arena *out, JudgeScore *score, Err *err) MUST_CHECK;

/* Held-out text to score on. */
typedef struct JudgeText {
    const char *lab;
    const char *const *sources;
    int n_sources, tier;
} JudgeText;

/* Whatever answers with probabilities: a trained model here, an oracle in a test, a candidate in
 * another process.  nll: -ln p(target | tokens before it in its row), (rows, length), 0 where
 * target < 0; length is always `context`. */
typedef struct Predictor {
    void *self;
    const Tokenizer *tokenizer;
    int context;
    int rows; /* at most so many per call; 0: the judge chooses */
    bool (*nll)(void *self, const int32_t *tokens, const int32_t *targets, int rows, int length,
                double *nll, Err *err);
} Predictor;

/* The score does not depend on `rows` if the predictor's rows do not depend on each other. */
bool judge_score_with(const JudgeText *text, const Predictor *p, Arena *out, JudgeScore *score,
                      Err *err) MUST_CHECK;

/* May a model of this recipe be scored on this text?  Not if some of its training text was never
 * searched for it: the addition to the source is named (ERR_CONFIG). */
bool judge_may_score(const JudgeText *text, const KnobSet *recipe, Arena scratch,
                     Err *err) MUST_CHECK;

/* How many blocks a text of so many bytes is cut into, and where block b of n begins. */
int judge_blocks(int64_t bytes);
int64_t judge_block_start(int64_t bytes, int n, int b);

#endif
