/* test_science_results.c - rows of other trainers: what is one run, what is one recipe, and the
 * rule's errors when it is fed through rows. */
#include "science/results.h"

#include "base/rand.h"
#include "tests/test.h"

static Arena memory;

static ResultsRow both(const char *proposal, const char *seed, double champion, double candidate)
{
    return (ResultsRow){ proposal, seed, true, true, champion, candidate };
}
static ResultsRow only(const char *proposal, const char *seed, double candidate)
{
    return (ResultsRow){ proposal, seed, false, true, 0, candidate };
}
static ResultsRow bank(const char *proposal, const char *seed, double champion)
{
    return (ResultsRow){ proposal, seed, true, false, champion, 0 };
}

static ResultsVerdict *judge(const ResultsRow *row, int rows, double sigma, int *count)
{
    Err err;
    ResultsVerdict *v;
    ResultsOpt opt = { .sigma = sigma };
    if (!memory.base) memory = arena_reserve(1 << 26);
    bool ok = results_judge(row, rows, &opt, &memory, &v, count, &err);
    EXPECT_MSG(ok, "%s", err.msg);
    return v;
}

TEST(a_champion_run_in_two_proposals_is_one_run)
{
    const ResultsRow rows[] = {
        both("a", "1", 1.00, 1.02), both("a", "2", 1.01, 1.03), both("a", "3", 0.99, 1.02),
        both("b", "1", 1.00, 1.05), both("b", "2", 1.01, 1.04), both("b", "4", 1.02, 1.05),
    };
    int n;
    ResultsVerdict *v = judge(rows, COUNT(rows), 0, &n);
    EXPECT(n == 2 && v[0].m == 3 && v[1].m == 4);
    /* champion: 4 runs, a: 3 runs; never the candidate that is being judged */
    EXPECT(v[0].nu == 2 && v[1].nu == 5);
    EXPECT(v[0].step == VERDICT_DROP && v[1].step == VERDICT_DROP);
}

TEST(a_large_gain_with_enough_seeds_is_kept_and_becomes_the_champion)
{
    const ResultsRow rows[] = {
        bank("base", "1", 1.000), bank("base", "2", 1.004), bank("base", "3", 0.997),
        bank("base", "4", 1.002), bank("base", "5", 0.999), only("big", "1", 0.900),
        only("big", "2", 0.902),  only("big", "3", 0.899),  only("big", "4", 0.901),
        only("same", "1", 0.9),   only("same", "2", 0.903),
    };
    int n;
    ResultsVerdict *v = judge(rows, COUNT(rows), 0, &n);
    EXPECT(n == 3 && v[0].step < VERDICT_KEEP && v[0].n == 0);
    EXPECT(v[1].step == VERDICT_KEEP && v[1].m == 5 && v[1].n == 4);
    EXPECT(v[1].ev.low < 0.1 && v[1].ev.high > 0.095 && v[1].ev.effect > 0.09);
    /* the run that found it is not in its bank */
    EXPECT(v[2].m == 3 && !v[2].bank_lucky && v[2].step == VERDICT_DROP);
}

TEST(a_winner_listed_as_champion_is_recognised)
{
    const ResultsRow rows[] = {
        both("big", "1", 1.000, 0.900), both("big", "2", 1.004, 0.902),
        both("big", "3", 0.997, 0.899), both("big", "4", 1.002, 0.901),
        both("next", "1", 0.900, 0.95), both("next", "2", 0.902, 0.95),
    };
    int n;
    ResultsVerdict *v = judge(rows, COUNT(rows), 0, &n);
    EXPECT(v[0].step == VERDICT_KEEP);
    EXPECT(v[1].m == 3 && v[1].nu == 6); /* runs 2..4 of the winner; both recipes in the noise */
}

TEST(rows_that_end_too_early_say_what_is_awaited)
{
    const ResultsRow rows[] = { both("a", "1", 1.00, 0.90), both("a", "2", 1.01, 0.91),
                                bank("a", "3", 0.99) };
    int n;
    ResultsVerdict *v = judge(rows, COUNT(rows), 0, &n);
    EXPECT(v[0].step == VERDICT_CONFIRM || v[0].step == VERDICT_CHAMPION);
    EXPECT(v[0].n == 2 && v[0].ev.confirming);
}

