/* Schedules: our cosine against libm's, and the rates that published training code prints. */
#include "base/str.h"
#include "optim/optim.h"
#include "tests/test.h"

static KnobSet knobs_for(Arena *a, const char *name, double warmup, double decay, double final)
{
    Err err = { 0 };
    const Knob *tables[] = { schedule_knobs, NULL };
    KnobSet k = knobs_new(a, tables);
    EXPECT(knobs_set(&k, "schedule.name", str_of(name), "test", &err));
    EXPECT(knobs_set_number(&k, "schedule.warmup", warmup, &err));
    EXPECT(knobs_set_number(&k, "schedule.decay", decay, &err));
    EXPECT(knobs_set_number(&k, "schedule.final", final, &err));
    return k;
}

TEST(our_cosine_agrees_with_the_librarys)
{
    const double pi = 3.14159265358979323846;
    double worst = 0;
    for (int i = 0; i <= 10000; i++) {
        double x = i / 10000.0, d = fabs(schedule_cospi(x) - cos(pi * x));
        if (d > worst) worst = d;
    }
    EXPECT_MSG(worst < 1e-15, "off by %g", worst);
    EXPECT(schedule_cospi(0) == 1 && schedule_cospi(1) == -1 && fabs(schedule_cospi(0.5)) < 1e-16);
}

/* nanoGPT's get_lr with warmup_iters 100, lr_decay_iters 2000, learning_rate 1, min_lr 0.1:
 * it < 100: (it + 1) / 101; then 0.1 + 0.45 (1 + cos(pi (it - 100) / 1900)). */
TEST(cosine_is_that_of_nanogpt)
{
    Arena a = arena_reserve(1 << 20);
    KnobSet k = knobs_for(&a, "cosine", 0.05, 0.4, 0.1);
    const double want[][2] = { { 1, 1 / 101.0 },    { 100, 100 / 101.0 }, { 101, 1 },
                               { 576, 0.86819805 }, { 1051, 0.55 },       { 1526, 0.23180195 } };
    for (int i = 0; i < (int)COUNT(want); i++) {
        double got = schedule_factor(&k, (int64_t)want[i][0], 2000);
        EXPECT_MSG(fabs(got - want[i][1]) < 1e-8, "step %g: %.9g, not %.9g", want[i][0], got,
                   want[i][1]);
    }
    arena_release(&a);
}

/* modded-nanogpt's first speedruns: constant, then (num_iterations - it) / cooldown_iters. */
TEST(wsd_is_that_of_modded_nanogpt)
{
    Arena a = arena_reserve(1 << 20);
    KnobSet k = knobs_for(&a, "wsd", 0, 0.4, 0);
    for (int it = 0; it < 1000; it++) {
        double want = it <= 600 ? 1 : (1000 - it) / 400.0;
        EXPECT(fabs(schedule_factor(&k, it + 1, 1000) - want) < 1e-12);
    }
    arena_release(&a);
}

TEST(linear_and_constant_are_lines)
{
    Arena a = arena_reserve(1 << 20);
    KnobSet linear = knobs_for(&a, "linear", 0.1, 0.4, 0.2),
            flat = knobs_for(&a, "constant", 0, 0.4, 0);
    EXPECT(fabs(schedule_factor(&linear, 11, 100) - 1) < 1e-15);
    EXPECT(fabs(schedule_factor(&linear, 56, 100) - 0.6) < 1e-15);
    EXPECT(fabs(schedule_factor(&linear, 100, 100) - (1 - 0.8 * 89 / 90)) < 1e-12);
    EXPECT(schedule_factor(&flat, 1, 7) == 1 && schedule_factor(&flat, 7, 7) == 1);
    arena_release(&a);
}

TEST(every_schedule_stays_between_zero_and_one_and_never_rises_behind_the_warmup)
{
    int count;
    const ScheduleDef *const *all = schedule_all(&count);
    for (int s = 0; s < count; s++) {
        Arena a = arena_reserve(1 << 20);
        KnobSet k = knobs_for(&a, all[s]->name, 0.1, 0.3, 0.05);
        for (int64_t steps = 1; steps < 200; steps += 7) {
            double before = 1;
            for (int64_t i = 1; i <= steps; i++) {
                double f = schedule_factor(&k, i, steps);
                bool warm = i > (int64_t)(0.1 * (double)steps + 0.5);
                EXPECT_MSG(f > 0 && f <= 1 && (!warm || f <= before), "%s: %g at step %lld of %lld",
                           all[s]->name, f, (long long)i, (long long)steps);
                if (warm) before = f;
            }
        }
        arena_release(&a);
    }
}
