/* hopeless.h - may a run be stopped early because no run ever came back from there?
 *
 * The deficit of a run at a look (a share of its length) is its loss minus the champion's mean at
 * the same look; what it makes up from there is that deficit minus the one at the end.  A run is
 * hopeless where its deficit is larger than what any finished run of the same schedule made up, at
 * any look, in units of how much runs make up at that look.  With n finished runs the chance that
 * the next one makes up more than all of them did is 1 / (n + 1), over all looks together.
 *
 *     HopelessBook book = { .looks = 5 };
 *     hopeless_add(&book, deficit, final_deficit);       (of every finished run)
 *     if (hopeless_stop(&book, look, deficit_now)) ...
 *
 * Never for edits of rate, schedule, batch, decay or optimizer: their runs belong to another
 * schedule.  A stopped run is a drop and enters no mean. */
#ifndef SCIENCE_HOPELESS_H
#define SCIENCE_HOPELESS_H

#include "base/base.h"

enum { HOPELESS_LOOKS = 16, HOPELESS_RUNS = 2048, HOPELESS_LEAST = 99 };

typedef struct HopelessBook {
    int looks, n;
    float made_up[HOPELESS_RUNS][HOPELESS_LOOKS];
} HopelessBook;

/* `deficit` of a finished run at each look, and at its end.  Of more than HOPELESS_RUNS the oldest
 * are forgotten. */
void hopeless_add(HopelessBook *book, const double *deficit, double end);

/* The deficit from which on a run is hopeless at this look; infinite below HOPELESS_LEAST runs. */
double hopeless_bar(const HopelessBook *book, int look);
bool hopeless_stop(const HopelessBook *book, int look, double deficit);

/* The chance of losing a run that would have come back: 1 / (n + 1), or 1 while nothing is stopped
 * (fewer than HOPELESS_LEAST). */
double hopeless_risk(const HopelessBook *book);

/* The upper 95 % limit of the share lost, after `lost` of `winners` were. */
double hopeless_limit(int lost, int winners);

#endif
