/* recipe.h - all that determines a run but its seed, as a text file of knobs.
 *
 * The tables of every module that has knobs (data, model, optim, schedule,
 * train) gathered into one KnobSet; where another program trains (command.h), those that it
 * declares.  The canonical text lists every knob at its value in table order; its SHA-256 names the
 * recipe. */
#ifndef TRAIN_RECIPE_H
#define TRAIN_RECIPE_H

#include "base/knob.h"
#include "base/str.h"

typedef struct Recipe {
    KnobSet knobs;
    char sha256[65];
} Recipe;

/* Every knob there is, at its fallback: the plain default recipe. */
void recipe_default(Recipe *r, Arena *out);
void recipe_copy(Recipe *to, const Recipe *from, Arena *out);

/* A TOML file, or text (path names it in complaints). */
bool recipe_read(Recipe *r, const char *path, Arena *out, Err *err) MUST_CHECK;
bool recipe_parse(Recipe *r, Str text, const char *path, Arena *out, Err *err) MUST_CHECK;

/* "optim.lr=0.003"; `where` as in knobs_set. */
bool recipe_override(Recipe *r, const char *assignment, const char *where, Err *err) MUST_CHECK;

/* Relations between knobs: heads divide width, kv heads divide heads, ... ERR_CONFIG. */
bool recipe_check(const Recipe *r, Err *err) MUST_CHECK;

/* Is it for Lathe's own trainer?  Otherwise ERR_CONFIG: `who` cannot use it. */
bool recipe_ours(const Recipe *r, const char *who, Err *err) MUST_CHECK;

/* The knob that says what a run may spend: "budget.flops" or "budget.tokens", and of another
 * trainer (command.h) also "budget.time". */
const char *recipe_budget(const Recipe *r);

/* Gives every run so much of what its frame counts, and lets that alone decide its length. */
bool recipe_spend(Recipe *r, double budget, Err *err) MUST_CHECK;

/* Lets `depth` set what follows from it (dial.h) and recomputes sha256; call after edits through
 * knobs_set. */
void recipe_seal(Recipe *r);
void recipe_text(const Recipe *r, bool only_given,
                 Buf *out); /* TOML by tables; canonical if !only_given */

/* Knobs that both have and in which they differ: names, in table order. */
int recipe_diff(const Recipe *a, const Recipe *b, const char **names, int cap);

#endif
