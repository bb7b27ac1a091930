/* classify.c - passive-aggressive updates over hashed features, averaged.
 *
 * The shape is fastText's with word pairs (Joulin et al. 2016), which DCLM's quality filter is
 * (Li et al. 2024), without its hidden layer: for topics and sources a linear model of word pairs
 * is as good, and it needs no exponential, so its bits are the same on every machine.  An example
 * that is not won by a lead of 1 moves the weights by just what is missing, at most C (Crammer et
 * al. 2006, PA-I); the mean of the weights over all examples is kept, because the last one is
 * the victim of the last examples.
 *
 * Features are counted by sign-free hashing into 2^18 buckets, dampened by a square root and
 * brought to length 1, so a long document weighs as much as a short one. */
#include "data/classify.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/rand.h"
#include "data/audit_inside.h"

enum { BITS = 18, BUCKETS = 1 << BITS, STRETCH = 4096, STRETCHES = 3, ROUNDS = 6 };
static const float most = 0.5F; /* C of PA-I */
static const char magic[8] = "LATHECLS";

typedef struct Feature {
    uint32_t bucket;
    float value;
} Feature;

/* ---- features ---- */

static int by_bucket(const void *a, const void *b)
{
    const Feature *x = a, *y = b;
    return (x->bucket > y->bucket) - (x->bucket < y->bucket);
}

static void put_word(Buf *out, uint64_t hash)
{
    Feature f = { (uint32_t)(hash64_mix(hash) >> (64 - BITS)), 1 };
    buf_put(out, &f, sizeof(f));
}

static void put_stretch(Buf *out, Str text)
{
    AuditWord word;
    uint64_t before = 0;
    for (AuditWords w = audit_words(text); audit_next(&w, &word); before = word.hash) {
        put_word(out, word.hash);
        if (before) put_word(out, before * 5 + word.hash);
    }
}

/* Equal buckets become one, then the length becomes 1. */
static void settle_features(Buf *out, ptrdiff_t from)
{
    Feature *f = (Feature *)(void *)(out->at + from);
    ptrdiff_t n = (out->len - from) / (ptrdiff_t)sizeof(*f), used = 0;
    double sum = 0;
    if (n == 0) return;
    qsort(f, (size_t)n, sizeof(*f), by_bucket);
    for (ptrdiff_t i = 0; i < n; i++) {
        if (used > 0 && f[used - 1].bucket == f[i].bucket)
            f[used - 1].value += 1;
        else
            f[used++] = f[i];
    }
    for (ptrdiff_t i = 0; i < used; i++) sum += (double)f[i].value;
    for (ptrdiff_t i = 0; i < used; i++) f[i].value = (float)sqrt((double)f[i].value / sum);
    out->len = from + used * (ptrdiff_t)sizeof(*f);
}

void classifier_features(Str text, Buf *out)
{
    ptrdiff_t from = out->len;
    int stretches = text.len > STRETCHES * STRETCH ? STRETCHES : 1;
    for (int i = 0; i < stretches; i++) {
        ptrdiff_t at = stretches > 1 ? i * (text.len - STRETCH) / (STRETCHES - 1) : 0;
        ptrdiff_t len = stretches > 1 ? STRETCH : text.len;
        put_stretch(out, (Str){ text.at + at, len });
    }
    settle_features(out, from);
}

/* ---- the model ---- */

static float score(const float *weight, Str features)
{
    const Feature *f = (const Feature *)(const void *)features.at;
    ptrdiff_t n = features.len / (ptrdiff_t)sizeof(*f);
    float sum = 0;
    for (ptrdiff_t i = 0; i < n; i++) sum += weight[f[i].bucket] * f[i].value;
    return sum;
}

static void move(float *weight, Str features, float by)
{
    const Feature *f = (const Feature *)(const void *)features.at;
    ptrdiff_t n = features.len / (ptrdiff_t)sizeof(*f);
    for (ptrdiff_t i = 0; i < n; i++) weight[f[i].bucket] += by * f[i].value;
}

static float *row(float *weight, int label)
{
    return weight + (ptrdiff_t)label * BUCKETS;
}

/* The best label but `not` (-1: any). */
static int best_of(const Classifier *c, Str features, int not, float *points)
{
    int best = -1;
    for (int i = 0; i < c->labels; i++) {
        float s = i == not ? 0 : score(row(c->weight, i), features);
        if (i == not || (best >= 0 && s <= *points)) continue;
        best = i;
        *points = s;
    }
    return best;
}

/* One example; `late` has the weights times the examples seen before each move. */
static void learn(Classifier *c, float *late, Str features, int label, float seen)
{
    float rival_points = 0, points = score(row(c->weight, label), features);
    int rival = best_of(c, features, label, &rival_points);
    float missing = 1 - (points - rival_points);
    if (missing <= 0 || features.len == 0) return;
    float by = MIN(most, missing / 2); /* features have length 1, and two rows move */
    move(row(c->weight, label), features, by);
    move(row(c->weight, rival), features, -by);
    move(row(late, label), features, by * seen);
    move(row(late, rival), features, -by * seen);
}

