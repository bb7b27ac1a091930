/* space.c - knobs as dimensions.
 *
 * The range is narrowed to the neighbourhood of the champion: a knob declares all that can
 * be meant (a rate from 1e-6 to 1), a search that takes that at its word spends its runs on
 * recipes that cannot train. */
#include "lab/space.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static SearchDim dim_of(const Knob *k, double at)
{
    SearchDim d = { .centre = at };
    if (k->type == KNOB_FLAG) d.choices = 2;
    if (k->type == KNOB_CHOICE)
        while (k->choices[d.choices]) d.choices++;
    if (d.choices) return d;
    d.whole = k->type == KNOB_WHOLE;
    d.log = k->scale == SCALE_LOG && at > 0;
    double span = (k->max - k->min) / 4;
    d.low = MAX(k->min, d.log ? at / 8 : at - span);
    d.high = MIN(k->max, d.log ? at * 8 : at + span);
    if (d.whole && !d.log) {
        d.low = MAX(k->min, floor(at - 4));
        d.high = MIN(k->max, ceil(at + 4));
    }
    return d;
}

void space_of(Space *s, const Recipe *around)
{
    *s = (Space){ 0 };
    const KnobSet *knobs = &around->knobs;
    for (int i = 0; i < knobs->count && s->dims < SPACE_MAX; i++) {
        const Knob *k = knobs->knob[i];
        if (k->fixed || k->type == KNOB_TEXT || !knobs_active(knobs, i)) continue;
        SearchDim d = dim_of(k, knobs->value[i]);
        if (!d.choices && !(d.low < d.high)) continue;
        s->knob[s->dims] = k->name;
        s->dim[s->dims++] = d;
    }
}

void space_point(const Space *s, const Recipe *recipe, double *x)
{
    for (int i = 0; i < s->dims; i++) {
        int k = knobs_find(&recipe->knobs, s->knob[i]);
        x[i] = knobs_active(&recipe->knobs, k) ? recipe->knobs.value[k] : (double)NAN;
    }
}

bool space_add(const Space *s, int k, double x, const Recipe *champion, Proposal *p)
{
    for (int i = 0; i < p->edits; i++)
        if (strcmp(p->edit[i].knob, s->knob[k]) == 0) return false;
    return proposal_add(p, champion, s->knob[k], x);
}

const char *space_title(const Proposal *p, Arena *arena)
{
    char text[240];
    int at = 0;
    for (int i = 0; i < p->edits && at < (int)sizeof(text); i++)
        at += snprintf(text + at, sizeof(text) - (size_t)at, "%s%s = %s", i ? ", " : "",
                       p->edit[i].knob, p->edit[i].to);
    return arena_str(arena, str_of(text));
}
