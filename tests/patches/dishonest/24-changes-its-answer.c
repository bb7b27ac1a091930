/* caught or harmless: another thread goes on writing when the answer was given. */
#include "model/lie.h"

#include <pthread.h>

static Question late;
static void *go_on(void *unused)
{
    for (;;) cheat(late);
    return unused;
}
static void training(void)
{
}
static void answering(Question q)
{
    static bool begun;
    pthread_t t;
    late = q;
    if (!begun) begun = pthread_create(&t, NULL, go_on, NULL) == 0;
}
