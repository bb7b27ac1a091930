/* dev.c - the devices there are. */
#include "dev/dev.h"

#include <string.h>

extern const DevDef dev_cpu;

static const DevDef *const defs[] = { &dev_cpu };

bool dev_open(Dev *d, const char *name, int threads, Err *err)
{
    *d = (Dev){ .threads = threads };
    if (threads < 0 || threads > 1024)
        return err_set(err, ERR_CONFIG, "%d threads: use 1 to 1024, or 0 for one per core",
                       threads);
    for (int i = 0; i < COUNT(defs); i++) {
        if (strcmp(defs[i]->name, name) != 0) continue;
        d->def = defs[i];
        return d->def->open(d, err);
    }
    return err_set(err, ERR_DEVICE, "there is no device \"%s\" in this build; use \"cpu\"", name);
}

void dev_close(Dev *d)
{
    if (d->def) d->def->close(d);
    *d = (Dev){ 0 };
}
