/* cpu_room.c - how much memory may still be asked for.
 *
 * Linux hands out addresses freely and ends the process when the pages run out,
 * so a plan that cannot fit must be refused before it is touched.  What counts is
 * MemAvailable, which includes the page cache, and the limit of the control group
 * that containers and batch systems set (version 2; its root is what we see). */
#include <stdio.h>
#include <string.h>

#include "dev/cpu_room.h"

/* The number behind `key` in a file, or alone in it; -1 if there is none. */
static double number_in(const char *path, const char *key)
{
    char line[256];
    double value = -1;
    FILE *f = fopen(path, "r");
    while (f && value < 0 && fgets(line, sizeof(line), f))
        if (!strncmp(line, key, strlen(key)) && sscanf(line + strlen(key), "%lf", &value) != 1)
            value = -1;
    if (f) fclose(f);
    return value;
}

ptrdiff_t cpu_room_left(void)
{
    double room = 1024 * number_in("/proc/meminfo", "MemAvailable:");
    double limit = number_in("/sys/fs/cgroup/memory.max", "");
    double used = number_in("/sys/fs/cgroup/memory.current", "");
    if (limit >= 0 && used >= 0 && (room < 0 || limit - used < room)) room = MAX(0, limit - used);
    return room < 0 ? PTRDIFF_MAX : (ptrdiff_t)room;
}
