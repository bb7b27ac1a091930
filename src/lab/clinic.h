/* clinic.h - the doctor examined: faults are planted in real, small runs, and he is asked blind. */
#ifndef LAB_CLINIC_H
#define LAB_CLINIC_H

#include "base/json.h"
#include "lab/lab.h"

typedef struct ClinicOpt {
    int seeds;   /* runs of each fault */
    int healthy; /* runs without one */
    uint64_t seed;
    int threads;
    void (*say)(void *self, const char *sentence);
    void *self;
} ClinicOpt;

/* Trains them all on the lab's text, each for 400 steps of a model of 2 blocks, in a folder that is
 * gone afterwards; nothing is entered in the ledger.  {"faults": [{"fault", "runs", "found",
 * "precision", "recall", "delay", "sigma"}], "healthy", "false_alarms", "sigma_alarms",
 * "precision", "recall"}: `delay` is the median of steps from the fault to its name, `sigma` how
 * many of the runs six plain deviations of the loss or the norm alarm on.  New reference. */
bool clinic_run(Lab *lab, const ClinicOpt *opt, json_t **out, Err *err) MUST_CHECK;

#endif
