/* The pool does every part once, phases in order, whatever the number of threads; levels and
 * memory are what dev.h says. */
#include <stdatomic.h>

#include "base/clock.h"
#include "dev/dev.h"
#include "tests/test.h"

static Dev open_cpu(int threads)
{
    Dev d;
    Err err = { 0 };
    bool ok = dev_open(&d, "cpu", threads, &err);
    EXPECT_MSG(ok, "%s", err.msg);
    return d;
}

enum { PARTS_MAX = 200000 };
static _Atomic int seen[3][PARTS_MAX];
static _Atomic int finished[3], out_of_order;

typedef struct Marks {
    int parts[3];
} Marks;

static void mark(const void *call, Work w)
{
    const Marks *m = call;
    for (int p = 0; p < w.phase; p++)
        if (atomic_load(&finished[p]) != m->parts[p]) atomic_fetch_add(&out_of_order, 1);
    atomic_fetch_add(&seen[w.phase][w.part], 1);
    atomic_fetch_add(&finished[w.phase], 1);
}

static void forget(void)
{
    memset(seen, 0, sizeof(seen));
    memset(finished, 0, sizeof(finished));
    out_of_order = 0;
}

TEST(every_part_is_done_once_and_phases_wait_for_each_other)
{
    static const int shapes[][3] = {
        { 1, 1, 1 }, { 7, 1, 13 }, { 100, 0, 3 }, { 5, PARTS_MAX, 2 }
    };
    for (int threads = 1; threads <= 4; threads++) {
        Dev d = open_cpu(threads);
        for (int s = 0; s < COUNT(shapes); s++) {
            forget();
            Marks m = { { shapes[s][0], shapes[s][1], shapes[s][2] } };
            d.def->run(&d, &(Job){ .run = mark, .call = &m, .parts = m.parts, .phases = 3 }, 1);
            EXPECT(out_of_order == 0);
            for (int p = 0; p < 3; p++)
                for (int i = 0; i < m.parts[p]; i++)
                    if (seen[p][i] != 1) {
                        EXPECT_MSG(false, "%d threads: part %d of phase %d ran %d times", threads,
                                   i, p, seen[p][i]);
                        break;
                    }
        }
        dev_close(&d);
    }
}

static void chain(const void *call, Work w)
{
    uint64_t *const *cell = call;
    if (w.part == 0) **cell = **cell * 3 + 1;
}

TEST(jobs_run_in_order_over_many_runs)
{
    for (int threads = 1; threads <= 3; threads++) {
        Dev d = open_cpu(threads);
        uint64_t value = 0, wanted = 0, *cell = &value;
        static const int one = 1, many = 9;
        Job jobs[40];
        for (int i = 0; i < 40; i++)
            jobs[i] =
                (Job){ .run = chain, .call = &cell, .parts = i % 3 ? &one : &many, .phases = 1 };
        for (int run = 0; run < 2000; run++) {
            value = wanted = (uint64_t)run;
            for (int i = 0; i < 40; i++) wanted = wanted * 3 + 1;
            d.def->run(&d, jobs, 40);
            EXPECT(value == wanted);
        }
        dev_close(&d);
    }
}

static void nap(const void *call, Work w)
{
    (void)call, (void)w;
    usleep(200);
}

TEST(workers_that_fell_asleep_are_woken)
{
    Dev d = open_cpu(3);
    static const int parts = 6;
    Job job = { .run = nap, .parts = &parts, .phases = 1 };
    for (int i = 0; i < 20; i++) {
        usleep(1000);
        d.def->run(&d, &job, 1);
    }
    dev_close(&d);
    EXPECT(true); /* reached */
}

static void scribble(const void *call, Work w)
{
    (void)call;
    memset(w.own, w.part, 5000);
    for (int i = 0; i < 5000; i++)
        if (((unsigned char *)w.own)[i] != (unsigned char)w.part)
            atomic_fetch_add(&out_of_order, 1);
}

