/* left.h - what is left above the noise: an answer measured by misses (docs/honest.md, 9). */
#ifndef SCIENCE_LEFT_H
#define SCIENCE_LEFT_H

#include "science/verdict.h"

typedef struct Left {
    int tried;     /* proposals decided since the last keep, none of them kept */
    double share;  /* upper 90 % limit of the share of such proposals that gain `effect` */
    double effect; /* the gain that is found with probability .8, in bpb: two sigma */
    double gain;   /* what all proposals left may still bring together, in bpb */
    double floor;  /* the smallest gain worth having, in bpb */
    bool nothing;  /* gain < floor, after 12 misses or more */
} Left;

/* `proposals`: how many the session may still make.  NaN where no noise is known. */
Left left_of(int tried, int proposals, const Noise *noise, double floor);

#endif
