/* census.h - single tokens of the text that a run reads. */
#ifndef TRAIN_CENSUS_H
#define TRAIN_CENSUS_H

#include "data/mixture.h"

typedef struct Census {
    double unigram; /* entropy of single tokens, nats */
    double unused;  /* share of the vocabulary that the sample does not use */
    bool enough;    /* fifty tokens for each of the vocabulary: `unused` says something */
} Census;

/* From up to 65536 tokens of each source, by its weight. */
bool census_take(const Mixture *m, Arena scratch, Census *out, Err *err) MUST_CHECK;

#endif
