/* hash_x86.c - SHA-256 by the instructions that x86 processors have for it.
 *
 * Every byte that comes into a lab is hashed several times (the file, the document, the training
 * text), and in plain C that was half the time of an addition.  The instructions do two
 * rounds each, on the state as two vectors, ABEF and CDGH (Intel, "Intel SHA Extensions", 2013). */
#include "base/hash_inside.h"

#if HAVE_X86_LEVELS
#include <cpuid.h>
#include <immintrin.h>
#include <pthread.h>

static bool has_sha;
static pthread_once_t asked = PTHREAD_ONCE_INIT;

static void ask(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 9) || !(c & 1u << 19)) return;
    has_sha = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 29);
}

#define SHA_TARGET __attribute__((target("sha,sse4.1")))

/* Words of the message schedule, four at a time in a ring of four: w[i - 16 .. i - 13] becomes
 * w[i .. i + 3]. */
SHA_TARGET static inline __m128i schedule(const __m128i m[4], int i)
{
    __m128i first = _mm_sha256msg1_epu32(m[i & 3], m[(i + 1) & 3]);
    __m128i seven = _mm_alignr_epi8(m[(i + 3) & 3], m[(i + 2) & 3], 4);
    return _mm_sha256msg2_epu32(_mm_add_epi32(first, seven), m[(i + 3) & 3]);
}

SHA_TARGET static void block(__m128i *abef, __m128i *cdgh, const unsigned char *p)
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i m[4], x = *abef, y = *cdgh;
    for (int i = 0; i < 4; i++)
        m[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)),
                                big_endian);
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        if (i >= 4) m[i & 3] = schedule(m, i);
        __m128i k = _mm_loadu_si128((const __m128i *)(const void *)(hash_sha_k + 4 * i));
        k = _mm_add_epi32(k, m[i & 3]);
        y = _mm_sha256rnds2_epu32(y, x, k);
        x = _mm_sha256rnds2_epu32(x, y, _mm_shuffle_epi32(k, 0x0E));
    }
    *abef = _mm_add_epi32(*abef, x);
    *cdgh = _mm_add_epi32(*cdgh, y);
}

SHA_TARGET static void blocks_by_sha(uint32_t h[8], const unsigned char *p, ptrdiff_t blocks)
{
    __m128i *low = (__m128i *)(void *)h, *high = (__m128i *)(void *)(h + 4);
    __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(low), 0xB1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(high), 0x1B);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);
    for (; blocks > 0; blocks--, p += 64) block(&abef, &cdgh, p);
    __m128i feba = _mm_shuffle_epi32(abef, 0x1B), dchg = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128(low, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128(high, _mm_alignr_epi8(dchg, feba, 8));
}

bool hash_sha_x86(uint32_t h[8], const unsigned char *p, ptrdiff_t blocks)
{
    pthread_once(&asked, ask);
    if (has_sha) blocks_by_sha(h, p, blocks);
    return has_sha;
}

#else

bool hash_sha_x86(uint32_t h[8], const unsigned char *p, ptrdiff_t blocks)
{
    (void)h, (void)p, (void)blocks;
    return false;
}

#endif
