/* cpu.c - the CPU device: one pool of threads that runs a list of jobs.
 *
 * A phase is cut into units (parts, or groups of parts where there are very
 * many).  Each worker owns a lane, a contiguous range of units, and takes what
 * is left in other lanes when its own is empty.  Whoever finishes the last unit
 * of a phase sets up the next and announces it by raising `epoch`.
 *
 * So a phase waits for its units and not for workers: one that the system has
 * put aside is missed only if it holds a unit.  A barrier that counts workers
 * was the obvious thing and stands still whenever another program has a core.
 *
 * A lane is one word: epoch, next unit, end.  A unit is claimed by comparing and
 * swapping the whole word, so a late worker, still at an old epoch, can claim
 * nothing, and whatever it reads of the current job it reads after a claim,
 * which keeps the job from ending.
 *
 * Waiting workers spin for about a tenth of a millisecond, then sleep.  Nobody is
 * pinned to a core: alone on the machine it made no difference (20 ms a step of a
 * small model on two cores either way), and beside other programs it cost a third
 * (100 ms against 70), because the system could not move a worker to the core that
 * was free.  All stay inside the mask that the process was given.
 *
 * Denormals are flushed: decayed moments become denormal and then cost 5 to 10
 * times more. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/clock.h"
#include "dev/cpu_room.h"
#include "dev/dev.h"

enum { SPINS = 2000, UNITS_MAX = 0xffff, HUGE_PAGE = 1 << 21 };

typedef struct Lane {
    _Alignas(64) _Atomic uint64_t word; /* epoch << 32 | next << 16 | end */
    void *own;
    pthread_t thread;
    struct Pool *pool;
    int me;
} Lane;

typedef struct Pool {
    _Alignas(64) _Atomic uint32_t epoch;
    _Alignas(64) _Atomic int done; /* units finished in this phase */
    _Alignas(64) _Atomic int sleepers;
    _Atomic uint32_t ended; /* the epoch in which the last run was over */
    _Atomic bool closing;
    /* Of the phase going on; stable while any unit of it is unfinished. */
    const Job *jobs, *job;
    int left, phase, parts, units, group;
    double begun;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    ptrdiff_t own;
    int threads;
    Dev *dev;
    Lane *lane;
} Pool;

static void relax(void)
{
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* ---- denormals ------------------------------------------------------------------------------- */

static uint64_t flush_denormals(void)
{
#if defined(__x86_64__)
    unsigned old = _mm_getcsr();
    _mm_setcsr(old | 0x8040U);
    return old;
#elif defined(__aarch64__)
    uint64_t old;
    __asm__ volatile("mrs %0, fpcr" : "=r"(old));
    __asm__ volatile("msr fpcr, %0" : : "r"(old | (uint64_t)1 << 24));
    return old;
#else
    return 0;
#endif
}

static void restore_denormals(uint64_t old)
{
#if defined(__x86_64__)
    _mm_setcsr((unsigned)old);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(old));
#else
    (void)old;
#endif
}

/* ---- phases ---------------------------------------------------------------------------------- */

/* Raises the epoch; those who sleep are woken if there is something for them. */
static void announce(Pool *p, bool wake)
{
    atomic_fetch_add(&p->epoch, 1);
    if (!wake || atomic_load(&p->sleepers) == 0) return;
    pthread_mutex_lock(&p->lock);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

/* Deals the parts of the phase out to the lanes, for the epoch that is about to begin. */
static void deal(Pool *p)
{
    p->group = (p->parts + UNITS_MAX - 1) / UNITS_MAX;
    p->units = (p->parts + p->group - 1) / p->group;
    atomic_store_explicit(&p->done, 0, memory_order_relaxed);
    uint64_t epoch = (uint32_t)(atomic_load_explicit(&p->epoch, memory_order_relaxed) + 1);
    for (int w = 0; w < p->threads; w++) {
        uint64_t from = (uint64_t)p->units * (uint64_t)w / (uint64_t)p->threads;
        uint64_t to = (uint64_t)p->units * (uint64_t)(w + 1) / (uint64_t)p->threads;
        atomic_store_explicit(&p->lane[w].word, epoch << 32 | from << 16 | to,
                              memory_order_release);
    }
}

static void count_time(Pool *p)
{
    if (!p->dev->seconds) return;
    double now = clock_now();
    p->dev->seconds[p->job->id] += now - p->begun;
    p->begun = now;
}

/* Goes on to the next phase that has parts, or ends the run.  Only one thread is ever here. */
static void advance(Pool *p)
{
    for (;;) {
        if (++p->phase >= p->job->phases) {
            count_time(p);
            p->phase = 0;
            p->job++;
            if (--p->left == 0) break;
        }
        p->parts = p->job->parts[p->phase];
        if (p->parts == 0) continue;
        deal(p);
        announce(p, p->units > 1);
        return;
    }
    atomic_store(&p->ended, atomic_load(&p->epoch) + 1);
    announce(p, true);
}

static bool claim(Lane *lane, uint32_t epoch, int *unit)
{
    uint64_t word = atomic_load_explicit(&lane->word, memory_order_acquire);
    for (;;) {
        uint32_t next = word >> 16 & 0xffff, end = word & 0xffff;
        if ((uint32_t)(word >> 32) != epoch || next >= end) return false;
        if (atomic_compare_exchange_weak_explicit(&lane->word, &word, word + (1 << 16),
                                                  memory_order_acq_rel, memory_order_acquire)) {
            *unit = (int)next;
            return true;
        }
    }
}

static void do_unit(const Pool *p, const Lane *lane, int unit)
{
    const Job *job = p->job;
    int from = unit * p->group, to = MIN(from + p->group, p->parts);
    for (int part = from; part < to; part++)
        job->run(job->call, (Work){ .phase = p->phase, .part = part, .own = lane->own });
}

/* All that can be had in this epoch, own lane first. */
static void work(Pool *p, int me, uint32_t epoch)
{
    for (int i = 0; i < p->threads; i++) {
        Lane *from = &p->lane[(me + i) % p->threads];
        int unit = 0, count = 0, units = 0;
        while (claim(from, epoch, &unit)) {
            do_unit(p, &p->lane[me], unit);
            units = p->units;
            count++;
        }
        if (count && atomic_fetch_add(&p->done, count) + count == units) {
            advance(p);
            return;
        }
    }
}

/* Waits until the epoch is another than `seen`. */
static uint32_t next_epoch(Pool *p, uint32_t seen)
{
    for (int i = 0; i < SPINS; i++) {
        uint32_t epoch = atomic_load(&p->epoch);
        if (epoch != seen) return epoch;
        relax();
    }
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->sleepers, 1);
    while (atomic_load(&p->epoch) == seen) pthread_cond_wait(&p->wake, &p->lock);
    atomic_fetch_sub(&p->sleepers, 1);
    pthread_mutex_unlock(&p->lock);
    return atomic_load(&p->epoch);
}

