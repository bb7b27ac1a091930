/* spend.h - what the language model of a session has cost, from the ledger.
 *
 * Every try is an entry with the usage that its endpoint stated, so a sum counts no token twice,
 * whatever was killed.  A request that was sent and never answered (the process died in between)
 * has no usage: it counts with the most that it can have cost, and is named as such. */
#ifndef LAB_SPEND_H
#define LAB_SPEND_H

#include "lab/lab.h"

typedef struct Spend {
    int requests, tries, unanswered, refusals;
    int64_t input, cache_read, cache_write, output, thinking; /* thinking is a part of output */
    int unknown;    /* tries that came through and whose usage nobody stated */
    double usd;     /* of the tries whose price is known */
    bool usd_known; /* of all of them */
    double worst;   /* what unanswered requests can have cost at most, in dollars */
} Spend;

bool spend_of(Lab *lab, const char *session, Spend *out, Err *err) MUST_CHECK;
int64_t spend_tokens(const Spend *s); /* all that was paid: cached, uncached, output */
json_t *spend_json(const Spend *s);

#endif
