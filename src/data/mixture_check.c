/* mixture_check.c - are the tokens the ones that were written?  Asked while training has begun.
 *
 * A checksum reads everything, which for a hundred megabytes takes longer than all else that
 * happens before the first step.  The answer is needed before anything that follows from the tokens
 * is written down, and not earlier, so another thread reads while the first step is computed.
 *
 * Keeping in the lab that a shard was found whole, under its size and date, would cost nothing at
 * all, and would not see what a checksum is for: a bit that flipped since. */
#include "data/mixture.h"

static void *check(void *self)
{
    MixtureCheck *c = self;
    c->ok = mixture_check(c->mixture, &c->err);
    return NULL;
}

void mixturecheck_begin(MixtureCheck *c, const Mixture *m)
{
    *c = (MixtureCheck){ .mixture = m };
    c->running = pthread_create(&c->thread, NULL, check, c) == 0;
    if (!c->running) check(c); /* no thread to be had */
}

void mixturecheck_close(MixtureCheck *c)
{
    if (c->running) pthread_join(c->thread, NULL);
    c->running = false;
}

bool mixturecheck_end(MixtureCheck *c, Err *err)
{
    mixturecheck_close(c);
    if (c->mixture && !c->ok) *err = c->err;
    return !c->mixture || c->ok;
}
