/* bench_list.h - every question of `lathe bench`, one line each: BENCH(peak) is
 * `const BenchDef bench_peak` in bench_peak.c.  No include guard: included several times. */
BENCH(peak)
BENCH(train)
BENCH(filters)
BENCH(data)
BENCH(verdict)
