/* clock.c - the time, and the wish to stop.
 *
 * The handler only raises a flag; long work looks at it between steps, writes what it has
 * and returns ERR_STOPPED.  SA_RESTART is left out so that a read from a terminal or a pipe
 * comes back at once.  A second Ctrl-C does not ask again. */
#include "base/clock.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static atomic_int stop_flag;

static double seconds_of(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double clock_now(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double clock_cpu(void)
{
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

double clock_date(void)
{
    return seconds_of(CLOCK_REALTIME);
}

char *clock_stamp(char out[32], double date)
{
    time_t t = (time_t)date;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
        snprintf(out, 32, "%.0f", date);
    return out;
}

static void on_signal(int number)
{
    if (atomic_exchange(&stop_flag, 1) && number == SIGINT) _exit(130);
}

void stop_install(void)
{
    struct sigaction act = { .sa_handler = on_signal };
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
}

bool stop_asked(void)
{
    return atomic_load_explicit(&stop_flag, memory_order_relaxed) != 0;
}

void stop_ask(void)
{
    atomic_store(&stop_flag, 1);
}

void stop_clear(void)
{
    atomic_store(&stop_flag, 0);
}
