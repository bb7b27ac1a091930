/* tokenizer_pairs.c - the map behind merges: from a pair of ids to what it becomes.
 *
 * Linear probing in a table at most half full: a look-up of a pair that is not there, the usual
 * case in encoding, ends after one or two slots of one cache line. */
#include <string.h>

#include "base/hash.h"
#include "data/tokenizer_parts.h"

static void make_slots(PairMap *m, uint64_t slots)
{
    m->key = NEW(m->home, uint64_t, (ptrdiff_t)slots);
    m->value = NEW(m->home, int32_t, (ptrdiff_t)slots);
    memset(m->key, 0xFF, (size_t)slots * sizeof(*m->key));
    m->mask = slots - 1;
    m->used = 0;
}

PairMap pairmap_new(Arena *home, int64_t expected)
{
    PairMap m = { .home = home };
    uint64_t slots = 64;
    while (slots < 2 * (uint64_t)expected) slots *= 2;
    make_slots(&m, slots);
    return m;
}

static uint64_t find(const PairMap *m, uint64_t key)
{
    uint64_t slot = hash64_mix(key) & m->mask;
    while (m->key[slot] != key && m->key[slot] != UINT64_MAX) slot = (slot + 1) & m->mask;
    return slot;
}

int32_t pairmap_get(const PairMap *m, uint64_t key)
{
    uint64_t slot = find(m, key);
    return m->key[slot] == key ? m->value[slot] : -1;
}

static void grow(PairMap *m)
{
    PairMap old = *m;
    make_slots(m, 2 * (old.mask + 1));
    for (uint64_t i = 0; i <= old.mask; i++) {
        if (old.key[i] != UINT64_MAX) pairmap_put(m, old.key[i], old.value[i]);
    }
}

void pairmap_put(PairMap *m, uint64_t key, int32_t value)
{
    CHECK(key != UINT64_MAX, "the key that marks a free slot");
    if ((uint64_t)m->used * 2 > m->mask) grow(m);
    uint64_t slot = find(m, key);
    m->used += m->key[slot] != key;
    m->key[slot] = key;
    m->value[slot] = value;
}
