/* knobs.h - the knobs of a run itself: its length, its batches, its checkpoints. */
#ifndef TRAIN_KNOBS_H
#define TRAIN_KNOBS_H

#include "base/knob.h"

extern const Knob train_knobs[]; /* train.*, budget.* */

#endif
