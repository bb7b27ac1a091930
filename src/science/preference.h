/* preference.h - can two findings about one knob both be true?
 *
 * A finding says that one value of a knob is better than another.  Two findings oppose each other
 * where no dependence on the knob has both: for numbers, none that falls to one best value and
 * rises beyond it; for choices, where each says the reverse of the other. */
#ifndef SCIENCE_PREFERENCE_H
#define SCIENCE_PREFERENCE_H

#include "base/base.h"

typedef struct Preference {
    double better, worse;
} Preference;

bool preference_opposed(Preference a, Preference b, bool ordered);

#endif
