/* noisebook.h - how much seeds differ, per size, frame and machine class, and what that allows.
 *
 * A cell's sigma is pooled over recipes: residual sums of squares over degrees of freedom.  Every
 * finished replicate updates it.  Another cell's sigma serves planning only, and is marked so. */
#ifndef SCIENCE_NOISEBOOK_H
#define SCIENCE_NOISEBOOK_H

#include "base/base.h"
#include "science/verdict.h"

enum { NOISEBOOK_CELLS = 64 };

typedef struct NoiseCell {
    double size;  /* parameters of the model */
    int frame;    /* the caller's number of the kind of budget */
    int machine;  /* the caller's number of the machine class */
    double level; /* mean bpb of its recipes: sigma in percent of it is what sizes share */
    int recipes;
    Noise noise;
} NoiseCell;

typedef struct NoiseBook {
    NoiseCell cell[NOISEBOOK_CELLS];
    int cells;
} NoiseBook;

typedef struct NoiseEstimate {
    double s, low, high, nu; /* with 90 % limits; NaN where nothing is known */
    bool borrowed;           /* from other sizes: for planning only */
} NoiseEstimate;

/* Adds the finished runs of one recipe; fewer than 2 add nothing.  Sizes within 1 % are one cell.
 * False when the book is full. */
bool noisebook_add(NoiseBook *book, double size, int frame, int machine, const double *bpb, int n);

/* Sigma of a cell, or, where the cell has no runs, what a line through log sigma/level against log
 * size of the same frame and machine says at `level` (one other cell: the same percentage, known
 * within a factor of 2). */
NoiseEstimate noisebook_estimate(const NoiseBook *book, double size, int frame, int machine,
                                 double level);

/* Limits of sigma from its estimate: nu s^2 / sigma^2 is chi-square. */
NoiseEstimate noise_limits(const Noise *noise, double confidence);

/* Runs per arm to find a difference of d with probability `power`, two-sided at `alpha`, both arms
 * alike, sigma known; and the difference that m and n runs find so when s is an estimate on nu. */
int noise_runs_needed(double sigma, double d, double alpha, double power);
double noise_detectable(double s, double nu, int m, int n, double alpha, double power);

#endif
