/* find_dead_units.c - hidden units that never answer.
 *
 * A look sees a few dozen tokens, on which a rare unit may well be silent.  So the least of the
 * looks of the second half counts: a unit that is dead is dead in all of them.  */
#include <stdio.h>

#include "doctor/doctor.h"
#include "doctor/parts.h"

static Answer find(const Chart *c, Finding *out)
{
    Parts p;
    parts_of(c, SIG_DEAD, 0.5, &p);
    /* Where all states are one, a unit is silent on all of them or on none: that tells nothing. */
    if (p.n == 0 || parts_late(&c->of[SIG_COSINE], 0.5) > 0.9) return FIND_UNKNOWN;
    if (!(p.floor_most > 0.1)) return FIND_CLEAR;
    out->first = p.first, out->last = p.last;
    out->harm = HARM_WARN;
    out->confidence = 0.9;
    snprintf(out->said, sizeof out->said,
             "in %s at least %.0f %% of the hidden units are silent in every look", p.floor_at,
             100 * p.floor_most);
    return FIND_FOUND;
}

const FindDef find_dead_units = {
    .name = "dead_units",
    .doc = "hidden units are dead",
    .source = "SageMaker Debugger's dead_relu; threshold ours",
    .signal = SIG_DEAD,
    .needs = (uint64_t)1 << SIG_DEAD,
    .causes = { "initial weights or biases that put units below zero",
                "a rate that threw them there", "an activation without a slope below zero" },
    .remedy = "smaller first products of the MLP, a lower rate, or an activation with a slope",
    .edit = "model.up_init=0.4",
    .settle = "paired runs with the first products 0.4 times as large",
    .find = find,
};
