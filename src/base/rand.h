/* rand.h - random numbers as a function of their place, not of their past.
 *
 * Philox4x32-10 (Salmon et al., SC'11): block i of stream (key, name) is the
 * same whoever asks and in whatever order, so a resumed run, a recomputed
 * dropout and a run on other threads all see the same draws.  Streams are
 * named by text: a new parameter leaves the draws of the others alone. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include "base/base.h"

C_BEGIN

/* The raw generator: 128 bits for a 128-bit counter and a 64-bit key. */
void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

typedef struct Rand {
    uint64_t key, stream, index; /* index counts 64-bit draws */
} Rand;

Rand rand_stream(uint64_t seed, const char *name);
uint64_t rand_u64(Rand *r);
uint64_t rand_below(Rand *r, uint64_t n); /* 0..n-1, unbiased; n > 0 */
double rand_uniform(Rand *r);             /* in (0, 1) */
double rand_normal(Rand *r);              /* mean 0, variance 1; two draws each */

/* Draw `index` of a stream, without state. */
double rand_uniform_at(uint64_t seed, uint64_t stream, uint64_t index);
double rand_normal_at(uint64_t seed, uint64_t stream, uint64_t index);
/* Normal draws from..from+n-1 of a stream as floats, for weights by the million.  They are other
 * numbers than those of rand_normal_at(). */
void rand_normals(uint64_t seed, uint64_t stream, uint64_t from, ptrdiff_t n, float *out);
uint64_t rand_name(const char *name); /* the stream number of a name */

/* Where i goes in a pseudo-random permutation of 0..n-1 chosen by key (Feistel
 * network with cycle walking).  No table, any order, any n up to 2^62. */
uint64_t rand_permute(uint64_t i, uint64_t n, uint64_t key);

C_END
#endif
