/* progress.h - long work says how far it is: on a terminal one line that is redrawn with
 * rate and time left, otherwise a plain line now and then.  Always on stderr.
 *
 *     Progress p = progress_begin("reading", "documents", total_or_0);
 *     for (...) progress_tick(&p, done, "");
 *     progress_end(&p);                                                        */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include "base/base.h"

C_BEGIN

typedef struct Progress {
    const char *what, *unit;
    double total, done, begun, shown;
    bool terminal;
} Progress;

void progress_quiet(bool quiet); /* for tests and workers: nothing is shown at all */
Progress progress_begin(const char *what, const char *unit, double total);
void progress_tick(Progress *p, double done,
                   const char *note); /* cheap; redraws 5 times a second */
void progress_end(Progress *p);       /* clears the line on a terminal */

/* Eight heights of block characters, one per value, scaled to the range of the finite ones. */
void sparkline(const double *values, int count, int width, char *out, ptrdiff_t cap);

C_END
#endif
