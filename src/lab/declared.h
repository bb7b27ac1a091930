/* declared.h - what to try on a trainer that nobody here knows (train/command.h). */
#ifndef LAB_DECLARED_H
#define LAB_DECLARED_H

#include "lab/researcher.h"

/* The best single change of one declared knob, if it is worth more than *best; else *best stays. */
void declared_best(const Asking *a, Proposal *best);

#endif