TEST(failed_runs_are_counted_and_not_averaged)
{
    const ResultsRow rows[] = {
        bank("a", "0", 7.0),       both("a", "1", 1.00, 9.0), both("a", "2", 1.01, 1.0),
        both("a", "3", 0.99, 1.0), both("b", "1", 1.00, 0.9), both("b", "2", 1.01, (double)NAN),
    };
    int n;
    ResultsVerdict *v = judge(rows, COUNT(rows), 0, &n);
    EXPECT(v[0].step == VERDICT_DROP && v[0].failed == 1 && v[0].n == 0);
    EXPECT(v[1].n == 1 && v[1].failed == 1 && v[1].nu == 3 &&
           v[1].m == 3); /* 7 and 9 are in no noise */
}

TEST(what_cannot_be_judged_is_said)
{
    Err err;
    ResultsVerdict *v;
    ResultsOpt opt = { 0 };
    int n;
    const ResultsRow alone[] = { only("a", "1", 1) }, single[] = { both("a", "1", 1, 1) };
    if (!memory.base) memory = arena_reserve(1 << 26);
    EXPECT(!results_judge(alone, 1, &opt, &memory, &v, &n, &err) && strstr(err.msg, "champion"));
    EXPECT(!results_judge(single, 1, &opt, &memory, &v, &n, &err) && strstr(err.msg, "--sigma"));
    opt.sigma = 0.1;
    EXPECT(results_judge(single, 1, &opt, &memory, &v, &n, &err) && n == 1);
}

/* 40 files of 50 proposals, 16 seeds each, the champion the same throughout. */
TEST(through_rows_the_rule_errs_no_more_than_in_the_simulator)
{
    enum { FILES = 40, PROPOSALS = 50, SEEDS = 16, BANK = 16 };
    static ResultsRow rows[PROPOSALS * SEEDS + BANK];
    static char names[PROPOSALS][16], seeds[SEEDS][16];
    int nulls = 0, nulls_kept = 0, real = 0, found = 0;
    Rand r = rand_stream(5, "rows");
    for (int i = 0; i < PROPOSALS; i++) snprintf(names[i], sizeof(names[i]), "p%d", i);
    for (int i = 0; i < SEEDS; i++) snprintf(seeds[i], sizeof(seeds[i]), "%d", i);
    for (int file = 0; file < FILES; file++) {
        int at = 0, n;
        for (int i = 0; i < BANK; i++)
            rows[at++] = bank("p0", seeds[i], 1 + 0.01 * rand_normal(&r));
        for (int p = 0; p < PROPOSALS; p++)
            for (int i = 0; i < SEEDS; i++) {
                double gain = p % 10 == 9 ? 0.02 : 0;
                rows[at] = only(names[p], seeds[i], 1 - gain + 0.01 * rand_normal(&r));
                if (p > 0) { /* always against the first champion */
                    rows[at].has_champion = true;
                    rows[at].champion = rows[i].champion;
                }
                at++;
            }
        ResultsVerdict *v = judge(rows, at, 0, &n);
        for (int p = 0; p < n; p++) {
            bool kept = v[p].step == VERDICT_KEEP, gain = p % 10 == 9;
            nulls += !gain;
            nulls_kept += !gain && kept;
            real += gain;
            found += gain && kept;
        }
        arena_release(&memory);
    }
    printf("# %d of %d nulls kept, %d of %d gains of 2 sigma found\n", nulls_kept, nulls, found,
           real);
    EXPECT(nulls_kept <= 0.005 * nulls + 2 * sqrt(0.005 * nulls) && found >= 0.75 * real);
}

TEST(of_a_ratchets_keeps_small_ones_are_noise_and_large_ones_are_not)
{
    const RatchetRow rows[] = { { 0.9979, true },  { 0.9860, true },      { 0.9855, true },
                                { 0.9900, false }, { (double)NAN, true }, { 0.9851, true } };
    RatchetKeep keep[8];
    int n = results_ratchet(rows, COUNT(rows), 0.0008, keep, 8);
    EXPECT(n == 3 && keep[0].row == 1 && keep[0].champion == 0 && keep[0].P > 0.99);
    EXPECT(keep[1].P < 0.2 && keep[2].P < 0.2 && keep[2].champion == 2);
    EXPECT(keep[0].effect < keep[0].gain && keep[0].effect > 0.8 * keep[0].gain);
    EXPECT(keep[1].low < 0 && keep[1].high > 0);
}
