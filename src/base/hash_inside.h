/* hash_inside.h - what the files of hash.h share. */
#ifndef BASE_HASH_INSIDE_H
#define BASE_HASH_INSIDE_H

#include "base/base.h"

extern const uint32_t hash_sha_k[64]; /* the round constants */

/* `blocks` blocks of 64 bytes into the state. */
void hash_sha_plain(uint32_t h[8], const unsigned char *p, ptrdiff_t blocks);
/* hash_x86.c: the same by the processor's own instructions; false where it has none, and nothing
 * was done. */
bool hash_sha_x86(uint32_t h[8], const unsigned char *p, ptrdiff_t blocks);

#endif
