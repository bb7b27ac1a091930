/* rand.c - Philox4x32-10, and what is made of its bits.
 *
 * J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011.  The counter holds the block's number (low half) and the stream's name
 * (high half), the key holds the seed.  A 64-bit draw is half a block, so a draw is a
 * function of (seed, stream, index) and of nothing else.
 *
 * Initial weights are normal draws, so the logarithm and the cosine of Box and Muller's
 * method may not come from libm, whose last bits differ between machines.  The two series
 * below use only + - * / and sqrt, which IEEE 754 fixes to the bit.  The ziggurat was
 * rejected: it takes an unknown number of draws, and draw i could not be had by itself. */
#include "base/rand.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"

void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)b;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

static void draw_block(uint64_t seed, uint64_t stream, uint64_t block, uint64_t out[2])
{
    uint32_t counter[4] = { (uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream,
                            (uint32_t)(stream >> 32) };
    uint32_t key[2] = { (uint32_t)seed, (uint32_t)(seed >> 32) }, bits[4];
    philox4x32(counter, key, bits);
    out[0] = (uint64_t)bits[1] << 32 | bits[0];
    out[1] = (uint64_t)bits[3] << 32 | bits[2];
}

uint64_t rand_name(const char *name)
{
    return hash64(name, (ptrdiff_t)strlen(name), 0);
}

Rand rand_stream(uint64_t seed, const char *name)
{
    Rand r = { .key = seed, .stream = rand_name(name), .index = 0 };
    return r;
}

uint64_t rand_u64(Rand *r)
{
    uint64_t pair[2], index = r->index++;
    draw_block(r->key, r->stream, index / 2, pair);
    return pair[index % 2];
}

uint64_t rand_below(Rand *r, uint64_t n)
{
    CHECK(n > 0, "a draw below 0");
    uint64_t first = (0 - n) % n; /* 2^64 mod n: draws below it would favour small numbers */
    for (;;) {
        uint64_t x = rand_u64(r);
        if (x >= first) return x % n;
    }
}

/* The middle of one of 2^52 equal cells: never 0, never 1. */
static double uniform_of(uint64_t bits)
{
    return ((double)(bits >> 12) + 0.5) * 0x1p-52;
}

/* ln x for x in (0, 1]: x = m 2^e with m in [sqrt(1/2), sqrt(2)), and ln m = 2 atanh(s),
 * s = (m-1)/(m+1), |s| < 0.172, by its series; the last term is below 1e-18. */
static double log_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    int e = (int)(bits >> 52) - 1023;
    bits = (bits & 0x000fffffffffffffu) | 0x3ff0000000000000u;
    double m;
    memcpy(&m, &bits, sizeof(m));
    if (m > 1.4142135623730951) m *= 0.5, e++;
    double s = (m - 1) / (m + 1), s2 = s * s, sum = 0;
    for (int k = 23; k >= 1; k -= 2) sum = sum * s2 + 1.0 / k;
    return 2 * s * sum + e * 0.69314718055994531;
}

/* cos(2 pi u) for u in [0, 1): folded to an angle in [0, pi/4], then Taylor's series. */
static double cos_turn(double u)
{
    if (u > 0.5) u = 1 - u;
    double sign = u > 0.25 ? -1 : 1;
    if (u > 0.25) u = 0.5 - u;
    bool use_sine = u > 0.125;
    double x = (use_sine ? 0.25 - u : u) * 6.2831853071795865, x2 = x * x, sum = 1;
    for (int k = use_sine ? 19 : 18; k >= 2; k -= 2) sum = 1 - sum * x2 / (k * (k - 1));
    return sign * (use_sine ? x * sum : sum);
}

static double normal_of(uint64_t first, uint64_t second)
{
    return sqrt(-2 * log_of(uniform_of(first))) * cos_turn(uniform_of(second));
}

double rand_uniform(Rand *r)
{
    return uniform_of(rand_u64(r));
}

double rand_normal(Rand *r)
{
    uint64_t first = rand_u64(r), second = rand_u64(r);
    return normal_of(first, second);
}

double rand_uniform_at(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint64_t pair[2];
    draw_block(seed, stream, index / 2, pair);
    return uniform_of(pair[index % 2]);
}

double rand_normal_at(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint64_t pair[2];
    draw_block(seed, stream, index, pair);
    return normal_of(pair[0], pair[1]);
}

/* Six rounds of a balanced Feistel network over the smallest 4^k >= n; a result outside
 * 0..n-1 is sent through again, at most four times on average. */
uint64_t rand_permute(uint64_t i, uint64_t n, uint64_t key)
{
    CHECK(i < n && n <= (uint64_t)1 << 62, "place %llu of %llu", (unsigned long long)i,
          (unsigned long long)n);
    int half = 1;
    while ((uint64_t)1 << (2 * half) < n) half++;
    uint64_t mask = ((uint64_t)1 << half) - 1;
    do {
        uint64_t left = i >> half, right = i & mask;
        for (uint64_t round = 0; round < 6; round++) {
            uint64_t mixed = hash64_mix(hash64_mix(key + round) ^ right) & mask, old = left;
            left = right;
            right = old ^ mixed;
        }
        i = left << half | right;
    } while (i >= n);
    return i;
}
