/* hash.c - SHA-256 (FIPS 180-4) and a quick 64-bit hash.
 *
 * SHA-256 names recipes, weights and files.  It is written out here rather than taken from
 * a crypto library, because it is sixty lines and the names must not depend on a package.
 * The round constants are the first 32 bits of the fractional parts of the cube roots of
 * the first 64 primes (section 4.2.2), the start values those of the square roots (5.3.3).
 *
 * hash64 runs splitmix64's finaliser (Steele, Lea and Flood, OOPSLA 2014; constants by
 * Stafford, "Mix13") over words of eight bytes, assembled byte by byte so that every machine
 * agrees. */
#include "base/hash.h"

#include <stdio.h>
#include <string.h>

#include "base/hash_inside.h"

const uint32_t hash_sha_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t ror(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static void sha_schedule(uint32_t w[64], const unsigned char *p)
{
    for (int i = 0; i < 16; i++, p += 4)
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        uint32_t s0 = ror(a, 7) ^ ror(a, 18) ^ a >> 3, s1 = ror(b, 17) ^ ror(b, 19) ^ b >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
}

/* Eight names take turns instead of eight places being moved. */
static void sha_block(uint32_t h[8], const unsigned char *p)
{
    uint32_t w[64];
    uint32_t v[8];
    sha_schedule(w, p);
    memcpy(v, h, sizeof(v));
    for (int i = 0; i < 64; i++) {
        uint32_t a = v[-i & 7], b = v[(1 - i) & 7], c = v[(2 - i) & 7];
        uint32_t e = v[(4 - i) & 7], f = v[(5 - i) & 7], g = v[(6 - i) & 7];
        uint32_t s1 = ror(e, 6) ^ ror(e, 11) ^ ror(e, 25), ch = (e & f) ^ (~e & g);
        uint32_t s0 = ror(a, 2) ^ ror(a, 13) ^ ror(a, 22), maj = (a & b) ^ (a & c) ^ (b & c);
        uint32_t t1 = v[(7 - i) & 7] + s1 + ch + hash_sha_k[i] + w[i];
        v[(3 - i) & 7] += t1;
        v[(7 - i) & 7] = t1 + s0 + maj;
    }
    for (int i = 0; i < 8; i++) h[i] += v[i];
}

void hash_sha_plain(uint32_t h[8], const unsigned char *p, ptrdiff_t blocks)
{
    for (; blocks > 0; blocks--, p += 64) sha_block(h, p);
}

static void sha_blocks(uint32_t h[8], const unsigned char *p, ptrdiff_t blocks)
{
    if (!hash_sha_x86(h, p, blocks)) hash_sha_plain(h, p, blocks);
}

void sha256_begin(Sha256 *s)
{
    static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    memset(s, 0, sizeof(*s));
    memcpy(s->h, start, sizeof(start));
}

void sha256_add(Sha256 *s, const void *bytes, ptrdiff_t len)
{
    const unsigned char *p = bytes;
    while (len > 0) {
        ptrdiff_t used = (ptrdiff_t)(s->bytes % 64), take = MIN(len, 64 - used);
        if (used == 0 && len >= 64) {
            take = len / 64 * 64;
            sha_blocks(s->h, p, take / 64);
        } else {
            memcpy(s->block + used, p, (size_t)take);
            if (used + take == 64) sha_blocks(s->h, s->block, 1);
        }
        s->bytes += (uint64_t)take;
        p += take;
        len -= take;
    }
}

void sha256_end(Sha256 *s, unsigned char out[32])
{
    static const unsigned char pad[64] = { 0x80 };
    uint64_t bits = s->bytes * 8;
    unsigned char length[8];
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)(bits >> (56 - 8 * i));
    ptrdiff_t used = (ptrdiff_t)(s->bytes % 64);
    sha256_add(s, pad, used < 56 ? 56 - used : 120 - used);
    sha256_add(s, length, 8);
    for (int i = 0; i < 32; i++) out[i] = (unsigned char)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_end_hex(Sha256 *s, char out[65])
{
    unsigned char sum[32];
    sha256_end(s, sum);
    for (int i = 0; i < 32; i++) snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

void sha256_hex(const void *bytes, ptrdiff_t len, char out[65])
{
    Sha256 s;
    sha256_begin(&s);
    sha256_add(&s, bytes, len);
    sha256_end_hex(&s, out);
}

uint64_t hash64_mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

uint64_t hash64(const void *bytes, ptrdiff_t len, uint64_t seed)
{
    const uint64_t golden = 0x9e3779b97f4a7c15u;
    const unsigned char *p = bytes;
    uint64_t h = hash64_mix(seed + golden) ^ (uint64_t)len * golden;
    for (; len > 0; p += 8, len -= 8) {
        uint64_t word = 0;
        int n = (int)MIN(len, (ptrdiff_t)8);
        for (int i = 0; i < n; i++) word |= (uint64_t)p[i] << (8 * i);
        h = hash64_mix((h ^ word) + golden);
    }
    return h;
}
