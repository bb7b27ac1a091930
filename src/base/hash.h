/* hash.h - SHA-256 to name things, a 64-bit hash to find them. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/base.h"

C_BEGIN

/* SHA-256 (FIPS 180-4). */
typedef struct Sha256 {
    uint32_t h[8];
    uint64_t bytes;
    unsigned char block[64];
} Sha256;
void sha256_begin(Sha256 *s);
void sha256_add(Sha256 *s, const void *bytes, ptrdiff_t len);
void sha256_end(Sha256 *s, unsigned char out[32]);
void sha256_hex(const void *bytes, ptrdiff_t len, char out[65]); /* all at once, as text */
void sha256_end_hex(Sha256 *s, char out[65]);

/* Not for names that must never collide; well mixed, the same on every machine. */
uint64_t hash64(const void *bytes, ptrdiff_t len, uint64_t seed);
uint64_t hash64_mix(uint64_t x); /* splitmix64's finaliser */

C_END
#endif
