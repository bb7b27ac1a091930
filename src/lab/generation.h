/* generation.h - models that are put to work on the next one.
 *
 * A generation is a finished run that was scored on every tier, the locked one among them and
 * once, and whose weights the lab keeps in LAB/generations/ID/.  Recipes name it by the hash of
 * those weights (parent.weights). */
#ifndef LAB_GENERATION_H
#define LAB_GENERATION_H

#include "lab/run.h"

typedef struct Generation {
    char id[24], run[24], parent[24]; /* "" for one that took nothing from another */
    char weights[65], recipe[65];
    char took[120]; /* what from its parent: "begins as it, is taught (0.5 until 0.5)"; "" */
    int64_t params, tokens, flops; /* flops: its own run, what it asked of its parent included */
    double flops_with_parents;     /* and those of its parents, charged in full */
    double seconds;
    double bpb[TIER_COUNT];
} Generation;

/* Makes a generation of a finished run, or (NULL) of the newest champion that was trained in full.
 * A run that is one already is told again: tiers are not read twice.  ERR_CONFIG: no such run, a
 * failed one, or one that no judge has scored. */
bool generation_new(Lab *lab, const char *run, RunWatch watch, Generation *out,
                    Err *err) MUST_CHECK;

/* All of them, oldest first, in the lab's arena. */
bool generation_all(Lab *lab, Generation **out, int *count, Err *err) MUST_CHECK;
bool generation_find(Lab *lab, const char *id, Generation *out, Err *err) MUST_CHECK;

/* Held-out text of `sources` must have been searched for in whatever the parents of a recipe were
 * trained on, or the child would be judged on what it was told.  ERR_CONFIG names the parent and
 * what it has read. */
bool generation_may_judge(Lab *lab, const KnobSet *recipe, const char *const *sources,
                          int n_sources, Err *err) MUST_CHECK;

#endif
