/* memory.h - what the system says this process occupies. */
#ifndef TRAIN_MEMORY_H
#define TRAIN_MEMORY_H

#include "base/base.h"

int64_t
memory_anon(void); /* RssAnon in bytes: private pages in use; 0 where the system does not say */

#endif
