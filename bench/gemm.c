/* gemm.c - how fast are our matrix products on the shapes of models?
 *
 * For a model C wide on M tokens: forward y = x w^T, d_x = d_y w, d_w = d_y^T x, for the
 * products of a block and the head.  GFLOP/s, best of several; run on an idle machine.
 *
 *     bench_gemm [THREADS] [LEVEL] [fp16]      threads 0: all cores */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tensor/gemm.h"

typedef struct Product {
    Gemm g;
    CpuLevel level;
} Product;

static void tile(const void *call, Work w)
{
    const Product *p = call;
    if (w.phase == 0)
        gemm_pack(p->level, &p->g, w.part);
    else
        gemm_tile(p->level, &p->g, w.part, w.own);
}

/* One thread is measured by its own time, so that other programs hardly matter. */
static double now(const Dev *d)
{
    return d->threads == 1 ? clock_cpu() : clock_now();
}

static double best_gflops(Dev *d, Product *p)
{
    int parts[] = { gemm_packs(&p->g), gemm_tiles(&p->g) };
    ptrdiff_t packed = gemm_packed(&p->g);
    p->g.packed = d->def->block(d, packed);
    if (!p->g.packed) abort();
    Job job = { .run = tile, .call = p, .parts = parts, .phases = 2, .own = gemm_own(p->g.k) };
    if (!d->def->reserve(d, job.own)) abort();
    double flops = 2.0 * (double)p->g.m * (double)p->g.n * (double)p->g.k, best = 1e9;
    for (double begun = clock_now(), spent = 0; spent < 0.15 || best == 1e9;) {
        double t = now(d);
        d->def->run(d, &job, 1);
        best = MIN(best, now(d) - t);
        spent = clock_now() - begun;
    }
    d->def->block_free(d, p->g.packed, packed);
    return flops / best * 1e-9;
}

static float *floats(Dev *d, ptrdiff_t n)
{
    float *x = d->def->block(d, n * (ptrdiff_t)sizeof(float));
    if (!x) abort();
    for (ptrdiff_t i = 0; i < n; i++) x[i] = (float)(i % 17) * 0.1F - 0.8F;
    return x;
}

typedef struct Layer {
    const char *name;
    ptrdiff_t tokens, out, in;
} Layer;

/* Forward, d_x and d_w of y = x w^T. */
static void layer_speed(Dev *d, CpuLevel level, bool half, Layer l, double gflops[3])
{
    ptrdiff_t m = l.tokens, o = l.out, i = l.in;
    float *x = floats(d, m * i), *w = floats(d, o * i), *y = floats(d, m * o);
    Product forward = { { .m = m,
                          .n = o,
                          .k = i,
                          .a = x,
                          .b = w,
                          .c = y,
                          .a_row = i,
                          .a_col = 1,
                          .b_row = 1,
                          .b_col = i,
                          .c_row = o,
                          .once = true },
                        level };
    Product d_x = { { .m = m,
                      .n = i,
                      .k = o,
                      .a = y,
                      .b = w,
                      .c = x,
                      .a_row = o,
                      .a_col = 1,
                      .b_row = i,
                      .b_col = 1,
                      .c_row = i,
                      .once = true },
                    level };
    Product d_w = { { .m = o,
                      .n = i,
                      .k = m,
                      .a = y,
                      .b = x,
                      .c = w,
                      .a_row = 1,
                      .a_col = o,
                      .b_row = i,
                      .b_col = 1,
                      .c_row = i },
                    level };
    forward.g.half = d_x.g.half = d_w.g.half = half;
    gflops[0] = best_gflops(d, &forward);
    memset(y, 0, (size_t)(m * o) * sizeof(float)); /* no infinities */
    gflops[1] = best_gflops(d, &d_x);
    gflops[2] = best_gflops(d, &d_w);
    d->def->block_free(d, x, m * i * (ptrdiff_t)sizeof(float));
    d->def->block_free(d, w, o * i * (ptrdiff_t)sizeof(float));
    d->def->block_free(d, y, m * o * (ptrdiff_t)sizeof(float));
}

int main(int argc, char **argv)
{
    static const Layer layers[] = {
        { "C 128 qkv", 768, 384, 128 },      { "C 128 proj", 768, 128, 128 },
        { "C 128 fc1", 768, 512, 128 },      { "C 128 fc2", 768, 128, 512 },
        { "C 128 V 65", 768, 65, 128 },      { "C 128 V 1024", 768, 1024, 128 },
        { "C 384 qkv", 4096, 1152, 384 },    { "C 384 proj", 4096, 384, 384 },
        { "C 384 fc1", 4096, 1536, 384 },    { "C 384 fc2", 4096, 384, 1536 },
        { "C 384 V 8192", 4096, 8192, 384 }, { "C 768 fc1", 1024, 3072, 768 },
        { "C 768 fc2", 1024, 768, 3072 },
    };
    Dev d;
    Err err = { 0 };
    CpuLevel level = cpu_level();
    bool half = argc > 3 && !strcmp(argv[3], "fp16");
    if (half && !cpu_computes(level, PRECISION_FP16)) {
        fprintf(stderr, "%s has no AVX512-FP16\n", cpu_model());
        return 1;
    }
    for (int i = LEVEL_PLAIN; argc > 2 && i <= (int)cpu_level(); i++)
        if (!strcmp(argv[2], cpu_level_name((CpuLevel)i))) level = (CpuLevel)i;
    if (!dev_open(&d, "cpu", argc > 1 ? atoi(argv[1]) : 0, &err)) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    printf("%s, %s, %s, %d threads; GFLOP/s\n", cpu_model(), cpu_level_name(level),
           precision_name(half ? PRECISION_FP16 : PRECISION_FP32), d.threads);
    printf("%-14s %18s %8s %8s %8s\n", "layer", "tokens,out,in", "forward", "d_x", "d_w");
    for (int i = 0; i < COUNT(layers); i++) {
        double gflops[3];
        char shape[40];
        layer_speed(&d, level, half, layers[i], gflops);
        snprintf(shape, sizeof(shape), "%td,%td,%td", layers[i].tokens, layers[i].out,
                 layers[i].in);
        printf("%-14s %18s %8.0f %8.0f %8.0f\n", layers[i].name, shape, gflops[0], gflops[1],
               gflops[2]);
        fflush(stdout);
    }
    dev_close(&d);
    return 0;
}
