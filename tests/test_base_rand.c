/* Hashes and random numbers: published answers first, then statistics. */
#include "base/hash.h"
#include "base/hash_inside.h"
#include "base/rand.h"
#include "tests/test.h"

static bool sha_is(const char *text, ptrdiff_t len, const char *expect)
{
    char hex[65];
    sha256_hex(text, len, hex);
    return strcmp(hex, expect) == 0;
}

/* FIPS 180-4's examples (csrc.nist.gov, "SHA-256 examples") and the well-known empty one. */
TEST(sha256_gives_the_published_answers)
{
    EXPECT(sha_is("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    EXPECT(sha_is("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    EXPECT(sha_is("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    EXPECT(sha_is(million, 1000000,
                  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
    free(million);
}

TEST(sha256_by_instructions_is_sha256_in_plain_c)
{
    unsigned char text[64 * 9];
    uint32_t plain[8] = { 1, 2, 3, 4, 5, 6, 7, 0xFFFFFFFF }, quick[8];
    Rand r = rand_stream(4, "sha");
    for (int i = 0; i < (int)sizeof(text); i++) text[i] = (unsigned char)rand_below(&r, 256);
    memcpy(quick, plain, sizeof(plain));
    hash_sha_plain(plain, text, 9);
    if (!hash_sha_x86(quick, text, 9)) {
        printf("# skip: this processor has no instructions for it\n");
        return;
    }
    EXPECT(memcmp(plain, quick, sizeof(plain)) == 0);
}

TEST(sha256_in_pieces_is_sha256_at_once)
{
    unsigned char text[300];
    char at_once[65], pieces[65];
    for (int i = 0; i < 300; i++) text[i] = (unsigned char)(i * 7);
    for (int len = 0; len <= 300; len++) {
        Sha256 s;
        sha256_hex(text, len, at_once);
        sha256_begin(&s);
        for (int at = 0, step = 1; at < len; at += step, step = step % 71 + 3)
            sha256_add(&s, text + at, MIN(step, len - at));
        sha256_end_hex(&s, pieces);
        EXPECT_MSG(strcmp(at_once, pieces) == 0, "%d bytes", len);
    }
}

TEST(hash64_depends_on_every_bit_length_and_seed)
{
    unsigned char text[40] = { 0 };
    double changed = 0;
    uint64_t whole = hash64(text, 40, 1);
    for (int bit = 0; bit < 320; bit++) {
        text[bit / 8] ^= (unsigned char)(1 << bit % 8);
        changed += __builtin_popcountll(whole ^ hash64(text, 40, 1));
        text[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    EXPECT_MSG(fabs(changed / 320 - 32) < 1, "%.2f of 64 bits change", changed / 320);
    for (int len = 1; len <= 40; len++) EXPECT(hash64(text, len, 1) != hash64(text, len - 1, 1));
    EXPECT(hash64(text, 40, 2) != whole && hash64(NULL, 0, 1) != hash64(NULL, 0, 2));
}

/* The kat_vectors file of Random123 (deshawresearch.com). */
TEST(philox_gives_the_published_answers)
{
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        { { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
        { { ~0u, ~0u, ~0u, ~0u },
          { ~0u, ~0u },
          { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
        { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
          { 0xa4093822, 0x299f31d0 },
          { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
    };
    for (int i = 0; i < COUNT(known); i++) {
        uint32_t out[4];
        philox4x32(known[i].counter, known[i].key, out);
        EXPECT_MSG(memcmp(out, known[i].out, sizeof(out)) == 0, "vector %d", i);
    }
}

TEST(a_draw_depends_on_its_place_only)
{
    Rand r = rand_stream(7, "weights"), other = rand_stream(7, "dropout"),
         seed = rand_stream(8, "weights");
    uint64_t stream = rand_name("weights");
    for (uint64_t i = 0; i < 100; i++) {
        double x = rand_uniform(&r);
        EXPECT(x == rand_uniform_at(7, stream, i));
        EXPECT(x != rand_uniform(&other) && x != rand_uniform(&seed));
    }
    Rand n = rand_stream(7, "weights");
    for (uint64_t i = 0; i < 100; i++) EXPECT(rand_normal(&n) == rand_normal_at(7, stream, i));
    EXPECT(n.index == 200);
}

TEST(uniform_draws_stay_inside_and_are_flat)
{
    Rand r = rand_stream(1, "flat");
    int cell[64] = { 0 };
    const int draws = 640000;
    for (int i = 0; i < draws; i++) {
        double x = rand_uniform(&r);
        EXPECT(x > 0 && x < 1);
        cell[(int)(x * 64)]++;
    }
    double chi2 = 0, expect = draws / 64.0;
    for (int i = 0; i < 64; i++) chi2 += (cell[i] - expect) * (cell[i] - expect) / expect;
    EXPECT_MSG(chi2 > 30 && chi2 < 112, "chi squared of 63 degrees is %.1f",
               chi2); /* 1e-4 each side */
}

TEST(draws_below_a_number_are_unbiased)
{
    Rand r = rand_stream(2, "below");
    const uint64_t n = 3ull << 62; /* a plain remainder would favour the lower third 2 to 1 */
    int low = 0;
    for (int i = 0; i < 30000; i++) low += rand_below(&r, n) < n / 3;
    EXPECT_MSG(abs(low - 10000) < 330, "%d of 30000 in the lower third", low);
    for (int i = 0; i < 100; i++) EXPECT(rand_below(&r, 1) == 0 && rand_below(&r, 7) < 7);
}

/* The same bits through libm's logarithm and cosine. */
TEST(normal_draws_agree_with_libm_to_rounding)
{
    Rand r = rand_stream(3, "normal"), u = r;
    double worst = 0;
    for (int i = 0; i < 100000; i++) {
        double a = rand_uniform(&u), b = rand_uniform(&u);
        double expect = sqrt(-2 * log(a)) * cos(2 * 3.14159265358979323846 * b);
        worst = fmax(worst, fabs(rand_normal(&r) - expect));
    }
    EXPECT_MSG(worst < 1e-14, "off by %g", worst);
}

TEST(normal_draws_are_normal)
{
    enum { N = 200000 };
    Rand r = rand_stream(4, "moments");
    double sum = 0, sum2 = 0, sum4 = 0, beyond = 0;
    for (int i = 0; i < N; i++) {
        double x = rand_normal(&r);
        sum += x, sum2 += x * x, sum4 += x * x * x * x, beyond += fabs(x) > 1.959963985;
    }
    EXPECT(fabs(sum / N) < 4 / sqrt(N));
    EXPECT(fabs(sum2 / N - 1) < 4 * sqrt(2.0 / N));
    EXPECT(fabs(sum4 / N - 3) < 4 * sqrt(96.0 / N));
    EXPECT(fabs(beyond / N - 0.05) < 4 * sqrt(0.05 * 0.95 / N));
}

TEST(many_normal_draws_agree_with_libm_and_depend_on_their_place_only)
{
    enum { N = 40000 };
    static float x[N];
    const double turn = 6.283185307179586;
    double worst = 0;
    rand_normals(9, 4, 0, N, x);
    for (uint32_t i = 0; i < N / 4; i++) {
        uint32_t word[4];
        philox4x32((uint32_t[]){ i, 0, 4, 0 }, (uint32_t[]){ 9, 0 }, word);
        for (int k = 0; k < 4; k++) {
            uint32_t u = word[k / 2 * 2], v = word[k / 2 * 2 + 1];
            float cell = ((float)(u >> 1) + 0.5f) * 0x1p-31f; /* floats are coarse near 1 */
            double r = sqrt(-2 * log((double)cell));
            double angle = turn * (double)v / 0x1p32;
            worst = fmax(worst, fabs((double)x[4 * i + k] - r * (k % 2 ? sin(angle) : cos(angle))));
        }
    }
    EXPECT_MSG(worst < 2e-6, "off by %g", worst);
    static float part[N];
    for (ptrdiff_t at = 0, n = 1; at < N; at += n, n = (3 * n) % 701)
        rand_normals(9, 4, (uint64_t)at, MIN(n, N - at), part + at);
    EXPECT(memcmp(x, part, sizeof(x)) == 0);
}

TEST(many_normal_draws_are_normal)
{
    enum { N = 1 << 20 };
    static float x[N];
    rand_normals(3, rand_name("weights"), 0, N, x);
    double sum = 0, square = 0, fourth = 0, beside = 0, largest = 0;
    int inside = 0;
    for (int i = 0; i < N; i++) {
        double y = (double)x[i];
        sum += y, square += y * y, fourth += y * y * y * y;
        beside += y * (double)x[(i + 1) % N];
        inside += fabs(y) < 1;
        largest = fmax(largest, fabs(y));
    }
    EXPECT_MSG(fabs(sum / N) < 0.004 && fabs(square / N - 1) < 0.006, "mean %g, variance %g",
               sum / N, square / N);
    EXPECT_MSG(fabs(fourth / N - 3) < 0.04 && fabs(beside / N) < 0.004,
               "fourth moment %g, beside %g", fourth / N, beside / N);
    EXPECT_MSG(fabs((double)inside / N - 0.6826895) < 0.002, "%g within 1", (double)inside / N);
    EXPECT_MSG(largest > 4.5 && largest < 6.7, "largest %g", largest);
}

TEST(a_permutation_reaches_every_place_once)
{
    static bool seen[5000];
    for (uint64_t n = 1; n < 5000; n = n * 3 / 2 + 1) {
        memset(seen, 0, sizeof(seen));
        for (uint64_t i = 0; i < n; i++) {
            uint64_t to = rand_permute(i, n, 99);
            EXPECT(to < n && !seen[to]);
            if (to < n) seen[to] = true;
        }
    }
    uint64_t far = (uint64_t)1 << 62;
    EXPECT(rand_permute(far - 1, far, 1) < far);
}

TEST(permutations_of_different_keys_are_unrelated)
{
    enum { N = 1000 };
    double same = 0, neighbours = 0;
    for (uint64_t i = 0; i + 1 < N; i++) {
        uint64_t a = rand_permute(i, N, 1), b = rand_permute(i, N, 2),
                 next = rand_permute(i + 1, N, 1);
        same += a == b;
        neighbours += next == a + 1;
    }
    EXPECT(same < 8 && neighbours < 8); /* each expects one */
}
