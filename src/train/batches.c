/* batches.c - repeated and doubled batches, by hash.
 *
 * A loader that was restored to the wrong place, a shard that comes again, two workers that read
 * the same rows: none of it shows in the loss for a long while, and all of it in a hash.  Our own
 * loader lays rows out anew in each epoch, so no batch of a healthy run is ever read twice.  The
 * set holds a million micro-batches and then forgets all: a repeat that lies further back is
 * missed, and memory stays bounded. */
#include "train/batches.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"

enum { SLOTS_MOST = 1 << 21 };

static bool put(Batches *r, uint64_t hash)
{
    int64_t at = (int64_t)(hash & (uint64_t)(r->slots - 1));
    while (r->slot[at] && r->slot[at] != hash) at = (at + 1) & (r->slots - 1);
    if (r->slot[at]) return false;
    r->slot[at] = hash;
    r->used++;
    return true;
}

static void make_room(Batches *r)
{
    Batches old = *r;
    if (2 * r->used < r->slots) return;
    bool forget = r->slots >= SLOTS_MOST;
    r->slots = forget ? r->slots : MAX(2 * r->slots, 1024);
    r->slot = calloc((size_t)r->slots, sizeof *r->slot);
    CHECK(r->slot, "no memory for %lld hashes", (long long)r->slots);
    r->used = 0;
    for (int64_t i = 0; !forget && i < old.slots; i++)
        if (old.slot[i]) (void)put(r, old.slot[i]);
    free(old.slot);
}

/* A hash enters the set with the end of its step: within a step equal ones are twins. */
void batches_step(Batches *r)
{
    for (int i = 0; i < r->micro; i++) {
        make_room(r);
        (void)put(r, r->step[i]);
    }
    r->micro = 0;
}

static bool known(const Batches *r, uint64_t hash)
{
    if (!r->slots) return false;
    int64_t at = (int64_t)(hash & (uint64_t)(r->slots - 1));
    while (r->slot[at] && r->slot[at] != hash) at = (at + 1) & (r->slots - 1);
    return r->slot[at] != 0;
}

void batches_add(Batches *r, const int32_t *tokens, ptrdiff_t n)
{
    uint64_t hash = hash64(tokens, n * (ptrdiff_t)sizeof *tokens, 1);
    hash += hash == 0;
    if (r->micro == r->micro_cap) {
        r->micro_cap = MAX(2 * r->micro_cap, 8);
        r->step = realloc(r->step, (size_t)r->micro_cap * sizeof *r->step);
        CHECK(r->step, "no memory for %d hashes", r->micro_cap);
    }
    r->repeat += known(r, hash);
    for (int i = 0; i < r->micro; i++) r->twin += r->step[i] == hash;
    r->step[r->micro++] = hash;
    r->last = hash;
}

void batches_free(Batches *r)
{
    free(r->slot);
    free(r->step);
    *r = (Batches){ 0 };
}
