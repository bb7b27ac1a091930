/* progress.c - how far the work is, and a curve drawn in one line of text.
 *
 * A terminal gets one line that is drawn over itself, cut to the window's width so that it
 * never wraps.  A log gets a plain line after five seconds and then every thirty: enough to
 * see that something lives, not enough to fill a file in a night. */
#include "base/progress.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

static atomic_bool quiet_flag;

void progress_quiet(bool quiet)
{
    atomic_store(&quiet_flag, quiet);
}

Progress progress_begin(const char *what, const char *unit, double total)
{
    Progress p = { .what = what, .unit = unit, .total = total, .begun = clock_now() };
    p.terminal = isatty(STDERR_FILENO) && getenv("TERM") && strcmp(getenv("TERM"), "dumb") != 0;
    p.shown = p.terminal ? p.begun : p.begun - 25;
    return p;
}

static int window_width(void)
{
    struct winsize w;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
}

/* Bytes of `line` that fill at most `width` columns, one column per character. */
static int cut_columns(const char *line, int len, int width)
{
    int at = 0;
    for (int columns = 0; at < len && columns < width; columns++) {
        int n = utf8_len(line + at, line + len);
        at += MAX(n, 1);
    }
    return at;
}

static void show(Progress *p, double now, const char *note)
{
    char line[512], count[32], total[32], rate[32], left[32];
    double seconds = now - p->begun, speed = seconds > 0 ? p->done / seconds : 0;
    int n = snprintf(line, sizeof(line), "%s: %s", p->what, str_count(count, p->done));
    if (p->total > 0)
        n += snprintf(line + n, sizeof(line) - (size_t)n, " of %s", str_count(total, p->total));
    n += snprintf(line + n, sizeof(line) - (size_t)n, " %s", p->unit);
    if (speed > 0)
        n += snprintf(line + n, sizeof(line) - (size_t)n, ", %s/s",
                      speed < 10 ? (snprintf(rate, sizeof(rate), "%.2g", speed), rate)
                                 : str_count(rate, speed));
    if (p->total > p->done && speed > 0)
        n += snprintf(line + n, sizeof(line) - (size_t)n, ", %s left",
                      str_seconds(left, (p->total - p->done) / speed));
    if (note && *note && n < (int)sizeof(line))
        n += snprintf(line + n, sizeof(line) - (size_t)n, "  %s", note);
    n = MIN(n, (int)sizeof(line) - 1);
    if (p->terminal)
        fprintf(stderr, "\r%.*s\033[K", cut_columns(line, n, window_width() - 1), line);
    else
        fprintf(stderr, "%.*s\n", n, line);
    fflush(stderr);
}

void progress_tick(Progress *p, double done, const char *note)
{
    p->done = done;
    if (atomic_load_explicit(&quiet_flag, memory_order_relaxed)) return;
    double now = clock_now();
    if (now - p->shown < (p->terminal ? 0.2 : 30)) return;
    p->shown = now;
    show(p, now, note);
}

void progress_end(Progress *p)
{
    if (p->terminal && !atomic_load(&quiet_flag)) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}

/* The mean of the finite values of cell `cell` of `cells`; NaN if it has none. */
static double cell_mean(const double *values, int count, int cell, int cells)
{
    int from = (int)((int64_t)cell * count / cells),
        to = (int)((int64_t)(cell + 1) * count / cells);
    double sum = 0;
    int n = 0;
    for (int i = from; i < MAX(to, from + 1); i++)
        if (isfinite(values[i])) sum += values[i], n++;
    return n > 0 ? sum / n : (double)NAN;
}

void sparkline(const double *values, int count, int width, char *out, ptrdiff_t cap)
{
    int cells = MIN(count, width);
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (int i = 0; i < cells; i++) {
        double x = cell_mean(values, count, i, cells);
        if (isfinite(x)) low = MIN(low, x), high = MAX(high, x);
    }
    ptrdiff_t at = 0;
    for (int i = 0; i < cells && at + 4 <= cap; i++) {
        double x = cell_mean(values, count, i, cells);
        int height = !isfinite(x) ? 0 : high > low ? (int)((x - low) / (high - low) * 7.999) : 3;
        const unsigned char block[3] = { 0xE2, 0x96, (unsigned char)(0x81 + height) };
        if (isfinite(x))
            memcpy(out + at, block, 3), at += 3;
        else
            out[at++] = ' ';
    }
    if (cap > 0) out[at] = 0;
}
