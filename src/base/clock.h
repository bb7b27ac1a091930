/* clock.h - time, and a request to stop.  Nothing that reaches a weight reads either. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/base.h"

C_BEGIN

double clock_now(void);                       /* seconds, monotonic */
double clock_cpu(void);                       /* seconds of processor time of this process */
double clock_date(void);                      /* seconds since 1970, UTC */
char *clock_stamp(char out[32], double date); /* 2026-05-04T12:00:00Z */

/* Ctrl-C and SIGTERM set a flag that long work polls; a second Ctrl-C ends the process. */
void stop_install(void);
bool stop_asked(void);
void stop_ask(void); /* as if by signal */
void stop_clear(void);

C_END
#endif
