/* scale.h - a recipe at other sizes: a ladder of runs, the law through them, and the run to make.
 *
 * Sizes are counted by what they cost: N is the FLOPs of a token's products, forward and backward,
 * over six, so that C = 6 N D holds to the digit and attention and the head are in it.  The loss of
 * a law is the bits per byte of the search tier. */
#ifndef LAB_SCALE_H
#define LAB_SCALE_H

#include "lab/run.h"
#include "science/law.h"

/* N of a recipe; its vocabulary is taken as the tokenizer's knobs say. */
bool scale_size(const Recipe *r, double *N, Err *err) MUST_CHECK;

/* The recipe at about N, and exactly `tokens`: depth and width grow together, heads in number, and
 * muP keeps the rates (model.scaling = mup about the base's width), unless the recipe follows the
 * dial `depth`, which is then turned.  *reached: N of what came out, the nearest there is. */
bool scale_recipe(const Recipe *base, double N, double tokens, Recipe *out, double *reached,
                  Arena *arena, Err *err) MUST_CHECK;

enum { SCALE_RUNS = 64 };

/* One rung.  Runs of a ladder stand in the ledger with the purpose "ladder" and the name of the
 * recipe that they are sizes of, so that a ladder that was broken off goes on. */
typedef struct ScaleRung {
    Recipe recipe;
    double N, tokens;
    bool done, failed;
    RunResult result;
} ScaleRung;

/* What a ladder is made of: every size at every length. */
enum { SCALE_LIST = 8 };
typedef struct ScaleGrid {
    double size[SCALE_LIST]; /* factors of the base's N */
    double length[SCALE_LIST];
    int sizes, lengths;
    bool tokens; /* lengths are tokens; else tokens for each of N */
} ScaleGrid;
bool scale_plan(const Recipe *base, const ScaleGrid *grid, ScaleRung *rung, int *count,
                Arena *arena, Err *err) MUST_CHECK;
bool scale_run(Lab *lab, const Recipe *base, ScaleRung *rung, int threads, RunWatch watch,
               Err *err) MUST_CHECK;

/* All finished runs of ladders of this recipe in the lab, as points of a law. */
bool scale_points(Lab *lab, const Recipe *base, LawPoint *p, int cap, int *count,
                  Err *err) MUST_CHECK;

/* FLOPs a second of the lab's newest runs; 0 without any. */
bool scale_speed(Lab *lab, double *flops_per_s, Err *err) MUST_CHECK;

#endif