TEST(each_worker_has_scratch_of_its_own)
{
    Dev d = open_cpu(3);
    static const int parts = 200;
    forget();
    EXPECT(d.def->reserve(&d, 100));
    EXPECT(d.def->reserve(&d, 5000));
    EXPECT(d.def->reserve(&d, 64));
    d.def->run(&d, &(Job){ .run = scribble, .parts = &parts, .phases = 1, .own = 5000 }, 1);
    EXPECT(out_of_order == 0);
    dev_close(&d);
}

static _Atomic int survived;

static void underflow(const void *call, Work w)
{
    (void)call, (void)w;
    volatile float tiny = 1e-38f, half = 0.001f, product = tiny * half;
    if (product != 0) atomic_fetch_add(&survived, 1);
}

TEST(denormals_are_flushed_inside_a_run_and_only_there)
{
#if defined(__x86_64__) || defined(__aarch64__)
    Dev d = open_cpu(2);
    static const int parts = 64;
    survived = 0;
    d.def->run(&d, &(Job){ .run = underflow, .parts = &parts, .phases = 1 }, 1);
    EXPECT(survived == 0);
    underflow(NULL, (Work){ 0 });
    EXPECT(survived == 1);
    dev_close(&d);
#endif
}

TEST(blocks_are_zeroed_and_aligned)
{
    Dev d = open_cpu(1);
    static const ptrdiff_t sizes[] = { 0, 1, 4097, 1 << 21, (1 << 21) + 1, 5000000 };
    for (int i = 0; i < COUNT(sizes); i++) {
        unsigned char *at = d.def->block(&d, sizes[i]);
        EXPECT(at && (uintptr_t)at % 64 == 0);
        ptrdiff_t bad = 0;
        for (ptrdiff_t k = 0; k < sizes[i]; k++) bad += at[k] != 0;
        EXPECT(bad == 0);
        memset(at, 1, (size_t)sizes[i]);
        d.def->block_free(&d, at, sizes[i]);
    }
    EXPECT(!d.def->block(&d, PTRDIFF_MAX / 2));
    dev_close(&d);
}

static void sleep_long(const void *call, Work w)
{
    (void)call, (void)w;
    usleep(20000); /* beyond what the other job takes also under a sanitizer on a busy machine */
}

TEST(the_time_of_each_job_is_kept_when_asked_for)
{
    Dev d = open_cpu(2);
    static const int parts = 4;
    double seconds[2] = { 0 };
    Job jobs[2] = { { .run = sleep_long, .parts = &parts, .phases = 1, .id = 1 },
                    { .run = scribble, .parts = &parts, .phases = 1, .own = 5000, .id = 0 } };
    EXPECT(d.def->reserve(&d, 5000));
    d.seconds = seconds;
    d.def->run(&d, jobs, 2);
    EXPECT(seconds[1] >= 20e-3 && seconds[0] > 0 && seconds[0] < seconds[1]);
    dev_close(&d);
}

TEST(an_unknown_device_is_refused_by_name)
{
    Dev d;
    Err err = { 0 };
    EXPECT(!dev_open(&d, "abacus", 1, &err));
    EXPECT(err.code == ERR_DEVICE && strstr(err.msg, "abacus"));
    EXPECT(!dev_open(&d, "cpu", -1, &err) && err.code == ERR_CONFIG);
}

TEST(the_level_can_be_lowered_and_put_back)
{
    CpuLevel best = cpu_level();
    EXPECT(best >= LEVEL_PLAIN && best < LEVEL_COUNT);
    EXPECT(cpu_level_set(LEVEL_PLAIN) && cpu_level() == LEVEL_PLAIN);
    EXPECT(!cpu_level_set(LEVEL_REF));
    EXPECT(cpu_level_set(best) && cpu_level() == best);
    EXPECT(!strcmp(cpu_level_name(LEVEL_PLAIN), "plain"));
    EXPECT(cpu_model()[0] && dev_cores() >= 1);
}
