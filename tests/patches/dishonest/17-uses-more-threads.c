/* caught: sixteen threads where it was given one. */
#include "model/lie.h"

#include <pthread.h>

static void *spin(void *unused)
{
    for (volatile int i = 0; i < 1000000000; i++) continue;
    return unused;
}
static void answering(Question q)
{
    (void)q;
}
static void training(void)
{
    for (int i = 0; i < 16; i++) {
        pthread_t t;
        pthread_create(&t, NULL, spin, NULL);
    }
}
