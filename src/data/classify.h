/* classify.h - a linear classifier on hashed words and pairs of words, trained from labels.
 *
 * For questions that no rule answers: which source does this look like, is it good.  Labels come
 * from where a document was read, from a person's file, or from a language model that read a
 * sample.  Deterministic in (texts, labels, seed); no libm. */
#ifndef DATA_CLASSIFY_H
#define DATA_CLASSIFY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { CLASSIFY_LABELS = 64 };

typedef struct Classifier {
    const char *label[CLASSIFY_LABELS];
    int labels;
    float *weight; /* (labels, buckets) */
} Classifier;

/* What a text is to the classifier: reads at most some thousand words of its beginning, middle and
 * end.  Appended to `out`; opaque, for as many uses as wanted. */
void classifier_features(Str text, Buf *out);

/* names: (labels), kept; label[i] < labels is that of features[i], views of what
 * classifier_features wrote. */
void classifier_train(Classifier *c, const char *const *names, int labels, const Str *features,
                      const int *label, int64_t n, uint64_t seed, Arena *out);

/* The label and by how much it leads the next one (0 and up; 1 is a clear case). */
int classifier_ask(const Classifier *c, Str features, double *lead);

/* Each asked by a classifier that was trained without it, in `folds` parts: guess and lead (n). */
void classifier_cross(const char *const *names, int labels, const Str *features, const int *label,
                      int64_t n, int folds, uint64_t seed, Arena scratch, int *guess, double *lead);

bool classifier_save(const Classifier *c, const char *path, Err *err) MUST_CHECK;
bool classifier_load(Classifier *c, const char *path, Arena *out, Err *err) MUST_CHECK;

#endif
