/* cpu_level.c - what this processor can do, asked once.
 *
 * The level selects kernels and nothing else: fp32 results have the same bits at
 * every level, so it is no part of a recipe; it is recorded because speed is. */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "dev/dev.h"

static CpuLevel best_level(void)
{
#if HAVE_X86_LEVELS
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (avx2 && avx512) return LEVEL_AVX512;
    if (avx2) return LEVEL_AVX2;
#endif
    return LEVEL_PLAIN;
}

static _Atomic int chosen = -1;

CpuLevel cpu_level(void)
{
    int level = atomic_load(&chosen);
    if (level < 0) atomic_store(&chosen, level = (int)best_level());
    return (CpuLevel)level;
}

bool cpu_level_set(CpuLevel level)
{
    if (level < LEVEL_PLAIN || level > best_level()) return false;
    atomic_store(&chosen, (int)level);
    return true;
}

const char *cpu_level_name(CpuLevel level)
{
    static const char *const names[LEVEL_COUNT] = { "ref", "plain", "avx2", "avx512" };
    CHECK(level >= 0 && level < LEVEL_COUNT, "no such level: %d", (int)level);
    return names[level];
}

/* AVX512-FP16: leaf 7, bit 23 of edx.  That its registers are saved is part of LEVEL_AVX512. */
static bool has_halves(void)
{
#if HAVE_X86_LEVELS
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && d >> 23 & 1;
#else
    return false;
#endif
}

bool cpu_computes(CpuLevel level, Precision p)
{
    return p == PRECISION_FP32 || level == LEVEL_REF || (level == LEVEL_AVX512 && has_halves());
}

const char *precision_name(Precision p)
{
    static const char *const names[PRECISION_COUNT] = { "fp32", "fp16" };
    CHECK(p >= 0 && p < PRECISION_COUNT, "no such precision: %d", (int)p);
    return names[p];
}

int dev_cores(void)
{
    cpu_set_t mask;
    CPU_ZERO(&mask);
    if (sched_getaffinity(0, sizeof(mask), &mask) != 0) return 1;
    return MAX(1, CPU_COUNT(&mask));
}

#if defined(__x86_64__)
/* The brand string of cpuid; virtual machines shorten it, so family and model stand behind it. */
static void read_model(char out[96])
{
    unsigned word[12] = { 0 }, a = 0, b = 0, c = 0, d = 0;
    for (unsigned i = 0; i < 3; i++)
        if (!__get_cpuid(0x80000002U + i, &word[4 * i], &word[4 * i + 1], &word[4 * i + 2],
                         &word[4 * i + 3]))
            break;
    char brand[sizeof(word) + 1] = { 0 };
    memcpy(brand, word, sizeof(word));
    __get_cpuid(1, &a, &b, &c, &d);
    unsigned family = a >> 8 & 15, model = a >> 4 & 15;
    if (family == 6 || family == 15) model += (a >> 16 & 15) << 4;
    if (family == 15) family += a >> 20 & 255;
    const char *from = brand + strspn(brand, " ");
    snprintf(out, 96, "%s (family %u, model %u)", from[0] ? from : "x86-64", family, model);
}
#else
static void read_model(char out[96])
{
    struct utsname u;
    snprintf(out, 96, "%s", uname(&u) == 0 ? u.machine : "unknown");
}
#endif

const char *cpu_model(void)
{
    static char model[96];
    static _Atomic int state; /* 0 not read, 1 being read, 2 there */
    int unread = 0;
    if (atomic_compare_exchange_strong(&state, &unread, 1)) {
        read_model(model);
        atomic_store(&state, 2);
    }
    while (atomic_load(&state) != 2) sched_yield();
    return model;
}
