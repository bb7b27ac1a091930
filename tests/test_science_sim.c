/* test_science_sim.c - the rule's errors over simulated sessions stay within the limits of
 * docs/honest.md, section 4, and the rules in use elsewhere do not.  `lathe bench verdict` plays
 * the whole table; here fewer sessions, so limits carry two standard errors of Monte Carlo. */
#include "science/sim.h"

#include "base/rand.h"
#include "science/stats.h"
#include "science/verdict.h"
#include "tests/test.h"

enum { SESSIONS = 300 };

static double slack(double share, double trials)
{
    return 2 * sqrt(share * (1 - share) / trials);
}

static void expect_row(const SimRow *row)
{
    SimTally t = sim_play(&row->world, row->rule, SESSIONS, 100, 7);
    EXPECT_MSG(sim_null_kept(&t) <= 0.005 + slack(0.005, t.nulls), "%s: %g of nulls kept",
               row->name, sim_null_kept(&t));
    EXPECT_MSG(sim_null_among_kept(&t) <= 0.05 + slack(0.05, t.kept), "%s: %g of kept are null",
               row->name, sim_null_among_kept(&t));
    EXPECT_MSG(sim_found(&t, 1) >= row->found2 - slack(row->found2, t.gains[1]),
               "%s: %g of 2 sigma found", row->name, sim_found(&t, 1));
    EXPECT_MSG(sim_found(&t, 2) >= 0.95, "%s: %g of 4 sigma found", row->name, sim_found(&t, 2));
    EXPECT_MSG(sim_runs(&t) <= 2.6 + 0.05, "%s: %g runs", row->name, sim_runs(&t));
    EXPECT_MSG(sim_error(&t) >= 0.88 && sim_error(&t) <= 1.12, "%s: reported %g of the truth",
               row->name, sim_error(&t));
}

TEST(the_rule_keeps_to_its_limits)
{
    static const char *const some[] = { "reference",
                                        "noise t(4)",
                                        "first bank says half of sigma",
                                        "first bank says twice sigma",
                                        "e = sigma/4, in v",
                                        "2 of 100 runs fail",
                                        "half of the nulls harmful" };
    int rows, played = 0;
    const SimRow *row = sim_rows(&rows);
    for (int i = 0; i < rows; i++)
        for (int k = 0; k < COUNT(some); k++)
            if (strcmp(row[i].name, some[k]) == 0) {
                expect_row(&row[i]);
                played++;
            }
    EXPECT(played == COUNT(some));
}

TEST(keep_if_lower_keeps_nulls_by_the_dozen)
{
    SimWorld w = { .null_share = 0.9, .gain = { 1, 2, 4 }, .gains = 3 };
    SimTally t = sim_play(&w, SIM_LOWER, SESSIONS, 100, 7);
    EXPECT_MSG(fabs(sim_null_kept(&t) - 0.124) < 0.01, "%g", sim_null_kept(&t));
    t = sim_play(&w, SIM_TWO_SD, SESSIONS, 100, 7);
    EXPECT_MSG(fabs(sim_null_kept(&t) - 0.034) < 0.01, "%g", sim_null_kept(&t));
    t = sim_play(&w, SIM_PAIRED_T, SESSIONS, 100, 7);
    EXPECT_MSG(fabs(sim_null_kept(&t) - 0.016) < 0.005, "%g", sim_null_kept(&t));
    EXPECT_MSG(fabs(sim_found(&t, 2) - 0.85) < 0.05, "%g", sim_found(&t, 2));
}

TEST(gains_of_all_sizes_and_harmful_ones_are_told_as_they_are)
{
    SimWorld w = {
        .null_share = 0.4, .harm_share = 0.4, .shape = SIM_HALF_NORMAL, .gain = { 2 }, .gains = 1
    };
    SimTally t = sim_play(&w, SIM_VERDICT, SESSIONS, 100, 7);
    EXPECT_MSG(fabs(sim_error(&t) - 1) < 0.12, "%g", sim_error(&t));
    EXPECT(t.harms_kept <= 2 && t.harms > 11000 && sim_found(&t, 0) > 0.35);
    /* Standard errors against the spread of ten repetitions. */
    double error[10], runs[10];
    for (int i = 0; i < 10; i++) {
        t = sim_play(&w, SIM_VERDICT, 30, 100, 1000 * (uint64_t)i + 1);
        error[i] = sim_error(&t);
        runs[i] = sim_runs(&t);
    }
    double sd_error = sqrt(stat_ss(error, 10) / 9), sd_runs = sqrt(stat_ss(runs, 10) / 9);
    EXPECT_MSG(sim_error_se(&t) > sd_error / 2 && sim_error_se(&t) < 2 * sd_error, "%g, seen %g",
               sim_error_se(&t), sd_error);
    EXPECT_MSG(sim_runs_se(&t) > sd_runs / 2 && sim_runs_se(&t) < 2 * sd_runs, "%g, seen %g",
               sim_runs_se(&t), sd_runs);
}

TEST(real_runs_can_stand_in_for_the_noise)
{
    static const double pool[] = { 1.02, 0.98,  1.01,  0.99,  1.03, 0.97,
                                   1.0,  1.005, 0.995, 1.015, 0.985 };
    SimWorld w = {
        .null_share = 1, .gain = { 1 }, .gains = 1, .pool = pool, .pool_n = COUNT(pool)
    };
    SimTally t = sim_play(&w, SIM_VERDICT, 100, 100, 3);
    EXPECT_MSG(sim_null_kept(&t) < 0.005 && t.nulls == 10000, "%g", sim_null_kept(&t));
}

TEST(runs_of_one_recipe_agree_with_t_and_skewed_ones_do_not)
{
    double pool[100], skewed[100];
    Rand r = rand_stream(9, "pool");
    for (int i = 0; i < 100; i++) {
        pool[i] = 2 + 0.01 * rand_normal(&r);
        skewed[i] = 2 + 0.01 * exp(1.5 * rand_normal(&r));
    }
    SimAgreement a = sim_agreement(pool, 100, 4000, 1), b = sim_agreement(skewed, 100, 4000, 1);
    printf("# normal %.3f (%.3f, %.3f), skewed %.3f (%.3f, %.3f)\n", a.distance, a.low, a.high,
           b.distance, b.low, b.high);
    EXPECT(a.distance < 0.03 && fabs(a.low - 0.05) < 0.015 && fabs(a.high - 0.05) < 0.015);
    EXPECT(b.distance > 0.06);
}

TEST(the_same_seed_plays_the_same_sessions)
{
    SimWorld w = {
        .null_share = 0.9, .gain = { 1, 2, 4 }, .gains = 3, .fails = 0.02, .varies = 0.2
    };
    SimTally a = sim_play(&w, SIM_VERDICT, 10, 40, 5), b = sim_play(&w, SIM_VERDICT, 10, 40, 5);
    EXPECT(memcmp(&a, &b, sizeof(a)) == 0);
    SimTally c = sim_play(&w, SIM_VERDICT, 10, 40, 500);
    EXPECT(memcmp(&a, &c, sizeof(a)) != 0);
}

TEST(taking_out_keeps_claims_of_two_sigma_and_loses_nulls)
{
    double runs;
    EXPECT(fabs(sim_reablate(0, 20000, 1, &runs) - 0.23) < 0.015 && runs < 3.9);
    EXPECT(fabs(sim_reablate(1, 20000, 1, &runs) - 0.81) < 0.015);
    EXPECT(sim_reablate(2, 20000, 1, &runs) > 0.985 && runs > 2.1 && runs < 2.3);
}