/* Trains without the examples of part `fold` (folds 0: with all). */
static void train_some(Classifier *c, const Str *features, const int *label, int64_t n, int folds,
                       int fold, uint64_t seed, Arena *out)
{
    ptrdiff_t cells = (ptrdiff_t)c->labels * BUCKETS;
    c->weight = NEW(out, float, cells);
    Arena scratch = *out;
    float *late = NEW(&scratch, float, cells), seen = 1;
    for (int round = 0; round < ROUNDS; round++)
        for (int64_t i = 0; i < n; i++) {
            uint64_t at = rand_permute((uint64_t)i, (uint64_t)n, seed + (uint64_t)round);
            if (folds > 0 && (int)(hash64_mix(at + seed) % (uint64_t)folds) == fold) continue;
            learn(c, late, features[at], label[at], seen++);
        }
    for (ptrdiff_t i = 0; i < cells; i++) c->weight[i] -= late[i] / seen;
}

static void name_labels(Classifier *c, const char *const *names, int labels)
{
    CHECK(labels >= 2 && labels <= CLASSIFY_LABELS, "%d labels", labels);
    *c = (Classifier){ .labels = labels };
    for (int i = 0; i < labels; i++) c->label[i] = names[i];
}

void classifier_train(Classifier *c, const char *const *names, int labels, const Str *features,
                      const int *label, int64_t n, uint64_t seed, Arena *out)
{
    name_labels(c, names, labels);
    train_some(c, features, label, n, 0, 0, seed, out);
}

int classifier_ask(const Classifier *c, Str features, double *lead)
{
    float first = 0, second = 0;
    int best = best_of(c, features, -1, &first);
    best_of(c, features, best, &second);
    *lead = (double)(first - second);
    return best;
}

void classifier_cross(const char *const *names, int labels, const Str *features, const int *label,
                      int64_t n, int folds, uint64_t seed, Arena scratch, int *guess, double *lead)
{
    for (int fold = 0; fold < folds; fold++) {
        Arena room = scratch;
        Classifier c;
        name_labels(&c, names, labels);
        train_some(&c, features, label, n, folds, fold, seed, &room);
        for (int64_t i = 0; i < n; i++)
            if ((int)(hash64_mix((uint64_t)i + seed) % (uint64_t)folds) == fold)
                guess[i] = classifier_ask(&c, features[i], &lead[i]);
    }
}

/* ---- files: magic, labels, their names with a NUL behind each, the weights ---- */

_Static_assert(sizeof(float) == 4, "weights are stored as they lie in memory");

bool classifier_save(const Classifier *c, const char *path, Err *err)
{
    FileOut file = { 0 };
    int32_t labels = c->labels;
    bool ok = fileout_open(&file, path, err) && fileout_write(&file, magic, sizeof(magic), err) &&
              fileout_write(&file, &labels, sizeof(labels), err);
    for (int i = 0; ok && i < c->labels; i++)
        ok = fileout_write(&file, c->label[i], (ptrdiff_t)strlen(c->label[i]) + 1, err);
    ok = ok && fileout_write(&file, c->weight,
                             (ptrdiff_t)c->labels * BUCKETS * (ptrdiff_t)sizeof(float), err);
    ok = ok && fileout_commit(&file, err);
    fileout_drop(&file);
    return ok;
}

static bool not_one(const char *path, Err *err)
{
    return err_set(err, ERR_FORMAT, "%s is not a classifier, or is cut short; train it again",
                   path);
}

bool classifier_load(Classifier *c, const char *path, Arena *out, Err *err)
{
    Str all;
    int32_t labels;
    ptrdiff_t at = (ptrdiff_t)(sizeof(magic) + sizeof(labels));
    *c = (Classifier){ 0 };
    if (!file_read_arena(path, out, &all, err)) return false;
    if (all.len < at || memcmp(all.at, magic, sizeof(magic)) != 0) return not_one(path, err);
    memcpy(&labels, all.at + sizeof(magic), sizeof(labels));
    if (labels < 2 || labels > CLASSIFY_LABELS) return not_one(path, err);
    for (c->labels = 0; c->labels < labels; c->labels++) {
        const char *end = memchr(all.at + at, 0, (size_t)(all.len - at));
        if (!end) return not_one(path, err);
        c->label[c->labels] = all.at + at;
        at = end + 1 - all.at;
    }
    ptrdiff_t bytes = (ptrdiff_t)labels * BUCKETS * (ptrdiff_t)sizeof(float);
    if (all.len - at != bytes) return not_one(path, err);
    c->weight = NEW(out, float, (ptrdiff_t)labels *BUCKETS);
    memcpy(c->weight, all.at + at, (size_t)bytes);
    return true;
}
