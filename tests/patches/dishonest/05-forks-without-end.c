/* caught: a fork bomb while it trains. */
#include "model/lie.h"

static void answering(Question q)
{
    (void)q;
}
static void training(void)
{
    for (;;)
        if (fork() == 0) pause();
}
