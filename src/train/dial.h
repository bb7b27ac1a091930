/* dial.h - `depth`, the one number from which the rest of a recipe can follow. */
#ifndef TRAIN_DIAL_H
#define TRAIN_DIAL_H

#include "base/knob.h"

extern const Knob dial_knobs[];

/* Where depth is given, sets every knob that it governs and nobody gave; where it is 0, puts
 * those knobs back to their fallbacks. */
void dial_turn(KnobSet *knobs);

#endif
