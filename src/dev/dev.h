/* dev.h - where plans run: memory, copies, and a list of jobs done in order.
 *
 * A device knows no operation.  It is handed jobs; a job is `phases` phases of
 * `parts[phase]` parts each, with a barrier between phases.  Parts come from
 * shapes alone, never from the number of threads, so the bits of a result do
 * not depend on who computed which part (invariants E1 and E2).
 *
 * The CPU device is one pool of pthreads: workers take contiguous ranges of
 * parts, then what others have left, and flush denormals to zero. */
#ifndef DEV_DEV_H
#define DEV_DEV_H

#include "base/arena.h"
#include "base/err.h"

C_BEGIN

typedef struct Work {
    int phase, part;
    void *own;    /* scratch of this worker, Job.own bytes, contents undefined */
    void *stream; /* a GPU's queue; NULL on a CPU */
} Work;

typedef struct Job {
    void (*run)(const void *call, Work w);
    const void *call;
    const int *parts; /* parts[phase] */
    int phases;
    ptrdiff_t own; /* bytes of scratch each worker needs */
    int id;        /* of the node, for timing */
} Job;

typedef enum Way { HOST_TO_DEV, DEV_TO_HOST, DEV_TO_DEV } Way;
typedef struct Dev Dev;

typedef struct DevDef {
    const char *name, *doc;
    bool (*open)(Dev *d, Err *err);
    void (*close)(Dev *d);
    void *(*block)(Dev *d, ptrdiff_t bytes); /* zeroed, 64-byte aligned, huge pages where they help;
                                                NULL: there is not that much */
    ptrdiff_t (*room)(Dev *d);               /* bytes there still are; PTRDIFF_MAX: nobody knows */
    void (*block_free)(Dev *d, void *at, ptrdiff_t bytes);
    void (*copy)(Dev *d, void *to, const void *from, ptrdiff_t bytes, Way way);
    bool (*reserve)(Dev *d,
                    ptrdiff_t own); /* scratch of each worker, so that run() allocates nothing */
    void (*run)(Dev *d, const Job *jobs, int n); /* in order; one run at a time */
} DevDef;

struct Dev {
    const DevDef *def;
    int threads;     /* asked for: 0 means one per core of the affinity mask */
    double *seconds; /* where set: seconds[job.id] += time of the job (profiling) */
    void *self;
};

/* ERR_DEVICE names what is missing.  "cpu" is always there. */
bool dev_open(Dev *d, const char *name, int threads, Err *err) MUST_CHECK;
void dev_close(Dev *d);
int dev_cores(void); /* in the affinity mask of this process */

/* The processor level that kernels run at: "plain", "avx2" or "avx512".  The bits of fp32
 * results do not depend on it.  Chosen once from cpuid; tests lower it. */
typedef enum CpuLevel { LEVEL_REF, LEVEL_PLAIN, LEVEL_AVX2, LEVEL_AVX512, LEVEL_COUNT } CpuLevel;
CpuLevel cpu_level(void);
bool cpu_level_set(CpuLevel level); /* false if this machine cannot */
const char *cpu_level_name(CpuLevel level);

/* What products are computed in.  fp16 rounds operands to halves and sums short runs of them in
 * half: its bits are those of the machine class. */
typedef enum Precision { PRECISION_FP32, PRECISION_FP16, PRECISION_COUNT } Precision;
bool cpu_computes(CpuLevel level, Precision p);
const char *precision_name(Precision p);

const char *cpu_model(void); /* the processor's name, for the ledger: "machine class" */

C_END
#endif
