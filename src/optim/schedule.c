/* schedule.c - how the rate moves over a run.
 *
 *     it = step - 1, n steps, w = round(warmup n)
 *     it <  w:  (it + 1) / (w + 1)                    linear warmup
 *     it >= w:  factor at (it - w) / (n - w)
 *
 * so the first step already moves, the full rate comes right behind the warmup, and the last
 * step is one step short of the final fraction: a step at rate zero would be paid for and
 * change nothing.
 *
 * The cosine is our own.  The rate reaches every weight, and libm's cos differs between
 * versions and processors; here only IEEE's exact operations occur. */
#include "optim/optim.h"

#define SCHEDULE(title) extern const ScheduleDef schedule_##title;
#include "optim/schedule_list.h"
#undef SCHEDULE

static const ScheduleDef *const defs[] = {
#define SCHEDULE(title) &schedule_##title,
#include "optim/schedule_list.h"
#undef SCHEDULE
};

static const char *const names[] = {
#define SCHEDULE(title) #title,
#include "optim/schedule_list.h"
#undef SCHEDULE
    NULL
};

const Knob schedule_knobs[] = {
    { .name = "schedule.name",
      .type = KNOB_CHOICE,
      .fallback = 1,
      .max = (double)(COUNT(names) - 2),
      .choices = names,
      .doc = "the rate behind the warmup: constant, cosine, linear, or wsd (constant, then linear "
             "over the last decay share)" },
    { .name = "schedule.warmup",
      .type = KNOB_NUMBER,
      .fallback = 0.05,
      .min = 0,
      .max = 0.9,
      .unit = "of the run",
      .doc = "share of the steps in which the rate rises from zero" },
    { .name = "schedule.decay",
      .type = KNOB_NUMBER,
      .fallback = 0.4,
      .min = 0.01,
      .max = 1,
      .unit = "of the run",
      .only = "schedule.name=wsd",
      .doc = "share of the steps in which the rate falls" },
    { .name = "schedule.final",
      .type = KNOB_NUMBER,
      .fallback = 0.1,
      .min = 0,
      .max = 1,
      .unit = "of the top",
      .doc = "where a falling rate ends" },
    { .name = NULL },
};

const ScheduleDef *const *schedule_all(int *count)
{
    *count = (int)COUNT(defs);
    return defs;
}

/* Taylor at 0 of the even function cos, |x| <= pi/4: the first term left out is below 1e-18. */
static double cos_small(double x)
{
    double x2 = x * x, sum = 1, term = 1;
    for (int i = 1; i <= 9; i++) {
        term *= -x2 / ((2.0 * i - 1) * (2.0 * i));
        sum += term;
    }
    return sum;
}

static double sin_small(double x)
{
    double x2 = x * x, sum = x, term = x;
    for (int i = 1; i <= 9; i++) {
        term *= -x2 / ((2.0 * i) * (2.0 * i + 1));
        sum += term;
    }
    return sum;
}

double schedule_cospi(double x)
{
    const double pi = 3.14159265358979323846;
    if (x > 0.5) return -schedule_cospi(1 - x);
    return x <= 0.25 ? cos_small(pi * x) : sin_small(pi * (0.5 - x));
}

double schedule_factor(const KnobSet *k, int64_t step, int64_t steps)
{
    int64_t it = step - 1;
    int64_t warmup = (int64_t)(knobs_number(k, "schedule.warmup") * (double)steps + 0.5);
    if (it < warmup) return (double)(it + 1) / (double)(warmup + 1);
    ScheduleIn in = { .at = (double)(it - warmup) / (double)(steps - warmup),
                      .left = (double)(steps - it) / (double)steps,
                      .decay = knobs_number(k, "schedule.decay"),
                      .final = knobs_number(k, "schedule.final") };
    return defs[(int)k->value[knobs_find(k, "schedule.name")]]->factor(in);
}
