/* library.h - functions of a shared library that is opened when it is first needed. */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include <stdbool.h>

/* `library` from dlopen; *function is a pointer to a function of whatever type `name` has.  False:
 * the library has none of that name. */
bool library_find(void *library, const char *name, void *function);

#endif
