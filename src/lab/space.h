/* space.h - the knobs of a recipe as a space to search (science/search.h). */
#ifndef LAB_SPACE_H
#define LAB_SPACE_H

#include "lab/researcher.h"
#include "science/search.h"

enum { SPACE_MAX = 96 };

typedef struct Space {
    SearchDim dim[SPACE_MAX];
    const char *knob[SPACE_MAX];
    int dims;
} Space;

/* Every knob that is in effect and not fixed, in a range around the recipe's value: a factor
 * of 8 either way on a log scale; on a linear one a quarter of the knob's range either way, of a
 * whole number 4. */
void space_of(Space *s, const Recipe *around);

/* The recipe's place in the space; NaN where a knob is not in effect. */
void space_point(const Space *s, const Recipe *recipe, double *x);

/* Adds the edit that puts dim k at x; false if it changes nothing or is there already. */
bool space_add(const Space *s, int k, double x, const Recipe *champion, Proposal *p);

/* "optim.lr = 0.004, model.depth = 5" */
const char *space_title(const Proposal *p, Arena *arena);

#endif
