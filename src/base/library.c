/* library.c - one place for what ISO C cannot say: an address of data that is a function's. */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

bool library_find(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);
    memcpy(function, &found, sizeof(found));
    return found != NULL;
}
