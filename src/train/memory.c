/* memory.c - RssAnon from /proc/self/status (Linux).
 *
 * The anonymous part is what a run asks for; the rest of the resident set is the program
 * itself and files in the page cache, which the system takes back when it needs them. */
#include "train/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t memory_anon(void)
{
    char line[256];
    int64_t bytes = 0;
    FILE *f = fopen("/proc/self/status", "r");
    if (!f) return 0;
    while (fgets(line, sizeof(line), f)) {
        if (strncmp(line, "RssAnon:", 8) != 0) continue;
        bytes = strtoll(line + 8, NULL, 10) * 1024;
        break;
    }
    fclose(f);
    return bytes;
}
