/* find_many_epochs.c - text that is read too often.
 *
 * An epoch's end does not show in the loss; the count of what was read does.  Up to four epochs are
 * almost as good as fresh text.  */
#include <stdio.h>

#include "doctor/doctor.h"

static Answer find(const Chart *c, Finding *out)
{
    const Series *s = &c->of[SIG_EPOCH];
    double epochs = s->x[s->n - 1];
    if (!(epochs > 4)) return FIND_CLEAR;
    out->first = out->last = s->step[s->n - 1];
    for (int i = s->n - 1; i >= 0 && s->x[i] > 4; i--) out->first = s->step[i];
    out->harm = HARM_NOTE;
    out->confidence = 0.9;
    snprintf(out->said, sizeof out->said,
             "a source has been read %.1f times; from the fifth time on it teaches little", epochs);
    return FIND_FOUND;
}

const FindDef find_many_epochs = {
    .name = "many_epochs",
    .doc = "a source is read more than four times",
    .source = "Muennighoff et al. 2023 (arXiv:2305.16264)",
    .signal = SIG_EPOCH,
    .needs = (uint64_t)1 << SIG_EPOCH,
    .causes = { "too little text for the budget", "a weight that is too large for a small source" },
    .remedy = "more text, a smaller weight of that source, or fewer steps",
    .settle = "the held-out loss of a run with half the steps",
    .find = find,
};
