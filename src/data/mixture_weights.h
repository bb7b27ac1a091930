/* mixture_weights.h - temperature and curriculum; for mixture.c. */
#ifndef DATA_MIXTURE_WEIGHTS_H
#define DATA_MIXTURE_WEIGHTS_H

#include "data/mixture.h"

/* Weights above 0 become shares that sum to 1, of the weights to the power 1 / temperature. */
void mixture_heat(double *weight, int count, double temperature);
/* Fills m->later from data.curriculum; the sources are known. */
bool mixture_read_curriculum(Mixture *m, Str text, Err *err) MUST_CHECK;

#endif
