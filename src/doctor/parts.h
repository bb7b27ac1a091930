/* parts.h - weights, blocks and heads compared with each other, over the looks of a run. */
#ifndef DOCTOR_PARTS_H
#define DOCTOR_PARTS_H

#include "doctor/chart.h"

enum { PARTS_MOST = 512, LOOKS_LEAST = 5 };

/* A signal over its parts, from a share of the looks on. */
typedef struct Parts {
    int n;              /* parts with at least LOOKS_LEAST looks there; 0: not enough evidence */
    double middle;      /* the median part's median */
    double least, most; /* of the parts' medians */
    const char *least_at, *most_at;
    double floor_most; /* the largest of the parts' smallest values */
    const char *floor_at;
    double first; /* step of the first of these looks */
    double last;
    double middle_of[PARTS_MOST];
} Parts;
void parts_of(const Chart *c, Signal s, double from, Parts *out);

/* The median of a signal of the whole from a share of its looks on; NaN below LOOKS_LEAST. */
double parts_late(const Series *s, double from);

#endif
