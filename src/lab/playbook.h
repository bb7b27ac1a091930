/* playbook.h - what is known beforehand: hypotheses with their prior effect and regime. */
#ifndef LAB_PLAYBOOK_H
#define LAB_PLAYBOOK_H

#include "base/base.h"

typedef enum PlayHow { PLAY_END, PLAY_SET, PLAY_TIMES, PLAY_WORD } PlayHow;

typedef struct PlayEdit {
    const char *knob;
    PlayHow how;
    double value;     /* of SET and TIMES */
    const char *word; /* of WORD: a choice */
} PlayEdit;

typedef struct Play {
    const char *name, *title;
    const char *family; /* plays of one family inform each other */
    PlayEdit edit[4];
    const char *when;  /* "optim.name=muon": only then; NULL always */
    double effect, sd; /* prior of the gain, percent of bpb, in short runs of small models */
    const char *why, *refute, *source;
} Play;

extern const Play playbook[]; /* ends with a NULL name */

#endif
