/* doctor.h - what is wrong with a run, with evidence (docs/doctor.md).
 *
 * A finding looks at a chart and says one of three things: that it is there, that it is not, or
 * that there is not enough to tell.  Each is a const FindDef in find_NAME.c and a line in
 * find_list.h; `lathe doctor`, its manual and the tests walk the list.
 *
 * Thresholds are robust (medians and median absolute deviations of what remains about a local
 * trend, and persistence), because a run of twenty thousand steps sees six sigma of a plain
 * z-score dozens of times while healthy. */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include "doctor/chart.h"

typedef enum Harm {
    HARM_NOTE, /* costs something, or is odd */
    HARM_WARN, /* the run is worse for it */
    HARM_ILL,  /* the run is spoiled from there on */
    HARM_DEAD, /* nothing was learned, or nothing is left of it */
} Harm;
const char *harm_name(Harm h);

typedef struct Finding {
    double first, last; /* steps */
    Harm harm;
    double confidence; /* 0..1 that this is there at all */
    char said[280];    /* what was seen, with its numbers */
} Finding;

typedef enum Answer { FIND_CLEAR, FIND_FOUND, FIND_UNKNOWN } Answer;

typedef struct FindDef {
    const char *name, *doc;
    const char *source;    /* where the rule and its constants are from */
    Signal signal;         /* the one to look at */
    uint64_t needs;        /* bits 1 << Signal; without them the answer is unknown */
    const char *causes[4]; /* likeliest first; NULL ends */
    const char *remedy;    /* what to do */
    const char *edit;      /* as a recipe edit, "optim.lr=x0.5"; NULL: none */
    const char *settle;    /* the experiment that confirms it */
    Answer (*find)(const Chart *c, Finding *out);
} FindDef;

const FindDef *const *doctor_all(int *count);
const FindDef *doctor_find(const char *name); /* NULL if unknown */

/* Asks one finding, its needs first. */
Answer doctor_ask(const FindDef *def, const Chart *c, Finding *out);

typedef struct Diagnosis {
    const FindDef *def;
    Finding finding;
} Diagnosis;

/* Everything that was found, worst first, then the earliest.  `unknown` gets those that could not
 * be asked.  Both have room for all; counts are returned by pointer. */
void doctor_look(const Chart *c, Diagnosis *found, int *n_found, const FindDef **unknown,
                 int *n_unknown);

#endif
