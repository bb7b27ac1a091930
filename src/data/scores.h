/* scores.h - what a model made of each document: -ln p of every token, beside the shards.
 *
 *     LAB/data/NAME/scores/RUN.bin
 *
 * 256 bytes of header (magic, version, documents, tokens, SHA-256 of the training text and name of
 * the run), then a uint64 for each document (where its tokens end) and a float32 for each token, in
 * nats, little-endian (docs/formats/audit.md).  judge/documents.h makes them. */
#ifndef DATA_SCORES_H
#define DATA_SCORES_H

#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

typedef struct ScoresOut {
    FileOut file;
    Buf ends;
    int64_t documents, tokens, expected;
} ScoresOut;

/* `documents` is how many there will be. */
bool scoresout_open(ScoresOut *o, const char *path, int64_t documents, Err *err) MUST_CHECK;
bool scoresout_add(ScoresOut *o, const float *nll, int64_t tokens, Err *err) MUST_CHECK;
bool scoresout_commit(ScoresOut *o, const char *train_sha256, const char *run, Err *err) MUST_CHECK;
void scoresout_drop(ScoresOut *o);

typedef struct Scores {
    int64_t documents, tokens;
    char run[64];
    const unsigned char *ends, *nll;
    void *map;
    ptrdiff_t map_len;
} Scores;

/* ERR_FORMAT if it is no such file; ERR_CONFIG if it is of another text than `train_sha256`. */
bool scores_open(Scores *s, const char *path, const char *train_sha256, Err *err) MUST_CHECK;
void scores_close(Scores *s);
int64_t scores_tokens(const Scores *s, int64_t document);
double scores_nats(const Scores *s, int64_t document); /* of all its tokens */
float scores_token(const Scores *s, int64_t document, int64_t token);

#endif
