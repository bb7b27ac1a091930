/* bench_peak.c - the ceiling that other measurements are a share of.
 *
 * Arithmetic: chains of fused multiply-adds in registers, enough of them to hide the
 * latency (10 chains of the widest vectors), on all cores at once.  Memory: every core
 * reads a buffer of its own, far larger than its caches.
 *
 * Two figures of many short rounds.  The best is what the processor can do: interruptions
 * only ever slow a round down.  The median is what it does go on doing: clocks rise for a
 * moment and fall under load, and what runs for seconds is to be a share of that.
 *
 * Only here does the program need the widest vectors outside a kernel, hence the target
 * attributes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/bench.h"
#include "dev/dev.h"

#if HAVE_X86_LEVELS
#include <immintrin.h>
#endif

enum { CHAINS = 10, ROUND = 200000, BUFFER = 64 << 20, ROUNDS_MOST = 1 << 14 };

typedef struct Probe {
    CpuLevel level;
    float **buffer;          /* per part */
    volatile double *result; /* per part, so that nothing is optimised away */
} Probe;

#if HAVE_X86_LEVELS
__attribute__((target("avx512f"))) static double chains_avx512(void)
{
    __m512 a[CHAINS], x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(1e-3f);
    for (int i = 0; i < CHAINS; i++) a[i] = _mm512_set1_ps((float)i);
    for (int r = 0; r < ROUND; r++) {
#pragma GCC unroll 10
        for (int i = 0; i < CHAINS; i++) a[i] = _mm512_fmadd_ps(a[i], x, y);
    }
    float sum = 0;
    for (int i = 0; i < CHAINS; i++) sum += _mm512_reduce_add_ps(a[i]);
    return (double)sum;
}

__attribute__((target("avx2,fma"))) static double chains_avx2(void)
{
    __m256 a[CHAINS], x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(1e-3f);
    for (int i = 0; i < CHAINS; i++) a[i] = _mm256_set1_ps((float)i);
    for (int r = 0; r < ROUND; r++) {
#pragma GCC unroll 10
        for (int i = 0; i < CHAINS; i++) a[i] = _mm256_fmadd_ps(a[i], x, y);
    }
    float part[8], sum = 0;
    for (int i = 0; i < CHAINS; i++) {
        _mm256_storeu_ps(part, a[i]);
        sum += part[0] + part[7];
    }
    return (double)sum;
}
#endif

/* Four lanes, which every compiler of interest keeps in one register. */
static double chains_plain(void)
{
    float a[CHAINS][4];
    for (int i = 0; i < CHAINS; i++)
        for (int l = 0; l < 4; l++) a[i][l] = (float)i;
    for (int r = 0; r < ROUND; r++) {
        for (int i = 0; i < CHAINS; i++)
            for (int l = 0; l < 4; l++) a[i][l] = a[i][l] * 0.999f + 1e-3f;
    }
    double sum = 0;
    for (int i = 0; i < CHAINS; i++) sum += (double)a[i][0] + (double)a[i][3];
    return sum;
}

static double round_flops(CpuLevel level)
{
    double lanes = level == LEVEL_AVX512 ? 16 : level == LEVEL_AVX2 ? 8 : 4;
    return 2.0 * lanes * CHAINS * ROUND;
}

static void run_chains(const void *call, Work w)
{
    const Probe *p = call;
#if HAVE_X86_LEVELS
    if (p->level == LEVEL_AVX512)
        p->result[w.part] = chains_avx512();
    else if (p->level == LEVEL_AVX2)
        p->result[w.part] = chains_avx2();
    else
        p->result[w.part] = chains_plain();
#else
    p->result[w.part] = chains_plain();
#endif
}

static void run_read(const void *call, Work w)
{
    const Probe *p = call;
    const float *x = p->buffer[w.part];
    float sum[64] = { 0 };
    for (ptrdiff_t i = 0; i < BUFFER / (ptrdiff_t)sizeof(float); i += 64)
        for (int l = 0; l < 64; l++) sum[l] += x[i + l];
    p->result[w.part] = (double)sum[0];
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct Rates {
    double best, median;
} Rates;

/* Of `work` units per part and round. */
static Rates measure_rates(Dev *d, const Job *job, double work, double seconds)
{
    static double rate[ROUNDS_MOST];
    int n = 0;
    double began = clock_now();
    do {
        double at = clock_now();
        d->def->run(d, job, 1);
        rate[n++] = work * job->parts[0] / (clock_now() - at);
    } while (clock_now() - began < seconds && n < ROUNDS_MOST);
    qsort(rate, (size_t)n, sizeof(*rate), by_size);
    return (Rates){ .best = rate[n - 1], .median = rate[n / 2] };
}

static double measure_memory(Dev *d, Probe *p, int threads, double seconds)
{
    double rate = 0;
    p->buffer = calloc((size_t)threads, sizeof(*p->buffer));
    bool ok = p->buffer != NULL;
    for (int i = 0; ok && i < threads; i++) {
        p->buffer[i] = malloc(BUFFER);
        ok = p->buffer[i] != NULL;
        if (ok) memset(p->buffer[i], 1, BUFFER);
    }
    if (ok) {
        Job job = { .run = run_read, .call = p, .parts = &threads, .phases = 1 };
        rate = measure_rates(d, &job, BUFFER, seconds).best;
    }
    for (int i = 0; p->buffer && i < threads; i++) free(p->buffer[i]);
    free(p->buffer);
    return rate;
}

bool bench_peak_measure(int threads, double seconds, bool memory, BenchPeak *out, Err *err)
{
    Dev d = { 0 };
    if (!dev_open(&d, "cpu", threads, err)) return false;
    int parts = d.threads > 0 ? d.threads : dev_cores();
    Probe p = { .level = cpu_level(), .result = calloc((size_t)parts, sizeof(double)) };
    CHECK(p.result, "a result for each of %d threads", parts);
    Job job = { .run = run_chains, .call = &p, .parts = &parts, .phases = 1 };
    Rates r = measure_rates(&d, &job, round_flops(p.level), seconds);
    *out = (BenchPeak){ .flops_per_s = r.best, .sustained_flops_per_s = r.median };
    if (memory) out->read_bytes_per_s = measure_memory(&d, &p, parts, seconds);
    free((void *)p.result);
    dev_close(&d);
    return true;
}

static bool run(const BenchIn *in, json_t *rows, Err *err)
{
    BenchPeak p;
    if (!bench_peak_measure(in->threads, in->seconds / 2, true, &p, err)) return false;
    json_array_append_new(rows,
                          json_pack("{s:s, s:s, s:i, s:f, s:f, s:f}", "device", cpu_model(),
                                    "level", cpu_level_name(cpu_level()), "threads",
                                    in->threads > 0 ? in->threads : dev_cores(), "peak_flops_per_s",
                                    p.flops_per_s, "sustained_flops_per_s", p.sustained_flops_per_s,
                                    "read_bytes_per_s", p.read_bytes_per_s));
    if (!in->cmd->json)
        printf(
            "peak   %s, %s, %d threads: %.1f GFLOP/s fp32 at best, %.1f in the median; %.1f GB/s "
            "read from memory\n",
            cpu_model(), cpu_level_name(cpu_level()), in->threads > 0 ? in->threads : dev_cores(),
            p.flops_per_s / 1e9, p.sustained_flops_per_s / 1e9, p.read_bytes_per_s / 1e9);
    return true;
}

extern const BenchDef bench_peak;
const BenchDef bench_peak = {
    .name = "peak",
    .doc = "multiply-adds and bytes per second that the processor can do at best",
    .run = run,
};
