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
 * rejected: it takes an unknown number of draws, and draw i could not be had by itself.
 *
 * Weights by the million come from rand_normals(): the same method in float, both numbers of
 * each pair used, in loops without branches that compilers turn into vector code of whatever the
 * machine has.  Without FMA, so that the bits are the same where there is none. */
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

/* ---- many at once ---------------------------------------------------------------------------- */

enum { BLOCKS = 64, PAIRS = 2 * BLOCKS }; /* at a time */

static inline float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

static inline uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

/* sqrt(-2 ln u), u the middle of one of 2^31 equal cells.  As in log_of; the last term is 5e-9. */
static inline float radius(uint32_t bits)
{
    uint32_t u = bits_of(((float)(int32_t)(bits >> 1) + 0.5f) * 0x1p-31f);
    int32_t e = (int32_t)(u - 0x3f3504f3u) >> 23; /* m in [sqrt(1/2), sqrt 2) */
    float m = float_of(u - ((uint32_t)e << 23)), s = (m - 1) / (m + 1), s2 = s * s;
    float sum = 1.0f / 11;
    sum = sum * s2 + 1.0f / 9;
    sum = sum * s2 + 1.0f / 7;
    sum = sum * s2 + 1.0f / 5;
    sum = sum * s2 + 1.0f / 3;
    sum = sum * s2 + 1;
    return sqrtf(-2 * (2 * s * sum + (float)e * 0.693147181f));
}

/* Cosine and sine of 2 pi bits / 2^32: an angle in [-pi/4, pi/4), and which quarter. */
static inline void turn_of(uint32_t bits, float *a, float *b)
{
    float x = (float)(int32_t)(bits << 2) * (1.57079633f * 0x1p-32f), x2 = x * x;
    float s = 1.0f / 362880, c = 1.0f / 40320;
    s = s * x2 - 1.0f / 5040, c = c * x2 - 1.0f / 720;
    s = s * x2 + 1.0f / 120, c = c * x2 + 1.0f / 24;
    s = s * x2 - 1.0f / 6, c = c * x2 - 0.5f;
    s = s * x2 * x + x, c = c * x2 + 1;
    uint32_t quarter = (bits + 0x20000000u) >> 30, odd = 0u - (quarter & 1);
    uint32_t sb = bits_of(s), cb = bits_of(c);
    *a = float_of(((cb & ~odd) | (sb & odd)) ^ (((quarter + 1) & 2) << 30));
    *b = float_of(((sb & ~odd) | (cb & odd)) ^ ((quarter & 2) << 30));
}

/* The 4 BLOCKS draws from block `first` on. */
static void normal_blocks(uint64_t seed, uint64_t stream, uint64_t first, float out[4 * BLOCKS])
{
    uint32_t key[2] = { (uint32_t)seed, (uint32_t)(seed >> 32) }, word[4], u[PAIRS], v[PAIRS];
    float a[PAIRS], b[PAIRS];
    for (int i = 0; i < BLOCKS; i++) {
        uint64_t block = first + (uint64_t)i;
        uint32_t counter[4] = { (uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream,
                                (uint32_t)(stream >> 32) };
        philox4x32(counter, key, word);
        u[2 * i] = word[0], v[2 * i] = word[1];
        u[2 * i + 1] = word[2], v[2 * i + 1] = word[3];
    }
    for (int i = 0; i < PAIRS; i++) {
        float r = radius(u[i]);
        turn_of(v[i], &a[i], &b[i]);
        a[i] *= r;
        b[i] *= r;
    }
    for (int i = 0; i < PAIRS; i++) out[2 * i] = a[i], out[2 * i + 1] = b[i];
}

void rand_normals(uint64_t seed, uint64_t stream, uint64_t from, ptrdiff_t n, float *out)
{
    float some[4 * BLOCKS];
    while (n > 0) {
        ptrdiff_t skip = (ptrdiff_t)(from % 4), take = MIN(n, 4 * BLOCKS - skip);
        normal_blocks(seed, stream, from / 4, some);
        memcpy(out, some + skip, (size_t)take * sizeof(float));
        out += take;
        from += (uint64_t)take;
        n -= take;
    }
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
