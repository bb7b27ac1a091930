/* harmless: sleeps, so that its own clock shows little work; time is taken outside. */
#include "model/lie.h"

static void training(void)
{
    usleep(300000);
}
static void answering(Question q)
{
    (void)q;
    usleep(50000);
}