static void *worker(void *lane)
{
    Lane *mine = lane;
    Pool *p = mine->pool;
    flush_denormals();
    for (uint32_t epoch = 0; !atomic_load(&p->closing);) {
        epoch = next_epoch(p, epoch);
        work(p, mine->me, epoch);
    }
    return NULL;
}

static void cpu_run(Dev *d, const Job *jobs, int n)
{
    if (n == 0) return;
    Pool *p = d->self;
    for (int i = 0; i < n; i++)
        CHECK(jobs[i].own <= p->own, "job %d needs %td bytes of scratch, reserved are %td", i,
              jobs[i].own, p->own);
    uint64_t mode = flush_denormals();
    p->begun = d->seconds ? clock_now() : 0;
    p->dev = d;
    p->job = jobs;
    p->left = n;
    p->phase = -1;
    advance(p);
    for (uint32_t epoch = atomic_load(&p->epoch); epoch != atomic_load(&p->ended);) {
        work(p, 0, epoch);
        epoch = next_epoch(p, epoch);
    }
    restore_denormals(mode);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void *cpu_block(Dev *d, ptrdiff_t bytes)
{
    (void)d;
    size_t size = (size_t)MAX(bytes, 1), slack = size >= HUGE_PAGE ? HUGE_PAGE : 0;
    char *at = mmap(NULL, size + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return NULL;
    if (!slack) return at;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (size + page - 1) / page * page;
    char *begin = (char *)(((uintptr_t)at + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
    if (begin > at) munmap(at, (size_t)(begin - at));
    char *end = at + (size + slack + page - 1) / page * page;
    if (end > begin + whole) munmap(begin + whole, (size_t)(end - begin) - whole);
    madvise(begin, size, MADV_HUGEPAGE); /* a wish; without it things are slower, not wrong */
    return begin;
}

static ptrdiff_t cpu_room(Dev *d)
{
    (void)d;
    return cpu_room_left();
}

static void cpu_block_free(Dev *d, void *at, ptrdiff_t bytes)
{
    (void)d;
    if (at) munmap(at, (size_t)MAX(bytes, 1));
}

static void cpu_copy(Dev *d, void *to, const void *from, ptrdiff_t bytes, Way way)
{
    (void)d, (void)way;
    memcpy(to, from, (size_t)bytes);
}

static bool cpu_reserve(Dev *d, ptrdiff_t own)
{
    Pool *p = d->self;
    if (own <= p->own) return true;
    for (int i = 0; i < p->threads; i++) {
        cpu_block_free(d, p->lane[i].own, p->own);
        p->lane[i].own = cpu_block(d, own);
        if (!p->lane[i].own) return false;
    }
    p->own = own;
    return true;
}

/* ---- open and close -------------------------------------------------------------------------- */

static void cpu_close(Dev *d)
{
    Pool *p = d->self;
    atomic_store(&p->closing, true);
    announce(p, true);
    for (int i = 0; i < p->threads; i++) {
        if (i > 0) pthread_join(p->lane[i].thread, NULL);
        cpu_block_free(d, p->lane[i].own, p->own);
    }
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->wake);
    free(p->lane);
    free(p);
}

static bool cpu_open(Dev *d, Err *err)
{
    int threads = d->threads ? d->threads : dev_cores();
    Pool *p = aligned_alloc(64, sizeof(Pool));
    Lane *lane = aligned_alloc(64, (size_t)threads * sizeof(Lane));
    CHECK(p && lane, "no memory for %d workers", threads);
    *p = (Pool){ .threads = 1, .lane = lane, .dev = d };
    memset(lane, 0, (size_t)threads * sizeof(Lane));
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    d->self = p;
    d->threads = threads;
    int made = 1;
    for (; made < threads; made++) {
        lane[made] = (Lane){ .pool = p, .me = made };
        if (pthread_create(&lane[made].thread, NULL, worker, &lane[made]) != 0) break;
    }
    p->threads = made;
    if (made == threads) return true;
    cpu_close(d);
    return err_set(err, ERR_DEVICE, "the system gives %d threads, not %d: ask for fewer", made,
                   threads);
}

const DevDef dev_cpu = {
    .name = "cpu",
    .doc = "the processor's cores, one thread each",
    .open = cpu_open,
    .close = cpu_close,
    .block = cpu_block,
    .room = cpu_room,
    .block_free = cpu_block_free,
    .copy = cpu_copy,
    .reserve = cpu_reserve,
    .run = cpu_run,
};
