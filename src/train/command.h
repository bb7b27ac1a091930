/* command.h - a trainer that is not ours: any program that keeps the contract of docs/trainers.md.
 *
 * `trainer = "command"` in a recipe.  A trainer.toml beside the program says how it is called and
 * declares its knobs; what it declares becomes part of the recipe's text, so that a recipe of the
 * ledger can be read without the file.  For each run it is called with a job.json, tells its
 * progress in metrics.tsv, and ends with result.json.  The score in there is its own word:
 * self-reported. */
#ifndef TRAIN_COMMAND_H
#define TRAIN_COMMAND_H

#include "base/toml.h"
#include "train/train.h"

extern const Knob command_knobs[]; /* trainer, command.*, budget.*, data.sources of such a recipe */

/* Does this recipe drive another trainer? */
bool command_is(const Recipe *r);

/* The knobs of such a recipe, at their fallbacks: ours above and those that it declares, read from
 * its command.declares or else from the trainer.toml in its command.folder, which is taken from
 * where `path` is. */
bool command_declare(const TomlItem *items, int count, const char *path, Arena *out, KnobSet *knobs,
                     Err *err) MUST_CHECK;

/* What a run of it depends on beyond recipe and seed: trainer.toml and the program's files. */
bool command_sha256(const Recipe *r, char out[65], Err *err) MUST_CHECK;

typedef struct CommandJob {
    const char *lab, *run; /* absolute folder; the run's name */
    const char *dir;       /* of the run: job.json, metrics.tsv, result.json, log.txt */
    const Recipe *recipe;
    uint64_t seed;
    RunSink sink;
} CommandJob;

typedef struct CommandResult {
    double score;  /* lower is better; NaN if it failed */
    char why[400]; /* why it failed; "" if it did not */
} CommandResult;

/* Runs it to its end.  A crash, a time-out, a missing or senseless result is a failed run with the
 * reason in `told`; false only where it could not be called at all, or was asked to stop. */
bool command_train(const CommandJob *job, TrainResult *out, CommandResult *told,
                   Err *err) MUST_CHECK;

#endif
