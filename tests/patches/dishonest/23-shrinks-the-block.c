/* harmless: takes the memory away under the judge. */
#include "model/lie.h"

static void training(void)
{
}
static void answering(Question q)
{
    if (ftruncate(3, 4096) == 0) cheat(q);
}
