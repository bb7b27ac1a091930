/* bench.h - questions about this machine that `lathe bench` answers with numbers.
 *
 * One question is one const BenchDef in bench_NAME.c and one line in bench_list.h. */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include "cli/cmd.h"

typedef struct BenchIn {
    const Cmd *cmd;
    int threads;    /* 0: all cores */
    double seconds; /* about how long to measure */
} BenchIn;

typedef struct BenchDef {
    const char *name, *doc;
    /* Adds objects to `rows`; people get the same on stdout unless cmd->json. */
    bool (*run)(const BenchIn *in, json_t *rows, Err *err);
} BenchDef;

/* What the processor can do now: measured, since clocks and neighbours vary. */
typedef struct BenchPeak {
    double flops_per_s; /* fp32 multiply-adds in registers, as two operations: the best round */
    double sustained_flops_per_s; /* the median round */
    double read_bytes_per_s;      /* from memory, far beyond the caches */
} BenchPeak;
bool bench_peak_measure(int threads, double seconds, bool memory, BenchPeak *out,
                        Err *err) MUST_CHECK;

#endif
