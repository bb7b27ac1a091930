/* checkpoint.h - a run as one file: recipe, tokenizer, place, weights, states.
 *
 * Written whole or not at all, named DIR/step-N.ckpt; the last two are kept.  It holds names and
 * fp32 numbers, nothing of a plan, a device or a number of threads.  The layout is in
 * docs/formats/checkpoint.md. */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "tensor/plan.h"

enum { CHECKPOINT_VERSION = 1 };

typedef struct Checkpoint {
    Str recipe;    /* canonical text */
    Str tokenizer; /* as tokenizer_print says it */
    const char *recipe_sha256, *data_sha256;
    uint64_t seed;
    int64_t step, steps;   /* done, and to be done in all */
    int64_t tokens, flops; /* spent up to `step` */
    double seconds;
    double tail_sum; /* of the losses of the run's last tenth, so far */
    int64_t tail_count;
    bool done; /* nothing is left to do: all steps, or a loss that was not finite */
    bool finite;
    char weights_sha256[65]; /* filled by checkpoint_save */
} Checkpoint;

bool checkpoint_save(const char *dir, Checkpoint *c, const Store *s, Err *err) MUST_CHECK;

/* The newest file in `dir` whose checksum holds; *path NULL if there is none.  Each one that was
 * passed over adds a line to `note`. */
bool checkpoint_find(const char *dir, Arena *out, Checkpoint *c, const char **path, Buf *note,
                     Err *err) MUST_CHECK;

/* Fills the params of `s` by name from a file that checkpoint_find returned: to go on training,
 * with `states`, as they stand; to judge, without, by their averages where the run keeps some.  One
 * that the file lacks, or has in another size, is refused by name. */
bool checkpoint_load(const char *path, const Store *s, bool states, Err *err) MUST_CHECK;

/* SHA-256 over the params in order of their names: name, a zero byte, fp32 little-endian. */
void checkpoint_weights_sha256(const Store *s, char out[65]);

#endif
