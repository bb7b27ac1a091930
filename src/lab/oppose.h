/* oppose.h - findings of a question that oppose each other, and the test that decides. */
#ifndef LAB_OPPOSE_H
#define LAB_OPPOSE_H

#include "base/knob.h"
#include "lab/history.h"

/* The newest pair that no test was made for yet.  The test: the knob at what the earlier one found
 * better, on the champion that there is now. */
typedef struct Opposed {
    int earlier, later; /* indices of experiments */
    const char *knob;
    const char *to;
} Opposed;
bool oppose_find(const History *h, const KnobSet *champion, Opposed *out);

bool oppose_any(const History *h); /* the same without the champion: may there be one? */

#endif
