/* known_noise.h - what a lab's earlier questions say of the noise, before anything is run. */
#ifndef LAB_KNOWN_NOISE_H
#define LAB_KNOWN_NOISE_H

#include "lab/lab.h"
#include "science/noisebook.h"

/* Sigma as a share of the score, for a model of so many parameters in a frame on this machine: of
 * the lab's runs of that size, or borrowed from other sizes; NaN where the lab knows nothing. */
bool known_noise(Lab *lab, double params, const char *frame, NoiseEstimate *out,
                 Err *err) MUST_CHECK;

#endif
